import { describe, expect, it } from 'vitest';
import { choose, reasons, type Scene } from '../../src/runs/choose.ts';
import { plannedGroups, waves } from '../../src/runs/view.ts';
import { sceneOf } from './scene.ts';

const starts = (scene: Scene): string[] => choose(scene).start.map((choice) => choice.task.title);
const why = (scene: Scene, title: string): string | undefined => [...reasons(scene)].find(({ located }) => located.task.title === title)?.why?.code;

describe('choosing', () => {
  it('3-R2 [⏰] waits for every task above it in its section, and may start with nothing above', () => {
    expect(starts(sceneOf('## Git Worktree a\n[⏰] first\n\n## Git Worktree b\n[✅ a1b2c3d, k3v9x2m1] x\n[-] y\n[⏰] second\n'))).toEqual(['first', 'second']);
    for (const above of ['[❌ m2c7r4ya] x', '[🟡 q8f0t6zd] x', '[⏰] x {hold:later}', '[] x {decision}']) {
      const scene = sceneOf(`## Git Worktree a\n${above}\n[⏰] waits\n`);
      expect(starts(scene)).toEqual([]);
      expect(why(scene, 'waits')).toBe('barrier');
    }
  });

  it('3-R2 a task that an agent filed for triage keeps nobody waiting', () => {
    expect(starts(sceneOf('## Git Worktree a\n[] idea {triage} {by:claude}\n[⏰] goes on\n'))).toEqual(['goes on']);
  });

  it('3-R2 [⏰] gates only its own line', () => {
    expect(starts(sceneOf('## Git Worktree a\n[❌ m2c7r4ya] x\n[⏰] waits\n[] free\n'))).toEqual(['free']);
  });

  it('3-R2 after waits for its tasks in any section, by id or by name', () => {
    const list = (state: string): string =>
      `## Git Worktree a\n[] late {after:k3v9x2m1,rotate}\n\n## Git Worktree b\n[✅ a1b2c3d, k3v9x2m1] x\n${state} y {id:rotate}\n`;
    expect(starts(sceneOf(list('[✅ -]')))).toEqual(['late']);
    expect(why(sceneOf(list('[]')), 'late')).toBe('after');
    expect(why(sceneOf(list('[-]')), 'late')).toBe('after');
  });

  it('3-R2 time gates, owners, holds, lanes and approval each hold with their reason', () => {
    const scene = sceneOf(
      '## Git Worktree a\n[] time {not-before:2030-01-01T00:00:00Z}\n[] other {owner:anna}\n[] held {hold:ask Bob}\n[] lane {triage}\n[] ask {decision}\n### Later {approval}\n[] gated\n',
      { now: Date.parse('2029-12-31T00:00:00Z') },
    );
    expect(starts(scene)).toEqual([]);
    expect([...reasons(scene)].map(({ why: reason }) => reason?.code)).toEqual(['time', 'owner', 'hold', 'lane', 'lane', 'approval']);
    expect(choose(scene).wakeAt).toBe(Date.parse('2030-01-01T00:00:00Z'));
    expect(starts(sceneOf('## Git Worktree a\n[] mine {owner:me}\n'))).toEqual(['mine']);
  });

  it('3-R2 a parent waits for its subtasks', () => {
    const scene = sceneOf('## Git Worktree a\n- [] parent\n  - [] child\n');
    expect(starts(scene)).toEqual(['child']);
    expect(why(scene, 'parent')).toBe('subtasks');
  });

  it('3-R3 3-R4 priority first, then file order, several of a section side by side; never more than maxAgents', () => {
    const text = '## Git Worktree a\n[] a1\n[] a2 {p0}\n\n## Git Worktree b\n[] b1 {p1}\n\n## Git Worktree c\n[] c1\n';
    expect(starts(sceneOf(text))).toEqual(['a2', 'b1', 'a1', 'c1']);
    expect(starts(sceneOf(text, { config: { maxAgents: 2 } }))).toEqual(['a2', 'b1']);
    expect(why(sceneOf(text, { config: { maxAgents: 2 } }), 'c1')).toBe('cap');
  });

  it('5.3-R1 the agent comes from the tag, then the config, then what is installed; script takes only what runs', () => {
    const agents = (scene: Scene): string[] => choose(scene).start.map((choice) => choice.agent);
    expect(agents(sceneOf('## Git Worktree a\n[] x\n'))).toEqual(['fake']);
    expect(agents(sceneOf('## Git Worktree a {script}\n[] x\n  run: true\n'))).toEqual(['script']);
    expect(why(sceneOf('## Git Worktree a {script}\n[] x\n'), 'x')).toBe('agent');
    expect(why(sceneOf('## Git Worktree a\n[] x {claude}\n'), 'x')).toBe('agent');
    expect(why(sceneOf('## Git Worktree a\n[] x\n', { config: { agent: 'nobody' } }), 'x')).toBe('agent');
  });

  it('3-R6 every task has a reason or starts, also while the list cannot be believed', () => {
    const text = '[] outside\n\n## Git Worktree a\n[] one\n[✅ a1b2c3d, k3v9x2m1] two\n[❌ m2c7r4ya] three\n[🟡] four\n[-] five\n';
    expect([...reasons(sceneOf(text))].map((each) => each.why?.code)).toEqual(['outside', undefined, 'done', 'failed', 'person', 'cancelled']);
    const rollback = sceneOf(text, { world: (world) => (world.list = { kind: 'rollback', since: 0, position: '' }) });
    expect(starts(rollback)).toEqual([]);
    expect(why(rollback, 'one')).toBe('list');
  });

  it('1.4-R10 a text that was just changed waits for claimAfter', () => {
    const scene = sceneOf('## Git Worktree a\n[] x\n', { now: 1000 });
    const fingerprint = scene.board.sections.flatMap((section) => section.tasks)[0]?.fingerprint ?? '';
    scene.draft.world.recent.set(fingerprint, 500);
    expect(choose(scene)).toMatchObject({ start: [], wakeAt: 2500 });
    expect(starts({ ...scene, now: 2500 })).toEqual(['x']);
  });

  it('3-R5 1.3-R2 tasks of one section whose files may be the same never start side by side; other sections do not matter', () => {
    const text = [
      '## Git Worktree a',
      '[] low {p3}\n  files: src/auth/**',
      '[] high {p0}\n  files: src/auth/login.ts, docs/**',
      '[] other\n  files: src/billing/**',
      '[] open\n',
      '## Git Worktree b\n[] elsewhere\n  files: src/auth/login.ts',
    ].join('\n');
    const scene = sceneOf(text);
    expect(starts(scene)).toEqual(['high', 'other', 'open', 'elsewhere']);
    const held = [...reasons(scene)].find(({ located }) => located.task.title === 'low')?.why;
    expect(held).toMatchObject({ rule: '3-R5', code: 'files', message: expect.stringContaining('"high"') });
    expect(waves(scene).map((wave) => wave.map((task) => task.title))).toEqual([['high', 'other', 'open', 'elsewhere'], ['low']]);
  });

  it('3-R5 where globs leave it open, the files of the tip are asked for, and decide', () => {
    const text = '## Git Worktree a\n[] tests\n  files: **/*.test.ts\n[] code\n  files: src/**/*.ts\n';
    expect([starts(sceneOf(text)), choose(sceneOf(text)).unsure]).toEqual([['tests'], ['a']]);
    const tips = (...files: readonly string[]): Scene => sceneOf(text, { world: (world) => world.tips.set('a', files) });
    expect(starts(tips('src/x.ts', 'test/x.test.ts'))).toEqual(['tests', 'code']);
    expect(starts(tips('src/x.ts', 'src/x.test.ts'))).toEqual(['tests']);
  });

  it('3-R7 groups and tasks in file order, tags as typed, inherited ones last', () => {
    const scene = sceneOf('# Shop {p1}\n## Git Worktree b {fake}\n[] later {p3} {quick}\n\n## Git Worktree a\n[] now {p0}\n');
    expect(plannedGroups(scene)).toEqual([
      { worktree_name: 'b', tasks_to_start: [{ description: 'later', tags: ['p3', 'quick', 'fake'] }] },
      { worktree_name: 'a', tasks_to_start: [{ description: 'now', tags: ['p0'] }] },
    ]);
  });

  it('3-R7 the waves that follow end with what cannot start', () => {
    const scene = sceneOf('## Git Worktree a\n[] one\n[] two\n[⏰] three\n\n## Git Worktree b\n[] four\n[❌ m2c7r4ya] x\n[⏰] never\n');
    expect(waves(scene).map((wave) => wave.map((task) => task.title))).toEqual([['one', 'two', 'four'], ['three']]);
    const one = { ...scene, config: { ...scene.config, parallel: 1 } };
    expect(waves(one).map((wave) => wave.map((task) => task.title))).toEqual([['one', 'four'], ['two'], ['three']]);
  });
});
