/**
 * Notes (1.4-R2): quotes below a task, behind its own details and before its subtasks. Never hidden by a fence or comment that
 * nothing closed, as far as there is a place that is not.
 */
import { parse } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import type { OnText, Splice } from './retag.ts';
import type { Board, Located } from './task.ts';
import { endOfLine, lineEndFor, linesOf, plainWords } from './white.ts';

export function planNote(board: Board, located: Located, on: OnText, words: string, options: ParseOptions): Plan {
  const lines = noteLines(words);
  if (lines.length === 0) return ALREADY;
  const { notes } = located.task;
  if (notes.length >= lines.length && lines.every((line, index) => notes[notes.length - lines.length + index] === line)) return ALREADY;
  const ends = ownLineEnds(board, located, on);
  const at = ends.find((offset) => showsNote(on, offset, lines, options)) ?? ends[0]!;
  return applied([noteSplice(on, at, lines)]);
}

function noteLines(words: string): readonly string[] {
  const lines = linesOf(words).map((line) => plainWords(line).trimEnd());
  while (lines.length > 0 && lines[0] === '') lines.shift();
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}

function noteSplice({ text, base, task }: OnText, at: number, lines: readonly string[]): Splice {
  const end = lineEndFor(text, base + task.headSpan.start);
  return { start: at, end: at, text: lines.map((line) => `${end}${task.detailIndent}>${line === '' ? '' : ` ${line}`}`).join('') };
}

/** How many lines a note may move up to be out of a fence that nothing closed. */
const NOTE_LINES_UP_MAX = 60;

/** Where a note may stand, best first: behind the last of the own lines in front of the subtasks, and further up. */
function ownLineEnds(board: Board, { sectionIndex, taskIndex }: Located, { text, base, task }: OnText): readonly number[] {
  const next = board.sections[sectionIndex]!.tasks[taskIndex + 1];
  const limit = base + (next?.parent === taskIndex ? next.headSpan.start : task.span.end);
  const headEnd = base + task.headSpan.end;
  const ends: number[] = [];
  for (let own = text.slice(headEnd, limit).trimEnd(); own !== '' && ends.length < NOTE_LINES_UP_MAX; own = own.slice(0, lastLineStart(own)).trimEnd())
    ends.push(endOfLine(text, headEnd + own.length));
  return [...ends, headEnd];
}

function lastLineStart(text: string): number {
  return Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'), 0);
}

/** Whether a note there is read as one, and not as more of a fence or comment; and leaves the lines below it as they are. */
function showsNote(on: OnText, at: number, lines: readonly string[], options: ParseOptions): boolean {
  const { text, base, task } = on;
  const start = base + task.headSpan.start;
  const end = base + task.span.end;
  const now = parse(text.slice(start, end), options).sections[0];
  const then = parse(text.slice(start, at) + noteSplice(on, at, lines).text + text.slice(at, end), options).sections[0];
  const own = then?.tasks[0];
  return (
    own !== undefined &&
    own.notes.length > (now?.tasks[0]?.notes.length ?? 0) &&
    own.fingerprint === now?.tasks[0]?.fingerprint &&
    then!.tasks.length === now.tasks.length
  );
}
