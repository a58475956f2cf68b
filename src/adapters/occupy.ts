/**
 * Makes a workspace ours for a run: there, clean, detached on the section's tip (4-R3). Never takes one in which a
 * person has work that is not committed.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log, Prepared, WorkOrder } from '../engine/ports.ts';
import type { Git } from './git.ts';
import { adoptLeftovers, clearOut, keptMessage } from './leftovers.ts';
import type { RepoLock } from './repo-lock.ts';
import { standing } from './standing.ts';
import { ensureWorktree } from './worktree-add.ts';
import { publish, readHead } from './worktree-admin.ts';
import { freePortIndex } from './workspace-setup.ts';
import { headOf, isThere, moveTo, writeRecord, type Workspace, type WorkspaceRecord } from './workspace.ts';

export type Occupying = { readonly git: Git; readonly lock: RepoLock; readonly log: Log; /** The private sides of all workspaces. */ readonly rooms: string };

/** Makes the workspace ours for this run: there, ours or a person's committed state, clean, detached on the tip. */
export async function occupy(
  use: Occupying,
  workspace: Workspace,
  before: WorkspaceRecord | undefined,
  order: WorkOrder,
  tip: string,
): Promise<{ record: WorkspaceRecord } | Prepared> {
  const { git } = use;
  const fresh: WorkspaceRecord = before ?? { version: 1, path: workspace.path, preparing: true, portIndex: freePortIndex(use.rooms), copies: [] };
  // The intent: a `worktree add` that is killed from here on is known to be ours.
  if (!isThere(workspace.path)) writeRecord(workspace, { ...fresh, preparing: true, left: undefined, createdFor: undefined });
  const ensured = await ensureWorktree(git, use.lock, { path: workspace.path, commit: tip, ours: before !== undefined, knownAdmin: before?.admin });
  if (ensured.kind === 'taken') return { kind: 'busy', message: ensured.message };

  const { admin } = ensured;
  const mine = {
    ...fresh,
    admin,
    holder: { id: order.id, ticket: order.ticket, attempt: order.attempt },
    start: tip,
    preparing: true,
    left: undefined,
    work: undefined,
  };
  if (ensured.kind === 'added') {
    writeRecord(workspace, { ...mine, createdFor: undefined });
    rmSync(join(workspace.dir, 'index'), { force: true });
    git.privateDir(workspace.dir, tip);
    await moveTo(git, workspace, tip);
    publish(admin, tip, join(workspace.dir, 'index'));
    return { record: { ...mine, createdFor: undefined } };
  }

  let clean = false;
  const persons = before ? before.left !== undefined : 'ref' in (readHead(admin) ?? {});
  if (persons) {
    const busy = await personsWork(use, workspace, admin, before);
    if (busy !== undefined) return { kind: 'busy', message: busy };
    clean = headOf(workspace) === tip;
    writeRecord(workspace, mine);
  } else {
    await adoptLeftovers(git, workspace, before, tip);
  }
  const of = { id: before?.holder?.id ?? order.id, attempt: before?.holder?.attempt ?? order.attempt, label: 'left' };
  const unholdable = clean ? [] : await clearOut(git, use.log, workspace, tip, of, admin, before);
  if (unholdable.length > 0) return { kind: 'busy', message: keptMessage(workspace, unholdable) };
  writeRecord(workspace, mine);
  publish(admin, tip, join(workspace.dir, 'index'));
  return { record: mine };
}

/** A person may have worked in a workspace that no run is in. What they have not committed is theirs. */
export async function personsWork(
  use: Pick<Occupying, 'git'>,
  workspace: Workspace,
  admin: string,
  before: WorkspaceRecord | undefined,
): Promise<string | undefined> {
  const head = readHead(admin);
  const state = await standing(use.git, { path: workspace.path, admin, head }, workspace.dir, { ignore: new Set(before?.copies.map((copy) => copy.path)) });
  if (state.kind === 'dirty') return `the worktree ${workspace.path} is in use: ${state.why}. Commit or stash it there`;
  const detached = head !== undefined && 'commit' in head && head.commit !== before?.left ? head.commit : undefined;
  if (detached === undefined) return undefined;
  const holders = await use.git.ok(['for-each-ref', '--count=1', '--contains', detached, '--format=%(refname)']);
  return holders.length > 0 ? undefined : `the worktree ${workspace.path} is in use: its commit ${detached.slice(0, 7)} is on no branch. Make a branch for it`;
}
