/**
 * Who owns and who writes: many contenders, some of them stopped, killed, or with a wrong clock, and never two holders; and many first
 * claims at once, which are as many `git worktree add` in one repository.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeKit } from '../adapters/git-kit.ts';
import { type Campaign, type Chaos, pick } from './campaign.ts';
import { textOf } from './life.ts';
import { locksBelow } from './subjects.ts';
import { type Fault, newRow, note, type Row } from './table.ts';

const PROGRAMS = join(import.meta.dirname, 'programs');
const CONTENDERS = 64;
const CONTEND_MS = 6000;
/** On a busy machine, until each has been held a few times. */
const CONTEND_MS_MAX = 120_000;
const HELD_LEAST = 5;
const CLAIMS = 32;
const ROUNDS = 10;
const ROUNDS_BOUNDED = 3;
/** So many processes may start at once. */
const STARTS_AT_ONCE = 8;

export const owner: Campaign = {
  name: 'owner',
  async run(chaos) {
    const rows: Row[] = [];
    if (chaos.only.test('contenders')) rows.push(await contend(chaos));
    if (chaos.only.test('first claims')) rows.push(await claim(chaos));
    return rows;
  },
};

async function contend(chaos: Chaos): Promise<Row> {
  const contenders = Math.ceil(CONTENDERS * Math.min(1, chaos.share ?? 1));
  const row = newRow('owner', `${contenders} contenders, with SIGSTOP, SIGKILL and wrong clocks`);
  const folder = mkdtempSync(join(tmpdir(), 'contend-'));
  const log = join(folder, 'log');
  const crowd: Started[] = [];
  try {
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    for (const name of ['tasks.md', 'log']) writeFileSync(join(folder, name), '');
    // A third lives in another hour, a third tomorrow or yesterday.
    const offs = [0, 3_600_000, -3_600_000, 86_400_000, -86_400_000, 0];
    for (const [at, off] of offs.entries()) writeFileSync(join(folder, `clock.${at}`), String(off));
    const begin = (at: number): Promise<Started> =>
      startReady(['--import', join(PROGRAMS, 'wrong-clock.mjs'), join(PROGRAMS, 'contender.ts'), folder, log], {
        CHAOS_CLOCK: join(folder, `clock.${at % offs.length}`),
      });
    for (let at = 0; at < contenders; at += STARTS_AT_ONCE)
      crowd.push(...(await Promise.all(Array.from({ length: STARTS_AT_ONCE }, (_, more) => begin(at + more)))));
    for (const { child } of crowd) child.stdin?.write('go\n');
    const until = Math.min(
      performance.now() + CONTEND_MS * (chaos.share ?? 10),
      chaos.share === undefined ? (performance.now() + chaos.until()) / 2 : Number.POSITIVE_INFINITY,
    );
    const latest = performance.now() + CONTEND_MS_MAX;
    while (performance.now() < until || (performance.now() < latest && !hasBeenHeld(log))) {
      const { child } = pick(crowd, chaos.random);
      child.kill('SIGSTOP');
      await sleep(10 + chaos.random() * 120);
      child.kill('SIGCONT');
      if (chaos.random() < 0.03) {
        child.kill('SIGKILL');
        const another = await begin(Math.floor(chaos.random() * offs.length));
        another.child.stdin?.write('go\n');
        crowd.push(another);
      }
      writeFileSync(join(folder, `clock.${Math.floor(chaos.random() * offs.length)}`), String(Math.round((chaos.random() - 0.5) * 172_800_000)));
    }
  } finally {
    for (const { child } of crowd) child.kill('SIGKILL');
    await Promise.all(crowd.map(({ ended }) => ended));
  }
  const lines = textOf(log).split('\n');
  const terms = lines.filter((line) => line.startsWith('term ')).map((line) => Number(line.slice(5)));
  const held = (name: string): number => timesHeld(lines, name);
  const faults: Fault[] = lines.filter((line) => line.startsWith('two ')).map((line) => ({ kind: 'doubles', what: `two holders: ${line}` }));
  if (terms.some((term, at) => at > 0 && term <= (terms[at - 1] ?? 0))) faults.push({ kind: 'untrue', what: 'a term came again' });
  if (!hasBeenHeld(log)) faults.push({ kind: 'untrue', what: `held only ${held('owner')} and ${held('writer')} times` });
  note(row, `seed ${chaos.seed}`, faults);
  chaos.figure('ownership', `${held('owner')} owners and ${held('writer')} writers one after another, among ${crowd.length} contenders`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return row;
}

const timesHeld = (lines: readonly string[], name: string): number => lines.filter((line) => line.startsWith(`${name} `)).length;

function hasBeenHeld(log: string): boolean {
  const lines = textOf(log).split('\n');
  return ['owner', 'writer'].every((name) => timesHeld(lines, name) >= HELD_LEAST);
}

/** As many processes as claims, each with a section of its own, all at once; and again in another section. */
async function claim(chaos: Chaos): Promise<Row> {
  const row = newRow('owner', `${CLAIMS} first claims at once`);
  const kit = makeKit();
  const crowd: Started[] = [];
  try {
    const env = { HOME: kit.home, GIT_CONFIG_NOSYSTEM: '1' };
    for (let at = 0; at < CLAIMS; at += STARTS_AT_ONCE)
      crowd.push(...(await Promise.all(Array.from({ length: STARTS_AT_ONCE }, () => startReady([join(PROGRAMS, 'adder.ts'), kit.top, kit.home], env)))));
    const rounds = chaos.share === undefined ? ROUNDS : Math.ceil(ROUNDS_BOUNDED * chaos.share);
    for (let round = 0; round < rounds && (round === 0 || performance.now() < chaos.until()); round++) {
      const since = performance.now();
      const answers = await Promise.all(crowd.map((each, at) => each.ask(`r${round}-${at}`)));
      const faults: Fault[] = answers.filter((answer) => !answer.startsWith('ready ')).map((what) => ({ kind: 'untrue', what }));
      const wanted = CLAIMS * (round + 1);
      const branches = kit.git(['for-each-ref', '--format=%(refname)', 'refs/heads/todone']).split('\n').length;
      const worktrees = kit.git(['worktree', 'list', '--porcelain']).match(/^worktree /gm)?.length ?? 0;
      const entries = readdirSync(join(kit.top, '.git', 'worktrees')).length;
      if (branches !== wanted || worktrees !== wanted + 1 || entries !== wanted)
        faults.push({ kind: 'orphans', what: `${branches} branches, ${worktrees} worktrees, ${entries} entries for ${wanted} claims` });
      for (const lock of locksBelow(join(kit.top, '.git'))) faults.push({ kind: 'orphans', what: lock });
      note(row, `round ${round}, ${Math.round(performance.now() - since)} ms`, faults);
    }
    const fsck = kit.git(['fsck', '--no-dangling']);
    if (fsck !== '') note(row, 'git fsck', [{ kind: 'lost', what: fsck }]);
  } finally {
    for (const { child } of crowd) child.kill('SIGKILL');
    await Promise.all(crowd.map(({ ended }) => ended));
    kit.close();
  }
  return row;
}

type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** A line to it, and the next one from it. */ ask(line: string): Promise<string>;
};

async function startReady(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Started> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let heard = '';
  let waiting: ((line: string) => void) | undefined;
  const tell = (): void => {
    const end = heard.indexOf('\n');
    if (end < 0 || !waiting) return;
    const line = heard.slice(0, end);
    heard = heard.slice(end + 1);
    waiting(line);
    waiting = undefined;
  };
  let said = '';
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  child.stdout.on('data', (chunk: Buffer) => {
    heard += chunk.toString('utf8');
    tell();
  });
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      waiting?.(`ended: ${said}`);
      resolve();
    }),
  );
  const next = (): Promise<string> =>
    new Promise((resolve) => {
      waiting = resolve;
      tell();
    });
  const first = await next();
  if (first !== 'ready') throw new Error(first);
  return {
    child,
    ended,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
  };
}
