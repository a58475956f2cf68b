/**
 * `todone start`: one owner per list, the others stand by and take over at its death (2-R3). Watches as a hint, polls as the
 * truth, drains on the first signal and stops on the second (7-R5). Decides nothing about tasks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Log, StaleOwner } from '../engine/ports.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../engine/engine.ts';
import type { Seat } from '../engine/common-room.ts';
import type { Scene } from '../runs/choose.ts';
import { draftOf } from '../runs/world.ts';
import { SHARED_STALE_MS } from '../adapters/abandoned-locks.ts';
import { watchConfig, describeConfigProblem } from '../adapters/config-file.ts';
import { ownerInfo, type Ownership, takeOwnership } from '../adapters/owner.ts';
import { callSocket } from '../adapters/socket-call.ts';
import { socketPath } from '../adapters/socket-path.ts';
import { serveSocket } from '../adapters/socket.ts';
import { openDesk } from '../adapters/agents/desk.ts';
import { auditOnSchedule } from './audit-schedule.ts';
import { answerAgent } from './agent-requests.ts';
import type { StartEnd } from '../surfaces/cli/app.ts';
import { handleRequest, type IdleAnswer, troubleOf } from './handle-request.ts';
import { makeStateDir, mustBeThere, type Place } from './place.ts';
import { publishChanges } from './publish.ts';
import { carryOut, ownerRequest } from './owner-requests.ts';
import { openWork, type Work } from './work.ts';

export type DaemonOptions = {
  readonly place: Place;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly once: boolean;
  /** With `once`: also wait for limits and dates. */
  readonly wait: boolean;
  /** First abort: drain. */
  readonly drain: AbortSignal;
  /** Second: stop at once. */
  readonly stop: AbortSignal;
  /** Where this is one of several projects in the process. */
  readonly among?: Among;
};

export type Among = {
  readonly seat: Seat;
  /** Opens one after another: a hundred at once would be in each other's way. */
  readonly inTurn: <T>(open: () => Promise<T>) => Promise<T>;
  /** How long to wait between two looks at the list, of what its config says: all lists together are looked at so many times a second. */
  readonly interval: (ms: number) => number;
  /** It stands by, and is looked at again by and by. */
  readonly onStandby: () => void;
  /** What it runs is counted. */
  readonly onSeated: () => void;
};

const STANDBY_MS = 50;
/** A hundred lists of another process are not worth a look every moment. */
const STANDBY_AMONG_MS = 1000;
/** The first audits of many lists are spread over this time. */
const AUDITS_MS = 6 * 3_600_000;
/** For room on the disk, with `--once`. */
const ONCE_PATIENCE_MS = 10_000;
const STANDBY_ASK_MS = 1000;
const GOING_MS = 500;

/** Works on the list until it is told to end, or with `once` until nothing is left to do. */
export async function runDaemon(options: DaemonOptions): Promise<StartEnd> {
  for (;;) {
    try {
      mustBeThere(options.place);
      makeStateDir(options.place);
      const owned = await becomeOwner(options);
      if (owned.kind === 'ended') return owned.end;
      try {
        return await work(options, owned.ownership);
      } finally {
        owned.ownership.release();
      }
    } catch (error) {
      mustBeThere(options.place);
      if (!(error instanceof StaleOwner)) {
        await stillThere(options.place);
        throw error;
      }
      options.log.write('warn', 'the files that say who owns this list were taken away: what ran is stopped, and it begins again from the list and git');
    }
  }
}

/** Whatever else fails while the repository is being deleted, fails for that; which takes a moment, file by file. */
async function stillThere(place: Place): Promise<void> {
  for (const until = performance.now() + GOING_MS; performance.now() < until; await sleep(STANDBY_MS)) mustBeThere(place);
}

type Standing = { readonly kind: 'owner'; readonly ownership: Ownership } | { readonly kind: 'ended'; readonly end: StartEnd };

async function becomeOwner(options: DaemonOptions): Promise<Standing> {
  const { stateDir } = options.place;
  let said = false;
  let askAt = 0;
  while (!options.drain.aborted) {
    mustBeThere(options.place);
    const ownership = takeOwnership(stateDir);
    if (ownership) return { kind: 'owner', ownership };
    if (!said) {
      const owner = ownerInfo(stateDir);
      options.log.write('info', `another ToDone works on this list${owner ? ` (process ${owner.pid})` : ''}: standing by, to take over when it ends`);
      said = true;
      options.among?.onStandby();
    }
    // A standing-by `--once` has nothing to wait for once the owner has nothing left to do.
    if (options.once && options.clock.ticks() >= askAt) {
      askAt = options.clock.ticks() + STANDBY_ASK_MS;
      const idle = await ownerIsIdle(stateDir, options.drain);
      if (idle) return { kind: 'ended', end: { failed: idle.failed, interrupted: false, trouble: idle.trouble } };
    }
    await sleep(options.among ? STANDBY_AMONG_MS : STANDBY_MS, undefined, { signal: options.drain }).catch(() => undefined);
  }
  return { kind: 'ended', end: { failed: [], interrupted: true } };
}

async function ownerIsIdle(stateDir: string, signal: AbortSignal): Promise<IdleAnswer | undefined> {
  try {
    const answer = (await callSocket(socketPath(stateDir), { kind: 'idle' }, AbortSignal.any([signal, AbortSignal.timeout(STANDBY_ASK_MS)]))) as IdleAnswer;
    return answer.idle ? answer : undefined;
  } catch {
    // Between two owners, or one that is only starting: asked again.
    return undefined;
  }
}

async function work(options: DaemonOptions, ownership: Ownership): Promise<StartEnd> {
  const { place, log, clock } = options;
  const configs = watchConfig(place.configPlaces, place.config);
  const desk = openDesk();
  const config = (): Config => (options.once ? { ...configs.current(), claimAfter: 0 } : configs.current());
  const { among } = options;
  const open = (): Promise<Work> =>
    openWork({
      place,
      term: ownership.term,
      owns: () => ownership.holds(),
      clock,
      log,
      config,
      instance: options.instance,
      works: true,
      waits: options.wait,
      // A daemon is there to wait; who waits for its end is told.
      patienceMs: options.once ? ONCE_PATIENCE_MS : Number.POSITIVE_INFINITY,
      desk,
      common: among?.seat.common,
    });
  const opened = await (among ? among.inTurn(open) : open());
  const { engine } = opened;
  const standUp = among?.seat.sit(engine, { config, instance: options.instance });
  among?.onSeated();
  const server = await serveSocket({ path: socketPath(place.stateDir), handle: (request) => handleOwned(options, opened, request) });
  const agents = await serveSocket({
    path: socketPath(place.stateDir, process.env, 'agents'),
    handle: (request) => answerAgent({ desk, log, door: opened.door, scene: () => sceneNow(engine, options, configs.current()) }, request),
  });
  const unwatch = await opened.list.watch(() => void engine.look());
  const stopPolling = poll(options, engine, configs);
  const stopTidying = tidyInIdleTime(options, opened, configs);
  const gone = watchPlace(options, engine);
  const stopAuditing = options.once ? async () => undefined : auditOnSchedule({ place, clock, log }, configs.current, among ? AUDITS_MS : 0);
  const stopPublishing = publishChanges({ place, clock, log, instance: options.instance, config: configs.current, opened });
  try {
    await engine.start();
    const end = await Promise.race([lifeOf(options, engine), engine.broken, gone.seen]);
    if (options.once && !end.interrupted) {
      // Nobody comes after it who would; a lock that was too young to judge at the start would wait for the next one.
      await stopPublishing(true);
      await opened.tidyCrashes(LOCK_MS);
    }
    return end;
  } finally {
    stopPolling();
    gone.stop();
    await stopTidying();
    await stopAuditing();
    await stopPublishing(false);
    await unwatch();
    await engine.abandon();
    standUp?.();
    await Promise.all([server.close(), agents.close()]);
    await opened.close();
  }
}

function handleOwned({ place, clock, log }: DaemonOptions, opened: Work, request: unknown): Promise<unknown> {
  const own = ownerRequest(request);
  return own ? carryOut(opened, { place, clock, log }, own) : handleRequest(opened.engine, opened.door, request);
}

/** The picture that the wheel has at this moment. */
function sceneNow(engine: Engine, options: DaemonOptions, config: Config): Scene | undefined {
  const { board, problems, world } = engine.now();
  return board && { board, draft: draftOf(world), config, now: options.clock.now(), problems, instance: options.instance };
}

async function lifeOf(options: DaemonOptions, engine: Engine): Promise<StartEnd> {
  const drained = onAbort(options.drain).then(async () => {
    options.log.write('info', 'stopping: running phases end, nothing new starts (again: stop at once)');
    const stopped = onAbort(options.stop).then(() => engine.stop());
    await Promise.race([engine.drain(), stopped]);
    return { failed: [], interrupted: true, trouble: troubleOf(engine) };
  });
  if (!options.once) return drained;
  const whenIdle = options.among ? options.among.seat.allIdle : engine.whenIdle();
  const idle = whenIdle.then(() => ({ failed: engine.failed(), interrupted: false, trouble: troubleOf(engine) }));
  return Promise.race([idle, drained]);
}

/** The truth every interval; the config with it. */
function poll(options: DaemonOptions, engine: Engine, configs: ReturnType<typeof watchConfig>): () => void {
  let stopped = false;
  let cancel: (() => void) | undefined;
  const again = (): void => {
    if (stopped) return;
    const { interval } = configs.current();
    cancel = options.clock.after(options.among?.interval(interval) ?? interval, () => {
      reload(options.log, configs);
      void engine.look().finally(again);
    });
  };
  again();
  return () => {
    stopped = true;
    cancel?.();
  };
}

/** `seen` rejects when the repository is no more: there is nothing that it could come back to. */
function watchPlace({ place, clock, among }: DaemonOptions, engine: Engine): { readonly seen: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  let cancel: (() => void) | undefined;
  const lookMs = (): number => among?.interval(LOOK_MS) ?? LOOK_MS;
  const look = (): void => {
    try {
      mustBeThere(place);
      cancel = clock.after(lookMs(), look);
    } catch (error) {
      // No turn more: what runs can only be stopped.
      engine.close();
      reject(error);
    }
  };
  cancel = clock.after(lookMs(), look);
  return { seen: promise, stop: () => cancel?.() };
}

const LOOK_MS = 1000;

/** Upkeep while nothing runs, never two of one kind at a time: what is kept, and what crashes left. */
function tidyInIdleTime(options: DaemonOptions, opened: Work, configs: ReturnType<typeof watchConfig>): () => Promise<void> {
  const everyMs = (): number => Math.min(Math.max(configs.current().keep.every, TIDY_MS_MIN), TIDY_MS_MAX);
  // At the start they may have been too young to judge.
  let locks = 1;
  const stops = [
    inIdleTime(options, opened, everyMs, () => opened.tidy()),
    inIdleTime(
      options,
      opened,
      () => (locks > 0 ? LOCK_MS : everyMs()),
      async () => void (locks = await opened.tidyCrashes()),
    ),
  ];
  return async () => void (await Promise.all(stops.map((stop) => stop())));
}

function inIdleTime({ clock }: DaemonOptions, { engine }: Work, nextMs: () => number, tidy: () => Promise<void>): () => Promise<void> {
  let cancel: (() => void) | undefined;
  let running = Promise.resolve();
  let stopped = false;
  const later = (): void => {
    if (!stopped) cancel = clock.after(nextMs(), turn);
  };
  const turn = (): void => {
    running = (engine.isIdle() ? tidy() : Promise.resolve()).finally(later);
  };
  later();
  return () => {
    stopped = true;
    cancel?.();
    return running;
  };
}

/** By then a lock that a crash left is old enough to be one. */
const LOCK_MS = SHARED_STALE_MS + 1000;
const TIDY_MS_MIN = 1000;
/** Timers of Node are 32 bits long. */
const TIDY_MS_MAX = 86_400_000;

function reload(log: Log, configs: ReturnType<typeof watchConfig>): void {
  const { changed, problems, news } = configs.reload();
  if (news) for (const problem of problems) log.write('error', `${describeConfigProblem(problem)}; the last good config stays in force`);
  if (changed) log.write('info', 'the config was changed and is in force');
}

const onAbort = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
