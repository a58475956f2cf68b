/**
 * Decides about errands, once in each turn: whether a section is finished, what follows from that and from landings, which
 * errand takes its turn now, and when one that came to nothing is tried again (4-R10). Performs nothing.
 */
import type { Config } from '../config.ts';
import type { Section } from '../tasks/task.ts';
import { idOf, type Scene } from './choose.ts';
import { type Errand, type ErrandEnd, errandIn, type ErrandKind, type ErrandOrder, errandsIn, markDone, markOpen, putErrand, sectionMarks } from './errand.ts';
import type { Answer } from './ask.ts';
import { type Draft, knownIn, runsIn } from './world.ts';

export type ErrandsTurned = {
  /** To be performed now. */
  readonly orders: readonly ErrandOrder[];
  readonly wakeAt: number | undefined;
  /** Something goes on, or will soon. */
  readonly busy: boolean;
};

/** `asked`: what a person asked for in this turn is done even while no other is begun. */
export type ErrandsLook = { readonly draft: Draft; readonly scene: Scene | undefined; readonly config: Config; readonly now: number; readonly asked?: Errand };

/** A try that has to wait at most this long keeps `--once` from ending. */
const SOON_MS = 60_000;
const DAY_MS = 86_400_000;
const BUSY_MS = 5000;
const PERSON_MS = 900_000;

export function turnErrands(look: ErrandsLook): ErrandsTurned {
  const { draft, scene, now } = look;
  const { errands } = draft.world;
  for (const run of runsIn(draft)) markOpen(draft, run.section, now);
  if (scene && draft.world.list.kind === 'fine') for (const mark of sectionMarks(draft)) lookAtSection(look, scene, mark.section, mark.openSince);
  let wakeAt: number | undefined;
  let busy = errands.going.size > 0;
  const orders: ErrandOrder[] = [];
  for (const errand of errandsIn(draft)) {
    if (errand.state !== 'due') continue;
    const ready = whenReady(look, errand);
    if (ready <= now && scene) {
      errands.going.set(errand.section, errand.kind);
      orders.push(orderFor(scene, errand));
      busy = true;
    } else if (Number.isFinite(ready)) {
      wakeAt = Math.min(wakeAt ?? ready, Math.max(ready, now + 1));
      if (ready <= now + SOON_MS && draft.world.mode === 'running') busy = true;
    }
  }
  if (scene) errands.begun = true;
  return { orders, wakeAt: earlier(wakeAt, nextDaily(look)), busy };
}

/** When an errand may begin; Infinity = not before something else happens. */
function whenReady({ draft, now, asked }: ErrandsLook, errand: Errand): number {
  const { errands, mode } = draft.world;
  const isAsked = asked?.kind === errand.kind && asked.section === errand.section;
  if (mode !== 'running' && !isAsked) return Number.POSITIVE_INFINITY;
  // One at a time on a branch, and one at a time on the base.
  if (errands.going.has(errand.section)) return Number.POSITIVE_INFINITY;
  if (errand.kind === 'land' && [...errands.going.values()].includes('land')) return Number.POSITIVE_INFINITY;
  // What has failed may have been put right while nobody was here to try.
  return errands.begun ? (errand.waitUntil ?? now) : now;
}

// ── what asks for an errand ──────────────────────────────────────────────────────────────────────

/** A person's request: the errand is due now, whatever became of it before. */
export function askErrand(draft: Draft, scene: Scene | undefined, kind: ErrandKind, section: string, by: string): Answer & { readonly errand?: Errand } {
  if (!scene) return { kind: 'refused', message: 'the list has not been read', remedy: 'see todone doctor' };
  if (!scene.board.sections.some((each) => each.name === section))
    return { kind: 'unknown', message: `no section is called ${section}`, remedy: 'todone status shows every section' };
  const errand = putDue(draft, kind, section, by, scene.now);
  return { kind: 'ok', message: `${kind} of ${section} is under way`, errand };
}

/** After a task has landed. */
export function afterLanding(draft: Draft, config: Config, section: string, now: number): void {
  if (config.syncBase === 'onLand') putDue(draft, 'sync', section, 'syncBase', now);
}

/** One that goes on already is not begun twice; it is not told apart from the new one. */
function putDue(draft: Draft, kind: ErrandKind, section: string, by: string, now: number): Errand {
  const before = errandIn(draft, kind, section);
  if (before?.state === 'due' && draft.world.errands.going.get(section) === kind) return before;
  return putErrand(draft, { section, kind, ticket: (before?.ticket ?? 0) + 1, by, state: 'due', tries: 0, at: now, url: before?.url });
}

const FOLLOWS: Readonly<Record<Exclude<Config['onSectionDone'], 'none'>, ErrandKind>> = { push: 'push', pr: 'pr', merge: 'land' };

function lookAtSection({ draft, config, now }: ErrandsLook, scene: Scene, name: string, openSince: number | undefined): void {
  if (openSince === undefined) return;
  if (isFinished(draft, scene, name)) {
    markDone(draft, name);
    draft.history.push({ id: `section:${name}`, field: SECTION_DONE, old: null, new: 'done', by: scene.instance, via: 'engine' });
    if (config.onSectionDone !== 'none') putDue(draft, FOLLOWS[config.onSectionDone], name, 'onSectionDone', now);
  } else if (config.syncBase === 'daily' && now >= lastSync(draft, name, openSince) + DAY_MS) putDue(draft, 'sync', name, 'syncBase', now);
}

/** The history row of a finished section has this field. */
export const SECTION_DONE = 'section done';

const lastSync = (draft: Draft, section: string, openSince: number): number => Math.max(openSince, errandIn(draft, 'sync', section)?.at ?? 0);

function nextDaily({ draft, config, now }: ErrandsLook): number | undefined {
  if (config.syncBase !== 'daily' || draft.world.mode !== 'running') return undefined;
  let next: number | undefined;
  for (const { section, openSince } of sectionMarks(draft))
    if (openSince !== undefined) next = earlier(next, Math.max(now + 1, lastSync(draft, section, openSince) + DAY_MS));
  return next;
}

const finished = new WeakMap<Section, boolean>();

/** Every task of it is done or cancelled on the list, and nothing waits to be written there. */
function isFinished(draft: Draft, scene: Scene, name: string): boolean {
  const parts = scene.board.sections.filter((section) => section.name === name && section.tasks.length > 0);
  if (parts.length === 0 || !parts.every(allClosed)) return false;
  for (const run of runsIn(draft)) if (run.section === name) return false;
  return true;
}

function allClosed(section: Section): boolean {
  const known = finished.get(section);
  if (known !== undefined) return known;
  const closed = section.tasks.every((task) => task.marker.state === 'done' || task.marker.state === 'cancelled');
  finished.set(section, closed);
  return closed;
}

// ── how it goes on ───────────────────────────────────────────────────────────────────────────────

export type ErrandEnded = { readonly section: string; readonly errand: ErrandKind; readonly ticket: number; readonly end: ErrandEnd };

export function errandEnded(draft: Draft, ended: ErrandEnded, config: Config, now: number, random: () => number): void {
  const { going } = draft.world.errands;
  const errand = errandIn(draft, ended.errand, ended.section);
  if (going.get(ended.section) === ended.errand) going.delete(ended.section);
  if (!errand || errand.ticket !== ended.ticket || errand.state !== 'due') return;
  const { end } = ended;
  const after = { ...errand, at: now, message: end.message, remedy: undefined, waitUntil: undefined };
  switch (end.kind) {
    case 'done':
      return void putErrand(draft, { ...after, state: 'done', tries: 0, url: end.url ?? errand.url });
    case 'stopped':
      return void putErrand(draft, { ...after, state: 'stopped', remedy: end.remedy });
    case 'later': {
      const waitUntil = Math.max(now + 1, end.retryAt ?? now + waitMs(end.why, errand.tries, config, random));
      return void putErrand(draft, { ...after, remedy: end.remedy, tries: errand.tries + 1, ticket: errand.ticket + 1, waitUntil });
    }
  }
}

/** Doubled each time, with jitter; what waits for a person is looked at now and then. */
function waitMs(why: 'busy' | 'network' | 'person', tries: number, config: Config, random: () => number): number {
  if (why === 'person') return PERSON_MS;
  const first = why === 'busy' ? BUSY_MS : Math.max(config.backoff.first, 1);
  const whole = Math.min(Math.max(config.backoff.max, first), first * 2 ** Math.min(tries, 20));
  return Math.round(whole / 2 + (whole / 2) * random());
}

/** What an errand is done with, from the list as it is. */
export function orderFor(scene: Scene, errand: Pick<Errand, 'section' | 'kind' | 'ticket'>): ErrandOrder {
  const parts = scene.board.sections.filter((section) => section.name === errand.section);
  const { section, kind, ticket } = errand;
  const initiative = parts[0]?.initiative;
  const tag = parts[0]?.tags.find((each) => each.key === 'verify')?.value;
  const tasks = parts.flatMap((part) => part.tasks).filter((task) => task.marker.state === 'done');
  return {
    section,
    kind,
    ticket,
    verify: tag || scene.config.verify,
    title: initiative === undefined ? section : `${initiative}: ${section}`,
    tasks: tasks.map((task) => {
      const id = idOf(scene, task);
      const known = id === undefined ? undefined : knownIn(scene.draft, id);
      return { id: id ?? '', title: task.title, hash: task.marker.hash ?? known?.hash ?? '-', summary: known?.summary };
    }),
  };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
