/**
 * Faults to plant in a copy of the source: each is a change that a person could make by mistake, and the simulation has to see
 * it. `from` has to be there exactly as written, so that this list cannot rot.
 */
import type { LifeKind } from './life.ts';

export type Planted = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The lives that have to see it. */
  readonly kind?: LifeKind;
  /** The seed to begin with, a little before the one that sees what is seen seldom; from there on it is searched. */
  readonly first?: number;
};

export const PLANTED: readonly Planted[] = [
  {
    name: 'a step that is begun again keeps its ticket',
    file: 'src/runs/lifecycle.ts',
    from: '({ ...run, step, ticket: run.ticket + 1, tries: 0, waitUntil: undefined })',
    to: '({ ...run, step, tries: 0, waitUntil: undefined })',
  },
  {
    name: 'what is done may start again when its marker goes back',
    file: 'src/runs/choose.ts',
    from: "if (known?.state !== 'done' || tagValue(task, 'redo') !== undefined) return undefined;",
    to: 'return undefined;',
  },
  {
    name: 'a claim is believed before it is written',
    file: 'src/runs/turn.ts',
    from: "turning.effects.push({ kind: 'edit', item: claimEdit(run) });",
    to: "turning.effects.push({ kind: 'edit', item: claimEdit(run) }); go(turning, { ...run, step: 'prepare' });",
    first: 1000,
  },
  {
    name: 'git taking markers back is taken for a wish',
    file: 'src/runs/steer.ts',
    from: 'if (isRollback(changes, seen)) return { halts: [], rollback: true };',
    to: '',
  },
  {
    name: 'a barrier is not seen',
    file: 'src/runs/choose.ts',
    from: 'if (!barrier && isBarrier(state, task)) barrier = task;',
    to: "if (!barrier && state === 'cancelled') barrier = task;",
    first: 250,
  },
  {
    name: 'a run is not performed again after a crash',
    file: 'src/runs/turn.ts',
    from: "return run.step === 'claim' || run.step === 'settle' || run.waitUntil !== undefined ? []",
    to: "return run.step === 'claim' || run.step === 'settle' || run.step === 'land' || run.waitUntil !== undefined ? []",
  },
  {
    name: 'an outcome is not written again after a crash',
    file: 'src/runs/turn.ts',
    from: "if (waited) for (const run of runsIn(turning.draft)) if (!isPerformed(run) && (run.step === 'claim' || run.step === 'settle')) write(turning, run);",
    to: "if (waited) for (const run of runsIn(turning.draft)) if (!isPerformed(run) && run.step === 'claim') write(turning, run);",
  },
  {
    name: 'effects are performed before the turn is stored',
    file: 'src/engine/engine.ts',
    from: '    try {\n      store(turned);\n    } catch (error) {\n      return waitForRoom(',
    to: '    try {\n      for (const effect of turned.effects) carryOut(effect);\n      store(turned);\n    } catch (error) {\n      return waitForRoom(',
    first: 6820,
  },
  {
    name: 'a failed task is not settled',
    file: 'src/runs/lifecycle.ts',
    from: 'if (!may || run.attempt >= policy.attempts) return settle(',
    to: 'if (!may) return settle(',
  },
  {
    name: 'a wait is never over',
    file: 'src/runs/turn.ts',
    from: 'if (run.waitUntil === undefined || run.waitUntil > given.now || run.halt) continue;',
    to: 'if (run.waitUntil === undefined || run.waitUntil > given.now || run.tries > 1) continue;',
  },
  {
    name: 'a stopped run stays on the list as running',
    file: 'src/runs/turn.ts',
    from: "return go(turning, { ...settle(run, { state: 'failed', reason: 'cancelled', message: `cancelled: ${wish.message}` }), halt: undefined });",
    to: 'return dropRun(draft, run.id);',
    first: 1050,
  },
  {
    name: 'the commit is not looked for before it is made again',
    file: 'test/twins/landing.ts',
    from: "if (landed !== undefined) return { kind: 'landed', commit: landed, hash: landed.slice(0, HASH_CHARS) };",
    to: '',
  },
  {
    name: 'a mended marker loses its commit',
    file: 'src/runs/list-edits.ts',
    from: "...(known.state === 'done' && known.hash !== undefined ? { hash: known.hash } : {})",
    to: '',
  },
  {
    name: "an outcome is written over a person's word",
    file: 'src/runs/list-edits.ts',
    from: ": ['in_progress', 'failed'];",
    to: ": ['in_progress', 'failed', 'cancelled', 'done', 'open'];",
    first: 160,
  },
  {
    name: 'two runs of a section get the same workspace',
    file: 'src/runs/room.ts',
    from: 'if (!taken.has(slot) && !isPersons(draft, section, slot, now)) return slot;',
    to: 'if (!isPersons(draft, section, slot, now)) return slot;',
  },
  {
    name: 'tasks on the same files run side by side',
    file: 'src/runs/choose.ts',
    from: 'if (files) claims.push({ section: task.section, title: task.title, files });',
    to: '',
  },
  {
    name: 'a task starts beside a run on the same files',
    file: 'src/runs/choose.ts',
    from: 'const claims = filesAtWork(scene);',
    to: 'const claims: FilesAtWork[] = [];',
  },
  {
    name: 'landings of a section do not wait for each other',
    file: 'src/engine/landing-queue.ts',
    from: 'if (busy.has(section)) return;',
    to: '',
  },
  {
    name: 'of several that land together only the last is looked at',
    file: 'src/engine/land.ts',
    from: 'if (found) [bad, red] = [at, { stacked, ...found }];',
    to: 'if (found && at === 1) [bad, red] = [at, { stacked, ...found }];',
    first: 2170,
  },
  {
    name: 'work is not put back after a check of what lay below it',
    file: 'src/engine/land.ts',
    from: 'await doing.landing.checkout(order.workspace, squashed.commit, squashed.own);\n  const verified',
    to: 'await doing.landing.checkout(order.workspace, squashed.commit);\n  const verified',
    first: 700,
  },
  {
    name: 'the 🟡 of an old buffer on a task that was handed back is left as it is',
    file: 'src/runs/steer.ts',
    from: "return !run && known.state !== 'in_progress' && task.marker.state",
    to: "return !run && (known.state === 'done' || known.state === 'failed') && task.marker.state",
    kind: 'old buffers',
  },
  {
    name: 'what an agent asks for is filed again after a crash',
    file: 'src/tasks/edit-insert.ts',
    from: 'if (edit.once && isThere(board, section, edit.task, options)) return ALREADY;',
    to: '',
    kind: 'old buffers',
  },
  {
    name: 'a line is not known by words that it had before',
    file: 'src/runs/steer.ts',
    from: 'byText < 0 && known.was ?',
    to: 'byText < 0 && known.was?.length === 0 ?',
    kind: 'old buffers',
    first: 4300,
  },
];
