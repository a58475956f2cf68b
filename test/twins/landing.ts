/**
 * Landing in memory, for the simulation and for the contract suite that also runs on git.
 * Never screens contents: refusals are planted.
 */
import type { Advanced, Landing, LandingOrder, Squashed } from '../../src/engine/ports.ts';
import { changedPaths, mergeTrees, type MemoryRepo } from './repo.ts';

/** What the simulation may plant; each is asked at its call and answers undefined for the normal course. */
export type LandingFaults = {
  readonly squash?: (order: LandingOrder) => Squashed | undefined;
  readonly advance?: (order: LandingOrder) => Advanced | undefined;
};

const HASH_CHARS = 7;

export function memoryLanding(repo: MemoryRepo, faults: LandingFaults = {}): Landing {
  return {
    async squash(order) {
      return faults.squash?.(order) ?? squashIn(repo, order);
    },
    async checkout(workspace, commit) {
      const space = repo.workspaces.get(workspace);
      const tree = repo.commits.get(commit);
      if (!space || !tree) throw new Error(`cannot check out ${commit} in ${workspace}`);
      space.files = new Map(tree.files);
    },
    async advance(order, tip, commit) {
      const planted = faults.advance?.(order);
      if (planted) return planted;
      const branch = repo.branches.get(order.section);
      if (branch?.includes(commit)) return { kind: 'landed', commit, hash: commit.slice(0, HASH_CHARS) };
      if (branch?.at(-1) !== tip) return { kind: 'moved' };
      branch.push(commit);
      repo.refs.set(`refs/todone/landed/${order.id}`, commit);
      return { kind: 'landed', commit, hash: commit.slice(0, HASH_CHARS) };
    },
    async proof(section, id, hash) {
      const reachable = [...repo.base, ...(repo.branches.get(section) ?? [])];
      const byHash = hash === undefined ? undefined : reachable.find((commit) => commit.startsWith(hash));
      const byTrailer = reachable.findLast((commit) => repo.commits.get(commit)?.task === id);
      const commit = byHash ?? byTrailer ?? repo.refs.get(`refs/todone/landed/${id}`);
      return commit === undefined ? undefined : { commit, hash: commit.slice(0, HASH_CHARS) };
    },
  };
}

function squashIn(repo: MemoryRepo, order: LandingOrder): Squashed {
  const tip = repo.tip(order.section);
  const branch = repo.branches.get(order.section)!;
  const since = branch.slice(branch.indexOf(order.start) + 1);
  const landed = since.find((commit) => repo.commits.get(commit)?.task === order.id);
  if (landed !== undefined) return { kind: 'landed', commit: landed, hash: landed.slice(0, HASH_CHARS) };
  const space = repo.workspaces.get(order.workspace);
  if (!space) return { kind: 'refused', message: `the workspace ${order.workspace} is gone`, lost: true };

  const base = repo.commits.get(order.start)!.files;
  const tipFiles = repo.commits.get(tip)!.files;
  if (changedPaths(base, space.files).length === 0) return { kind: 'empty', tip };
  const { merged, conflicts } = mergeTrees(base, tipFiles, space.files);
  if (conflicts.length > 0) {
    for (const path of conflicts) merged.set(path, `<<<<<<<\n${tipFiles.get(path) ?? ''}=======\n${space.files.get(path) ?? ''}>>>>>>>\n`);
    Object.assign(space, { files: merged, start: tip });
    return { kind: 'conflict', message: `conflict in ${conflicts.join(', ')}`, evidence: conflicts.join('\n'), start: tip };
  }
  if (changedPaths(tipFiles, merged).length === 0) return { kind: 'empty', tip };
  const commit = repo.commit(tip, merged, order.message, order.id);
  return { kind: 'commit', commit, tree: `tree-of-${commit}`, tip, notes: [] };
}
