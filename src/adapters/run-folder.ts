/**
 * The folder of one try of a run: its prompt, plan, report, log, and the end of each phase, written before it is told (2-R7), so
 * that a start after a crash does not repeat a phase that had ended. `<state>/runs/<id>/<ticket>/`, only for its user.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { PhaseEnd } from '../engine/ports.ts';

export type RunFolder = {
  readonly path: string;
  readonly plan: string;
  readonly result: string;
  readonly log: (step: string) => string;
  write(name: string, text: string): string;
  readEnd(step: string): PhaseEnd | undefined;
  writeEnd(step: string, end: PhaseEnd): void;
  readResult(): string | undefined;
};

/** A report is a few lines; more than this is none. */
const RESULT_BYTES_MAX = 1024 * 1024;

export function runFolder(stateDir: string, id: string, ticket: number): RunFolder {
  const path = join(stateDir, 'runs', id, String(ticket));
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(path, name);
  return {
    path,
    plan: at('plan.md'),
    result: at('result.json'),
    log: (step) => at(`${step}.ndjson`),
    write(name, text) {
      writeDurable(at(name), text, false);
      return at(name);
    },
    readEnd(step) {
      try {
        return JSON.parse(readFileSync(at(`end-${step}.json`), 'utf8')) as PhaseEnd;
      } catch {
        return undefined;
      }
    },
    writeEnd: (step, end) => writeDurable(at(`end-${step}.json`), JSON.stringify(end), true),
    readResult() {
      if (!existsSync(at('result.json'))) return undefined;
      const text = readFileSync(at('result.json'), 'utf8');
      rmSync(at('result.json'), { force: true });
      return text.length > RESULT_BYTES_MAX ? '' : text;
    },
  };
}

/** The tickets of a task that have a folder, oldest first. */
export function ticketsOf(stateDir: string, id: string): number[] {
  try {
    return readdirSync(join(stateDir, 'runs', id))
      .map(Number)
      .filter(Number.isInteger)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

function writeDurable(path: string, text: string, durable: boolean): void {
  const temp = `${path}.new`;
  const fd = openSync(temp, 'w', 0o600);
  try {
    writeSync(fd, text);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
}
