/**
 * The line scanner (1.4-R1): cuts one section's text into its heading, phases, task heads and detail lines, in one
 * pass and without backtracking. It alone says what is a task: a marker in a task's place always is, whatever
 * Markdown's lazy continuation, setext, table or link rules would make of the line; nothing in a fence, comment,
 * quote or front matter is. It never gives a meaning to what stands after a marker.
 *
 * A list item holds what is indented to its content, a task what is indented deeper than it. Fences and comments
 * end with the list item that they are in.
 */
import { lineComments } from './inline.ts';
import { readBracket } from './marker.ts';
import type { Marker } from './task.ts';
import { columnAfter, finder, isWhite, skipWhite, skipWhiteBack } from './white.ts';

/** Front matter longer than this is no front matter: a rule on the first line must not hide a list. */
const FRONT_MATTER_LINES_MAX = 400;

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
  /** Lines of text, outside details, in which a bracket stands: for the rule on joined lines. */
  readonly bracketLines: readonly { readonly line: number; readonly start: number; readonly end: number }[];
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

type LineEnds = { start: number; end: number; next: number };

/** A fence, comment or raw HTML that hides what is in it. */
type Hidden = {
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

type Scan = LineEnds & {
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
  readonly bracketLines: { line: number; start: number; end: number }[];
  heading: ScannedHeading | undefined;
  hidden: Hidden | undefined;
  /** A paragraph that a setext underline would turn into a heading: its first line. */
  paragraph: { readonly start: number; readonly first: number; readonly line: number } | undefined;
  /** The last line was a quote's or list item's text, which unindented text would only continue. */
  lazy: boolean;
  /** A blank line waits to see whether details go on after it. */
  blank: boolean;
  cutLine: number;
};

function newScan(text: string, start: number, cursor: Cursor): Scan {
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
    blank: false,
    cutLine: 0,
  };
}

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
    addDetail(scan, task, opened.kind, true);
    scan.paragraph = undefined;
    scan.lazy = false;
    return -1;
  }
  if (rule) {
    addDetail(scan, task, 'text');
    scan.paragraph = undefined;
    scan.lazy = false;
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
  scan.lazy = scan.items.length > 0;
  scan.blank = false;
  scan.hidden = commentGoingOn(scan, index);
  return -1;
}

function onText(scan: Scan, task: number, kind: 'text' | 'quote'): number {
  const inItem = scan.items.length > 0;
  if (task >= 0 || inItem || kind === 'quote') scan.paragraph = undefined;
  if (task < 0 && kind === 'text') {
    if (scan.cursor.bracket(scan.start, scan.end) >= 0) scan.bracketLines.push({ line: scan.lineNumber, start: scan.first, end: scan.end });
    if (startsNoParagraph(scan)) scan.lazy = true;
    else if (!inItem && !scan.lazy && scan.column <= 3) scan.paragraph ??= { start: scan.start, first: scan.first, line: scan.lineNumber };
  }
  // A quote below a task may be ToDone's note: it must not change what the text behind the task is.
  if ((kind === 'quote' && task < 0) || inItem) scan.lazy = true;
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

/** The innermost open task that this line is indented deeper than; closes the others. */
function ownerOf(scan: Scan): number {
  const { tasks } = scan;
  while (tasks.length > 0 && scan.heads[tasks[tasks.length - 1]!]!.column >= scan.column) tasks.pop();
  return tasks.length > 0 ? tasks[tasks.length - 1]! : -1;
}

function addDetail(scan: Scan, task: number, kind: LineKind, opens = false): void {
  const blank = scan.blank;
  scan.blank = false;
  if (task < 0) return;
  const head = scan.heads[task]!;
  if (blank && kind !== 'blank')
    head.details.push({ kind: 'blank', start: scan.start, end: scan.start, next: scan.start, column: 0, line: scan.lineNumber - 1 });
  head.details.push({ kind, opens, start: scan.start, end: scan.end, next: scan.next, column: scan.column, line: scan.lineNumber });
  head.blockEnd = scan.next;
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

// ── lines and columns ────────────────────────────────────────────────────────────────────────────

/** A line ends at LF, CRLF or CR, as editors count. */
function readLineEnd(text: string, start: number, cursor: Cursor, into: LineEnds): void {
  const feed = cursor.lineFeed(start);
  const end = feed < 0 ? text.length : feed;
  const carriage = cursor.carriageReturn(start, end);
  into.start = start;
  into.end = carriage < 0 ? end : carriage;
  into.next = carriage < 0 || carriage + 1 === end ? Math.min(end + 1, text.length) : carriage + 1;
}

function measureIndent(scan: Scan): void {
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

// ── headings ─────────────────────────────────────────────────────────────────────────────────────

/**
 * `# x`, or the underline of a setext heading. Indented below a task it is a detail; except `## Git Worktree x`, which is
 * always meant as a section (its tasks would else run on another branch).
 */
function readHeading(scan: Scan): ScannedHeading | undefined {
  if (scan.column > 3) return undefined;
  const unit = scan.text.charCodeAt(scan.first);
  if (unit === 0x23) return readAtxHeading(scan);
  if ((unit === 0x3d || unit === 0x2d) && scan.paragraph) return readUnderline(scan, unit, scan.paragraph);
  return undefined;
}

function readAtxHeading(scan: Scan): ScannedHeading | undefined {
  const { text, first, end } = scan;
  let level = 1;
  while (level < 7 && first + level < end && text.charCodeAt(first + level) === 0x23) level++;
  if (level > 6) return undefined;
  const after = first + level;
  if (after < end && !isWhite(text.charCodeAt(after))) return undefined;
  const titleStart = skipWhite(text, after, end);
  if (isInside(scan) && !(level === 2 && isWorktreeTitle(text, titleStart, end))) return undefined;
  return { level, start: scan.start, line: scan.lineNumber, titleStart, titleEnd: withoutClosingHashes(text, titleStart, end) };
}

function isInside(scan: Scan): boolean {
  if (scan.items.length > 0) return true;
  const { tasks, heads } = scan;
  return tasks.some((index) => heads[index]!.column < scan.column);
}

function isWorktreeTitle(text: string, start: number, end: number): boolean {
  return WORKTREE_TITLE.test(text.slice(start, Math.min(end, start + 40)));
}

/** The words that make an H2 a section (1.1-R1). */
export const WORKTREE_TITLE = /^git[ \t\u00a0]{1,8}worktree(?:[ \t\u00a0:]|$)/i;

function withoutClosingHashes(text: string, start: number, end: number): number {
  const stop = skipWhiteBack(text, end, start);
  let at = stop;
  while (at > start && text.charCodeAt(at - 1) === 0x23) at--;
  if (at === stop) return stop;
  if (at === start) return start;
  return isWhite(text.charCodeAt(at - 1)) ? skipWhiteBack(text, at, start) : stop;
}

function readUnderline(
  scan: Scan,
  unit: number,
  paragraph: { readonly start: number; readonly first: number; readonly line: number },
): ScannedHeading | undefined {
  const { text, end } = scan;
  let at = scan.first;
  while (at < end && text.charCodeAt(at) === unit) at++;
  if (skipWhite(text, at, end) < end) return undefined;
  return {
    level: unit === 0x3d ? 1 : 2,
    start: paragraph.start,
    line: paragraph.line,
    titleStart: paragraph.first,
    titleEnd: lineEndBefore(text, scan.start, paragraph.first),
  };
}

/** End of the text on the line above `start`. */
function lineEndBefore(text: string, start: number, limit: number): number {
  let at = start;
  while (at > limit && (text.charCodeAt(at - 1) === 0x0a || text.charCodeAt(at - 1) === 0x0d)) at--;
  return skipWhiteBack(text, at, limit);
}

/** `---`, `***`, `_ _ _`: a thematic break. */
function isRule(text: string, first: number, end: number): boolean {
  const unit = text.charCodeAt(first);
  if (unit !== 0x2d && unit !== 0x2a && unit !== 0x5f) return false;
  let count = 0;
  for (let at = first; at < end; at++) {
    const here = text.charCodeAt(at);
    if (here === unit) count++;
    else if (!isWhite(here)) return false;
  }
  return count >= 3;
}

// ── list items ───────────────────────────────────────────────────────────────────────────────────

/** Opens the list items that begin on this line; the offset where the content of the innermost begins. */
function openItems(scan: Scan): number {
  const { text, end } = scan;
  let at = scan.first;
  let column = scan.column;
  for (;;) {
    const width = bulletWidth(text, at, end);
    if (width === 0) return at;
    at += width;
    column += width;
    let content = column;
    while (at < end && isWhite(text.charCodeAt(at))) {
      content = columnAfter(text.charCodeAt(at), content);
      at++;
    }
    scan.items.push(at === end || content - column > 4 ? column + 1 : content);
    column = content;
  }
}

/** Length of `-`, `*`, `+`, `1.` or `1)` followed by white space or the line's end, else 0. */
function bulletWidth(text: string, at: number, end: number): number {
  if (at >= end) return 0;
  const unit = text.charCodeAt(at);
  let width = 1;
  if (unit >= 0x30 && unit <= 0x39) {
    while (width < 10 && at + width < end && text.charCodeAt(at + width) >= 0x30 && text.charCodeAt(at + width) <= 0x39) width++;
    const delimiter = at + width < end ? text.charCodeAt(at + width) : 0;
    if (width > 9 || (delimiter !== 0x2e && delimiter !== 0x29)) return 0;
    width++;
  } else if (unit !== 0x2d && unit !== 0x2a && unit !== 0x2b) return 0;
  return at + width === end || isWhite(text.charCodeAt(at + width)) ? width : 0;
}

// ── what hides text ──────────────────────────────────────────────────────────────────────────────

/** Whether the line is inside the open fence, comment or HTML; notes when it ends. */
function stillHidden(scan: Scan, blank: boolean): boolean {
  const hidden = scan.hidden!;
  if (!blank && hidden.until < 0 && scan.column < hidden.container) {
    scan.hidden = undefined;
    return false;
  }
  if (hidden.until >= 0 && scan.start >= hidden.until) {
    scan.hidden = undefined;
    return false;
  }
  addDetail(scan, hidden.task, blank ? 'blank' : hidden.what === 'fence' ? 'fence' : 'comment');
  if (endsHidden(scan, hidden, blank)) scan.hidden = undefined;
  return true;
}

function endsHidden(scan: Scan, hidden: Hidden, blank: boolean): boolean {
  const { text, first, end } = scan;
  if (hidden.until >= 0) return scan.next >= hidden.until;
  if (blank) return false;
  if (!hidden.fence) return hasTerminator(text, first, end, hidden.terminator ?? []);
  const { unit, length, columnMax } = hidden.fence;
  if (scan.column > columnMax) return false;
  const run = runLength(text, first, end, unit);
  return run >= length && skipWhite(text, first + run, end) === end;
}

type Opened = { readonly hidden: Hidden | undefined; readonly kind: LineKind };

/** A fence or raw HTML that begins at `place`. `hidden` is undefined where it ends on the same line. */
function hiddenFrom(scan: Scan, place: number, unit: number, task: number): Opened | undefined {
  if (unit === 0x60 || unit === 0x7e) return fenceFrom(scan, place, unit, task);
  if (unit === 0x3c) return htmlFrom(scan, place, task);
  return undefined;
}

function fenceFrom(scan: Scan, place: number, unit: number, task: number): Opened | undefined {
  const { text, end } = scan;
  const length = runLength(text, place, end, unit);
  if (length < 3) return undefined;
  if (unit === 0x60 && text.slice(place + length, end).includes('`')) return undefined;
  const { container, column } = containerOf(scan, place, task);
  const columnMax = (column - container <= 3 ? container : column) + 3;
  return { hidden: { what: 'fence', line: scan.lineNumber, start: place, container, task, fence: { unit, length, columnMax }, until: -1 }, kind: 'fence' };
}

/**
 * The column that a line needs to be inside the same list item as this one. In plain text nested by four columns or more, where
 * Markdown has no container, the task is it.
 */
function containerOf(scan: Scan, place: number, task: number): { readonly container: number; readonly column: number } {
  const item = scan.items.length > 0 ? scan.items[scan.items.length - 1]! : 0;
  const column = place === scan.first ? scan.column : item;
  if (column - item <= 3 || task < 0) return { container: item, column };
  return { container: Math.max(item, scan.heads[task]!.column + 1), column };
}

/** HTML whose content Markdown takes as it is; other tags hide nothing. */
const RAW_HTML: readonly { readonly open: RegExp; readonly what: 'comment' | 'HTML'; readonly terminator: readonly string[] }[] = [
  { open: /^<!--/, what: 'comment', terminator: ['-->'] },
  { open: /^<\?/, what: 'HTML', terminator: ['?>'] },
  { open: /^<!\[CDATA\[/, what: 'HTML', terminator: [']]>'] },
  { open: /^<(?:script|pre|style|textarea)(?:[\s>]|$)/i, what: 'HTML', terminator: ['</script>', '</pre>', '</style>', '</textarea>'] },
];

function htmlFrom(scan: Scan, place: number, task: number): Opened | undefined {
  const { text, end } = scan;
  const opening = text.slice(place, Math.min(end, place + 12));
  const kind = RAW_HTML.find(({ open }) => open.test(opening));
  if (!kind) return undefined;
  // `<!-->` is a whole comment: the terminator may share the opening's dashes.
  if (hasTerminator(text, place + 2, end, kind.terminator)) return { hidden: undefined, kind: 'comment' };
  const { container } = containerOf(scan, place, task);
  return { hidden: { what: kind.what, line: scan.lineNumber, start: place, container, task, terminator: kind.terminator, until: -1 }, kind: 'comment' };
}

function hasTerminator(text: string, from: number, end: number, terminators: readonly string[]): boolean {
  const rest = text.slice(from, end).toLowerCase();
  return terminators.some((terminator) => rest.includes(terminator));
}

function runLength(text: string, from: number, end: number, unit: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) === unit) at++;
  return at - from;
}

// ── a comment inside a paragraph ─────────────────────────────────────────────────────────────────

/** A comment that begins in this line's text and ends further down in the same paragraph. */
function commentGoingOn(scan: Scan, task: number): Hidden | undefined {
  const { text, cursor } = scan;
  if (cursor.commentOpen(scan.first, scan.end) < 0) return undefined;
  const { unclosed } = lineComments(text.slice(scan.first, scan.end));
  if (unclosed < 0) return undefined;
  const close = cursor.commentClose(scan.next, endOfParagraph(scan));
  if (close < 0) return undefined;
  return { what: 'comment', line: scan.lineNumber, start: scan.first + unclosed, container: 0, task, until: close + 3 };
}

/** Offset of the first line below that Markdown would not take as more of this paragraph. */
function endOfParagraph(scan: Scan): number {
  const { text, cursor } = scan;
  if (scan.next >= cursor.paragraphFrom && scan.next <= cursor.paragraphEnd) return cursor.paragraphEnd;
  cursor.paragraphFrom = scan.next;
  const line = { start: 0, end: 0, next: scan.next };
  while (line.next < text.length) {
    readLineEnd(text, line.next, cursor, line);
    if (interrupts(text, line)) {
      cursor.paragraphEnd = line.start;
      return line.start;
    }
  }
  cursor.paragraphEnd = text.length;
  return text.length;
}

function interrupts(text: string, line: LineEnds): boolean {
  const first = skipWhite(text, line.start, line.end);
  if (first === line.end) return true;
  const unit = text.charCodeAt(first);
  if (unit === 0x3e || unit === 0x23 || bulletWidth(text, first, line.end) > 0 || isRule(text, first, line.end)) return true;
  if (unit === 0x3d || unit === 0x2d) return skipWhite(text, first + runLength(text, first, line.end, unit), line.end) === line.end;
  if (unit === 0x60 || unit === 0x7e) return runLength(text, first, line.end, unit) >= 3;
  return unit === 0x3c && RAW_HTML.some(({ open }) => open.test(text.slice(first, Math.min(line.end, first + 12))));
}
