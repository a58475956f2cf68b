/**
 * A hundred repositories under one ToDone (6.5-R2): how long it takes until all are there, what one process costs when nothing happens,
 * and how long the global view takes, beside the bare start of Node.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Figure, median, plain, shown } from './figures.ts';
import { settledList } from './lists.ts';
import { makeRepo, SOURCE, startDaemon, timed, wrong } from './scene.ts';

const REPOS = 100;
const TASKS = 20;
const IDLE_MS = 20_000;
const PATIENCE_MS = 300_000;
const MS_A_TICK = 10;
const ALL_OPEN = 'at most at once';

export async function repos(quick: boolean): Promise<Figure[]> {
  const count = quick ? 20 : REPOS;
  const room = mkdtempSync(join(tmpdir(), 'bench-repos-'));
  try {
    const template = makeRepo({ 'tasks.md': settledList(TASKS, 2) });
    for (let at = 0; at < count; at++) cpSync(template, join(room, 'src', `r${at}`), { recursive: true });
    mkdirSync(join(room, 'todone'));
    writeFileSync(join(room, 'todone', 'config.yaml'), `projects: [${room}/src/*]\n`);
    process.env['XDG_CONFIG_HOME'] = room;
    return await measure(room, count, quick);
  } finally {
    delete process.env['XDG_CONFIG_HOME'];
    rmSync(room, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function measure(room: string, count: number, quick: boolean): Promise<Figure[]> {
  const node = median(several(quick, () => timed(process.execPath, ['-e', '0'], room)));
  const alone = median(several(quick, () => listTime(room)));
  const first = await started(room);
  await first.daemon.end();
  const again = await started(room);
  const { daemon } = again;
  await sleep(quick ? 3000 : 12_000);
  const before = cpuMs(daemon.pid);
  await sleep(IDLE_MS);
  const idle = cpuMs(daemon.pid) - before;
  const withDaemon = median(several(quick, () => listTime(room)));
  const status = median(several(quick, () => timed(process.execPath, [SOURCE, 'status', '--all', '--json'], room)));
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  const files = readdirSync(`/proc/${daemon.pid}/fd`).length;
  await daemon.end();
  const per = (value: number, unit: string): string => `, ${value.toFixed(1)} ${unit} each`;
  return [
    plain(`${count} repositories, first start`, `${shown(first.ms, 'ms')}, ${first.cpu} ms of CPU`),
    plain(`${count} repositories, later start`, `${shown(again.ms, 'ms')}, ${again.cpu} ms of CPU${per(again.ms / count, 'ms')}`),
    atMost(`task list --all, ${count * TASKS} tasks, no daemon, to bare Node`, alone / node, 20, '×', `, ${shown(alone, 'ms')}`),
    atMost(`task list --all, ${count * TASKS} tasks, with the daemon, to bare Node`, withDaemon / node, 20, '×', `, ${shown(withDaemon, 'ms')}`),
    plain('status --all, with the daemon', shown(status, 'ms')),
    atMost(`${count} repositories idle for ${IDLE_MS / 1000} s, CPU`, idle, IDLE_MS / 50, 'ms'),
    plain('resident memory', `${rss.toFixed(0)} MiB${per(rss / count, 'MiB')}`),
    plain('open files', `${files}${per(files / count, '')}`.replace('  each', ' each')),
  ];
}

const several = (quick: boolean, measureOnce: () => number): number[] => Array.from({ length: quick ? 2 : 5 }, measureOnce);

const listTime = (room: string): number => timed(process.execPath, [SOURCE, 'task', 'list', '--all', '--json'], room);

/** Until every list has an owner and its work may begin. */
async function started(room: string): Promise<{ readonly daemon: ReturnType<typeof startDaemon>; readonly ms: number; readonly cpu: number }> {
  const begun = performance.now();
  const daemon = startDaemon(room, '--all');
  while (!daemon.said().includes(ALL_OPEN)) {
    if (performance.now() - begun > PATIENCE_MS) wrong(`not every list was opened in time:\n${daemon.said()}`);
    await sleep(20);
  }
  return { daemon, ms: performance.now() - begun, cpu: cpuMs(daemon.pid, true) };
}

/** User and system time; with `children`, that of the ones it has waited for too. */
function cpuMs(pid: number, children = false): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = (children ? [11, 12, 13, 14] : [11, 12]).reduce((sum, at) => sum + Number(fields[at]), 0);
  return ticks * MS_A_TICK;
}
