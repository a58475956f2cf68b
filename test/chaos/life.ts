/**
 * A whole repository under a daemon, with agents that leave children behind, note what they do, and notice each other; and the
 * verdict of the common oracle once everything has come to rest.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGit, collectList, collectProcesses } from '../oracle/collect.ts';
import { type Fate, type Living, type Rule, violations } from '../oracle/oracle.ts';
import { tasksIn, wordOf } from '../oracle/words.ts';
import type { Fault, Kind } from './table.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export type Daemon = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has said so far. */
  said(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
};

export type Life = {
  readonly top: string;
  readonly list: string;
  readonly stateDir: string;
  /** Starts `todone start` with these arguments, as the leader of a group. */
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Daemon;
  /** A person adds a line with a new word, by writing in place or by renaming. */
  edit(how: 'in place' | 'rename', random: () => number): void;
  /** A person works on a section's branch, so that landings there wait; until they are free. */
  busyBranch(): { free(): void };
  /** Pids of the agents' processes. */
  agents(): readonly number[];
  git(...args: readonly string[]): string;
  /** Starts it until nothing is left to do, and says what is not as it has to be. */
  rest(options?: RestOptions): Promise<readonly Fault[]>;
  end(): void;
};

export type RestOptions = {
  /** A person's word may have been in a save that the fault itself took away. */
  readonly words?: Fate;
  /** The journal was taken away: what had ended may be repeated, and an id in the list is all that is known. */
  readonly forgetful?: boolean;
  /** An agent was killed from outside, which is its failure: a person says `[]` again. */
  readonly retries?: boolean;
  /** No trace is left of some claims: their 🟡 is a person's then (2-R4), who says `[]` again. */
  readonly strangers?: boolean;
  /** Of the starts until then. */
  readonly env?: Readonly<Record<string, string>>;
  /** What was planted and need not go: it is in nobody's way. */
  readonly leaves?: RegExp;
  /** Branches that a person made. */
  readonly branches?: readonly string[];
};

export type LifeOptions = { readonly sections?: number; readonly tasks?: number; readonly verify?: boolean; readonly workMs?: number };

/** How long everything may take to come to rest. */
const REST_MS = 300_000;
/** And how long what is being killed may take to be gone. */
const GONE_MS = 60_000;
/** How often `start --once` is repeated: a backoff beyond what it waits for ends it early. */
const RESTS_MAX = 3;

export function makeLife(options: LifeOptions = {}): Life {
  const { sections = 2, tasks = 3, verify = true, workMs = 150 } = options;
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'chaos-')));
  const [top, notes, agent] = [join(root, 'repo'), join(root, 'notes'), join(root, 'agent.sh')];
  const [list, stateDir] = [join(top, 'tasks.md'), join(top, '.git', 'todone')];
  mkdirSync(top);
  mkdirSync(notes);
  writeFileSync(agent, agentScript(notes, workMs));
  const words = new Map<string, Fate>();
  let added = 0;
  let human = '# Work {script}\n\n';
  for (let section = 0; section < sections; section++) {
    human += `## Git Worktree s${section}\n`;
    for (let task = 0; task < tasks; task++) {
      const word = wordOf(`task${section}x`, task);
      words.set(word, 'once');
      human += `[] do ${word}\n  run: sh ${agent} ${section}x${task}\n${verify ? `  verify: test -s ${section}x${task}.txt\n` : ''}`;
    }
    human += '\n';
  }
  writeFileSync(list, human);
  writeFileSync(join(top, 'README.md'), '# x\n');
  // What agents note has to come out of their sandbox; and what a person adds is claimed while it can still be killed.
  writeFileSync(join(top, 'todone.config.json'), JSON.stringify({ sandbox: 'none', claimAfter: '0s', interval: '1s' }));
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Engineer');
  git('config', 'user.email', 'engineer@example.org');
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  const { guarded } = collectGit(top);
  const started: Daemon[] = [];

  const start: Life['start'] = (args = ['--once'], env = {}) => {
    const daemon = startDaemon(top, ['start', ...args], env);
    started.push(daemon);
    return daemon;
  };

  const life: Life = {
    top,
    list,
    stateDir,
    start,
    git,
    agents: () => livingIn(root).flatMap(({ pid, task }) => (task === 'none' ? [] : [pid])),
    busyBranch() {
      const other = join(root, 'other');
      git('worktree', 'add', '-q', '-b', 'todone/s1', other);
      writeFileSync(join(other, 'README.md'), '# mine\n');
      return {
        free() {
          rmSync(other, { recursive: true });
          git('worktree', 'prune');
        },
      };
    },
    edit(how, random) {
      const word = wordOf('person', added++);
      const line = `a remark ${word}\n`;
      human += line;
      words.set(word, 'once');
      const at = how === 'in place' ? list : `${list}.person`;
      const text = readFileSync(list, 'utf8');
      writeFileSync(at, random() < 0.5 ? text + line : insert(text, line));
      if (at !== list) renameSync(at, list);
    },
    async rest(rest = {}) {
      const faults: Fault[] = [];
      let ended: { code: number | null; out: string } = { code: null, out: '' };
      for (let left = RESTS_MAX; left > 0; left--) {
        ended = await untilIdle(start(undefined, rest.env));
        if (rest.retries && sayAgain(list, /\[❌[^\]]*\]/g)) continue;
        if (rest.strangers && sayAgain(list, /\[🟡[^\]]*\]/gu)) continue;
        if (ended.code !== 0 || tasksIn(textOf(list)).every(({ state }) => state === 'done')) break;
      }
      if (ended.code !== 0) faults.push({ kind: 'untrue', what: `start --once ended with ${ended.code}: ${ended.out.slice(-600)}` });

      // What a start leaves is gone by the time that its watchdog has looked.
      for (const until = performance.now() + GONE_MS; livingIn(root).length > 0 && performance.now() < until;) await sleep(50);
      const found = collectList(list, stateDir);
      const facts = collectGit(top);
      const expected = {
        words: rest.words === undefined ? words : new Map([...words.keys()].map((word) => [word, rest.words ?? 'once'] as const)),
        ...(rest.words === undefined && { human }),
        states: new Map([...words.keys()].filter((word) => word.startsWith('Wtask')).map((word) => [word, ['done'] as const])),
        ...(guarded && { guarded }),
        branches: [...Array.from({ length: sections }, (_, section) => `refs/heads/todone/s${section}`), ...(rest.branches ?? [])],
      };
      const wrong = violations({ list: found.list, archive: found.archive, git: facts, processes: livingIn(root), litter: found.litter, expected });
      for (const { rule, subject, message } of wrong) faults.push({ kind: KINDS[rule], what: `${rule} ${subject} ${message}` });
      return [...faults, ...judgeNotes(notes, rest.forgetful ?? false), ...judgeRepository(top, sections)].filter(({ what }) => !rest.leaves?.test(what));
    },
    end() {
      for (const { pid, child } of started) {
        if (child.exitCode === null && child.signalCode === null) kill(-pid, 'SIGKILL');
      }
      for (const { pid } of livingIn(root)) kill(pid, 'SIGKILL');
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
  return life;
}

const KINDS: Readonly<Record<Rule, Kind>> = {
  I1: 'lost',
  I2: 'lost',
  I3: 'doubles',
  I4: 'doubles',
  I5: 'orphans',
  I6: 'untrue',
  I7: 'untrue',
  I8: 'untrue',
  I9: 'orphans',
};

/** Notes each begin and end with the mark of its run; holds a lock of the kernel's while it lives; leaves a child behind. */
function agentScript(notes: string, workMs: number): string {
  return `exec 9>>"${notes}/$1.lock"
flock -n 9 || echo "double $TODONE_RUN" >> "${notes}/log"
echo "begin $TODONE_RUN" >> "${notes}/log"
grep -l '"end":{"kind":"done"' "\${TODONE_RESULT%/*/*/*}"/*/end-implement.json >/dev/null 2>&1 && echo "redone $TODONE_RUN" >> "${notes}/log"
setsid sleep 300 9>&- >/dev/null 2>&1 &
echo "$1" > "$1.txt"
sleep ${workMs / 1000}
echo "end $TODONE_RUN" >> "${notes}/log"
`;
}

function sayAgain(list: string, marker: RegExp): boolean {
  const text = textOf(list);
  const again = text.replaceAll(marker, '[]');
  if (again !== text) writeFileSync(list, again);
  return again !== text;
}

function insert(text: string, line: string): string {
  const at = text.indexOf('## Git Worktree s0\n');
  return at < 0 ? text + line : text.slice(0, at) + line + text.slice(at);
}

/** Two agents at once; phases that ran again although their end was written. */
function judgeNotes(notes: string, forgetful: boolean): readonly Fault[] {
  const lines = textOf(join(notes, 'log')).split('\n');
  const doubles = lines.filter((line) => line.startsWith('double '));
  const faults: Fault[] = doubles.map((line) => ({ kind: 'doubles', what: `two agents at once: ${line}` }));
  if (forgetful) return faults;
  return [
    ...faults,
    ...lines.filter((line) => line.startsWith('redone ')).map((line): Fault => ({ kind: 'redone', what: `its end was written before: ${line}` })),
  ];
}

function judgeRepository(top: string, sections: number): readonly Fault[] {
  const faults: Fault[] = [];
  const run = (...args: readonly string[]): string => execFileSync('git', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  try {
    const fsck = run('fsck', '--no-dangling');
    if (fsck !== '') faults.push({ kind: 'lost', what: `git fsck: ${fsck}` });
  } catch (error) {
    faults.push({ kind: 'lost', what: `git fsck: ${String(error)}` });
  }
  for (const name of namesIn(join(top, 'trees'))) {
    try {
      const status = run('-C', join(top, 'trees', name), 'status', '--porcelain');
      if (status !== '') faults.push({ kind: 'untrue', what: `trees/${name} is not clean: ${status}` });
    } catch (error) {
      faults.push({ kind: 'untrue', what: `trees/${name} is no worktree: ${String(error)}` });
    }
  }
  const entries = namesIn(join(top, '.git', 'worktrees'));
  const folders = namesIn(join(top, 'trees'));
  if (entries.length !== folders.length || folders.length < Math.min(1, sections))
    faults.push({ kind: 'orphans', what: `worktrees ${entries.join()}, folders ${folders.join()}` });
  for (const room of namesIn(join(top, '.git', 'todone', 'git', 'rooms')))
    for (const name of namesIn(join(top, '.git', 'todone', 'git', 'rooms', room)))
      if (name.endsWith('.lock')) faults.push({ kind: 'orphans', what: `rooms/${room}/${name}` });
  return faults;
}

function startDaemon(top: string, args: readonly string[], env: Readonly<Record<string, string>>): Daemon {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: top,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  return { child, pid: child.pid ?? 0, said: () => said, ended };
}

/** What a daemon says once it has looked at everything. */
const FIRST = 'the list is read';
const FIRST_MS = 60_000;

/** False where it ended before, or says nothing for very long. On a busy machine nothing else tells how far it is. */
export async function untilAwake(daemon: Daemon, lookMs = 20): Promise<boolean> {
  const until = performance.now() + FIRST_MS;
  while (!daemon.said().includes(FIRST) && performance.now() < until && daemon.child.exitCode === null) await sleep(lookMs);
  return daemon.said().includes(FIRST);
}

async function untilIdle(daemon: Daemon): Promise<{ code: number | null; out: string }> {
  const late = setTimeout(() => kill(-daemon.pid, 'SIGKILL'), REST_MS);
  const { code } = await daemon.ended;
  clearTimeout(late);
  return { code, out: daemon.said() };
}

/** False where there is no such process. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Processes with a mark that work in this life, and whatever else has its folder as its own. */
function livingIn(root: string): readonly Living[] {
  const marked = collectProcesses().filter(({ pid }) => textOf(`/proc/${pid}/environ`).includes(root));
  const others = namesIn('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || marked.some((each) => each.pid === pid) || !cwdOf(pid).startsWith(root)) return [];
    return [{ pid, task: 'none', run: textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }];
  });
  return [...marked, ...others];
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
