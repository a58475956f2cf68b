/**
 * Worktrees that have a section's branch checked out: they go where the branch goes, if nothing in them is uncommitted
 * (4-R6). Never overwrites a file that git does not know.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '../engine/ports.ts';
import type { Git } from './git.ts';
import { standing } from './standing.ts';
import { copyIndex, isTorn, listWorktrees, type Worktree } from './worktree-admin.ts';

export type Follower = { readonly worktree: Worktree; readonly dir: string; readonly at: string };

export type Followers = { readonly kind: 'ready'; readonly followers: readonly Follower[] } | { readonly kind: 'busy'; readonly message: string };

/** What does not stand in the way: changes of the list, and worktrees that a run of ours is in. */
export type Overlooked = {
  readonly list: string | undefined;
  readonly isOurs: (path: string) => boolean;
  /** Where the branch was moved from, if we were killed before the worktrees had followed. */
  readonly behind?: string;
};

/** Those that would have to move with `ref` to `commit`, or who is in the way. */
export async function followersOf(git: Git, top: string, ref: string, commit: string, overlooked: Overlooked): Promise<Followers> {
  const onBranch = (worktree: Worktree): boolean => worktree.head !== undefined && 'ref' in worktree.head && worktree.head.ref === ref;
  const users = listWorktrees(git.commonDir, top).filter((worktree) => onBranch(worktree) && !overlooked.isOurs(worktree.path));
  const followers: Follower[] = [];
  for (const worktree of users) {
    const dir = join(git.home, 'guests', createHash('sha256').update(worktree.path).digest('hex').slice(0, 16));
    const ignore = new Set(overlooked.list === undefined ? [] : [overlooked.list]);
    const state = await standing(git, worktree, dir, { ignoreNew: true, ignore, behind: overlooked.behind });
    if (state.kind === 'dirty') return { kind: 'busy', message: `branch in use at ${worktree.path}: ${state.why}` };
    const trial = await readTree(git, { worktree, dir, at: state.at }, commit, ['--dry-run'], join(dir, 'index'));
    if (trial !== undefined) return { kind: 'busy', message: `branch in use at ${worktree.path}: ${trial}` };
    followers.push({ worktree, dir, at: state.at });
  }
  return { kind: 'ready', followers };
}

/** After the branch has moved: one that cannot follow now does so at its next look. */
export async function follow(git: Git, followers: readonly Follower[], commit: string, log: Log): Promise<void> {
  for (const follower of followers) {
    if (follower.at === commit) continue;
    const index = join(follower.worktree.admin, 'index');
    // One without an index would get what is new alone.
    if (isTorn(index)) copyIndex(join(follower.dir, 'index'), index);
    const trouble = await readTree(git, follower, commit, [], index);
    if (trouble !== undefined) log.write('warn', `${follower.worktree.path} did not move along with its branch: ${trouble}`);
  }
}

async function readTree(git: Git, follower: Follower, commit: string, flags: readonly string[], index: string): Promise<string | undefined> {
  const args = ['read-tree', ...flags, '-m', '-u', '--no-recurse-submodules', follower.at, commit];
  const result = await git.run(args, { dir: follower.dir, workTree: follower.worktree.path, index });
  return result.code === 0 ? undefined : result.stderr.trim().replace(/^(error|fatal): /, '');
}
