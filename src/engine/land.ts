/**
 * Landing (4-R6, R9): squash, rebase, verify, fast-forward; each looks first whether it is already so. Says in which order,
 * never how: that is the port's matter. The branch moves only to a commit that `verify` has passed on.
 */
import type { End, Run } from '../runs/run.ts';
import { type Doing, orderOf, verifyOf } from './doing.ts';
import type { LandingOrder, Squashed } from './ports.ts';

/** How often the branch may move under a landing before it waits. */
const MOVES_MAX = 5;
const BUSY_RETRY_MS = 5000;

export async function land(run: Run, doing: Doing): Promise<End> {
  const order = landingOrder(run);
  if (!order) return { kind: 'final', reason: 'lost', message: 'the run has no workspace' };
  for (let moves = 0; moves < MOVES_MAX; moves++) {
    const squashed = await doing.landing.squash(order);
    if (squashed.kind !== 'commit') return unlanded(squashed, order, doing.clock.now());
    const red = await check(run, squashed, order, doing);
    if (red) return red;
    if (doing.signal.aborted) return cancelled(run, order, doing);
    const advanced = await doing.landing.advance(order, squashed.tip, squashed.commit);
    if (advanced.kind === 'landed') return { kind: 'done', found: { commit: advanced.commit, hash: advanced.hash, notes: squashed.notes } };
    // What `verify` left behind is not the agent's, and must not be squashed with its work.
    if (advanced.kind === 'moved') await doing.landing.checkout(order.workspace, squashed.commit);
    if (advanced.kind === 'busy')
      return { kind: 'transient', reason: 'setup_failed', message: advanced.message, retryAt: doing.clock.now() + BUSY_RETRY_MS, patient: true };
  }
  return { kind: 'transient', reason: 'conflict', message: `the branch moved ${MOVES_MAX} times while this task was landing` };
}

function landingOrder(run: Run): LandingOrder | undefined {
  const { workspace, start, commitMessage, summary } = run.found;
  if (workspace === undefined || start === undefined) return undefined;
  const message = commitMessage ?? (summary === undefined ? run.task.title : `${run.task.title}\n\n${summary}`);
  return {
    ...orderOf(run),
    workspace,
    start,
    title: run.task.title,
    message,
    agent: run.agent,
    model: run.model,
    noCommit: run.task.tags.includes('no-commit'),
  };
}

function unlanded(squashed: Exclude<Squashed, { kind: 'commit' }>, order: LandingOrder, now: number): End {
  switch (squashed.kind) {
    case 'landed':
      return { kind: 'done', found: { commit: squashed.commit, hash: squashed.hash } };
    case 'empty':
      if (order.noCommit) return { kind: 'done', found: { hash: '-' } };
      return {
        kind: 'final',
        reason: 'no_change',
        message: 'the agent ended without changing a file',
        evidence: 'The last attempt ended without changing a file.',
      };
    case 'conflict':
      return { kind: 'rework', reason: 'conflict', message: squashed.message, evidence: squashed.evidence, found: { start: squashed.start } };
    case 'busy':
      return { kind: 'transient', reason: 'setup_failed', message: squashed.message, retryAt: now + BUSY_RETRY_MS, patient: true };
    case 'refused':
      return { kind: 'final', reason: squashed.lost ? 'lost' : 'refused', message: squashed.message, evidence: squashed.message };
  }
}

/** Runs `verify` on exactly the commit that is to land; the end if it fails. */
async function check(run: Run, squashed: Extract<Squashed, { kind: 'commit' }>, order: LandingOrder, doing: Doing): Promise<End | undefined> {
  const command = verifyOf(run, doing.config);
  if (command === undefined) return undefined;
  await doing.landing.checkout(order.workspace, squashed.commit);
  const verified = await doing.verify.run(order, command, order.workspace, doing.signal);
  if (doing.signal.aborted) return cancelled(run, order, doing);
  if (!verified || verified.ok) return undefined;
  const how = verified.timedOut ? 'took too long' : `exit ${verified.code ?? 'by signal'}`;
  await doing.landing.checkout(order.workspace, squashed.commit);
  return {
    kind: 'final',
    reason: 'verify_failed',
    message: `\`${verified.command}\` ${how}`,
    evidence: `\`${verified.command}\` ${how} on the commit that was to land. Its output ended:\n${verified.output}`,
    // The workspace now stands on the tip: the next attempt goes on from there.
    found: { start: squashed.tip, kept: squashed.commit },
  };
}

async function cancelled(run: Run, order: LandingOrder, doing: Doing): Promise<End> {
  const kept = await doing.workspaces.snapshot(order, 'land', order.workspace, order.start);
  return { kind: 'final', reason: 'cancelled', message: 'stopped', found: { kept: kept ?? run.found.kept } };
}
