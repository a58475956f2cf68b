/**
 * Lock files that a killed git left behind, and the gits that are alive (4-R11). Never removes a lock while a git that
 * could own it runs, nor one that is younger than such a lock ever gets.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync, type Stats, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { exec } from './exec.ts';

export type LivingGit = { readonly args: string; /** Where it works, if the system says. */ readonly cwd?: string };

const LOOK_MS = 50;
/** How much longer than its age we wait for a lock whose owner lives. */
const OWNER_ENDS_MS = 2_000;

/**
 * True where the lock is gone: its owner let go of it, or no git that works in `places` is alive and it is old enough.
 * Looks again for `patienceMs`, at least once.
 */
export async function removeIfAbandoned(
  lock: string,
  places: readonly string[],
  staleMs: number,
  patienceMs: number = staleMs + OWNER_ENDS_MS,
): Promise<boolean> {
  const since = performance.now();
  for (;;) {
    const stat = statSync(lock, { throwIfNoEntry: false });
    if (!stat) return true;
    // The wall clock may have moved: what we have watched for that long is old enough too.
    const old = Date.now() - stat.mtimeMs >= staleMs || performance.now() - since >= staleMs;
    if (old && (await gitsIn(places)).length === 0 && isSame(lock, stat)) {
      rmSync(lock, { force: true });
      return true;
    }
    if (performance.now() - since >= patienceMs) return false;
    await sleep(LOOK_MS);
  }
}

/** Not given back and taken anew while we looked. */
function isSame(lock: string, before: Stats): boolean {
  const now = statSync(lock, { throwIfNoEntry: false });
  return now?.ino === before.ino && now.mtimeMs === before.mtimeMs;
}

/** The gits that work in one of these folders, or of which we cannot know. */
export async function gitsIn(places: readonly string[]): Promise<readonly LivingGit[]> {
  const isIn = (path: string): boolean => places.some((place) => path === place || path.startsWith(`${place}/`));
  return (await livingGits()).filter(({ args, cwd }) => {
    const dir = / --git-dir=(.*)/.exec(args)?.[1];
    if (dir?.startsWith('/')) return places.some((place) => dir.startsWith(place));
    return cwd === undefined || isIn(cwd);
  });
}

/** The git processes that run on this machine, without those of ours that only wait for questions. */
async function livingGits(): Promise<readonly LivingGit[]> {
  const all = process.platform === 'linux' ? processesOfProc() : await processesOfPs();
  return all.filter(({ args }) => /^(\S*\/)?git(-\S+)?(\s|$)/.test(args) && !/ (cat-file --batch-command|update-ref --stdin)$/.test(args));
}

function processesOfProc(): LivingGit[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return args.includes('git') ? [{ args, cwd: cwdOf(pid) }] : [];
    } catch {
      // It has just ended, or is somebody else's.
      return [];
    }
  });
}

/** Undefined where it is not ours to know: another user's. */
function cwdOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

async function processesOfPs(): Promise<LivingGit[]> {
  const result = await exec('ps', ['-A', '-o', 'args='], { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  // Where we cannot look, something may live.
  if (result.code !== 0) return [{ args: 'git' }];
  return result.stdout
    .toString('utf8')
    .split('\n')
    .map((args) => ({ args: args.trim() }));
}
