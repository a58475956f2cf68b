/**
 * The one door for long processes: agents, hooks, `verify`. Starts them in a group of their own with a mark in the
 * environment, hands their output over in bounded lines, limits time, silence and bytes, stops the group, and sweeps what
 * carries the mark. Never waits for a pipe that a grandchild keeps open, and never leaves a process behind.
 */
import { execa } from 'execa';
import { closeSync, openSync, statSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { lastBytes, lineCutter, type LineCutter } from './output.ts';
import { watchStall } from './stall.ts';
import { MARK } from './run-mark.ts';
import { kill, markedRows, startTicks, sweepMarked, WHOLE } from './sweep.ts';
import { LIFE, life, underWatch } from './watchdog.ts';

export type Launch = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** `<epoch>.<term>-<id>-<ticket>`: what the sweep looks for. */
  readonly mark: string;
  /** It stands before the program that is meant, and dies of what it is sent: a signal goes to those behind it. */
  readonly confined?: boolean;
  /** A file that it reads as its input; without one its input is empty. */
  readonly inputFile?: string;
  /** 0 = no limit. */
  readonly limitMs: number;
  /** No output, no CPU and no `changed` for this long = stalled; 0 or undefined = never. */
  readonly stallMs?: number;
  /** Whether something changed since this wall time (ms since 1970), such as a file of the workspace. */
  readonly changed?: (since: number) => Promise<boolean>;
  /** What makes it end in order; default TERM. Half of the grace later TERM is sent too. */
  readonly stopSignal?: NodeJS.Signals;
  /** From TERM to KILL. */
  readonly graceMs: number;
  /** Speaks with it over its input and output, instead of reading lines of stdout; when this is over, so is the program. */
  readonly talk?: Conversing;
  /** After this much output only the last of it is handed over, at the end, with a line that says what is missing. */
  readonly maxBytes?: number;
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void;
  readonly signal: AbortSignal;
};

/** `stop` is aborted where the program is to be asked to stop. A rejection is the program's affair: it has gone away. */
export type Conversing = (input: WritableStream<Uint8Array>, output: ReadableStream<Uint8Array>, stop: AbortSignal) => Promise<void>;

/** Why it ended, where it did not by itself; the first reason counts. */
export type Ended = 'itself' | 'limit' | 'stall' | 'stop' | 'unstarted';

export type Exit = {
  readonly code: number | undefined;
  readonly killedBy: string | undefined;
  readonly ended: Ended;
  /** Why it could not be started: `ENOENT`, `NOCWD`… */
  readonly trouble: string | undefined;
  /** The last output, both streams as they came. Raw: control characters and secrets are still in it. */
  readonly tail: string;
  readonly bytes: number;
  readonly truncated: boolean;
  /** How many processes it left behind; they are gone by now. */
  readonly swept: number;
};

/** Agents send whole files as one line of JSON. */
export const LINE_BYTES_MAX = 1024 * 1024;
export const TAIL_BYTES_MAX = 64 * 1024;
/** Of what comes after `maxBytes`: a client's last words are among it. */
export const LATE_BYTES_MAX = 256 * 1024;
/** How long output may still come after the end, twice: before and after what was left behind is killed. */
const DRAIN_MS = 300;
/** How long a killed process may take to be gone: one that hangs in the kernel must not hang us. */
const GONE_MS = 5000;
/** How long a program may take to end by itself when the conversation is over. */
const PARTING_MS = 1000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Runs a program to its end, whatever that is. Never throws. */
export async function launch(order: Launch): Promise<Exit> {
  if (order.signal.aborted) return unstarted('STOPPED', 'stop');
  if (!isFolder(order.cwd)) return unstarted('NOCWD');
  const release = underWatch();
  try {
    return await start(order);
  } catch (error) {
    return unstarted(codeOf(error));
  } finally {
    release();
  }
}

/** Kills every process whose mark begins like this; says how many that were. */
export const sweep = (markBegin: string): Promise<number> => sweepMarked(`${MARK}=${markBegin}`);

async function start(order: Launch): Promise<Exit> {
  const input = order.inputFile === undefined ? undefined : openSync(order.inputFile, 'r');
  const child = spawn(order, input);
  if (input !== undefined) closeSync(input);
  const since = child.pid === undefined ? undefined : startTicks(child.pid);
  const { nodeChildProcess: inner } = child;
  const gone = new Promise<Gone>((resolve) => {
    inner.once('exit', (code, signal) => resolve({ code: code ?? undefined, killedBy: signal ?? undefined }));
    inner.once('error', (error) => resolve({ trouble: codeOf(error) }));
    void child.then((result) =>
      resolve({
        code: result.exitCode,
        killedBy: result.signal,
        trouble: result.exitCode === undefined && result.signal === undefined ? (result.code ?? 'EUNKNOWN') : undefined,
      }),
    );
  });
  const output = collect(child.stdout, child.stderr, order);
  const stopping = stopper(order, child.pid, output.bytes);
  const talked = order.talk && child.stdin ? converse(order.talk, child.stdin, output.said, stopping) : undefined;
  const exit = await Promise.race([gone, stopping.hopeless]);
  stopping.done();
  const swept = await cleanUp(order, child.pid, since, output.ended);
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  output.finish();
  await talked;
  const ended = exit.trouble === undefined ? stopping.reason() : 'unstarted';
  return {
    code: exit.code,
    killedBy: exit.killedBy,
    ended,
    trouble: exit.trouble,
    tail: output.tail(),
    bytes: output.bytes(),
    truncated: output.truncated(),
    swept,
  };
}

type Gone = { readonly code?: number; readonly killedBy?: string; readonly trouble?: string };

function spawn(order: Launch, input: number | undefined) {
  return execa(order.program, order.args, {
    cwd: order.cwd,
    env: { ...order.env, [MARK]: order.mark, [LIFE]: life },
    extendEnv: false,
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    encoding: 'buffer',
    // Any open file will do; the types name only the first few.
    stdin: order.talk ? 'pipe' : input === undefined ? 'ignore' : (input as 3),
  });
}

/** When it is over the program's input ends, and so does the program: by itself, or told to. Never rejects. */
async function converse(talk: Conversing, stdin: Writable, said: ReadableStream<Uint8Array>, stopping: Stopper): Promise<void> {
  stdin.on('error', () => undefined);
  // A closed pipe rejects in more places than anyone waits in.
  const input = new WritableStream<Uint8Array>({
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stdin.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
  });
  await talk(input, said, stopping.asked).catch(() => undefined);
  stdin.end();
  stopping.part();
}

/** What it left behind gets a moment to finish its output; then it is gone, and the pipes are empty soon. */
async function cleanUp(order: Launch, pid: number | undefined, since: number | undefined, ended: Promise<unknown>): Promise<number> {
  await Promise.race([ended, pause(DRAIN_MS)]);
  if (pid !== undefined) kill(-pid, 'SIGKILL');
  const swept = await sweepMarked(`${MARK}=${order.mark}${WHOLE}`, pid, since);
  await Promise.race([ended, pause(DRAIN_MS)]);
  return swept;
}

type Stopper = ReturnType<typeof stopper>;

/** TERM to the group, after the grace KILL to everything marked; a stopped process is woken so that it can hear. */
function stopper(order: Launch, pid: number | undefined, bytes: () => number) {
  let reason: Ended = 'itself';
  const timers = new Set<NodeJS.Timeout>();
  const after = (ms: number, then: () => void): void => void timers.add(setTimeout(then, Math.min(ms, TIMER_MS_MAX)));
  const { promise: hopeless, resolve: giveUp } = Promise.withResolvers<Gone>();
  const asked = new AbortController();
  const tell = (signal: NodeJS.Signals): void => {
    if (pid === undefined) return;
    if (order.confined) void tellInside(`${MARK}=${order.mark}${WHOLE}`, pid, signal);
    else kill(-pid, signal);
  };
  const killAfter = (ms: number, group: number): void =>
    after(ms, () => {
      // The tree first, while parents still tell whose children are whose.
      void sweepMarked(`${MARK}=${order.mark}${WHOLE}`, group);
      kill(-group, 'SIGKILL');
      after(GONE_MS, () => giveUp({ killedBy: 'SIGKILL' }));
    });
  const stop = (why: Ended): void => {
    if (reason !== 'itself' || pid === undefined) return;
    reason = why;
    asked.abort();
    if (!order.talk) tell(order.stopSignal ?? 'SIGTERM');
    tell('SIGCONT');
    if (order.talk || order.stopSignal !== undefined) after(order.graceMs / 2, () => tell('SIGTERM'));
    killAfter(order.graceMs, pid);
  };
  const onAbort = (): void => stop('stop');
  order.signal.addEventListener('abort', onAbort, { once: true });
  if (order.limitMs > 0) after(order.limitMs, () => stop('limit'));
  const mark = `${MARK}=${order.mark}${WHOLE}`;
  const unwatch = order.stallMs
    ? watchStall({ stallMs: order.stallMs, mark, leader: pid, bytes, changed: order.changed, stalled: () => stop('stall') })
    : () => undefined;
  return {
    hopeless,
    /** Aborted when a conversation is to come to its end. */
    asked: asked.signal,
    /** The conversation is over. */
    part() {
      if (pid === undefined) return;
      after(PARTING_MS, () => tell('SIGTERM'));
      killAfter(PARTING_MS + order.graceMs, pid);
    },
    done() {
      for (const timer of timers) clearTimeout(timer);
      unwatch();
      order.signal.removeEventListener('abort', onAbort);
    },
    reason: () => reason,
  };
}

/** The sandbox is two processes, itself and the first one inside, which hear nothing. */
async function tellInside(mark: string, pid: number, signal: NodeJS.Signals): Promise<void> {
  const inside = (await markedRows(mark, pid).catch(() => [])).filter((row) => row.pid !== pid && row.parent !== pid);
  for (const row of inside) kill(row.pid, signal);
}

/** Both streams into lines and into one tail. Lines are handled as they come, so the pipe itself holds a program back. */
function collect(stdout: Readable, stderr: Readable, order: Launch) {
  const maxBytes = order.maxBytes ?? Number.POSITIVE_INFINITY;
  const last = lastBytes(TAIL_BYTES_MAX);
  const spoken = order.talk ? channel() : undefined;
  const late = lastBytes(LATE_BYTES_MAX);
  const cutters = new Map<'stdout' | 'stderr', LineCutter>();
  let bytes = 0;
  let lateBytes = 0;
  let over = false;
  const take = (chunk: Buffer, cutter: LineCutter): void => {
    if (over) return;
    bytes += chunk.length;
    last.push(chunk);
    if (bytes <= maxBytes) return cutter.push(chunk);
    lateBytes += chunk.length;
    late.push(chunk);
  };
  const ends = (
    [
      [stdout, 'stdout'],
      [stderr, 'stderr'],
    ] as const
  ).map(([stream, from]) => {
    const cutter = lineCutter(LINE_BYTES_MAX, (line) => order.onLine?.(line, from));
    cutters.set(from, cutter);
    stream.on('data', (chunk: Buffer) => {
      if (spoken && from === 'stdout') bytes += spoken.push(chunk);
      else take(chunk, cutter);
    });
    return new Promise<void>((resolve) => {
      for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
      if (from === 'stdout') stream.once('close', () => spoken?.end());
    });
  });
  return {
    bytes: () => bytes,
    /** Standard output as it comes, for a conversation. */
    said: spoken?.stream ?? new ReadableStream<Uint8Array>(),
    tail: () => last.text(),
    truncated: () => lateBytes > LATE_BYTES_MAX,
    ended: Promise.all(ends),
    /** What is left over of both streams, then the last of what was too much. */
    finish() {
      over = true;
      spoken?.end();
      for (const cutter of cutters.values()) cutter.end();
      if (lateBytes === 0) return;
      if (lateBytes > LATE_BYTES_MAX) order.onLine?.(`… [${lateBytes - LATE_BYTES_MAX} bytes of output left out]`, 'stderr');
      const cutter = lineCutter(LINE_BYTES_MAX, (line) => order.onLine?.(line, 'stdout'));
      cutter.push(Buffer.from(late.text()));
      cutter.end();
    },
  };
}

/** A stream that is written to from outside. `push` gives the bytes that it took. */
function channel(): { readonly stream: ReadableStream<Uint8Array>; push(chunk: Uint8Array): number; end(): void } {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      control = controller;
    },
    cancel() {
      control = undefined;
    },
  });
  return {
    stream,
    push(chunk) {
      control?.enqueue(chunk);
      return chunk.length;
    },
    end() {
      control?.close();
      control = undefined;
    },
  };
}

const unstarted = (trouble: string, ended: Ended = 'unstarted'): Exit => ({
  code: undefined,
  killedBy: undefined,
  ended,
  trouble,
  tail: '',
  bytes: 0,
  truncated: false,
  swept: 0,
});

const codeOf = (error: unknown): string => (error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error));

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
