/**
 * The world: all that the engine knows beside the list, and the changes that one turn makes to it.
 * Stored rows (`known`, `runs`, `meta`) can be loaded again; the rest is rebuilt by looking. It never copies itself whole:
 * a turn writes into a draft, the draft says which rows changed, and `apply` puts them in.
 */
import type { MarkerState, Task } from '../tasks/task.ts';
import { type Evidence, NO_EVIDENCE } from './evidence.ts';
import type { TipFiles } from './files.ts';
import type { ErrandKind } from './errand.ts';
import type { Known, Run } from './run.ts';
import type { AgentChoice } from './settings.ts';
import type { Wish } from './sharing.ts';

/** Whether the list can be believed, and since when not (1.4-R6, R7). */
export type ListState =
  | { readonly kind: 'fine' }
  /** Not looked at yet. */
  | { readonly kind: 'unread' }
  /** `kept`: what stood on it last is in the archive. */
  | { readonly kind: 'missing'; readonly since: number; readonly kept?: true }
  | { readonly kind: 'refused'; readonly since: number; readonly message: string }
  /** Looks torn: left alone until it has stayed the same for the settle time. */
  | { readonly kind: 'torn'; readonly since: number; readonly version: string }
  | { readonly kind: 'conflict'; readonly since: number }
  /** git took markers back: put right once git is done and still. */
  | { readonly kind: 'rollback'; readonly since: number; readonly position: string };

/** Who makes a change that is on its way into the list, so that it is not taken for a hand's. */
export type Author = { readonly by: string; readonly via: string; readonly person: boolean };

export type World = {
  /** The journal's own name: a part of every ticket that leaves the house. */
  readonly epoch: string;
  /** By the id or the text of the task that is being changed. */
  readonly authors: Map<string, Author>;
  readonly known: Map<string, Known>;
  readonly runs: Map<string, Run>;
  readonly meta: Map<string, string>;
  /** Fingerprints of texts that were typed or edited lately, and when (1.4-R10). */
  readonly recent: Map<string, number>;
  /** What git and the archive tell of tasks that the journal may not know (2-R4, 4-R9). */
  readonly evidence: Evidence;
  /** Known ids by section: what a changed section has to be compared with. */
  readonly bySection: Map<string, Set<string>>;
  /** Known ids by section and text: how a line that lost its id is recognised. */
  readonly byText: Map<string, Set<string>>;
  /** What the last choice came to, for turns that cannot change it. */
  chosen?: { readonly wakeAt: number | undefined; readonly waitsForTime: boolean; readonly wishes: readonly Wish[] };
  list: ListState;
  /** Where git stood when the list was last believed. */
  gitPosition: string | undefined;
  mode: 'running' | 'draining';
  /** Sections that cannot be worked on for now, with the reason and when to look again. */
  readonly waits: Map<string, { readonly until: number; readonly message: string }>;
  /** Workspaces in which a person was found at work, and until when they are passed by: `section~slot`. */
  readonly busySlots: Map<string, number>;
  /** The files of sections' tips, as far as they were asked for; `undefined` while they are being listed. */
  readonly tips: Map<string, TipFiles | undefined>;
  agents: readonly AgentChoice[];
  /** The ids and names in the archive of the list (6.5-R1), with their states. */
  archived: ReadonlyMap<string, MarkerState>;
  /** Errands that this process is about, by section, and whether it has begun with any. */
  readonly errands: { readonly going: Map<string, ErrandKind>; begun: boolean };
};

export type History = {
  readonly id: string;
  readonly field: string;
  readonly old: string | null;
  readonly new: string | null;
  readonly by: string;
  readonly via: string;
};

export function emptyWorld(): World {
  return worldOf({ known: [], runs: [], meta: new Map() });
}

/** The world as the journal has it: what every start begins from. */
export function worldOf(
  stored: { readonly epoch?: string; readonly known: readonly Known[]; readonly runs: readonly Run[]; readonly meta: ReadonlyMap<string, string> },
  evidence: Evidence = NO_EVIDENCE,
): World {
  const world: World = {
    epoch: stored.epoch ?? '',
    authors: new Map(),
    known: new Map(stored.known.map((known) => [known.id, known])),
    runs: new Map(stored.runs.map((run) => [run.id, run])),
    meta: new Map(stored.meta),
    recent: new Map(),
    evidence,
    bySection: new Map(),
    byText: new Map(),
    list: { kind: 'unread' },
    gitPosition: stored.meta.get('git.position'),
    mode: 'running',
    waits: new Map(),
    busySlots: new Map(),
    tips: new Map(),
    agents: [],
    archived: new Map(),
    errands: { going: new Map(), begun: false },
  };
  for (const known of world.known.values()) indexKnown(world, known);
  return world;
}

/** One turn's writes; reads see them at once. */
export type Draft = {
  readonly world: World;
  readonly known: Map<string, Known>;
  readonly runs: Map<string, Run | null>;
  readonly meta: Map<string, string | null>;
  readonly history: History[];
};

export const draftOf = (world: World): Draft => ({ world, known: new Map(), runs: new Map(), meta: new Map(), history: [] });

export const knownIn = (draft: Draft, id: string): Known | undefined => draft.known.get(id) ?? draft.world.known.get(id);

/** The journal's row of a task whose line carries no id (2-R1): same section, text and occurrence. */
export function knownByText(draft: Draft, task: Task): Known | undefined {
  for (const id of draft.world.byText.get(textKey(task.section, task.text)) ?? []) {
    const known = knownIn(draft, id);
    if (known && !known.archived && known.section === task.section && known.text === task.text && known.occurrence === task.occurrence) return known;
  }
  return undefined;
}

/** The state of a task that the list does not have: from the journal, else from the archive (6.3-R4). */
export const stateElsewhere = ({ world, known }: Pick<Draft, 'world'> & Partial<Pick<Draft, 'known'>>, name: string): MarkerState | undefined =>
  (known?.get(name) ?? world.known.get(name))?.state ?? world.archived.get(name);

/** Whether an id belongs to a task already, wherever that is (2-R1). */
export const isTaken = (draft: Draft, id: string): boolean => knownIn(draft, id) !== undefined || draft.world.archived.has(id);

export function runIn(draft: Draft, id: string): Run | undefined {
  const changed = draft.runs.get(id);
  return changed === undefined ? draft.world.runs.get(id) : (changed ?? undefined);
}

export function metaIn(draft: Draft, key: string): string | undefined {
  const changed = draft.meta.get(key);
  return changed === undefined ? draft.world.meta.get(key) : (changed ?? undefined);
}

/** Every live run, with this turn's changes. */
export function* runsIn(draft: Draft): Generator<Run> {
  for (const [id, run] of draft.world.runs) if (!draft.runs.has(id)) yield run;
  for (const run of draft.runs.values()) if (run) yield run;
}

export function putRun(draft: Draft, run: Run): Run {
  draft.runs.set(run.id, run);
  return run;
}

export function dropRun(draft: Draft, id: string): void {
  if (draft.world.runs.has(id)) draft.runs.set(id, null);
  else draft.runs.delete(id);
}

/** Writes a known row, and its history where state, text or section changed. */
export function putKnown(draft: Draft, known: Known, by: string, via: string): Known {
  const before = knownIn(draft, known.id);
  for (const field of ['state', 'text', 'section'] as const) {
    if (before?.[field] !== known[field]) draft.history.push({ id: known.id, field, old: before?.[field] ?? null, new: known[field], by, via });
  }
  draft.known.set(known.id, known);
  return known;
}

/** The key of a task without an id among the authors. */
export const authorKey = (task: Pick<Task, 'section' | 'text' | 'occurrence'>): string => `${task.section}\n${task.occurrence}\n${task.text}`;

export const newKey = (title: string): string => `new ${title}`;

/** A row of a task's life that is no change of its own row. */
export function note(draft: Draft, row: History): void {
  draft.history.push(row);
}

/** A row that is to be found by section and text within the turn that makes it. */
export function putFound(draft: Draft, known: Known, by: string, via: string): void {
  putKnown(draft, known, by, via);
  indexKnown(draft.world, known);
}

/** Puts a turn's changes into the world; only after they are stored. */
export function apply(draft: Draft): void {
  const { world } = draft;
  for (const [id, known] of draft.known) {
    const before = world.known.get(id);
    if (before) forget(world, before);
    world.known.set(id, known);
    indexKnown(world, known);
  }
  for (const [id, run] of draft.runs) {
    if (run) world.runs.set(id, run);
    else world.runs.delete(id);
  }
  for (const [key, value] of draft.meta) {
    if (value === null) world.meta.delete(key);
    else world.meta.set(key, value);
  }
}

/** The key of a text in its section. */
export const textKey = (section: string, text: string): string => `${section}\n${text}`;

function indexKnown(world: World, known: Known): void {
  add(world.bySection, known.section, known.id);
  add(world.byText, textKey(known.section, known.text), known.id);
}

function forget(world: World, known: Known): void {
  world.bySection.get(known.section)?.delete(known.id);
  world.byText.get(textKey(known.section, known.text))?.delete(known.id);
}

function add(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  if (ids) ids.add(id);
  else index.set(key, new Set([id]));
}
