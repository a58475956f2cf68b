/**
 * Starts the small bad programs of `test/agents` through the door, and looks for what carries their mark.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { type Exit, type Launch, launch } from '../../src/adapters/process.ts';
import { MARK } from '../../src/adapters/run-mark.ts';
import { marked } from '../../src/adapters/sweep.ts';

export const PROGRAMS = join(import.meta.dirname, '..', 'agents');
export const program = (name: string): string => join(PROGRAMS, name);

const folders: string[] = [];

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'todone-agents-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export const newMark = (): string => `t${randomBytes(6).toString('hex')}.1-g0000000-1`;

export type Started = { readonly mark: string; readonly lines: string[]; readonly ended: Promise<Exit>; stop(): void };

export function started(name: string, args: readonly string[] = [], given: Partial<Launch> = {}): Started {
  const mark = given.mark ?? newMark();
  const lines: string[] = [];
  const abort = new AbortController();
  const isModule = name.endsWith('.mjs');
  const ended = launch({
    program: isModule ? process.execPath : program(name),
    args: isModule ? [program(name), ...args] : args,
    cwd: given.cwd ?? PROGRAMS,
    env: { PATH: process.env['PATH'] ?? '' },
    mark,
    limitMs: 30_000,
    graceMs: 200,
    onLine: (line) => void (lines.length < 10_000 && lines.push(line)),
    signal: abort.signal,
    ...given,
  });
  return { mark, lines, ended, stop: () => abort.abort() };
}

export const alive = (mark: string): Promise<number[]> => marked(`${MARK}=${mark}`);

/** Waits for something that has to come; the test's own limit ends it otherwise. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(20);
}
