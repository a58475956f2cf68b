/**
 * Only landing moves a section's branch (4-R3). Where an agent moved it from its workspace, the branch goes back to
 * where landing left it; the agent's commits are kept in a snapshot. Never undoes what a person committed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log, WorkOrder } from '../engine/ports.ts';
import { taskOf } from './commit-message.ts';
import type { Git } from './git.ts';
import { landedRef } from './proof.ts';
import type { Sections } from './sections.ts';
import { moveSnapshot, snapshotRef } from './snapshots.ts';
import { readHead } from './worktree-admin.ts';

const MOST_STEPS = 500;
const MOST_LOG_BYTES = 4 * 1024 * 1024;

/** The branch's tip, after what this run's agent did to the branch has been undone. */
export function settleBranch(git: Git, sections: Sections, order: WorkOrder, start: string, admin: string | undefined, log: Log): Promise<string> {
  // Not while a landing moves it: half of its refs would be seen.
  return git.inTurn(sections.branch(order.section), () => settle(git, sections, order, start, admin, log));
}

async function settle(git: Git, sections: Sections, order: WorkOrder, start: string, admin: string | undefined, log: Log): Promise<string> {
  const ref = sections.branch(order.section);
  const tip = await sections.tip(order.section);
  const known = (await git.objects.commitId(sections.tipRef(order.section))) ?? start;
  if (tip === undefined) {
    log.write('warn', `the branch ${ref} was gone and has been put back`, { id: order.id });
    await git.refs.move([{ ref, to: known, old: '' }]);
    return (await sections.tip(order.section)) ?? known;
  }
  if (tip === start || tip === known || admin === undefined) return tip;

  const back = await lastOfOurs(git, tip, known, start, isAgents(admin, ref, tip));
  if (back === undefined || back === tip) return tip;
  await moveSnapshot(git, snapshotRef({ id: order.id, attempt: order.attempt, label: 'branch' }), tip);
  const moved = await git.refs.move([{ ref, to: back, old: tip }]);
  if (moved.kind !== 'moved') return (await sections.tip(order.section)) ?? tip;
  log.write('warn', `the agent had moved the branch ${ref}: put back from ${tip.slice(0, 7)} to ${back.slice(0, 7)}`, { id: order.id });
  return back;
}

/** The commit below the agent's own; undefined where there is none of the agent's at the top of the branch. */
async function lastOfOurs(git: Git, tip: string, known: string, start: string, isIts: (commit: string) => boolean): Promise<string | undefined> {
  let at = await git.objects.commit(tip);
  let below: string | undefined;
  for (let i = 0; i < MOST_STEPS && at; i += 1) {
    if (at.oid === known || at.oid === start) return below === undefined ? undefined : at.oid;
    const task = taskOf(at.message);
    const landed = task !== undefined && (await git.objects.commitId(landedRef(task))) === at.oid;
    // What the agent put under somebody else's commit stays.
    if (landed || !isIts(at.oid)) return below === undefined ? undefined : higherOf(git, known, at.oid);
    below = at.oid;
    at = at.parents[0] === undefined ? undefined : await git.objects.commit(at.parents[0]);
  }
  return below === undefined ? undefined : known;
}

/** Amending, the agent goes back behind what was on the branch. */
async function higherOf(git: Git, known: string, reached: string): Promise<string> {
  const below = await git.run(['merge-base', '--is-ancestor', reached, known]);
  return below.code === 0 ? known : reached;
}

/** Commits that were HEAD in the agent's workspace; with the branch checked out there, all that is new on it. */
function isAgents(admin: string, ref: string, tip: string): (commit: string) => boolean {
  const head = readHead(admin);
  if (head && 'ref' in head && head.ref === ref) return () => true;
  const been = new Set(head && 'commit' in head && head.commit === tip ? [tip] : []);
  for (const line of readLog(join(admin, 'logs', 'HEAD')).split('\n')) {
    const [, to] = line.split(' ', 2);
    if (to !== undefined) been.add(to);
  }
  return (commit) => been.has(commit);
}

function readLog(file: string): string {
  try {
    return readFileSync(file).subarray(-MOST_LOG_BYTES).toString('utf8');
  } catch {
    return '';
  }
}
