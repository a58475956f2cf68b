/**
 * The nouns of an errand: work on a section's branch as a whole (4-R10), beside the runs of its tasks. Each is a row of the
 * journal, stored before anything is done, so that a crash is a stop without manners. Never holds what could not be stored.
 */
import type { Draft } from './world.ts';

/** `sync` = the base into the section's branch, `land` = the branch into the base, `pr` = `push` and one pull request. */
export const ERRAND_KINDS = ['sync', 'push', 'pr', 'land'] as const;
export type ErrandKind = (typeof ERRAND_KINDS)[number];

/** The last errand of its kind for a section; stays when it is over, as what became of it. Times in ms since 1970. */
export type Errand = {
  readonly section: string;
  readonly kind: ErrandKind;
  /** Grows with each errand of this kind and with each try: nothing late answers for it. */
  readonly ticket: number;
  /** A person, or the key of the config that asked for it. */
  readonly by: string;
  /** `due` until it is over; `stopped` = it came to nothing and is not tried again by itself. */
  readonly state: 'due' | 'done' | 'stopped';
  readonly tries: number;
  readonly at: number;
  /** While it is due: not before then. */
  readonly waitUntil?: number;
  /** How the last try ended, and what a person can do about it. */
  readonly message?: string;
  readonly remedy?: string;
  /** The pull request. */
  readonly url?: string;
};

/** How a try of an errand came to its end. */
export type ErrandEnd =
  | { readonly kind: 'done'; readonly message: string; readonly url?: string }
  /**
   * Tried again: `busy` = something here is in the way, `network` = something there did not answer, `person` = somebody has
   * to do something first, outside ToDone.
   */
  | { readonly kind: 'later'; readonly why: 'busy' | 'network' | 'person'; readonly message: string; readonly remedy: string; readonly retryAt?: number }
  | { readonly kind: 'stopped'; readonly message: string; readonly remedy: string };

/** Why one is not done. */
export type ErrandTrouble = Exclude<ErrandEnd, { kind: 'done' }>;

/** What an errand is done with: facts of the list at that moment. */
export type ErrandOrder = {
  readonly section: string;
  readonly kind: ErrandKind;
  readonly ticket: number;
  /** The check of a merged commit: the section's, else the config's. */
  readonly verify?: string;
  /** Of the pull request. */
  readonly title: string;
  readonly tasks: readonly DoneTask[];
};

/** A done task, for the body of a pull request. */
export type DoneTask = { readonly id: string; readonly title: string; readonly hash: string; readonly summary?: string };

const ERRAND = 'errand:';
const SECTION = 'section:';

const keyOf = (kind: ErrandKind, section: string): string => `${ERRAND}${kind}:${section}`;

export function errandIn(draft: Draft, kind: ErrandKind, section: string): Errand | undefined {
  const body = metaIn(draft, keyOf(kind, section));
  return body === undefined ? undefined : readErrand(body);
}

export function putErrand(draft: Draft, errand: Errand): Errand {
  draft.meta.set(keyOf(errand.kind, errand.section), JSON.stringify(errand));
  return errand;
}

/** Every errand that there was, with this turn's changes; of one section, in the order in which they are done. */
export function errandsIn(draft: Draft, section?: string): Errand[] {
  const found: Errand[] = [];
  if (section !== undefined) return ERRAND_KINDS.flatMap((kind) => errandIn(draft, kind, section) ?? []);
  for (const [, body] of metaEntries(draft, ERRAND)) found.push(...[readErrand(body)].filter((errand) => errand !== undefined));
  return found.sort((a, b) => ERRAND_KINDS.indexOf(a.kind) - ERRAND_KINDS.indexOf(b.kind));
}

/** A section in which ToDone has worked: since when something in it was open (ms since 1970), or that it was finished. */
export type SectionMark = { readonly section: string; readonly openSince: number | undefined };

export function* sectionMarks(draft: Draft): Generator<SectionMark> {
  for (const [key, value] of metaEntries(draft, SECTION))
    yield { section: key.slice(SECTION.length), openSince: value.startsWith(OPEN) ? Number(value.slice(OPEN.length)) : undefined };
}

/** A task of the section was begun: when all are done, that is news again. */
export function markOpen(draft: Draft, section: string, now: number): void {
  if (!metaIn(draft, SECTION + section)?.startsWith(OPEN)) draft.meta.set(SECTION + section, `${OPEN}${now}`);
}

export const markDone = (draft: Draft, section: string): void => void draft.meta.set(SECTION + section, 'done');

const OPEN = 'open ';

function metaIn(draft: Draft, key: string): string | undefined {
  const changed = draft.meta.get(key);
  return changed === undefined ? draft.world.meta.get(key) : (changed ?? undefined);
}

function* metaEntries(draft: Draft, prefix: string): Generator<readonly [string, string]> {
  for (const [key, value] of draft.world.meta) if (key.startsWith(prefix) && !draft.meta.has(key)) yield [key, value];
  for (const [key, value] of draft.meta) if (value !== null && key.startsWith(prefix)) yield [key, value];
}

const read = new Map<string, Errand | undefined>();
const READ_MAX = 1000;

/** The same words are the same errand: rows are looked at in every turn. */
function readErrand(body: string): Errand | undefined {
  if (read.has(body)) return read.get(body);
  if (read.size >= READ_MAX) read.clear();
  const errand = parsed(body);
  read.set(body, errand);
  return errand;
}

/** A row that cannot be read is no errand: a person asks again. */
function parsed(body: string): Errand | undefined {
  try {
    const row = JSON.parse(body) as Partial<Errand>;
    const whole = ERRAND_KINDS.includes(row.kind as ErrandKind) && typeof row.section === 'string' && typeof row.ticket === 'number';
    return whole ? (row as Errand) : undefined;
  } catch {
    return undefined;
  }
}
