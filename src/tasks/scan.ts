/**
 * The line scanner (1.4-R1): cuts one section's text into its heading, phases, task heads and detail lines, in one
 * pass and without backtracking. It alone says what is a task: a marker in a task's place always is, whatever
 * Markdown's lazy continuation, setext, table or link rules would make of the line; nothing in a fence, comment,
 * quote or front matter is. It never gives a meaning to what stands after a marker.
 *
 * A list item holds what is indented to its content, a task what is indented deeper than it. Fences and comments
 * end with the list item that they are in.
 */
import { readBracket } from './marker.ts';
import { readHeading } from './scan-heading.ts';
import { commentGoingOn, hiddenFrom, stillHidden } from './scan-hidden.ts';
import { isRule, openItems } from './scan-item.ts';
import { addDetail, cursorOf, measureIndent, newScan, ownerOf, readLineEnd } from './scan-state.ts';
import type { Cursor, Scan, ScannedHead, ScannedHeading, ScannedSection } from './scan-state.ts';
import type { Marker } from './task.ts';
import { skipWhite, skipWhiteBack } from './white.ts';

/** Front matter longer than this is no front matter: a rule on the first line must not hide a list. */
const FRONT_MATTER_LINES_MAX = 400;

/** Offset after the front matter, or 0. */
export function frontMatterEnd(text: string): number {
  if (!text.startsWith('---')) return 0;
  const cursor = cursorOf(text);
  const line = { start: 0, end: 0, next: 0 };
  readLineEnd(text, 0, cursor, line);
  if (skipWhite(text, 3, line.end) < line.end) return 0;
  for (let count = 1; count < FRONT_MATTER_LINES_MAX && line.next < text.length; count++) {
    readLineEnd(text, line.next, cursor, line);
    const stop = skipWhiteBack(text, line.end, line.start);
    if (stop - line.start === 3 && (text.startsWith('---', line.start) || text.startsWith('...', line.start))) return line.next;
  }
  return 0;
}

/** Scans from `start`, the beginning of a section, to the next H1 or H2. */
export function scanSection(text: string, start: number, cursor: Cursor, skipTo = start): ScannedSection {
  const scan = newScan(text, start, cursor);
  let cut = -1;
  for (; scan.next < text.length; scan.lineNumber++) {
    readLineEnd(text, scan.next, cursor, scan);
    if (scan.start < skipTo) continue;
    measureIndent(scan);
    cut = scanLine(scan);
    if (cut >= 0) break;
  }
  const end = cut >= 0 ? cut : text.length;
  return {
    start,
    end,
    lines: cut >= 0 ? scan.cutLine : scan.lineNumber,
    heading: scan.heading,
    phases: scan.phases,
    heads: withSubtasks(scan.heads),
    odd: scan.odd,
    unclosed: scan.hidden && scan.hidden.until < 0 && cut < 0 ? { line: scan.hidden.line, start: scan.hidden.start, what: scan.hidden.what } : undefined,
    bracketLines: scan.bracketLines,
  };
}

// ── one line ─────────────────────────────────────────────────────────────────────────────────────

/** Takes in one line; the offset where the section ends if a heading here ends it, else -1. */
function scanLine(scan: Scan): number {
  const blank = scan.first === scan.end;
  if (scan.hidden && stillHidden(scan, blank)) return -1;
  if (blank) return onBlank(scan);
  while (scan.items.length > 0 && scan.items[scan.items.length - 1]! > scan.column) scan.items.pop();
  const heading = readHeading(scan);
  if (heading) return onHeading(scan, heading);
  return onBlock(scan);
}

function onBlank(scan: Scan): number {
  scan.blank = true;
  scan.paragraph = undefined;
  scan.lazy = false;
  return -1;
}

function onHeading(scan: Scan, heading: ScannedHeading): number {
  scan.paragraph = undefined;
  scan.lazy = false;
  scan.blank = false;
  scan.tasks.length = 0;
  if (heading.level > 2) {
    scan.phases.push(heading);
    return -1;
  }
  if (heading.start === scan.sectionStart && !scan.heading) {
    scan.heading = heading;
    dropFrom(scan, heading.start);
    return -1;
  }
  scan.cutLine = heading.line;
  dropFrom(scan, heading.start);
  return heading.start;
}

/** What was noted on a paragraph that turned out to be a heading. */
function dropFrom(scan: Scan, start: number): void {
  while (scan.odd.length > 0 && scan.odd[scan.odd.length - 1]!.lineStart >= start) scan.odd.pop();
  while (scan.bracketLines.length > 0 && scan.bracketLines[scan.bracketLines.length - 1]!.start >= start) scan.bracketLines.pop();
}

/** Everything that is no heading: bullets, then a task, a quote, a fence, HTML or text. */
function onBlock(scan: Scan): number {
  const { text } = scan;
  const rule = isRule(text, scan.first, scan.end);
  const place = rule ? scan.first : openItems(scan);
  const unit = place < scan.end ? text.charCodeAt(place) : 0;
  if (unit === 0x5b || unit === 0x5c) {
    const bracket = readBracket(text, place, scan.end);
    if (bracket?.kind === 'marker') return onHead(scan, place, bracket.marker, bracket.end);
    if (bracket) scan.odd.push({ line: scan.lineNumber, start: place, lineStart: scan.start, text: bracket.text });
  }
  const task = ownerOf(scan);
  if (unit === 0x3e) return onText(scan, task, 'quote');
  const opened = hiddenFrom(scan, place, unit, task);
  if (opened) {
    scan.hidden = opened.hidden;
    scan.paragraph = undefined;
    scan.lazy = false;
    addDetail(scan, task, opened.kind, true);
    return -1;
  }
  if (rule) {
    scan.paragraph = undefined;
    scan.lazy = false;
    addDetail(scan, task, 'text');
    return -1;
  }
  return onText(scan, task, 'text');
}

function onHead(scan: Scan, markerStart: number, marker: Marker, markerEnd: number): number {
  const parent = ownerOf(scan);
  const index = scan.heads.length;
  scan.heads.push({
    marker,
    markerStart,
    markerEnd,
    column: scan.column,
    contentColumn: scan.items.length > 0 ? Math.max(scan.column, scan.items[scan.items.length - 1]!) : scan.column,
    start: scan.start,
    end: scan.end,
    next: scan.next,
    line: scan.lineNumber,
    parent,
    phase: scan.phases.length - 1,
    details: [],
    blockEnd: scan.next,
  });
  scan.tasks.push(index);
  scan.paragraph = undefined;
  if (parent < 0) scan.lazyBehindTask = scan.items.length > 0;
  scan.lazy = scan.lazyBehindTask;
  scan.blank = false;
  scan.hidden = commentGoingOn(scan, index);
  return -1;
}

function onText(scan: Scan, task: number, kind: 'text' | 'quote'): number {
  const inItem = scan.items.length > 0;
  if (task >= 0 || inItem || kind === 'quote') scan.paragraph = undefined;
  if (task < 0 && scan.cursor.bracket(scan.start, scan.end) >= 0)
    scan.bracketLines.push({ line: scan.lineNumber, start: scan.first, end: scan.end, quote: kind === 'quote' });
  if (task < 0 && kind === 'text') {
    if (startsNoParagraph(scan)) scan.lazy = true;
    else if (!inItem && !scan.lazy && scan.column <= 3) scan.paragraph ??= { start: scan.start, first: scan.first, line: scan.lineNumber };
  }
  if (task < 0 && (kind === 'quote' || inItem)) scan.lazy = true;
  addDetail(scan, task, kind);
  if (kind === 'text') scan.hidden = commentGoingOn(scan, task);
  return -1;
}

/** An HTML tag or a link's definition: a line of dashes below it is a rule, not a heading's underline. */
function startsNoParagraph({ text, first, end, paragraph }: Scan): boolean {
  if (paragraph) return false;
  const unit = text.charCodeAt(first);
  return unit === 0x3c || (unit === 0x5b && /^\[[^\]]+\]:/.test(text.slice(first, Math.min(end, first + 200))));
}

/** A task's block has its subtasks' blocks in it. */
function withSubtasks(heads: readonly ScannedHead[]): readonly ScannedHead[] {
  for (let index = heads.length - 1; index >= 0; index--) {
    const head = heads[index]!;
    const parent = heads[head.parent];
    if (parent && parent.blockEnd < head.blockEnd) parent.blockEnd = head.blockEnd;
  }
  return heads;
}
