/** The real clock, the only one. Never used where a decision is made: the rooms inside get their time as a value. */
import type { Clock } from '../engine/ports.ts';

/** Node fires a timer with a longer wait at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    ticks: () => performance.now(),
    after: (ms, then) => {
      let timer: NodeJS.Timeout;
      const wait = (left: number): void => {
        const part = Math.min(Math.max(left, 0), LONGEST_TIMER_MS);
        timer = setTimeout(() => (left > part ? wait(left - part) : then()), part);
      };
      wait(ms);
      return () => clearTimeout(timer);
    },
  };
}
