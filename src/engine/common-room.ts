/**
 * The room that the engines of several projects share in one process (6.5-R2): counts what each takes and waits for, and wakes those
 * for whom a place has become free. Which of them may take it is decided in their turns, by `runs/sharing.ts`.
 */
import type { Config } from '../config.ts';
import { ALL, type Common, takenOf, type Wish } from '../runs/sharing.ts';
import { allParked, type Parked } from '../runs/govern.ts';
import { occupies, type Room, roomOf, SECTION } from '../runs/room.ts';
import { draftOf } from '../runs/world.ts';
import type { Engine } from './engine.ts';
import type { Clock } from './ports.ts';

export type CommonRoom = {
  /** A place for one project. */
  join(): Seat;
  /** Everybody is there: until then nothing new starts, because what goes on elsewhere is not yet known. */
  open(): void;
  /** Caps have changed: those that wait look again. */
  wake(): void;
};

export type Seat = {
  /** What the others take, at this moment. */
  readonly common: () => Common;
  /** From now on what this engine runs is counted, until the returned function is called. */
  sit(engine: Engine, about: About): () => void;
  /** Nothing new starts any more, for this reason; undefined takes it back. */
  leave(why: Common['closed']): void;
  /** Aborted when what ran has ended after `leave`. */
  readonly left: AbortSignal;
  /** Not to be waited for, and not counted any more. */
  end(): void;
  /** Settles when nothing runs in any project, and nothing can start. */
  readonly allIdle: Promise<void>;
};

/** Whose the engine's runs are, and by what config. */
type About = { readonly config: () => Config; readonly instance: string };

type Member = {
  engine: Engine | undefined;
  room: Room;
  parked: readonly Parked[];
  /** Ids of the runs that take a place. */
  runs: ReadonlySet<string>;
  /** What it waits for, and its number in the line, by key. */
  wishes: ReadonlyMap<string, Wish & { readonly number: number }>;
  closed: Common['closed'];
  readonly left: AbortController;
};

const STARTING: Common['closed'] = { message: 'the other projects are being opened', remedy: 'nothing to do: it starts when they are' };

export function commonRoom(options: { readonly caps: () => Pick<Config, 'maxAgents' | 'caps'>; readonly clock: Clock }): CommonRoom {
  const members = new Set<Member>();
  const idle = Promise.withResolvers<void>();
  let isOpen = false;
  let numbers = 0;
  let waking = false;

  const commonOf = (member: Member): Common => {
    const { maxAgents, caps } = options.caps();
    const taken: Record<string, number> = {};
    const line: Common['line'][number][] = [];
    const parked: Parked[] = [];
    for (const other of members) {
      if (other === member) continue;
      taken[ALL] = (taken[ALL] ?? 0) + other.room.total;
      for (const [key, count] of other.room.taken) if (!key.startsWith(SECTION)) taken[key] = (taken[key] ?? 0) + count;
      for (const { key, priority, number } of other.wishes.values())
        line.push({ key, priority, first: number < (member.wishes.get(key)?.number ?? Number.POSITIVE_INFINITY) });
      parked.push(...other.parked);
    }
    return { maxAgents, caps, taken, line, parked, closed: member.closed ?? (isOpen ? undefined : STARTING) };
  };

  /** After a turn of its engine: what it takes and waits for now. */
  const look = (member: Member, engine: Engine, about: About): void => {
    const { world } = engine.now();
    const draft = draftOf(world);
    const room = roomOf({ draft, config: about.config(), instance: about.instance });
    const runs = new Set([...world.runs.values()].filter(occupies).map(({ id }) => id));
    const began = [...runs].some((id) => !member.runs.has(id));
    const wishes = new Map<string, Wish & { number: number }>();
    for (const wish of world.chosen?.wishes ?? []) {
      const known = member.wishes.get(wish.key);
      // Who got a place goes to the end of the line.
      wishes.set(wish.key, { ...wish, number: known && !began ? known.number : ++numbers });
    }
    const isChanged = began || !sameCounts(member.room, room) || !sameWishes(member.wishes, wishes);
    member.room = room;
    member.parked = allParked(draft, options.clock.now());
    member.runs = runs;
    member.wishes = wishes;
    if (isChanged) wakeSoon();
    settle();
  };

  /** Not within a turn of another engine. */
  const wakeSoon = (): void => {
    if (waking) return;
    waking = true;
    options.clock.after(0, () => {
      waking = false;
      for (const member of members) if (mayGain(member)) member.engine?.wake();
      settle();
    });
  };

  const mayGain = (member: Member): boolean => {
    if (member.wishes.size === 0) return false;
    const common = commonOf(member);
    return [...member.wishes.values()].some(({ key, priority }) => key !== ALL || takenOf(common, ALL, priority, member.room.total) < common.maxAgents);
  };

  const wakeAll = (): void => {
    for (const member of members) member.engine?.wake();
  };

  const settle = (): void => {
    for (const member of members) if (member.closed && (!member.engine || member.engine.isIdle())) member.left.abort();
    if (isOpen && !waking && [...members].every(({ engine }) => engine?.isIdle())) idle.resolve();
  };

  return {
    join() {
      const member: Member = {
        engine: undefined,
        room: EMPTY,
        parked: [],
        runs: new Set(),
        wishes: new Map(),
        closed: undefined,
        left: new AbortController(),
      };
      members.add(member);
      const standUp = (): void => {
        Object.assign(member, { engine: undefined, room: EMPTY, parked: [], runs: new Set(), wishes: new Map() });
        wakeSoon();
      };
      return {
        common: () => commonOf(member),
        sit(engine, about) {
          member.engine = engine;
          look(member, engine, about);
          const stopListening = engine.onTurn(() => look(member, engine, about));
          return () => {
            stopListening();
            standUp();
          };
        },
        leave(why) {
          member.closed = why;
          member.engine?.wake();
          settle();
        },
        left: member.left.signal,
        end() {
          members.delete(member);
          wakeSoon();
        },
        allIdle: idle.promise,
      };
    },
    open() {
      isOpen = true;
      wakeAll();
      settle();
    },
    wake: wakeAll,
  };
}

const EMPTY: Room = { taken: new Map(), total: 0 };

const sameCounts = (one: Room, other: Room): boolean =>
  one.total === other.total && one.taken.size === other.taken.size && [...one.taken].every(([key, count]) => other.taken.get(key) === count);

const sameWishes = (one: Member['wishes'], other: Member['wishes']): boolean =>
  one.size === other.size && [...one].every(([key, { priority, number }]) => other.get(key)?.priority === priority && other.get(key)?.number === number);
