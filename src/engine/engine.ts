/**
 * The wheel: an event turns the world, the world asks for effects, effects answer with events. The only owner of the world.
 * It decides nothing: `turn` does. Each turn is stored before its effects are performed, so that a crash at any moment is a
 * stop without manners, and a start goes on from the rows.
 */
import type { Config } from '../config.ts';
import { hasConflictMarkers, looksTorn } from '../tasks/compare.ts';
import { applyEdits } from '../tasks/edit.ts';
import { idOf } from '../tasks/find.ts';
import { parse } from '../tasks/parse.ts';
import { reflowed } from '../tasks/reflow.ts';
import type { Board, Edit, MarkerState, Problem } from '../tasks/task.ts';
import type { ArchiveAsk } from '../runs/archiving.ts';
import type { Answer, Ask } from '../runs/ask.ts';
import type { Common } from '../runs/sharing.ts';
import type { MarkAsk } from '../runs/put-right.ts';
import type { EditItem } from '../runs/list-edits.ts';
import type { Evidence } from '../runs/evidence.ts';
import { problemsOf } from '../runs/problems.ts';
import { allowance } from '../runs/govern.ts';
import type { Run } from '../runs/run.ts';
import { type Effect, type Event, resumed, turn, type Turned } from '../runs/turn.ts';
import { apply, draftOf, worldOf, type World } from '../runs/world.ts';
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import { performErrand } from './errand.ts';
import { landingQueue } from './landing-queue.ts';
import { listWriter } from './list-writer.ts';
import { orderOf } from './doing.ts';
import { perform } from './perform.ts';
import type {
  AgentEvent,
  Agents,
  Branches,
  Clock,
  Journal,
  LandHooks,
  Landing,
  Log,
  Prompts,
  Reading,
  TaskFile,
  Verify,
  Workspaces,
  Written,
} from './ports.ts';
import { shortageIn } from '../runs/shortage.ts';
import { tell, tellResumed } from './tell.ts';

export type EnginePorts = {
  readonly clock: Clock;
  readonly list: TaskFile;
  readonly journal: Journal;
  readonly workspaces: Workspaces;
  readonly landing: Landing;
  readonly branches: Branches;
  readonly agents: Agents;
  readonly verify: Verify;
  readonly landHooks: LandHooks;
  readonly prompts: Prompts;
  readonly log: Log;
  /** The config that holds now; read anew at each turn. */
  readonly config: () => Config;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly instance: string;
  /** What other projects of this process take, read anew at each turn; absent where there are none. */
  readonly common?: (() => Common) | undefined;
  /** What git and the archive tell of tasks that the journal may not know; gathered where it was lost. */
  readonly evidence?: Evidence;
  /** The ids and names in the archive of the list, as it is now; without it there is none. */
  readonly archived?: () => ReadonlyMap<string, MarkerState>;
  /** False for a single request without a daemon: only list and journal effects are performed. */
  readonly works: boolean;
  /** `--wait` (7-R3). */
  readonly waits: boolean;
  /** How long to wait where a turn cannot be stored for a full disk or the like; then the engine is broken. */
  readonly patienceMs: number;
};

export type Engine = {
  /** Loads, looks at the list, and goes on where the rows say. */
  start(): Promise<void>;
  /** Looks at the list; nothing happens if it has not changed. */
  look(): Promise<void>;
  /** Something outside of list and journal has changed: chooses again. */
  wake(): void;
  ask(ask: Ask | MarkAsk | ArchiveAsk, by: string, via: string): Promise<Answer>;
  /** Settles when nothing runs and nothing can start; `failed` = ids of tasks that failed since `start`. */
  whenIdle(): Promise<{ readonly failed: readonly string[] }>;
  /** Rejects when a turn could not be stored or the wheel has a fault: nothing more is done then. */
  readonly broken: Promise<never>;
  isIdle(): boolean;
  /** Ids of tasks that failed since `start`. */
  failed(): readonly string[];
  /** No new claims, running phases end; settles when they have. */
  drain(): Promise<void>;
  /** Stops all runs at once; their work is in snapshots and they go on at the next start. */
  stop(): Promise<void>;
  /** No more turns and no timer: a wait of an hour would keep the process for an hour. */
  close(): void;
  /** For a broken engine: stops what is performed and waits for it; what it came to is looked for at the next start. */
  abandon(): Promise<void>;
  /** What surfaces show. */
  now(): Snapshot;
  /** What other projects of this process take, at this moment. */
  common(): Common | undefined;
  /** Called after each turn; the returned function takes it back. */
  onTurn(listener: () => void): () => void;
};

export type Snapshot = {
  readonly board: Board | undefined;
  readonly problems: readonly Problem[];
  readonly world: World;
  readonly activity: ReadonlyMap<string, Activity>;
  /** What the machine is short of: nothing is decided until a turn can be stored again. */
  readonly blocked: string | undefined;
};

/** The last that was heard of a run; kept outside the world. */
export type Activity = { readonly at: number; readonly last: string; readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number };

/** A turn that could not be stored, and since when (ticks). */
type Unstored = { readonly turned: Turned; readonly finish: () => void; readonly since: number; readonly shortage: string };

type Performing = { readonly ticket: number; readonly abort: AbortController };

export function createEngine(ports: EnginePorts): Engine {
  const { clock, journal, log } = ports;
  const world = worldOf(journal.load(), ports.evidence);
  // A single request decides nothing about what starts.
  if (!ports.works) world.mode = 'draining';
  const performing = new Map<string, Performing>();
  const lanes = new Map<string, Promise<void>>();
  const queue = landingQueue();
  const errands = new Map<string, AbortController>();
  const activity = new Map<string, Activity>();
  const answers = new Map<number, (answer: Answer) => void>();
  const listeners = new Set<() => void>();
  const mailbox: Event[] = [];
  const failed = new Set<string>();
  let board: Board | undefined;
  let problems: readonly Problem[] = [];
  let version = '';
  let reading: Promise<void> | undefined;
  let lookAgain = false;
  let turning = false;
  let last: Turned | undefined;
  let cancelWake: (() => void) | undefined;
  let cancelLook: (() => void) | undefined;
  let asks = 0;
  let dead = false;
  let unstored: Unstored | undefined;
  let unwritten: { readonly since: number; readonly shortage: string } | undefined;
  let putOff = 0;
  /** Versions of the list that are being kept. */
  let keeping = 0;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);

  // ── events ──

  const post = (...events: readonly Event[]): void => {
    mailbox.push(...events);
    if (turning || dead || unstored) return;
    turning = true;
    try {
      for (let event = mailbox.shift(); event; event = unstored ? undefined : mailbox.shift()) takeTurn(event);
    } catch (error) {
      breakDown(error);
    } finally {
      turning = false;
    }
    notify();
  };

  /** A turn that could not be stored must not be acted on, nor any later one. */
  const breakDown = (error: unknown): void => {
    dead = true;
    broken.reject(error);
  };

  const notify = (): void => {
    for (const listener of listeners) listener();
  };

  const takeTurn = (event: Event): void => {
    if (event.kind === 'read' && ports.archived) world.archived = ports.archived();
    const fresh = event.kind === 'read' ? problemsOf(event.board, world, ports.config()) : problems;
    const listBefore = world.list.kind;
    const turned = turn(world, event, {
      board,
      problems: fresh,
      config: ports.config(),
      instance: ports.instance,
      waits: ports.waits,
      common: ports.common?.(),
      now: clock.now(),
      random: ports.random,
    });
    const finish = (): void => {
      if (event.kind === 'read' && turned.board === event.board) problems = fresh;
      board = turned.board;
      last = turned;
      tell(log, event, turned, listBefore);
      for (const effect of turned.effects) carryOut(effect);
      armWake(turned.wakeAt);
    };
    try {
      store(turned);
    } catch (error) {
      return waitForRoom(turned, finish, error);
    }
    finish();
  };

  /** The wheel stands still until the turn can be stored: nothing is lost by waiting, and nothing of it was done. */
  const waitForRoom = (turned: Turned, finish: () => void, error: unknown): void => {
    const shortage = shortageIn(error);
    const since = unstored?.since ?? clock.ticks();
    if (shortage === undefined || clock.ticks() - since >= ports.patienceMs) throw error;
    if (!unstored) {
      const why = error instanceof Error ? error.message : String(error);
      log.write('warn', `blocked: ${shortage}; nothing is begun or ended until the journal can be written again, which is tried every second`, { why });
    }
    unstored = { turned, finish, since, shortage };
    clock.after(ROOM_MS, storeAgain);
  };

  const storeAgain = (): void => {
    if (!unstored || dead) return;
    const { turned, finish } = unstored;
    try {
      store(turned);
      unstored = undefined;
      log.write('info', 'the journal can be written again: going on');
      turning = true;
      finish();
    } catch (error) {
      try {
        if (unstored) waitForRoom(turned, finish, error);
        else breakDown(error);
      } catch {
        breakDown(error);
      }
    } finally {
      turning = false;
    }
    post();
  };

  /** Rows first, effects after: what was asked for is known before it is done. What only the list will say is durable before it does. */
  const store = (turned: Turned): void => {
    const { draft } = turned;
    if (draft.known.size + draft.runs.size + draft.meta.size + draft.history.length > 0) {
      const at = clock.now();
      journal.commit({ known: draft.known, runs: draft.runs, meta: draft.meta, history: draft.history.map((row) => ({ ...row, at })) }, mayWait(turned));
    }
    for (const known of draft.known.values()) {
      if (known.state === 'failed') failed.add(known.id);
      else failed.delete(known.id);
    }
    apply(draft);
  };

  const armWake = (at: number | undefined): void => {
    cancelWake?.();
    cancelWake = at === undefined ? undefined : clock.after(Math.max(1, Math.min(at - clock.now(), WAKE_MS_MAX)), wake);
  };

  const wake = (): void => {
    cancelWake?.();
    cancelWake = undefined;
    post({ kind: 'woke' });
    if (world.list.kind !== 'fine') void look();
  };

  // ── effects ──

  const carryOut = (effect: Effect): void => {
    switch (effect.kind) {
      case 'edit':
        return writer.add(effect.item);
      case 'perform':
        if (ports.works) begin(effect.run);
        return;
      case 'halt':
        return haltRun(effect.id, effect.ticket);
      case 'release':
        return ports.works ? release(effect.run) : undefined;
      case 'survey':
        return ports.works ? void survey(effect.section) : undefined;
      case 'errand':
        return runErrand(effect.order);
      case 'keep':
        return ports.works ? void keep(effect.text) : undefined;
      case 'answer':
        answers.get(effect.number)?.(effect.answer);
        answers.delete(effect.number);
        return;
    }
  };

  const listAgents = (): void => post({ kind: 'agents', agents: ports.agents.list() });

  /** An agent that needs a person first is not given the next task; later it is tried again. */
  const lookAtAgents = (): void => {
    listAgents();
    cancelLook?.();
    cancelLook = clock.after(PERSON_MS, listAgents);
  };

  const begin = (run: Run): AbortController => {
    const abort = new AbortController();
    performing.set(run.id, { ticket: run.ticket, abort });
    inLane(run, async () => {
      const config = ports.config();
      const left = allowance(draftOf(world), config, run, clock.now());
      const end = await perform(run, { ...ports, config, queue, allowance: left, signal: abort.signal, activity: (event) => note(run.id, event) });
      if (performing.get(run.id)?.ticket === run.ticket) performing.delete(run.id);
      if (end.kind === 'final' && end.person) lookAtAgents();
      post({ kind: 'ended', id: run.id, ticket: run.ticket, step: run.step, end });
    });
    return abort;
  };

  const abortAll = (): void => {
    for (const { abort } of performing.values()) abort.abort();
  };

  const keep = async (text: string): Promise<void> => {
    keeping++;
    try {
      const kept = await ports.list.keep(text);
      log.write('info', 'lines are gone from the list; the version that had them is kept', { version: kept, remedy: 'todone history --list' });
    } catch (error) {
      log.write('warn', `a version of the list could not be kept: ${String(error)}`);
    } finally {
      keeping--;
      notify();
    }
  };

  const release = (run: Run): void => {
    activity.delete(run.id);
    const { workspace } = run.found;
    if (workspace === undefined) return;
    inLane(run, () => ports.workspaces.release(orderOf(run), workspace, new AbortController().signal));
  };

  const survey = async (section: string): Promise<void> => {
    const files = await ports.workspaces.files(section).catch((error: unknown) => {
      log.write('warn', `the files of ${section} could not be listed: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    });
    post({ kind: 'surveyed', section, files });
  };

  /** Also for a single request: nobody else would. */
  const runErrand = (order: ErrandOrder): void => {
    const abort = new AbortController();
    errands.set(order.section, abort);
    inOwnLane(`${order.kind} of ${order.section}`, order.section, async () => {
      const work = (): Promise<ErrandEnd> => performErrand(order, ports.branches, abort.signal);
      // What moves the section's branch takes turns with landings.
      const end = await (order.kind === 'sync' ? queue.between(order.section, work) : work());
      errands.delete(order.section);
      post({ kind: 'errand-ended', section: order.section, errand: order.kind, ticket: order.ticket, end });
    });
  };

  /** What happens in one workspace happens one after another. */
  const inLane = (run: Run, work: () => Promise<void>): void => inOwnLane(`${run.section}~${run.workspaceSlot}`, run.id, work);

  const inOwnLane = (key: string, id: string, work: () => Promise<void>): void => {
    const next = (lanes.get(key) ?? Promise.resolve()).then(work).catch((error: unknown) => {
      log.write('error', `work in ${key} failed: ${error instanceof Error ? error.message : String(error)}`, { id });
    });
    lanes.set(key, next);
    void next.then(() => {
      if (lanes.get(key) !== next) return;
      lanes.delete(key);
      notify();
    });
  };

  const haltRun = (id: string, ticket: number): void => {
    const doing = performing.get(id);
    if (doing?.ticket === ticket) return doing.abort.abort();
    const run = world.runs.get(id);
    if (!run) return;
    // A crash may have come right after the branch moved: a landing looks first, and is stopped only if it has not happened.
    if (run.step === 'land') begin(run).abort();
    else post({ kind: 'ended', id, ticket, step: run.step, end: { kind: 'final', reason: 'cancelled', message: 'stopped' } });
  };

  const note = (id: string, event: AgentEvent): void => {
    const before = activity.get(id) ?? { at: 0, last: '', inputTokens: 0, outputTokens: 0, costUsd: 0 };
    activity.set(id, noted(before, event, clock.now()));
  };

  // ── the list ──

  const writer = listWriter(async (edits) => (await journal.secure(), ports.list.edit(edits, board)), clock, {
    written: (items, written) => afterWrite(items, written),
    failed: (items, error) => {
      if (writeLater(items, error)) return;
      const message = error instanceof Error ? error.message : String(error);
      log.write('error', `the list could not be written: ${message}`, { remedy: error instanceof Error && 'remedy' in error ? error.remedy : undefined });
      post({ kind: 'unwritable', items, message });
    },
  });

  /** A full disk passes: what was to be written is kept, and tried again every second for a while. */
  const writeLater = (items: readonly EditItem[], error: unknown): boolean => {
    const shortage = shortageIn(error);
    const now = clock.ticks();
    unwritten = shortage === undefined ? undefined : (unwritten ?? { since: now, shortage });
    if (!unwritten || now - unwritten.since >= Math.min(ports.patienceMs, UNWRITTEN_MS_MAX)) return false;
    if (unwritten.since === now) log.write('warn', `blocked: ${unwritten.shortage}; the list cannot be written, which is tried every second`);
    putOff++;
    clock.after(ROOM_MS, () => {
      putOff--;
      for (const item of items) writer.add(item);
    });
    return true;
  };

  /** The text that we wrote is taken in before what it means for each task, so that nothing is started from an older one. */
  const afterWrite = (items: readonly EditItem[], written: Written): void => {
    if (unwritten) log.write('info', 'the list can be written again: going on');
    unwritten = undefined;
    let at = 0;
    const results = items.map((item) => {
      const own = written.results.slice(at, at + item.edits.length);
      // Who asked for several changes is told of the one that was not made; of an outcome the first one decides.
      const refused = item.reply && item.purpose !== 'settle' ? own.find(({ kind }) => kind === 'gone' || kind === 'changed') : undefined;
      const result = refused ?? own[0] ?? { kind: 'gone' as const };
      at += item.edits.length;
      return { item, result };
    });
    const own = items.every((item) => item.purpose === 'ask');
    const read = eventOf(written.reading, own, { read: written.board, took: items.flatMap(({ edits }) => edits.filter(({ kind }) => kind === 'remove')) });
    post(...(read ? [read] : []), { kind: 'edited', items: results });
  };

  const look = (): Promise<void> => {
    if (reading) {
      lookAgain = true;
      // What is being read may be older than this call.
      return reading.then(() => reading);
    }
    reading = lookOnce().finally(() => {
      reading = undefined;
      if (lookAgain) void look();
      else notify();
    });
    return reading;
  };

  const lookOnce = async (): Promise<void> => {
    lookAgain = false;
    const event = eventOf(await ports.list.read(), false);
    if (event) post(event);
  };

  /** Undefined where there is nothing new to say. */
  const eventOf = (found: Reading, own: boolean, { read, took = [] }: { readonly read?: Board; readonly took?: readonly Edit[] } = {}): Event | undefined => {
    if (found.kind !== 'read') {
      const message = found.kind === 'missing' ? 'the list is not there' : `${found.message.replace(/\.$/, '')}: ${found.remedy}`;
      const same = world.list.kind === found.kind && (world.list.kind !== 'refused' || world.list.message === message);
      version = '';
      return same ? undefined : { kind: 'unreadable', missing: found.kind === 'missing', message };
    }
    if (found.version === version && world.list.kind === 'fine' && world.gitPosition === found.git.position) return undefined;
    const { labels, workers } = ports.config();
    const next = read?.text === found.text ? read : parse(found.text, { labels, workers }, board);
    version = found.version;
    // What we took off ourselves is no line that is missing.
    const before = board && took.length > 0 ? applyEdits(board.text, took, { labels, workers }, board).board : board;
    const torn = before ? looksTorn(before, next) : looksCut(next, world);
    const facts = {
      gitPosition: found.git.position,
      gitOperation: found.git.operation,
      listIsCommitted: found.git.listIsCommitted,
      gitIndex: found.git.index,
      version: found.version,
      modifiedAt: found.modifiedAt,
    };
    const reflow = before ? reflowed(before, next) : [];
    return { kind: 'read', board: next, facts, torn, conflict: hasConflictMarkers(next), own, ...(reflow.length > 0 && { reflow }) };
  };

  // ── the life of the engine ──

  const isQuiet = (): boolean =>
    !unstored && putOff === 0 && keeping === 0 && (last?.idle ?? false) && writer.idle() && lanes.size === 0 && !reading && mailbox.length === 0;

  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const test = (): void => {
        if (!condition()) return;
        listeners.delete(test);
        resolve();
      };
      listeners.add(test);
      test();
    });

  return {
    async start() {
      post({ kind: 'agents', agents: ports.agents.list() });
      if (ports.works) await ports.agents.sweep();
      await ports.list.recover();
      await look();
      for (const effect of resumed(world)) {
        if (effect.kind === 'perform' && performing.has(effect.run.id)) continue;
        if (effect.kind === 'perform' && ports.works) tellResumed(log, effect.run);
        carryOut(effect);
      }
    },
    look,
    wake,
    ask: (ask, by, via) =>
      new Promise((resolve) => {
        if (unstored) return resolve({ kind: 'refused', message: `nothing can be stored now: ${unstored.shortage}`, remedy: 'make room, and ask again' });
        const number = ++asks;
        answers.set(number, resolve);
        post({ kind: 'asked', number, ask, by, via });
      }),
    broken: broken.promise,
    isIdle: isQuiet,
    failed: () => [...failed],
    async whenIdle() {
      await until(isQuiet);
      return { failed: [...failed] };
    },
    async drain() {
      post({ kind: 'drain' });
      await until(() => lanes.size === 0 && writer.idle());
      // A lease's end is no reason to stay.
      cancelWake?.();
    },
    async stop() {
      post({ kind: 'stop' });
      if (unstored) abortAll();
      for (const abort of errands.values()) abort.abort();
      await until(() => lanes.size === 0 && writer.idle());
    },
    close() {
      dead = true;
      cancelWake?.();
      cancelLook?.();
    },
    async abandon() {
      if (!dead) return;
      abortAll();
      await until(() => lanes.size === 0 && writer.idle());
    },
    now: () => ({ board, problems, world, activity, blocked: (unstored ?? unwritten)?.shortage }),
    common: () => ports.common?.(),
    onTurn(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** How often a turn that could not be stored is tried again. */
const ROOM_MS = 1000;
/** A list that cannot be written for longer is looked at like one that cannot be read. */
const UNWRITTEN_MS_MAX = 60_000;
/** How long a person is given before an agent that needed one is tried again. */
const PERSON_MS = 605_000;
/** Timers of Node are 32 bits long; a longer wait wakes early and finds nothing to do. */
const WAKE_MS_MAX = 3_600_000;
/** As in 1.4-R6, against what the journal knows, where no board was seen before. */
const KNOWN_MIN = 5;

function looksCut(board: Board, world: World): boolean {
  const listed = [...world.known.values()].filter((known) => !known.gone);
  if (listed.length < KNOWN_MIN) return false;
  const ids = new Set(board.sections.flatMap((section) => section.tasks.flatMap((task) => idOf(task) ?? [])));
  const texts = new Set(board.sections.flatMap((section) => section.tasks.map((task) => `${task.section}\n${task.text}`)));
  let gone = 0;
  for (const known of listed) if (!ids.has(known.id) && !texts.has(`${known.section}\n${known.text}`)) gone++;
  return gone > listed.length * 0.2;
}

/** Nothing follows but what is written into the list, which waits for the rows of all that it writes: many requests wait for the disk together. */
function mayWait({ effects }: Turned): boolean {
  return effects.length > 0 && effects.every((effect) => effect.kind === 'edit' || (effect.kind === 'release' && effect.run.outside !== undefined));
}

function noted(before: Activity, event: AgentEvent, at: number): Activity {
  switch (event.kind) {
    case 'text':
      return { ...before, at, last: event.text };
    case 'tool':
      return { ...before, at, last: event.name };
    case 'file':
      return { ...before, at, last: `${event.change} ${event.path}` };
    case 'usage': {
      const { inputTokens, outputTokens, costUsd } = event.usage;
      if (event.cumulative) return { ...before, at, inputTokens, outputTokens, costUsd };
      return {
        ...before,
        at,
        inputTokens: before.inputTokens + inputTokens,
        outputTokens: before.outputTokens + outputTokens,
        costUsd: before.costUsd + costUsd,
      };
    }
    case 'limit':
    case 'error':
      return { ...before, at, last: event.message };
    case 'session':
      return { ...before, at };
  }
}
