/**
 * Brings back work that did not land (4-R5): a snapshot of a task, the newest one or that of an attempt, as a worktree of its own, so
 * that nothing that is there is touched.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bringBack } from '../adapters/bring-back.ts';
import type { Git } from '../adapters/git.ts';
import { readSnapshots } from '../adapters/git-facts.ts';
import { guestRoom } from '../adapters/private-rooms.ts';
import { openRepoLock } from '../adapters/repo-lock.ts';
import { standing } from '../adapters/standing.ts';
import { listWorktrees } from '../adapters/worktree-admin.ts';
import type { KeptFact } from '../runs/evidence.ts';
import type { Restored } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { RestoreOptions } from '../surfaces/cli/upkeep.ts';
import type { Place } from './place.ts';
import { withGit } from './with-git.ts';

const ID = /^[A-Za-z0-9_.-]+$/;

/** What is kept of a task, the newest first. */
export async function keptOf(place: Place, id: string): Promise<readonly KeptFact[]> {
  if (!ID.test(id) || id.includes('..')) return [];
  return withGit(place, (git) => readSnapshots(git, id));
}

export async function restore(place: Place, id: string, options: RestoreOptions): Promise<Restored | CliFailure> {
  const { into, attempt, dryRun } = options;
  if (!ID.test(id) || id.includes('..')) return failed(`${id} is no id of a task`, 'todone task list shows the ids');
  const path = into === undefined ? join(resolve(place.repo.top, place.config.trees), `restored-${id}`) : resolve(into);
  return withGit(place, async (git) => {
    const all = await readSnapshots(git, id);
    if (all.length === 0) return failed(`nothing is kept of ${id}`, 'what landed is on its branch; snapshots exist only of work that did not land');
    const snapshot = all.find((each) => attempt === undefined || each.attempt === attempt);
    if (!snapshot)
      return failed(`nothing is kept of attempt ${attempt} of ${id}`, `there is work of: ${[...new Set(all.map((each) => each.attempt))].join(', ')}`);
    const taken = await takenBy(git, place, path);
    if (taken !== undefined) return failed(taken, 'name another folder with --into, or move that one away');
    const done: Restored = { id, ref: snapshot.ref, path, files: await filesOf(git, snapshot.commit), done: !dryRun };
    if (dryRun) return done;
    const lock = openRepoLock(join(place.stateDir, 'worktrees.db'));
    try {
      const trouble = await bringBack(git, lock, snapshot.ref, path);
      return trouble === undefined ? done : failed(trouble, `git worktree add --detach ${path} ${snapshot.ref}`);
    } finally {
      lock.close();
    }
  });
}

/** Why nothing can be put there; a worktree with work that is not committed says so. */
async function takenBy(git: Git, place: Place, path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  const real = realpathSync(path);
  const worktree = listWorktrees(place.repo.commonDir, place.repo.top).find((each) => each.path === real);
  if (!worktree) return `${path} is there already`;
  const state = await standing(git, worktree, guestRoom(git.home, real));
  return state.kind === 'dirty' ? `${path} is a worktree with ${state.why}` : `${path} is a worktree already`;
}

async function filesOf(git: Git, commit: string): Promise<string[]> {
  const listed = await git.run(['diff-tree', '-r', '-z', '--name-only', '--no-commit-id', `${commit}^1`, commit, '--']);
  return listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
}

const failed = (message: string, remedy: string): CliFailure => ({ kind: 'failure', code: 3, message, remedy });
