/**
 * Bullets, numbers and rules at the beginning of a line. Never looks at what follows them.
 */
import type { Scan } from './scan-state.ts';
import { columnAfter, isWhite } from './white.ts';

/** Opens the list items that begin on this line; the offset where the content of the innermost begins. */
export function openItems(scan: Scan): number {
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
export function bulletWidth(text: string, at: number, end: number): number {
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

/** `---`, `***`, `_ _ _`: a thematic break. */
export function isRule(text: string, first: number, end: number): boolean {
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
