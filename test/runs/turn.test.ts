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
    const turned = turn(world, event, { board, problems: [], config: { ...config, ...changes }, instance: 'me', waits: false, now, random });
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

/** A task that is claimed, before its line says so. */
function claimed() {
  const world = emptyWorld();
  world.agents = AGENTS;
  const board = parse('## Git Worktree a\n[] one {fake}\n', defaultParseOptions);
  const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: '1', modifiedAt: 0 };
  const given = { board, problems: [], config, instance: 'me', waits: false, now: 1000, random: () => 0.3 };
  const read = { kind: 'read', board, facts, torn: false, conflict: false, own: false } as const;
  const turned = turn(world, read, given);
  apply(turned.draft);
  const effect = turned.effects.find((each) => each.kind === 'edit');
  if (!effect) throw new Error('nothing was claimed');
  return { world, given, read, claim: effect.item };
}

const kinds = (effects: readonly Effect[]): string[] => effects.map((effect) => (effect.kind === 'perform' ? effect.run.step : effect.kind));

describe('the turn', () => {
  it('2 a task goes from its line to its commit in two writes', () => {
    const wheel = table('## Git Worktree a\n[] one {fake}\n');
    wheel.read();
    expect(wheel.list()).toMatch(/^\[🟡 [g-z]\w{7}\] one \{fake\}$/mu);
    wheel.land();
    expect(wheel.list()).toMatch(/^\[✅ a1b2c3d, [g-z]\w{7}\] one \{fake\}$/mu);
    expect(wheel.effects.filter((effect) => effect.kind === 'edit')).toHaveLength(2);
    expect(wheel.world.runs.size).toBe(0);
  });

  it('2-R2 1.4-R7 a claim that never stood on the list leaves the task as it was: nothing is put right that was not taken back', () => {
    const { world, given, claim } = claimed();
    // git takes the list away in the very moment of the write.
    world.list = { kind: 'rollback', since: 1000, position: 'p' };
    apply(turn(world, { kind: 'edited', items: [{ item: claim, result: { kind: 'gone' } }] }, given).draft);
    expect([world.runs.size, world.known.get(claim.id)?.state]).toEqual([0, 'open']);
  });

  it('1.4-R6 a list that cannot be used is waited for as long as it may be away for a moment; then nothing is left to do, though a claim and an outcome are still to be written', () => {
    const { world, given, claim, read } = claimed();
    for (const event of [
      { kind: 'unwritable', items: [claim], message: 'read-only' },
      { kind: 'unreadable', missing: true, message: 'gone' },
      { ...read, conflict: true },
    ] as const) {
      const turned = turn(world, event, given);
      apply(turned.draft);
      expect([turned.idle, turned.wakeAt]).toEqual([false, 1000 + config.settle]);
      expect(turn(world, { kind: 'woke' }, { ...given, now: 1000 + config.settle })).toMatchObject({ idle: true, wakeAt: undefined });
    }
    expect(world.runs.get(claim.id)?.step).toBe('claim');
  });

  it('1.4-R6 what stood on a list that stays away is kept, once, and not of one that is away for a moment', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    const before = wheel.list();
    const kept = () => wheel.effects.flatMap((effect) => (effect.kind === 'keep' ? [effect.text] : []));
    wheel.take({ kind: 'unreadable', missing: true, message: 'gone' });
    wheel.wait(config.settle - 1);
    wheel.read();
    wheel.wait(config.settle);
    expect(kept()).toEqual([]);
    wheel.take({ kind: 'unreadable', missing: true, message: 'gone' });
    wheel.wait(config.settle);
    wheel.wait(config.settle);
    expect(kept()).toEqual([before]);
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
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    wheel.land();
    wheel.save((text) => text.replace(/\[✅[^\]]*\]/u, '[]'));
    expect(wheel.list()).toBe('## Git Worktree a\n[] one\n');
    expect(wheel.steps()).toEqual([]);
    wheel.save((text) => text.replace('[] one', '[] one {redo}'));
    expect(wheel.steps()).toEqual(['prepare']);
  });

  it('1.4-R7 several markers going back at once, or one while git moved, start nothing and are put right', () => {
    for (const moved of [true, false]) {
      const wheel = table(`## Git Worktree a\n[] one\n${moved ? '' : '[] two\n'}`);
      wheel.read();
      wheel.land();
      if (!moved) wheel.land();
      const right = wheel.list();
      if (moved) wheel.git({ gitPosition: 'elsewhere' });
      wheel.save((text) => text.replaceAll(/\[✅[^\]]*\]/gu, '[]'));
      expect([wheel.world.list.kind, wheel.steps()]).toEqual(['rollback', []]);
      wheel.wait(ROLLBACK_QUIET_MS);
      wheel.read();
      expect([wheel.list(), wheel.world.list.kind, wheel.steps()]).toEqual([right, 'fine', []]);
    }
  });

  it('1.4-R7 a checkout that moves nothing but the index is one, too; a person who sets the same marker back is not', () => {
    for (const index of ['two', 'one']) {
      const wheel = table('## Git Worktree a\n[] one\n');
      wheel.git({ gitIndex: 'one' });
      wheel.read();
      wheel.land();
      const right = wheel.list();
      wheel.git({ gitIndex: index, listIsCommitted: true });
      wheel.save(() => '## Git Worktree a\n[] one\n');
      expect([index, wheel.world.list.kind, wheel.steps()]).toEqual([index, index === 'two' ? 'rollback' : 'fine', []]);
      wheel.wait(ROLLBACK_QUIET_MS);
      wheel.read();
      expect(wheel.list()).toBe(index === 'two' ? right : '## Git Worktree a\n[] one\n');
    }
  });

  it('1.4-R7 an approval that git brings is none, until the tag has been back and a person deletes it', () => {
    const gated = '## Git Worktree a\n### Later {approval}\n[] one\n## Git Worktree b\n[] two {triage}\n';
    const free = gated.replaceAll(/ \{(approval|triage)\}/g, '');
    const wheel = table(gated);
    wheel.read();
    wheel.git({ gitPosition: 'elsewhere' });
    wheel.save(() => free);
    expect(wheel.steps()).toEqual([]);
    wheel.save((text) => text.replace('[] one', '[] zero'));
    // What was not gated before is what its line says.
    expect([...wheel.world.runs.values()].map((run) => run.text)).toEqual(['zero']);
    wheel.save((text) => text.replace('[] two', '[] two {triage}'));
    wheel.save((text) => text.replace(' {triage}', ''));
    expect([...wheel.world.runs.values()].map((run) => run.text)).toEqual(['zero', 'two']);
    expect([...wheel.world.meta.keys()].filter((key) => key.startsWith('ungated:'))).toEqual(['ungated:a\none']);
    const mine = table(gated);
    mine.read();
    mine.save(() => free);
    expect(mine.steps()).toEqual(['prepare', 'prepare']);
  });

  it('1.4-R7 2-R4 the 🟡 of a run that is over comes back with an old buffer: nothing runs again, and the outcome is put right', () => {
    for (const outcome of ['done', 'failed']) {
      const wheel = table('## Git Worktree a\n[] one\n', { attempts: 1 });
      wheel.read();
      const stale = wheel.list();
      if (outcome === 'done') wheel.land();
      else
        for (const step of ['prepare', 'plan', 'implement'] as const)
          wheel.end(step, step === 'implement' ? { kind: 'final', reason: 'agent_failed', message: 'exit 3' } : undefined);
      const right = wheel.list();
      expect(right).not.toBe(stale);
      wheel.save(() => stale.replace('## ', 'A remark.\n\n## '));
      expect([wheel.world.list.kind, wheel.steps()]).toEqual(['rollback', []]);
      wheel.wait(ROLLBACK_QUIET_MS);
      wheel.read();
      expect([wheel.list(), wheel.world.list.kind, wheel.steps()]).toEqual([right.replace('## ', 'A remark.\n\n## '), 'fine', []]);
    }
  });

  it('1.4-R7 an old buffer takes a claim and a failure back at once: both are put right, with the reason of the failure', () => {
    const wheel = table('## Git Worktree a\n[] one\n[] two\n', { attempts: 1 });
    const stale = wheel.list();
    wheel.read();
    for (const step of ['prepare', 'plan', 'implement'] as const)
      wheel.end(step, step === 'implement' ? { kind: 'final', reason: 'agent_failed', message: 'exit 3' } : undefined);
    wheel.end('prepare');
    const right = wheel.list();
    expect(right).toMatch(/\[❌ \w+\] one\n {2}> .*\n\[🟡 \w+\] two/u);
    wheel.save(() => stale);
    expect(kinds(wheel.effects)).not.toContain('halt');
    wheel.wait(ROLLBACK_QUIET_MS);
    wheel.read();
    expect([wheel.list(), wheel.steps()]).toEqual([right, ['plan']]);
  });

  it('2-R4 several 🟡 of somebody else that a person sets to [] at once are started', () => {
    const wheel = table('## Git Worktree a\n[🟡 gstrange] one\n[🟡 hstrange] two\n');
    wheel.read();
    expect(wheel.steps()).toEqual([]);
    wheel.save((text) => text.replaceAll(/\[🟡[^\]]*\]/gu, '[]'));
    expect([wheel.world.list.kind, wheel.steps()]).toEqual(['fine', ['prepare', 'prepare']]);
  });

  it('1.4-R7 an old buffer that brings back the 🟡 of a task that was handed back is no claim of a person: it starts again', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    const stale = wheel.list();
    wheel.end('prepare');
    wheel.end('plan', { kind: 'done', found: { outcome: 'needs_decision', asks: { kind: 'decision', question: 'which?' } } });
    expect(wheel.list()).toMatch(/^\[\] one \{id:\w+\} \{decision\}$/mu);
    wheel.save(() => stale);
    expect(wheel.world.list.kind).toBe('rollback');
    wheel.wait(ROLLBACK_QUIET_MS);
    wheel.read();
    wheel.read();
    expect([wheel.list(), wheel.steps()]).toEqual([expect.stringMatching(/^\[🟡 \w+\] one/mu), ['prepare']]);
  });

  it('1.4-R7 1.4-R8 an old buffer without the tags that a task got when it was handed back is known again: what is done does not run again', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    const stale = wheel.list();
    wheel.read();
    wheel.end('prepare');
    wheel.end('plan', { kind: 'done', found: { outcome: 'needs_decision', asks: { kind: 'decision', question: 'which?' } } });
    wheel.save((text) => text.replace(' {decision}', ''));
    wheel.land();
    expect(wheel.list()).toMatch(/^\[✅ a1b2c3d, \w+\] one \{id:\w+\}$/mu);
    wheel.save(() => stale);
    const [known] = wheel.world.known.values();
    expect([wheel.steps(), known]).toEqual([[], expect.objectContaining({ state: 'done', held: 'done', text: 'one' })]);
  });

  it('5.2-R3 what an agent asked for is filed once, also where its line was written and nothing says so', () => {
    const wheel = table('## Git Worktree a\n[] one\n', { handoff: 'auto' });
    wheel.read();
    wheel.end('prepare');
    const asks = { kind: 'prerequisite', tasks: [{ id: 'gbefore1', title: 'first' }] } as const;
    wheel.end('plan', { kind: 'done', found: { outcome: 'needs_prerequisite', asks } });
    const settled = wheel.effects.find((effect) => effect.kind === 'edit' && effect.item.purpose === 'settle');
    expect(applyEdits(wheel.list(), settled?.kind === 'edit' ? settled.item.edits : [], defaultParseOptions).text).toBe(wheel.list());
    expect(wheel.list()).toMatch(/^\[🟡 gbefore1\] first .*\n\[\] one \{id:\w+\} \{after:gbefore1\}$/mu);
  });

  it('1.4-R7 an outcome that is about to be written counts as one of the markers that an old buffer takes back', () => {
    const wheel = table('## Git Worktree a\n[] one\n\n## Git Worktree b\n[] two\n');
    const stale = wheel.list();
    wheel.read();
    wheel.take({ kind: 'unreadable', missing: true, message: 'gone' });
    for (const step of ['prepare', 'plan', 'implement', 'update'] as const) wheel.end(step);
    wheel.end('land', { kind: 'done', found: { commit: 'a1b2c3d4e5', hash: 'a1b2c3d' } });
    wheel.save(() => stale);
    expect([wheel.world.list.kind, kinds(wheel.effects).includes('halt')]).toEqual(['rollback', false]);
    wheel.wait(ROLLBACK_QUIET_MS);
    wheel.read();
    wheel.read();
    expect(wheel.list()).toMatch(/\[✅ a1b2c3d, \w+\] one\n\n.*\n\[🟡 \w+\] two/u);
  });

  it('2-R4 1.4-R7 what a person says in the same save as markers went back counts once they are right again', () => {
    const wheel = table('## Git Worktree a\n[] one\n\n## Git Worktree b\n[] two\n');
    wheel.read();
    wheel.save((text) => text.replace(/\[🟡[^\]]*\] two/u, '[-] two'));
    wheel.git({ gitPosition: 'elsewhere' });
    expect(kinds(wheel.effects).filter((kind) => kind === 'halt')).toHaveLength(1);
    const other = table('## Git Worktree a\n[] one\n\n## Git Worktree b\n[] two\n');
    other.read();
    other.git({ gitPosition: 'elsewhere' });
    other.save((text) => text.replace(/\[🟡[^\]]*\] one/u, '[] one').replace(/\[🟡[^\]]*\] two/u, '[-] two'));
    expect([other.world.list.kind, kinds(other.effects).includes('halt')]).toEqual(['rollback', false]);
    other.wait(ROLLBACK_QUIET_MS);
    other.read();
    expect(other.list()).toMatch(/\[🟡 \w+\] one\n\n.*\n\[-\] two/u);
    expect(kinds(other.effects).filter((kind) => kind === 'halt')).toHaveLength(1);
  });

  it('1.4-R6 1.4-R3 the text before is kept where a save lacks lines of it, and not where one was only typed on', () => {
    const wheel = table('## Git Worktree a\n[-] one\nA remark.\n');
    wheel.read();
    wheel.save((text) => text.replace('A remark.', 'A remark. And more.').replace('[-]', '[x]'));
    expect(kinds(wheel.effects)).not.toContain('keep');
    const before = wheel.list();
    wheel.save((text) => text.replace('A remark. And more.\n', 'Something else.\n'));
    expect(wheel.effects.filter((effect) => effect.kind === 'keep')).toEqual([{ kind: 'keep', text: before }]);
    const torn = table('## Git Worktree a\n[-] one\n[-] two\n');
    torn.read();
    const whole = torn.list();
    torn.save(() => '');
    expect(torn.effects.filter((effect) => effect.kind === 'keep')).toEqual([{ kind: 'keep', text: whole }]);
  });

  it('1.1-R2 a list of which a formatter made something else is refused, with nothing stopped or started, until it is undone', () => {
    const wheel = table('## Git Worktree a\n[] one\n  files: x\n[] two\n');
    wheel.read();
    const [before, stopped] = [wheel.list(), kinds(wheel.effects).length];
    const board = parse(before.replaceAll(/\n +/g, ' ').replaceAll(/\n(?=\[)/g, ' '), defaultParseOptions);
    const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: 'formatted', modifiedAt: 0 };
    const reflow = board.sections[0]?.tasks.slice(0, 1) ?? [];
    wheel.take({ kind: 'read', board, facts, torn: true, conflict: false, own: false, reflow });
    expect([wheel.world.list, kinds(wheel.effects).length]).toEqual([
      expect.objectContaining({ kind: 'refused', message: expect.stringContaining('.prettierignore') as string }),
      stopped,
    ]);
    wheel.read();
    expect([wheel.world.list.kind, wheel.list()]).toEqual(['fine', before]);
  });

  it('1.4-R7 conflict markers of git pause everything until they are gone', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read({ conflict: true });
    expect([wheel.world.list.kind, wheel.steps()]).toEqual(['conflict', []]);
    wheel.read();
    expect(wheel.steps()).toEqual(['prepare']);
  });

  it('1.4-R6 a list that looks cut off is left alone for the settle time, then taken as it is', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read({ torn: true });
    expect([wheel.world.list.kind, wheel.effects]).toEqual(['torn', []]);
    wheel.wait(config.settle - 1);
    wheel.read({ torn: true });
    expect(wheel.steps()).toEqual([]);
    wheel.wait(1);
    wheel.read({ torn: true });
    expect(wheel.steps()).toEqual(['prepare']);
  });

  it('1.4-R11 while the list is away running work goes on, and its result is written when it is back', () => {
    const wheel = table('## Git Worktree a {parallel:1}\n[] one\n[] two\n');
    wheel.read();
    wheel.take({ kind: 'unreadable', missing: true, message: 'gone' });
    wheel.land();
    expect([wheel.list(), wheel.steps()]).toEqual([expect.stringContaining('[🟡'), ['settle']]);
    wheel.read();
    expect(wheel.list()).toMatch(/\[✅ a1b2c3d, \w+\] one\n\[🟡 \w+\] two/u);
  });

  it('2-R5 text edited before implement is planned again; later it is shown as changed and interrupts nothing', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    wheel.end('prepare');
    wheel.save((text) => text.replace('one', 'one and more'));
    expect(kinds(wheel.effects).at(-1)).toBe('halt');
    wheel.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect(wheel.steps()).toEqual(['plan']);
    wheel.end('plan');
    wheel.save((text) => text.replace('and more', 'and much more'));
    const [run] = wheel.world.runs.values();
    expect(run).toMatchObject({ step: 'implement', changed: true, text: 'one and much more', task: { title: 'one and much more' } });
    expect(kinds(wheel.effects).filter((kind) => kind === 'halt')).toHaveLength(1);
  });

  it('2-R4 what a person writes over 🟡 is what becomes of the run', () => {
    for (const [typed, left] of [
      ['[❌]', /^\[❌ \w{8}\] one$/mu],
      ['[x]', /^\[x\] one$/mu],
      ['[-]', /^\[-\] one$/mu],
    ] as const) {
      const wheel = table('## Git Worktree a\n[] one\n');
      wheel.read();
      wheel.end('prepare');
      wheel.save((text) => text.replace(/\[🟡[^\]]*\]/u, typed));
      wheel.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped', found: { kept: 'refs/todone/x' } });
      expect([wheel.list(), wheel.steps()]).toEqual([expect.stringMatching(left), []]);
    }
  });

  it('2-R4 [] stops a run and starts it again; a deleted line stops it for good', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    wheel.end('prepare');
    wheel.wait(2000);
    wheel.save((text) => text.replace(/\[🟡[^\]]*\]/u, '[]'));
    const [id] = wheel.world.runs.keys();
    wheel.end('plan', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect([...wheel.world.runs.keys()]).toEqual([id]);
    expect(wheel.steps()).toEqual(['prepare']);
    wheel.save(() => '## Git Worktree a\n');
    wheel.end('prepare', { kind: 'final', reason: 'cancelled', message: 'stopped' });
    expect([wheel.list(), wheel.steps()]).toEqual(['## Git Worktree a\n', []]);
  });

  it('2-R4 ❌ set to [] is another attempt from the kept work, with its evidence; {fresh} from a clean start', () => {
    const wheel = table('## Git Worktree a\n[] one\n', { attempts: 1 });
    wheel.read();
    wheel.end('prepare');
    wheel.end('plan');
    wheel.end('implement', { kind: 'final', reason: 'agent_failed', message: 'exit 1', evidence: 'three failed', found: { kept: 'refs/todone/k' } });
    expect(wheel.list()).toMatch(/\[❌ \w{8}\] one\n {2}> failed in implement: exit 1 \(attempt 1 of 1\)/u);
    wheel.save((text) => text.replace(/\[❌[^\]]*\]/u, '[]'));
    expect([...wheel.world.runs.values()]).toMatchObject([{ step: 'prepare', found: { kept: 'refs/todone/k' } }]);
    wheel.end('prepare', { kind: 'final', reason: 'setup_failed', message: 'no' });
    wheel.save((text) => text.replace(/\[❌[^\]]*\] one/u, '[] one {fresh}'));
    expect([...wheel.world.runs.values()][0]?.found).toEqual({});
  });

  it('4-R3 runs of a section get the lowest workspaces that are free, and go past one that a person is at work in', () => {
    const wheel = table('## Git Worktree a\n[] one\n[] two\n[] three\n');
    const slots = (): string => [...wheel.world.runs.values()].map((run) => `${run.text} ${run.workspaceSlot}`).join(', ');
    wheel.read();
    expect(slots()).toBe('one 1, two 2, three 3');
    const busy = { kind: 'transient', reason: 'setup_failed', message: 'a person', retryAt: 9000, patient: true, workspaceBusy: true } as const;
    wheel.end('prepare', busy);
    expect(slots()).toBe('one 4, two 2, three 3');
    expect([...wheel.world.runs.values()][0]).toMatchObject({ step: 'prepare', waitUntil: undefined, found: { notes: [expect.stringContaining('a person')] } });
    wheel.save((text) => `${text}[] four\n`);
    expect(slots()).toBe('one 4, two 2, three 3, four 5');
    for (let at = 0; at < 20; at++) wheel.end('prepare', busy);
    expect(Math.max(...[...wheel.world.runs.values()].map((run) => run.workspaceSlot))).toBeLessThan(20);
  });

  it('3-R5 a plan that names files of a run at work waits before implement, and is made again on the tip that has landed', () => {
    const planned = (file: string): End => ({ kind: 'done', found: { files: [file], plan: 'the plan' } });
    const wheel = table('## Git Worktree a\n[] one\n[] two\n[] three\n');
    const steps = (): string => [...wheel.world.runs.values()].map((run) => `${run.text} ${run.step}${run.behind === undefined ? '' : ' behind'}`).join(', ');
    wheel.read();
    for (let at = 0; at < 3; at++) wheel.end('prepare');
    wheel.end('plan', planned('src/a.ts'));
    wheel.end('plan', planned('src/**'));
    wheel.end('plan', planned('docs/x.md'));
    expect(steps()).toBe('one implement, two implement behind, three implement');
    const performed = (): number => kinds(wheel.effects).filter((kind) => kind === 'implement').length;
    expect(performed()).toBe(2);
    wheel.wait(60_000);
    expect([steps(), performed()]).toEqual(['one implement, two implement behind, three implement', 2]);
    wheel.end('implement');
    wheel.end('update');
    wheel.end('land', { kind: 'done', found: { commit: 'a1b2c3d4e5', hash: 'a1b2c3d' } });
    expect(steps()).toBe('two prepare, three implement');
    wheel.end('prepare');
    wheel.end('plan', planned('src/b.ts'));
    expect(steps()).toBe('two implement, three implement');
  });

  it('3-R5 one that waits goes on with its plan when the other has failed, and can be stopped', () => {
    const planned: End = { kind: 'done', found: { files: ['src/a.ts'] } };
    const wheel = table('## Git Worktree a\n[] one\n[] two\n', { attempts: 1 });
    wheel.read();
    for (const step of ['prepare', 'prepare'] as const) wheel.end(step);
    for (const step of ['plan', 'plan'] as const) wheel.end(step, planned);
    wheel.end('implement', { kind: 'final', reason: 'agent_failed', message: 'exit 1' });
    expect([...wheel.world.runs.values()]).toMatchObject([{ text: 'two', step: 'implement', behind: undefined, waitUntil: undefined }]);
    const stopped = table('## Git Worktree a\n[] one\n[] two\n');
    stopped.read();
    for (const step of ['prepare', 'prepare'] as const) stopped.end(step);
    for (const step of ['plan', 'plan'] as const) stopped.end(step, planned);
    stopped.save((text) => text.replace(/\[🟡[^\]]*\] two/u, '[❌] two'));
    expect(stopped.list()).toMatch(/\[❌ \w+\] two/u);
  });

  it('2-R2 an answer with an old ticket, or for another step, is an echo', () => {
    const wheel = table('## Git Worktree a\n[] one\n');
    wheel.read();
    const [run] = wheel.world.runs.values();
    wheel.take({ kind: 'ended', id: run?.id ?? '', ticket: (run?.ticket ?? 0) - 1, step: 'prepare', end: { kind: 'done' } });
    wheel.take({ kind: 'ended', id: run?.id ?? '', ticket: run?.ticket ?? 0, step: 'land', end: { kind: 'done' } });
    expect(wheel.steps()).toEqual(['prepare']);
  });

  it('7-R5 while draining no phase of an agent is begun, and landing goes on', () => {
    const wheel = table('## Git Worktree a {parallel:1}\n[] one\n[] two\n');
    wheel.read();
    wheel.end('prepare');
    wheel.take({ kind: 'drain' });
    wheel.end('plan');
    expect([wheel.steps(), kinds(wheel.effects).includes('implement')]).toEqual([['implement'], false]);
  });

  it('2 rows that are stored and loaded again are the same world', () => {
    const wheel = table('## Git Worktree a\n[] one\n\n## Git Worktree b\n[] two\n');
    wheel.read();
    wheel.end('prepare');
    const rows = (world: World) =>
      JSON.parse(JSON.stringify({ known: [...world.known.values()], runs: [...world.runs.values()], meta: [...world.meta] })) as Parameters<typeof worldOf>[0];
    const loaded = worldOf({ ...rows(wheel.world), meta: new Map(wheel.world.meta) });
    expect(rows(loaded)).toEqual(rows(wheel.world));
  });
});
