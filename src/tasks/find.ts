/**
 * Finding tasks on a board: by id, name, text, line or handle, through an index per section that lives as long as
 * the section does. Never finds a task by its line alone when it is to be changed: lines move.
 */
import { hash53 } from './hash.ts';
import { idsOf, idsOn } from './ids.ts';
import { isId } from './marker.ts';
import type { Board, Located, Place, Section, Tag, Target, Task } from './task.ts';
import { canonicalKey, LANES, PRIORITIES } from './vocabulary.ts';
import type { Lane } from './vocabulary.ts';

const HANDLE_LENGTH = 7;
const DEFAULT_PRIORITY = 2;

// ── one task ─────────────────────────────────────────────────────────────────────────────────────

/** Its own tags, then those handed down that no nearer one takes the place of. */
export function tagsOf(task: Task): readonly Tag[] {
  return task.inherited.length === 0 ? task.tags : [...task.tags, ...task.inherited];
}

/** The value of the nearest tag with this key; true where it has none, undefined where there is no such tag. */
export function tagValue(task: Task, key: string): string | true | undefined {
  const tag = tagNamed(task.tags, key) ?? tagNamed(task.inherited, key);
  return tag && (tag.value ?? true);
}

export function priorityOf(task: Task): 0 | 1 | 2 | 3 {
  const tag = task.tags.find(isPriority) ?? task.inherited.find(isPriority);
  return tag ? (PRIORITIES.indexOf(tag.key as (typeof PRIORITIES)[number]) as 0 | 1 | 2 | 3) : DEFAULT_PRIORITY;
}

/** The lane of approval that its tags say (6.2-R1); a task without one is safe. */
export function laneOf(task: Task): Lane {
  return laneIn(task.tags) ?? laneIn(task.inherited) ?? 'safe';
}

/** What it waits for: ids and names, its own or else handed down. */
export function afterOf(task: Task): readonly string[] {
  const own = wordsOf(task.tags, 'after');
  if (own.length > 0) return own;
  const down = wordsOf(task.inherited, 'after');
  if (down.length === 0) return down;
  const self = idsOf(task);
  return down.filter((word) => !self.includes(word));
}

/** The words of all tags with this key: `{after:x,y}` gives x and y. */
export function wordsOf(tags: readonly Tag[], key: string): readonly string[] {
  const found = tags.filter((tag) => tag.key === key && tag.value !== undefined);
  return found.length === 0 ? NONE : [...new Set(found.flatMap((tag) => (tag.value ?? '').split(/[,\s]+/).filter((word) => word !== '')))];
}

/** ToDone's id of the task where its line has one: in the bracket, or as `{id:…}`. */
export function idOf(task: Task): string | undefined {
  return task.marker.id ?? (task.name === undefined ? undefined : idsOf(task).find(isId));
}

/** A short name for a task without an id (7-R6): a hash of section, text and occurrence. */
export function handleOf(task: Pick<Task, 'section' | 'occurrence' | 'text'>): string {
  return hash53(`${task.section}\n${task.occurrence}\n${task.text}`).toString(36).padStart(HANDLE_LENGTH, '0').slice(-HANDLE_LENGTH);
}

export function targetOf(task: Task): Target {
  const id = idOf(task);
  return { section: task.section, ...(id !== undefined && { id }), text: task.text, occurrence: task.occurrence };
}

// ── on a board ───────────────────────────────────────────────────────────────────────────────────

/** The task that a target names: by its id, else by section, text and occurrence, unless that line has another id. */
export function locate(board: Board, target: Target): Located | undefined {
  if (target.id !== undefined) {
    const found = byIdNear(board, target.id, target);
    if (found) return found;
  }
  const found = byText(board, target);
  const other = found && idOf(found.task);
  return target.id !== undefined && other !== undefined && other !== target.id ? undefined : found;
}

/** The first task with this id in its bracket, else with this `{id:}`. */
export function findById(board: Board, id: string): Located | undefined {
  return allWithId(board, id)[0];
}

/** Every task with this id or name; those that have it in the bracket first. */
export function allWithId(board: Board, id: string): readonly Located[] {
  const inBracket: Located[] = [];
  const named: Located[] = [];
  for (const sectionIndex of idsOn(board).sectionsWith(id)) {
    const section = board.sections[sectionIndex]!;
    for (const taskIndex of indexOf(section).byId.get(id) ?? NONE) {
      const task = section.tasks[taskIndex]!;
      (task.marker.id === id ? inBracket : named).push({ task, sectionIndex, taskIndex });
    }
  }
  return [...inBracket, ...named];
}

export function findByHandle(board: Board, handle: string): readonly Located[] {
  const found: Located[] = [];
  board.sections.forEach((section, sectionIndex) => {
    for (const taskIndex of handlesOf(section).get(handle) ?? NONE) found.push({ task: section.tasks[taskIndex]!, sectionIndex, taskIndex });
  });
  return found;
}

/** The innermost task whose lines have this one among them; lines count from 1. */
export function taskAt(board: Board, line: number): Located | undefined {
  const wanted = line - 1;
  const sectionIndex = lastAtMost(board.lines, wanted);
  const section = board.sections[sectionIndex];
  if (!section) return undefined;
  const within = wanted - board.lines[sectionIndex]!;
  let taskIndex = lastAtMost(
    section.tasks.map((task) => task.line),
    within,
  );
  const offset = offsetOfLine(board, sectionIndex, within);
  while (taskIndex >= 0) {
    const task = section.tasks[taskIndex]!;
    if (task.line === within || task.span.end > offset) return { task, sectionIndex, taskIndex };
    taskIndex = task.parent ?? -1;
  }
  return undefined;
}

/** Where its marker stands, as an editor counts. */
export function placeOf(board: Board, { task, sectionIndex }: Located): Place {
  return { line: (board.lines[sectionIndex] ?? 0) + task.line + 1, column: task.column };
}

/** Offset of the task's section in the text: what its spans are relative to. */
export function baseOf(board: Board, { sectionIndex }: Located): number {
  return board.starts[sectionIndex] ?? 0;
}

export function* allTasks(board: Board): Generator<Located> {
  for (let sectionIndex = 0; sectionIndex < board.sections.length; sectionIndex++) {
    const { tasks } = board.sections[sectionIndex]!;
    for (let taskIndex = 0; taskIndex < tasks.length; taskIndex++) yield { task: tasks[taskIndex]!, sectionIndex, taskIndex };
  }
}

// ── the index of a section ───────────────────────────────────────────────────────────────────────

type Index = { readonly byId: ReadonlyMap<string, readonly number[]>; readonly byText: ReadonlyMap<string, readonly number[]> };

const NONE: readonly never[] = [];
const indices = new WeakMap<Section, Index>();
const handles = new WeakMap<Section, ReadonlyMap<string, readonly number[]>>();

function indexOf(section: Section): Index {
  const known = indices.get(section);
  if (known) return known;
  const byId = new Map<string, number[]>();
  const byTextMap = new Map<string, number[]>();
  section.tasks.forEach((task, index) => {
    for (const id of idsOf(task)) add(byId, id, index);
    add(byTextMap, task.text, index);
  });
  const index = { byId, byText: byTextMap };
  indices.set(section, index);
  return index;
}

function handlesOf(section: Section): ReadonlyMap<string, readonly number[]> {
  const known = handles.get(section);
  if (known) return known;
  const found = new Map<string, number[]>();
  section.tasks.forEach((task, index) => add(found, handleOf(task), index));
  handles.set(section, found);
  return found;
}

function add(map: Map<string, number[]>, key: string, index: number): void {
  const list = map.get(key);
  if (list) list.push(index);
  else map.set(key, [index]);
}

function byIdNear(board: Board, id: string, target: Target): Located | undefined {
  const found = allWithId(board, id);
  return found.find(({ task }) => task.section === target.section && task.text === target.text && task.occurrence === target.occurrence) ?? found[0];
}

function byText(board: Board, target: Target): Located | undefined {
  for (let sectionIndex = 0; sectionIndex < board.sections.length; sectionIndex++) {
    const section = board.sections[sectionIndex]!;
    if ((section.name ?? '') !== target.section) continue;
    const taskIndex = indexOf(section).byText.get(target.text)?.[target.occurrence];
    if (taskIndex !== undefined) return { task: section.tasks[taskIndex]!, sectionIndex, taskIndex };
  }
  return undefined;
}

function lastAtMost(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= wanted) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}

/** Offset within the section of one of its lines. */
function offsetOfLine(board: Board, sectionIndex: number, line: number): number {
  const start = board.starts[sectionIndex]!;
  const text = board.text.slice(start, start + board.sections[sectionIndex]!.length);
  const lineEnd = /\r\n|\n|\r/g;
  for (let count = 0; count < line; count++) if (!lineEnd.exec(text)) return text.length;
  return lineEnd.lastIndex;
}

function tagNamed(tags: readonly Tag[], key: string): Tag | undefined {
  const wanted = canonicalKey(key);
  return tags.find((tag) => canonicalKey(tag.key) === wanted);
}

function isPriority(tag: Tag): boolean {
  return (PRIORITIES as readonly string[]).includes(tag.key);
}

/** Of several lanes at one level the strictest. */
function laneIn(tags: readonly Tag[]): Lane | undefined {
  return tags.length === 0 ? undefined : LANES.find((lane) => tags.some((tag) => canonicalKey(tag.key) === lane));
}
