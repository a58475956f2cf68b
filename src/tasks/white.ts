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
