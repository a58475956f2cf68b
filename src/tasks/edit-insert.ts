/**
 * New tasks (1.4-R2): where their lines go, and what they have to look like there. Never inside a fence or comment that
 * nothing closed.
 */
import { newTaskLines } from './compose.ts';
import { findById } from './find.ts';
import type { Style } from './compose.ts';
import { defaultParseOptions, parse } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Splice } from './retag.ts';
import type { Board, Edit, NewTask, Section, Task } from './task.ts';
import { endOfLine, lineEndFor, skipWhite } from './white.ts';

type InsertEdit = Extract<Edit, { kind: 'insert' }>;

/** `beside` is the task that the edit names, if any. */
export function planInsert(board: Board, sectionIndex: number, beside: Task | undefined, edit: InsertEdit, options: ParseOptions): Plan {
  const section = board.sections[sectionIndex]!;
  const base = board.starts[sectionIndex]!;
  if (edit.once && isThere(board, section, edit.task, options)) return ALREADY;
  const anchor = beside ?? lastOpenEnd(board.text, base, section) ?? section.tasks[0];
  if (!anchor) return applied([firstInSection(board.text, edit, section, base, options)]);
  const above = edit.where.at === 'above' || endsHidden(board.text, base, anchor);
  const style = styleOf(board.text, base, anchor, edit.where.at === 'above' ? 0 : 1, mayCloseComment(board.text, base, section, edit.task));
  const lines = newTaskLines(edit.task, style, options);
  const end = lineEndFor(board.text, base + anchor.headSpan.start);
  if (above) {
    const at = base + anchor.headSpan.start;
    return applied([{ start: at, end: at, text: lines.map((line) => line + end).join('') }]);
  }
  const at = lastLineEnd(board.text, base + anchor.headSpan.end, base + anchor.span.end);
  return applied([{ start: at, end: at, text: lines.map((line) => end + line).join('') }]);
}

function isThere(board: Board, section: Section, task: NewTask, options: ParseOptions): boolean {
  const id = task.tags.find(({ key }) => key === 'id')?.value;
  if (id !== undefined) return findById(board, id) !== undefined;
  const [line] = newTaskLines(task, { lead: '', detailIndent: '  ', mayCloseComment: false }, options);
  const there = parse(`## Git Worktree x\n${line}\n`, options).sections[0]?.tasks[0]?.text;
  return section.tasks.some(({ text }) => text === there);
}

/** The last task of the section that others can be put behind: nothing left open hides what follows it. */
export function lastOpenEnd(text: string, base: number, section: Section): Task | undefined {
  return section.tasks.findLast((task) => task.parent === undefined && !endsHidden(text, base, task));
}

const hiding = new WeakMap<Task, boolean>();

/** Whether a fence or comment that nothing closed would hide a task written below this one. */
export function endsHidden(text: string, base: number, task: Task): boolean {
  const known = hiding.get(task);
  if (known !== undefined) return known;
  const block = text.slice(base + task.headSpan.start, base + task.span.end);
  const hides = /```|~~~|</.test(block) && !nextIsSeen(text, base, task);
  hiding.set(task, hides);
  return hides;
}

/** The list items further up have a say in where a fence ends: the section is read as it would be. */
function nextIsSeen(text: string, base: number, task: Task): boolean {
  const lead = text.slice(base + task.headSpan.start, base + task.markerSpan.start);
  const above = text.slice(base, base + task.span.end).trimEnd();
  return parse(`${above}\n${lead}[] next\n`, defaultParseOptions).sections.at(-1)?.tasks.at(-1)?.text === 'next';
}

function unclosedLine(section: Section): number | undefined {
  return section.problems.find((problem) => problem.rule === '1.1-R5')?.line;
}

function mayCloseComment(text: string, base: number, section: Section, { title, details }: NewTask): boolean {
  return `${title}\n${details ?? ''}`.includes('-->') && text.slice(base, base + section.length).includes('<!--');
}

/** A list's bullet goes on; numbers count on by `step`. */
function styleOf(text: string, base: number, task: Task, step: 0 | 1, closes: boolean): Style {
  const lead = text.slice(base + task.headSpan.start, base + task.markerSpan.start);
  const number = /^(\s*)(\d{1,9})([.)]\s+)$/.exec(lead);
  const next = number ? `${number[1]}${Math.min(Number(number[2]) + step, 999_999_999)}${number[3]}` : lead;
  const indent = lead.slice(0, skipWhite(lead, 0, lead.length));
  const depth = next.length - indent.length;
  return { lead: next, detailIndent: indent + ' '.repeat(depth > 0 ? depth : 2), mayCloseComment: closes };
}

/** A section without tasks: below its heading, or below a blank line after its text. */
function firstInSection(text: string, edit: InsertEdit, section: Section, base: number, options: ParseOptions): Splice {
  const open = unclosedLine(section);
  const shown = open === undefined ? text.slice(base, base + section.length) : firstLines(text, base, open);
  const body = shown.trimEnd();
  const at = endOfLine(text, base + body.length);
  const end = lineEndFor(text, base);
  const onlyHeading = !/[\r\n]/.test(body);
  const style = { lead: '', detailIndent: '  ', mayCloseComment: mayCloseComment(text, base, section, edit.task) };
  const lines = newTaskLines(edit.task, style, options);
  return { start: at, end: at, text: (onlyHeading ? '' : end) + lines.map((line) => end + line).join('') };
}

function firstLines(text: string, base: number, count: number): string {
  let at = base;
  for (let line = 0; line < count; line++) at = endOfLine(text, at) + (text.startsWith('\r\n', endOfLine(text, at)) ? 2 : 1);
  return text.slice(base, at);
}

/** End of the last line with anything on it between two offsets. */
function lastLineEnd(text: string, from: number, to: number): number {
  const body = text.slice(from, to).trimEnd();
  return endOfLine(text, from + body.length);
}
