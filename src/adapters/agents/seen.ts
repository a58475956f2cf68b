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
  /** The last of what it said, for a plan that was only printed: since its last tool call, if that was anything. */
  readonly said: string;
};

const SAID_CHARS_MAX = 100_000;

/** `goesRound` is called when the same tool call came `sameCallsMax` times, one after the other; 0 = never. */
export function seeing(sameCallsMax: number, goesRound: () => void): { see(event: AgentEvent): void; seen(): Seen } {
  let seen: Omit<Seen, 'said'> = { usage: undefined, session: undefined, limit: undefined, error: undefined };
  let said = '';
  let sinceCall = 0;
  let lastCall = '';
  let sameCalls = 0;
  const see = (event: AgentEvent): void => {
    // Whoever works is not limited any more.
    if (isProgress(event)) seen = { ...seen, limit: undefined };
    switch (event.kind) {
      case 'text':
        if (event.aside) return;
        said += `${event.text}\n`;
        if (said.length <= 2 * SAID_CHARS_MAX) return;
        sinceCall = Math.max(0, sinceCall - (said.length - SAID_CHARS_MAX));
        said = said.slice(-SAID_CHARS_MAX);
        return;
      case 'tool': {
        sinceCall = said.length;
        // A result comes without the call's input; only calls are counted.
        if (event.input === undefined) return;
        const call = `${event.name} ${event.input}`;
        sameCalls = call === lastCall ? sameCalls + 1 : 1;
        lastCall = call;
        if (sameCalls === sameCallsMax) goesRound();
        return;
      }
      case 'usage':
        seen = { ...seen, usage: event.cumulative ? event.usage : added(seen.usage, event.usage) };
        return;
      case 'session':
        // A new turn of the client: what was wrong with the one before is over.
        seen = { ...seen, session: event.id, error: undefined };
        return;
      case 'limit':
        seen = { ...seen, limit: { message: event.message, resetAt: event.resetAt ?? seen.limit?.resetAt } };
        return;
      case 'error':
        seen = { ...seen, error: event, limit: undefined };
        return;
      case 'file':
        lastCall = '';
        return;
    }
  };
  const lastWords = (): string => (said.slice(sinceCall).trim() === '' ? said : said.slice(sinceCall)).slice(-SAID_CHARS_MAX);
  return { see, seen: () => ({ ...seen, said: lastWords() }) };
}

/** The agent itself did something; what its client says of itself is none. */
export const isProgress = (event: AgentEvent): boolean => event.kind === 'tool' || event.kind === 'file' || (event.kind === 'text' && event.aside !== true);

export const added = (a: Usage | undefined, b: Usage): Usage => ({
  inputTokens: (a?.inputTokens ?? 0) + b.inputTokens,
  outputTokens: (a?.outputTokens ?? 0) + b.outputTokens,
  costUsd: (a?.costUsd ?? 0) + b.costUsd,
});
