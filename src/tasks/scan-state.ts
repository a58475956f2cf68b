/**
 * What the scanner says (1.4-R1), what it remembers while it reads one section, and how it reads a line's end. Never decides what
 * a line is.
 */
import type { Marker } from './task.ts';
import { columnAfter, finder, isWhite } from './white.ts';

export type LineKind = 'text' | 'quote' | 'fence' | 'comment' | 'blank';

/** A line below a task that belongs to it. Offsets are in the whole text. */
export type ScannedLine = {
  readonly kind: LineKind;
  /** The line that opens a fence or comment, as against those inside it. */
  readonly opens?: boolean;
  readonly start: number;
  /** Without the line end. */
  readonly end: number;
  readonly next: number;
  /** Column of the first character that is not white, from 0. */
  readonly column: number;
  /** Line within the section. */
  readonly line: number;
};

export type ScannedHead = {
  readonly marker: Marker;
  readonly markerStart: number;
  readonly markerEnd: number;
  /** Column of the line's first character that is not white, from 0: bullet or bracket. */
  readonly column: number;
  /** Column where the innermost list item's content begins; same as `column` for a plain line. */
  readonly contentColumn: number;
  readonly start: number;
  readonly end: number;
  readonly next: number;
  readonly line: number;
  readonly parent: number;
  /** Index of the phase heading it stands under, or -1. */
  readonly phase: number;
  readonly details: ScannedLine[];
  /** Offset after the last line of details and subtasks. */
  blockEnd: number;
};

export type ScannedHeading = {
  readonly level: number;
  readonly start: number;
  readonly line: number;
  readonly titleStart: number;
  readonly titleEnd: number;
};

export type ScannedSection = {
  readonly start: number;
  readonly end: number;
  /** Lines that begin in it. */
  readonly lines: number;
  readonly heading: ScannedHeading | undefined;
  readonly phases: readonly ScannedHeading[];
  readonly heads: readonly ScannedHead[];
  readonly odd: readonly { readonly line: number; readonly start: number; readonly lineStart: number; readonly text: string }[];
  /** A fence or comment that nothing closes: all after it is hidden. */
  readonly unclosed: { readonly line: number; readonly start: number; readonly what: 'fence' | 'comment' | 'HTML' } | undefined;
  /** Lines of text and of quotes, outside details, in which a bracket stands: for the rule on joined lines. */
  readonly bracketLines: readonly { readonly line: number; readonly start: number; readonly end: number; readonly quote: boolean }[];
};

/** What is found again and again while scanning one text: shared by all its sections. */
export type Cursor = {
  readonly lineFeed: (from: number) => number;
  readonly carriageReturn: ReturnType<typeof finder>;
  readonly commentOpen: ReturnType<typeof finder>;
  readonly commentClose: ReturnType<typeof finder>;
  readonly bracket: ReturnType<typeof finder>;
  paragraphFrom: number;
  paragraphEnd: number;
};

export function cursorOf(text: string): Cursor {
  return {
    lineFeed: lineFeedIn(text),
    carriageReturn: finder(text, '\r'),
    commentOpen: finder(text, '<!--'),
    commentClose: finder(text, '-->'),
    bracket: finder(text, '['),
    paragraphFrom: 0,
    paragraphEnd: -1,
  };
}

/** The next LF, remembered: a text with other line ends would be searched to its end for every line. */
function lineFeedIn(text: string): (from: number) => number {
  let asked = 0;
  let found = -2;
  return (from) => {
    if (found !== -2 && from >= asked && (found === -1 || from <= found)) return found;
    asked = from;
    found = text.indexOf('\n', from);
    return found;
  };
}

export type LineEnds = { start: number; end: number; next: number };

/** A fence, comment or raw HTML that hides what is in it. */
export type Hidden = {
  readonly what: 'fence' | 'comment' | 'HTML';
  readonly line: number;
  readonly start: number;
  /** A line less indented than this is outside it. */
  readonly container: number;
  /** The open task that it is a detail of, or -1. */
  readonly task: number;
  /** Fence: the closing line's character, least length and deepest column. */
  readonly fence?: { readonly unit: number; readonly length: number; readonly columnMax: number };
  /** HTML: what ends it, in lower case. */
  readonly terminator?: readonly string[];
  /** A comment inside a paragraph: the offset after it; else -1. */
  readonly until: number;
};

export type Scan = LineEnds & {
  readonly text: string;
  readonly cursor: Cursor;
  readonly sectionStart: number;
  lineNumber: number;
  /** Offset and column of the first character that is not white. */
  first: number;
  column: number;
  /** Content columns of the open list items, outermost first. */
  readonly items: number[];
  /** Indices of the open tasks, outermost first. */
  readonly tasks: number[];
  readonly heads: ScannedHead[];
  readonly phases: ScannedHeading[];
  readonly odd: { line: number; start: number; lineStart: number; text: string }[];
  readonly bracketLines: { line: number; start: number; end: number; quote: boolean }[];
  heading: ScannedHeading | undefined;
  hidden: Hidden | undefined;
  /** A paragraph that a setext underline would turn into a heading: its first line. */
  paragraph: { readonly start: number; readonly first: number; readonly line: number } | undefined;
  /** The last line was a quote's or list item's text, which unindented text would only continue. */
  lazy: boolean;
  /** The same for what stands behind the outermost task: notes, subtasks and details, which come and go, must not change it. */
  lazyBehindTask: boolean;
  /** A blank line waits to see whether details go on after it. */
  blank: boolean;
  cutLine: number;
};

export function newScan(text: string, start: number, cursor: Cursor): Scan {
  return {
    text,
    cursor,
    sectionStart: start,
    lineNumber: 0,
    start,
    end: start,
    next: start,
    first: start,
    column: 0,
    items: [],
    tasks: [],
    heads: [],
    phases: [],
    odd: [],
    bracketLines: [],
    heading: undefined,
    hidden: undefined,
    paragraph: undefined,
    lazy: false,
    lazyBehindTask: false,
    blank: false,
    cutLine: 0,
  };
}

// ── lines ────────────────────────────────────────────────────────────────────────────────────────

/** A line ends at LF, CRLF or CR, as editors count. */
export function readLineEnd(text: string, start: number, cursor: Cursor, into: LineEnds): void {
  const feed = cursor.lineFeed(start);
  const end = feed < 0 ? text.length : feed;
  const carriage = cursor.carriageReturn(start, end);
  into.start = start;
  into.end = carriage < 0 ? end : carriage;
  into.next = carriage < 0 || carriage + 1 === end ? Math.min(end + 1, text.length) : carriage + 1;
}

export function measureIndent(scan: Scan): void {
  const { text, end } = scan;
  let at = scan.start;
  let column = 0;
  while (at < end) {
    const unit = text.charCodeAt(at);
    if (!isWhite(unit)) break;
    column = columnAfter(unit, column);
    at++;
  }
  scan.first = at;
  scan.column = column;
}

// ── owners ───────────────────────────────────────────────────────────────────────────────────────

/** The innermost open task that this line is indented deeper than; closes the others. */
export function ownerOf(scan: Scan): number {
  const { tasks } = scan;
  while (tasks.length > 0 && scan.heads[tasks[tasks.length - 1]!]!.column >= scan.column) tasks.pop();
  return tasks.length > 0 ? tasks[tasks.length - 1]! : -1;
}

export function addDetail(scan: Scan, task: number, kind: LineKind, opens = false): void {
  const blank = scan.blank;
  scan.blank = false;
  if (task < 0) return;
  scan.lazy = scan.lazyBehindTask;
  const head = scan.heads[task]!;
  if (blank && kind !== 'blank')
    head.details.push({ kind: 'blank', start: scan.start, end: scan.start, next: scan.start, column: 0, line: scan.lineNumber - 1 });
  head.details.push({ kind, opens, start: scan.start, end: scan.end, next: scan.next, column: scan.column, line: scan.lineNumber });
  head.blockEnd = scan.next;
}
