/**
 * When a process started, as the kernel tells it: together with the pid and the boot it names one process for
 * ever, where a pid alone comes back. Never compares with our own clock.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Undefined where no such process is alive (a zombie is not). */
export function processStart(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
}

function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields begin after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

function psStart(pid: number): string | undefined {
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}
