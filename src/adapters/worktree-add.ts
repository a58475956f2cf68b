/**
 * Makes the worktree of a workspace, one at a time per repository, and puts right what a killed `git worktree add`, an
 * agent or a person left of an earlier one (4-R11). Never removes a folder that holds anything.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gitsIn, type LivingGit } from './git-locks.ts';
import { GitFailed, placesOf, type Git } from './git.ts';
import type { RepoLock } from './repo-lock.ts';
import { adminOf, isWhole, listAdmins, mendAdmin, pathOf } from './worktree-admin.ts';
import { isThere } from './workspace.ts';

export type Ensured =
  | { readonly kind: 'there' | 'added' | 'mended'; readonly admin: string }
  /** Something else is where the worktree should be. */
  | { readonly kind: 'taken'; readonly message: string };

/** `ours`: we have a record of making a worktree here, with `knownAdmin` as its entry. */
export type Wanted = { readonly path: string; readonly commit: string; readonly ours: boolean; readonly knownAdmin: string | undefined };

const ADD_LIMIT_MS = 120_000;
const GIT_ENDS_MS = 10_000;
const LOOK_MS = 50;
const TRIES = 3;
const RETRY_MS = 200;

export async function ensureWorktree(git: Git, lock: RepoLock, wanted: Wanted): Promise<Ensured> {
  const admin = adminOf(git.commonDir, wanted.path);
  if (isThere(wanted.path) && isWhole(git.commonDir, wanted.path, admin) && !isHalfMade(admin)) return { kind: 'there', admin };
  return lock.hold(async () => {
    for (let left = TRIES; ; left -= 1) {
      try {
        return await makeOrMend(git, wanted);
      } catch (error) {
        // The git of a killed daemon may have begun after we looked.
        if (left === 1 || !(error instanceof GitFailed)) throw error;
        await sleep(RETRY_MS);
      }
    }
  });
}

async function makeOrMend(git: Git, wanted: Wanted): Promise<Ensured> {
  const { path } = wanted;
  const inside = enclosingWorktree(git, path);
  if (inside !== undefined) return { kind: 'taken', message: `${path} would lie inside the worktree ${inside}: give the section another name` };
  await waitForLivingAdd(git, path);
  const admin = adminOf(git.commonDir, path);
  if (isThere(path) && isWhole(git.commonDir, path, admin) && !isHalfMade(admin)) return { kind: 'there', admin };

  if (lstatSync(path, { throwIfNoEntry: false }) && !isThere(path)) return { kind: 'taken', message: `${path} is not a folder: move it away` };
  if (isThere(path) && readdirSync(path).every((name) => name === '.git' && statSync(join(path, name)).isFile())) {
    // Empty, or a `worktree add` that was killed: nothing to lose.
    rmSync(join(path, '.git'), { force: true });
    rmdirSync(path);
  }
  if (isThere(path)) {
    const once = wanted.ours || admin !== undefined;
    if (!once) return { kind: 'taken', message: `${path} is there and is not a worktree of this repository: move it away` };
    return { kind: 'mended', admin: mendAdmin(git.commonDir, path, wanted.knownAdmin ?? admin, wanted.commit) };
  }
  for (const entry of ownEntries(git, path, (await livingAdds(git)).length > 0)) rmSync(entry, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  const args = ['worktree', 'add', '--quiet', '--detach', '--no-checkout', '--', path, wanted.commit];
  const result = await git.own(args, { timeoutMs: ADD_LIMIT_MS });
  const made = adminOf(git.commonDir, path);
  if (result.code !== 0 || made === undefined) throw new GitFailed(['worktree add'], result);
  return { kind: 'added', admin: made };
}

/** `git worktree add` names its entry after the folder, and locks it while it is at work. */
function ownEntries(git: Git, path: string, othersAtWork: boolean): string[] {
  const stem = basename(path).replaceAll(/[^A-Za-z0-9._-]/g, '-');
  return listAdmins(git.commonDir).filter((admin) => {
    const named = pathOf(admin);
    if (named !== undefined) return named === path;
    // It does not say yet whose it is: ours by its name, unless somebody else is just making one.
    const rest = basename(admin).slice(stem.length);
    return !othersAtWork && basename(admin).startsWith(stem) && /^\d*$/.test(rest);
  });
}

/** Git writes `locked` first and removes it last. */
function isHalfMade(admin: string): boolean {
  try {
    return readFileSync(join(admin, 'locked'), 'utf8').startsWith('initializing');
  } catch {
    return false;
  }
}

/** A daemon may have been killed while its git lived on. */
async function waitForLivingAdd(git: Git, path: string): Promise<void> {
  for (let waited = 0; waited < GIT_ENDS_MS; waited += LOOK_MS) {
    if (!(await livingAdds(git)).some(({ args }) => args.includes(path))) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`another git is still making ${path}`);
}

async function livingAdds(git: Git): Promise<readonly LivingGit[]> {
  const living = await gitsIn(placesOf(git.commonDir, dirname(git.commonDir), git.home));
  return living.filter(({ args }) => args.includes('worktree add'));
}

function enclosingWorktree(git: Git, path: string): string | undefined {
  const paths = listAdmins(git.commonDir).map(pathOf);
  return paths.find((other) => other !== undefined && other !== path && path.startsWith(`${other}/`));
}
