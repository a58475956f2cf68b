/**
 * A repository in memory for the twins of Workspaces and Landing: commits, branches, refs and workspaces as maps.
 * Never touches a disk or git; merges whole files only.
 */
export type MemoryCommit = {
  readonly id: string;
  readonly parent: string | undefined;
  readonly files: ReadonlyMap<string, string>;
  readonly message: string;
  /** The task that it landed, as the trailer `ToDone-Task` says. */
  readonly task?: string;
};

export type MemoryWorkspace = {
  files: Map<string, string>;
  start: string;
  /** Which run prepared it: `id/ticket/attempt`; undefined once released. */
  holder: string | undefined;
  /** The run's work as a commit, while another one is checked out to be verified. */
  work?: string;
};

export type MemoryRepo = {
  readonly commits: Map<string, MemoryCommit>;
  /** Section name → its commits, oldest first. */
  readonly branches: Map<string, string[]>;
  /** What a new section starts from; oldest first. */
  readonly base: string[];
  readonly refs: Map<string, string>;
  readonly workspaces: Map<string, MemoryWorkspace>;
  commit(parent: string | undefined, files: ReadonlyMap<string, string>, message: string, task?: string): string;
  /** The section's tip, its branch made from base where there is none yet. */
  tip(section: string): string;
};

export function memoryRepo(files: Readonly<Record<string, string>> = { 'README.md': '# Demo\n' }): MemoryRepo {
  let count = 0;
  const repo: MemoryRepo = {
    commits: new Map(),
    branches: new Map(),
    base: [],
    refs: new Map(),
    workspaces: new Map(),
    commit(parent, contents, message, task) {
      count += 1;
      const id = count.toString(16).padStart(7, '0').padEnd(40, 'c');
      repo.commits.set(id, { id, parent, files: new Map(contents), message, task });
      return id;
    },
    tip(section) {
      const branch = repo.branches.get(section) ?? [...repo.base];
      repo.branches.set(section, branch);
      return branch.at(-1)!;
    },
  };
  repo.base.push(repo.commit(undefined, new Map(Object.entries(files)), 'First'));
  return repo;
}

/** Paths whose content differs between two trees, sorted. */
export function changedPaths(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): string[] {
  return [...new Set([...from.keys(), ...to.keys()])].filter((path) => from.get(path) !== to.get(path)).toSorted();
}

/** Three-way by whole files: the merged tree, and the paths that both sides changed differently. */
export function mergeTrees(base: ReadonlyMap<string, string>, ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>) {
  const merged = new Map(ours);
  const conflicts: string[] = [];
  for (const path of changedPaths(base, theirs)) {
    const wanted = theirs.get(path);
    if (ours.get(path) !== base.get(path) && ours.get(path) !== wanted) conflicts.push(path);
    else if (wanted === undefined) merged.delete(path);
    else merged.set(path, wanted);
  }
  return { merged, conflicts };
}
