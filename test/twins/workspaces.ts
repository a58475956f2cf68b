/**
 * Workspaces in memory, for the simulation and for the contract suite that also runs on git.
 * Never runs a hook; an agent's work is a change of `files(workspace)`.
 */
import type { Prepared, WorkOrder, Workspaces } from '../../src/engine/ports.ts';
import { changedPaths, mergeTrees, type MemoryRepo } from './repo.ts';

/** What the simulation may plant; each is asked at its call and answers undefined for the normal course. */
export type WorkspaceFaults = {
  readonly prepare?: (order: WorkOrder) => Prepared | undefined;
};

export type MemoryWorkspaces = Workspaces & {
  /** The files of a workspace, to be changed as an agent would. */
  filesOf(workspace: string): Map<string, string>;
  /** The workspace is deleted, as an agent might. */
  lose(workspace: string): void;
};

export function memoryWorkspaces(repo: MemoryRepo, faults: WorkspaceFaults = {}): MemoryWorkspaces {
  return {
    async prepare(order, from, signal) {
      signal.throwIfAborted();
      const planted = faults.prepare?.(order);
      if (planted) return planted;
      return prepareIn(repo, order, from);
    },
    async snapshot(order, label, workspace, start) {
      const space = repo.workspaces.get(workspace);
      const base = repo.commits.get(start);
      if (!space || !base || changedPaths(base.files, space.files).length === 0) return undefined;
      const ref = `refs/todone/${order.id}/${order.attempt}/${label}`;
      repo.refs.set(ref, repo.commit(start, space.files, `Snapshot: ${label}`));
      return ref;
    },
    async reset(_order, workspace, start) {
      const space = repo.workspaces.get(workspace);
      const base = repo.commits.get(start);
      if (space && base) Object.assign(space, { files: new Map(base.files), start, work: undefined });
    },
    async diff(workspace, start, maxChars) {
      const space = repo.workspaces.get(workspace);
      const base = repo.commits.get(start)?.files ?? new Map<string, string>();
      if (!space) return { text: '', files: [] };
      const files = changedPaths(base, space.files);
      const text = files.map((path) => `--- a/${path}\n+++ b/${path}\n-${base.get(path) ?? ''}\n+${space.files.get(path) ?? ''}\n`).join('');
      return { text: text.slice(0, maxChars), files };
    },
    async release(order, workspace) {
      const space = repo.workspaces.get(workspace);
      if (!space) return;
      const tip = repo.tip(order.section);
      Object.assign(space, { files: new Map(repo.commits.get(tip)?.files), start: tip, holder: undefined });
    },
    files: async (section) => [...(repo.commits.get(repo.tip(section))?.files.keys() ?? [])],
    filesOf(workspace) {
      const space = repo.workspaces.get(workspace);
      if (!space) throw new Error(`no workspace ${workspace}`);
      return space.files;
    },
    lose(workspace) {
      repo.workspaces.delete(workspace);
    },
  };
}

function prepareIn(repo: MemoryRepo, order: WorkOrder, from: string | undefined): Prepared {
  const workspace = order.slot === 1 ? `/trees/${order.section}` : `/trees/${order.section}~${order.slot}`;
  const port = 43_000 + order.slot * 10;
  const holder = `${order.id}/${order.ticket}/${order.attempt}`;
  const known = repo.workspaces.get(workspace);
  if (known?.holder === holder) return { kind: 'ready', workspace, start: known.start, port, notes: [] };

  const start = repo.tip(order.section);
  const tipFiles = repo.commits.get(start)!.files;
  const kept = from === undefined ? undefined : repo.commits.get(repo.refs.get(from) ?? from);
  const base = repo.commits.get(kept?.parent ?? '')?.files ?? new Map<string, string>();
  const { merged, conflicts } = kept ? mergeTrees(base, tipFiles, kept.files) : { merged: new Map(tipFiles), conflicts: [] };
  const files = conflicts.length > 0 ? new Map(tipFiles) : merged;
  repo.workspaces.set(workspace, { files, start, holder });
  const notes = conflicts.length > 0 ? [`the kept work conflicts with the branch in ${conflicts.join(', ')}: begun from the tip`] : [];
  return { kind: 'ready', workspace, start, port, notes };
}
