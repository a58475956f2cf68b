/**
 * The four operations that must survive everything: a write of the list, a turn's commit, a `worktree add`, a landing. Each with its
 * scene, what a start does after a fault in it, and what has to be true then.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sweepLocks } from '../../src/adapters/abandoned-locks.ts';
import { openJournal } from '../../src/adapters/sqlite.ts';
import type { Stored } from '../../src/engine/ports.ts';
import { land, landingOrder, makeKit, never, orderOf, ready, type Kit, type Open } from '../adapters/git-kit.ts';
import { changes, historyRow, known, run } from '../adapters/journal-rows.ts';
import { claimX, LIST, openListAt, scene } from '../adapters/list-scene.ts';
import { messageOf } from './campaign.ts';
import type { Fault, Kind } from './table.ts';

export type Stage = {
  /** Calls on what lies below are counted. */
  readonly folder: string;
  /** Of `victim.ts`: the operation itself, and what is done again after a crash in it. */
  readonly first: readonly string[];
  readonly again: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Recovers as a start does, and says what is not as it has to be. */
  judge(): Promise<readonly Fault[]>;
  end(): Promise<void>;
};

export type Subject = { readonly name: string; readonly usesGit: boolean; stage(): Promise<Stage> };

const CLAIMED = LIST.replace('[] x', '[🟡 q8f0t6zd] x');
const SAVED = 'a word\n';

const listWrite = (how: string, operation: string): Subject => ({
  name: `one list write, saved ${how}`,
  usesGit: false,
  async stage() {
    const at = scene();
    return {
      folder: at.folder,
      first: [operation, at.folder],
      again: ['recover', at.folder],
      async judge() {
        const saved = filesBelow(at.folder).some((file) => readFileSync(file).includes('a word'));
        const wanted = saved ? CLAIMED + SAVED : CLAIMED;
        return faultsOf(async (fault) => {
          const file = openListAt(at.folder);
          try {
            await file.recover();
            const [result] = (await file.edit([claimX])).results;
            const left = Buffer.byteLength(wanted) - Buffer.byteLength(at.text());
            if (at.text() !== wanted) fault('lost', `the list is ${JSON.stringify(at.text())}, the claim ${result?.kind}`, Math.max(1, left));
          } finally {
            await file.close();
          }
          for (const name of at.litter()) fault('orphans', `${name} lies beside the list`);
        });
      },
      end: () => at.end(),
    };
  },
});

const BEFORE = changes({
  known: [known('gaaaaaaa'), known('gcccccc0')],
  runs: [['gaaaaaaa', run('gaaaaaaa')]],
  meta: [['git.position', 'p1']],
  history: [historyRow('gaaaaaaa', 10)],
});

const journalStep: Subject = {
  name: 'one journal step',
  usesGit: false,
  async stage() {
    const folder = mkdtempSync(join(tmpdir(), 'journal-'));
    const first = openJournal({ stateDir: folder, now: () => 1 });
    first.commit(BEFORE);
    first.close();
    return {
      folder,
      first: ['commit', folder],
      again: ['load', folder],
      judge: async () =>
        faultsOf(async (fault) => {
          const said: string[] = [];
          const journal = openJournal({ stateDir: folder, now: () => 1, log: { write: (_level, message) => void said.push(message) } });
          const state = stateOf(journal.load(), journal.history('gaaaaaaa').length);
          if (state === undefined) fault('untrue', `half a turn is stored: ${JSON.stringify(journal.load().runs.map(({ id }) => id))}`);
          for (const message of said) fault('lost', message);
          journal.close();
          for (const name of readdirSync(folder)) if (name.includes('broken')) fault('orphans', name);
        }),
      end: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

/** Undefined where it is neither as before nor as after the step. */
function stateOf(stored: Stored, history: number): 'before' | 'after' | undefined {
  const is = (runs: string, states: string, position: string, rows: number): boolean =>
    stored.runs.map(({ id }) => id).join() === runs &&
    stored.known.map(({ state }) => state).join() === states &&
    stored.meta.get('git.position') === position &&
    history === rows;
  if (is('gaaaaaaa', 'in_progress,in_progress', 'p1', 1)) return 'before';
  return is('gbbbbbbb', 'done,in_progress,in_progress', 'p2', 2) ? 'after' : undefined;
}

const worktreeAdd: Subject = {
  name: 'one worktree add',
  usesGit: true,
  async stage() {
    const kit = makeKit();
    const order = orderOf('feature');
    const args = ['prepare', kit.top, kit.home, JSON.stringify(order)];
    return {
      folder: dirname(kit.top),
      first: args,
      again: args,
      env: { HOME: kit.home, GIT_CONFIG_NOSYSTEM: '1' },
      judge: async () =>
        faultsOf(async (fault) => {
          const open = await kit.open();
          const prepared = ready(await prepareAgain(open, order));
          kit.write('new.txt', 'x\n', prepared.workspace);
          await land(open, landingOrder(order, prepared));
          await open.workspaces.release(order, prepared.workspace, never);
          await judgeRepo(kit, open, order.id, fault);
        }),
      end: async () => kit.close(),
    };
  },
};

const landing: Subject = {
  name: 'one landing',
  usesGit: true,
  async stage() {
    const kit = makeKit();
    const order = orderOf('feature');
    const opened = await kit.open();
    const prepared = ready(await opened.workspaces.prepare(order, undefined, never));
    opened.git.close();
    kit.write('new.txt', 'x\n', prepared.workspace);
    kit.write('README.md', '# Changed\n', prepared.workspace);
    const landed = landingOrder(order, prepared);
    return {
      folder: dirname(kit.top),
      first: ['land', kit.top, kit.home, JSON.stringify(landed)],
      again: ['reland', kit.top, kit.home, JSON.stringify(landed)],
      env: { HOME: kit.home, GIT_CONFIG_NOSYSTEM: '1' },
      judge: async () =>
        faultsOf(async (fault) => {
          const open = await kit.open();
          await landAgain(open, landed);
          await open.workspaces.release(order, prepared.workspace, never);
          await judgeRepo(kit, open, order.id, fault);
          if (kit.git(['show', 'todone/feature:new.txt']) !== 'x') fault('lost', 'new.txt is not in the commit');
        }),
      end: async () => kit.close(),
    };
  },
};

export const SUBJECTS: readonly Subject[] = [listWrite('in place', 'appended'), listWrite('by renaming', 'renamed'), journalStep, worktreeAdd, landing];

const TRIES = 4;
/** As at a start and in idle time, only sooner. */
const STALE_MS = 200;
const SWEEP_MS = 10_000;

async function prepareAgain(open: Open, order: ReturnType<typeof orderOf>): ReturnType<Open['workspaces']['prepare']> {
  let prepared = await open.workspaces.prepare(order, undefined, never);
  for (let left = TRIES; left > 0 && prepared.kind !== 'ready'; left--) prepared = await open.workspaces.prepare(order, undefined, never);
  return prepared;
}

async function landAgain(open: Open, order: ReturnType<typeof landingOrder>): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    const squashed = await open.landing.squash(order);
    if (squashed.kind === 'landed') return;
    if (squashed.kind !== 'commit') throw new Error(`the landing is ${squashed.kind}: ${JSON.stringify(squashed)}`);
    const advanced = await open.landing.advance(order, squashed.tip, squashed.commit);
    if (advanced.kind === 'landed') return;
  }
  throw new Error('it does not land');
}

type Note = (kind: Kind, what: string, times?: number) => void;

/** One commit of the task, one worktree, the branches that there have to be, and nothing that a killed git left. */
async function judgeRepo(kit: Kit, open: Open, id: string, fault: Note): Promise<void> {
  const swept = await sweepLocks({ git: open.git, top: kit.top, trees: join(kit.top, 'trees'), branchPrefix: 'todone/' }, SWEEP_MS, STALE_MS);
  for (const lock of swept.left) fault('orphans', `${lock} is not swept`);
  const commits = kit
    .git(['log', '--all', '--format=%H', `--grep=ToDone-Task: ${id}`])
    .split('\n')
    .filter((line) => line !== '');
  const onBranch = kit
    .git(['log', 'todone/feature', '--format=%H', `--grep=ToDone-Task: ${id}`])
    .split('\n')
    .filter((line) => line !== '');
  if (onBranch.length !== 1) fault(onBranch.length > 1 ? 'doubles' : 'untrue', `${onBranch.length} commits of the task on its branch`);
  const landedAt = kit.git(['rev-parse', `refs/todone/landed/${id}`]);
  if (landedAt !== onBranch[0]) fault('untrue', `refs/todone/landed says ${landedAt}, the branch ${onBranch.join()} of ${commits.length}`);
  const branches = kit.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads']).split('\n').toSorted().join();
  if (branches !== 'main,todone/feature') fault('orphans', `branches ${branches}`);
  const worktrees = kit.git(['worktree', 'list', '--porcelain']).match(/^worktree /gm)?.length ?? 0;
  if (worktrees !== 2 || readdirSync(join(kit.top, '.git', 'worktrees')).length !== 1) fault('orphans', `${worktrees} worktrees`);
  const tree = join(kit.top, 'trees', 'feature');
  if (kit.git(['status', '--porcelain'], tree) !== '') fault('untrue', `the worktree is not clean: ${kit.git(['status', '--porcelain'], tree)}`);
  const fsck = kit.git(['fsck', '--no-dangling']);
  if (fsck !== '') fault('lost', `git fsck: ${fsck}`);
  for (const lock of locksBelow(join(kit.top, '.git'))) fault('orphans', lock);
}

/** Lock files of git, wherever they are. */
export const locksBelow = (folder: string): readonly string[] =>
  filesBelow(folder).filter((file) => file.endsWith('.lock') || file.endsWith('/packed-refs.new'));

export function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  } catch {
    return [];
  }
}

async function faultsOf(look: (fault: Note) => Promise<void>): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const fault: Note = (kind, what, times) => void faults.push({ kind, what, ...(times === undefined ? {} : { times }) });
  await look(fault).catch((error: unknown) => fault('untrue', `the recovery failed: ${messageOf(error)}`));
  return faults;
}
