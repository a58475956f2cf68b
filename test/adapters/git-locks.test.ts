import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { sweepLocks } from '../../src/adapters/abandoned-locks.ts';
import { type Kit, makeKit, never, orderOf, ready } from './git-kit.ts';

const kits: Kit[] = [];
afterEach(() => {
  for (const kit of kits.splice(0)) kit.close();
});

const OLD_MS = 60_000;

function lock(path: string, ageMs = OLD_MS): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  const then = (Date.now() - ageMs) / 1000;
  utimesSync(path, then, then);
  return path;
}

/** A repository with a workspace of ours and a worktree of the engineer's. */
async function scene(branchPrefix = 'todone/') {
  const kit = makeKit();
  kits.push(kit);
  const open = await kit.open({ config: { branchPrefix } });
  ready(await open.workspaces.prepare(orderOf('feature'), undefined, never));
  const own = join(dirname(kit.top), 'elsewhere');
  kit.git(['worktree', 'add', '-q', '-b', 'mine', own]);
  const git = (...path: readonly string[]): string => join(kit.top, '.git', ...path);
  const room = join(open.git.home, 'rooms', readdirSync(join(open.git.home, 'rooms'))[0] ?? '');
  const sweep = (patienceMs?: number, staleMs?: number) =>
    sweepLocks({ git: open.git, top: kit.top, trees: join(kit.top, 'trees'), branchPrefix }, patienceMs, staleMs);
  return { kit, git, own, room, sweep };
}

it('12-R1 4-R11 takes away what a killed git left where ToDone works, and nothing of the engineer', async () => {
  const { git, room, sweep } = await scene();
  const ours = [
    lock(join(room, 'index.lock'), 0),
    lock(git('todone', 'git', 'hub', 'config.lock'), 0),
    lock(git('todone', 'git', 'commit-4711'), 0),
    lock(git('refs', 'heads', 'todone', 'feature.lock')),
    lock(git('refs', 'heads', 'todone', 'deep', 'new.lock')),
    lock(git('refs', 'todone', 'tips', 'feature.lock')),
    lock(git('worktrees', 'feature', 'index.lock')),
    lock(git('worktrees', 'feature', 'HEAD.lock')),
    lock(git('packed-refs.lock')),
    lock(git('packed-refs.new')),
  ];
  const engineers = ['index.lock', 'HEAD.lock', 'config.lock', 'refs/heads/main.lock', 'refs/heads/todonex.lock', 'worktrees/elsewhere/index.lock'].map(
    (name) => lock(git(name)),
  );
  const { removed, left } = await sweep();
  expect([...removed].toSorted()).toEqual(ours.toSorted());
  expect(left).toEqual([]);
  expect(ours.filter((path) => existsSync(path))).toEqual([]);
  expect(engineers.filter((path) => !existsSync(path))).toEqual([]);
});

it('4-R11 knows its own branches where they have no prefix', async () => {
  const { git, sweep } = await scene('');
  const [own, other] = [lock(git('refs', 'heads', 'feature.lock')), lock(git('refs', 'heads', 'main.lock'))];
  expect(await sweep()).toEqual({ removed: [own], left: [] });
  expect(existsSync(other)).toBe(true);
});

it('4-R11 leaves a lock that is too young to say, and takes it when it has been watched for long enough', async () => {
  const { git, sweep } = await scene();
  const young = lock(git('refs', 'heads', 'todone', 'feature.lock'), 0);
  // The clock was set back: it will never look old.
  const future = lock(git('refs', 'todone', 'tips', 'feature.lock'), -86_400_000);
  expect(await sweep()).toEqual({ removed: [], left: [young, future] });
  expect((await sweep(30_000, 300)).left).toEqual([]);
});

it.each(['the top', "the engineer's worktree", 'elsewhere, by --git-dir', 'elsewhere, by a relative --git-dir'])(
  '4-R11 takes no lock while a git lives in %s',
  async (where) => {
    const { kit, git, own, room, sweep } = await scene();
    const shared = lock(git('refs', 'heads', 'todone', 'feature.lock'));
    const cwd = where === 'the top' || where.includes('relative') ? kit.top : where.startsWith('the') ? own : '/';
    const dir = where.includes('relative') ? ['--git-dir=.git'] : where.includes('--git-dir') ? [`--git-dir=${git()}`] : [];
    const living = spawn('git', [...dir, 'cat-file', '--batch'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      // It has answered, so it is there.
      living.stdin.write('HEAD\n');
      await new Promise((resolve) => living.stdout.once('data', resolve));
      expect(await sweep()).toEqual({ removed: [], left: [shared] });
      // In our own git directory nobody else works.
      const inRoom = lock(join(room, 'index.lock'), 0);
      expect((await sweep()).removed).toEqual([inRoom]);
    } finally {
      living.kill('SIGKILL');
      await new Promise((resolve) => living.once('close', resolve));
    }
    expect((await sweep()).removed).toEqual([shared]);
  },
);
