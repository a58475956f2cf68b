/**
 * What a person, another program or an earlier crash may have done to our files and git's: locks left behind, worktrees, branches,
 * journal and list deleted, cut off or replaced; while nothing runs, and while a daemon does.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, type Chaos, rounds } from './campaign.ts';
import { kill, type Life, makeLife, namesIn, type RestOptions, untilAwake } from './life.ts';
import { newRow, note, type Row } from './table.ts';

type Deed = RestOptions & {
  readonly name: string;
  /** Only while nothing runs; only while a daemon does; both without. */
  readonly when?: 'between' | 'during';
  /** What is undone again a moment later, as an editor or git would. */
  do(life: Life): void | Promise<void>;
};

const inGit = (life: Life, ...path: readonly string[]): string => join(life.top, '.git', ...path);

/** A lock that a killed git left some time ago, where there is a place for it. */
function lock(path: string, ageMs = 60_000): void {
  try {
    writeFileSync(path, '', { flag: 'wx' });
    const then = (Date.now() - ageMs) / 1000;
    utimesSync(path, then, then);
  } catch {
    // It has no folder yet, or somebody holds it: nothing to leave there.
  }
}

const eachIn = (folder: string, work: (path: string) => void): void => namesIn(folder).forEach((name) => work(join(folder, name)));

function cut(path: string, part: number): void {
  if (existsSync(path)) truncateSync(path, Math.floor(statSync(path).size * part));
}

const JOURNAL = ['journal.db', 'journal.db-wal', 'journal.db-shm'];
const journal = (life: Life): readonly string[] => JOURNAL.map((name) => join(life.stateDir, name));

const DEEDS: readonly Deed[] = [
  { name: 'stale index.lock of the worktrees', do: (life) => eachIn(inGit(life, 'worktrees'), (entry) => lock(join(entry, 'index.lock'))) },
  { name: 'stale HEAD.lock of the worktrees', do: (life) => eachIn(inGit(life, 'worktrees'), (entry) => lock(join(entry, 'HEAD.lock'))) },
  {
    name: 'stale locks in our own git directories',
    do: (life) => eachIn(join(life.stateDir, 'git', 'rooms'), (room) => ['index.lock', 'index.built.lock'].forEach((name) => lock(join(room, name)))),
  },
  {
    name: 'stale locks of branches',
    do: (life) => ['s0', 's1'].forEach((name) => lock(inGit(life, 'refs', 'heads', 'todone', `${name}.lock`))),
  },
  {
    name: 'stale locks of our own refs',
    do: (life) => ['tips/s0', 'tips/s1'].forEach((name) => lock(inGit(life, 'refs', 'todone', `${name}.lock`))),
  },
  { name: 'stale packed-refs.lock', do: (life) => lock(inGit(life, 'packed-refs.lock')) },
  { name: 'stale packed-refs.new', do: (life) => lock(inGit(life, 'packed-refs.new')) },
  // That is not ours to take: their own git tells them of it.
  { name: "stale index.lock of the engineer's own checkout", leaves: /^I9 index\.lock/, do: (life) => lock(inGit(life, 'index.lock')) },
  { name: 'stale lock beside the list', do: (life) => staleList(life, 60_000) },
  { name: 'fresh lock beside the list, then gone', when: 'during', do: async (life) => freshList(life) },
  {
    name: 'a worktree deleted',
    forgetful: true,
    retries: true,
    do: (life) => rmSync(join(life.top, 'trees', 's0'), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  },
  {
    name: 'all worktrees deleted',
    forgetful: true,
    retries: true,
    // Where nothing is left to do none is made again.
    leaves: /^worktrees , folders $/,
    do: (life) => rmSync(join(life.top, 'trees'), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  },
  {
    name: 'the entries of worktrees deleted',
    do: (life) => rmSync(inGit(life, 'worktrees'), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  },
  { name: 'the .git file of a worktree deleted', do: (life) => rmSync(join(life.top, 'trees', 's0', '.git'), { force: true }) },
  { name: 'the index of worktrees cut off', do: (life) => eachIn(inGit(life, 'worktrees'), (entry) => cut(join(entry, 'index'), 0.5)) },
  { name: 'a branch packed', do: (life) => quietly(() => life.git('pack-refs', '--all')) },
  { name: 'git gc', do: (life) => quietly(() => life.git('gc', '-q')) },
  { name: 'our git directories deleted', do: (life) => rmSync(join(life.stateDir, 'git'), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }) },
  { name: 'git worktree prune', do: (life) => quietly(() => life.git('worktree', 'prune')) },
  { name: 'journal deleted', forgetful: true, do: (life) => journal(life).forEach((file) => rmSync(file, { force: true })) },
  { name: 'journal emptied', when: 'between', forgetful: true, do: (life) => journal(life).forEach((file) => cut(file, 0)) },
  {
    name: 'journal cut in half',
    when: 'between',
    forgetful: true,
    do: (life) =>
      journal(life)
        .slice(0, 2)
        .forEach((file) => cut(file, 0.5)),
  },
  {
    name: 'journal replaced by nonsense',
    when: 'between',
    forgetful: true,
    do: (life) => existsSync(journal(life)[0] ?? '') && writeFileSync(journal(life)[0] ?? '', 'nonsense\n'.repeat(5000)),
  } as Deed,
  {
    name: "the journal's log deleted",
    when: 'between',
    forgetful: true,
    do: (life) =>
      journal(life)
        .slice(1)
        .forEach((file) => rmSync(file, { force: true })),
  },
  { name: 'an older journal put back', when: 'between', do: (life) => olderJournal(life) },
  { name: 'list.db deleted', do: (life) => ['', '-wal', '-shm'].forEach((tail) => rmSync(join(life.stateDir, `list.db${tail}`), { force: true })) },
  { name: 'write.db deleted', do: (life) => rmSync(join(life.stateDir, 'write.db'), { force: true }) },
  { name: 'owner.db and owner.json deleted', do: (life) => ['owner.db', 'owner.json'].forEach((name) => rmSync(join(life.stateDir, name), { force: true })) },
  {
    name: 'the state folder deleted',
    forgetful: true,
    strangers: true,
    // What was in a workspace that nothing tells of is left as it is.
    leaves: /^trees\/\S+ is not clean: \?\? |^worktrees , folders $/,
    do: (life) => rmSync(life.stateDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  },
  {
    name: 'the runs folder deleted',
    forgetful: true,
    do: (life) => rmSync(join(life.stateDir, 'runs'), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  },
  { name: 'list deleted, then put back', do: (life) => awayAndBack(life, (text) => (rmSync(life.list), text)) },
  { name: 'list emptied, then put back', do: (life) => awayAndBack(life, (text) => (writeFileSync(life.list, ''), text)) },
  {
    name: 'list cut off, then put back',
    do: (life) => awayAndBack(life, (text) => (writeFileSync(life.list, text.slice(0, Math.floor(text.length / 3))), text)),
  },
  { name: 'a folder where the list was, then put back', do: (life) => otherAndBack(life, () => mkdirSync(life.list)) },
  { name: 'a pipe where the list was, then put back', do: (life) => otherAndBack(life, () => void execFileSync('mkfifo', [life.list])) },
  { name: 'list replaced by a copy of itself', do: (life) => (copyFileSync(life.list, `${life.list}.copy`), renameSync(`${life.list}.copy`, life.list)) },
  { name: 'list put back as it was committed', do: (life) => quietly(() => life.git('checkout', '--', 'tasks.md')) },
  { name: 'list stashed and brought back', do: (life) => quietly(() => (life.git('stash', '-q'), life.git('stash', 'pop', '-q'))) },
];

export const hand: Campaign = {
  name: 'hand',
  async run(chaos) {
    const cases = DEEDS.flatMap((deed) =>
      (['between', 'during'] as const)
        .filter((when) => deed.when === undefined || deed.when === when)
        .map((when) => ({ deed, when, name: nameOf(deed, when) })),
    ).filter(({ name }) => chaos.only.test(name));
    const rows: Row[] = [];
    let round = 0;
    do {
      for (const { deed, when, name } of rounds(cases, chaos.share === undefined ? undefined : Math.ceil(5 * chaos.share), chaos.random)) {
        if (performance.now() > chaos.until()) break;
        let row = rows.find((each) => each.name === name);
        if (!row) rows.push((row = newRow('hand', name)));
        await liveOnce(chaos, deed, when, row, round);
      }
      round++;
    } while (chaos.share === undefined && performance.now() < chaos.until());
    return rows;
  },
};

const nameOf = (deed: Deed, when: 'between' | 'during'): string => `${deed.name}, ${when === 'between' ? 'between two runs' : 'during a run'}`;

/** Killed somewhere on its way, the deed done, and again; or the deed done while it works. */
async function liveOnce(chaos: Chaos, deed: Deed, when: 'between' | 'during', row: Row, round: number): Promise<void> {
  const life = makeLife({ tasks: 2, workMs: 400 });
  const times: number[] = [];
  try {
    for (let left = 2; left > 0; left--) {
      const daemon = life.start([]);
      await untilAwake(daemon);
      const ms = Math.round(chaos.random() * 1500);
      times.push(ms);
      await sleep(ms);
      if (when === 'during') {
        await deed.do(life);
        await sleep(400 + chaos.random() * 800);
      }
      kill(daemon.pid, 'SIGKILL');
      await daemon.ended;
      if (when === 'between') await deed.do(life);
    }
    note(row, `life ${round}, after ${times.join(' and ')} ms`, await life.rest(deed));
  } finally {
    life.end();
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Nothing to stash, or git is busy: then nothing was done.
  }
}

function staleList(life: Life, ageMs: number): void {
  try {
    mkdirSync(`${life.list}.lock`);
    const then = (Date.now() - ageMs) / 1000;
    utimesSync(`${life.list}.lock`, then, then);
  } catch {
    // Held just now.
  }
}

async function freshList(life: Life): Promise<void> {
  staleList(life, 0);
  await sleep(300);
  rmSync(`${life.list}.lock`, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
}

async function awayAndBack(life: Life, take: (text: string) => string): Promise<void> {
  const text = take(readFileSync(life.list, 'utf8'));
  await sleep(200);
  writeFileSync(life.list, text);
}

async function otherAndBack(life: Life, put: () => void): Promise<void> {
  const text = readFileSync(life.list, 'utf8');
  rmSync(life.list);
  put();
  await sleep(200);
  rmSync(life.list, { recursive: true });
  writeFileSync(life.list, text);
}

function olderJournal(life: Life): void {
  // What is not in the file yet is in its log.
  const files = journal(life).slice(0, 2);
  const kept = files.map((_, at) => join(life.top, '..', `older.${at}`));
  if (!kept.some((file) => existsSync(file))) {
    for (const [at, file] of files.entries()) if (existsSync(file)) copyFileSync(file, kept[at] ?? '');
    return;
  }
  for (const file of journal(life)) rmSync(file, { force: true });
  for (const [at, file] of files.entries()) if (existsSync(kept[at] ?? '')) copyFileSync(kept[at] ?? '', file);
}
