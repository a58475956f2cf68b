/**
 * One reading of the list against the one before: whether it looks torn (1.4-R6), and whether git left a conflict in it
 * (1.4-R7). Never decides what follows.
 */
import { idsOf } from './ids.ts';
import type { Board, Section, Task } from './task.ts';

/** Fewer known tasks than this are no measure. */
const KNOWN_TASKS_MIN = 5;
const GONE_SHARE_MAX = 0.2;

/** Empty, cut off, or more than a fifth of at least five known tasks gone. */
export function looksTorn(before: Board, after: Board): boolean {
  if (before.text === after.text) return false;
  const known = countTasks(before);
  if (known === 0) return false;
  if (after.text.trim() === '') return true;
  if (isCutOff(before.text, after.text)) return true;
  return known >= KNOWN_TASKS_MIN && countGone(before, after) > known * GONE_SHARE_MAX;
}

const conflicted = new WeakMap<Section, boolean>();

/** Lines that git writes into a file that it could not merge. A section is looked through once. */
export function hasConflictMarkers(board: Board): boolean {
  return board.sections.some((section, index) => {
    let found = conflicted.get(section);
    if (found === undefined) {
      const text = board.text.slice(board.starts[index], board.starts[index]! + section.length);
      conflicted.set(section, (found = hasLine(text, '<<<<<<<') || hasLine(text, '>>>>>>>')));
    }
    return found;
  });
}

function countTasks(board: Board): number {
  return board.sections.reduce((count, section) => count + section.tasks.length, 0);
}

/** A beginning of the old text that stops inside a line: an editor has not written all of it yet. */
function isCutOff(before: string, after: string): boolean {
  return after.length < before.length && /[\r\n]$/.test(before) && !/[\r\n]$/.test(after) && before.startsWith(after);
}

/** Tasks of the old board of which neither an id nor section and text are on the new one. Sections that both share cost nothing. */
function countGone(before: Board, after: Board): number {
  const kept = new Set<Section>(after.sections);
  const old = new Set<Section>(before.sections);
  const lost = before.sections.filter((section) => !kept.has(section)).flatMap((section) => section.tasks);
  const ids = new Set<string>();
  const texts = new Map<string, number>();
  for (const task of after.sections.filter((section) => !old.has(section)).flatMap((section) => section.tasks)) {
    const names = idsOf(task);
    for (const id of names) ids.add(id);
    texts.set(wordsOf(task), (texts.get(wordsOf(task)) ?? 0) + 1);
  }
  return lost.filter((task) => !isThere(task, ids, texts)).length;
}

function isThere(task: Task, ids: ReadonlySet<string>, texts: Map<string, number>): boolean {
  if (idsOf(task).some((id) => ids.has(id))) return true;
  const words = wordsOf(task);
  const left = texts.get(words) ?? 0;
  if (left === 0) return false;
  texts.set(words, left - 1);
  return true;
}

/** Section and text without the names on it: ToDone adds an id when it sets a task back. */
function wordsOf(task: Task): string {
  return `${task.section}\n${task.title}`;
}

function hasLine(text: string, sign: string): boolean {
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
    const before = at === 0 || text[at - 1] === '\n' || text[at - 1] === '\r';
    if (before && /^(?:[ \r\n]|$)/.test(text.slice(at + sign.length, at + sign.length + 1))) return true;
  }
  return false;
}
