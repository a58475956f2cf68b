/**
 * The log of a phase as NDJSON beside the journal (13-R3): bounded, redacted, readable while it grows. The first part and the last
 * part of an output that is too long are kept, with a line that says what is missing. A log that cannot be written (no space) is
 * said once and ends no run.
 */
import { closeSync, constants, openSync, readSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { AgentEvent } from '../engine/ports.ts';
import type { Redaction } from './redact.ts';
import { ticketsOf } from './run-folder.ts';

export type LogEntry = { readonly at: number; readonly step: string } & AgentEvent;

export type RunLog = {
  write(event: AgentEvent): void;
  /** The last lines of text, for evidence; redacted. */
  tail(): string;
  close(): void;
};

export type RunLogOptions = {
  readonly path: string;
  readonly step: string;
  readonly maxBytes: number;
  readonly now: () => number;
  readonly redaction: Redaction;
  /** The log could not be written. Said once. */
  readonly trouble: (message: string) => void;
};

const TAIL_LINES = 60;
const TAIL_CHARS = 8000;
/** Of one text, tool input or message. */
const TEXT_CHARS_MAX = 32 * 1024;
/** The last part of a log that got too long. */
const LATE_BYTES_MAX = 256 * 1024;
const BATCH_CHARS = 64 * 1024;
const BATCH_MS = 50;
const FOLLOW_MS = 200;
const READ_BYTES = 256 * 1024;

export function openRunLog(options: RunLogOptions): RunLog {
  const file = openAppending(options);
  const redact = options.redaction.lines();
  const tail: string[] = [];
  const late = lateEntries();
  let room = options.maxBytes;
  return {
    write(event) {
      const clean = redacted(event, redact);
      if (clean.kind === 'text' || clean.kind === 'error') remember(tail, clean.kind === 'text' ? clean.text : clean.message);
      const line = `${JSON.stringify({ at: options.now(), step: options.step, ...clean })}\n`;
      room -= line.length;
      if (room >= 0) file.append(line);
      else late.add(line);
    },
    tail: () => tail.join('\n').slice(-TAIL_CHARS),
    close() {
      if (late.dropped() > 0)
        file.append(
          `${JSON.stringify({ at: options.now(), step: options.step, kind: 'text', text: `… ${late.dropped()} lines left out: the log is longer than limits.outputBytes` })}\n`,
        );
      for (const line of late.lines()) file.append(line);
      file.close();
    },
  };
}

/** Many small lines are one write; none waits longer than a blink. */
function openAppending(options: Pick<RunLogOptions, 'path' | 'trouble'>): { append(line: string): void; close(): void } {
  let fd: number | undefined;
  let batch = '';
  let timer: NodeJS.Timeout | undefined;
  let troubled = false;
  const attempt = (what: () => void): void => {
    try {
      what();
    } catch (error) {
      if (!troubled) options.trouble(`the log ${options.path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
      troubled = true;
    }
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const bytes = Buffer.from(batch);
    batch = '';
    const to = fd;
    if (to !== undefined) attempt(() => writeWhole(to, bytes));
  };
  attempt(() => {
    fd = openSync(options.path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o600);
  });
  return {
    append(line) {
      batch += line;
      if (batch.length >= BATCH_CHARS) flush();
      else timer ??= setTimeout(flush, BATCH_MS);
    },
    close() {
      flush();
      attempt(() => fd !== undefined && closeSync(fd));
      fd = undefined;
    },
  };
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** The newest entries, in two halves of which the older one is dropped whole. */
function lateEntries(): { add(line: string): void; dropped(): number; lines(): string[] } {
  let older: string[] = [];
  let newer: string[] = [];
  let bytes = 0;
  let dropped = 0;
  return {
    add(line) {
      newer.push(line);
      bytes += line.length;
      if (bytes < LATE_BYTES_MAX / 2) return;
      dropped += older.length;
      older = newer;
      newer = [];
      bytes = 0;
    },
    dropped: () => dropped,
    lines: () => [...older, ...newer],
  };
}

export type ReadRunLog = {
  readonly stateDir: string;
  readonly id: string;
  /** Only from this ticket on: one run of several. */
  readonly from?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Whether the task's run is over: what is there is read once more, then it ends. */
  readonly ended: () => boolean;
};

/** What the runs of a task said, oldest first; with `follow`, until `ended` says that it is over. */
export async function* readRunLog(options: ReadRunLog): AsyncGenerator<LogEntry> {
  const offsets = new Map<string, number>();
  for (;;) {
    const over = options.ended();
    for (const ticket of ticketsOf(options.stateDir, options.id).filter((each) => each >= (options.from ?? 0))) {
      for (const step of LOGGED) yield* newEntries(join(options.stateDir, 'runs', options.id, String(ticket), `${step}.ndjson`), offsets);
    }
    if (!options.follow || over || options.signal.aborted) return;
    await sleep(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** The newest try of a task that has a folder. */
export function latestRun(stateDir: string, id: string): number | undefined {
  return ticketsOf(stateDir, id).at(-1);
}

/** In the order in which they come within one ticket. */
const LOGGED: readonly string[] = ['hook', 'plan', 'implement', 'update', 'verify'];

/** Whole lines since the last look, a piece at a time. */
function* newEntries(path: string, offsets: Map<string, number>): Generator<LogEntry> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let offset = offsets.get(path) ?? 0;
  if (size <= offset) return;
  const fd = openSync(path, 'r');
  try {
    let piece = Buffer.alloc(READ_BYTES);
    while (offset < size) {
      const read = readSync(fd, piece, 0, Math.min(piece.length, size - offset), offset);
      const end = piece.lastIndexOf(0x0a, read - 1) + 1;
      if (read === 0 || (end === 0 && offset + read >= size)) break;
      if (end === 0) piece = Buffer.alloc(2 * piece.length);
      offset += end;
      offsets.set(path, offset);
      for (const line of piece.toString('utf8', 0, end).split('\n')) {
        const entry = entryOf(line);
        if (entry) yield entry;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** A line that was cut off by a crash is none. */
function entryOf(line: string): LogEntry | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    return undefined;
  }
}

function redacted(event: AgentEvent, redact: (text: string) => string): AgentEvent {
  const clean = (text: string): string => shortened(redact(text));
  switch (event.kind) {
    case 'text':
      return { ...event, text: clean(event.text) };
    case 'tool':
      return {
        ...event,
        ...(event.input === undefined ? {} : { input: clean(event.input) }),
        ...(event.output === undefined ? {} : { output: clean(event.output) }),
      };
    case 'limit':
    case 'error':
      return { ...event, message: clean(event.message) };
    case 'file':
      return { ...event, path: clean(event.path) };
    case 'usage':
    case 'session':
      return event;
  }
}

const shortened = (text: string): string =>
  text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}… [${text.length - TEXT_CHARS_MAX} characters left out]` : text;

function remember(tail: string[], text: string): void {
  tail.push(text.slice(-TAIL_CHARS));
  if (tail.length > TAIL_LINES) tail.shift();
}
