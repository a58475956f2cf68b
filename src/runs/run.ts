/**
 * The nouns of a run: how far we are (SPEC 2). Rows of the journal, and nothing that could not be stored.
 * Never holds a promise, a handle or a path's content.
 */
import type { MarkerState, Task } from '../tasks/task.ts';

/** The seven steps of a run, in order. `plan`, `implement` and `update` are the agent's; the rest are ours. */
export const STEPS = ['claim', 'prepare', 'plan', 'implement', 'update', 'land', 'settle'] as const;
export type Step = (typeof STEPS)[number];

/** Why a run came to its end (2-R6). */
export type Reason =
  | 'landed'
  | 'no_change'
  | 'agent_failed'
  | 'verify_failed'
  | 'conflict'
  | 'timeout'
  | 'stalled'
  | 'no_progress'
  | 'limit'
  | 'budget'
  | 'cancelled'
  /** A person said so, or a worker showed its commit. */
  | 'closed'
  | 'setup_failed'
  | 'refused'
  | 'lost';

/** What a task is that the list or git has told us of, by its id. Kept for ever: ids and tickets never come back. */
export type Known = {
  readonly id: string;
  readonly section: string;
  /** The head's text when we last saw it, and which of equal ones it was. */
  readonly text: string;
  readonly occurrence: number;
  /** What it was before, the newest first: a save of an old buffer brings it back, without the id that came later. */
  readonly was?: readonly string[];
  /** The state that the list should show. */
  readonly state: MarkerState;
  readonly hash?: string;
  /** The whole commit id of a landed task, and the branch that it landed on. */
  readonly commit?: string;
  readonly reason?: Reason;
  readonly message?: string;
  /** The last ticket given; grows for ever (2-R2). */
  readonly ticket: number;
  /** Attempts made since a person last said `[]`. */
  readonly attempts: number;
  /** The last snapshot of work that did not land: `refs/todone/<id>/…`. */
  readonly kept?: string;
  readonly summary?: string;
  readonly plan?: string;
  readonly session?: string;
  readonly sessionUsage?: Usage;
  /** What the last attempt left as evidence for the next one. */
  readonly evidence?: string;
  /**
   * Set while the list shows something else than `state` on a person's account (1.4-R8); `alike` = after the journal was lost,
   * where only its title says that this line is the task that landed.
   */
  readonly held?: 'done' | 'alike';
  /** Its claim was lost with the journal, and git or a run folder shows that it was ours: it is claimed again (2-R4). */
  readonly resume?: boolean;
  /** Its line was on the list no more when that was last believed. */
  readonly gone?: boolean;
  /** Its line was taken to the archive: no other line is taken for it by its words. */
  readonly archived?: boolean;
  /** Since a person last said `[]`. */
  readonly spent?: Spent;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** How a step came to its end. */
export type End =
  | { readonly kind: 'done'; readonly found?: Found }
  /** Not ours any more: an old ticket, a line that is gone. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The same step again, later. */
  | {
      readonly kind: 'transient';
      readonly reason: Reason;
      readonly message: string;
      readonly retryAt?: number;
      /** Waits as long as it takes: a limit, a person's work in the way. */ readonly patient?: boolean;
      /** Something that is not ours is in this workspace; another one may do. */ readonly workspaceBusy?: boolean;
      readonly found?: Found;
    }
  /** Back to `implement`, with the reason as evidence. */
  | { readonly kind: 'rework'; readonly reason: Reason; readonly message: string; readonly evidence: string; readonly found?: Found }
  /** This attempt is over. `evidence` is for the next one. `person`: no other attempt before a person has done something. */
  | {
      readonly kind: 'final';
      readonly reason: Reason;
      readonly message: string;
      readonly evidence?: string;
      readonly found?: Found;
      readonly person?: boolean;
    };

/** What a step found out and later steps need; merged into the run. Everything absolute. */
export type Found = {
  readonly workspace?: string;
  readonly start?: string;
  readonly port?: number;
  readonly session?: string;
  readonly plan?: string;
  /** Files that the plan named. */
  readonly files?: readonly string[];
  readonly summary?: string;
  readonly commitMessage?: string;
  readonly outcome?: Outcome;
  /** What the agent needs from others before it can finish (5.2-R3, R4). */
  readonly asks?: { readonly kind: 'decision'; readonly question: string } | { readonly kind: 'prerequisite'; readonly tasks: readonly FoundTask[] };
  /** What it found besides its own task: filed when that has landed. */
  readonly proposes?: readonly FoundTask[];
  /** True where the outcome was inferred from exit status and git (5.2-R2). */
  readonly inferred?: boolean;
  readonly commit?: string;
  readonly hash?: string;
  readonly kept?: string;
  readonly notes?: readonly string[];
  /** Of a phase: what it used. Of a run: what all of its phases used. */
  readonly usage?: Usage;
  /** What the session has used by its client's own count, where that goes over all phases. */
  readonly sessionUsage?: Usage;
  /** How long the phase took. */
  readonly tookMs?: number;
  /** The tree on which a check failed last, and how often one after the other (5.3-R4). */
  readonly failing?: Failing;
};

export type Failing = { readonly tree: string; readonly times: number };

/** A task that an agent found; `id` is given where another line has to name it. */
export type FoundTask = { readonly id?: string; readonly title: string; readonly details?: string };

export type Outcome = 'done' | 'failed' | 'needs_prerequisite' | 'needs_decision' | 'no_change';

/** What was used up: tokens in and out, money, wall time of agents. */
export type Spent = { readonly tokens: number; readonly costUsd: number; readonly ms: number };

export type Usage = { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number };

/** One task being worked on; exists from claim to settle. */
export type Run = {
  readonly id: string;
  readonly ticket: number;
  /** 1-based. */
  readonly attempt: number;
  readonly step: Step;
  readonly section: string;
  readonly text: string;
  readonly occurrence: number;
  /** The task's words for prompts and agents, as last read. */
  readonly task: TaskText;
  /** As claimed, and whether the text has since changed (2-R5). */
  readonly fingerprint: string;
  readonly changed: boolean;
  readonly from: MarkerState;
  readonly agent: string;
  readonly model?: string;
  readonly steps: readonly Step[];
  readonly workspaceSlot: number;
  readonly found: Found;
  /** How the last attempt of this run ended, as input of the next. */
  readonly evidence?: string;
  /** How often this step has been tried for transient faults, and when it goes on. */
  readonly tries: number;
  readonly waitUntil?: number;
  /** When that wait began, by the same clock. */
  readonly waitFrom?: number;
  readonly reworks: number;
  /** Why it was sent back to the agent in this attempt. */
  readonly sentBack?: Reason;
  /** The run that it lets go first, because their files may be the same (3-R5). */
  readonly behind?: string;
  /** Set once the run is to be stopped; what the list shall say afterwards. */
  readonly halt?: Halt;
  /** Set at `settle`: how it ended. */
  readonly outcome?: Ending;
  readonly startedAt: number;
  /** Set where somebody works on it that ToDone did not start (6.1-R1): nothing is performed, its end is told by a request. */
  readonly outside?: Outside;
  /** Set where it only looks and lands nothing: an investigation writes its findings (6.2-R1), a breakdown files tasks (5.1-R3). */
  readonly looks?: 'investigate' | 'breakdown';
};

export type Outside = {
  readonly worker: string;
  readonly via: string;
  /** How long it lives without a heartbeat, in ms; absent = a person's, which does not run out. */
  readonly leaseMs?: number;
  readonly until?: number;
};

export type Halt = {
  readonly by: 'list' | 'command' | 'drain' | 'text';
  readonly message: string;
  /**
   * What follows: `failed` = `[❌ id]` with the reason `cancelled`; `keep` = a person's marker stays;
   * `again` = free it, so that it may be claimed again; `replan` = back to the plan phase.
   */
  readonly then: 'failed' | 'keep' | 'again' | 'replan';
};

export type Ending = {
  readonly state: 'done' | 'failed' | 'open' | 'cancelled' | 'keep';
  readonly reason: Reason;
  readonly message: string;
};

/** A task's words, as data for prompts and agents. */
export type TaskText = Pick<Task, 'title' | 'text' | 'details' | 'fields' | 'notes'> & {
  readonly id: string;
  readonly section: string;
  readonly tags: readonly string[];
};
