/**
 * What is left of tasks outside the journal: commits with their trailers and refs, snapshots, run folders, and how the archive
 * of the list last wrote their lines. Facts as values; what follows from them is `recover.ts`' and `reconcile.ts`' matter.
 */

/** A commit that landed a task. */
export type LandedFact = {
  readonly commit: string;
  readonly hash: string;
  /** The section whose branch has it; undefined where only the base or a ref of ours does. */
  readonly section?: string;
  /** The first line of its message: the task's title, where no agent chose another. */
  readonly subject: string;
};

/** A task's line as it once was. */
export type LineFact = { readonly section: string; readonly text: string; readonly occurrence: number };

/** Each by the task's id. */
export type Evidence = {
  readonly landed: ReadonlyMap<string, LandedFact>;
  /** The newest snapshot of work that did not land. */
  readonly kept: ReadonlyMap<string, string>;
  /** The highest ticket that has a run folder. */
  readonly tickets: ReadonlyMap<string, number>;
  readonly lines: ReadonlyMap<string, LineFact>;
};

export const NO_EVIDENCE: Evidence = { landed: new Map(), kept: new Map(), tickets: new Map(), lines: new Map() };

/** A commit with a ToDone-Task trailer. */
export type CommitFact = LandedFact & { readonly id: string; /** When its change was made, ms since 1970: the same for a copy of it. */ readonly at: number };

/** A snapshot of work that did not land. */
export type KeptFact = {
  readonly id: string;
  readonly ref: string;
  readonly commit: string;
  readonly attempt: number;
  readonly label: string;
  /** Ms since 1970. */
  readonly at: number;
};

export type GitFacts = {
  /** Newest first; on section branches, then on the base. */
  readonly commits: readonly CommitFact[];
  /** `refs/todone/landed/<id>`, by id. */
  readonly landed: ReadonlyMap<string, { readonly commit: string; readonly hash: string }>;
  /** Newest first. */
  readonly kept: readonly KeptFact[];
};

/** What git's facts tell of each task: its newest commit, its newest snapshot. */
export function evidenceOf(facts: GitFacts, tickets: ReadonlyMap<string, number>, lines: ReadonlyMap<string, LineFact>): Evidence {
  const landed = new Map<string, LandedFact>();
  for (const { id, commit, hash, section, subject } of facts.commits) if (!landed.has(id)) landed.set(id, { commit, hash, section, subject });
  for (const [id, named] of facts.landed) if (!landed.has(id)) landed.set(id, { ...named, subject: '' });
  const kept = new Map<string, string>();
  for (const snapshot of facts.kept) if (!kept.has(snapshot.id)) kept.set(snapshot.id, snapshot.ref);
  return { landed, kept, tickets, lines };
}
