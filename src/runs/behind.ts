/**
 * Who waits before implement (3-R5): a run whose plan names files that another run of its section is already changing. It goes
 * on when that one is over: on the new tip, with a new plan, where it has landed; else at once with the plan that it has. What
 * no plan names is found out when it lands.
 */
import { filesOfRun, meeting } from './files.ts';
import { begin } from './lifecycle.ts';
import type { Run, Step } from './run.ts';
import { type Draft, knownIn, runIn, runsIn } from './world.ts';

/** A run that waits is looked at again at least this often. */
const LOOK_MS = 30_000;

const CHANGING: ReadonlySet<Step> = new Set<Step>(['implement', 'update', 'land']);

/** The run, held back where another one has to go first. */
export function heldBack(draft: Draft, run: Run, now: number): Run {
  // One that was at it already has its own work in those files.
  if (run.step !== 'implement' || run.attempt > 1 || run.reworks > 0 || run.tries > 0) return run;
  const files = filesOfRun(run);
  const tip = draft.world.tips.get(run.section);
  for (const other of files ? runsIn(draft) : []) {
    if (other.id === run.id || other.section !== run.section || !isChanging(other)) continue;
    if (meeting(files, filesOfRun(other), tip) !== 'apart') return { ...run, behind: other.id, waitUntil: now + LOOK_MS };
  }
  return run;
}

/** Those whose wait is over, as they go on. */
export function freed(draft: Draft): readonly Run[] {
  const next: Run[] = [];
  for (const run of runsIn(draft)) {
    if (run.behind === undefined || run.halt) continue;
    const other = runIn(draft, run.behind);
    if (other && isChanging(other)) continue;
    const going = { ...run, behind: undefined, waitUntil: undefined };
    next.push(knownIn(draft, run.behind)?.state === 'done' ? begin(going, 'prepare') : going);
  }
  return next;
}

const isChanging = (run: Run): boolean => CHANGING.has(run.step) && run.behind === undefined;
