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
    async squash(order, onto) {
      return faults.squash?.(order) ?? squashIn(repo, order, onto);
    },
    async preflight(order) {
      const squashed = repo.tip(order.section) === order.start ? undefined : squashIn(repo, order);
      return squashed?.kind === 'conflict' ? squashed : undefined;
    },
    async reword(order, squashed, message) {
      const { parent, files } = repo.commits.get(squashed.commit)!;
      return { ...squashed, commit: repo.commit(parent, files, message, order.id) };
    },
    async checkout(workspace, commit, own) {
      const space = repo.workspaces.get(workspace);
      const tree = repo.commits.get(commit);
      if (!space || !tree) throw new Error(`cannot check out ${commit} in ${workspace}`);
      space.files = new Map(tree.files);
      space.work = own;
    },
    async advance(order, tip, commit, below = []) {
      const planted = faults.advance?.(order);
      if (planted) return planted;
      const branch = repo.branches.get(order.section);
      const layers = [...below, { order, commit }];
      const landed = layers.map((layer) => ({ commit: layer.commit, hash: layer.commit.slice(0, HASH_CHARS) }));
      const answer = { kind: 'landed', ...landed.at(-1)!, below: landed.slice(0, -1) } as const;
      if (branch?.includes(commit)) return answer;
      if (branch?.at(-1) !== tip) return { kind: 'moved' };
      for (const layer of layers) {
        branch.push(layer.commit);
        repo.refs.set(`refs/todone/landed/${layer.order.id}`, layer.commit);
      }
      return answer;
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

function squashIn(repo: MemoryRepo, order: LandingOrder, onto?: string): Squashed {
  const tip = repo.tip(order.section);
  const branch = repo.branches.get(order.section)!;
  const since = branch.slice(branch.indexOf(order.start) + 1);
  const landed = since.find((commit) => repo.commits.get(commit)?.task === order.id);
  if (landed !== undefined) return { kind: 'landed', commit: landed, hash: landed.slice(0, HASH_CHARS) };
  const space = repo.workspaces.get(order.workspace);
  if (!space) return { kind: 'refused', message: `the workspace ${order.workspace} is gone`, lost: true };

  if (space.work !== undefined) Object.assign(space, { files: new Map(repo.commits.get(space.work)?.files), work: undefined });
  const below = onto ?? tip;
  const base = repo.commits.get(order.start)!.files;
  const belowFiles = repo.commits.get(below)!.files;
  if (changedPaths(base, space.files).length === 0) return { kind: 'empty', tip, notes: [] };
  const own = repo.commit(order.start, space.files, order.message);
  const { merged, conflicts } = mergeTrees(base, belowFiles, space.files);
  if (conflicts.length > 0) {
    if (onto !== undefined) return { kind: 'apart' };
    const kept = `refs/todone/${order.id}/${order.attempt}/conflict`;
    repo.refs.set(kept, own);
    for (const path of conflicts) merged.set(path, `<<<<<<<\n${belowFiles.get(path) ?? ''}=======\n${space.files.get(path) ?? ''}>>>>>>>\n`);
    Object.assign(space, { files: merged, start: tip });
    return { kind: 'conflict', message: `conflict in ${conflicts.join(', ')}`, evidence: conflicts.join('\n'), start: tip, kept };
  }
  if (changedPaths(belowFiles, merged).length === 0) return onto === undefined ? { kind: 'empty', tip, notes: [] } : { kind: 'apart' };
  const commit = repo.commit(below, merged, order.message, order.id);
  return { kind: 'commit', commit, tree: treeOf(merged), tip, own, notes: [] };
}

/** The same files, the same name. */
const treeOf = (files: ReadonlyMap<string, string>): string => `tree-of-${JSON.stringify([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
