/**
 * Faults at system calls: a program that has said `ready` is attached to by strace, then told to go. A clean run gives the calls
 * that it makes on a folder, each by its thread, its name and its number; another run of it dies, or is told an error, at one of them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** One call of a program: the `k`-th of this name in its `thread`-th thread. */
export type Point = { readonly thread: number; readonly name: string; readonly k: number };

export const pointText = ({ thread, name, k }: Point): string => `${name}#${k}${thread === 0 ? '' : `@${thread}`}`;

/** Undefined where strace works here; else why it does not. */
export function straceTrouble(): string | undefined {
  const tried = spawnSync('strace', ['-qq', '-e', 'inject=getppid:error=EPERM:when=1', 'true'], { encoding: 'utf8' });
  if (tried.error) return `strace is not here (${tried.error.message})`;
  return tried.status === 0 ? undefined : `strace may not trace here: ${tried.stderr.trim()}`;
}

export type Victim = {
  readonly pid: number;
  /** Starts what it is there for. */
  go(): void;
  /** Settles when it is gone: what it printed after `ready`, and how it ended. */
  readonly ended: Promise<{ readonly out: string; readonly code: number | null; readonly signal: string | null }>;
  kill(): void;
};

/** Generous: on a busy machine everything takes its time, and what never comes is known all the same. */
const READY_MS = 300_000;
/** How long a program may take for what it is there for, strace included. */
const OVER_MS = 300_000;

/** Starts a program and waits for its `ready`. One thread for file calls, so that their numbers mean something. */
export async function startVictim(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const child = spawn(process.execPath, ['--v8-pool-size=0', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', UV_THREADPOOL_SIZE: '1', ...env },
  });
  child.stdin.on('error', () => undefined);
  let out = '';
  const ready = Promise.withResolvers<void>();
  const hear = (chunk: Buffer): void => {
    out += chunk.toString('utf8');
    if (out.startsWith('ready\n')) ready.resolve();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  const ended = new Promise<{ out: string; code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ out: out.replace('ready\n', ''), code, signal });
      ready.reject(new Error(`${program} ended before it was ready: ${out}`));
    });
  });
  const late = setTimeout(() => ready.reject(new Error(`${program} was not ready in time: ${out}`)), READY_MS);
  await ready.promise.finally(() => clearTimeout(late));
  return { pid: child.pid ?? 0, go: () => void child.stdin.end('go\n'), ended, kill: () => void child.kill('SIGKILL') };
}

/** The calls that name something below `folder`, in a run without a fault. */
export async function trace(victim: Victim, folder: string): Promise<{ readonly points: readonly Point[]; readonly code: number | null }> {
  const scratch = mkdtempSync(join(tmpdir(), 'trace-'));
  try {
    const threads = threadsOf(victim.pid);
    const tracer = await attach(threads, ['-ff', '-y', '-e', 'trace=%file,%desc', '-o', join(scratch, 't')]);
    victim.go();
    const { code } = await over(victim);
    await tracer.ended;
    return { points: threads.flatMap((tid, thread) => pointsIn(join(scratch, `t.${tid}`), thread, folder)), code };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function pointsIn(file: string, thread: number, folder: string): Point[] {
  const counts = new Map<string, number>();
  const points: Point[] = [];
  for (const line of textOf(file).split('\n')) {
    const name = /^([a-z_0-9]+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    const k = (counts.get(name) ?? 0) + 1;
    counts.set(name, k);
    if (line.includes(folder)) points.push({ thread, name, k });
  }
  return points;
}

/** Lets it go with a fault at this point: `signal=SIGKILL`, `error=ENOSPC`. */
export async function strike(victim: Victim, point: Point, fault: string): Promise<Awaited<Victim['ended']>> {
  const tid = threadsOf(victim.pid)[point.thread];
  if (tid === undefined) throw new Error(`the victim has no thread ${point.thread}`);
  const tracer = await attach([tid], ['-e', `trace=${point.name}`, '-e', `inject=${point.name}:${fault}:when=${point.k}`, '-o', '/dev/null']);
  victim.go();
  const ended = await over(victim);
  await tracer.ended;
  return ended;
}

async function over(victim: Victim): Promise<Awaited<Victim['ended']>> {
  const late = setTimeout(() => victim.kill(), OVER_MS);
  try {
    return await victim.ended;
  } finally {
    clearTimeout(late);
  }
}

const threadsOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .toSorted((a, b) => a - b);

async function attach(tids: readonly number[], args: readonly string[]): Promise<{ readonly ended: Promise<unknown> }> {
  const tracer = spawn('strace', ['-qq', ...args, ...tids.flatMap((tid) => ['-p', String(tid)])], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  tracer.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => tracer.once('close', () => resolve()));
  while (!tids.every(isTraced)) {
    if (tracer.exitCode !== null) throw new Error(`strace ended: ${said}`);
    await sleep(3);
  }
  return { ended };
}

const isTraced = (tid: number): boolean => !/^TracerPid:\t0$/m.test(textOf(`/proc/${tid}/status`));

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
