/**
 * Finds processes by a mark in their environment and ends them (5.3-R3): it reaches children that left the group or the
 * session. Linux reads /proc; elsewhere `ps -E` (untried). Never touches a process without the mark, nor this one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const ROUNDS_MAX = 20;
const ROUND_MS = 10;

/** Kills everything whose environment has a variable that begins with `mark`; gives how many there were. */
export async function sweepMarked(mark: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = marked(mark);
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone by itself
      }
    }
    await sleep(ROUND_MS);
  }
  return killed.size;
}

/** Clock ticks that the marked processes have used. */
export function treeCpu(mark: string): number {
  if (process.platform !== 'linux') return 0;
  let ticks = 0;
  for (const pid of marked(mark)) {
    const fields = readText(`/proc/${pid}/stat`).replace(/^.*\) /s, '').split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks;
}

/** Living processes with the mark, this one left out; a zombie has no environment any more. */
export function marked(mark: string): number[] {
  if (process.platform !== 'linux') return markedByPs(mark);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => hasMark(readText(`/proc/${name}/environ`), mark))
    .map(Number);
}

const hasMark = (environ: string, mark: string): boolean => environ.startsWith(mark) || environ.includes(`\0${mark}`);

function markedByPs(mark: string): number[] {
  const lines = execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n');
  return lines.filter((line) => line.includes(` ${mark}`)).map((line) => Number.parseInt(line, 10)).filter((pid) => pid > 0 && pid !== process.pid);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
