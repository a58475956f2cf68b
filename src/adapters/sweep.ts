/**
 * Finds processes by a mark in their environment and ends them (5.3-R3): the mark reaches children that left the group or the
 * session. Whoever descends from a marked process, or sits in a group or session that one leads, counts as marked too: some
 * programs overwrite their environment. Linux reads /proc; elsewhere `ps` (untried). Never touches this process.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { exec } from './exec.ts';

/** A process as the system's table has it. `cpuMs` includes children that were waited for. */
type Row = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly cpuMs: number;
  readonly marked: boolean;
};

/** The end of a mark that has to match whole: an entry of an environment ends with NUL. */
export const WHOLE = '\0';

const ROUNDS_MAX = 60;
const ROUND_MS = 10;
const ROUND_MS_LATER = 50;
const TICK_MS = 10;

/**
 * Kills everything with a variable that begins with `mark` (`NAME=value`, with `WHOLE` at its end: exactly that value), and what
 * belongs to `leader`; again until none is found, since one may fork in between. What started before `since` (`startTicks` of the first
 * one that was given the mark) cannot have it and is not asked. Gives how many there were.
 */
export async function sweepMarked(mark: string, leader?: number, since?: number): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await lookAgain(mark, leader, since);
    if (found?.length === 0) break;
    for (const { pid } of found ?? []) {
      killed.add(pid);
      kill(pid, 'SIGKILL');
    }
    await sleep(round < 10 ? ROUND_MS : ROUND_MS_LATER);
  }
  return killed.size;
}

/** Undefined where there was no look: no file handle was left, say. */
async function lookAgain(mark: string, leader: number | undefined, since: number | undefined): Promise<Row[] | undefined> {
  try {
    return await markedTree(mark, leader, since);
  } catch {
    return undefined;
  }
}

/** Milliseconds of CPU that the marked processes have used, children that ended included. */
export async function treeCpuMs(mark: string, leader?: number): Promise<number> {
  return (await markedTree(mark, leader)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Living processes with the mark and those that belong to them, this one left out. */
export async function marked(mark: string, leader?: number): Promise<number[]> {
  return (await markedTree(mark, leader)).map(({ pid }) => pid);
}

/** The same with their parents. */
export const markedRows = (mark: string, leader?: number): Promise<readonly Pick<Row, 'pid' | 'parent'>[]> => markedTree(mark, leader);

/** Sends a signal to one process, or with a negative id to a group; false where there is none. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function markedTree(mark: string, leader: number | undefined, since?: number): Promise<Row[]> {
  const rows = process.platform === 'linux' ? procRows(mark, since) : await psRows(mark);
  const ours = new Set(rows.filter((row) => row.marked || row.pid === leader).map(({ pid }) => pid));
  if (leader !== undefined) ours.add(leader);
  if (ours.size === 0) return [];
  let grown = true;
  while (grown) {
    grown = false;
    for (const row of rows) {
      if (ours.has(row.pid) || !(ours.has(row.parent) || ours.has(row.group) || ours.has(row.session))) continue;
      ours.add(row.pid);
      grown = true;
    }
  }
  return rows.filter(({ pid }) => ours.has(pid));
}

/** Zombies are left out: they have ended, and only their parent can clear them away. */
function procRows(mark: string, since = 0): Row[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const stat = readText(`/proc/${name}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '' || fields[0] === 'Z' || fields[0] === 'X') return [];
    const field = (at: number): number => Number(fields[at] ?? 0);
    const cpuMs = (field(11) + field(12) + field(13) + field(14)) * TICK_MS;
    const isMarked = field(STARTED) >= since && hasMark(readText(`/proc/${name}/environ`), mark);
    return [{ pid, parent: field(1), group: field(2), session: field(3), cpuMs, marked: isMarked }];
  });
}

/** Where the fields after a process's name have the time of its start. */
const STARTED = 19;

/** When a process started, in ticks of the kernel; undefined where it is gone or nobody tells. */
export function startTicks(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = readText(`/proc/${pid}/stat`);
  return stat === '' ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTED]);
}

const hasMark = (environ: string, mark: string): boolean => environ.startsWith(mark) || environ.includes(`\0${mark}`);

async function psRows(mark: string): Promise<Row[]> {
  const listed = await exec('ps', ['-axEww', '-o', 'pid=,ppid=,pgid=,stat=,time=,command='], { cwd: '/', env: { PATH: process.env['PATH'] } });
  if (listed.code !== 0) throw new Error(`ps: ${listed.trouble ?? listed.stderr}`);
  return rowsOfPs(listed.stdout.toString('utf8'), mark);
}

/** What `ps` printed, as rows; it has no sessions to tell of. */
export function rowsOfPs(text: string, mark: string): Row[] {
  const whole = mark.endsWith(WHOLE);
  const entry = ` ${whole ? mark.slice(0, -1) : mark}`;
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s(.*)$/.exec(line);
    if (!match || match[4]?.startsWith('Z') || Number(match[1]) === process.pid) return [];
    const [days, hours, minutes, seconds] = [match[5], match[6], match[7], match[8]].map((part) => Number(part ?? 0));
    const cpuMs = ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
    const command = ` ${match[9] ?? ''} `;
    const has = command.includes(whole ? `${entry} ` : entry);
    return [{ pid: Number(match[1]), parent: Number(match[2]), group: Number(match[3]), session: 0, cpuMs, marked: has }];
  });
}

/** Gone in between, or somebody else's: nothing of ours. */
const NOT_OURS: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_OURS.has(String(error.code))) return '';
    throw error;
  }
}
