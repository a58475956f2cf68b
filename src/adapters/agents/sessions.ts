/**
 * Sessions that go over several phases: whose they are, and what of a client's count belongs to one phase. Some count the whole session in
 * every phase; what is handed on here is counted once.
 */
import type { AgentEvent, PhaseOrder } from '../../engine/ports.ts';
import type { Found, Usage } from '../../runs/run.ts';
import type { AgentRow } from './row.ts';
import { added, type Seen } from './seen.ts';

/** A session is named after the agent that it is with: another one knows nothing of it. */
const sessionName = (row: AgentRow, id: string): string => `${row.name}:${id}`;

export function ownSession(row: AgentRow, order: PhaseOrder): PhaseOrder {
  const own = order.session?.startsWith(`${row.name}:`) ? order.session.slice(row.name.length + 1) : undefined;
  return { ...order, session: own, sessionUsage: own === undefined ? undefined : order.sessionUsage };
}

export const sessionIn = (row: AgentRow, seen: Seen, sessionUsage: Usage | undefined): Found =>
  seen.session === undefined ? {} : { session: sessionName(row, seen.session), sessionUsage };

/** Of what a client counts over a whole session, what belongs to this phase. `before` = what it had counted when the last phase ended. */
export function sessionCount(before: Usage | undefined) {
  let base = before;
  return {
    own(event: AgentEvent): AgentEvent {
      if (event.kind !== 'usage' || !event.cumulative || !base) return event;
      // Less than before: it began to count anew.
      if (event.usage.inputTokens < base.inputTokens || event.usage.outputTokens < base.outputTokens) base = undefined;
      return base ? { ...event, usage: difference(event.usage, base) } : event;
    },
    total: (own: Usage | undefined): Usage | undefined => (own ? added(base, own) : base),
  };
}

const difference = (all: Usage, before: Usage): Usage => ({
  inputTokens: all.inputTokens - before.inputTokens,
  outputTokens: all.outputTokens - before.outputTokens,
  costUsd: Math.max(0, all.costUsd - before.costUsd),
});
