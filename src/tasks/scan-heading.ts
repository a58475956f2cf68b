/**
 * Headings as the scanner sees them: `#` lines and underlined ones. Never reads the tags on one.
 */
import type { Scan, ScannedHeading } from './scan-state.ts';
import { isWhite, skipWhite, skipWhiteBack } from './white.ts';

/**
 * `# x`, or the underline of a setext heading. Indented below a task it is a detail; except `## Git Worktree x`, which is
 * always meant as a section (its tasks would else run on another branch).
 */
export function readHeading(scan: Scan): ScannedHeading | undefined {
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
