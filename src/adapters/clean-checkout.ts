/**
 * A place to check a commit in that no agent has been in (`verifyIn: clean`, 4-R9): a worktree beside the section's, kept for its
 * tracked files only. Before each use everything that is not in the commit goes, ignored files too; then it gets copies and
 * hooks as a new workspace does.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WorkOrder } from '../engine/ports.ts';
import type { Git } from './git.ts';
import type { RepoLock } from './repo-lock.ts';
import { exec } from './exec.ts';
import { freePortIndex, setUp, type SetupOptions } from './workspace-setup.ts';
import { hasIndex, isThere, moveTo, placeOf, readRecord, restoreIndex, writeRecord, type Workspace } from './workspace.ts';
import { workspaceAt, workspacePath, type WorkspacesOptions } from './workspaces.ts';
import { ensureWorktree } from './worktree-add.ts';
import { publish } from './worktree-admin.ts';

export type CleanCheckout = {
  /** `work` in the folder, while nobody else of ours is in it. Throws where the place cannot be made. */
  use<T>(order: WorkOrder, commit: string, signal: AbortSignal, work: (path: string) => Promise<T>): Promise<T>;
};

const CLEAN_LIMIT_MS = 300_000;
const CLEAN = ['clean', '-ffdxq'];

export function openCleanCheckout(options: SetupOptions & Pick<WorkspacesOptions, 'lock' | 'trees'>): CleanCheckout {
  const { git } = options;
  return {
    use(order, commit, signal, work) {
      const workspace = { ...workspaceAt(git.home, cleanPath(options.trees, order.section)), section: order.section };
      return git.inTurn(workspace.dir, async () => {
        await prepare(options, workspace, order, commit, signal);
        return work(workspace.path);
      });
    },
  };
}

const cleanPath = (trees: string, section: string): string => `${workspacePath(trees, section, 1)}~verify`;

/** Removes a section's place, which holds a commit's files and what checks made of them; its path, where there is one. */
export function removeCleanCheckout(git: Git, lock: RepoLock, trees: string, section: string, dryRun: boolean): Promise<string | undefined> {
  const workspace = workspaceAt(git.home, cleanPath(trees, section));
  return git.inTurn(workspace.dir, async () => {
    const record = readRecord(workspace);
    if (!record || !isThere(workspace.path)) return undefined;
    if (dryRun) return workspace.path;
    await lock.hold(async () => {
      rmSync(workspace.path, { recursive: true, force: true, maxRetries: 3 });
      if (record.admin !== undefined) rmSync(record.admin, { recursive: true, force: true });
    });
    rmSync(workspace.dir, { recursive: true, force: true });
    return workspace.path;
  });
}

async function prepare(
  options: Parameters<typeof openCleanCheckout>[0],
  workspace: Workspace,
  order: WorkOrder,
  commit: string,
  signal: AbortSignal,
): Promise<void> {
  const { git, lock } = options;
  const before = readRecord(workspace);
  const ensured = await ensureWorktree(git, lock, { path: workspace.path, commit, ours: before !== undefined, knownAdmin: before?.admin });
  if (ensured.kind === 'taken') throw new Error(`there is no place for a clean checkout: ${ensured.message}`);
  if (!isThere(workspace.path)) throw new Error(`the clean checkout ${workspace.path} is gone`);
  const { admin } = ensured;
  const portIndex = before?.portIndex ?? freePortIndex(dirname(workspace.dir));
  const record = { version: 1, path: workspace.path, admin, preparing: false, left: commit, portIndex, copies: [] } as const;
  writeRecord(workspace, record);
  git.privateDir(workspace.dir, commit);
  if (ensured.kind !== 'added' && !hasIndex(workspace)) await restoreIndex(git, workspace, commit);
  await moveTo(git, workspace, commit);
  const place = { ...placeOf(workspace), timeoutMs: CLEAN_LIMIT_MS };
  if ((await git.run(CLEAN, place)).code !== 0) {
    // A check may have left folders that nobody may enter.
    await exec('chmod', ['-R', 'u+rwX', '--', workspace.path], { cwd: dirname(workspace.path), env: { PATH: git.command([]).env['PATH'] } });
    await git.ok(CLEAN, place);
  }
  publish(admin, commit, join(workspace.dir, 'index'));
  const set = await setUp(options, workspace, record, order, commit, signal);
  if (set.problem) throw new Error(`the clean checkout could not be set up: ${set.problem.message}`);
}
