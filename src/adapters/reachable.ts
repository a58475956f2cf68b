/**
 * Whether a commit that somebody names is there and a branch, a remote one or a tag can reach it (6.3-R3). ToDone's own refs do not
 * count: they keep work that did not land.
 */
import type { Git } from './git.ts';

const REFS = ['refs/heads', 'refs/remotes', 'refs/tags'];

export async function reachable(git: Git, hash: string): Promise<{ readonly commit: string; readonly hash: string } | undefined> {
  const commit = await git.objects.commitId(hash.toLowerCase());
  if (commit === undefined) return undefined;
  const found = await git.run(['for-each-ref', '--count=1', '--format=x', `--contains=${commit}`, ...REFS]);
  return found.code === 0 && found.stdout.length > 0 ? { commit, hash: await git.objects.abbreviation(commit) } : undefined;
}
