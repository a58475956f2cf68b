/**
 * Removes the workspaces of a section (4-R5): what is in one goes to a snapshot first; one with a person's uncommitted work, or
 * with something that no snapshot can hold, is kept and says why. Never removes a branch, and leaves nothing half removed that a
 * later run would take for somebody's work.
 */
import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../engine/ports.ts';
import type { Git } from './git.ts';
import { adoptLeftovers, clearOut, keptMessage } from './leftovers.ts';
import { personsWork } from './occupy.ts';
import type { RepoLock } from './repo-lock.ts';
import { snapshotRef } from './snapshots.ts';
import { hasIndex, isThere, placeOf, readChanges, readRecord, writeRecord, type Workspace, type WorkspaceRecord } from './workspace.ts';
import { workspaceAt, workspacePath } from './workspaces.ts';
import { adminOf, isWhole, readHead } from './worktree-admin.ts';

export type Cleaning = {
  readonly git: Git;
  readonly lock: RepoLock;
  readonly log: Log;
  /** Absolute folder of the worktrees. */
  readonly trees: string;
  readonly dryRun: boolean;
  /** Asked once nothing else can happen in the workspace: why the section is not over after all. */
  readonly stillOver: () => string | undefined;
  /** `hooks.beforeRemove`; why the workspace is kept, where it fails. */
  readonly beforeRemove?: (path: string, section: string) => Promise<string | undefined>;
};

export type CleanedWorkspace = {
  readonly path: string;
  readonly outcome: 'removed' | 'would' | 'kept';
  readonly why: string | null;
  readonly snapshot: string | null;
  readonly ignored: readonly string[];
};

const SHOWN_IGNORED = 20;
const LEFT = 'left';

/** The slots that a section has a folder for, in order. */
export function slotsOf(trees: string, section: string): number[] {
  const stem = workspacePath(trees, section, 1);
  const slots = existsSync(stem) ? [1] : [];
  const name = stem.slice(dirname(stem).length + 1);
  for (const entry of namesIn(dirname(stem))) {
    const slot = entry.startsWith(`${name}~`) ? Number(entry.slice(name.length + 1)) : Number.NaN;
    if (Number.isInteger(slot) && slot > 1) slots.push(slot);
  }
  return slots.sort((one, other) => one - other);
}

export async function cleanWorkspace(use: Cleaning, section: string, slot: number): Promise<CleanedWorkspace> {
  const path = workspacePath(use.trees, section, slot);
  const workspace: Workspace = { ...workspaceAt(use.git.home, path), section, slot };
  const kept = (why: string): CleanedWorkspace => ({ path, outcome: 'kept', why, snapshot: null, ignored: [] });
  return use.git.inTurn(workspace.dir, async () => {
    const begun = use.stillOver();
    if (begun !== undefined) return kept(begun);
    if (!isThere(path)) return kept('it is no folder');
    const record = readRecord(workspace);
    const admin = adminOf(use.git.commonDir, path);
    if (!record || !isWhole(use.git.commonDir, path, admin)) return kept('ToDone did not make it, or git does not know it as a worktree any more');
    const changedCopy = record.copies.find((copy) => isChanged(path, copy));
    if (changedCopy) return kept(`${changedCopy.path} was changed in it, and git ignores that file: no snapshot can hold it`);
    // Left to people since its last run: what they have not committed is theirs.
    const busy = record.left === undefined ? undefined : await personsWork(use, workspace, admin, record);
    if (busy !== undefined) return kept(busy);
    const ignored = await ignoredIn(use.git, workspace);
    if (use.dryRun) return dryRun(use, workspace, record, ignored, kept);
    const refused = await use.beforeRemove?.(path, section);
    if (refused !== undefined) return kept(refused);
    const snapshot = await emptied(use, workspace, record, admin);
    if (typeof snapshot === 'object') return kept(snapshot.why);
    await remove(use, workspace, record, admin);
    return { path, outcome: 'removed', why: null, snapshot: snapshot ?? null, ignored };
  });
}

async function dryRun(
  use: Cleaning,
  workspace: Workspace,
  record: WorkspaceRecord,
  ignored: readonly string[],
  kept: (why: string) => CleanedWorkspace,
): Promise<CleanedWorkspace> {
  if (!hasIndex(workspace)) return { path: workspace.path, outcome: 'would', why: null, snapshot: null, ignored };
  const changes = await readChanges(use.git, workspace);
  if (changes.unholdable.length > 0) return kept(keptMessage(workspace, changes.unholdable));
  const copies = new Set(record.copies.map((copy) => copy.path));
  const differs = changes.paths.some((change) => !copies.has(change.name));
  return { path: workspace.path, outcome: 'would', why: null, snapshot: differs ? labelOf(record) : null, ignored };
}

/** What is in it is in a snapshot now, if there was anything: its ref, or why it cannot be. */
async function emptied(use: Cleaning, workspace: Workspace, record: WorkspaceRecord, admin: string): Promise<string | undefined | { readonly why: string }> {
  const head = readHead(admin);
  const tip = await use.git.objects.commitId(record.start ?? (head && ('ref' in head ? head.ref : head.commit)) ?? '');
  if (tip === undefined) return { why: 'its commit is gone: what is in it could not be compared' };
  await adoptLeftovers(use.git, workspace, record, tip);
  const ref = labelOf(record);
  const before = await use.git.objects.commitId(ref);
  const of = { id: record.holder?.id ?? OF_NOBODY, attempt: record.holder?.attempt ?? 1, label: LEFT };
  const unholdable = await clearOut(use.git, use.log, workspace, tip, of, admin, record);
  if (unholdable.length > 0) return { why: keptMessage(workspace, unholdable) };
  return (await use.git.objects.commitId(ref)) === before ? undefined : ref;
}

/** No task has had it: a section's name is no id. */
const OF_NOBODY = 'nobody00';

const labelOf = (record: WorkspaceRecord): string => snapshotRef({ id: record.holder?.id ?? OF_NOBODY, attempt: record.holder?.attempt ?? 1, label: LEFT });

async function remove(use: Cleaning, workspace: Workspace, record: WorkspaceRecord, admin: string): Promise<void> {
  // Killed from here on: files that are missing are known to be ours.
  writeRecord(workspace, { ...record, preparing: true, left: undefined, createdFor: undefined, copies: [] });
  await use.lock.hold(async () => {
    rmSync(workspace.path, { recursive: true, force: true, maxRetries: 3 });
    rmSync(admin, { recursive: true, force: true });
  });
  rmSync(workspace.dir, { recursive: true, force: true });
  for (let folder = dirname(workspace.path); folder.startsWith(use.trees); folder = dirname(folder)) if (!removeIfEmpty(folder)) break;
}

function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** A copy that we made, as we made it. */
function isChanged(path: string, copy: WorkspaceRecord['copies'][number]): boolean {
  const stat = statSync(join(path, copy.path), { throwIfNoEntry: false });
  return stat !== undefined && (stat.size !== copy.writtenSize || Math.abs(stat.mtimeMs - copy.writtenMs) > 1);
}

/** What git ignores there, whole folders as one. */
async function ignoredIn(git: Git, workspace: Workspace): Promise<string[]> {
  if (!hasIndex(workspace)) return [];
  const listed = await git.run(['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'], placeOf(workspace));
  const names = listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
  return names.length > SHOWN_IGNORED ? [...names.slice(0, SHOWN_IGNORED), `and ${names.length - SHOWN_IGNORED} more`] : names;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
