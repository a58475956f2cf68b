import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { choose } from '../../src/runs/choose.ts';
import type { End, Step } from '../../src/runs/run.ts';
import { type Effect, type Event, type ListFacts, ROLLBACK_QUIET_MS, turn } from '../../src/runs/turn.ts';
import { apply, draftOf, emptyWorld, type World, worldOf } from '../../src/runs/world.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Board } from '../../src/tasks/task.ts';
import { AGENTS } from './scene.ts';

const config = { ...defaultConfig, claimAfter: 0, settle: 1000 };

/** A list and the wheel's decisions about it, without the wheel: edits are made at once, steps end when the test says so. */
function table(text: string, changes: Partial<typeof config> = {}) {
  const world = emptyWorld();
  world.agents = AGENTS;
  let board: Board | undefined;
  let now = 1000;
  let seed = 0;
  let list = text;
  let git: Partial<ListFacts> = {};
  const effects: Effect[] = [];
  const random = (): number => (seed += 0.137) % 1;

  const take = (event: Event): void => {
    const turned = turn(world, event, { board, problems: [], config: { ...config, ...changes }, instance: 'me', now, random });
    apply(turned.draft);
    board = turned.board;
    for (const effect of turned.effects) {
      effects.push(effect);
      if (effect.kind !== 'edit') continue;
      const edited = applyEdits(list, effect.item.edits, defaultParseOptions);
      list = edited.text;
      read();
      take({ kind: 'edited', items: [{ item: effect.item, result: edited.results[0] ?? { kind: 'gone' } }] });
    }
  };
  const read = (more: { readonly torn?: boolean; readonly conflict?: boolean } = {}): void => {
    const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: list, modifiedAt: now, ...git };
    take({ kind: 'read', board: parse(list, defaultParseOptions, board), facts, torn: more.torn ?? false, conflict: more.conflict ?? false, own: false });
  };
  const end = (step: Step, answer: End = { kind: 'done' }): void => {
    const run = [...world.runs.values()].find((each) => each.step === step);
    if (!run) throw new Error(`no run at ${step}: ${JSON.stringify([...world.runs.values()].map((each) => each.step))}`);
    take({ kind: 'ended', id: run.id, ticket: run.ticket, step, end: answer });
  };
  return {
    world,
    effects,
    read,
    take,
    end,
    list: () => list,
    /** A person saves. */
    save(change: (text: string) => string) {
      list = change(list);
      read();
    },
    git(more: Partial<ListFacts>) {
      git = more;
    },
    wait(ms: number) {
      now += ms;
      take({ kind: 'woke' });
    },
    steps: () => [...world.runs.values()].map((run) => run.step),
    land() {
      for (const step of ['prepare', 'plan', 'implement', 'update'] as const) end(step);
      end('land', { kind: 'done', found: { commit: 'a1b2c3d4e5', hash: 'a1b2c3d' } });
    },
  };
}

const kinds = (effects: readonly Effect[]): string[] => effects.map((effect) => (effect.kind === 'perform' ? effect.run.step : effect.kind));

describe('the turn', () => {
  it('2 a task goes from its line to its commit in two writes', () => {
    const it = table('## Git Worktree a\n[] one {fake}\n');
    it.read();
    expect(it.list()).toMatch(/^\[🟡 [g-z]\w{7}\] one \{fake\}$/mu);
    it.land();
    expect(it.list()).toMatch(/^\[✅ a1b2c3d, [g-z]\w{7}\] one \{fake\}$/mu);
    expect(it.effects.filter((effect) => effect.kind === 'edit')).toHaveLength(2);
    expect(it.world.runs.size).toBe(0);
  });

  it('3-R1 choosing twice from the same values gives the same, and changes nothing', () => {
    const world = emptyWorld();
    world.agents = AGENTS;
    world.list = { kind: 'fine' };
    const scene = {
      board: parse('## Git Worktree a\n[] x\n[⏰] y\n', defaultParseOptions),
      draft: draftOf(world),
      config,
      now: 5,
      problems: [],
      instance: 'me',
    };
    const before = structuredClone({ known: world.known, runs: world.runs, meta: world.meta });
    expect(choose(scene)).toEqual(choose(scene));
    expect({ known: world.known, runs: world.runs, meta: world.meta }).toEqual(before);
  });

  it('1.4-R8 a single ✅ set back to [] stays as typed and is held, and runs again with {redo}', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read();
    it.land();
    it.save((text) => text.replace(/\[✅[^\]]*\]/u, '[]'));
    expect(it.list()).toBe('## Git Worktree a\n[] one\n');
    expect(it.steps()).toEqual([]);
    it.save((text) => text.replace('[] one', '[] one {redo}'));
    expect(it.steps()).toEqual(['prepare']);
  });

  it('1.4-R7 several markers going back at once, or one while git moved, start nothing and are put right', () => {
    for (const moved of [true, false]) {
      const it = table(`## Git Worktree a\n[] one\n${moved ? '' : '[] two\n'}`);
      it.read();
      it.land();
      if (!moved) it.land();
      const right = it.list();
      if (moved) it.git({ gitPosition: 'elsewhere' });
      it.save((text) => text.replaceAll(/\[✅[^\]]*\]/gu, '[]'));
      expect([it.world.list.kind, it.steps()]).toEqual(['rollback', []]);
      it.wait(ROLLBACK_QUIET_MS);
      it.read();
      expect([it.list(), it.world.list.kind, it.steps()]).toEqual([right, 'fine', []]);
    }
  });

  it('1.4-R7 conflict markers of git pause everything until they are gone', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read({ conflict: true });
    expect([it.world.list.kind, it.steps()]).toEqual(['conflict', []]);
    it.read();
    expect(it.steps()).toEqual(['prepare']);
  });

  it('1.4-R6 a list that looks cut off is left alone for the settle time, then taken as it is', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read({ torn: true });
    expect([it.world.list.kind, it.effects]).toEqual(['torn', []]);
    it.wait(config.settle - 1);
    it.read({ torn: true });
    expect(it.steps()).toEqual([]);
    it.wait(1);
    it.read({ torn: true });
    expect(it.steps()).toEqual(['prepare']);
  });

  it('1.4-R11 while the list is away running work goes on, and its result is written when it is back', () => {
    const it = table('## Git Worktree a\n[] one\n[] two\n');
    it.read();
    it.take({ kind: 'unreadable', missing: true, message: 'gone' });
    it.land();
    expect([it.list(), it.steps()]).toEqual([expect.stringContaining('[🟡'), ['settle']]);
    it.read();
    expect(it.list()).toMatch(/\[✅ a1b2c3d, \w+\] one\n\[🟡 \w+\] two/u);
  });

  it('2-R5 text edited before implement is planned again; later it is shown as changed and interrupts nothing', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read();
    it.end('prepare');
    it.save((text) => text.replace('one', 'one and more'));
    expect(kinds(it.effects).at(-1)).toBe('halt');
    it.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect(it.steps()).toEqual(['plan']);
    it.end('plan');
    it.save((text) => text.replace('and more', 'and much more'));
    const [run] = it.world.runs.values();
    expect(run).toMatchObject({ step: 'implement', changed: true, text: 'one and much more', task: { title: 'one and much more' } });
    expect(kinds(it.effects).filter((kind) => kind === 'halt')).toHaveLength(1);
  });

  it('2-R4 what a person writes over 🟡 is what becomes of the run', () => {
    for (const [typed, left] of [
      ['[❌]', /^\[❌ \w{8}\] one$/mu],
      ['[x]', /^\[x\] one$/mu],
      ['[-]', /^\[-\] one$/mu],
    ] as const) {
      const it = table('## Git Worktree a\n[] one\n');
      it.read();
      it.end('prepare');
      it.save((text) => text.replace(/\[🟡[^\]]*\]/u, typed));
      it.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped', found: { kept: 'refs/todone/x' } });
      expect([it.list(), it.steps()]).toEqual([expect.stringMatching(left), []]);
    }
  });

  it('2-R4 [] stops a run and starts it again; a deleted line stops it for good', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read();
    it.end('prepare');
    it.save((text) => text.replace(/\[🟡[^\]]*\]/u, '[]'));
    const [id] = it.world.runs.keys();
    it.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect([...it.world.runs.keys()]).toEqual([id]);
    expect(it.steps()).toEqual(['prepare']);
    it.save(() => '## Git Worktree a\n');
    it.end('prepare', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect([it.list(), it.steps()]).toEqual(['## Git Worktree a\n', []]);
  });

  it('2-R4 ❌ set to [] is another attempt from the kept work, with its evidence; {fresh} from a clean start', () => {
    const it = table('## Git Worktree a\n[] one\n', { attempts: 1 });
    it.read();
    it.end('prepare');
    it.end('plan');
    it.end('implement', { kind: 'final', reason: 'agent_failed', message: 'exit 1', evidence: 'three failed', found: { kept: 'refs/todone/k' } });
    expect(it.list()).toMatch(/\[❌ \w{8}\] one\n {2}> failed in implement: exit 1 \(attempt 1 of 1\)/u);
    it.save((text) => text.replace(/\[❌[^\]]*\]/u, '[]'));
    expect([...it.world.runs.values()]).toMatchObject([{ step: 'prepare', found: { kept: 'refs/todone/k' } }]);
    it.end('prepare', { kind: 'final', reason: 'setup_failed', message: 'no' });
    it.save((text) => text.replace(/\[❌[^\]]*\] one/u, '[] one {fresh}'));
    expect([...it.world.runs.values()][0]?.found).toEqual({});
  });

  it('2-R2 an answer with an old ticket, or for another step, is an echo', () => {
    const it = table('## Git Worktree a\n[] one\n');
    it.read();
    const [run] = it.world.runs.values();
    it.take({ kind: 'ended', id: run?.id ?? '', ticket: (run?.ticket ?? 0) - 1, step: 'prepare', end: { kind: 'done' } });
    it.take({ kind: 'ended', id: run?.id ?? '', ticket: run?.ticket ?? 0, step: 'land', end: { kind: 'done' } });
    expect(it.steps()).toEqual(['prepare']);
  });

  it('7-R5 while draining no phase of an agent is begun, and landing goes on', () => {
    const it = table('## Git Worktree a\n[] one\n[] two\n');
    it.read();
    it.end('prepare');
    it.take({ kind: 'drain' });
    it.end('plan');
    expect([it.steps(), kinds(it.effects).includes('implement')]).toEqual([['implement'], false]);
  });

  it('2 rows that are stored and loaded again are the same world', () => {
    const it = table('## Git Worktree a\n[] one\n\n## Git Worktree b\n[] two\n');
    it.read();
    it.end('prepare');
    const rows = (world: World) =>
      JSON.parse(JSON.stringify({ known: [...world.known.values()], runs: [...world.runs.values()], meta: [...world.meta] })) as Parameters<typeof worldOf>[0];
    const loaded = worldOf({ ...rows(it.world), meta: new Map(it.world.meta) }, new Set());
    expect(rows(loaded)).toEqual(rows(it.world));
  });
});
