/**
 * What the command line needs of the rest, as plain functions handed in by `main.ts`. `Host` is there before any repository is
 * known; `App` is one opened list. Never imports an adapter, never decides.
 */
import type { Config, WrittenConfig } from '../../config.ts';
import type { Activity } from '../../engine/engine.ts';
import type { AgentEvent, AgentInfo, Door, HistoryRow } from '../../engine/ports.ts';
import type { Answer, Ask } from '../../runs/ask.ts';
import type { Caller } from '../../runs/caller.ts';
import type { Scene } from '../../runs/choose.ts';
import type { Errand } from '../../runs/errand.ts';
import type { CliFailure } from './failure.ts';
import type { Audited, Upkeep } from './upkeep.ts';

/** The options that every command takes. */
export type Globals = {
  readonly repo?: string;
  readonly tasks?: string;
  readonly config?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False with --no-color. */
  readonly color: boolean;
  /** Who asks (7-R9). */
  readonly as?: string;
  /** What the command line sets over every config file. */
  readonly overrides: WrittenConfig;
  /** Work in a throw-away repository. */
  readonly demo: boolean;
};

export type Host = {
  readonly version: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Of stdout. */
  readonly isTTY: boolean;
  /** Columns of the terminal; undefined where there is none, and nothing is shortened. */
  readonly width: () => number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Asks a person at a terminal; undefined as the answer = the input is over. Absent where there is no terminal. */
  readonly question?: (words: string) => Promise<string | undefined>;
  /** A text file, or stdin for `-`; undefined where it cannot be read. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Settles after `ms`, or at once when `signal` is aborted. */
  readonly wait: (ms: number) => Promise<void>;
  /**
   * Opens the list that the options name. Takes no lock and writes nothing, but for the repository of a demo. `listless` = it is opened
   * without a list, too: then there is no task on it.
   */
  readonly open: (globals: Globals, listless?: boolean) => Promise<App | CliFailure>;
  /** What the remote has published, audited; without the name of one that of the config. */
  readonly auditPublished: (globals: Globals, remote: string | undefined, issue: boolean) => Promise<Audited | CliFailure>;
  readonly init: (globals: Globals, options: { readonly github: boolean }) => Promise<InitDone | CliFailure>;
  /** Serves MCP over stdio until the client hangs up. */
  readonly mcp: (globals: Globals) => Promise<CliFailure | undefined>;
  /** Serves HTTP until `signal`. */
  readonly serve: (
    globals: Globals,
    options: { readonly host: string; readonly port: number },
    onListening: (at: Serving) => void,
  ) => Promise<CliFailure | undefined>;
  /** Every project of the user's own config, each opened for reading, in the order of the config. */
  readonly lookAtAll: <T>(globals: Globals, look: (app: App) => Promise<T | CliFailure>) => Promise<readonly Looked<T>[] | CliFailure>;
  /** The options as if they were given in this project, and its name. */
  readonly inProject: (globals: Globals, word: string) => Promise<{ readonly project: string; readonly globals: Globals } | CliFailure>;
  /** Works on every project of the user's own config, to its end. */
  readonly startAll: (globals: Globals, options: StartOptions) => Promise<FleetEnd | CliFailure>;
  /** Works without a usable config or list too: that is what it is for. */
  readonly doctor: (globals: Globals, options: { readonly fix: boolean }) => Promise<DoctorFacts | CliFailure>;
};

/** `token_file` = where the token stands that each request has to bring. */
export type Serving = { readonly url: string; readonly port: number; readonly token_file: string };

export type App = {
  readonly paths: {
    readonly top: string;
    /** The list, absolute; `listName` from the top of the repository, for people. */
    readonly list: string;
    readonly listName: string;
    readonly stateDir: string;
  };
  readonly config: Config;
  readonly instance: string;
  readonly caller: Caller;
  /** Every request of the table, wherever the owner is. */
  readonly door: Door;
  /** The same for what no agent has asked for itself: nobody has read a queue by it. */
  readonly unnoted: Door;
  readonly agents: () => readonly AgentInfo[];
  /** The list parsed and checked, with the journal's rows: for reading. Holds no lock and writes nothing. */
  readonly scene: () => Promise<Scene>;
  /** What runs last said, by id; empty where no daemon runs. */
  readonly activity: () => Promise<ReadonlyMap<string, Activity>>;
  readonly owner: () => Promise<Owner | undefined>;
  /** The owner's answer; where there is none, as its owner for one turn. */
  readonly ask: (ask: Ask) => Promise<Answer>;
  /** The daemon, to its end. */
  readonly start: (options: StartOptions) => Promise<StartEnd | CliFailure>;
  /** The command line that an agent would be started with. */
  readonly preview: (agent: string, model: string | undefined) => string;
  /** Oldest first. */
  readonly history: (id: string) => Promise<readonly HistoryRow[]>;
  /** What the agents of a task said; with `follow`, until its run ends or the signal. */
  readonly runLog: (id: string, options: { readonly follow: boolean; readonly signal: AbortSignal }) => AsyncIterable<LogEntry>;
  /** Where git shows that a task is done (4-R9). */
  readonly proof: (section: string, id: string, hash: string | undefined) => Promise<{ readonly commit: string; readonly hash: string } | undefined>;
  /** The last commits of a section's branch, newest first; empty where there is no branch. */
  readonly commits: (section: string, max: number) => Promise<readonly CommitFact[]>;
  /** Asks for it and waits for its first try; undefined where the signal came first. */
  readonly doErrand: (what: BranchWork, section: string) => Promise<Errand | CliFailure | undefined>;
  /** What it would do, without a trace. */
  readonly planErrand: (what: BranchWork, section: string) => Promise<BranchPlan>;
  readonly diff: (section: string) => Promise<BranchDiff | CliFailure>;
  /** How the last `verify` of a task went. */
  readonly evidence: (id: string) => Promise<Evidence | undefined>;
  readonly upkeep: Upkeep;
  /** How publishing went last (6.4-R4); undefined where it is off. */
  readonly publishing: () => Promise<Publishing | undefined>;
};

/** `at` = when it last was published, ms since 1970; `problem` = what keeps it from being so now. */
export type Publishing = { readonly at: number | null; readonly problem: { readonly message: string; readonly remedy: string } | null };

export type Owner = { readonly pid: number; readonly host: string; readonly since: number };
export type StartOptions = { readonly once: boolean; readonly wait: boolean };
/** `trouble` = why the list could not be worked on any more. */
export type StartEnd = { readonly failed: readonly string[]; readonly interrupted: boolean; readonly trouble?: Trouble | undefined };
/** A project of several; `problem` = why it cannot be looked at. */
export type Looked<T> = ProjectPlace & ({ readonly problem: null; readonly found: T } | { readonly problem: Trouble });
export type ProjectPlace = { readonly project: string; readonly path: string };
export type Trouble = { readonly message: string; readonly remedy: string };
/** One project at the end of `start --all`; `problem` = why it could not be worked on, or not any more. */
export type ProjectEnd = ProjectPlace & {
  /** Ids of the tasks that failed. */
  readonly failed: readonly string[];
  readonly problem: Trouble | null;
};
export type FleetEnd = { readonly projects: readonly ProjectEnd[]; readonly interrupted: boolean };
export type CommitFact = { readonly hash: string; readonly subject: string; readonly at: number };
export type LogEntry = { readonly at: number; readonly step: string } & AgentEvent;
/** What a person may ask for of a section's branch. */
export type BranchWork = 'sync' | 'land' | 'pr';
/** `would` = what would be done, in order; `nothing` = why there is nothing to do; `blocked` = what stands in the way. */
export type BranchPlan = {
  readonly would: readonly string[];
  readonly nothing: string | null;
  readonly blocked: { readonly message: string; readonly remedy: string } | null;
};
/** `from`, `to` = commits; counts are null for what is no text. */
export type BranchDiff = {
  readonly section: string;
  readonly branch: string;
  readonly base: string;
  readonly from: string;
  readonly to: string;
  readonly files: readonly { readonly path: string; readonly from: string | null; readonly added: number | null; readonly removed: number | null }[];
  readonly diff: string | null;
};
/** `lines` = the last of its output; `path` = the log with all of it; `where` = the folder that it ran in. */
export type Evidence = {
  readonly command: string;
  readonly ok: boolean;
  readonly code: number | null;
  readonly timed_out: boolean;
  readonly at: number;
  readonly where: string;
  readonly path: string;
  readonly lines: readonly string[];
};
/** `ref` = the snapshot that was taken; `path` = where its files are now, or would be in a dry run. */
export type Restored = { readonly id: string; readonly ref: string; readonly path: string; readonly files: readonly string[]; readonly done: boolean };

/** One thing that `init` looked after; `skipped` = it was like that already. */
export type InitStep = { readonly what: string; readonly path?: string; readonly done: 'done' | 'skipped' };
export type InitDone = { readonly steps: readonly InitStep[]; readonly next: string };

export type Check = {
  readonly name: string;
  /** `warn` = works, but less well than it could. */
  readonly ok: true | false | 'warn';
  readonly found: string;
  readonly remedy?: string;
  /** `--fix` put it right just now. */
  readonly fixed?: boolean;
};
export type EffectiveValue = { readonly key: string; readonly value: unknown; readonly source: string };
export type DoctorFacts = { readonly checks: readonly Check[]; readonly config: readonly EffectiveValue[] };
