/**
 * One case of the campaign: a repository with a tracked list, a daemon that works on it with quick script tasks, a person who
 * saves words into it with one editor, at times a colleague with another one; then a quiet time, and the oracle.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, start } from '../e2e/kit.ts';
import { collectGit, collectList, collectProcesses } from '../oracle/collect.ts';
import { violations } from '../oracle/oracle.ts';
import type { Fate, Violation } from '../oracle/oracle.ts';
import { tasksIn } from '../oracle/words.ts';
import { sleep } from './editing.ts';

export const SECTIONS = ['s0', 's1', 's2'] as const;
const QUIET_MS = 150_000;
const STILL_MS = 30_000;

export type Scene = {
  readonly top: string;
  readonly list: string;
  readonly random: () => number;
  pick(below: number): number;
  text(): string;
  /** A new word, of which the oracle is to find one. */
  word(by: string, fate?: Fate): string;
  setFate(word: string, fate: Fate): void;
  fates(): ReadonlyMap<string, Fate>;
  /** A task with this word, as lines. */
  task(word: string): readonly string[];
  todone(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** Settles when it has read the list. */
  startDaemon(): Promise<void>;
  stopDaemon(): Promise<void>;
  /** What the daemon has said. */
  said(): string;
  /** The daemon has read the list as it is now, however busy the machine is. */
  seen(): Promise<void>;
  /** Waits until nothing on the list has anything left to be done. */
  quiet(): Promise<void>;
  judge(): Promise<Judged>;
  remove(): void;
};

export type Judged = { readonly found: readonly Violation[]; readonly doubleRuns: number; readonly orphans: readonly string[] };

/** Logs when it begins; says so when another one is at the same task, or when the task has landed before. */
const AGENT = `exec 9> "../../.git/agent-$TODONE_ID.held"
flock -n 9 || echo "$TODONE_ID two at once" >> ../../.git/double
[ -z "$(git log --branches='todone/*' --format=%h --grep "ToDone-Task: $TODONE_ID" -1)" ] || echo "$TODONE_ID had landed" >> ../../.git/double
sleep 0.$(( $$ % 5 ))
echo "$TODONE_ID" > "$TODONE_ID.txt"
`;

const TASK_LINE = '  run: sh ../../.git/agent.sh';

export function makeScene(name: string, seed: number, bullet = ''): Scene {
  const random = generator(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const top = mkdtempSync(join(tmpdir(), `editors-${name.replaceAll(/[^a-z0-9]+/gi, '-')}-`));
  const list = join(top, 'tasks.md');
  const words = new Map<string, Fate>();
  let daemon: ReturnType<typeof start> | undefined;
  let said = '';

  git(top, 'init', '-q', '-b', 'main');
  git(top, 'config', 'user.name', 'Engineer');
  git(top, 'config', 'user.email', 'engineer@example.org');
  writeFileSync(join(top, '.git', 'agent.sh'), AGENT);
  const word = (by: string, fate: Fate = 'once'): string => {
    const made = `W${by}${words.size}W`;
    words.set(made, fate);
    return made;
  };
  const task = (made: string): readonly string[] => [`${bullet}[] Do ${made}`, TASK_LINE];
  const sections = SECTIONS.map((section) => {
    const own = [0, 1].flatMap(() => task(word('first')));
    const failing = section === 's1' ? [`${bullet}[] Fails ${word('first')}`, '  run: exit 3'] : [];
    return [
      `## Git Worktree ${section} {script}`,
      ...own,
      ...failing,
      `${bullet}[⏰] Last ${word('first')}`,
      TASK_LINE,
      '',
      `A remark on ${section} ${word('first')}.`,
      '',
    ].join('\n');
  });
  writeFileSync(list, `# Work\n\n${sections.join('\n')}`);
  writeFileSync(join(top, 'todone.config.json'), JSON.stringify({ claimAfter: '200ms', interval: '500ms', settle: '2s', attempts: 1, sandbox: 'none' }));
  writeFileSync(join(top, 'README.md'), '# x\n');
  git(top, 'add', '-A');
  git(top, 'commit', '-q', '-m', 'First');

  const text = (): string => {
    try {
      return readFileSync(list, 'utf8');
    } catch {
      return '';
    }
  };

  return {
    top,
    list,
    random,
    pick,
    text,
    word,
    setFate: (made, fate) => void words.set(made, fate),
    fates: () => words,
    task,
    todone: (...args) => start(top, args).ended,
    async startDaemon() {
      daemon = start(top, ['start']);
      daemon.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      for (const until = performance.now() + QUIET_MS; performance.now() < until && !said.includes('the list is read');) await sleep(30);
    },
    async stopDaemon() {
      const ending = daemon;
      daemon = undefined;
      if (!ending) return;
      ending.kill('SIGTERM');
      const timer = setTimeout(() => ending.kill('SIGKILL'), 60_000);
      await ending.ended;
      clearTimeout(timer);
    },
    said: () => said,
    // It looks at the file before it answers.
    seen: async () => void (await start(top, ['task', 'list', '--json']).ended),
    async quiet() {
      const until = performance.now() + QUIET_MS;
      let last = '';
      let since = performance.now();
      while (performance.now() < until) {
        const now = text();
        if (now !== last) [last, since] = [now, performance.now()];
        if (performance.now() - since > (isAtRest(now) ? 1500 : STILL_MS)) return;
        await sleep(50);
      }
    },
    async judge() {
      const { list: found, archive, litter } = collectList(list, join(top, '.git', 'todone'));
      const processes = collectProcesses().filter(({ pid }) => readlinkSafely(`/proc/${pid}/cwd`).startsWith(top));
      const evidence = { list: found, archive, litter, processes, git: collectGit(top), expected: { words, busy: false } };
      const held = await heldLines(top);
      const open = tasksIn(found ?? '').filter(
        ({ state, line }) => (state === 'open' || state === 'blocked') && !held.has(line) && !isBelowFailed(found ?? '', line, held),
      );
      return {
        found: [
          ...violations(evidence),
          ...open.map((each): Violation => ({ rule: 'I7', subject: each.text, message: `is still ${each.state}, and nothing says why` })),
        ],
        doubleRuns: linesOf(join(top, '.git', 'double')).length,
        orphans: processesBelow(top),
      };
    },
    remove: () => rmSync(top, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Every task is done or failed, but for those that wait below a failed one. */
function isAtRest(text: string): boolean {
  return (
    text.includes('Git Worktree') &&
    tasksIn(text).every(({ state, line }) => state === 'done' || state === 'failed' || (state === 'blocked' && isBelowFailed(text, line)))
  );
}

function isBelowFailed(text: string, line: number, held: ReadonlySet<number> = new Set()): boolean {
  const lines = text.split('\n');
  const heading = lines.slice(0, line).findLastIndex((each) => each.startsWith('## '));
  return (
    tasksIn(text).some((task) => task.line > heading && task.line < line && (task.state === 'failed' || held.has(task.line))) &&
    /\[⏰/u.test(lines[line - 1] ?? '')
  );
}

/** Lines of tasks that ToDone holds as done in a commit though they show [] (1.4-R8). */
async function heldLines(top: string): Promise<ReadonlySet<number>> {
  const done = await start(top, ['task', 'list', '--json']).ended;
  const held = new Set<number>();
  try {
    const { tasks } = JSON.parse(done.out) as { readonly tasks: readonly { readonly line?: number; readonly reason?: { readonly rule?: string } | null }[] };
    for (const { line, reason } of tasks) if (line !== undefined && reason?.rule === '1.4-R8') held.add(line);
  } catch {
    // Nothing is held that nobody can see.
  }
  return held;
}

const linesOf = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
};

const readlinkSafely = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** Processes that have their folder below this one. */
function processesBelow(top: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readlinkSafely(`/proc/${name}/cwd`).startsWith(top))
    .map((pid) => `${pid} ${linesOf(`/proc/${pid}/cmdline`)[0]?.replaceAll('\0', ' ') ?? ''}`);
}

/** mulberry32: the same seed, the same choices. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
