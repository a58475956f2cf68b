/**
 * Kept work as a worktree of its own, for a person to look at (4-R5): checked out with our own config, so that nothing
 * an agent planted runs. Never touches a folder that is there already.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';
import { guestRoom } from './private-rooms.ts';
import type { RepoLock } from './repo-lock.ts';
import { ensureWorktree } from './worktree-add.ts';
import { publish } from './worktree-admin.ts';
import { moveTo, type Workspace } from './workspace.ts';

/** Undefined where it worked, else why not. `name` is a ref or a commit. */
export async function bringBack(git: Git, lock: RepoLock, name: string, path: string): Promise<string | undefined> {
  const commit = await git.objects.commitId(name);
  if (commit === undefined) return `${name} is no commit`;
  if (existsSync(path)) return `${path} is there already`;
  const ensured = await ensureWorktree(git, lock, { path, commit, ours: false, knownAdmin: undefined });
  if (ensured.kind !== 'added') return ensured.kind === 'taken' ? ensured.message : `${path} is there already`;
  const workspace: Workspace = { section: '', slot: 0, path, dir: guestRoom(git.home, path) };
  git.privateDir(workspace.dir, commit);
  await moveTo(git, workspace, commit);
  publish(ensured.admin, commit, join(workspace.dir, 'index'));
  return undefined;
}
