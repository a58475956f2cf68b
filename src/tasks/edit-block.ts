/**
 * Whole tasks taken off the list and put back (6.5-R1), byte for byte. A task is taken off only while its lines are exactly those
 * that were asked for. Where its section is as it was then, it comes back to the byte where it stood; else beside the tasks that it
 * stood beside.
 */
import { findById } from './find.ts';
import { hashText } from './hash.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Splice } from './retag.ts';
import type { Board, Edit, Located, PutBack, Section, Task } from './task.ts';
import { endOfLine, lineEndAt, lineEndFor } from './white.ts';

type BlockEdit = Extract<Edit, { kind: 'remove' | 'putBack' | 'summarize' }>;

/** So many neighbours are remembered on each side. */
const NEIGHBOURS = 3;
const SUMMARY = /^> archived: \d+ done tasks?\b.*(?:\r\n|\n|\r|$)/m;
const ATX = /^ {0,3}#/;

// ── off the list ─────────────────────────────────────────────────────────────────────────────────

/** The lines of a task with all that is nested in it, with their line ends; and the blank ones below it, where there is one above it too. */
export function blockOf(board: Board, located: Located): { readonly start: number; readonly end: number; readonly text: string } {
  const { text } = board;
  const base = board.starts[located.sectionIndex]!;
  const start = base + located.task.headSpan.start;
  const body = text.slice(start, base + located.task.span.end).trimEnd();
  const last = endOfLine(text, start + body.length);
  let end = last + lineEndAt(text, last).length;
  if (isBlankBefore(text, start)) while (end < text.length && text.slice(end, endOfLine(text, end)).trim() === '') end = nextLine(text, end);
  return { start, end, text: text.slice(start, end) };
}

const nextLine = (text: string, at: number): number => {
  const end = endOfLine(text, at);
  return end + lineEndAt(text, end).length;
};

function isBlankBefore(text: string, at: number): boolean {
  let end = at - 1;
  if (text[end] === '\n' && text[end - 1] === '\r') end--;
  if (end < 0) return false;
  return text.slice(Math.max(text.lastIndexOf('\n', end - 1), text.lastIndexOf('\r', end - 1)) + 1, end).trim() === '';
}

export function planRemove(board: Board, located: Located, { text }: Extract<BlockEdit, { kind: 'remove' }>): Plan {
  const { task, sectionIndex } = located;
  const base = board.starts[sectionIndex]!;
  const start = base + task.headSpan.start;
  const own = board.text.slice(start, base + task.span.end).trimEnd();
  // What was typed below it in the meantime is a part of it.
  if (!board.text.startsWith(text, start) || text.trimEnd() !== own) return { result: { kind: 'changed', marker: task.marker }, splices: [] };
  return applied([{ start, end: start + text.length, text: '' }]);
}

// ── and back ─────────────────────────────────────────────────────────────────────────────────────

/** Where a task stands among those that stay: what it takes to put it back. `gone` = all that go, of this board. */
export function placeOfBlock(board: Board, after: Board, located: Located, gone: ReadonlySet<Task>): Omit<PutBack, 'text' | 'ids'> | undefined {
  const section = board.sections[located.sectionIndex]!;
  const index = after.sections.findIndex(({ name }) => name === section.name);
  const left = after.sections[index];
  if (!left) return undefined;
  const { task } = located;
  const top = section.tasks.filter((each) => each.parent === undefined && each.phase === task.phase && (each === task || !gone.has(each)));
  const at = top.indexOf(task);
  let removed = 0;
  for (const [taskIndex, each] of section.tasks.entries()) {
    if (!gone.has(each) || each.parent !== undefined || each.headSpan.start >= task.headSpan.start) continue;
    const block = blockOf(board, { task: each, sectionIndex: located.sectionIndex, taskIndex });
    removed += block.end - block.start;
  }
  const offset = task.headSpan.start - removed;
  const text = sectionText(board, located.sectionIndex);
  const summary = summaryOf(text);
  return {
    rest: restOf(sectionText(after, index)),
    offset: offset - (summary && summary.start < task.headSpan.start ? summary.end - summary.start : 0),
    above: top
      .slice(Math.max(0, at - NEIGHBOURS), at)
      .toReversed()
      .map(wordsOf),
    below: top.slice(at + 1, at + 1 + NEIGHBOURS).map(wordsOf),
    ...(task.phase !== undefined && { phase: task.phase }),
  };
}

const wordsOf = (task: Task): string => hashText(task.title).slice(-8);

export function planPutBack(board: Board, sectionIndex: number | undefined, { heading, blocks }: Extract<BlockEdit, { kind: 'putBack' }>): Plan {
  const wanted = blocks.filter(({ ids }) => !ids.some((id) => findById(board, id) !== undefined));
  if (wanted.length === 0) return ALREADY;
  if (sectionIndex === undefined) return applied([atEnd(board.text, heading, wanted)]);
  const section = board.sections[sectionIndex]!;
  const text = sectionText(board, sectionIndex);
  const exact = wanted.length === blocks.length && blocks.every(({ rest }) => rest === restOf(text));
  const base = board.starts[sectionIndex]!;
  const spots = wanted.map((block) => ({ block, at: base + (exact ? withSummary(text, block.offset) : besideNeighbours(text, section, block)) }));
  return applied(spliced(board.text, spots, exact));
}

/** Several at one place follow each other as they are given. */
function spliced(text: string, spots: readonly { readonly block: PutBack; readonly at: number }[], exact: boolean): Splice[] {
  const places = new Map<number, string>();
  for (const { block, at } of spots) {
    const before = places.get(at) ?? '';
    if (exact) {
      places.set(at, before + block.text);
      continue;
    }
    const eol = lineEndFor(text, Math.max(0, at - 1));
    const lead = at > 0 && before === '' && !/[\r\n]/.test(text[at - 1] ?? '') ? eol : '';
    places.set(at, before + lead + ended(block.text, eol));
  }
  return [...places].map(([at, put]) => ({ start: at, end: at, text: put }));
}

const ended = (text: string, eol: string): string => (/[\r\n]$/.test(text) ? text : text + eol);

/** Below the nearest task that stood above it, else above the nearest one below it, else at the top of its phase or section. */
function besideNeighbours(text: string, section: Section, { above, below, phase }: PutBack): number {
  const top = section.tasks.filter((task) => task.parent === undefined && task.phase === phase);
  for (const words of above) {
    const task = top.findLast((each) => wordsOf(each) === words);
    if (task) return endOfBlock(text, task);
  }
  for (const words of below) {
    const task = top.find((each) => wordsOf(each) === words);
    if (task) return task.headSpan.start;
  }
  const heading = section.phases.find(({ title }) => title === phase);
  if (heading) return nextLine(text, startOfLine(text, heading.line));
  const last = section.tasks.findLast((task) => task.parent === undefined);
  if (last) return endOfBlock(text, last);
  const body = text.trimEnd();
  return nextLine(text, body.length);
}

const endOfBlock = (text: string, task: Task): number => nextLine(text, task.headSpan.start + text.slice(task.headSpan.start, task.span.end).trimEnd().length);

function startOfLine(text: string, line: number): number {
  let at = 0;
  for (let count = 0; count < line; count++) at = nextLine(text, at);
  return at;
}

/** The section itself is gone. */
function atEnd(text: string, heading: string, blocks: readonly PutBack[]): Splice {
  const eol = text === '' ? '\n' : lineEndFor(text, text.length);
  const lead = text === '' ? '' : /[\r\n]$/.test(text) ? eol : eol + eol;
  return { start: text.length, end: text.length, text: `${lead}${heading}${eol}${blocks.map((block) => ended(block.text, eol)).join('')}` };
}

// ── the line that says what is in the archive ────────────────────────────────────────────────────

type Stretch = { readonly start: number; readonly end: number };

export function summaryOf(section: string): Stretch | undefined {
  const found = SUMMARY.exec(section);
  return found ? { start: found.index, end: found.index + found[0].length } : undefined;
}

const sectionText = (board: Board, sectionIndex: number): string => {
  const start = board.starts[sectionIndex]!;
  return board.text.slice(start, start + board.sections[sectionIndex]!.length);
};

const withoutSummary = (section: string): string => {
  const summary = summaryOf(section);
  return summary ? section.slice(0, summary.start) + section.slice(summary.end) : section;
};

const restOf = (section: string): string => hashText(withoutSummary(section));

function withSummary(section: string, offset: number): number {
  const summary = summaryOf(section);
  return summary && offset >= summary.start ? offset + summary.end - summary.start : offset;
}

/** One line below the section's heading, in place of the one that is there; none where there are no words. */
export function planSummarize(board: Board, sectionIndex: number, { words }: Extract<BlockEdit, { kind: 'summarize' }>): Plan {
  const text = sectionText(board, sectionIndex);
  const base = board.starts[sectionIndex]!;
  const summary = summaryOf(text);
  const eol = lineEndFor(board.text, base);
  const line = words === undefined ? '' : `> archived: ${words}${eol}`;
  if (summary) {
    const { start, end } = summary;
    return text.slice(start, end) === line ? ALREADY : applied([{ start: base + start, end: base + end, text: line }]);
  }
  // Below an underlined heading it would come between that and its line.
  if (line === '' || !ATX.test(text)) return ALREADY;
  const at = nextLine(text, 0);
  return applied([{ start: base + at, end: base + at, text: at > 0 && /[\r\n]$/.test(text.slice(0, at)) ? line : eol + line.slice(0, -eol.length) }]);
}
