/**
 * The list on disk, as the engine's port: reading, the one write path (1.4-R3), hints, and the tidying after writes and
 * crashes. Puts the parts together: one look (`list-look`), one exchange (`list-swap`), what becomes of the displaced
 * file (`list-settle`). A person's bytes win every race. Never creates a missing list, and never decides what a torn
 * or vanished list means.
 */
import { basename, dirname, join } from 'node:path';
import { ListRefused } from '../engine/ports.ts';
import type { Clock, GitState, Log, Reading, TaskFile, Written } from '../engine/ports.ts';
import type { Board, Edit, Edited } from '../tasks/task.ts';
import { contentOf, realDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { openArchive } from './list-archive.ts';
import type { Archive, ListVersion, VersionBounds } from './list-archive.ts';
import { openIntents } from './list-intents.ts';
import { openListLock } from './list-lock.ts';
import { hashOf, listLooker, pause } from './list-look.ts';
import type { Content, Looked, Looker } from './list-look.ts';
import type { Apply } from './list-merge.ts';
import { settler } from './list-settle.ts';
import type { Settled, Settler } from './list-settle.ts';
import { asRefusal, isTempOf, remove, swapper } from './list-swap.ts';
import type { Swapper } from './list-swap.ts';
import { watchList } from './list-watch.ts';

export type TaskFileOptions = {
  readonly path: string;
  /** The folder of ToDone's own files; made where it is missing. */
  readonly stateDir: string;
  readonly maxListBytes: number;
  /** A half-written save is waited for at most so long. */
  readonly settleMs?: number;
  /** The pure edits: text → text, with what became of each. */
  readonly apply: Apply;
  /** Where git stands; `bytes` = the list as it was just read. */
  readonly gitState: (bytes: Buffer | undefined) => Promise<GitState>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly disk?: Disk;
  readonly store?: ListStore;
};

/** What keeps the lock and the intents: SQLite where left out. */
export type ListStore = { readonly openLock: typeof openListLock; readonly openIntents: typeof openIntents };

export type ListFile = TaskFile & {
  /** Versions that writes displaced, the newest first. */
  versions(): Promise<readonly ListVersion[]>;
  version(name: string): Promise<Buffer>;
  /** Takes away old versions; gives their number. */
  tidy(bounds: VersionBounds): Promise<number>;
  /** Ends the watching of displaced files; what is still open is finished at the next start. */
  close(): Promise<void>;
};

const SQLITE: ListStore = { openLock: openListLock, openIntents };
const SETTLE_MS = 10_000;
/** Writes that start over because the list changed meanwhile. */
const ROUNDS_MAX = 200;
/** Editors that save by renaming take the list away for an instant. */
const MISSING_MS = 1000;
const PAUSE_MS = 5;
/** For how long an edit waits for an editor to finish the save that it came across. */
const UNFINISHED_MS = 1500;
const PRUNE_EVERY = 20;
const AFTER_FAILURE_MS = 2000;

export function openTaskFile(options: TaskFileOptions): ListFile {
  const { path, stateDir, maxListBytes, clock, log, disk = realDisk } = options;
  const looker = listLooker({ path, maxListBytes, disk, clock });
  const reader: Reader = { options, disk, looker };
  const archive = openArchive(stateDir, disk, options.random);
  // Opened by the first write: whoever only reads leaves no trace.
  let opened: Writer | undefined;
  const writer = (): Writer => (opened ??= openWriter(reader, archive));

  return {
    path,
    read: async () => reading(reader, await looker.look()),
    edit: (edits, known) => writer().edit(edits, known),
    watch: (hint) => watchList(path, clock, log, hint),
    recover: () => writer().recover(),
    async keep(text) {
      const name = archive.nameFor(clock.now(), hashOf(Buffer.from(text)));
      await archive.add(text, name, 'replaced');
      return `${name}-replaced.md`;
    },
    versions: () => archive.list(),
    version: (name) => archive.read(name),
    tidy: (bounds) => writer().tidy(bounds),
    async close() {
      const closing = opened;
      opened = undefined;
      await closing?.close();
    },
  };
}

type Reader = { readonly options: TaskFileOptions; readonly disk: Disk; readonly looker: Looker };

type Parts = Reader & { readonly swaps: Swapper; readonly settle: Settler; readonly archive: Archive };

type Writer = Pick<ListFile, 'edit' | 'recover' | 'tidy' | 'close'>;

function openWriter(reader: Reader, archive: Archive): Writer {
  const { options, disk, looker } = reader;
  const { path, stateDir, apply, clock, log, random, settleMs = SETTLE_MS } = options;
  const store = options.store ?? SQLITE;
  const lock = store.openLock({ stateDir, log, random });
  const intents = store.openIntents(stateDir);
  const swaps = swapper({ path, disk, intents, archive, clock, log, random });
  const settle = settler({ settleMs, disk, looker, swapper: swaps, intents, archive, apply, clock, log });
  const parts: Parts = { ...reader, swaps, settle, archive };
  let writes = 0;

  /** Runs under the lock of the real file; what the system refuses becomes words for a person. */
  const held = async <T>(work: () => Promise<T>): Promise<T> => {
    const real = await disk.realpath(path).catch(() => path);
    try {
      return await lock.hold(real, work);
    } catch (error) {
      throw asRefusal(error, path);
    }
  };

  const tending = tender(options, () => held(() => settle.settleAll(false)), settle);

  return {
    async edit(edits, known) {
      try {
        return await held(async () => {
          await settle.settleAll(false);
          const written = await write(parts, edits, known);
          if (written.wrote && ++writes % PRUNE_EVERY === 0) await archive.prune(settle.inUse());
          return written;
        });
      } finally {
        tending.look();
      }
    },
    async recover() {
      await held(async () => {
        await settle.settleAll(true);
        await sweep(parts);
        await archive.prune(settle.inUse());
      });
      tending.look();
    },
    tidy: (bounds) => held(() => archive.prune(settle.inUse(), bounds)),
    async close() {
      await tending.end();
      intents.close();
      lock.close();
    },
  };
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

async function reading({ options }: Reader, looked: Looked): Promise<Reading> {
  const git = await options.gitState(looked.kind === 'content' ? looked.content.bytes : undefined);
  switch (looked.kind) {
    case 'missing':
      return { kind: 'missing', git };
    case 'refused':
      return { kind: 'refused', message: looked.message, remedy: looked.remedy, git };
    case 'content': {
      const { text, hash, facts } = looked.content;
      return { kind: 'read', text, version: hash, modifiedAt: Number(facts.modifiedNs / 1_000_000n), git };
    }
  }
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────

/** Under the lock: reads, changes, swaps, and takes in what was displaced, until what the list holds has our edits or cannot have them. */
async function write(parts: Parts, edits: readonly Edit[], known: Board | undefined): Promise<Written> {
  const results: Edited[] = edits.map(() => ({ kind: 'gone' }));
  let wanted = edits.map((edit, index) => ({ edit, index }));
  let wrote = false;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const list = await presentList(parts);
    const applied = parts.options.apply(
      list.text,
      wanted.map(({ edit }) => edit),
      known,
    );
    const { board } = applied;
    if (applied.text === list.text) {
      note(results, wanted, applied.results, wrote);
      return { results, reading: await reading(parts, { kind: 'content', content: list }), wrote, board };
    }
    const done = await parts.swaps.swap({ base: list, text: applied.text, bom: list.bom, edits: wanted.map(({ edit }) => edit) });
    if (done.kind === 'stale') continue;
    note(results, wanted, applied.results, wrote);
    wrote = true;
    parts.looker.expect(done.content);
    parts.settle.mind(done.intent, list);
    const taken = await takeIn(parts, done.intent.id);
    if (!taken.merged) return { results, reading: await reading(parts, { kind: 'content', content: done.content }), wrote, board };
    if (taken.results) note(results, wanted, taken.results, false);
    // A person's save is in the list by now: look whether ours is, too. What would be added twice is not asked for again.
    wanted = wanted.filter(({ edit }) => !ONCE.has(edit.kind));
  }
  throw new ListRefused(
    'EBUSY',
    `${parts.options.path} was saved ${ROUNDS_MAX} times while it was being written.`,
    'Find out what saves it all the time; it is tried again.',
  );
}

/** What must not be made twice, and what is told as gone when it is. */
const ONCE: ReadonlySet<Edit['kind']> = new Set(['insert', 'note', 'remove', 'putBack']);

/** The list, waited for where an editor has it away for an instant. */
async function presentList({ options, looker }: Reader): Promise<Content> {
  const until = options.clock.ticks() + MISSING_MS;
  for (;;) {
    const looked = await looker.look();
    if (looked.kind === 'content') return looked.content;
    if (looked.kind === 'refused') throw new ListRefused(looked.code, looked.message, looked.remedy);
    if (options.clock.ticks() > until)
      throw new ListRefused('ENOENT', `${options.path} is missing.`, 'Bring it back: `git checkout -- <file>`, from a backup, or `todone init`.');
    await pause(options.clock, PAUSE_MS);
  }
}

/** What the exchange displaced, and what the writes displaced that took it in. */
async function takeIn({ options, settle }: Parts, first: number): Promise<{ readonly merged: boolean; readonly results?: readonly Edited[] }> {
  const until = options.clock.ticks() + UNFINISHED_MS;
  let id = first;
  let merged = false;
  let results: readonly Edited[] | undefined;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const settled = await settle.settle(id).catch((error: unknown): Settled => postponed(options.log, error));
    if (settled.kind === 'unfinished' && options.clock.ticks() < until) {
      await pause(options.clock, PAUSE_MS);
      continue;
    }
    if (settled.kind !== 'merged') break;
    if (id === first) results = settled.results;
    merged = true;
    if (settled.next === undefined) break;
    id = settled.next;
  }
  return { merged, results };
}

/** The list is written; what the system refuses now (a full disk, say) is tried again in idle time. */
function postponed(log: Log, error: unknown): Settled {
  log.write('warn', 'the displaced version of the list cannot be looked after now; it is tried again', {
    error: error instanceof Error ? error.message : String(error),
  });
  return { kind: 'over' };
}

/** `again`: what we had applied before and is found in place counts as applied. */
function note(results: Edited[], wanted: readonly { readonly index: number }[], news: readonly Edited[], again: boolean): void {
  for (const [at, { index }] of wanted.entries()) {
    const now = news[at];
    if (now && !(again && now.kind === 'already' && results[index]?.kind === 'applied')) results[index] = now;
  }
}

// ── afterwards ───────────────────────────────────────────────────────────────────────────────────

/** Files beside the list that no intent knows: what a crash left before its intent was made, or a lost state folder. */
async function sweep({ options, disk, looker, settle, archive }: Parts): Promise<void> {
  const real = await disk.realpath(options.path).catch(() => options.path);
  const folder = dirname(real);
  const names = await disk.names(folder).catch(() => []);
  for (const name of names.filter((each) => isTempOf(real, each))) {
    const path = join(folder, name);
    if (settle.inUse().has(path)) continue;
    const bytes = await contentOf(disk, path);
    const looked = await looker.look();
    if (bytes && bytes.length > 0 && !(looked.kind === 'content' && looked.content.bytes.equals(bytes))) {
      const version = await archive.put(path, archive.nameFor(options.clock.now(), hashOf(bytes)), 'left');
      options.log.write('info', 'a file that an interrupted write left beside the list was moved to its versions', { file: basename(path), version });
    } else {
      await remove(disk, path);
    }
  }
}

type Tender = { look(): void; end(): Promise<void> };

/** Looks after displaced files in idle time, for as long as there are any. */
function tender({ clock, log }: TaskFileOptions, work: () => Promise<void>, settle: Settler): Tender {
  let cancel: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let ended = false;
  let failures = 0;

  const run = async (): Promise<void> => {
    try {
      await work();
      failures = 0;
    } catch (error) {
      // Said once: it is tried again as long as it takes.
      if (failures++ === 0)
        log.write('warn', 'a displaced version of the list could not be looked after; it is tried again', {
          error: error instanceof Error ? error.message : String(error),
        });
    }
    running = undefined;
    look();
  };

  const look = (): void => {
    const ms = settle.dueMs();
    if (ended || running || ms === undefined) return;
    cancel?.();
    cancel = clock.after(failures > 0 ? AFTER_FAILURE_MS : Math.max(ms, PAUSE_MS), () => {
      running = run();
    });
  };

  return {
    look,
    async end() {
      ended = true;
      cancel?.();
      await running;
    },
  };
}
