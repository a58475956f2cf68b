/**
 * Whether a worktree that a person may use holds work that is not committed. Looks with our own config and a copy of
 * its index, and changes nothing in it.
 */
import { join } from 'node:path';
import { GitFailed, type Git } from './git.ts';
import { copyIndex, isTorn, operationIn, type Head, type Worktree } from './worktree-admin.ts';
import { placeOf, readChanges, restoreIndex, type Changes, type Workspace } from './workspace.ts';

export type Standing =
  /** All that is there is in this commit; behind HEAD where we were killed between moving the branch and the files. */
  { readonly kind: 'clean'; readonly at: string } | { readonly kind: 'dirty'; readonly why: string };

const SHOWN_FILES = 5;
/** How far behind its branch a worktree may have been left by a killed daemon. */
const MOST_BEHIND = 20;

/** What does not count: files that git does not know, those at these paths. */
export type Overlook = {
  readonly ignoreNew?: boolean;
  readonly ignore?: ReadonlySet<string>;
  /** A commit that it may have been left at, however far behind its branch. */
  readonly behind?: string;
};

/** `dir`: a private git directory that we may use for looking. */
export async function standing(git: Git, worktree: Worktree, dir: string, overlook: Overlook = {}): Promise<Standing> {
  const operation = operationIn(worktree.admin);
  if (operation !== undefined) return { kind: 'dirty', why: `git is in the middle of something there (${operation})` };
  const head = await commitOf(git, worktree.head);
  if (head === undefined) return { kind: 'dirty', why: 'its HEAD names no commit' };
  const eyes: Workspace = { section: '', slot: 0, path: worktree.path, dir };
  const differs = async (): Promise<Changes> => {
    const changes = await readChanges(git, eyes);
    const paths = changes.paths.filter((change) => !overlook.ignore?.has(change.name) && !(overlook.ignoreNew && change.kind === 'new'));
    return { paths, unholdable: overlook.ignoreNew ? [] : changes.unholdable };
  };

  git.privateDir(dir, head);
  const index = join(worktree.admin, 'index');
  // Git takes what is missing of one that was cut off for empty names.
  if (isTorn(index)) await restoreIndex(git, eyes, head);
  else copyIndex(index, join(dir, 'index'));
  let changes: Changes;
  try {
    changes = await differs();
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    // An index in parts that lie elsewhere: compare the files with HEAD.
    await restoreIndex(git, eyes, head);
    changes = await differs();
  }
  if (isNothing(changes)) return { kind: 'clean', at: head };

  const behind = worktree.head && 'ref' in worktree.head ? await commitOfIndex(git, eyes, head, overlook.behind) : undefined;
  if (behind !== undefined) {
    git.privateDir(dir, behind);
    if (isNothing(await differs())) return { kind: 'clean', at: behind };
    git.privateDir(dir, head);
  }
  return { kind: 'dirty', why: `uncommitted work: ${namesOf(changes)}` };
}

export function namesOf(changes: Changes): string {
  const names = [...changes.paths.map((change) => change.name), ...changes.unholdable.map((thing) => thing.name)];
  const rest = names.length - SHOWN_FILES;
  return names.slice(0, SHOWN_FILES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

export function commitOf(git: Git, head: Head): Promise<string | undefined> {
  if (head === undefined) return Promise.resolve(undefined);
  return git.objects.commitId('ref' in head ? head.ref : head.commit);
}

function isNothing(changes: Changes): boolean {
  return changes.paths.length === 0 && changes.unholdable.length === 0;
}

/** The nearest commit before HEAD, on its first parents, whose tree the index holds; or the one that it was moved from. */
async function commitOfIndex(git: Git, eyes: Workspace, head: string, from: string | undefined): Promise<string | undefined> {
  const written = await git.run(['write-tree'], placeOf(eyes));
  if (written.code !== 0) return undefined;
  const tree = written.stdout.toString('utf8').trim();
  let commit = await git.objects.commit(head);
  for (let i = 0; i < MOST_BEHIND && commit?.parents[0] !== undefined; i += 1) {
    commit = await git.objects.commit(commit.parents[0]);
    if (commit?.tree === tree) return commit.oid;
  }
  return from !== undefined && (await git.objects.commit(from))?.tree === tree ? from : undefined;
}
