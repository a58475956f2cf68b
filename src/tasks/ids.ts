/**
 * The ids and names on a task's line, and which sections of a board have them: boards that were made from one another have one
 * index, brought to the one that is asked about, so that a change costs as much as the sections that it touched. Never made
 * before somebody asks.
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
type Index = {
  readonly holders: Map<string, Holders>;
  readonly doubled: Set<string>;
  /** What it stands for now. */
  sections: readonly Section[];
  places: ReadonlyMap<Section, readonly number[]>;
};

const lines = new WeakMap<Board, { index?: Index }>();

export function idsOn(board: Board): BoardIds {
  const index = indexOf(board);
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

/** From now on both boards have one index. */
export function shareIds(previous: Board, next: Board): void {
  const line = lines.get(previous) ?? {};
  lines.set(previous, line);
  lines.set(next, line);
}

function indexOf(board: Board): Index {
  const line = lines.get(board) ?? {};
  lines.set(board, line);
  line.index ??= { holders: new Map(), doubled: new Set(), sections: [], places: new Map() };
  if (line.index.sections !== board.sections) bringTo(line.index, board.sections);
  return line.index;
}

function bringTo(index: Index, sections: readonly Section[]): void {
  const places = placesOf(sections);
  for (const [section, at] of index.places) for (let left = at.length - countOf(places, section); left > 0; left--) forget(index, section);
  for (const [section, at] of places) for (let more = at.length - countOf(index.places, section); more > 0; more--) add(index, section);
  index.sections = sections;
  index.places = places;
}

const countOf = (places: Index['places'], section: Section): number => places.get(section)?.length ?? 0;

function placesOf(sections: readonly Section[]): Map<Section, number[]> {
  const places = new Map<Section, number[]>();
  sections.forEach((section, at) => {
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
