/**
 * Changes of the list as splices (1.4-R2): a change of state touches the marker's bytes, a note adds lines, and every
 * other byte stays. Edits take effect one after another; those of different tasks are worked out on one reading of the
 * text. Never finds a task by its line, and never writes a list of the same length as before (1.4-R5).
 */
import { planPutBack, planRemove, planSummarize } from './edit-block.ts';
import { planHeading, headingSection } from './edit-heading.ts';
import { lastOpenEnd, planInsert } from './edit-insert.ts';
import { planMark } from './edit-mark.ts';
import { planNote } from './edit-note.ts';
import { planTitle } from './edit-title.ts';
import { baseOf, locate } from './find.ts';
import { writeMarker, writeMarkerOtherwise } from './marker.ts';
import { parse, withFresh } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import { applied } from './plan.ts';
import type { Plan } from './plan.ts';
import { addTagSplices, removeTagSplices } from './retag.ts';
import type { OnText, Splice } from './retag.ts';
import type { Board, Edit, Edited, Located, Target } from './task.ts';
import { utf8Length } from './utf8.ts';

type AppliedEdits = {
  readonly text: string;
  /** What became of each edit, in the order given. */
  readonly results: readonly Edited[];
  readonly board: Board;
};

/** The text with all edits that still fit it. */
export function applyEdits(text: string, edits: readonly Edit[], options: ParseOptions, previous?: Board): AppliedEdits {
  const each = applyEach(text, edits, options, previous);
  const broken = new Set(edits.flatMap((edit, index) => (each.results[index]?.kind === 'gone' ? (togetherOf(edit) ?? []) : [])));
  if (broken.size === 0) return each;
  // All or none: once more, without those that cannot all be made.
  const isBroken = (edit: Edit): boolean => broken.has(togetherOf(edit) ?? -1);
  const without = applyEach(
    text,
    edits.filter((edit) => !isBroken(edit)),
    options,
    previous,
  );
  const results = [...without.results];
  return { ...without, results: edits.map((edit) => (isBroken(edit) ? { kind: 'gone' } : (results.shift() ?? { kind: 'gone' }))) };
}

const togetherOf = (edit: Edit): number | undefined => (edit.kind === 'insert' ? edit.together : undefined);

function applyEach(text: string, edits: readonly Edit[], options: ParseOptions, previous?: Board): AppliedEdits {
  const first = parse(text, options, previous);
  const work: Work = { first, board: first, moves: [], results: [], options, grown: 0, fresh: new Set(first.fresh) };
  let queue = edits.map((edit, index) => ({ edit, index }));
  while (queue.length > 0) queue = round(work, queue);
  if (work.board.text !== text && work.grown === 0) changeLength(work, edits);
  return { text: work.board.text, results: work.results, board: work.board === first ? first : withFresh(work.board, work.fresh) };
}

type Queued = { readonly edit: Edit; readonly index: number };

type Work = {
  /** The board that the edits were thought of on: targets are looked up here first, so that one edit cannot hide the next one's task. */
  readonly first: Board;
  board: Board;
  /** How offsets moved, round by round. */
  readonly moves: ((offset: number) => number)[];
  readonly results: Edited[];
  readonly options: ParseOptions;
  /** By how many bytes the list grew. */
  grown: number;
  /** Fingerprints that the caller's board did not have. */
  readonly fresh: Set<string>;
};

// ── rounds ───────────────────────────────────────────────────────────────────────────────────────

/** Carries out all edits that do not touch the same task or place; gives back those for the next round. */
function round(work: Work, queue: readonly Queued[]): Queued[] {
  const splices: Splice[] = [];
  const taken = new Set<number>();
  const closed = new Set<string>();
  const later: Queued[] = [];
  let barrier = false;
  for (const queued of queue) {
    const { edit, index } = queued;
    const place = barrier ? undefined : placeIn(work, edit);
    if (!place) {
      // What is not found may be made by an edit before it.
      barrier ||= splices.length > 0 || later.length > 0;
      if (barrier) later.push(queued);
      else work.results[index] = { kind: 'gone' };
      continue;
    }
    const plan = closed.has(place.key) ? undefined : planOf(work, edit, place);
    if (!plan || plan.splices.some((splice) => taken.has(splice.start) && !place.shared)) {
      closed.add(place.key);
      later.push(queued);
      continue;
    }
    if (!place.shared) closed.add(place.key);
    for (const splice of plan.splices) {
      splices.push(splice);
      taken.add(splice.start);
    }
    work.results[index] = plan.result;
  }
  carryOut(work, splices);
  return later;
}

function carryOut(work: Work, splices: readonly Splice[]): void {
  if (splices.length === 0) return;
  const sorted = splices.map((splice, order) => ({ ...splice, order })).sort((one, other) => one.start - other.start || one.order - other.order);
  const { text } = work.board;
  const parts: string[] = [];
  let from = 0;
  for (const splice of sorted) {
    parts.push(text.slice(from, splice.start), splice.text);
    work.grown += utf8Length(splice.text) - utf8Length(text.slice(splice.start, splice.end));
    from = splice.end;
  }
  parts.push(text.slice(from));
  work.moves.push(moveBy(sorted));
  work.board = parse(parts.join(''), work.options, work.board);
  for (const fingerprint of work.board.fresh) work.fresh.add(fingerprint);
}

/** Where an offset of the old text is in the new one: text put in at the offset itself pushes it along, text in place of what is there does not. */
function moveBy(sorted: readonly Splice[]): (offset: number) => number {
  const shifts: number[] = [];
  let shift = 0;
  for (const { start, end, text } of sorted) shifts.push((shift += text.length - (end - start)));
  return (offset) => {
    let last = lastAtMost(sorted.length, (index) => sorted[index]!.start, offset);
    while (last >= 0 && sorted[last]!.start === offset && sorted[last]!.end > offset) last--;
    return offset + (last < 0 ? 0 : shifts[last]!);
  };
}

// ── where an edit takes place ────────────────────────────────────────────────────────────────────

type EditPlace = {
  readonly sectionIndex: number;
  readonly located: Located | undefined;
  /** Edits with the same key wait for each other… */
  readonly key: string;
  /** …unless they only add at the same end, in order. */
  readonly shared: boolean;
};

function placeIn(work: Work, edit: Edit): EditPlace | undefined {
  if (edit.kind === 'untagHeading' || edit.kind === 'addHeading') return headingPlace(work.board, edit);
  if (edit.kind === 'putBack' || edit.kind === 'summarize') return blockPlace(work.board, edit);
  if (edit.kind !== 'insert') return taskPlace(resolve(work, edit.target));
  if (edit.where.at !== 'end') return taskPlace(resolve(work, edit.where.target));
  const { section } = edit.where;
  if (section === '') return undefined;
  const sectionIndex = work.board.sections.findIndex(({ name }) => name === section);
  if (sectionIndex < 0) return undefined;
  const shared = lastOpenEnd(work.board.text, work.board.starts[sectionIndex]!, work.board.sections[sectionIndex]!) !== undefined;
  return { sectionIndex, located: undefined, key: `end of ${sectionIndex}`, shared };
}

function headingPlace(board: Board, edit: Parameters<typeof headingSection>[1]): EditPlace | undefined {
  const sectionIndex = headingSection(board, edit);
  return sectionIndex === undefined ? undefined : { sectionIndex, located: undefined, key: `heading of ${sectionIndex}`, shared: edit.kind === 'untagHeading' };
}

/** Lines come back also where their section is gone. */
function blockPlace(board: Board, edit: Extract<Edit, { kind: 'putBack' | 'summarize' }>): EditPlace | undefined {
  const sectionIndex = board.sections.findIndex(({ name }) => name === edit.section);
  return sectionIndex < 0 && edit.kind === 'summarize' ? undefined : { sectionIndex, located: undefined, key: `block of ${sectionIndex}`, shared: false };
}

function taskPlace(located: Located | undefined): EditPlace | undefined {
  return located && { sectionIndex: located.sectionIndex, located, key: `${located.sectionIndex} ${located.taskIndex}`, shared: false };
}

/** The task as the caller saw it, followed through the changes made since; else as the text has it now. */
function resolve(work: Work, target: Target): Located | undefined {
  const before = locate(work.first, target);
  if (before) {
    let offset = baseOf(work.first, before) + before.task.markerSpan.start;
    for (const move of work.moves) offset = move(offset);
    const now = taskWithMarkerAt(work.board, offset);
    if (now) return now;
  }
  return locate(work.board, target);
}

function taskWithMarkerAt(board: Board, offset: number): Located | undefined {
  const sectionIndex = lastAtMost(board.starts.length, (index) => board.starts[index]!, offset);
  const section = board.sections[sectionIndex];
  if (!section) return undefined;
  const within = offset - board.starts[sectionIndex]!;
  const taskIndex = lastAtMost(section.tasks.length, (index) => section.tasks[index]!.markerSpan.start, within);
  const task = section.tasks[taskIndex];
  return task?.markerSpan.start === within ? { task, sectionIndex, taskIndex } : undefined;
}

function lastAtMost(length: number, at: (index: number) => number, wanted: number): number {
  let low = 0;
  let high = length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (at(middle) <= wanted) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}

// ── what an edit comes to ────────────────────────────────────────────────────────────────────────

function planOf(work: Work, edit: Edit, place: EditPlace): Plan {
  const { board, options } = work;
  if (edit.kind === 'insert') return planInsert(board, place.sectionIndex, place.located?.task, edit, options);
  if (edit.kind === 'untagHeading' || edit.kind === 'addHeading') return planHeading(board, place.sectionIndex, edit, options);
  if (edit.kind === 'putBack') return planPutBack(board, place.sectionIndex < 0 ? undefined : place.sectionIndex, edit);
  if (edit.kind === 'summarize') return planSummarize(board, place.sectionIndex, edit);
  const located = place.located!;
  const on: OnText = { text: board.text, base: baseOf(board, located), task: located.task };
  switch (edit.kind) {
    case 'mark':
      return planMark(on, edit);
    case 'note':
      return planNote(board, located, on, edit.text, options);
    case 'addTag':
      return applied(addTagSplices(on, edit.key, edit.value, options));
    case 'removeTag':
      return applied(removeTagSplices(on, edit.key));
    case 'retitle':
      return planTitle(on, edit.title, options);
    case 'remove':
      return planRemove(board, located, edit);
  }
}

// ── length ───────────────────────────────────────────────────────────────────────────────────────

/** All changes together left the length as it was: one marker is spelled otherwise, or has one space more or less behind it (1.4-R5). */
function changeLength(work: Work, edits: readonly Edit[]): void {
  for (const kind of ['mark', 'addTag', 'removeTag', 'note', 'retitle'] as const) {
    const index = edits.findIndex((edit, at) => edit.kind === kind && work.results[at]?.kind === 'applied');
    const edit = edits[index];
    const located = edit && 'target' in edit ? resolve(work, edit.target) : undefined;
    if (!located) continue;
    const on: OnText = { text: work.board.text, base: baseOf(work.board, located), task: located.task };
    return carryOut(work, [kind === 'mark' ? respelled(on) : widened(on)]);
  }
}

function respelled({ text, base, task }: OnText): Splice {
  const start = base + task.markerSpan.start;
  const end = base + task.markerSpan.end;
  const now = text.slice(start, end);
  const otherwise = writeMarkerOtherwise(task.marker);
  return { start, end, text: utf8Length(otherwise) === utf8Length(now) ? writeMarker(task.marker) : otherwise };
}

function widened({ text, base, task }: OnText): Splice {
  const at = base + task.markerSpan.end;
  const twice = text.startsWith('  ', at);
  return { start: at, end: twice ? at + 1 : at, text: twice ? '' : ' ' };
}
