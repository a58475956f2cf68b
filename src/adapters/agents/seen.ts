/**
 * What a phase's events add up to while it runs: usage, session, limit, the last error, what was said, and whether it goes round in
 * circles (5.3-R2, R4). Never keeps the stream.
 */
import type { AgentEvent } from '../../engine/ports.ts';
import type { Usage } from '../../runs/run.ts';

export type Seen = {
  readonly usage: Usage | undefined;
  readonly session: string | undefined;
  readonly limit: { readonly message: string; readonly resetAt?: number } | undefined;
  readonly error: (AgentEvent & { readonly kind: 'error' }) | undefined;
  /** The last of what it said, for a plan that was only printed. */
  readonly said: string;
};

/** The same tool call this often, one after the other, is no progress. */
export const SAME_CALLS_MAX = 5;
const SAID_CHARS_MAX = 100_000;

export function seeing(goesRound: () => void): { see(event: AgentEvent): void; seen(): Seen } {
  let seen: Omit<Seen, 'said'> = { usage: undefined, session: undefined, limit: undefined, error: undefined };
  let said = '';
  let lastCall = '';
  let sameCalls = 0;
  const see = (event: AgentEvent): void => {
    switch (event.kind) {
      case 'text':
        said += `${event.text}\n`;
        if (said.length > 2 * SAID_CHARS_MAX) said = said.slice(-SAID_CHARS_MAX);
        return;
      case 'tool': {
        // A result comes without the call's input; only calls are counted.
        if (event.input === undefined) return;
        const call = `${event.name} ${event.input}`;
        sameCalls = call === lastCall ? sameCalls + 1 : 1;
        lastCall = call;
        if (sameCalls === SAME_CALLS_MAX) goesRound();
        return;
      }
      case 'usage':
        seen = { ...seen, usage: event.cumulative ? event.usage : added(seen.usage, event.usage) };
        return;
      case 'session':
        seen = { ...seen, session: event.id };
        return;
      case 'limit':
        seen = { ...seen, limit: { message: event.message, resetAt: event.resetAt } };
        return;
      case 'error':
        seen = { ...seen, error: event };
        return;
      case 'file':
        lastCall = '';
        return;
    }
  };
  return { see, seen: () => ({ ...seen, said: said.slice(-SAID_CHARS_MAX) }) };
}

const added = (a: Usage | undefined, b: Usage): Usage => ({
  inputTokens: (a?.inputTokens ?? 0) + b.inputTokens,
  outputTokens: (a?.outputTokens ?? 0) + b.outputTokens,
  costUsd: (a?.costUsd ?? 0) + b.costUsd,
});
