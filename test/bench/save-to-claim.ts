/**
 * How long a saved line waits for its `🟡` while a daemon runs, on a short and on a very long list; and what the daemon
 * costs when nothing happens. The clock starts when the editor's write is over, and stops when the claim is on disk.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Figure, median, plain, quantile, shown } from './figures.ts';
import { settledList } from './lists.ts';
import { git, makeRepo, startDaemon, wrong } from './scene.ts';

const CONFIG = '{ "claimAfter": 0 }\n';
const SIZES = { short: 1000, long: 50_000 } as const;
const TASKS_A_SECTION = 100;
const PATIENCE_MS = 30_000;
const IDLE_MS = 5000;
const MS_A_TICK = 10;

export async function saveToClaim(quick: boolean): Promise<Figure[]> {
  const short = await samplesOn(SIZES.short, quick);
  const long = await samplesOn(SIZES.long, quick);
  const p90 = (values: readonly number[]): string => `, p90 ${shown(quantile(values, 0.9), 'ms')}`;
  return [
    atMost('save → 🟡, 1,000 tasks, median', median(short.ms), 30, 'ms', p90(short.ms)),
    plain('save → 🟡, 50,000 tasks, median', `${shown(median(long.ms), 'ms')}${p90(long.ms)}`),
    atMost('save → 🟡, 50,000 to 1,000', median(long.ms) / median(short.ms), 2, '×'),
    plain(`idle for ${IDLE_MS / 1000} s, 1,000 tasks`, `${short.idleMs} ms of CPU`),
    plain(`idle for ${IDLE_MS / 1000} s, 50,000 tasks`, `${long.idleMs} ms of CPU`),
  ];
}

type Samples = { readonly ms: readonly number[]; readonly idleMs: number };

async function samplesOn(tasks: number, quick: boolean): Promise<Samples> {
  const top = makeRepo({ 'tasks.md': settledList(tasks, tasks / TASKS_A_SECTION), 'todone.config.json': CONFIG });
  const path = join(top, 'tasks.md');
  const daemon = startDaemon(top);
  // The first one waits for the daemon's start; the second for what is compiled lazily.
  for (const name of ['first', 'second']) await sample(path, name);
  const ms: number[] = [];
  for (let at = 0; at < (quick ? 5 : 15); at++) ms.push(await sample(path, `number ${at}`));
  const idleMs = await idleCost(daemon.pid, quick);
  await daemon.end();
  const commits = git(top, 'log', '--branches=todone/*', '--grep=^Sample', '--format=%h').trim().split('\n').length;
  if (commits !== ms.length + 2) wrong(`${ms.length + 2} samples were saved, ${commits} were committed:\n${daemon.said()}`);
  return { ms, idleMs };
}

/** Saves a line into the middle of the list, in place, and waits for its claim; then until it is done. */
async function sample(path: string, name: string): Promise<number> {
  const title = `Sample ${name}.`;
  const before = readFileSync(path, 'utf8');
  const at = before.indexOf('\n\n## ', before.length / 2) + 1;
  const bytes = Buffer.from(`${before.slice(0, at)}[] ${title}\n  run: echo ${name} > sample.txt\n${before.slice(at)}`);
  writeFileSync(path, bytes);
  const saved = performance.now();
  const ms = waitFor(path, `🟡 [^\\]]*\\] ${title}`) - saved;
  waitFor(path, `✅ [^\\]]*\\] ${title}`);
  // What follows a task, such as leaving its workspace, is not part of the next sample.
  await sleep(700);
  return ms;
}

/** When this was on disk: looks at the file again and again, and reads it when it has changed. */
function waitFor(path: string, marker: string): number {
  const pattern = new RegExp(`^\\[${marker}`, 'mu');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const until = performance.now() + PATIENCE_MS;
  for (let last = 0n; performance.now() < until; Atomics.wait(pause, 0, 0, 0.2)) {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    const seen = (stats?.ino ?? 0n) ^ (stats?.mtimeNs ?? 0n);
    const now = performance.now();
    if (seen === last) continue;
    last = seen;
    if (pattern.test(readFileSync(path, 'utf8'))) return now;
  }
  return wrong(`[${marker} did not come in ${PATIENCE_MS} ms`);
}

async function idleCost(pid: number, quick: boolean): Promise<number> {
  await sleep(quick ? 2000 : 12_000);
  const before = cpuMs(pid);
  await sleep(IDLE_MS);
  return cpuMs(pid) - before;
}

/** User and system time. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
}
