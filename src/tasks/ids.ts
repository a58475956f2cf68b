/**
 * The ids and names on a task's line, and which sections of a board have them: an index that is handed from board to board,
 * so that a change costs as much as the sections that it touched. Never shared: a board whose index went on to the next one
 * makes its own again when asked.
 */
import type { Board, Section, Task } from './task.ts';

const NONE: readonly never[] = [];

/** Every id and name that is on its line, ToDone's own in the bracket first. */
export function idsOf(task: Task): readonly string[] {
  const { id } = task.marker;
  if (task.name === undefined) return id === undefined ? NONE : [id];
  const named = task.tags.filter((tag) => tag.key === 'id' && tag.value !== undefined && tag.value !== '').map((tag) => tag.value!);
  return [...new Set(id === undefined ? named : [id, ...named])];
}

// ── on a board ───────────────────────────────────────────────────────────────────────────────────

export type BoardIds = {
  /** The indices of all sections with this id, in order; one that has it twice is named once. */
  sectionsWith(id: string): readonly number[];
  /** Ids that more than one task has. */
  readonly doubled: ReadonlySet<string>;
};

/** One entry for each task that has the id. */
type Holders = Section | Section[];
type Index = { readonly holders: Map<string, Holders>; readonly doubled: Set<string>; readonly places: ReadonlyMap<Section, readonly number[]> };

const indices = new WeakMap<Board, Index>();

export function idsOn(board: Board): BoardIds {
  const index = indices.get(board) ?? built(board);
  return {
    doubled: index.doubled,
    sectionsWith(id) {
      const holders = index.holders.get(id);
      if (holders === undefined) return NONE;
      if (!Array.isArray(holders)) return index.places.get(holders) ?? NONE;
      return [...new Set(holders)].flatMap((section) => index.places.get(section) ?? NONE).sort((one, other) => one - other);
    },
  };
}

/** The index of `previous`, where it has one, becomes that of `next`. */
export function handOnIds(previous: Board, next: Board): void {
  const index = indices.get(previous);
  if (!index || previous === next) return;
  indices.delete(previous);
  const places = placesOf(next);
  for (const [section, at] of index.places) {
    const left = at.length - (places.get(section)?.length ?? 0);
    for (let count = 0; count < left; count++) forget(index, section);
  }
  for (const [section, at] of places) {
    const more = at.length - (index.places.get(section)?.length ?? 0);
    for (let count = 0; count < more; count++) add(index, section);
  }
  indices.set(next, { ...index, places });
}

function built(board: Board): Index {
  const index: Index = { holders: new Map(), doubled: new Set(), places: placesOf(board) };
  for (const section of board.sections) add(index, section);
  indices.set(board, index);
  return index;
}

function placesOf(board: Board): Map<Section, number[]> {
  const places = new Map<Section, number[]>();
  board.sections.forEach((section, at) => {
    const known = places.get(section);
    if (known) known.push(at);
    else places.set(section, [at]);
  });
  return places;
}

function add({ holders, doubled }: Index, section: Section): void {
  for (const task of section.tasks) {
    for (const id of idsOf(task)) {
      const before = holders.get(id);
      if (before === undefined) {
        holders.set(id, section);
        continue;
      }
      doubled.add(id);
      if (Array.isArray(before)) before.push(section);
      else holders.set(id, [before, section]);
    }
  }
}

function forget({ holders, doubled }: Index, section: Section): void {
  for (const task of section.tasks) {
    for (const id of idsOf(task)) {
      const before = holders.get(id);
      if (!Array.isArray(before)) {
        holders.delete(id);
        continue;
      }
      before.splice(before.indexOf(section), 1);
      if (before.length > 1) continue;
      doubled.delete(id);
      holders.set(id, before[0]!);
    }
  }
}
