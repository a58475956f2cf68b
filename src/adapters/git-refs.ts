/**
 * Moves refs by compare-and-swap, several in one transaction of `git update-ref`. Never forces a ref and never follows
 * a symbolic one, which an agent could have pointed at somebody else's branch.
 */
import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { exec } from './exec.ts';
import { GitFailed, type Git } from './git.ts';

/** `old` undefined: whatever it was; '' : there must be none. */
export type RefMove = { readonly ref: string; readonly to: string; readonly old?: string };

export type RefsMoved = { readonly kind: 'moved' } | { readonly kind: 'stale'; readonly message: string } | { readonly kind: 'locked'; readonly message: string };

const STALE = /is at [0-9a-f]+ but expected|reference already exists|unable to resolve reference|reference is missing but expected/;
const LOCKED = /Unable to create '([^']+\.lock)'/;
/** Git holds a ref's lock for a moment only; one as old as this, with no git running, was left by a killed one. */
const STALE_LOCK_MS = 5_000;

export async function moveRefs(git: Git, moves: readonly RefMove[]): Promise<RefsMoved> {
  const lines = moves.map((move) => `option no-deref\n${line(move)}\n`).join('');
  for (let left = 1; ; left -= 1) {
    const result = await git.run(['update-ref', '--stdin'], { input: `start\n${lines}commit\n` });
    if (result.code === 0) return { kind: 'moved' };
    if (STALE.test(result.stderr)) return { kind: 'stale', message: result.stderr.trim() };
    const lock = LOCKED.exec(result.stderr)?.[1];
    if (lock === undefined) throw new GitFailed(['update-ref'], result);
    if (left === 0 || !(await removeIfAbandoned(lock))) return { kind: 'locked', message: `another git holds ${lock}` };
  }
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
  return lines.filter((args) => /^(\S*\/)?git(-\S+)?(\s|$)/.test(args) && !args.includes('cat-file --batch-command'));
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
