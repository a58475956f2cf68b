/**
 * The log of a phase as NDJSON beside the journal (13-R3): bounded, redacted, readable while it grows. The first part and the last
 * part of an output that is too long are kept, with a line that says what is missing.
 */
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { AgentEvent } from '../engine/ports.ts';
import { STEPS } from '../runs/run.ts';
import { ticketsOf } from './run-folder.ts';

export type LogEntry = { readonly at: number; readonly step: string } & AgentEvent;

export type RunLog = {
  write(event: AgentEvent): void;
  /** The last lines of text, for evidence. */
  tail(): string;
  close(): void;
};

const TAIL_LINES = 60;
const TAIL_CHARS = 8000;
const KEPT_LAST = 400;
const FOLLOW_MS = 200;

export function openRunLog(options: { readonly path: string; readonly step: string; readonly maxBytes: number; readonly now: () => number; readonly redact: (text: string) => string }): RunLog {
  const fd = openSync(options.path, 'a', 0o600);
  const tail: string[] = [];
  const last: string[] = [];
  let bytes = 0;
  let dropped = 0;
  return {
    write(event) {
      const clean = redacted(event, options.redact);
      if (clean.kind === 'text' || clean.kind === 'error') remember(tail, clean.kind === 'text' ? clean.text : clean.message, TAIL_LINES);
      const line = `${JSON.stringify({ at: options.now(), step: options.step, ...clean })}\n`;
      bytes += line.length;
      if (bytes <= options.maxBytes / 2) return void writeSync(fd, line);
      if (last.length === KEPT_LAST) dropped++;
      remember(last, line, KEPT_LAST);
    },
    tail: () => tail.join('\n').slice(-TAIL_CHARS),
    close() {
      if (dropped > 0) writeSync(fd, `${JSON.stringify({ at: options.now(), step: options.step, kind: 'text', text: `… ${dropped} lines left out: the output was longer than limits.outputBytes` })}\n`);
      for (const line of last) writeSync(fd, line);
      closeSync(fd);
    },
  };
}

/** What the runs of a task said, oldest first; with `follow`, until `ended` says that it is over. */
export async function* readRunLog(options: { readonly stateDir: string; readonly id: string; readonly follow: boolean; readonly signal: AbortSignal; readonly ended: () => boolean }): AsyncGenerator<LogEntry> {
  const read = new Map<string, number>();
  for (;;) {
    const over = options.ended();
    for (const path of logsOf(options.stateDir, options.id)) {
      const offset = read.get(path) ?? 0;
      if (statSync(path).size <= offset) continue;
      const bytes = readFileSync(path).subarray(offset);
      const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
      read.set(path, offset + whole.length);
      for (const line of whole.toString('utf8').split('\n')) if (line !== '') yield JSON.parse(line) as LogEntry;
    }
    if (!options.follow || over || options.signal.aborted) return;
    await sleep(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function logsOf(stateDir: string, id: string): string[] {
  return ticketsOf(stateDir, id).flatMap((ticket) => STEPS.map((step) => join(stateDir, 'runs', id, String(ticket), `${step}.ndjson`)).filter((path) => existsSync(path)));
}

function redacted(event: AgentEvent, redact: (text: string) => string): AgentEvent {
  switch (event.kind) {
    case 'text':
      return { ...event, text: redact(event.text) };
    case 'tool':
      return { ...event, ...(event.input === undefined ? {} : { input: redact(event.input) }), ...(event.output === undefined ? {} : { output: redact(event.output) }) };
    case 'limit':
    case 'error':
      return { ...event, message: redact(event.message) };
    case 'file':
    case 'usage':
    case 'session':
      return event;
  }
}

function remember<T>(ring: T[], item: T, max: number): void {
  ring.push(item);
  if (ring.length > max) ring.shift();
}
