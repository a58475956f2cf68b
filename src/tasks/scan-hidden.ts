/**
 * Fences, comments and raw HTML: what hides the lines in it from the scanner (1.1-R5), and where it ends. Never hides a
 * line of a quote: that one says so itself.
 */
import { lineComments } from './inline.ts';
import { bulletWidth, isRule } from './scan-item.ts';
import { addDetail, readLineEnd } from './scan-state.ts';
import type { Hidden, LineEnds, LineKind, Scan } from './scan-state.ts';
import { skipWhite } from './white.ts';

/** Whether the line is inside the open fence, comment or HTML; notes when it ends. */
export function stillHidden(scan: Scan, blank: boolean): boolean {
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
export function hiddenFrom(scan: Scan, place: number, unit: number, task: number): Opened | undefined {
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
export function commentGoingOn(scan: Scan, task: number): Hidden | undefined {
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
