/**
 * What an agent is to us: one row of a table, the same shape for a client with a stream of its own, a program from the config and the
 * embedded shell. Never runs anything.
 */
import type { AgentEvent, PhaseOrder } from '../../engine/ports.ts';
import type { Step } from '../../runs/run.ts';

export type Invocation = {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that it gets from the daemon's environment. */
  readonly passed: readonly string[];
  /** Folders and files of its own that it needs to write: sessions, accounts. Absolute. */
  readonly keeps?: readonly string[];
  /** What it reads as its input. */
  readonly inputFile?: string;
  /** What a person would call the command: `npm test`. */
  readonly called: string;
  /** Files that it needs, by their names in the run's folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** What makes it end in order; default TERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** It is spoken with instead of read: what is done with its input and output. */
  readonly talk?: Talk;
};

/** A conversation over a client's input and output. Tells what it hears as events; rejects where the client has gone away. */
export type Talk = (line: {
  readonly input: WritableStream<Uint8Array>;
  readonly output: ReadableStream<Uint8Array>;
  readonly tell: (event: AgentEvent) => void;
  /** Aborted: ask the client to stop, and end. */
  readonly stop: AbortSignal;
}) => Promise<'done' | 'failed'>;

/** Where rows look for programs: relative names count from the main worktree, never from a workspace (5.3-R9). */
export type Surroundings = {
  readonly env: NodeJS.ProcessEnv;
  readonly top: string;
  /** Whether runs are in a sandbox of ours: a client's own is not needed then, and would not work in it. */
  readonly confined?: boolean;
};

/** A server of the Model Context Protocol that a client starts by itself, over stdio. */
export type McpServer = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** One phase as a row sees it. `order.session` is the client's own name for the session. */
export type Call = {
  readonly order: PhaseOrder;
  readonly promptFile: string;
  /** The run's folder. */
  readonly folder: string;
  readonly mcp: McpServer | undefined;
  readonly around: Surroundings;
};

/** What one line says; `stderr` is what clients tell people. */
export type Reader = (line: string, from: 'stdout' | 'stderr') => readonly AgentEvent[];

/** What an exit status means that no event explains. */
export type CodeMeaning = { readonly class: (AgentEvent & { readonly kind: 'error' })['class']; readonly message: string };

export type AgentRow = {
  readonly name: string;
  readonly takes: 'anything' | 'runnable';
  readonly steps: readonly Step[];
  readonly learns: boolean;
  /** What is wrong and what to do, or undefined where it can be used. */
  problem(around: Surroundings): string | undefined;
  /** Undefined where this task has nothing for it. */
  invoke(call: Call): Invocation | undefined;
  /** How it would be started, for the dry run. */
  preview(model: string | undefined): string;
  /** A reader of one phase's output, line by line: what a line says may depend on those before. */
  reader(now: () => number): Reader;
  /** Program and arguments that print its version. */
  readonly version?: (around: Surroundings) => readonly [program: string, ...args: string[]];
  /** What a person does where it says that it may not. */
  readonly login?: string;
  /** Said where the session that was to go on is not known any more: then a new one is begun. */
  readonly sessionGone?: RegExp;
  readonly codes?: (code: number) => CodeMeaning | undefined;
};
