/**
 * One life of a list from a seed: the production way of writing it on a simulated disk, people's editors at work between any two
 * calls of it, its process killed or the power cut at any call, again in the recovery, and calls that fail. At the end a quiet
 * time in which everything has to come to rest; then the oracle looks. Real time, files and processes are not used.
 */
import { hash } from 'node:crypto';
import type { Disk, DiskFile } from '../../src/adapters/disk.ts';
import type { ListFile, openTaskFile } from '../../src/adapters/task-file.ts';
import type { Clock } from '../../src/engine/ports.ts';
import type { applyEdits } from '../../src/tasks/edit.ts';
import type { defaultParseOptions } from '../../src/tasks/parse.ts';
import type { Edit, MarkerState } from '../../src/tasks/task.ts';
import { violations } from '../oracle/oracle.ts';
import { wordOf, wordsIn } from '../oracle/words.ts';
import type { ListState } from '../oracle/words.ts';
import { generator } from '../simulation/life.ts';
import { session } from './editors.ts';
import type { Desk, Ledger, Session, Style } from './editors.ts';
import { fail, simulatedDisk } from './simulated-disk.ts';
import type { Inode, SimulatedDisk } from './simulated-disk.ts';
import { simulatedStore } from './simulated-store.ts';
import type { SimulatedStore } from './simulated-store.ts';

/** The rooms under test: the production ones, or a copy with a planted fault. */
export type Rooms = {
  readonly openTaskFile: typeof openTaskFile;
  readonly applyEdits: typeof applyEdits;
  readonly defaultParseOptions: typeof defaultParseOptions;
};

export type Case = {
  readonly name: string;
  /** One of them for each save. */
  readonly styles: readonly Style[];
  readonly editors: number;
  readonly deaths: 'none' | 'kill' | 'power';
  readonly exchanges: boolean;
  /** Processes that write. */
  readonly writers: number;
  /** Calls fail now and then. */
  readonly faults: boolean;
};

export type Lived = {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly saves: number;
  readonly writes: number;
  /** Saves that a write displaced. */
  readonly raced: number;
  readonly deaths: number;
};

const FOLDER = '/repo';
const LIST = '/repo/tasks.md';
const STATE = '/repo/.git/todone';
const IDS = ['q8f0t6zd', 'm2c7r4ya', 'k3v9x2m1', 'g5h1j7w0'] as const;
const QUIET_MS = 120_000;
const CALLS_MAX = 20_000;

type World = {
  readonly seed: number;
  readonly rooms: Rooms;
  readonly trace: (line: string) => void;
  readonly of: Case;
  readonly random: () => number;
  readonly pick: (below: number) => number;
  readonly disk: SimulatedDisk;
  readonly store: SimulatedStore;
  readonly ledger: Ledger;
  readonly desks: readonly Desk[];
  readonly sessions: (Session | undefined)[];
  readonly timers: Map<number, { readonly at: number; readonly life: Life; readonly run: () => void }>;
  readonly faults: Set<string>;
  readonly sure: Set<string>;
  readonly lives: Set<Life>;
  ticks: number;
  timerIds: number;
  calls: number;
  quiet: boolean;
  /** A power cut fell into an editor's own save: lines may be cut. */
  messy: boolean;
  words: number;
  writes: number;
  raced: number;
  deaths: number;
  /** Calls until the next death. */
  fuse: number;
  failAt: number;
  /** Saves that people still begin in this episode. */
  savesLeft: number;
  /** The call at which each editor goes on. */
  readonly resumeAt: number[];
  sureSeen?: Buffer;
};

/** One process. */
type Life = { dead: boolean };

/** `trace` hears every step. */
export async function live(seed: number, of: Case, rooms: Rooms, trace: (line: string) => void = () => undefined): Promise<Lived> {
  const world = makeWorld(seed, of, rooms, trace);
  const episodes = of.deaths === 'none' ? 1 : 1 + world.pick(4);
  for (let episode = 0; episode < episodes; episode++) {
    world.fuse = of.deaths === 'none' ? Number.POSITIVE_INFINITY : 1 + world.pick(world.pick(2) === 0 ? 30 : 150);
    world.failAt = of.faults ? 1 + world.pick(60) : Number.POSITIVE_INFINITY;
    await episodeOf(world);
    // People go on while nothing of ToDone runs.
    world.savesLeft = world.pick(3);
    for (let steps = world.pick(40); steps > 0; steps--) for (const [index] of world.sessions.entries()) stepEditor(world, index);
  }
  await rest(world);
  judge(world);
  const { ledger, writes, raced, deaths } = world;
  return { seed, faults: [...world.faults], saves: ledger.saves, writes, raced, deaths };
}

function makeWorld(seed: number, of: Case, rooms: Rooms, trace: World['trace']): World {
  const random = generator(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const ledger: Ledger = { fates: new Map(), lines: new Map(), overwritten: new Set(), saves: 0 };
  const world = { ticks: 1000, quiet: false };
  const disk = simulatedDisk(() => 1_800_000_000_000 + world.ticks, random, [FOLDER, '/repo/.git', STATE]);
  const words = (kind: string, index: number, text: (word: string) => string): string => {
    const word = wordOf(kind, index);
    const line = text(word);
    ledger.fates.set(word, 'once');
    ledger.lines.set(word, line);
    return `${line}\n`;
  };
  let text = words('h', 0, (word) => `# All ${word}`) + words('s', 0, (word) => `## Git Worktree a {note:${word}}`);
  for (const [index] of IDS.entries()) {
    text +=
      words('t', index, (word) => `[] task ${word}`) + words('d', index, (word) => `  files: src/${word}`) + words('a', index, (word) => `anchor ${word}`);
  }
  text += words('z', 0, (word) => `END ${word}`);
  disk.write(disk.create(LIST, 'todone'), Buffer.from(text), 'todone');
  disk.flush();
  const store = simulatedStore(random);
  const desks = Array.from({ length: of.editors }, (_, index): Desk => ({
    disk,
    path: LIST,
    ledger,
    pick,
    saving: false,
    now: () => (world.quiet ? Number.POSITIVE_INFINITY : world.ticks),
    isPending: (word) => of.editors > 1 || isPending(disk, store, word),
    number: index * 1000,
  }));
  return Object.assign(world, {
    seed,
    rooms,
    trace,
    of,
    random,
    pick,
    disk,
    store,
    ledger,
    desks,
    sessions: desks.map(() => undefined),
    timers: new Map(),
    faults: new Set<string>(),
    sure: new Set<string>(),
    lives: new Set<Life>(),
    timerIds: 0,
    calls: 0,
    messy: false,
    words: 0,
    writes: 0,
    raced: 0,
    deaths: 0,
    fuse: 0,
    failAt: 0,
    savesLeft: 0,
    resumeAt: desks.map(() => 0),
  });
}

function isPending(disk: SimulatedDisk, store: SimulatedStore, word: string): boolean {
  const open = store.open();
  return open.some(({ id, displaced, keep, baseHash }) => {
    if (open.some(({ merges }) => merges === id)) return false;
    const bytes = (disk.find(displaced) ?? disk.find(`${STATE}/versions/${keep}-before.md`))?.bytes;
    return bytes !== undefined && bytes.includes(word) && hash('sha1', bytes) !== baseHash;
  });
}

// ── between two calls ────────────────────────────────────────────────────────────────────────────

/** People go on, time goes by, and the kernel writes back. */
function between(world: World): void {
  const { pick, sessions, disk } = world;
  world.ticks += world.random() * (pick(10) === 0 ? 20 : 1);
  for (const [index] of sessions.entries()) {
    // In bursts, so that a save begins at one call and goes on at another.
    if (world.calls < (world.resumeAt[index] ?? 0)) continue;
    for (let steps = 1 + pick(9); steps > 0; steps--) stepEditor(world, index);
    world.resumeAt[index] = world.calls + pick(pick(2) === 0 ? 4 : 25);
  }
  if (pick(30) === 0) disk.flush();
  const sure = disk.sureBytes(LIST);
  if (sure === world.sureSeen) return;
  world.sureSeen = sure;
  for (const word of wordsIn(sure?.toString('utf8') ?? '').keys()) world.sure.add(word);
}

function stepEditor(world: World, index: number): void {
  const { sessions, desks, pick, of } = world;
  const desk = desks[index];
  if (!desk) return;
  if (!sessions[index]) {
    if (world.quiet || world.savesLeft <= 0) return;
    world.savesLeft--;
    sessions[index] = session(desk, of.styles[pick(of.styles.length)] ?? 'truncate');
  }
  const step = sessions[index].next();
  if (step.done) sessions[index] = undefined;
  world.trace(`  editor ${index} ${step.done ? 'ends ' : ''}${wordsOnly(world, LIST)}`);
}

/** What a list has that the first had not. */
function wordsOnly({ disk }: World, path: string): string {
  const counts = [...wordsIn(disk.find(path)?.bytes.toString('utf8') ?? '')].filter(([word]) => /^W[pni]/.test(word));
  return counts.map(([word, count]) => (count > 1 ? `${word}×${count}` : word)).join(' ');
}

class Death extends Error {}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Before each call that leaves the writing process; it may be its last. */
function call(world: World, life: Life): void {
  if (life.dead) throw new Death();
  if (++world.calls > CALLS_MAX) throw new Death();
  between(world);
  if (--world.fuse <= 0) {
    die(world);
    throw new Death();
  }
}

/** All of ToDone's processes at once; with the power, the editors' too. */
function die(world: World): void {
  const { of, store, pick } = world;
  world.deaths++;
  const power = of.deaths === 'power' && pick(4) > 0;
  for (const life of world.lives) life.dead = true;
  world.lives.clear();
  world.timers.clear();
  world.fuse = Number.POSITIVE_INFINITY;
  if (power) powerCut(world);
  else store.crash(false);
  if (!power) world.trace(`KILLED`);
}

function powerCut(world: World): void {
  const { disk, store, ledger, sure } = world;
  const mess = disk.editorAtRisk() || world.desks.some((desk) => desk.saving);
  disk.crash(true);
  store.crash(true);
  for (const [index] of world.sessions.entries()) world.sessions[index] = undefined;
  for (const desk of world.desks) Object.assign(desk, { buffer: undefined, saving: false });
  for (const [word, fate] of ledger.fates) if (fate === 'gone' || (fate === 'once' && (mess || !sure.has(word)))) ledger.fates.set(word, 'maybe');
  world.trace(`POWER CUT${mess ? ' in an editor’s save' : ''}: ${wordsOnly(world, LIST)}`);
  if (mess) mend(world);
  world.messy ||= mess;
  sure.clear();
}

/** What an editor's own unfinished save made a mess of, its person puts right. */
function mend({ disk, ledger }: World): void {
  const text = disk.find(LIST)?.bytes.toString('utf8') ?? '';
  const words = wordsIn(text);
  const whole = [...ledger.lines].filter(([word]) => !word.startsWith('Wp') && !word.startsWith('Wi')).every(([word]) => words.get(word) === 1);
  if (whole && !text.includes('\0')) return;
  const lines = [...ledger.lines].filter(([word]) => /^W[hstdaz]/.test(word)).map(([, line]) => line);
  const inode = disk.find(LIST) ?? disk.create(LIST, 'editor');
  disk.write(inode, Buffer.from(`${lines.join('\n')}\n`), 'editor');
  disk.flush();
}

// ── the writing process ──────────────────────────────────────────────────────────────────────────

function diskOf(world: World, life: Life): Disk {
  const { disk, of } = world;
  const step = async <T>(what: string, path: string, work: () => T): Promise<T> => {
    try {
      call(world, life);
    } catch (error) {
      if (error instanceof Death) return never();
      throw error;
    }
    if (--world.failAt <= 0) {
      world.failAt = Number.POSITIVE_INFINITY;
      fail(['ENOSPC', 'EIO', 'EMFILE', 'EACCES'][world.pick(4)] ?? 'EIO', `${what} ${path}`);
    }
    if (what === 'rename' && world.fuse < Number.POSITIVE_INFINITY && world.pick(4) === 0) world.fuse = 1 + world.pick(8);
    const done = work();
    world.trace(`${what} ${path}${what === 'exchange' ? ` → ${wordsOnly(world, LIST)}` : ''}`);
    return done;
  };
  const handle = (inode: Inode, path: string, writes: boolean): DiskFile => {
    disk.opened(inode, writes);
    let open = true;
    return {
      facts: () => step('fstat', path, () => disk.factsOf(inode)),
      read: () => step('read', path, () => Buffer.from(inode.bytes)),
      async write(bytes) {
        await step('write', path, () => disk.write(inode, Buffer.from(bytes.subarray(0, bytes.length / 2)), 'todone'));
        await step('write', path, () => disk.write(inode, Buffer.from(bytes), 'todone'));
      },
      imitate: (facts) => step('fchmod', path, () => void (inode.mode = facts.mode)),
      sync: () => step('fsync', path, () => disk.sync(inode)),
      isBeingWritten: () => step('lease', path, () => inode.writers > (writes ? 1 : 0)),
      async close() {
        if (life.dead) return never();
        if (open) disk.closed(inode, writes);
        open = false;
      },
    };
  };
  return {
    realpath: (path) => step('realpath', path, () => (disk.at(path), path)),
    facts: (path) => step('stat', path, () => disk.factsOf(disk.at(path))),
    open: (path) => step('open', path, () => handle(disk.at(path), path, false)),
    create: (path) => step('create', path, () => handle(disk.create(path, 'todone'), path, true)),
    exchange: (a, b) => {
      // Where a save hurts most.
      if (world.pick(3) > 0) world.resumeAt.fill(0);
      return step('exchange', b, () => {
        if (!of.exchanges) return { unsupported: 'the simulation says so' };
        disk.exchange(a, b, 'todone');
        return undefined;
      });
    },
    link: (from, to) => step('link', from, () => disk.link(from, to, 'todone')),
    rename: (from, to) => step('rename', from, () => disk.rename(from, to, 'todone')),
    unlink: (path) => step('unlink', path, () => disk.unlink(path, 'todone')),
    names: (folder) => step('readdir', folder, () => disk.namesIn(folder)),
    makeFolder: (path) => step('mkdir', path, () => void (disk.find(path) ?? disk.create(path, 'todone', 'folder'))),
    syncFolder: (folder) => step('fsync', folder, () => disk.syncFolder(folder)),
  };
}

function clockOf(world: World, life: Life): Clock {
  return {
    now: () => 1_800_000_000_000 + world.ticks,
    ticks: () => world.ticks,
    after(ms, then) {
      const id = ++world.timerIds;
      if (!life.dead) world.timers.set(id, { at: world.ticks + Math.max(0, ms), life, run: then });
      return () => void world.timers.delete(id);
    },
  };
}

function begin(world: World): { readonly life: Life; readonly file: ListFile } {
  const life: Life = { dead: false };
  world.lives.add(life);
  const { rooms } = world;
  const file = rooms.openTaskFile({
    path: LIST,
    stateDir: STATE,
    maxListBytes: 1024 * 1024,
    apply: (text, edits, known) => rooms.applyEdits(text, edits, rooms.defaultParseOptions, known),
    gitState: async () => ({ position: '', listIsCommitted: false }),
    clock: clockOf(world, life),
    log: {
      write: (_, message) => {
        world.trace(`log: ${message}`);
        if (message.startsWith('the list was saved') || message.startsWith('a save of the list')) world.raced++;
      },
    },
    random: world.random,
    disk: diskOf(world, life),
    store: world.store.forProcess(life, () => call(world, life)),
  });
  return { life, file };
}

/** Until `work` has ended or its process has: lets all run that is ready, and then time go to the next timer. */
async function drive(world: World, life: Life, work: Promise<unknown>): Promise<void> {
  let ended = false;
  const watched = async (): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof Death) && !isRefusal(world, error)) world.faults.add(`threw: ${error instanceof Error ? error.message : String(error)}`);
    }
    ended = true;
  };
  void watched();
  for (let rounds = 0; ; rounds++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (ended || life.dead) return;
    if (rounds > CALLS_MAX || world.calls > CALLS_MAX) return void world.faults.add('liveness: a call does not end');
    tick(world);
  }
}

/** Failing calls are said to the caller; so is a list that an editor has away for longer than is waited. */
function isRefusal({ of }: World, error: unknown): boolean {
  const { name, code } = error as { readonly name?: string; readonly code?: string };
  return (name === 'ListRefused' && (of.faults || code === 'ENOENT' || code === 'EBUSY')) || of.faults;
}

function tick(world: World): void {
  if (!world.quiet) between(world);
  const [id, next] = [...world.timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
  if (id === undefined || !next) {
    world.ticks += 1;
    return;
  }
  world.timers.delete(id);
  world.ticks = Math.max(world.ticks, next.at);
  if (!next.life.dead) next.run();
}

async function episodeOf(world: World): Promise<void> {
  const processes = Array.from({ length: world.of.writers }, () => begin(world));
  await Promise.all(
    processes.map(async (process) => {
      await drive(world, process.life, process.file.recover());
      for (let edits = 1 + world.pick(4); edits > 0 && !process.life.dead; edits--) {
        world.savesLeft = 1 + world.pick(3);
        await drive(world, process.life, edit(world, process.file));
        for (let idle = world.pick(world.pick(4) === 0 ? 60 : 4); idle > 0 && !process.life.dead; idle--) {
          tick(world);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }),
  );
  const died = processes.some(({ life }) => life.dead);
  for (const { life, file } of processes) {
    if (life.dead) continue;
    // A process that ends in order, with whatever is open.
    await drive(world, life, file.close());
    life.dead = true;
    world.lives.delete(life);
  }
  if (!died && !world.of.faults) {
    const known = new Set(world.store.open().map(({ displaced }) => displaced));
    for (const path of tempsOf(world)) if (!known.has(path)) world.faults.add(`I9: ${path} is left by a living process`);
  }
}

async function edit(world: World, file: ListFile): Promise<void> {
  const edits = [anEdit(world), ...(world.pick(3) === 0 ? [anEdit(world)] : [])];
  world.trace(`edit ${JSON.stringify(edits)}`);
  const written = await file.edit(edits);
  if (written.wrote) world.writes++;
  if (written.reading.kind === 'read' && written.reading.text.includes('\0')) world.faults.add('I2: zeros were read as text');
}

function anEdit(world: World): Edit {
  const { pick, ledger } = world;
  const index = pick(IDS.length);
  const target = { section: 'a', text: `task ${wordOf('t', index)}`, occurrence: 0 };
  switch (pick(6)) {
    case 0: {
      const word = wordOf('n', world.words++);
      ledger.fates.set(word, 'maybe');
      return { kind: 'note', target, text: `a note ${word}` };
    }
    case 1: {
      const word = wordOf('i', world.words++);
      ledger.fates.set(word, 'maybe');
      ledger.lines.set(word, `[] filed ${word}`);
      return { kind: 'insert', where: { at: 'below', target }, task: { state: 'open', title: `filed ${word}`, tags: [] } };
    }
    default:
      return markOf(index, STATES[pick(STATES.length)] ?? 'failed');
  }
}

const STATES: readonly MarkerState[] = ['in_progress', 'failed', 'done', 'in_progress'];

function markOf(index: number, state: MarkerState): Edit {
  return {
    kind: 'mark',
    target: { section: 'a', text: `task ${wordOf('t', index)}`, occurrence: 0 },
    expect: ['open', 'in_progress', 'failed', 'done'],
    marker: { state, id: IDS[index], ...(state === 'done' ? { hash: 'a1b2c3d' } : {}) },
  };
}

// ── the end ──────────────────────────────────────────────────────────────────────────────────────

const LAST: readonly ListState[] = ['done', 'failed', 'in_progress', 'done'];

/** People finish what they are at, nothing dies or fails any more: the next process finds what is left and ends its work. */
async function rest(world: World): Promise<void> {
  world.quiet = true;
  world.fuse = Number.POSITIVE_INFINITY;
  world.failAt = Number.POSITIVE_INFINITY;
  const { life, file } = begin(world);
  for (let steps = 0; world.sessions.some(Boolean) && steps < 1000; steps++) for (const [index] of world.sessions.entries()) stepEditor(world, index);
  await drive(world, life, file.recover());
  await drive(world, life, file.edit(IDS.map((_, index) => markOf(index, LAST[index] ?? 'done'))));
  const until = world.ticks + QUIET_MS;
  while (world.timers.size > 0 && world.ticks < until) {
    tick(world);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (world.timers.size > 0) world.faults.add('liveness: the displaced versions are looked after without end');
  await drive(world, life, file.close());
}

const tempsOf = ({ disk }: World): string[] =>
  disk
    .namesIn(FOLDER)
    .filter((name) => name.startsWith('.todone-'))
    .map((name) => `${FOLDER}/${name}`);

function judge(world: World): void {
  const { disk, store, ledger, faults } = world;
  const text = disk.find(LIST)?.bytes.toString('utf8');
  const versions = disk.find(`${STATE}/versions`) ? disk.namesIn(`${STATE}/versions`) : [];
  const words = wordsIn(text ?? '');
  // Each line that is there at all, as it was typed.
  const human = [...ledger.lines].filter(([word]) => words.has(word)).map(([, line]) => line);
  const found = violations({
    list: text,
    archive: versions.map((name) => ({ name, text: disk.at(`${STATE}/versions/${name}`).bytes.toString('utf8') })),
    litter: tempsOf(world),
    expected: {
      words: ledger.fates,
      ...(world.messy ? {} : { human: `${human.join('\n')}\n` }),
      states: new Map(IDS.flatMap((_, index) => (words.has(wordOf('t', index)) ? [[wordOf('t', index), [LAST[index] ?? 'done']] as const] : []))),
      busy: true,
    },
  });
  // A line that was cut in two may stand beside its whole self.
  const sound = found.filter(({ message }) => !(world.messy && message.endsWith(' times')));
  for (const { rule, subject, message } of sound) faults.add(`${rule}: ${subject} ${message}`);
  if (store.open().length > 0) faults.add(`I9: ${store.open().length} intents are open`);
}
