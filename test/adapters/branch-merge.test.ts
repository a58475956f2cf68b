import { afterEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeCleanCheckout } from '../../src/adapters/clean-checkout.ts';
import { openRepoLock } from '../../src/adapters/repo-lock.ts';
import { heldWorkspaces } from '../../src/adapters/workspaces.ts';
import { performErrand } from '../../src/engine/errand.ts';
import { type BranchKit, errandOrder, makeBranchKit } from './branch-kit.ts';
import { never, orderOf, ready, textOf } from './git-kit.ts';

const made: BranchKit[] = [];
afterEach(() => {
  for (const kit of made.splice(0)) kit.close();
});

async function scene(): Promise<BranchKit> {
  const kit = await makeBranchKit({ remote: false });
  made.push(kit);
  return kit;
}

function baseMoves({ kit }: BranchKit, path: string, text: string): string {
  kit.write(path, text);
  kit.git(['add', '-A']);
  kit.git(['commit', '-qm', `Base: ${path}`]);
  return kit.git(['rev-parse', 'HEAD']);
}

const tip = ({ kit }: BranchKit): string => kit.git(['rev-parse', 'todone/auth']);
const parents = ({ kit }: BranchKit, commit: string): string[] => kit.git(['show', '-s', '--format=%P', commit]).split(' ');

describe('sync', () => {
  it('4-R10 merges the base in with two parents, rebases nothing, and the worktree moves along', async () => {
    const all = await scene();
    const task = await all.landed('a.txt', 'a\n');
    const base = baseMoves(all, 'b.txt', 'b\n');
    const { branches } = await all.open();
    const end = await performErrand(errandOrder('sync', { verify: 'test -f a.txt && test -f b.txt' }), branches, never);
    expect(end).toMatchObject({ kind: 'done' });
    expect(parents(all, tip(all))).toEqual([task, base]);
    expect(all.kit.git(['status', '--porcelain'], join(all.kit.top, 'trees', 'auth'))).toBe('');
    expect(textOf(join(all.kit.top, 'trees', 'auth', 'b.txt'))).toBe('b\n');
    expect(all.kit.git(['show', '-s', '--format=%an', tip(all)])).toBe('Ada');
    // The next landing stands on it.
    const next = await all.landed('c.txt', 'c\n');
    expect(parents(all, next)).toHaveLength(1);
    expect(await performErrand(errandOrder('sync'), branches, never)).toMatchObject({ kind: 'done', message: expect.stringContaining('holds all') });
  });

  it('4-R10 a branch with nothing of its own moves forward', async () => {
    const all = await scene();
    const opened = await all.kit.open();
    const order = orderOf('auth');
    const prepared = ready(await opened.workspaces.prepare(order, undefined, never));
    await opened.workspaces.release(order, prepared.workspace, never);
    const base = baseMoves(all, 'b.txt', 'b\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('sync'), branches, never)).toMatchObject({ kind: 'done' });
    expect(tip(all)).toBe(base);
  });

  it('4-R10 a conflict names the files and both sides, and moves nothing', async () => {
    const all = await scene();
    const task = await all.landed('README.md', 'of the task\n');
    const base = baseMoves(all, 'README.md', 'of the base\n');
    const { branches } = await all.open();
    const end = await performErrand(errandOrder('sync'), branches, never);
    expect(end).toMatchObject({
      kind: 'stopped',
      message: expect.stringMatching(/main \(\w{7}\) and todone\/auth \(\w{7}\) both changed README\.md: nothing was moved/),
    });
    // Where the branch is checked out, and git would not switch to it anywhere else.
    expect(end).toMatchObject({ remedy: expect.stringContaining(`cd ${join(all.kit.top, 'trees', 'auth')} && git merge main`) });
    expect(tip(all)).toBe(task);
    expect(all.kit.git(['rev-parse', 'main'])).toBe(base);
    expect(all.kit.git(['status', '--porcelain'], join(all.kit.top, 'trees', 'auth'))).toBe('');
  });

  it('4-R10 a merged commit that does not pass verify does not become the branch, though both sides pass alone', async () => {
    const all = await scene();
    const task = await all.landed('a.txt', 'a\n');
    baseMoves(all, 'b.txt', 'b\n');
    const { branches } = await all.open();
    const end = await performErrand(errandOrder('sync', { verify: 'echo both; ! { test -f a.txt && test -f b.txt; }' }), branches, never);
    expect(end).toMatchObject({ kind: 'stopped', message: expect.stringMatching(/exit 1 on the merged commit.*both/s) });
    expect(tip(all)).toBe(task);
  });

  it('4-R10 waits where the branch is checked out with uncommitted work', async () => {
    const all = await scene();
    const task = await all.landed('a.txt', 'a\n');
    baseMoves(all, 'b.txt', 'b\n');
    const tree = join(all.kit.top, 'trees', 'auth');
    writeFileSync(join(tree, 'a.txt'), 'mine\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('sync'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'busy',
      message: expect.stringContaining(`branch in use at ${tree}`),
    });
    expect(tip(all)).toBe(task);
    all.kit.git(['checkout', '-q', 'a.txt'], tree);
    expect(await performErrand(errandOrder('sync'), branches, never)).toMatchObject({ kind: 'done' });
  });

  it('4-R3 waits while a task is being worked on and somebody else has moved the branch', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    baseMoves(all, 'b.txt', 'b\n');
    const opened = await all.kit.open();
    const prepared = ready(await opened.workspaces.prepare(orderOf('auth'), undefined, never));
    all.kit.write('evil.txt', 'evil\n', prepared.workspace);
    all.kit.git(['add', '-A'], prepared.workspace);
    all.kit.git(['commit', '-qm', 'Agent'], prepared.workspace);
    all.kit.git(['update-ref', 'refs/heads/todone/auth', 'HEAD'], prepared.workspace);
    const { branches } = await all.open();
    for (const kind of ['sync', 'land', 'push'] as const)
      expect(await performErrand(errandOrder(kind), branches, never)).toMatchObject({
        kind: 'later',
        message: expect.stringContaining('moved by somebody else'),
      });
  });

  it('12-R1 killed after the branch had moved and before its worktree had: the worktree follows at the next try', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    const before = tip(all);
    // More commits than anyone looks back through.
    execFileSync('sh', ['-c', 'for n in $(seq 25); do echo b > b$n.txt; git add b$n.txt; git commit -qm b$n; done'], { cwd: all.kit.top, env: all.kit.env });
    const { branches, git } = await all.open();
    // As the transaction of `advance` leaves it.
    const tree = join(all.kit.top, 'trees', 'auth');
    const sync = await branches.merge('auth', 'sync');
    if (sync.kind !== 'merged') throw new Error(sync.kind);
    const hash = createHash('sha256').update(sync.branch).digest('hex').slice(0, 16);
    await git.refs.move([
      { ref: sync.branch, to: sync.commit, old: before },
      { ref: `refs/todone/moving/${hash}`, to: before },
    ]);
    expect(existsSync(join(tree, 'b7.txt'))).toBe(false);
    expect(await performErrand(errandOrder('sync'), branches, never)).toMatchObject({ kind: 'done' });
    expect(existsSync(join(tree, 'b7.txt'))).toBe(true);
    expect(all.kit.git(['status', '--porcelain'], tree)).toBe('');
    expect(all.kit.git(['for-each-ref', 'refs/todone/moving'])).toBe('');
  });
});

describe('land', () => {
  it('4-R10 moves the base forward, and the main worktree with it', async () => {
    const all = await scene();
    all.kit.write('tasks.md', '## Git Worktree auth\n[] x\n');
    const task = await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('land', { verify: 'test -f a.txt' }), branches, never)).toMatchObject({ kind: 'done' });
    expect(all.kit.git(['rev-parse', 'main'])).toBe(task);
    expect(textOf(join(all.kit.top, 'a.txt'))).toBe('a\n');
    expect(all.kit.git(['status', '--porcelain', '-uno'])).toBe('');
  });

  it('4-R10 merges where the base has moved, and waits for uncommitted work on it', async () => {
    const all = await scene();
    const task = await all.landed('a.txt', 'a\n');
    const base = baseMoves(all, 'b.txt', 'b\n');
    const { branches } = await all.open();
    all.kit.write('README.md', 'mine\n');
    expect(await performErrand(errandOrder('land'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'busy',
      message: expect.stringContaining(`branch in use at ${all.kit.top}`),
    });
    expect(all.kit.git(['rev-parse', 'main'])).toBe(base);
    all.kit.git(['checkout', '-q', 'README.md']);
    expect(await performErrand(errandOrder('land'), branches, never)).toMatchObject({ kind: 'done' });
    expect(parents(all, 'main')).toEqual([base, task]);
    expect(await performErrand(errandOrder('land'), branches, never)).toMatchObject({ kind: 'done', message: expect.stringContaining('holds all') });
  });

  it('4-R10 is refused where the base is no branch', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    all.kit.git(['checkout', '-q', '--detach']);
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('land'), branches, never)).toMatchObject({ kind: 'stopped', remedy: expect.stringContaining('set base') });
    expect(await performErrand(errandOrder('land', { section: 'none' }), branches, never)).toMatchObject({
      kind: 'stopped',
      message: expect.stringContaining('no branch'),
    });
  });
});

describe('a clean checkout', () => {
  it('4-R9 holds exactly the commit: no leftovers of agents or of earlier checks, with copies and hooks', async () => {
    const all = await scene();
    all.kit.write('.env', 'A=1\n');
    all.kit.git(['update-index', '--refresh']);
    writeFileSync(join(all.kit.top, '.git', 'info', 'exclude'), '.env\n');
    const first = await all.landed('a.txt', 'a\n');
    const second = await all.landed('b.txt', 'b\n');
    all.kit.write('out/cached', 'an agent', join(all.kit.top, 'trees', 'auth'));
    const { branches, git } = await all.open({ hooks: { afterCreate: 'mkdir -p node_modules && echo $PWD > node_modules/made' } });
    const look = async (commit: string, command: string): Promise<string> => (await branches.verify(errandOrder('sync'), commit, command, never))?.output ?? '';
    expect(await look(second, 'ls -A; mkdir -p out; echo left > out/x; echo left > new.txt; echo left > a.txt')).toBe(
      ['.env', '.git', '.gitignore', 'README.md', 'a.txt', 'b.txt', 'node_modules'].join('\n'),
    );
    expect(await look(first, 'ls -A; cat a.txt; git rev-parse HEAD')).toBe(
      ['.env', '.git', '.gitignore', 'README.md', 'a.txt', 'node_modules', 'a', first].join('\n'),
    );
    expect(await git.objects.commitId('refs/heads/todone/auth')).toBe(second);
    // It belongs to its section, and goes with it.
    const trees = join(all.kit.top, 'trees');
    expect(heldWorkspaces(git.home, trees)).toEqual(['auth']);
    const lock = openRepoLock(join(git.home, '..', 'worktrees.db'));
    expect(await removeCleanCheckout(git, lock, trees, 'auth', true)).toBe(join(trees, 'auth~verify'));
    expect(await removeCleanCheckout(git, lock, trees, 'auth', false)).toBe(join(trees, 'auth~verify'));
    expect(await removeCleanCheckout(git, lock, trees, 'auth', false)).toBeUndefined();
    lock.close();
    expect(all.kit.git(['worktree', 'list'])).not.toContain('auth~verify');
    expect(await look(first, 'cat a.txt')).toBe('a');
  });
});
