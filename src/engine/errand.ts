/**
 * Errands performed (4-R10): merge, verify, swap; push; pull request. Says in which order, never how. A branch moves only to a
 * commit that `verify` has passed on.
 */
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import type { Branches, MergeWay } from './ports.ts';

/** How often the branch may move under a merge before it waits. */
const MOVES_MAX = 5;
const EVIDENCE_CHARS = 2000;

/** Never throws for what the outside does. */
export async function performErrand(order: ErrandOrder, branches: Branches, signal: AbortSignal): Promise<ErrandEnd> {
  try {
    switch (order.kind) {
      case 'sync':
      case 'land':
        return await merge(order, order.kind, branches, signal);
      case 'push':
        return await branches.push(order, signal);
      case 'pr': {
        const pushed = await branches.push(order, signal);
        return pushed.kind === 'done' ? await branches.pullRequest(order, signal) : pushed;
      }
    }
  } catch (error) {
    return { kind: 'later', why: 'busy', message: error instanceof Error ? error.message : String(error), remedy: 'it is tried again by itself' };
  }
}

async function merge(order: ErrandOrder, way: MergeWay, branches: Branches, signal: AbortSignal): Promise<ErrandEnd> {
  for (let moves = 0; moves < MOVES_MAX; moves++) {
    const merged = await branches.merge(order.section, way);
    if (merged.kind === 'current') return { kind: 'done', message: merged.message };
    if (merged.kind === 'busy') return { kind: 'later', why: 'busy', message: merged.message, remedy: merged.remedy };
    if (merged.kind !== 'merged') return { kind: 'stopped', message: merged.message, remedy: merged.remedy };
    const red = await check(order, merged.commit, branches, signal);
    if (red) return red;
    if (signal.aborted) return STOPPED;
    const advanced = await branches.advance(order.section, way, merged);
    if (advanced.kind === 'landed') return { kind: 'done', message: merged.message };
    if (advanced.kind === 'busy')
      return { kind: 'later', why: 'busy', message: advanced.message, remedy: 'commit or stash what is there: it is tried again by itself' };
  }
  return { kind: 'later', why: 'busy', message: `the branch moved ${MOVES_MAX} times in the meantime`, remedy: 'it is tried again by itself' };
}

async function check(order: ErrandOrder, commit: string, branches: Branches, signal: AbortSignal): Promise<ErrandEnd | undefined> {
  if (order.verify === undefined) return undefined;
  const verified = await branches.verify(order, commit, order.verify, signal);
  if (signal.aborted) return STOPPED;
  if (!verified || verified.ok) return undefined;
  const how = verified.timedOut ? 'took too long' : `exit ${verified.code ?? 'by signal'}`;
  return {
    kind: 'stopped',
    message: `\`${verified.command}\` ${how} on the merged commit, so nothing was moved: ${verified.output.trim().slice(-EVIDENCE_CHARS)}`,
    remedy: `make it pass on both branches together, then: todone ${order.kind} ${order.section}`,
  };
}

const STOPPED: ErrandEnd = { kind: 'later', why: 'busy', message: 'stopped', remedy: 'it goes on at the next start' };
