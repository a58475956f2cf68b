/**
 * White space inside a line, columns and line ends, one definition for scanner, markers, tags and edits.
 * Never takes U+2028, U+2029 or U+0085 for a line end: no editor's line count does.
 */

const TAB_STOP = 4;

/** Horizontal white space: tab, space and the spaces that keyboards and word processors make (NBSP, ideographic…). */
export function isWhite(unit: number): boolean {
  if (unit === 0x20 || unit === 0x09) return true;
  if (unit < 0xa0) return unit === 0x0b || unit === 0x0c;
  return unit === 0xa0 || (unit >= 0x2000 && unit <= 0x200a) || unit === 0x202f || unit === 0x205f || unit === 0x3000 || unit === 0x1680;
}

/** The column after a white space character at `column`, counted from 0, tabs to multiples of four. */
export function columnAfter(unit: number, column: number): number {
  return unit === 0x09 ? column + TAB_STOP - (column % TAB_STOP) : column + 1;
}

export function skipWhite(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isWhite(text.charCodeAt(at))) at++;
  return at;
}

export function skipWhiteBack(text: string, from: number, start: number): number {
  let at = from;
  while (at > start && isWhite(text.charCodeAt(at - 1))) at--;
  return at;
}

export function trimWhite(text: string): string {
  const start = skipWhite(text, 0, text.length);
  return text.slice(start, skipWhiteBack(text, text.length, start));
}

/** `text` without its first `columns` columns of white space, or as much of them as there is. */
export function dedent(text: string, columns: number): string {
  let column = 0;
  let at = 0;
  while (at < text.length && column < columns && isWhite(text.charCodeAt(at))) {
    column = columnAfter(text.charCodeAt(at), column);
    at++;
  }
  return column > columns ? ' '.repeat(column - columns) + text.slice(at) : text.slice(at);
}

/** Finds `needle` piece by piece: many questions that only move forward cost one pass over the text, however they are asked. */
export function finder(text: string, needle: string): (from: number, limit: number) => number {
  const windowLength = 16_384;
  let from = 0;
  let clear = 0;
  let hit = false;
  return (position, limit) => {
    if (position < from || position > clear) {
      from = clear = position;
      hit = false;
    }
    while (!hit && clear < limit && clear < text.length) {
      const found = text.slice(clear, clear + windowLength + needle.length - 1).indexOf(needle);
      hit = found >= 0;
      clear = hit ? clear + found : Math.min(clear + windowLength, text.length);
    }
    return hit && clear < limit ? clear : -1;
  };
}

/** For words of agents and commands that go into the list: one line's worth of them, without control and bidi characters. */
export function plainWords(text: string): string {
  return text.replace(/[\t\u2028\u2029]/g, ' ').replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, '');
}

/** The lines of a text, whatever ends them. */
export function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/);
}

/** The line end that stands at `at`, or ''. */
export function lineEndAt(text: string, at: number): string {
  if (text.startsWith('\r\n', at)) return '\r\n';
  const character = text.charAt(at);
  return character === '\n' || character === '\r' ? character : '';
}

/** Offset of the end of the line that `at` is on, before its line end. */
export function endOfLine(text: string, at: number): number {
  const feed = text.indexOf('\n', at);
  const end = feed < 0 ? text.length : feed;
  const carriage = text.slice(at, end).indexOf('\r');
  return carriage < 0 ? end : at + carriage;
}

/** The line end to write at `at`: that of this line, else of the one above, else LF. */
export function lineEndFor(text: string, at: number): string {
  const own = lineEndAt(text, endOfLine(text, at));
  if (own !== '') return own;
  const above = Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1));
  if (above < 0) return '\n';
  return text[above] === '\n' && text[above - 1] === '\r' ? '\r\n' : text[above]!;
}
