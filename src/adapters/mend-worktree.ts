/**
 * Puts a worktree of ours right that nobody is in, where a person or a crash took away its folder, its entry, its `.git` file or its
 * index. Never touches a file in it; the next run would do the same, but there may be none.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';
import type { RepoLock } from './repo-lock.ts';
import { commitOf } from './standing.ts';
import { isThere, readChanges, restoreIndex, writeRecord, type Workspace, type WorkspaceRecord } from './workspace.ts';
import { adminOf, isTorn, isWhole, listAdmins, mendAdmin, operationIn, pathOf, publish, readHead } from './worktree-admin.ts';

export type Mending = {
  readonly git: Git;
  readonly lock: RepoLock;
  /** Gives a new entry the HEAD that it has at rest. */
  readonly attach: (admin: string) => void;
};

/** `record.left` = what it was left at. Gives whether there was anything to do. */
export async function mendWorktree({ git, lock, attach }: Mending, workspace: Workspace, record: WorkspaceRecord): Promise<boolean> {
  const { path } = workspace;
  if (!isThere(path)) return lock.hold(async () => forgetEntries(git, path));
  const named = adminOf(git.commonDir, path);
  const whole = isWhole(git.commonDir, path, named);
  if (record.left === undefined || (whole && (!isTorn(join(named, 'index')) || operationIn(named) !== undefined))) return false;
  const { left } = record;
  return lock.hold(async () => {
    const admin = whole ? named : mendAdmin(git.commonDir, path, record.admin ?? named, left);
    if (!whole) attach(admin);
    const head = readHead(admin);
    const commit = await commitOf(git, head);
    if (head === undefined || commit === undefined) return false;
    await restoreIndex(git, workspace, commit);
    // Nothing without an entry goes along with its branch: it does so from where it was left.
    if (!whole && !(await isClean(git, workspace))) {
      await restoreIndex(git, workspace, left);
      if (!(await isClean(git, workspace))) await restoreIndex(git, workspace, commit);
    }
    publish(admin, 'ref' in head ? `ref: ${head.ref}` : head.commit, join(workspace.dir, 'index'));
    writeRecord(workspace, { ...record, admin });
    return true;
  });
}

async function isClean(git: Git, workspace: Workspace): Promise<boolean> {
  const { paths, unholdable } = await readChanges(git, workspace);
  return paths.length + unholdable.length === 0;
}

function forgetEntries(git: Git, path: string): boolean {
  const entries = listAdmins(git.commonDir).filter((admin) => pathOf(admin) === path);
  for (const entry of entries) rmSync(entry, { recursive: true, force: true });
  return entries.length > 0;
}
