/**
 * The folder of one try of a run: its prompt, plan, report, log, and the end of each phase, written before it is told (2-R7), so
 * that a start after a crash does not repeat a phase that had ended. `<state>/runs/<id>/<ticket>/`, only for its user.
 * What an agent left there is never trusted to be a plain or a small file.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { PhaseEnd } from '../engine/ports.ts';

export type RunFolder = {
  readonly path: string;
  /** The one folder of it that the agent writes into: its plan and its report. */
  readonly given: string;
  readonly plan: string;
  readonly result: string;
  readonly log: (step: string) => string;
  write(name: string, text: string): string;
  /** Where the prompt of a phase is. */
  readonly prompt: (step: string) => string;
  writePrompt(step: string, text: string): string;
  /** Takes away what an earlier phase or program left under this name. */
  clear(name: string): void;
  /** The end of a phase that was over before we began. */
  readEnd(step: string): PhaseEnd | undefined;
  writeEnd(step: string, end: PhaseEnd): void;
  /** What an agent wrote under this name; `tooLong` where it is more than anyone reads. */
  readGiven(name: string): { readonly text: string; readonly tooLong: boolean } | undefined;
};

const GIVEN = 'given';
export const PLAN = join(GIVEN, 'plan.md');
export const RESULT = join(GIVEN, 'result.json');

/** A report is a few lines, a plan a few pages; more than this is neither. */
const GIVEN_BYTES_MAX = 1024 * 1024;
const END_VERSION = 1;

/** Enough to know our own file again; what is in it was checked when it was made. */
const endSchema = z.object({
  version: z.literal(END_VERSION),
  ticket: z.number(),
  end: z.looseObject({ kind: z.enum(['done', 'refused', 'transient', 'rework', 'final']) }),
  tail: z.string(),
  found: z.looseObject({}),
});

export function runFolder(stateDir: string, id: string, ticket: number): RunFolder {
  const path = join(stateDir, 'runs', id, String(ticket));
  const at = (name: string): string => join(path, name);
  const make = (): void => void mkdirSync(at(GIVEN), { recursive: true, mode: 0o700 });
  make();
  const prompt = (step: string): string => at(`prompt-${step}.md`);
  const write = (name: string, text: string): string => {
    make();
    replaceFile(at(name), text, false);
    return at(name);
  };
  return {
    path,
    given: at(GIVEN),
    plan: at(PLAN),
    result: at(RESULT),
    log: (step) => at(`${step}.ndjson`),
    prompt,
    write,
    writePrompt: (step, text) => write(basename(prompt(step)), text),
    clear: (name) => rmSync(at(name), { recursive: true, force: true }),
    readEnd(step) {
      const written = readEndFile(at(`end-${step}.json`));
      return written?.ticket === ticket ? written.phase : undefined;
    },
    writeEnd(step, phase) {
      make();
      replaceFile(at(`end-${step}.json`), JSON.stringify({ version: END_VERSION, ticket, ...phase }), true);
    },
    readGiven: (name) => readGiven(at(name)),
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

/** The highest ticket of every task that has a folder. */
export function allTickets(stateDir: string): ReadonlyMap<string, number> {
  const tickets = new Map<string, number>();
  for (const id of namesIn(join(stateDir, 'runs'))) {
    const last = ticketsOf(stateDir, id).at(-1);
    if (last !== undefined) tickets.set(id, last);
  }
  return tickets;
}

/** `before`: ms since 1970; `spare`: tasks whose folders stay. */
export type RunBounds = { readonly before: number; readonly maxBytes: number; readonly spare: ReadonlySet<string> };

/** Takes away folders of runs that nothing has touched since `before`, and the oldest ones over `maxBytes`; gives their number. */
export function pruneRuns(stateDir: string, { before, maxBytes, spare }: RunBounds): number {
  const folders = namesIn(join(stateDir, 'runs'))
    .filter((id) => !spare.has(id))
    .flatMap((id) => ticketsOf(stateDir, id).map((ticket) => folderFacts(join(stateDir, 'runs', id, String(ticket)))))
    .toSorted((one, other) => other.at - one.at);
  let bytes = 0;
  let removed = 0;
  for (const { path, at, size } of folders) {
    bytes += size;
    if (at >= before && bytes <= maxBytes) continue;
    rmSync(path, { recursive: true, force: true });
    removed++;
    if (namesIn(dirname(path)).length === 0) rmSync(dirname(path), { recursive: true, force: true });
  }
  return removed;
}

/** When it was last touched, and how large its files are. */
function folderFacts(path: string): { readonly path: string; readonly at: number; readonly size: number } {
  let at = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  let size = 0;
  for (const name of namesIn(path)) {
    const stat = lstatSync(join(path, name), { throwIfNoEntry: false });
    if (stat?.isFile()) size += stat.size;
    at = Math.max(at, stat?.mtimeMs ?? 0);
  }
  return { path, at, size };
}

function readEndFile(path: string): { readonly ticket: number; readonly phase: PhaseEnd } | undefined {
  try {
    const written = endSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { ticket: written.ticket, phase: { end: written.end as PhaseEnd['end'], tail: written.tail, found: written.found } };
  } catch {
    return undefined;
  }
}

/** Neither a link is followed nor a pipe waited for. */
function readGiven(path: string): { readonly text: string; readonly tooLong: boolean } | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(GIVEN_BYTES_MAX + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) read = readSync(fd, bytes, length, bytes.length - length, length);
    return { text: bytes.toString('utf8', 0, Math.min(length, GIVEN_BYTES_MAX)), tooLong: length > GIVEN_BYTES_MAX };
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function replaceFile(path: string, text: string, durable: boolean): void {
  const temp = `${path}.new`;
  rmSync(temp, { recursive: true, force: true });
  const fd = openSync(temp, 'wx', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
  if (durable) syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
