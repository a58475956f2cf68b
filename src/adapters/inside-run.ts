/**
 * Whether this process is part of a run: by its own environment, or by that of a process above it, which an agent cannot take back
 * (13-R1). Linux shows the latter; elsewhere only the first is seen.
 */
import { readFileSync } from 'node:fs';
import { MARK } from './run-mark.ts';

const ABOVE_MAX = 64;

/** The task whose run it is ('' where it cannot be told), or undefined outside of every run. */
export function insideRun(env: Readonly<Record<string, string | undefined>>, pid: number): string | undefined {
  if (env[MARK] !== undefined || env['TODONE_ID'] !== undefined) return env['TODONE_ID'] ?? '';
  let at = parentOf(pid);
  for (let steps = 0; at !== undefined && at > 1 && steps < ABOVE_MAX; steps++) {
    const variables = readText(`/proc/${at}/environ`).split('\0');
    if (variables.some((each) => each.startsWith(`${MARK}=`))) return variables.find((each) => each.startsWith('TODONE_ID='))?.slice('TODONE_ID='.length) ?? '';
    at = parentOf(at);
  }
  return undefined;
}

function parentOf(pid: number): number | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return Number.isInteger(parent) ? parent : undefined;
}

/** Empty where it is somebody else's, gone, or not Linux. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
