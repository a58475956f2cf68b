/**
 * Whether a reading of the list lacks lines that the one before had: deleted, or written over by an editor's older text. A line
 * that was only typed on, and all that ToDone writes itself, is no such line. Pure; looks only at what changed.
 */
import type { Board } from './task.ts';

/** With more lines than this gone or come the question is not worth its answer. */
const LINES_MAX = 200;

export function dropsLines(before: Board, after: Board): boolean {
  if (before.text === after.text) return false;
  const [old, now] = [changedLines(before, after), changedLines(after, before)];
  const gone = minus(old, now);
  if (gone.length === 0) return false;
  const come = minus(now, old);
  if (gone.length > LINES_MAX || come.length > LINES_MAX) return true;
  return gone.some((line) => !come.some((other) => other.startsWith(line) || line.startsWith(other)));
}

/** Lines of the sections that the other board does not share, without markers, notes and empty ones. */
function changedLines(board: Board, other: Board): readonly string[] {
  const shared = new Set(other.sections);
  return board.sections.flatMap((section, index) => {
    if (shared.has(section)) return [];
    const start = board.starts[index]!;
    return board.text
      .slice(start, start + section.length)
      .split(/[\r\n]+/)
      .map(plainLine)
      .filter((line) => line !== '' && !line.startsWith('>'));
  });
}

const plainLine = (line: string): string => line.trim().replace(/^(?:(?:[-*+]|\d{1,9}[.)])\s+)?\\?\[[^\]]*\]\s*/, '');

function minus(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
}
