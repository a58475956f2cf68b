import { describe, expect, it } from 'vitest';
import { choose, reasons, type Scene } from '../../src/runs/choose.ts';
import { type Common, takenOf, wishesOf } from '../../src/runs/sharing.ts';
import { parkedOf } from '../../src/runs/govern.ts';
import { readyOverAll } from '../../src/runs/read-request.ts';
import type { TaskView } from '../../src/runs/view.ts';
import { sceneOf } from './scene.ts';

const NO_CAPS: Common['caps'] = { agents: {}, models: {}, accounts: {}, owners: {} };
const common = (more: Partial<Common> = {}): Common => ({ maxAgents: 4, caps: NO_CAPS, taken: {}, line: [], parked: [], ...more });
const amid = (text: string, more: Partial<Common>): Scene => ({ ...sceneOf(text), common: common(more) });
const starts = (scene: Scene): string =>
  choose(scene)
    .start.map((choice) => choice.task.title)
    .join(' ');

const LIST = '## Git Worktree a\n[] one\n[] two\n[] three {p0}\n';

describe('what several projects share', () => {
  it('6.5-R2 3-R3 the places that other projects take are not there, and the tasks left over say so and wait in line', () => {
    const scene = amid(LIST, { taken: { all: 2 } });
    expect(starts(scene)).toBe('three one');
    expect(choose(scene).wishes).toEqual([{ key: 'all', priority: 2 }]);
    expect([...reasons(scene)].map(({ why }) => why?.message)).toEqual([
      undefined,
      'all 4 places of agents over all projects are taken or waited for',
      undefined,
    ]);
    expect(starts(amid(LIST, { taken: { all: 9 } }))).toBe('');
    expect(starts(amid(LIST, {}))).toBe('three one two');
  });

  it('6.5-R2 who began to wait before goes first, within a priority; a more urgent task passes', () => {
    const line = [{ key: 'all', priority: 2, first: true }];
    expect(starts(amid(LIST, { maxAgents: 2, taken: { all: 1 }, line }))).toBe('three');
    expect(starts(amid('## Git Worktree a\n[] one\n', { maxAgents: 2, taken: { all: 1 }, line }))).toBe('');
    expect(starts(amid('## Git Worktree a\n[] one\n', { maxAgents: 2, taken: { all: 1 }, line: [{ key: 'all', priority: 2, first: false }] }))).toBe('one');
    // What others wait for elsewhere is not in the way here.
    expect(starts(amid('## Git Worktree a\n[] one\n', { maxAgents: 2, taken: { all: 1 }, line: [{ key: 'agent other', priority: 0, first: true }] }))).toBe(
      'one',
    );
  });

  it('6.5-R2 3-R3 an agent, model, account or worker is capped over all projects, by its own key', () => {
    for (const caps of [{ agents: { fake: 2 } }, { accounts: { fake: 2 } }, { owners: { me: 2 } }]) {
      const [kind = '', names] = Object.entries(caps)[0] ?? [];
      const key = `${{ agents: 'agent', accounts: 'account', owners: 'worker' }[kind]} ${Object.keys(names ?? {})[0]}`;
      const scene = amid(LIST, { caps: { ...NO_CAPS, ...caps }, taken: { all: 1, [key]: 1 } });
      expect([starts(scene), choose(scene).wishes]).toEqual(['three', [{ key, priority: 2 }]]);
    }
    // A section of the same name elsewhere is another one; a name that objects have by themselves is none of theirs.
    expect(takenOf(common({ taken: { all: 1 } }), 'constructor', 2, 0)).toBe(0);
  });

  it('6.5-R2 a project that is closed starts nothing, and says why', () => {
    const scene = amid(LIST, { closed: { message: 'it leaves', remedy: 'list it' } });
    expect([starts(scene), choose(scene).wishes]).toEqual(['', []]);
    expect([...reasons(scene)].map(({ why }) => why?.message)).toEqual(['it leaves', 'it leaves', 'it leaves']);
  });

  it('5.3-R5 6.5-R2 an account that another project found at its limit waits here too, until then', () => {
    const parked = [{ account: 'fake', until: 5000, message: 'usage limit' }];
    const { draft, config } = sceneOf(LIST);
    expect(parkedOf(draft, config, 'fake', 4999, parked)).toMatchObject({ until: 5000 });
    expect(parkedOf(draft, config, 'fake', 5000, parked)).toBeUndefined();
    expect(parkedOf(draft, config, 'other', 4999, parked)).toBeUndefined();
    const until = sceneOf(LIST).now + 60_000;
    const scene = amid(LIST, { parked: [{ account: 'fake', until, message: 'usage limit' }] });
    expect([starts(scene), choose(scene).wakeAt]).toEqual(['', until]);
  });

  it('6.5-R2 a project waits for each cap once, with its most urgent task', () => {
    expect(
      wishesOf([
        { key: 'all', priority: 2 },
        { key: 'agent x', priority: 3 },
        { key: 'all', priority: 1 },
      ]),
    ).toEqual([
      { key: 'all', priority: 1 },
      { key: 'agent x', priority: 3 },
    ]);
  });

  it('6.1-R1 over several lists the next tasks come by priority, then by when they were first seen', () => {
    const task = (title: string, priority: number, created_at: number | null): TaskView => ({ title, priority, created_at }) as TaskView;
    const lists = [[task('a', 2, 30), task('b', 2, null)], [task('c', 0, 90), task('d', 2, 10)], []];
    expect(readyOverAll(lists, 9).map(({ title }) => title)).toEqual(['c', 'd', 'a', 'b']);
    expect(readyOverAll(lists, 2).map(({ title }) => title)).toEqual(['c', 'd']);
  });
});
