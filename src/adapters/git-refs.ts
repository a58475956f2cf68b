/**
 * Moves refs by compare-and-swap, several in one transaction of a `git update-ref` that stays while there is something
 * to do. Never forces a ref and never follows a symbolic one, which an agent could have pointed at somebody else's branch.
 */
import { converse, type Conversation, type ExecOptions } from './exec.ts';
import { removeIfAbandoned } from './git-locks.ts';

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
/** Git holds a ref's lock for a moment only. */
const STALE_LOCK_MS = 5_000;
const IDLE_MS = 2_000;
const ANSWER_MS = 30_000;

/** `places`: the folders in which a git that holds one of our locks could be at work. */
export function openRefs(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>, places: () => readonly string[]): Refs {
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
    for (let left = moves.length; ; left -= 1) {
      const trouble = await transact(moves);
      if (trouble === undefined) break;
      if (STALE.test(trouble)) return { kind: 'stale', message: trouble };
      const lock = LOCKED.exec(trouble)?.[1];
      if (lock === undefined) return { kind: 'failed', message: trouble };
      if (left === 0 || !(await removeIfAbandoned(lock, places(), STALE_LOCK_MS))) return { kind: 'locked', message: `another git holds ${lock}` };
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

/** Waits for the end of one transaction: undefined where it went well. */
function committed(talk: Conversation): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let heard = '';
  const listen = (chunk: Buffer): void => {
    heard += chunk.toString('utf8');
    if (heard.includes('commit: ok\n')) resolve(undefined);
  };
  const late = setTimeout(() => resolve('git update-ref did not answer'), ANSWER_MS);
  talk.stdout.on('data', listen);
  const ended = talk.ended.then((said) => said.trim().replace(/^fatal: (commit: )?/, '') || 'git update-ref ended');
  return Promise.race([promise, ended]).finally(() => {
    clearTimeout(late);
    talk.stdout.off('data', listen);
  });
}

function line(move: RefMove): string {
  if (move.old === undefined) return `update ${move.ref} ${move.to}`;
  return move.old === '' ? `create ${move.ref} ${move.to}` : `update ${move.ref} ${move.to} ${move.old}`;
}
