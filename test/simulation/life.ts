/**
 * One whole life of a list in memory, from a seed: the production engine on twins of everything outside, a person and git
 * at work on the list, and crashes before and after any call that leaves the engine. The end is a quiet time without
 * crashes; then the oracle looks only at list, git and what agents did. Never uses real time, files or processes.
 */
import type { Config } from '../../src/config.ts';
import type { Engine, EnginePorts } from '../../src/engine/engine.ts';
import type { Agents, Branches, Clock, GitState, Journal, PhaseEnd, PhaseOrder, Reading, TaskFile, Verify, Written } from '../../src/engine/ports.ts';
import type { applyEdits } from '../../src/tasks/edit.ts';
import type { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Edit } from '../../src/tasks/task.ts';
import { memoryJournal, journalStore, type JournalStore } from '../twins/journal.ts';
import { memoryLanding } from '../twins/landing.ts';
import { memoryRepo, type MemoryRepo } from '../twins/repo.ts';
import { type MemoryWorkspaces, memoryWorkspaces } from '../twins/workspaces.ts';

/** The rooms under test: the production ones, or a copy with a planted fault. */
export type Rooms = {
  readonly createEngine: (ports: EnginePorts) => Engine;
  readonly applyEdits: typeof applyEdits;
  readonly parse: typeof parse;
  readonly defaultParseOptions: typeof defaultParseOptions;
  readonly config: Config;
};

export type Life = { readonly seed: number; readonly faults: readonly string[]; readonly crashes: number; readonly commits: number; readonly steps: number };

/**
 * `narrow` = one task of a section at a time, and none of what comes with several: as lives once were; `old buffers` = a person's editor
 * keeps a text for a while and saves it over what came after, and agents hand tasks back.
 */
export type LifeKind = 'wide' | 'narrow' | 'old buffers';

const EPISODES_MAX = 6;
const STEPS_MAX = 4000;
/** A virtual minute in which a quiet system has to come to rest. */
const QUIET_MS = 600_000;

/** Lives it; `faults` names every promise that did not hold. */
export async function live(seed: number, rooms: Rooms, kind: LifeKind = 'wide'): Promise<Life> {
  const world = makeWorld(seed, rooms, kind);
  let crashes = 0;
  let steps = 0;
  const episodes = 1 + world.pick(EPISODES_MAX);
  for (let episode = 0; episode <= episodes; episode++) {
    const quiet = episode === episodes;
    // A person answers what was asked until then.
    if (quiet && world.buffers) setText(world, world.text.replaceAll(' {decision}', ''));
    const outcome = await runEpisode(world, rooms, quiet);
    steps += outcome.steps;
    if (outcome.crashed) crashes++;
    if (quiet && !outcome.idle) world.faults.push('did not come to rest');
  }
  judge(world, rooms);
  return { seed, faults: [...new Set(world.faults)], crashes, commits: landedCommits(world).length, steps };
}

// ── the outside ──────────────────────────────────────────────────────────────────────────────────

type Outside = {
  readonly random: () => number;
  readonly pick: (below: number) => number;
  readonly faults: string[];
  readonly repo: MemoryRepo;
  readonly store: JournalStore;
  /** Phase ends that were written to disk. */
  readonly ends: Map<string, PhaseEnd>;
  /** Phases begun by task, to count what ran twice at once. */
  readonly live: Map<string, number>;
  readonly tries: Map<string, number>;
  readonly words: Set<string>;
  readonly narrow: boolean;
  readonly buffers: boolean;
  /** What a person's editor has open, and saves over whatever is there by then. */
  buffer: string | undefined;
  readonly config: Config;
  /** Who is in a workspace now, and which tasks of a section are in a phase. */
  readonly places: Map<string, string>;
  readonly atWork: Map<string, PhaseOrder>;
  /** Checks that run now, by section; trees on which one has passed. */
  readonly checking: Map<string, number>;
  readonly passed: Set<string>;
  /** What a person's own change last made of a task, by its word. */
  readonly wishes: Map<string, 'cancelled' | 'done' | 'stopped' | 'undone'>;
  text: string;
  version: number;
  gitPosition: number;
  committed: string;
  now: number;
  ticks: number;
  words_made: number;
};

function makeWorld(seed: number, rooms: Rooms, kind: LifeKind): Outside {
  const narrow = kind === 'narrow';
  const random = generator(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const outside: Outside = {
    random,
    pick,
    faults: [],
    repo: memoryRepo(),
    store: journalStore(),
    ends: new Map(),
    live: new Map(),
    tries: new Map(),
    words: new Set(),
    narrow,
    buffers: kind === 'old buffers',
    buffer: undefined,
    config: narrow ? { ...rooms.config, parallel: 1 } : { ...rooms.config, verify: 'check', landBatch: [1, 1, 2, 5][pick(4)] ?? 1, maxAgents: 2 + pick(6) },
    places: new Map(),
    atWork: new Map(),
    checking: new Map(),
    passed: new Set(),
    wishes: new Map(),
    text: '',
    version: 0,
    gitPosition: 0,
    committed: '',
    now: 1_800_000_000_000,
    ticks: 0,
    words_made: 0,
  };
  const sections = 1 + pick(3);
  for (let section = 0; section < sections; section++) {
    outside.text += `## Git Worktree part-${section}\n`;
    const tasks = 1 + pick(5);
    for (let task = 0; task < tasks; task++) outside.text += `${newLine(outside)}\n`;
    outside.text += '\n';
  }
  outside.committed = outside.text;
  return outside;
}

const BEHAVIOURS = ['add', 'add', 'add', 'add', 'add', 'slow', 'flaky', 'empty', 'broken', 'faulty'] as const;

/** Two that clash pass their check alone and fail it together; those that write the same file conflict. */
const WIDE = [...BEHAVIOURS, 'clash', 'same', 'same'] as const;
const ASKING = [...WIDE, 'asks', 'asks', 'asks', 'wonders', 'wonders'] as const;
/** Any two of them meet, save for the first and the last. */
const FILES = ['one/**', 'one/a.txt, two/**', 'two/b.txt'] as const;

function newLine(outside: Outside): string {
  const word = `W${outside.words_made++}W`;
  outside.words.add(word);
  const behaviours = outside.narrow ? BEHAVIOURS : outside.buffers ? ASKING : WIDE;
  const behaviour = behaviours[outside.pick(behaviours.length)] ?? 'add';
  const marker = outside.pick(4) === 0 ? '[⏰]' : '[]';
  const line = `${marker} ${behaviour} ${word}${outside.pick(6) === 0 ? ' {p1}' : ''}`;
  return outside.narrow || outside.pick(3) > 0 ? line : `${line}\n  files: ${FILES[outside.pick(FILES.length)] ?? ''}`;
}

// ── one process ──────────────────────────────────────────────────────────────────────────────────

type Fuse = { left: number; dead: boolean };

async function runEpisode(outside: Outside, rooms: Rooms, quiet: boolean): Promise<{ crashed: boolean; idle: boolean; steps: number }> {
  const fuse: Fuse = { left: quiet ? Number.POSITIVE_INFINITY : 1 + outside.pick(120), dead: false };
  const timers = new Map<number, { at: number; run: () => void }>();
  let timerId = 0;
  const clock: Clock = {
    now: () => outside.now,
    ticks: () => outside.ticks,
    after(ms, then) {
      const id = ++timerId;
      timers.set(id, { at: outside.ticks + Math.max(0, ms), run: then });
      return () => timers.delete(id);
    },
  };
  outside.live.clear();
  outside.places.clear();
  outside.atWork.clear();
  outside.checking.clear();
  let engine: Engine | undefined;
  let idle = false;
  let steps = 0;
  const until = outside.ticks + QUIET_MS;
  try {
    engine = rooms.createEngine(portsOf(outside, rooms, clock, fuse));
    void engine.start().catch((error: unknown) => die(fuse, outside, error));
    await settleMicrotasks();
    const running = engine;
    void running.broken.catch((error: unknown) => die(fuse, outside, error));
    let rested = false;
    void running.whenIdle().then(() => (rested = true));
    while (!fuse.dead && steps++ < STEPS_MAX) {
      await settleMicrotasks();
      if (fuse.dead) break;
      if (!quiet && outside.pick(8) === 0) person(outside, rooms);
      if (outside.pick(3) === 0 || timers.size === 0) void running.look().catch((error: unknown) => die(fuse, outside, error));
      await settleMicrotasks();
      if (rested && (quiet ? timers.size === 0 || outside.ticks > until : outside.pick(4) === 0)) {
        await settleMicrotasks();
        idle = true;
        if (!quiet || looksRested(running)) break;
      }
      tick(outside, timers, fuse);
    }
  } catch (error) {
    die(fuse, outside, error);
  }
  fuse.dead = true;
  return { crashed: !idle, idle, steps };
}

/** Idle was said at some time; at the end it has to be so for good. */
function looksRested(engine: Engine): boolean {
  return engine.now().world.runs.size === 0;
}

class Crash extends Error {}

function die(fuse: Fuse, outside: Outside, error: unknown): void {
  if (!(error instanceof Crash) && !fuse.dead) outside.faults.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
  fuse.dead = true;
}

function tick(outside: Outside, timers: Map<number, { at: number; run: () => void }>, fuse: Fuse): void {
  const [id, next] = [...timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
  const step = next ? Math.max(0, next.at - outside.ticks) : 1000;
  outside.ticks += step;
  outside.now += step;
  if (id === undefined || !next) return;
  timers.delete(id);
  try {
    next.run();
  } catch (error) {
    die(fuse, outside, error);
  }
}

/** Everything that is ready runs; no real time passes. */
async function settleMicrotasks(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Counts calls that leave the engine; dies before or after the call where the fuse ends. */
function burn(fuse: Fuse): void {
  if (fuse.dead) throw new Crash();
  if (--fuse.left <= 0) {
    fuse.dead = true;
    throw new Crash();
  }
}

/** A call of a dead process never answers. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function mortal<T extends object>(port: T, fuse: Fuse): T {
  return new Proxy(port, {
    get(target, key, receiver) {
      const member: unknown = Reflect.get(target, key, receiver);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        try {
          burn(fuse);
        } catch {
          return never();
        }
        const answer: unknown = (member as (...args: unknown[]) => unknown).apply(target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.then((value: unknown) => {
          try {
            burn(fuse);
          } catch {
            return never();
          }
          return value;
        });
      };
    },
  });
}

function portsOf(outside: Outside, rooms: Rooms, clock: Clock, fuse: Fuse): EnginePorts {
  const busy = (slot: number): boolean => !outside.narrow && slot < 3 && fuse.left < Number.POSITIVE_INFINITY && outside.pick(12) === 0;
  const workspaces = memoryWorkspaces(outside.repo, {
    prepare: (order) => (busy(order.slot) ? { kind: 'busy', message: 'a person is at work in it' } : undefined),
  });
  const journal = memoryJournal({ store: outside.store });
  const loose: Loose = new Set();
  return {
    clock,
    list: mortal(listTwin(outside, rooms, loose), fuse),
    journal: mortalJournal(journal, fuse, loose),
    workspaces: mortal(workspaces, fuse),
    landing: mortal(memoryLanding(outside.repo), fuse),
    branches: mortal(branchesTwin(), fuse),
    agents: agentsTwin(outside, workspaces, rooms, fuse),
    verify: mortal(verifyTwin(outside, workspaces, fuse), fuse),
    // Before `verify`, and judged as it is.
    landHooks: { run: async () => ({ kind: 'fine' }) },
    prompts: { fill: () => '', limitMs: () => undefined },
    log: { write: () => undefined },
    config: () => outside.config,
    random: outside.random,
    instance: 'simulation',
    works: true,
    waits: false,
    patienceMs: 0,
  };
}

/** The base does not move, and is sometimes in the way; a remote does not always answer. */
function branchesTwin(): Branches {
  let calls = 0;
  return {
    merge: async () => (++calls % 4 === 0 ? { kind: 'busy', message: 'in use', remedy: 'wait' } : { kind: 'current', message: 'nothing to merge' }),
    verify: async () => undefined,
    advance: async () => ({ kind: 'moved' }),
    push: async () => (++calls % 3 === 0 ? { kind: 'later', why: 'network', message: 'no answer', remedy: 'wait' } : { kind: 'done', message: 'pushed' }),
    pullRequest: async () => ({ kind: 'done', message: 'made' }),
  };
}

/** Ids of rows that the disk has not been waited for: what is written into the list would outlive them at a power cut. */
type Loose = Set<string>;

/** A commit either happened or it did not; a process that dies in it learns neither. */
function mortalJournal(journal: Journal, fuse: Fuse, loose: Loose): Journal {
  return {
    ...journal,
    load: () => journal.load(),
    commit(changes, later) {
      burn(fuse);
      journal.commit(changes, later);
      if (later) for (const id of changes.known.keys()) loose.add(id);
      else loose.clear();
      burn(fuse);
    },
    async secure() {
      await journal.secure();
      loose.clear();
    },
  };
}

function listTwin(outside: Outside, rooms: Rooms, loose: Loose): TaskFile {
  const reading = (): Reading => ({ kind: 'read', text: outside.text, version: String(outside.version), modifiedAt: outside.now, git: gitState(outside) });
  return {
    path: '/repo/tasks.md',
    read: async () => reading(),
    async edit(edits: readonly Edit[]): Promise<Written> {
      const early = edits.find((edit) => 'target' in edit && edit.target.id !== undefined && loose.has(edit.target.id));
      if (early) outside.faults.push('2-R2: the list was written before the row was on the disk');
      const { text, results } = rooms.applyEdits(outside.text, edits, rooms.defaultParseOptions);
      const wrote = text !== outside.text;
      if (wrote) setText(outside, text);
      return { results, reading: reading(), wrote };
    },
    watch: async () => async () => undefined,
    recover: async () => undefined,
    keep: async () => '',
  };
}

const gitState = (outside: Outside): GitState => ({ position: String(outside.gitPosition), listIsCommitted: outside.text === outside.committed });

function setText(outside: Outside, text: string): void {
  outside.text = text;
  outside.version++;
}

/** Passes unless two that clash are both there. */
function verifyTwin(outside: Outside, workspaces: MemoryWorkspaces, fuse: Fuse): Verify {
  return {
    async run(order, command, workspace) {
      const now = (outside.checking.get(order.section) ?? 0) + 1;
      outside.checking.set(order.section, now);
      if (now > 1) outside.faults.push('I6: two landings of one section at once');
      for (let turn = outside.pick(4); turn > 0; turn--) await settleMicrotasks();
      if (fuse.dead) return never();
      outside.checking.set(order.section, now - 1);
      const ok = !clashes(workspaces.filesOf(workspace));
      return { ok, command, output: '', code: ok ? 0 : 1, timedOut: false };
    },
    hasPassed: (tree) => outside.passed.has(tree),
    passed: (tree) => void outside.passed.add(tree),
  };
}

const clashes = (files: ReadonlyMap<string, string>): boolean => [...files.keys()].filter((path) => path.endsWith('.clash')).length > 1;

function agentsTwin(outside: Outside, workspaces: MemoryWorkspaces, rooms: Rooms, fuse: Fuse): Agents {
  return {
    list: () => [{ name: 'fake', installed: true, takes: 'anything', steps: ['plan', 'implement', 'update'], learns: true }],
    preview: () => 'fake',
    sweep: async () => 0,
    async run(order, activity, signal) {
      const key = `${order.id} ${order.ticket} ${order.step}`;
      const written = outside.ends.get(key);
      if (written) return written;
      if (fuse.dead) return never();
      beginPhase(outside, rooms, order);
      activity({ kind: 'text', text: 'working' });
      const turns = order.task.title.startsWith('slow') ? 3 + outside.pick(20) : outside.pick(4);
      for (let turn = 0; turn < turns && !signal.aborted; turn++) await settleMicrotasks();
      if (fuse.dead) return never();
      const end = signal.aborted ? ended({ kind: 'final', reason: 'cancelled', message: 'stopped' }) : behave(outside, workspaces, order);
      if (!signal.aborted) outside.ends.set(key, end);
      outside.live.set(order.id, (outside.live.get(order.id) ?? 1) - 1);
      outside.places.delete(order.workspace);
      outside.atWork.delete(order.id);
      if (fuse.left < Number.POSITIVE_INFINITY && outside.pick(40) === 0) {
        fuse.dead = true;
        return never();
      }
      return end;
    },
  };
}

function beginPhase(outside: Outside, rooms: Rooms, order: PhaseOrder): void {
  const alive = (outside.live.get(order.id) ?? 0) + 1;
  outside.live.set(order.id, alive);
  if (alive > 1) outside.faults.push('I4: two live agents for one task');
  if (outside.places.has(order.workspace)) outside.faults.push('I5: two live agents in one workspace');
  outside.places.set(order.workspace, order.id);
  for (const other of outside.atWork.values())
    if (other.section === order.section && sameFiles(filesOf(order), filesOf(other))) outside.faults.push('I5: two tasks side by side on the same files');
  outside.atWork.set(order.id, order);
  if (landedCommits(outside).some((commit) => commit.task === order.id)) outside.faults.push('I3: a task that had landed was run again');
  void rooms;
}

const filesOf = (order: PhaseOrder): string => order.task.fields.find((field) => field.key === 'files')?.value ?? '';
const sameFiles = (a: string, b: string): boolean => a !== '' && b !== '' && (a === b || [a, b].some((files) => files === FILES[1]));

const ended = (end: PhaseEnd['end']): PhaseEnd => ({ end, tail: '', found: {} });

function behave(outside: Outside, workspaces: MemoryWorkspaces, order: PhaseOrder): PhaseEnd {
  if (order.step === 'plan' && !outside.narrow && outside.pick(3) === 0)
    return { end: { kind: 'done' }, tail: 'a plan', found: { outcome: 'done', files: [`${outside.pick(3)}.txt`] } };
  if (order.step !== 'implement') return { end: { kind: 'done' }, tail: 'a plan', found: { outcome: 'done' } };
  const word = order.task.title.split(' ')[1] ?? '';
  const tries = (outside.tries.get(word) ?? 0) + 1;
  outside.tries.set(word, tries);
  const behaviour = order.task.title.split(' ')[0];
  if (behaviour === 'broken') return ended({ kind: 'final', reason: 'agent_failed', message: 'exit 1' });
  if (behaviour === 'flaky' && tries === 1) return ended({ kind: 'final', reason: 'agent_failed', message: 'exit 1' });
  if (behaviour === 'faulty' && tries <= 2) return ended({ kind: 'transient', reason: 'agent_failed', message: 'overloaded' });
  if (behaviour === 'asks' && tries === 1)
    return {
      end: { kind: 'done' },
      tail: '',
      found: { outcome: 'needs_prerequisite', asks: { kind: 'prerequisite', tasks: [{ title: `add ${word.replaceAll('W', 'P')}` }] } },
    };
  if (behaviour === 'wonders' && tries === 1)
    return { end: { kind: 'done' }, tail: '', found: { outcome: 'needs_decision', asks: { kind: 'decision', question: 'which?' } } };
  const files = workspaces.filesOf(order.workspace);
  if (behaviour === 'same') files.set('same.txt', `${word}\n`);
  if (behaviour !== 'empty') files.set(behaviour === 'clash' ? `${word}.clash` : `${word}.txt`, `${word}\n`);
  return { end: { kind: 'done' }, tail: '', found: { outcome: 'done' } };
}

// ── a person, and git ────────────────────────────────────────────────────────────────────────────

type Deed = (outside: Outside, lines: string[]) => string[];

const DEEDS: readonly Deed[] = [
  (outside, lines) => insert(outside, lines, newLine(outside)),
  (outside, lines) => {
    const word = `W${outside.words_made++}W`;
    outside.words.add(word);
    return [...lines, `A remark: ${word}`];
  },
  // It may have landed before it was stopped, and is held then.
  (outside, lines) =>
    change(outside, lines, /^\[❌[^\]]*\]/u, (word) => (outside.buffers && outside.wishes.get(word) === 'stopped' && outside.wishes.set(word, 'undone'), '[]')),
  (outside, lines) => change(outside, lines, /^\[🟡[^\]]*\]/u, (word) => (outside.wishes.set(word, 'stopped'), '[❌]')),
  // Start it over; where it has just landed, the line stays as typed and is held (1.4-R8).
  (outside, lines) => change(outside, lines, /^\[🟡[^\]]*\]/u, (word) => (outside.wishes.set(word, 'undone'), '[]')),
  (outside, lines) => change(outside, lines, /^\[🟡[^\]]*\]/u, (word) => (outside.wishes.set(word, 'cancelled'), '[-]')),
  (outside, lines) => change(outside, lines, /^\[\]/u, (word) => (outside.wishes.set(word, 'done'), '[x]')),
  (outside, lines) => change(outside, lines, /^\[✅[^\]]*\]/u, (word) => (outside.wishes.set(word, 'undone'), '[]')),
];

function person(outside: Outside, rooms: Rooms): void {
  if (outside.buffer !== undefined) return outside.pick(3) === 0 ? saveBuffer(outside, outside.buffer) : undefined;
  if (outside.buffers && outside.pick(4) === 0) return void (outside.buffer = outside.text);
  if (outside.pick(12) === 0) return rollback(outside);
  const deed = DEEDS[outside.pick(DEEDS.length)];
  if (deed) setText(outside, deed(outside, outside.text.split('\n')).join('\n'));
  void rooms;
}

/** A single marker that goes back with it cannot be told from a wish. */
function saveBuffer(outside: Outside, buffer: string): void {
  outside.buffer = undefined;
  const marked = new Map(outside.text.split('\n').flatMap((line) => markOf(line)));
  for (const [word, mark] of buffer.split('\n').flatMap((line) => markOf(line))) {
    const now = marked.get(word) ?? '';
    if (/^(?:🟡|✅)/u.test(now) && /^(?:⏰)?$/u.test(mark)) outside.wishes.set(word, 'undone');
    if (/^(?:🟡|✅)/u.test(now) && mark.startsWith('❌')) outside.wishes.set(word, 'stopped');
  }
  const word = `W${outside.words_made++}W`;
  outside.words.add(word);
  setText(outside, `${buffer}\nA remark: ${word}\n`);
}

function markOf(line: string): [word: string, mark: string][] {
  const [, mark = '', word = ''] = /^\[([^\]]*)\].* ([WP]\d+[WP])/u.exec(line) ?? [];
  return word === '' ? [] : [[word, mark]];
}

/** `git stash`, `checkout`, `reset`: HEAD moves and every marker goes back to what was committed. */
function rollback(outside: Outside): void {
  outside.gitPosition++;
  const back = outside.text.replaceAll(/^\[(?:✅|❌|🟡)[^\]]*\]/gmu, (marker, at: number) => {
    const line = outside.text.slice(at, outside.text.indexOf('\n', at) === -1 ? undefined : outside.text.indexOf('\n', at));
    const words = /W\d+W/.exec(line)?.[0] ?? ' ';
    return outside.committed.includes(words) ? '[]' : marker;
  });
  setText(outside, back);
  outside.committed = back;
}

function insert(outside: Outside, lines: string[], line: string): string[] {
  const headings = lines.flatMap((text, index) => (text.startsWith('## ') ? [index] : []));
  const at = (headings[outside.pick(headings.length)] ?? 0) + 1;
  return [...lines.slice(0, at), line, ...lines.slice(at)];
}

function change(outside: Outside, lines: string[], marker: RegExp, to: (word: string) => string): string[] {
  const fitting = lines.flatMap((text, index) => (marker.test(text) && /W\d+W/.test(text) ? [index] : []));
  const at = fitting[outside.pick(Math.max(1, fitting.length))];
  if (at === undefined) return lines;
  const line = lines[at] ?? '';
  const word = /W\d+W/.exec(line)?.[0] ?? '';
  return lines.with(at, line.replace(marker, to(word)));
}

// ── the oracle ───────────────────────────────────────────────────────────────────────────────────

const HOPELESS: readonly string[] = ['empty', 'broken'];
/** One that clashes with what has landed, and one that met the same file too often. */
const MAY_FAIL: readonly string[] = ['clash', 'same'];

function landedCommits(outside: Outside): { readonly id: string; readonly task: string }[] {
  return [...outside.repo.branches.values()].flat().flatMap((id) => {
    const task = outside.repo.commits.get(id)?.task;
    return task === undefined ? [] : [{ id, task }];
  });
}

/** Every commit on a branch holds what its check promises, and nothing that was given back to be settled. */
function judgeBranches(outside: Outside): void {
  for (const branch of outside.repo.branches.values()) {
    for (const [at, id] of branch.entries()) {
      const commit = outside.repo.commits.get(id);
      if (!commit) continue;
      if (at > 0 && commit.parent !== branch[at - 1]) outside.faults.push('I6: a branch is no line of commits');
      if (!outside.narrow && clashes(commit.files)) outside.faults.push('I6: a commit on the branch fails its check');
      if ([...commit.files.values()].some((text) => text.includes('<<<<<<<'))) outside.faults.push('I6: conflict markers have landed');
    }
  }
}

function judge(outside: Outside, rooms: Rooms): void {
  const { faults } = outside;
  for (const word of outside.words) if (!outside.text.includes(word)) faults.push('I1: a word of a person is lost');
  for (const word of outside.words) if (outside.text.split(word).length > 2) faults.push('I2: a word of a person is there twice');
  const board = rooms.parse(outside.text, rooms.defaultParseOptions);
  const commits = landedCommits(outside);
  if (new Set(commits.map((commit) => commit.task)).size !== commits.length) faults.push('I3: a task landed twice');
  judgeBranches(outside);
  for (const section of board.sections) {
    let barrier = false;
    // What waits for one that a person set back waits with it; an agent's is right above.
    const setBack = new Set<string>();
    for (const task of section.tasks) {
      const { state, id, hash } = task.marker;
      const [behaviour = '', word = ''] = task.title.split(' ');
      const wish = outside.wishes.get(word);
      const commit = id === undefined ? undefined : commits.find((candidate) => candidate.task === id);
      const waits = task.tags.some(({ key, value }) => key === 'decision' || (key === 'after' && setBack.has(value ?? '')));
      const held = (state === 'open' || state === 'blocked') && (wish === 'undone' || waits);
      for (const { key, value } of task.tags) if (held && key === 'id') setBack.add(value ?? '');
      if (state === 'done' && id !== undefined && !(commit ? hash !== undefined && commit.id.startsWith(hash) : hash === '-'))
        faults.push('I3: ✅ without its commit');
      if (state === 'in_progress') faults.push('I7: 🟡 though nothing runs');
      // What had landed may show 🟡 in an old buffer, and a person stops it there; or sets back what is just being put right.
      const confused = outside.buffers && (wish === 'stopped' || wish === 'undone');
      if (state === 'failed' && commit && !confused) faults.push('I7: ❌ though it has landed');
      if (state === 'open' && !held) faults.push('liveness: [] though it may start, or git took a marker back');
      if (state === 'blocked' && !barrier && !held) faults.push('liveness: [⏰] though everything above is done');
      if (state === 'done' && HOPELESS.includes(behaviour) && wish !== 'done') faults.push('truth: ✅ on a task that cannot succeed');
      if (state === 'failed' && !HOPELESS.includes(behaviour) && !MAY_FAIL.includes(behaviour) && wish !== 'stopped' && !confused)
        faults.push('truth: ❌ on a task that can succeed');
      if (wish === 'cancelled' && state !== 'cancelled') faults.push("truth: a person's [-] was overwritten");
      if (wish === 'done' && !(state === 'done' && hash === undefined)) faults.push("truth: a person's [x] was overwritten");
      if (state !== 'done' && state !== 'cancelled') barrier = true;
    }
  }
  if (faults.length === 0 && outside.text.includes('[🟡')) faults.push('I7: 🟡 is left');
}

/** mulberry32: the same seed, the same life. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
