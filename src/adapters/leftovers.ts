/**
 * What is left in a workspace of ours: kept in a snapshot before anything is cleaned (4-R5), and said where no snapshot
 * can hold it. Never removes a repository of its own.
 */
import type { Log } from '../engine/ports.ts';
import type { Git } from './git.ts';
import { keep, type SnapshotOf } from './snapshots.ts';
import { namesOf } from './standing.ts';
import {
  hasIndex,
  headOf,
  moveTo,
  readChanges,
  removeNew,
  restoreIndex,
  type Changes,
  type Unholdable,
  type Workspace,
  type WorkspaceRecord,
} from './workspace.ts';

/** Our index for what an earlier run left; made anew where our state was lost. */
export async function adoptLeftovers(git: Git, workspace: Workspace, before: WorkspaceRecord | undefined, tip: string): Promise<void> {
  const known = before?.start === undefined ? undefined : await git.objects.commitId(before.start);
  const base = known ?? tip;
  if (hasIndex(workspace) && headOf(workspace) !== undefined) git.privateDir(workspace.dir, headOf(workspace)!);
  else await restoreIndex(git, workspace, base);
}

/**
 * Everything that differs is kept in a snapshot, then the files become those of `commit`. Answers what cannot be kept.
 * `untouched`: nothing can differ, so that nobody looks.
 */
export async function clearOut(
  git: Git,
  log: Log,
  workspace: Workspace,
  commit: string,
  of: SnapshotOf,
  admin: string,
  record: WorkspaceRecord | undefined,
  untouched = false,
): Promise<readonly Unholdable[]> {
  const copies = record?.copies.map((copy) => copy.path);
  const copied = new Set(copies);
  const look = async (): Promise<Changes> => {
    const changes = await readChanges(git, workspace);
    return { ...changes, paths: changes.paths.filter((change) => !copied.has(change.name)) };
  };
  const save = async (changes: Changes, label: string): Promise<void> => {
    const start = headOf(workspace)!;
    const ref = await keep(git, workspace, { ...of, label }, start, changes.paths, admin);
    if (ref !== undefined) log.write('info', `work found in ${workspace.path} was kept in ${ref}`, { files: namesOf(changes) });
    removeNew(workspace, changes, copied);
  };

  const changes: Changes = untouched ? { paths: [], unholdable: [] } : await look();
  if (changes.unholdable.length > 0) return changes.unholdable;
  const moves = headOf(workspace) !== commit;
  if (changes.paths.length === 0 && !moves) return [];
  // In one that was never set up to its end, missing files were not there yet.
  const halfMade = record?.preparing === true && changes.paths.every((change) => change.kind === 'removed');
  if (changes.paths.length > 0 && !halfMade) await save(changes, of.label);
  await moveTo(git, workspace, commit);
  // What was ignored before may not be ignored on this commit.
  const after = await look();
  if (after.paths.length > 0) await save(after, `${of.label}-unignored`);
  return after.unholdable;
}

export function keptMessage(workspace: Workspace, things: readonly Unholdable[]): string {
  const what = things.map(({ name, why }) => `${name} is ${why}`).join(', ');
  return `the workspace ${workspace.path} is kept as it is: ${what}, which no snapshot can hold. Move it away`;
}
