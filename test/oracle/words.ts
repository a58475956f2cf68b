/**
 * What a person's part of a list is, for the oracle: unique words, one per edit, and the lines without ToDone's markers and
 * notes. Reads text by itself, so that a mistake of the production parser cannot hide one of the writer.
 */

/** A word that occurs nowhere else: `Wvim12W`. `by` in small letters and digits. */
export const wordOf = (by: string, number: number): string => `W${by}${number}W`;

/** How often each word of that shape is in the text; of one that a note repeats only the others count. */
export function wordsIn(text: string): Map<string, number> {
  const lines = text.split('\n');
  const own = count(lines.filter((line) => !NOTE.test(line)));
  const noted = count(lines.filter((line) => NOTE.test(line)));
  return new Map([...noted, ...own]);
}

function count(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of lines.join('\n').matchAll(/\bW[a-z0-9]+W\b/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

export type ListState = 'open' | 'blocked' | 'in_progress' | 'done' | 'failed' | 'cancelled';

/** `hash`: `-` = done without a commit; absent on a done task = done by hand. */
export type ListTask = { readonly line: number; readonly text: string; readonly state: ListState; readonly id?: string; readonly hash?: string };

const TASK = /^([ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)\\?\[([^\]]*)\][ \t]+(.*?)[ \t\r]*$/u;
const NOTE = /^[ \t]*>/;

/** The tasks of a list, line by line; fences and comments are not looked at. Lines count from 1. */
export function tasksIn(text: string): ListTask[] {
  return text.split('\n').flatMap((line, index) => {
    const match = TASK.exec(line);
    const state = match && stateOf(match[2] ?? '');
    return state ? [{ line: index + 1, text: match[3] ?? '', ...state }] : [];
  });
}

/** A line for each of the person's, in order: markers as `[]`, without ToDone's notes and without line ends. */
export function humanLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines
    .filter((line) => !NOTE.test(line))
    .map((line) => {
      const match = TASK.exec(line);
      return match && stateOf(match[2] ?? '') ? `${match[1] ?? ''}[] ${match[3] ?? ''}` : line;
    });
}

function stateOf(inside: string): Pick<ListTask, 'state' | 'id' | 'hash'> | undefined {
  const words = inside
    .replaceAll(/[\uFE0E\uFE0F,]/g, ' ')
    .trim()
    .split(/\s+/)
    .filter(Boolean);
  const [sign = '', ...rest] = words;
  const id = rest.find((word) => /^[g-z][0-9a-z]{7}$/.test(word));
  switch (sign) {
    case '':
      return { state: 'open' };
    case '⏰':
      return { state: 'blocked' };
    case '🟡':
      return { state: 'in_progress', id };
    case '✅':
      return { state: 'done', id, hash: rest.find((word) => word === '-' || /^[0-9a-f]{4,64}$/.test(word)) };
    case '❌':
      return { state: 'failed', id };
    case '-':
      return { state: 'cancelled' };
    case 'x':
    case 'X':
      return { state: 'done' };
    default:
      return undefined;
  }
}
