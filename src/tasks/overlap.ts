/**
 * What two texts have in common, and which sections of a board are therefore the same. Compares in large pieces: a list of
 * megabytes takes about a millisecond. Never says what a section means.
 */
import type { Board } from './task.ts';

/** How much of the board before is in the new text: whole sections from its start, and from its end. */
export type Overlap = {
  /** Sections before this index are used as they are. */
  readonly head: number;
  /** Sections from this index on have the same text, `shift` further down. */
  readonly tail: number;
  readonly shift: number;
};

/** Two sections that look unchanged are read again before the change: a heading may have lost its line end, a paragraph gained an underline. */
const REREAD_SECTIONS = 2;

export function overlapOf(previous: Board, text: string): Overlap {
  const prefix = commonPrefix(previous.text, text);
  const suffix = commonSuffix(previous.text, text, Math.min(previous.text.length, text.length) - prefix);
  const { starts, sections } = previous;
  let whole = 0;
  while (whole < sections.length && starts[whole]! + sections[whole]!.length <= prefix) whole++;
  let tail = sections.length;
  while (tail > 0 && starts[tail - 1]! >= previous.text.length - suffix) tail--;
  return { head: Math.max(0, whole - REREAD_SECTIONS), tail, shift: text.length - previous.text.length };
}

/** Index of the old section that begins at `at` in the new text and goes on unchanged to the end, or -1. */
export function sameSection(previous: Board, overlap: Overlap, at: number): number {
  const old = at - overlap.shift;
  let low = overlap.tail;
  let high = previous.starts.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const start = previous.starts[middle]!;
    if (start === old) return middle;
    if (start < old) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

const COMPARE_UNITS = 65_536;

function commonPrefix(one: string, other: string): number {
  const limit = Math.min(one.length, other.length);
  let at = 0;
  let step = COMPARE_UNITS;
  while (at < limit && step > 0) {
    const to = Math.min(limit, at + step);
    if (one.slice(at, to) === other.slice(at, to)) at = to;
    else if (to - at === 1) break;
    else step = (to - at) >> 1;
  }
  return at;
}

function commonSuffix(one: string, other: string, limit: number): number {
  let count = 0;
  let step = COMPARE_UNITS;
  while (count < limit && step > 0) {
    const to = Math.min(limit, count + step);
    if (one.slice(one.length - to, one.length - count) === other.slice(other.length - to, other.length - count)) count = to;
    else if (to - count === 1) break;
    else step = (to - count) >> 1;
  }
  return count;
}
