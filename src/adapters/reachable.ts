/**
 * Whether a commit that somebody names is there and a branch, a remote one or a tag can reach it (6.3-R3). ToDone's own refs do not
 * count: they keep work that did not land.
 */
import type { Git } from './git.ts';

export type Reached = { readonly commit: string; readonly hash: string };

/** By commit: the ref that reaches it, and where that stood. */
type Witness = { readonly ref: string; readonly oid: string };

const REFS = ['refs/heads', 'refs/remotes', 'refs/tags'];
const WITNESSES_MAX = 1000;

/**
 * The commit that a hash means, if a ref can reach it. What a ref reaches does not change while it stands where it stood: only where it
 * has moved are all of them looked through again, by a process of git.
 */
export function openReachable(git: Git): (hash: string) => Promise<Reached | undefined> {
  const witnesses = new Map<string, Witness>();
  return async (hash) => {
    const commit = await git.objects.commitId(hash.toLowerCase());
    if (commit === undefined) return undefined;
    const before = witnesses.get(commit);
    if (!before || (await git.objects.info(before.ref))?.oid !== before.oid) {
      witnesses.delete(commit);
      const found = await witnessOf(git, commit);
      if (!found) return undefined;
      if (witnesses.size >= WITNESSES_MAX) witnesses.clear();
      witnesses.set(commit, found);
    }
    return { commit, hash: await git.objects.abbreviation(commit) };
  };
}

async function witnessOf(git: Git, commit: string): Promise<Witness | undefined> {
  const found = await git.run(['for-each-ref', '--count=1', '--format=%(objectname) %(refname)', `--contains=${commit}`, ...REFS]);
  const [oid = '', ref = ''] = found.stdout.toString('utf8').trim().split(' ');
  return found.code === 0 && ref !== '' ? { ref, oid } : undefined;
}
