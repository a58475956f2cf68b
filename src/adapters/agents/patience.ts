/** How long a client may wait out a limit by itself. */
import type { AgentEvent, Clock } from '../../engine/ports.ts';
import { isProgress } from './seen.ts';

/** A client that waits out a limit by itself, for an hour if it must, holds a place that others could use. */
export function patienceWithLimits(clock: Clock, limitWaitMs: number, over: () => void): { see(event: AgentEvent): void; end(): void } {
  let cancel: (() => void) | undefined;
  const end = (): void => {
    cancel?.();
    cancel = undefined;
  };
  return {
    see(event) {
      if (event.kind === 'limit' && limitWaitMs > 0) cancel ??= clock.after(limitWaitMs, over);
      else if (isProgress(event)) end();
    },
    end,
  };
}
