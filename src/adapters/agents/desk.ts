/**
 * Where agents in runs are heard: each phase has a seat, and a token of its own that only its processes are given (5.2-R1). What
 * is said with a token of a phase that is over counts for nothing, and is told.
 */
import { randomBytes } from 'node:crypto';
import type { Result } from '../../runs/result.ts';
import type { Step } from '../../runs/run.ts';

export type Seat = {
  readonly id: string;
  readonly ticket: number;
  readonly attempt: number;
  readonly section: string;
  readonly step: Step;
  /** `agent` or `agent/model`. */
  readonly agent: string;
  /** Takes the report in place of the file that `TODONE_RESULT` names; the last one counts. */
  readonly report: (result: Result) => void;
  readonly progress: (message: string) => void;
};

export type Desk = {
  /** The token that speaks for this seat until `leave`. */
  sit(seat: Seat): { readonly token: string; readonly leave: () => void };
  /** `over` = the phase that the token was for has ended. */
  find(token: string): { readonly kind: 'here' | 'over'; readonly seat: Seat } | undefined;
};

/** Of so many phases that are over it is known whose they were. */
const OVER_MAX = 1000;

export function openDesk(): Desk {
  const here = new Map<string, Seat>();
  const over = new Map<string, Seat>();
  return {
    sit(seat) {
      const token = randomBytes(24).toString('base64url');
      here.set(token, seat);
      return {
        token,
        leave() {
          here.delete(token);
          over.set(token, seat);
          for (const oldest of over.keys()) {
            if (over.size <= OVER_MAX) break;
            over.delete(oldest);
          }
        },
      };
    },
    find(token) {
      const seat = here.get(token);
      if (seat) return { kind: 'here', seat };
      const gone = over.get(token);
      return gone && { kind: 'over', seat: gone };
    },
  };
}
