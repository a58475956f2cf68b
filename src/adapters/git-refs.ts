/**
 * Moves refs by compare-and-swap, several in one transaction of a `git update-ref` that stays while there is something
 * to do. Never forces a ref and never follows a symbolic one, which an agent could have pointed at somebody else's branch.
 */
import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { converse, exec, type Conversation, type ExecOptions } from './exec.ts';

/** `old` undefined: whatever it was; '' : there must be none. */
export type RefMove = { readonly ref: string; readonly to: string; readonly old?: string };

export type RefsMoved = { readonly kind: 'moved' } | { readonly kind: 'stale' | 'locked' | 'failed'; readonly message: string };

export type Refs = {
  /** All of them, or none. */
  move(moves: readonly RefMove[]): Promise<RefsMoved>;
  close(): void;
};

const STALE = /is at [0-9a-f]+ but expected|reference already exists|unable to resolve reference|reference is missing but expected/;
const LOCKED = /Unable to create '([^']+\.lock)'/;
/** Git holds a ref's lock for a moment only; one as old as this, with no git running, was left by a killed one. */
const STALE_LOCK_MS = 5_000;
const IDLE_MS = 2_000;
const ANSWER_MS = 30_000;

export function openRefs(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>): Refs {
  let talk: Conversation | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** Undefined where it went well, else what git said: it ends with the first transaction that fails. */
  const transact = async (moves: readonly RefMove[]): Promise<string | undefined> => {
    const current = (talk ??= converse(program, [...args, 'update-ref', '--stdin'], options));
    const answer = committed(current);
    current.stdin.write(`start\n${moves.map((move) => `option no-deref\n${line(move)}\n`).join('')}commit\n`);
    const trouble = await answer;
    if (trouble !== undefined) {
      current.end();
      talk = undefined;
    }
    return trouble;
  };
  const move = async (moves: readonly RefMove[]): Promise<RefsMoved> => {
    clearTimeout(idle);
    for (let left = 1; ; left -= 1) {
      const trouble = await transact(moves);
      if (trouble === undefined) break;
      if (STALE.test(trouble)) return { kind: 'stale', message: trouble };
      const lock = LOCKED.exec(trouble)?.[1];
      if (lock === undefined) return { kind: 'failed', message: trouble };
      if (left === 0 || !(await removeIfAbandoned(lock))) return { kind: 'locked', message: `another git holds ${lock}` };
    }
    idle = setTimeout(close, IDLE_MS);
    return { kind: 'moved' };
  };
  const close = (): void => {
    clearTimeout(idle);
    talk?.end();
    talk = undefined;
  };

  return {
    move(moves) {
      const turn = last.then(() => move(moves));
      last = turn.catch(() => undefined);
      return turn;
    },
    close,
  };
}

/** Waits for the end of one transaction. */
function committed(talk: Conversation): Promise<string | undefined> {
  return new Promise((resolve) => {
    let heard = '';
    const listen = (chunk: Buffer): void => {
      heard += chunk.toString('utf8');
      if (heard.includes('commit: ok\n')) done(undefined);
    };
    const late = setTimeout(() => done('git update-ref did not answer'), ANSWER_MS);
    const done = (trouble: string | undefined): void => {
      clearTimeout(late);
      talk.stdout.off('data', listen);
      resolve(trouble);
    };
    talk.stdout.on('data', listen);
    void talk.ended.then((said) => done(said.trim().replace(/^fatal: (commit: )?/, '') || 'git update-ref ended'));
  });
}

/** Removes a lock file that no living git can own; true where it is gone. */
export async function removeIfAbandoned(lock: string): Promise<boolean> {
  const age = lockAgeMs(lock);
  if (age === undefined) return true;
  if (age < STALE_LOCK_MS || (await livingGits()).length > 0) return false;
  unlinkSync(lock);
  return true;
}

/** The command lines of the git processes that run on this machine, without our own that only answer questions. */
export async function livingGits(): Promise<readonly string[]> {
  const lines = process.platform === 'linux' ? commandLinesOfProc() : await commandLinesOfPs();
  return lines.filter((args) => /^(\S*\/)?git(-\S+)?(\s|$)/.test(args) && !/ (cat-file --batch-command|update-ref --stdin)$/.test(args));
}

function commandLinesOfProc(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

async function commandLinesOfPs(): Promise<string[]> {
  const result = await exec('ps', ['-A', '-o', 'args='], { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  // Where we cannot look, something may live.
  if (result.code !== 0) return ['git'];
  return result.stdout.toString('utf8').split('\n').map((args) => args.trim());
}

function line(move: RefMove): string {
  if (move.old === undefined) return `update ${move.ref} ${move.to}`;
  return move.old === '' ? `create ${move.ref} ${move.to}` : `update ${move.ref} ${move.to} ${move.old}`;
}

function lockAgeMs(lock: string): number | undefined {
  const stat = statSync(lock, { throwIfNoEntry: false });
  return stat && Date.now() - stat.mtimeMs;
}
