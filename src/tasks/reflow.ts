/**
 * What formatters do to a list (1.1-R2, 1.1-R4): lines joined to one paragraph, tasks drawn into the quote above them, details
 * without their indentation. The words all stand there still, and say something else. Tells that from a person's change by the
 * reading before: never from one text alone.
 */
import { idsOf } from './ids.ts';
import { looseEnds } from './loose-markers.ts';
import type { Board, Section, Task } from './task.ts';

/** So many are enough to say it. */
const SHOWN_MAX = 3;
/** A task's words beyond this are not compared. */
const WORDS_MAX = 200;

/** Tasks of the board before whose words are all still there, one after another, but no longer as that task. At most three. */
export function reflowed(before: Board, after: Board): readonly Task[] {
  if (before.text === after.text) return [];
  const kept = new Set<Section>(after.sections);
  const old = new Set<Section>(before.sections);
  const [then, now] = [countsIn(before, kept), countsIn(after, old)];
  const suspects = before.sections.flatMap((section) => (kept.has(section) ? [] : section.tasks.filter((task) => isMore(task, then, now))));
  if (suspects.length === 0) return [];
  const present = new Present(
    after,
    (section) => !old.has(section),
    (task) => isMore(task, now, then),
  );
  const found: Task[] = [];
  for (const task of suspects) {
    if (present.isMangled(task)) found.push(task);
    if (found.length >= SHOWN_MAX) break;
  }
  return found;
}

/** How many tasks of the changed sections have the same words. */
function countsIn(board: Board, unchanged: ReadonlySet<Section>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const section of board.sections) {
    if (unchanged.has(section)) continue;
    for (const { fingerprint } of section.tasks) counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  }
  return counts;
}

const isMore = ({ fingerprint }: Task, here: ReadonlyMap<string, number>, there: ReadonlyMap<string, number>): boolean =>
  (here.get(fingerprint) ?? 0) > (there.get(fingerprint) ?? 0);

type Read = {
  readonly head: readonly string[];
  readonly all: readonly string[];
  /** Its notes, and what stands between it and the next task. */ readonly below: readonly string[];
};

/** The changed part of the new reading, by what it can be asked for. */
class Present {
  readonly #byId = new Map<string, Read>();
  readonly #byWords = new Map<string, Read[]>();
  readonly #headBeginnings = new Set<string>();
  readonly #loose: readonly (readonly string[])[];

  constructor(board: Board, isChanged: (section: Section) => boolean, isNew: (task: Task) => boolean) {
    for (const [index, section] of board.sections.entries()) {
      if (!isChanged(section)) continue;
      for (const task of section.tasks) {
        if (!isNew(task)) continue;
        const end = board.starts[index]! + task.span.end;
        const read = { ...wordsOf(task), below: wordsIn(`${task.notes.join(' ')} ${board.text.slice(end, nextTask(board, index, task))}`, 0) };
        for (let length = 1; length <= read.head.length; length++) this.#headBeginnings.add(keyOf(read.head.slice(0, length)));
        for (const id of idsOf(task)) if (!this.#byId.has(id)) this.#byId.set(id, read);
        const key = keyOf(read.all);
        const same = this.#byWords.get(key);
        if (same) same.push(read);
        else this.#byWords.set(key, [read]);
      }
    }
    this.#loose = looseEnds(board, isChanged).map((end) => wordsIn(board.text, end));
  }

  isMangled(task: Task): boolean {
    const { head, all } = wordsOf(task);
    if (all.length === 0) return false;
    const byId = idsOf(task).flatMap((id) => this.#byId.get(id) ?? [])[0];
    if (byId && this.#isCutFrom(byId, head, all)) return true;
    if (byId && byId.head.length === head.length && keyOf(byId.all) === keyOf(all)) return false;
    if (all.length > head.length && this.#headBeginnings.has(keyOf(all))) return true;
    const same = this.#byWords.get(keyOf(all)) ?? [];
    if (same.some((read) => read.head.length === head.length)) return false;
    if (same.length > 0) return true;
    for (let length = all.length - 1; length > 0; length--)
      if (this.#byWords.get(keyOf(all.slice(0, length)))?.some((read) => this.#isCutFrom(read, head, all))) return true;
    return head.length > 0 && this.#loose.some((words) => beginsWith(words, head));
  }

  /** Its words go on below the task, or are divided otherwise between its line and what is below. */
  #isCutFrom(read: Read, head: readonly string[], all: readonly string[]): boolean {
    if (!beginsWith(all, read.all)) return false;
    if (read.all.length === all.length) return read.head.length !== head.length;
    return has(read.below, all.slice(read.all.length));
  }
}

/** Offset of the next task's line, or of the section's end. */
function nextTask(board: Board, index: number, task: Task): number {
  const section = board.sections[index]!;
  const next = section.tasks.find((other) => other.headSpan.start >= task.span.end);
  return board.starts[index]! + (next?.headSpan.start ?? section.length);
}

function wordsOf(task: Task): { readonly head: readonly string[]; readonly all: readonly string[] } {
  const head = wordsIn(task.text, 0);
  return { head, all: [...head, ...wordsIn(task.details, 0)].slice(0, WORDS_MAX) };
}

const keyOf = (words: readonly string[]): string => words.join(' ');

const beginsWith = (words: readonly string[], first: readonly string[]): boolean =>
  words.length >= first.length && first.every((word, at) => word === words[at]);

/** In order, with others in between: a note may stand among them. */
function has(words: readonly string[], wanted: readonly string[]): boolean {
  let at = 0;
  for (const word of words) if (word === wanted[at]) at++;
  return at === wanted.length;
}

/** Letters and digits only: whatever else there is, a formatter may write in another way. */
function wordsIn(text: string, from: number): readonly string[] {
  const words: string[] = [];
  const pattern = /[\p{L}\p{N}]+/gu;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match && words.length < WORDS_MAX; match = pattern.exec(text)) words.push(match[0]);
  return words;
}
