/**
 * How the end of a process reads as the end of a phase (2-R6, 5.3-R6): a table from what stopped it, and from what its stream said
 * was wrong. Never believes that exit 0 means success: that is judged by repository and checks, elsewhere.
 */
import type { ErrorClass } from '../../engine/ports.ts';
import type { End } from '../../runs/run.ts';
import type { Ended, Exit } from '../process.ts';
import type { CodeMeaning } from './row.ts';
import type { Seen } from './seen.ts';

export type Ending = {
  readonly exit: Exit;
  readonly seen: Seen;
  readonly agent: string;
  /** The command in a person's words. */
  readonly called: string;
  readonly workspace: string;
  readonly limitMs: number;
  readonly stallMs: number;
  readonly noProgress: boolean;
  /** It was stopped because a budget is used up (5.3-R7). */
  readonly overBudget: boolean;
  /** It was stopped because it waited out a limit by itself. */
  readonly waitedTooLong: boolean;
  /** What a person does where it may not work; what its exit status means. */
  readonly login: string | undefined;
  readonly codes: ((code: number) => CodeMeaning | undefined) | undefined;
};

export function endOf(ending: Ending): End {
  if (ending.noProgress) return { kind: 'final', reason: 'no_progress', message: 'it made the same tool call again and again' };
  if (ending.overBudget) return { kind: 'final', reason: 'budget', message: 'what its budget left to it is used up' };
  const { limit } = ending.seen;
  // Silence after a limit is the limit: some wait for its end without a word.
  if (limit && (ending.waitedTooLong || ending.exit.ended === 'stall')) return limited(limit);
  return ENDS[ending.exit.ended](ending);
}

const ENDS: Readonly<Record<Ended, (ending: Ending) => End>> = {
  itself: (ending) => (ending.exit.code === 0 && ending.seen.error === undefined && !ending.seen.limit ? { kind: 'done' } : failed(ending)),
  limit: ({ called, limitMs }) => ({ kind: 'final', reason: 'timeout', message: `${quoted(called)} took longer than ${timeText(limitMs)}` }),
  stall: ({ called, stallMs }) => ({
    kind: 'final',
    reason: 'stalled',
    message: `${quoted(called)}: no output, no work and no changed file for ${timeText(stallMs)}`,
  }),
  stop: () => ({ kind: 'final', reason: 'cancelled', message: 'stopped' }),
  unstarted,
};

/** What its stream said last tells more than its exit code. */
function failed(ending: Ending): End {
  const { exit, seen, called } = ending;
  if (seen.limit) return limited(seen.limit);
  const error = seen.error ?? (exit.code === undefined ? undefined : ending.codes?.(exit.code));
  const said = error ? `${error.message} (${codeText(exit)})` : codeText(exit);
  const message = `${quoted(called)} ${said}`;
  if (!error) return { kind: 'final', reason: 'agent_failed', message };
  return exit.code === 0 && error.class === 'real' ? { kind: 'done' } : CLASSES[error.class](message, ending.login ?? 'log in');
}

const limited = ({ message, resetAt }: { readonly message: string; readonly resetAt?: number }): End => ({
  kind: 'transient',
  reason: 'limit',
  message,
  retryAt: resetAt,
  patient: true,
});

const CLASSES: Readonly<Record<ErrorClass, (message: string, login: string) => End>> = {
  transient: (message) => ({ kind: 'transient', reason: 'agent_failed', message }),
  limit: (message) => limited({ message }),
  auth: (message, login) => ({ kind: 'final', reason: 'setup_failed', message: `${message}: ${login}, then retry`, person: true }),
  config: (message) => ({ kind: 'final', reason: 'setup_failed', message, person: true }),
  refusal: (message) => ({ kind: 'final', reason: 'agent_failed', message }),
  real: (message) => ({ kind: 'final', reason: 'agent_failed', message }),
};

/** The machine is short of something; that passes. */
const SHORT_OF: Readonly<Record<string, string>> = {
  EAGAIN: 'no more processes',
  EMFILE: 'no more file handles',
  ENFILE: 'no more file handles',
  ENOMEM: 'no memory',
  ENOSPC: 'no space',
  ETXTBSY: 'it is just being written',
};

function unstarted({ exit, called, workspace, agent }: Ending): End {
  const trouble = exit.trouble ?? 'unknown';
  const short = SHORT_OF[trouble];
  if (short !== undefined)
    return { kind: 'transient', reason: 'setup_failed', message: `${quoted(called)} cannot be started: ${short} (${trouble})`, patient: true };
  if (trouble === 'NOCWD') return { kind: 'final', reason: 'lost', message: `the workspace ${workspace} is gone` };
  const why =
    trouble === 'ENOENT'
      ? 'it is not installed'
      : trouble === 'EACCES'
        ? 'it may not be run'
        : trouble === 'E2BIG'
          ? 'its arguments are too long'
          : 'it cannot be started';
  return { kind: 'final', reason: 'setup_failed', message: `${quoted(called)}: ${why} (${trouble}); see agents.${agent} in the config` };
}

function codeText({ code, killedBy }: Exit): string {
  if (code !== undefined) return `exit ${code}`;
  return killedBy === 'SIGKILL' ? 'was killed from outside (no memory?)' : `ended by ${killedBy ?? 'a signal'}`;
}

const CALLED_CHARS_MAX = 60;

/** The first line of a command, shortened, in backticks. */
function quoted(called: string): string {
  const [first = '', ...rest] = called.trim().split('\n');
  const short = first.length > CALLED_CHARS_MAX ? `${first.slice(0, CALLED_CHARS_MAX - 1)}…` : rest.length > 0 ? `${first} …` : first;
  return `\`${short.replaceAll('`', "'")}\``;
}

export function timeText(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 6000) / 10} min` : `${Math.round(ms / 360_000) / 10} h`;
}
