/**
 * What becomes of a displaced version of the list (1.4-R3): as long as anybody can still write to it, it is watched; a
 * save that it holds, made just before the exchange or late, goes into the list with ours made again on it; then it is
 * archived and its intent ends. The same steps finish what a crash interrupted. Works only with the lock held;
 * never lets go of a person's bytes before they are in the list or in the archive.
 */
import { dirname } from 'node:path';
import type { Clock, Log } from '../engine/ports.ts';
import type { Edited } from '../tasks/task.ts';
import { lookAtDisplaced, locate } from './displaced.ts';
import type { Displaced, DisplacedLook } from './displaced.ts';
import type { Disk } from './disk.ts';
import type { Archive, VersionKind } from './list-archive.ts';
import { STORED_BYTES_MAX } from './list-intents.ts';
import type { IntentStore, StoredIntent } from './list-intents.ts';
import { decode, encode, hashOf } from './list-look.ts';
import type { Content, Looker } from './list-look.ts';
import { isCutOff, isMergedIn, mergeSave } from './list-merge.ts';
import type { Apply } from './list-merge.ts';
import type { Swapper } from './list-swap.ts';

export type SettleOptions = {
  /** A save that has stood still for so long is taken although its editor still has it open. */
  readonly settleMs: number;
  readonly disk: Disk;
  readonly looker: Looker;
  readonly swapper: Swapper;
  readonly intents: IntentStore;
  readonly archive: Archive;
  readonly apply: Apply;
  readonly clock: Clock;
  readonly log: Log;
};

export type Settled =
  /** Nothing was in it but what had been read; it is looked at once more later. */
  | { readonly kind: 'clean' }
  /**
   * A save was in it and is in the list now, or in the archive. `next` = the intent of the write that this took;
   * `results` where ours was made again on just that save.
   */
  | { readonly kind: 'merged'; readonly next?: number; readonly results?: readonly Edited[] }
  /** A save is in it that its editor has not finished, or that the list cannot take now. */
  | { readonly kind: 'unfinished' }
  /** The exchange never was, or the intent has ended. */
  | { readonly kind: 'over' };

export type Settler = {
  /** Takes charge of an intent that has just been carried out on `base`. */
  mind(intent: StoredIntent, base: Content): void;
  settle(id: number): Promise<Settled>;
  /** Settles what is due, also what dead processes left; `all` = due or not. */
  settleAll(all: boolean): Promise<void>;
  /** Ms until something is due; undefined where nothing is open. */
  dueMs(): number | undefined;
  /** Paths that open intents need. */
  inUse(): ReadonlySet<string>;
};

/** Right after the exchange somebody may be in the midst of opening the displaced file: the last look comes so much later. */
const LAST_LOOK_MS = 2000;
/** With more open intents than this the oldest get their last look early. */
const OPEN_MAX = 16;
/** Large texts held in memory for late saves. */
const HELD_MAX = 4;
/** Waits between looks at a file that somebody writes to. */
const LOOKS_MS: readonly number[] = [20, 20, 50, 100, 200, 500, 1000];
/** Between looks at a file that somebody holds open without writing. */
const HELD_MS = 1000;
/** Tries to merge into a list that is saved again and again. */
const TRIES_MAX = 50;

export function settler(options: SettleOptions): Settler {
  const { disk, looker, swapper, intents, archive, clock, log, settleMs } = options;
  const open = new Map<number, Displaced>();

  const end = (mine: Displaced): void => {
    open.delete(mine.intent.id);
    intents.end([mine.intent.id]);
  };

  const put = async (mine: Displaced, kind: VersionKind): Promise<void> => {
    if (mine.place === archive.pathOf(mine.intent.keep, kind)) return;
    mine.place = await archive.put(mine.place, mine.intent.keep, kind);
    mine.archived = true;
  };

  const later = (mine: Displaced, ms: number): void => {
    mine.dueAt = clock.ticks() + ms;
  };

  /** Takes charge of an intent that another process began; undefined where its exchange never was. */
  const adopt = async (id: number): Promise<Displaced | undefined> => {
    const intent = intents.get(id);
    if (!intent) return undefined;
    const place = await locate(disk, archive, intent);
    if (!place) {
      intents.end([id]);
      return undefined;
    }
    const mine: Displaced = { intent: slim(intent), ...place, since: clock.ticks(), dueAt: 0, looks: 0 };
    open.set(id, mine);
    return mine;
  };

  const settle = async (id: number): Promise<Settled> => {
    const mine = open.get(id) ?? (await adopt(id));
    if (!mine) return { kind: 'over' };
    const look = (await lookAtDisplaced(disk, mine, clock.ticks(), settleMs)) ?? (await lookElsewhere(mine));
    if (!look) {
      end(mine);
      return { kind: 'over' };
    }
    if (look.changed && look.quiet) return merge(mine, look);
    if (!look.quiet) later(mine, LOOKS_MS[Math.min(mine.looks++, LOOKS_MS.length - 1)] ?? LAST_LOOK_MS);
    return look.changed ? { kind: 'unfinished' } : rest(mine, look);
  };

  /** Another process may have archived it. */
  const lookElsewhere = async (mine: Displaced): Promise<DisplacedLook | undefined> => {
    const place = await locate(disk, archive, mine.intent);
    if (!place) return undefined;
    Object.assign(mine, place);
    return lookAtDisplaced(disk, mine, clock.ticks(), settleMs);
  };

  /** It holds what was read. Into the archive, where a late writer is seen as well as here; and in the end the intent goes. */
  const rest = async (mine: Displaced, { quiet, held }: DisplacedLook): Promise<Settled> => {
    if (!mine.archived && ((quiet && !held) || (await onOneDevice(mine)))) {
      await standing(mine);
      await put(mine, 'before');
    }
    if (!quiet) return { kind: 'clean' };
    const ageMs = clock.ticks() - mine.since;
    if (open.size > OPEN_MAX || (ageMs >= LAST_LOOK_MS && !held)) end(mine);
    else if (held) later(mine, HELD_MS);
    else later(mine, LAST_LOOK_MS - ageMs);
    return { kind: 'clean' };
  };

  const onOneDevice = async (mine: Displaced): Promise<boolean> => {
    const [from, to] = [await disk.facts(mine.place), await disk.facts(await archive.folder())];
    return from.inode.split(':')[0] === to.inode.split(':')[0];
  };

  const merge = async (mine: Displaced, look: DisplacedLook): Promise<Settled> => {
    const save = decode(look.bytes);
    if (!save) return cannot(mine, look, 'it is not UTF-8 text');
    const merger = intents.mergerOf(mine.intent.id);
    if (merger !== undefined && isMergedIn(intents.get(merger), intents.get(mine.intent.id)?.base, save.text)) return saved(mine);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const looked = await looker.look();
      if (looked.kind !== 'content') return withoutList(mine, looked.kind);
      const list = looked.content;
      mine.listAwaySince = undefined;
      const row = intents.get(mine.intent.id);
      const wrote = { ...mine.intent, base: row?.base ?? mine.base, planned: row?.planned ?? mine.planned };
      if (isCutOff(wrote, save)) return cannot(mine, look, 'most of its lines are missing, as of a save that was cut off');
      const result = mergeSave(wrote, save, list, options.apply);
      if (!result) return keep(mine, 'the text that it was based on is not known any more');
      const more = look.held ? { bytes: look.bytes, planned: encode(result.text, result.bom) } : undefined;
      if (result.text === list.text && result.bom === list.bom)
        return result.conflicts > 0 ? keep(mine, CONFLICT, { more }) : saved(mine, { results: result.results, more });
      const done = await swapper.swap({ base: list, text: result.text, bom: result.bom, edits: [], merges: mine.intent.id });
      if (done.kind === 'stale') continue;
      mind(done.intent, list);
      const next = done.intent.id;
      return result.conflicts > 0 ? keep(mine, CONFLICT, { next, more }) : saved(mine, { next, results: result.results, more });
    }
    return { kind: 'unfinished' };
  };

  /** Before a save's intent ends the exchange that took it in is on the platter: else a power cut undoes just that one. */
  const standing = (mine: Displaced): Promise<void> => disk.syncFolder(dirname(mine.intent.list));

  const saved = async (mine: Displaced, { next, results, more }: Taken = {}): Promise<Settled> => {
    await standing(mine);
    await put(mine, 'saved');
    log.write('info', 'the list was saved in the very moment that it was written: both are in it', { version: mine.place });
    if (more) watchOn(mine, more);
    end(mine);
    return { kind: 'merged', next, results };
  };

  /** What can be made of it only when its writer is done is waited for as long as there is one. */
  const cannot = async (mine: Displaced, { held }: DisplacedLook, why: string): Promise<Settled> => {
    if (!held) return keep(mine, why);
    later(mine, HELD_MS);
    return { kind: 'unfinished' };
  };

  const keep = async (mine: Displaced, why: string, { next, more }: Taken = {}): Promise<Settled> => {
    await standing(mine);
    await put(mine, 'kept');
    log.write('warn', `a save of the list could not be merged wholly: ${why}; it is kept as a version`, {
      version: mine.place,
      remedy: 'compare it with the list, and take over what is missing',
    });
    if (more) watchOn(mine, more);
    end(mine);
    return { kind: 'merged', next };
  };

  /** Whoever still has it open may write to it once more: it is watched on, from what was taken from it just now. */
  const watchOn = (mine: Displaced, { bytes, planned }: NonNullable<Taken['more']>): void => {
    const hashes = { baseHash: hashOf(bytes), plannedHash: hashOf(planned) };
    const intent = intents.begin({ ...mine.intent, ...hashes, displaced: mine.place, edits: [], base: bytes, planned, merges: undefined, at: clock.now() });
    const now = clock.ticks();
    open.set(intent.id, {
      intent: slim(intent),
      base: bytes,
      planned,
      place: mine.place,
      archived: true,
      since: now,
      dueAt: now + HELD_MS,
      looks: LOOKS_MS.length,
    });
  };

  /** The list is away or cannot be used: for a moment, or for good. */
  const withoutList = async (mine: Displaced, kind: 'missing' | 'refused'): Promise<Settled> => {
    mine.listAwaySince ??= clock.ticks();
    if (clock.ticks() - mine.listAwaySince >= settleMs) return keep(mine, kind === 'missing' ? 'the list is gone' : 'the list cannot be used');
    later(mine, LOOKS_MS[Math.min(mine.looks++, LOOKS_MS.length - 1)] ?? LAST_LOOK_MS);
    return { kind: 'unfinished' };
  };

  const mind = (intent: StoredIntent, base: Content): void => {
    open.set(intent.id, {
      intent: slim(intent),
      base: base.bytes,
      planned: intent.planned,
      place: intent.displaced,
      archived: false,
      since: clock.ticks(),
      dueAt: 0,
      looks: 0,
    });
    // The row has small texts; of large ones the newest are held.
    const holding = [...open.values()].filter((mine) => mine.intent.id !== intent.id && mine.base);
    for (const mine of holding) if (mine.base && mine.base.length <= STORED_BYTES_MAX) release(mine);
    for (const mine of holding.slice(0, Math.max(0, holding.length - HELD_MAX))) release(mine);
  };

  const settleWith = async (id: number): Promise<void> => {
    let next: number | undefined = id;
    for (let rounds = 0; next !== undefined && rounds < TRIES_MAX; rounds++) {
      const settled: Settled = await settle(next);
      next = settled.kind === 'merged' ? settled.next : undefined;
    }
  };

  return {
    mind,
    settle,
    async settleAll(all) {
      const ids = intents.ids();
      for (const id of open.keys()) if (!ids.includes(id)) open.delete(id);
      // First what never came to be, so that the rest knows which saves are in the list already.
      for (const id of ids) if (!open.has(id)) await adopt(id);
      for (const mine of Array.from(open.values())) {
        const surplus = open.size > OPEN_MAX && open.keys().next().value === mine.intent.id;
        if (all || surplus || mine.dueAt <= clock.ticks()) await settleWith(mine.intent.id);
      }
    },
    dueMs() {
      if (open.size === 0) return undefined;
      return Math.max(0, Math.min(...[...open.values()].map((mine) => mine.dueAt)) - clock.ticks());
    },
    inUse: () => new Set([...open.values()].flatMap((mine) => [mine.place, mine.intent.temp, mine.intent.displaced])),
  };
}

/** How a save came into the list; `more` = its writer can still write: what was in the file, and the list with it. */
type Taken = {
  readonly next?: number;
  readonly results?: readonly Edited[];
  readonly more?: { readonly bytes: Buffer; readonly planned: Buffer };
};

const CONFLICT = 'the same lines have been changed since';

function slim(intent: StoredIntent): StoredIntent {
  return { ...intent, base: undefined, planned: undefined };
}

function release(mine: Displaced): void {
  mine.base = undefined;
  mine.planned = undefined;
}
