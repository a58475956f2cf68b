/**
 * What the engine needs of the outside, in the engine's words: small interfaces, each with an in-memory twin
 * for tests and a real adapter, and one contract suite for both. Never names a library, a git command or a table.
 */
import type { Board, Edit, Edited } from '../tasks/task.ts';
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import type { Caller } from '../runs/caller.ts';
import type { Called, RequestName } from '../runs/requests.ts';
import type { AgentChoice } from '../runs/settings.ts';
import type { End, Found, Known, Run, Spent, Step, TaskText, Usage } from '../runs/run.ts';

export interface Clock {
  /** Wall time, ms since 1970: for display and dates. */
  now(): number;
  /** Monotonic ms: for limits and waits. */
  ticks(): number;
  /** Calls back once after `ms`; the returned function takes it back. */
  after(ms: number, then: () => void): () => void;
}

// ── the list ─────────────────────────────────────────────────────────────────────────────────────

/** What a look at the list gave. `text` is without BOM; `version` changes with every byte. */
export type Reading =
  | { readonly kind: 'read'; readonly text: string; readonly version: string; readonly modifiedAt: number; readonly git: GitState }
  | { readonly kind: 'missing'; readonly git: GitState }
  /** Cannot be used: not UTF-8, too large, unreadable, hard-linked, a folder…: said to the person, nothing touched. */
  | { readonly kind: 'refused'; readonly message: string; readonly remedy: string; readonly git: GitState };

/** What git is doing with the main worktree (1.4-R7). Equal values = nothing moved. */
export type GitState = {
  /** HEAD's ref and commit, stash tip, as one string. */
  readonly position: string;
  /** A merge, rebase, cherry-pick, revert, bisect or index lock in progress, by name. */
  readonly operation?: string;
  /** The list's bytes are exactly those of git's index or HEAD. */
  readonly listIsCommitted: boolean;
  /** Changes whenever git's index is written: what `git checkout -- <list>` moves beside the list. */
  readonly index?: string;
};

export type Written = {
  readonly results: readonly Edited[];
  /** The list after the write, as the file holds it now (with what an editor saved in between). */
  readonly reading: Reading;
  /** False where nothing needed to be written. */
  readonly wrote: boolean;
  /** What the edits made of the caller's board, where the list holds that now. */
  readonly board?: Board;
};

export interface TaskFile {
  readonly path: string;
  read(): Promise<Reading>;
  /**
   * The one write path (1.4-R3): lock, read, scan, change, intent, write beside, exchange, compare, merge, archive.
   * Throws `ListRefused` where the list cannot be written now (read-only, missing, no space); nothing is half done.
   */
  edit(edits: readonly Edit[], known?: Board): Promise<Written>;
  /** A hint that the list may have changed; never the truth. The returned function ends it. */
  watch(hint: () => void): Promise<() => Promise<void>>;
  /** Finishes what a crash interrupted and merges late writes on displaced files; at start and in idle time. */
  recover(): Promise<void>;
  /** Puts a text that the list had into its versions; gives the version's name. */
  keep(text: string): Promise<string>;
}

export class ListRefused extends Error {
  override name = 'ListRefused';
  readonly remedy: string;
  readonly code: string;
  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

// ── the journal ──────────────────────────────────────────────────────────────────────────────────

/** One line of a task's life (6.3-R2). */
export type HistoryRow = {
  readonly at: number;
  readonly id: string;
  readonly field: string;
  readonly old: string | null;
  readonly new: string | null;
  /** A person, an agent with its model, or an instance. */
  readonly by: string;
  /** `list`, `engine`, `cli`, `socket`, `mcp`, `api`. */
  readonly via: string;
};

/** The rows that one turn changed; `null` = the row is gone. */
export type Changes = {
  readonly known: ReadonlyMap<string, Known>;
  readonly runs: ReadonlyMap<string, Run | null>;
  readonly meta: ReadonlyMap<string, string | null>;
  readonly history: readonly HistoryRow[];
};

export type Stored = {
  /** Made when the journal was made; a new journal has another one. */
  readonly epoch: string;
  readonly known: readonly Known[];
  readonly runs: readonly Run[];
  readonly meta: ReadonlyMap<string, string>;
};

export interface Journal {
  load(): Stored;
  /**
   * One transaction, durable at return where it claims or ends a run, or with `later` not before `secure` has settled; throws `StaleOwner`
   * when a newer owner has a higher term.
   */
  commit(changes: Changes, later?: boolean): void;
  /** All that was committed is durable: one wait of the disk for many commits. */
  secure(): Promise<void>;
  history(id: string): readonly HistoryRow[];
  close(): void;
}

/** Somebody else owns the list by now: nothing was stored, and nothing more may be. */
export class StaleOwner extends Error {
  override name = 'StaleOwner';
  readonly ours: number;
  readonly theirs: number;
  constructor(ours: number, theirs: number) {
    super(`another process owns this list by now (its term is ${theirs}, ours is ${ours}): nothing was stored`);
    this.ours = ours;
    this.theirs = theirs;
  }
}

// ── workspaces, snapshots, landing ───────────────────────────────────────────────────────────────

/** Everything that git needs to know about a run; all ids are safe names by then. */
export type WorkOrder = {
  readonly id: string;
  readonly ticket: number;
  readonly attempt: number;
  readonly section: string;
  readonly slot: number;
};

export type Prepared =
  | { readonly kind: 'ready'; readonly workspace: string; readonly start: string; readonly port: number; readonly notes: readonly string[] }
  /** The section cannot be worked on for now: a person's uncommitted work, branch in use… */
  | { readonly kind: 'busy'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly transient: boolean };

/** Where runs work (4-R1…R5). Serialises what git cannot do side by side. */
export interface Workspaces {
  /**
   * The workspace of this run on a clean tree at the branch's tip, detached; made where needed with its
   * copies and hooks. `from` = kept work to start from (2-R4). Looks first: a workspace already prepared
   * for this id, ticket and attempt is given back as it is.
   */
  prepare(order: WorkOrder, from: string | undefined, signal: AbortSignal): Promise<Prepared>;
  /** Tracked and untracked work to `refs/todone/<id>/<attempt>/<label>`; the ref, or undefined when nothing differs from `start`. */
  snapshot(order: WorkOrder, label: string, workspace: string, start: string): Promise<string | undefined>;
  /** Undoes everything since `start` (after a snapshot): for read-only phases and before a next attempt. */
  reset(order: WorkOrder, workspace: string, start: string): Promise<void>;
  /** What changed since `start`, as a diff of at most `maxChars` and a list of files. */
  diff(workspace: string, start: string, maxChars: number): Promise<{ readonly text: string; readonly files: readonly string[] }>;
  /** Every path in the section's tip, or in what it would start from; the same array for the same tip. */
  files(section: string): Promise<readonly string[]>;
  /** The run is over: `afterRun`, the worktree back on its branch's tip where that is safe. */
  release(order: WorkOrder, workspace: string, signal: AbortSignal): Promise<void>;
}

export type LandingOrder = WorkOrder & {
  readonly workspace: string;
  readonly start: string;
  readonly title: string;
  readonly message: string;
  readonly agent: string;
  readonly model?: string;
  readonly noCommit: boolean;
};

/** What `squash` made of a workspace: the one commit, rebased on the branch's tip, not yet on the branch. */
export type Squashed =
  | {
      readonly kind: 'commit';
      readonly commit: string;
      readonly tree: string;
      readonly tip: string;
      /** The same work on its own start: what the workspace goes back to where the commit does not land. */
      readonly own: string;
      readonly notes: readonly string[];
    }
  /** `notes`: what was left out, where anything was. */
  | { readonly kind: 'empty'; readonly tip: string; readonly notes: readonly string[] }
  /** The task's commit is on the branch already: an earlier try got there. */
  | { readonly kind: 'landed'; readonly commit: string; readonly hash: string }
  /** Both sides are in the workspace now, marked in the files; `start` is the tip that it stands on: the run's new start. */
  | { readonly kind: 'conflict'; readonly message: string; readonly evidence: string; readonly start: string; readonly kept: string }
  /** Does not go together with the commit that it was to be laid on, which has not landed: to be landed by itself. */
  | { readonly kind: 'apart' }
  /** Nested repositories, links out of the tree, conflict markers, secrets, too large files; or the workspace is gone. */
  | { readonly kind: 'refused'; readonly message: string; readonly lost?: boolean }
  /** Not now, through no fault of the work: no key at hand to sign with. Asked again later. */
  | { readonly kind: 'busy'; readonly message: string };

export type Advanced =
  | { readonly kind: 'landed'; readonly commit: string; readonly hash: string; readonly below: readonly { readonly commit: string; readonly hash: string }[] }
  /** The branch moved in between: squash again. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'busy'; readonly message: string };

/** One commit of several that land together. */
export type Layer = { readonly order: LandingOrder; readonly commit: string };

/** The landing primitives (4-R6); `land.ts` says in which order. Serial per branch. */
export interface Landing {
  /** With `onto`, a commit above the tip, it is laid on that; nothing in the workspace changes then. */
  squash(order: LandingOrder, onto?: string): Promise<Squashed>;
  /** A conflict with what has landed since the run began, given back as `squash` does; undefined where there is none to be seen yet. */
  preflight(order: LandingOrder): Promise<Extract<Squashed, { kind: 'conflict' }> | undefined>;
  /**
   * The workspace's tree becomes exactly `commit`, ignored files kept: where `verify` runs. With `own` that is for a while
   * only: the next `squash` finds the work of `own` there again, whatever happened in between.
   */
  checkout(workspace: string, commit: string, own?: string): Promise<void>;
  /**
   * Compare-and-swap of the section's branch from `tip` to `commit`; worktrees that have it checked out move along. `below`:
   * the commits between the two, oldest first, each with its order; they land in the same swap.
   */
  advance(order: LandingOrder, tip: string, commit: string, below?: readonly Layer[]): Promise<Advanced>;
  /** The same commit with another message. */
  reword(order: LandingOrder, squashed: Extract<Squashed, { kind: 'commit' }>, message: string): Promise<Squashed>;
  /** Whether the task with this id is in the branch or base by hash, trailer or `refs/todone/landed` (4-R9). */
  proof(section: string, id: string, hash?: string): Promise<{ readonly commit: string; readonly hash: string } | undefined>;
}

// ── a section's branch as a whole (4-R10) ────────────────────────────────────────────────────────

/** `sync` = the base into the section's branch; `land` = the section's branch into the base. */
export type MergeWay = 'sync' | 'land';

export type Merging =
  /** There is nothing to merge; worktrees that were left behind have followed. */
  | { readonly kind: 'current'; readonly message: string }
  /** The merged commit, not on `branch` yet, whose tip is `tip`. `message` says what it does. */
  | { readonly kind: 'merged'; readonly branch: string; readonly tip: string; readonly commit: string; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string; readonly remedy: string }
  | Unmergeable;

/** `busy` = not now, `refused` = not before a person has changed something. */
export type Unmergeable =
  | { readonly kind: 'refused'; readonly message: string; readonly remedy: string }
  | { readonly kind: 'busy'; readonly message: string; readonly remedy: string };

export type Merged = Extract<Merging, { kind: 'merged' }>;

/** Each looks first whether it has already happened. */
export interface Branches {
  merge(section: string, way: MergeWay): Promise<Merging>;
  /**
   * The command on exactly this commit, in a clean checkout; undefined where it is a check in words, or has
   * passed on the same tree before. Throws where there can be none.
   */
  verify(order: ErrandOrder, commit: string, command: string, signal: AbortSignal): Promise<Verified | undefined>;
  /** Compare-and-swap of the branch; worktrees that have it checked out move along. */
  advance(section: string, way: MergeWay, merged: Merged): Promise<Advanced>;
  push(order: ErrandOrder, signal: AbortSignal): Promise<ErrandEnd>;
  /** After a push: the section's one pull request, made or brought up to date. */
  pullRequest(order: ErrandOrder, signal: AbortSignal): Promise<ErrandEnd>;
}

// ── agents ───────────────────────────────────────────────────────────────────────────────────────

/** One event form for every agent's stream (5.3-R2). */
export type AgentEvent =
  /** `aside`: said by the client and not by the agent: a warning, a retry. No sign of progress. */
  | { readonly kind: 'text'; readonly text: string; readonly aside?: boolean }
  | { readonly kind: 'tool'; readonly name: string; readonly input?: string; readonly output?: string; readonly failed?: boolean }
  | { readonly kind: 'file'; readonly path: string; readonly change: 'added' | 'changed' | 'removed' }
  | { readonly kind: 'usage'; readonly usage: Usage; readonly cumulative: boolean }
  | { readonly kind: 'limit'; readonly message: string; readonly resetAt?: number }
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'error'; readonly message: string; readonly class: ErrorClass };

export type ErrorClass = 'transient' | 'limit' | 'auth' | 'config' | 'refusal' | 'real';

export type PhaseOrder = WorkOrder & {
  readonly step: Step;
  readonly workspace: string;
  readonly start: string;
  readonly port: number;
  readonly agent: string;
  readonly model?: string;
  readonly prompt: string;
  /** The task as the list has it: for the embedded agent's `run:`. */
  readonly task: TaskText;
  readonly session?: string;
  /** What the session had used before, for clients that count the whole of it. */
  readonly sessionUsage?: Usage;
  readonly readOnly: boolean;
  readonly plan?: string;
  readonly limitMs: number;
  /** What its budgets leave to it (5.3-R7). */
  readonly allowance?: { readonly [U in keyof Spent]?: number };
};

export type { TaskText };

export type PhaseEnd = {
  readonly end: End;
  /** The last lines that it printed, control characters removed, secrets redacted. */
  readonly tail: string;
  readonly found: Found;
};

/** What an agent is, and whether it can be had here. */
export type AgentInfo = AgentChoice & { readonly version?: string };

export interface Agents {
  list(): readonly AgentInfo[];
  /** The command line as it would be started, for the dry run. */
  preview(agent: string, model: string | undefined): string;
  /**
   * One phase, to its end: started, streamed to its log, limited, swept. Aborting stops it: TERM, after 10 s KILL.
   * Looks first: a phase of this ticket whose end was written is not repeated.
   */
  run(order: PhaseOrder, activity: (event: AgentEvent) => void, signal: AbortSignal): Promise<PhaseEnd>;
  /** Kills whatever still carries the mark of this journal (or of one task): at start and after a stop. */
  sweep(id?: string): Promise<number>;
}

export type Verified = {
  readonly ok: boolean;
  readonly command: string;
  readonly output: string;
  readonly code: number | undefined;
  readonly timedOut: boolean;
};

/** Commands by design (5.3-R9): `verify`, through the same door as agents. */
export interface Verify {
  /** Undefined where the first word is no command: a check in words. */
  run(order: WorkOrder, command: string, workspace: string, signal: AbortSignal): Promise<Verified | undefined>;
  /** Whether the command has passed on this tree before (4-R9). */
  hasPassed(tree: string, command: string): boolean;
  passed(tree: string, command: string): void;
}

/** `missing`: the config names one that the base does not have. `message` where a hook has changed that of the commit. */
export type Hooked =
  | { readonly kind: 'fine'; readonly message?: string }
  | { readonly kind: 'failed'; readonly message: string; readonly evidence: string }
  | { readonly kind: 'missing'; readonly message: string };

/** The repository's own hooks, those that `landHooks` lists (4-R8). */
export interface LandHooks {
  /** On a commit that the order's workspace stands on; what they do to its files is not taken. */
  run(order: LandingOrder, commit: string, signal: AbortSignal): Promise<Hooked>;
}

// ── prompts ──────────────────────────────────────────────────────────────────────────────────────

export type PromptName = 'plan' | 'implement' | 'update' | 'resolve' | 'investigate' | 'breakdown';

export interface Prompts {
  /** The template with its variables filled in; values are never expanded again. */
  fill(name: PromptName, values: Readonly<Record<string, string>>): string;
  /** What the template says of its phase's longest time; undefined = the config does. */
  limitMs(name: PromptName): number | undefined;
}

// ── requests ─────────────────────────────────────────────────────────────────────────────────────

/** The one door of every interface: the same request, the same answer, wherever it came from. Never throws for what a caller wrote. */
export interface Door {
  call<N extends RequestName>(request: N, input: unknown, caller: Caller): Promise<Called<N>>;
}

// ── words ────────────────────────────────────────────────────────────────────────────────────────

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
