/**
 * Work kept as commits under `refs/todone/<id>/<attempt>/` (4-R5), made from the files themselves and never from the
 * agent's index; and kept work laid on a new tip. Never drops what an earlier snapshot of the same name held.
 */
import { GitFailed, type Git } from './git.ts';
import { buildTree, placeOf, type Change, type Workspace } from './workspace.ts';
import { readHead } from './worktree-admin.ts';

export type SnapshotOf = { readonly id: string; readonly attempt: number; readonly label: string };

/** Snapshots are ToDone's, not the engineer's; landed commits carry the engineer's name. */
const OURS = { name: 'ToDone', email: 'todone@localhost' };

export function snapshotRef(of: SnapshotOf): string {
  return `refs/todone/${of.id}/${of.attempt}/${of.label.replaceAll(/[^A-Za-z0-9-]/g, '-')}`;
}

/** The ref that now holds these changes, or undefined where they come to nothing. */
export async function keep(
  git: Git,
  workspace: Workspace,
  of: SnapshotOf,
  start: string,
  changes: readonly Change[],
  admin: string | undefined,
): Promise<string | undefined> {
  const tree = await buildTree(git, workspace, changes);
  const base = await git.objects.commit(start);
  if (base?.tree === tree) return undefined;
  const ref = snapshotRef(of);
  const earlier = await git.objects.commit(ref);
  if (earlier?.tree === tree && earlier.parents[0] === start) return ref;
  const parents = [start, earlier?.oid, await agentsCommit(git, admin)];
  const commit = await commitTree(git, tree, parents, `ToDone snapshot: ${of.label} of ${of.id}, attempt ${of.attempt}\n`);
  await moveSnapshot(git, ref, commit);
  return ref;
}

export async function moveSnapshot(git: Git, ref: string, commit: string): Promise<void> {
  const moved = await git.refs.move([{ ref, to: commit }]);
  if (moved.kind !== 'moved') throw new Error(`the snapshot ${ref} could not be written: ${moved.message}`);
}

export function commitTree(git: Git, tree: string, parents: readonly (string | undefined)[], message: string): Promise<string> {
  return git.commits.write({ tree, parents: [...new Set(parents.filter((parent) => parent !== undefined))], message, by: OURS });
}

export type Merged =
  | { readonly kind: 'clean'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly tree: string; readonly files: readonly string[]; readonly messages: string };

/** Three ways: the change from `commit`'s first parent to `commit`, laid on `tip`; attributes are those of the workspace. */
export async function mergeOnto(git: Git, workspace: Workspace, tip: string, commit: string): Promise<Merged> {
  const result = await git.run(
    ['merge-tree', '--write-tree', '--name-only', '--messages', '-z', '--allow-unrelated-histories', tip, commit],
    placeOf(workspace),
  );
  if ((result.code !== 0 && result.code !== 1) || result.truncated) throw new GitFailed(['merge-tree'], result);
  const fields = result.stdout.toString('utf8').split('\0');
  const tree = fields[0]!.trim();
  if (result.code === 0) return { kind: 'clean', tree };
  const end = fields.indexOf('', 1);
  return { kind: 'conflict', tree, files: [...new Set(fields.slice(1, end))], messages: conflictMessages(fields.slice(end + 1)) };
}

/** Kept work on a new tip: the tree to begin with, or the files in which both sides changed the same. */
export async function layKeptOn(git: Git, workspace: Workspace, tip: string, kept: string): Promise<Merged | { readonly kind: 'gone' }> {
  const commit = await git.objects.commit(kept);
  const base = commit?.parents[0];
  if (!commit || base === undefined) return { kind: 'gone' };
  if (base === tip) return { kind: 'clean', tree: commit.tree };
  // A snapshot may have more parents; the merge base has to be its start.
  const single = commit.parents.length === 1 ? commit.oid : await commitTree(git, commit.tree, [base], 'ToDone: kept work\n');
  return mergeOnto(git, workspace, tip, single);
}

/** What the agent committed stays reachable with its snapshot, even if it went back on it. */
async function agentsCommit(git: Git, admin: string | undefined): Promise<string | undefined> {
  const head = admin === undefined ? undefined : readHead(admin);
  if (head === undefined) return undefined;
  return git.objects.commitId('ref' in head ? head.ref : head.commit);
}

/** Each message is: how many paths, the paths, a type, the text. */
function conflictMessages(fields: readonly string[]): string {
  const texts: string[] = [];
  for (let at = 0; at < fields.length;) {
    const count = Number(fields[at]);
    if (!Number.isInteger(count) || fields[at] === '') break;
    const type = fields[at + count + 1] ?? '';
    if (type.startsWith('CONFLICT')) texts.push((fields[at + count + 2] ?? '').trim());
    at += count + 3;
  }
  return texts.join('\n');
}
