/**
 * Stretches inside one line that are not a person's words to ToDone: code spans and HTML comments.
 * Linear however many backticks a line has. Never looks beyond the line: a task's head is one line (1.1-R2).
 */
import type { Span } from './task.ts';

/** Code spans by CommonMark's rule: a run of backticks closes with the next run of the same length. */
export function codeSpans(line: string): Span[] {
  const runs = backtickRuns(line);
  if (runs.length < 2) return [];
  const closer = nextOfSameLength(runs);
  const spans: Span[] = [];
  for (let index = 0; index < runs.length; index++) {
    const run = runs[index]!;
    const escaped = run.escaped;
    if (escaped && run.length === 1) continue;
    const at = escaped ? closingRun(runs, index, run.length - 1) : closer[index]!;
    if (at < 0) continue;
    const close = runs[at]!;
    spans.push({ start: run.start + (escaped ? 1 : 0), end: close.start + close.length });
    index = at;
  }
  return spans;
}

/** Comments that begin and end on the line, outside code. `unclosed` = where one begins that does not end on it, or -1. */
export function lineComments(line: string): { readonly spans: readonly Span[]; readonly unclosed: number } {
  const spans: Span[] = [];
  const code = codeSpans(line);
  let from = 0;
  let codeAt = 0;
  for (;;) {
    const open = line.indexOf('<!--', from);
    if (open < 0) return { spans, unclosed: -1 };
    while (codeAt < code.length && code[codeAt]!.end <= open) codeAt++;
    const span = code[codeAt];
    if (span && span.start <= open) {
      from = span.end;
      continue;
    }
    if (isEscaped(line, open)) {
      from = open + 4;
      continue;
    }
    const close = commentEnd(line, open);
    if (close < 0) return { spans, unclosed: open };
    spans.push({ start: open, end: close });
    from = close;
  }
}

/** Offset after the comment that begins at `open`, or -1. `<!-->` and `<!--->` are whole comments. */
function commentEnd(line: string, open: number): number {
  if (line.startsWith('<!-->', open)) return open + 5;
  if (line.startsWith('<!--->', open)) return open + 6;
  const close = line.indexOf('-->', open + 4);
  return close < 0 ? -1 : close + 3;
}

type Run = { readonly start: number; readonly length: number; readonly escaped: boolean };

function backtickRuns(line: string): Run[] {
  const runs: Run[] = [];
  let at = line.indexOf('`');
  while (at >= 0) {
    let stop = at + 1;
    while (line.charCodeAt(stop) === 0x60) stop++;
    runs.push({ start: at, length: stop - at, escaped: isEscaped(line, at) });
    at = line.indexOf('`', stop);
  }
  return runs;
}

/** Whether an odd number of backslashes stands before `at`. Looked at once per run, so linear in all. */
function isEscaped(line: string, at: number): boolean {
  let count = 0;
  while (line.charCodeAt(at - 1 - count) === 0x5c) count++;
  return count % 2 === 1;
}

function nextOfSameLength(runs: readonly Run[]): number[] {
  const last = new Map<number, number>();
  const next: number[] = runs.map(() => -1);
  for (let index = runs.length - 1; index >= 0; index--) {
    const { length } = runs[index]!;
    next[index] = last.get(length) ?? -1;
    last.set(length, index);
  }
  return next;
}

/** For the rare opener that a backslash made one shorter: looks ahead a bounded way. */
function closingRun(runs: readonly Run[], index: number, length: number): number {
  const lookAheadMax = 64;
  for (let at = index + 1; at < runs.length && at <= index + lookAheadMax; at++) if (runs[at]!.length === length) return at;
  return -1;
}
