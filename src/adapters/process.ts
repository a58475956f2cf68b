/**
 * The one door for long processes: agents, hooks, `verify`. Starts them in a group of their own with a mark in the
 * environment, hands their output over in bounded lines, limits time, silence and bytes, stops the group, and sweeps what
 * carries the mark. Never waits for a pipe that a grandchild keeps open.
 */
import { execa } from 'execa';
import type { Readable } from 'node:stream';
import { sweepMarked, treeCpu } from './sweep.ts';
import { keepWatchdog } from './watchdog.ts';

export const MARK = 'TODONE_RUN';

export type Launch = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** `<epoch>-<id>-<ticket>`: what the sweep looks for. */
  readonly mark: string;
  readonly input?: string;
  readonly limitMs: number;
  /** No line, no CPU and no `changed` for this long = stalled; undefined = never. */
  readonly stallMs?: number;
  /** Something that changes while the work goes on, such as the newest file time. */
  readonly changed?: () => Promise<string>;
  readonly graceMs: number;
  readonly onLine: (line: string, from: 'stdout' | 'stderr') => void;
  readonly signal: AbortSignal;
};

export type Exit = {
  readonly code: number | undefined;
  readonly killedBy: string | undefined;
  /** What ended it, where it did not end by itself. The first reason counts. */
  readonly ended: 'itself' | 'limit' | 'stall' | 'stop' | 'unstarted';
  /** Why it could not be started: `ENOENT`… */
  readonly trouble: string | undefined;
  readonly swept: number;
};

/** A longer line is handed over in parts. */
const LINE_CHARS_MAX = 64 * 1024;
const DRAIN_MS = 300;
const STALL_LOOKS = 5;

export async function launch(order: Launch): Promise<Exit> {
  keepWatchdog(order.mark.split('-')[0] ?? order.mark);
  const child = execa(order.program, order.args, {
    cwd: order.cwd,
    env: { ...order.env, [MARK]: order.mark },
    extendEnv: false,
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    ...(order.input === undefined ? { stdin: 'ignore' as const } : { input: order.input }),
  });
  child.catch(() => undefined);
  const flushed = [pipeLines(child.stdout, 'stdout', order), pipeLines(child.stderr, 'stderr', order)];
  const stopping = stopper(order, child.pid);
  const exit = await new Promise<{ code: number | null; signal: string | null; trouble?: string }>((resolve) => {
    child.nodeChildProcess.once('exit', (code, signal) => resolve({ code, signal }));
    child.nodeChildProcess.once('error', (error) => resolve({ code: null, signal: null, trouble: 'code' in error ? String(error.code) : error.message }));
  });
  stopping.done();
  await Promise.race([Promise.all(flushed), pause(DRAIN_MS)]);
  child.stdout.destroy();
  child.stderr.destroy();
  killGroup(child.pid, 'SIGKILL');
  const swept = await sweepMarked(`${MARK}=${order.mark}`);
  const ended = exit.trouble === undefined ? stopping.reason() : 'unstarted';
  return { code: exit.code ?? undefined, killedBy: exit.signal ?? undefined, ended, trouble: exit.trouble, swept };
}

/** Whatever ends it first names itself; TERM to the group, after the grace KILL to everything marked. */
function stopper(order: Launch, pid: number | undefined): { done(): void; reason(): Exit['ended'] } {
  let reason: Exit['ended'] = 'itself';
  let kill: NodeJS.Timeout | undefined;
  const stop = (why: Exit['ended']): void => {
    if (reason !== 'itself') return;
    reason = why;
    killGroup(pid, 'SIGTERM');
    kill = setTimeout(() => {
      killGroup(pid, 'SIGKILL');
      void sweepMarked(`${MARK}=${order.mark}`);
    }, order.graceMs);
  };
  const onAbort = (): void => stop('stop');
  if (order.signal.aborted) queueMicrotask(onAbort);
  order.signal.addEventListener('abort', onAbort, { once: true });
  const limit = setTimeout(() => stop('limit'), Math.min(order.limitMs, 2 ** 31 - 1));
  const unwatch = watchStall(order, () => stop('stall'));
  return {
    done() {
      clearTimeout(limit);
      clearTimeout(kill);
      unwatch();
      order.signal.removeEventListener('abort', onAbort);
    },
    reason: () => reason,
  };
}

/** 5.3-R4: no event and no CPU in the tree and no file change, for the whole time. */
function watchStall(order: Launch, stalled: () => void): () => void {
  const { stallMs } = order;
  if (stallMs === undefined) return () => undefined;
  let seen = '';
  let since = performance.now();
  const timer = setInterval(() => {
    void (async () => {
      const now = `${linesOf.get(order) ?? 0} ${treeCpu(`${MARK}=${order.mark}`)} ${(await order.changed?.()) ?? ''}`;
      if (now !== seen) {
        seen = now;
        since = performance.now();
      } else if (performance.now() - since >= stallMs) stalled();
    })();
  }, Math.max(20, stallMs / STALL_LOOKS));
  return () => clearInterval(timer);
}

/** Lines counted per launch, for the watch on silence. */
const linesOf = new WeakMap<Launch, number>();

function pipeLines(stream: Readable, from: 'stdout' | 'stderr', order: Launch): Promise<void> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  const say = (line: string): void => {
    linesOf.set(order, (linesOf.get(order) ?? 0) + 1);
    order.onLine(line, from);
  };
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) say(part.endsWith('\r') ? part.slice(0, -1) : part);
      while (rest.length > LINE_CHARS_MAX) {
        say(rest.slice(0, LINE_CHARS_MAX));
        rest = rest.slice(LINE_CHARS_MAX);
      }
    });
    stream.on('error', () => resolve());
    stream.on('close', () => {
      if (rest !== '') say(rest);
      rest = '';
      resolve();
    });
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // the group is gone
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
