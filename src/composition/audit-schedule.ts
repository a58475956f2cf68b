/**
 * The audit of a daemon (6.4-R2): now and then, said in the log, and kept as the one issue where the config says so. Never two at a
 * time, and never what stops work.
 */
import type { Config } from '../config.ts';
import { isFailure } from '../surfaces/cli/failure.ts';
import { auditPlace, type AuditOptions } from './audit.ts';

/** The first one is not in the way of a start. */
const FIRST_MS = 60_000;
const WAIT_MS_MIN = 1000;
/** Timers of Node are 32 bits long. */
const WAIT_MS_MAX = 86_400_000;

/** Ends with the function that it gives back. `spreadMs` = the first one comes anywhere within: many lists are not all looked at in the same minute. */
export function auditOnSchedule(options: AuditOptions, config: () => Config, spreadMs = 0): () => Promise<void> {
  const { clock, log } = options;
  const abort = new AbortController();
  let cancel: (() => void) | undefined;
  let running = Promise.resolve();
  let due = clock.ticks() + Math.min(FIRST_MS + spreadMs * Math.random(), config().audit.every);

  const later = (): void => {
    if (!abort.signal.aborted) cancel = clock.after(Math.min(Math.max(due - clock.ticks(), WAIT_MS_MIN), WAIT_MS_MAX), turn);
  };
  const turn = (): void => {
    if (clock.ticks() < due) return later();
    due = clock.ticks() + config().audit.every;
    running = look().finally(later);
  };
  const look = async (): Promise<void> => {
    const current = config();
    try {
      const found = await auditPlace({ ...options, place: { ...options.place, config: current } }, current.audit.issue, abort.signal);
      if (isFailure(found)) log.write('warn', `audit: ${found.message}`, { remedy: found.remedy });
      else if (found.findings.length > 0)
        log.write('warn', `audit: ${found.findings.length} to look at: ${found.findings[0]?.message ?? ''}`, { remedy: 'todone audit shows all' });
      else log.write('info', 'audit: nothing is stale or untrue');
    } catch (error) {
      if (!abort.signal.aborted) log.write('warn', `audit: not possible now: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  later();
  return () => {
    abort.abort();
    cancel?.();
    return running;
  };
}
