/**
 * Changes of the list as splices (1.4-R2): a change of state touches the marker's bytes, a note adds lines, and every
 * other byte stays. Edits take effect one after another; those of different tasks are worked out on one reading of the
 * text. Never finds a task by its line, and never writes a list of the same length as before (1.4-R5).
 */
import { newTaskLines } from './compose.ts';
import type { Style } from './compose.ts';
import { baseOf, locate } from './find.ts';
import { needsSpaceAfter, writeMarker, writeMarkerOtherwise } from './marker.ts';
import { defaultParseOptions, parse, withFresh } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import { addTagSplices, removeTagSplices, textEnd } from './retag.ts';
import type { OnText, Splice } from './retag.ts';
import type { Board, Edit, Edited, Located, Marker, NewTask, Section, Target, Task } from './task.ts';
import { utf8Length } from './utf8.ts';
import { endOfLine, isWhite, lineEndFor, linesOf, plainWords, skipWhite } from './white.ts';

type AppliedEdits = {
  readonly text: string;
  /** What became of each edit, in the order given. */
  readonly results: readonly Edited[];
  readonly board: Board;
};

/** The text with all edits that still fit it. */
export function applyEdits(text: string, edits: readonly Edit[], options: ParseOptions, previous?: Board): AppliedEdits {
  const first = parse(text, options, previous);
  const work: Work = { first, board: first, moves: [], results: new Array<Edited>(edits.length), options, grown: 0, fresh: new Set(first.fresh) };
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

/** What one edit comes to on the board as it is. */
type Plan = { readonly result: Edited; readonly splices: readonly Splice[] };

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
  if (edit.kind !== 'insert') return taskPlace(resolve(work, edit.target));
  if (edit.where.at !== 'end') return taskPlace(resolve(work, edit.where.target));
  const { section } = edit.where;
  if (section === '') return undefined;
  const sectionIndex = work.board.sections.findIndex(({ name }) => name === section);
  if (sectionIndex < 0) return undefined;
  const shared = lastOpenEnd(work.board.text, work.board.starts[sectionIndex]!, work.board.sections[sectionIndex]!) !== undefined;
  return { sectionIndex, located: undefined, key: `end of ${sectionIndex}`, shared };
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

const ALREADY: Plan = { result: { kind: 'already' }, splices: [] };

function applied(splices: readonly Splice[]): Plan {
  return splices.length === 0 ? ALREADY : { result: { kind: 'applied' }, splices };
}

function planOf(work: Work, edit: Edit, place: EditPlace): Plan {
  const { board, options } = work;
  if (edit.kind === 'insert') return planInsert(work, edit, place);
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
  }
}

// ── markers ──────────────────────────────────────────────────────────────────────────────────────

type MarkEdit = Extract<Edit, { kind: 'mark' }>;

function planMark(on: OnText, edit: MarkEdit): Plan {
  const { task } = on;
  const wanted = bracketOf(edit.marker, task.marker);
  const tag = idTagFor(task, edit.marker);
  if (saysAlready(task.marker, wanted) && tag === undefined) return ALREADY;
  const otherId = edit.target.id !== undefined && task.marker.id !== undefined && task.marker.id !== edit.target.id;
  const otherText = edit.fingerprint !== undefined && edit.fingerprint !== task.fingerprint;
  if (otherId || otherText || !edit.expect.includes(task.marker.state)) return { result: { kind: 'changed', marker: task.marker }, splices: [] };
  return applied(markSplices(on, wanted, tag));
}

/** The bracket to write: the task's id stays in it, unless it has no place for one. */
function bracketOf(wanted: Marker, now: Marker): Marker {
  if (carriesId(wanted)) {
    const id = wanted.id ?? now.id;
    const hash = wanted.state === 'done' ? (wanted.hash ?? (id === undefined ? undefined : '-')) : undefined;
    return { state: wanted.state, ...(id !== undefined && { id }), ...(hash !== undefined && { hash }) };
  }
  const note = wanted.state === 'blocked' ? (wanted.note ?? (now.state === 'blocked' ? now.note : undefined)) : undefined;
  return { state: wanted.state, ...(note !== undefined && { note }) };
}

function carriesId(marker: Marker): boolean {
  return marker.state === 'in_progress' || marker.state === 'done' || marker.state === 'failed';
}

/** The id that has to go on the line as a tag, because the new bracket has no place for it (2-R1). */
function idTagFor(task: Task, wanted: Marker): string | undefined {
  if (carriesId(wanted)) return undefined;
  const id = wanted.id ?? task.marker.id;
  return id === undefined || task.tags.some((tag) => tag.key === 'id' && tag.value === id) ? undefined : id;
}

function saysAlready(now: Marker, wanted: Marker): boolean {
  return now.state === wanted.state && now.id === wanted.id && now.hash === wanted.hash && (wanted.note === undefined || now.note === wanted.note);
}

function markSplices(on: OnText, wanted: Marker, id: string | undefined): readonly Splice[] {
  const { text, base, task } = on;
  const splices: Splice[] = [];
  const tag = id === undefined ? '' : ` {id:${id}}`;
  if (tag !== '') splices.push({ start: textEnd(on), end: textEnd(on), text: tag });
  if (saysAlready(task.marker, wanted)) return splices;
  const start = base + task.markerSpan.start;
  const end = base + task.markerSpan.end;
  const before = text.slice(start, end);
  const after = (spelled: string) => spelled + gapAfter(on, wanted);
  const usual = after(writeMarker(wanted));
  const grows = utf8Length(usual) + utf8Length(tag) !== utf8Length(before);
  return [{ start, end, text: grows ? usual : after(writeMarkerOtherwise(wanted)) }, ...splices].sort((one, other) => one.start - other.start);
}

/** `[⏰]Task` is read; `[]Task` is not. */
function gapAfter({ text, base, task }: OnText, wanted: Marker): string {
  const end = base + task.markerSpan.end;
  return needsSpaceAfter(wanted) && end < base + task.headSpan.end && !isWhite(text.charCodeAt(end)) ? ' ' : '';
}

// ── notes ────────────────────────────────────────────────────────────────────────────────────────

function planNote(board: Board, located: Located, on: OnText, words: string, options: ParseOptions): Plan {
  const lines = noteLines(words);
  if (lines.length === 0) return ALREADY;
  const { notes } = located.task;
  if (notes.length >= lines.length && lines.every((line, index) => notes[notes.length - lines.length + index] === line)) return ALREADY;
  const ends = ownLineEnds(board, located, on);
  const at = ends.find((offset) => showsNote(on, offset, lines, options)) ?? ends[0]!;
  return applied([noteSplice(on, at, lines)]);
}

function noteLines(words: string): readonly string[] {
  const lines = linesOf(words).map((line) => plainWords(line).trimEnd());
  while (lines.length > 0 && lines[0] === '') lines.shift();
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}

function noteSplice({ text, base, task }: OnText, at: number, lines: readonly string[]): Splice {
  const end = lineEndFor(text, base + task.headSpan.start);
  return { start: at, end: at, text: lines.map((line) => `${end}${task.detailIndent}>${line === '' ? '' : ` ${line}`}`).join('') };
}

/** How many lines a note may move up to be out of a fence that nothing closed. */
const NOTE_LINES_UP_MAX = 60;

/** Where a note may stand, best first: behind the last of the own lines in front of the subtasks, and further up. */
function ownLineEnds(board: Board, { sectionIndex, taskIndex }: Located, { text, base, task }: OnText): readonly number[] {
  const next = board.sections[sectionIndex]!.tasks[taskIndex + 1];
  const limit = base + (next?.parent === taskIndex ? next.headSpan.start : task.span.end);
  const headEnd = base + task.headSpan.end;
  const ends: number[] = [];
  for (let own = text.slice(headEnd, limit).trimEnd(); own !== '' && ends.length < NOTE_LINES_UP_MAX; own = own.slice(0, lastLineStart(own)).trimEnd())
    ends.push(endOfLine(text, headEnd + own.length));
  return [...ends, headEnd];
}

function lastLineStart(text: string): number {
  return Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'), 0);
}

/** Whether a note there is read as one, and not as more of a fence or comment; and leaves the lines below it as they are. */
function showsNote(on: OnText, at: number, lines: readonly string[], options: ParseOptions): boolean {
  const { text, base, task } = on;
  const start = base + task.headSpan.start;
  const end = base + task.span.end;
  const now = parse(text.slice(start, end), options).sections[0];
  const then = parse(text.slice(start, at) + noteSplice(on, at, lines).text + text.slice(at, end), options).sections[0];
  const own = then?.tasks[0];
  return (
    own !== undefined &&
    own.notes.length > (now?.tasks[0]?.notes.length ?? 0) &&
    own.fingerprint === now?.tasks[0]?.fingerprint &&
    then!.tasks.length === now.tasks.length
  );
}

// ── new tasks ────────────────────────────────────────────────────────────────────────────────────

type InsertEdit = Extract<Edit, { kind: 'insert' }>;

function planInsert(work: Work, edit: InsertEdit, place: EditPlace): Plan {
  const { board, options } = work;
  const section = board.sections[place.sectionIndex]!;
  const base = board.starts[place.sectionIndex]!;
  const anchor = place.located?.task ?? lastOpenEnd(board.text, base, section) ?? section.tasks[0];
  if (!anchor) return applied([firstInSection(work, edit, section, base)]);
  const above = edit.where.at === 'above' || endsHidden(board.text, base, anchor);
  const style = styleOf(board.text, base, anchor, edit.where.at === 'above' ? 0 : 1, mayCloseComment(board.text, base, section, edit.task));
  const lines = newTaskLines(edit.task, style, options);
  const end = lineEndFor(board.text, base + anchor.headSpan.start);
  if (above) {
    const at = base + anchor.headSpan.start;
    return applied([{ start: at, end: at, text: lines.map((line) => line + end).join('') }]);
  }
  const at = lastLineEnd(board.text, base + anchor.headSpan.end, base + anchor.span.end);
  return applied([{ start: at, end: at, text: lines.map((line) => end + line).join('') }]);
}

/** The last task of the section that others can be put behind: nothing left open hides what follows it. */
function lastOpenEnd(text: string, base: number, section: Section): Task | undefined {
  return section.tasks.findLast((task) => task.parent === undefined && !endsHidden(text, base, task));
}

const hiding = new WeakMap<Task, boolean>();

/** Whether a fence or comment that nothing closed would hide a task written below this one. */
function endsHidden(text: string, base: number, task: Task): boolean {
  const known = hiding.get(task);
  if (known !== undefined) return known;
  const block = text.slice(base + task.headSpan.start, base + task.span.end);
  const hides = /```|~~~|</.test(block) && !nextIsSeen(text, base, task);
  hiding.set(task, hides);
  return hides;
}

/** The list items further up have a say in where a fence ends: the section is read as it would be. */
function nextIsSeen(text: string, base: number, task: Task): boolean {
  const lead = text.slice(base + task.headSpan.start, base + task.markerSpan.start);
  const above = text.slice(base, base + task.span.end).trimEnd();
  return parse(`${above}\n${lead}[] next\n`, defaultParseOptions).sections.at(-1)?.tasks.at(-1)?.text === 'next';
}

function unclosedLine(section: Section): number | undefined {
  return section.problems.find((problem) => problem.rule === '1.1-R5')?.line;
}

function mayCloseComment(text: string, base: number, section: Section, { title, details }: NewTask): boolean {
  return `${title}\n${details ?? ''}`.includes('-->') && text.slice(base, base + section.length).includes('<!--');
}

/** A list's bullet goes on; numbers count on by `step`. */
function styleOf(text: string, base: number, task: Task, step: 0 | 1, closes: boolean): Style {
  const lead = text.slice(base + task.headSpan.start, base + task.markerSpan.start);
  const number = /^(\s*)(\d{1,9})([.)]\s+)$/.exec(lead);
  const next = number ? `${number[1]}${Math.min(Number(number[2]) + step, 999_999_999)}${number[3]}` : lead;
  const indent = lead.slice(0, skipWhite(lead, 0, lead.length));
  const depth = next.length - indent.length;
  return { lead: next, detailIndent: indent + ' '.repeat(depth > 0 ? depth : 2), mayCloseComment: closes };
}

/** A section without tasks: below its heading, or below a blank line after its text. */
function firstInSection(work: Work, edit: InsertEdit, section: Section, base: number): Splice {
  const { text } = work.board;
  const open = unclosedLine(section);
  const shown = open === undefined ? text.slice(base, base + section.length) : firstLines(text, base, open);
  const body = shown.trimEnd();
  const at = endOfLine(text, base + body.length);
  const end = lineEndFor(text, base);
  const onlyHeading = !/[\r\n]/.test(body);
  const style = { lead: '', detailIndent: '  ', mayCloseComment: mayCloseComment(text, base, section, edit.task) };
  const lines = newTaskLines(edit.task, style, work.options);
  return { start: at, end: at, text: (onlyHeading ? '' : end) + lines.map((line) => end + line).join('') };
}

function firstLines(text: string, base: number, count: number): string {
  let at = base;
  for (let line = 0; line < count; line++) at = endOfLine(text, at) + (text.startsWith('\r\n', endOfLine(text, at)) ? 2 : 1);
  return text.slice(base, at);
}

/** End of the last line with anything on it between two offsets. */
function lastLineEnd(text: string, from: number, to: number): number {
  const body = text.slice(from, to).trimEnd();
  return endOfLine(text, from + body.length);
}

// ── length ───────────────────────────────────────────────────────────────────────────────────────

/** All changes together left the length as it was: one marker is spelled otherwise, or a space added after one (1.4-R5). */
function changeLength(work: Work, edits: readonly Edit[]): void {
  for (const kind of ['mark', 'addTag', 'removeTag', 'note'] as const) {
    const index = edits.findIndex((edit, at) => edit.kind === kind && work.results[at]?.kind === 'applied');
    const edit = edits[index];
    const located = edit && edit.kind !== 'insert' ? resolve(work, edit.target) : undefined;
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

function widened({ base, task }: OnText): Splice {
  const at = base + task.markerSpan.end;
  return { start: at, end: at, text: ' ' };
}
