import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepoLock } from '../../src/adapters/repo-lock.ts';
import { writeRecord } from '../../src/adapters/workspace.ts';
import { workspaceAt } from '../../src/adapters/workspaces.ts';
import { makeKit, never, orderOf, ready, textOf, type Kit, type Open } from './git-kit.ts';

let kit: Kit;
let open: Open;
beforeEach(async () => {
  kit = makeKit({ 'a.txt': 'a\n', 'b/c.txt': 'c\n' });
  open = await kit.open();
});
afterEach(() => kit.close());

const path = (): string => join(kit.top, 'trees/feature');
const admin = (): string => join(kit.top, '.git/worktrees/feature');

/** The workspace is made (again), whole and clean, and nothing else is left over. */
async function makeWhole(): Promise<string> {
  const prepared = ready(await open.workspaces.prepare(orderOf('feature'), undefined, never));
  expect(prepared.workspace).toBe(path());
  expect(kit.git(['status', '--porcelain'], path())).toBe('');
  expect(textOf(join(path(), 'b/c.txt'))).toBe('c\n');
  expect(readdirSync(join(kit.top, '.git/worktrees'))).toEqual(['feature']);
  expect(existsSync(join(admin(), 'locked'))).toBe(false);
  expect(kit.git(['worktree', 'list', '--porcelain']).match(/^worktree /gm)).toHaveLength(2);
  return kit.git(['fsck', '--no-dangling']);
}

/** A daemon of its own begins to prepare, and is killed. */
async function killIn(afterMs: number): Promise<void> {
  const program = join(import.meta.dirname, 'programs/prepare-and-wait.ts');
  const child = spawn(process.execPath, [program, kit.top, kit.home], { env: kit.env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
}

/** What `git worktree add` does, in its order. */
const steps: readonly (readonly [string, () => void])[] = [
  ['made its entry', () => mkdirSync(admin(), { recursive: true })],
  ['locked it', () => writeFileSync(join(admin(), 'locked'), 'initializing\n')],
  ['made the folder', () => mkdirSync(path(), { recursive: true })],
  ['wrote gitdir', () => writeFileSync(join(admin(), 'gitdir'), `${path()}/.git\n`)],
  ['wrote .git', () => writeFileSync(join(path(), '.git'), `gitdir: ${admin()}\n`)],
  ['wrote HEAD', () => writeFileSync(join(admin(), 'HEAD'), `${'0'.repeat(40)}\n`)],
  ['wrote commondir', () => writeFileSync(join(admin(), 'commondir'), '../..\n')],
  ['locked HEAD', () => writeFileSync(join(admin(), 'HEAD.lock'), '')],
  ['set HEAD', () => writeFileSync(join(admin(), 'HEAD'), `${kit.git(['rev-parse', 'main'])}\n`)],
  ['unlocked HEAD', () => rmSync(join(admin(), 'HEAD.lock'))],
  ['unlocked its entry', () => rmSync(join(admin(), 'locked'))],
];

describe('a killed worktree add', () => {
  for (const [count, [name]] of steps.entries()) {
    it(`4-R11 is put right after git ${name}`, async () => {
      kit.git(['branch', 'todone/feature']);
      writeRecord(workspaceAt(open.git.home, path()), { version: 1, path: path(), preparing: true, portIndex: 0, copies: [] });
      for (const [, step] of steps.slice(0, count + 1)) step();
      expect(await makeWhole()).toBe('');
    });
  }

  it('4-R11 is put right where our state is lost too', async () => {
    for (const [, step] of steps.slice(0, 4)) step();
    expect(await makeWhole()).toBe('');
  });

  it('12-R1 goes on after a daemon that was killed at any moment of prepare', async () => {
    for (const afterMs of [2, 8, 14, 20, 28, 38]) {
      await killIn(afterMs);
      expect(await makeWhole()).toBe('');
      kit.git(['worktree', 'remove', '--force', path()]);
      rmSync(join(kit.top, '.git/todone/git/rooms'), { recursive: true });
    }
  });

  it('4-R11 leaves the entries of others alone', async () => {
    kit.git(['worktree', 'add', '-q', '--detach', join(kit.home, 'feature')]);
    kit.git(['worktree', 'add', '-q', '--detach', join(kit.home, 'gone')]);
    rmSync(join(kit.home, 'gone'), { recursive: true });
    const prepared = ready(await open.workspaces.prepare(orderOf('feature'), undefined, never));
    expect(prepared.workspace).toBe(path());
    expect(readdirSync(join(kit.top, '.git/worktrees')).toSorted()).toEqual(['feature', 'feature1', 'gone']);
  });

  it('4-R11 waits for no lock that a killed git left on our index', async () => {
    const first = ready(await open.workspaces.prepare(orderOf('feature'), undefined, never));
    const lock = join(workspaceAt(open.git.home, first.workspace).dir, 'index.lock');
    writeFileSync(lock, '');
    utimesSync(lock, 1, 1);
    writeFileSync(join(path(), 'left.txt'), 'x\n');
    expect(await makeWhole()).toBe('');
  });
});

describe('the mutex', () => {
  it('4-R11 lets one in at a time, and is freed by the death of its holder', async () => {
    const file = join(kit.home, 'lock/worktree.lock');
    const code = `
      const { openRepoLock } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/adapters/repo-lock.ts'))});
      await openRepoLock(${JSON.stringify(file)}).hold(async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60000)); });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const lock = openRepoLock(file);
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    const all = Promise.all([1, 2, 3].map(() => lock.hold(work)));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(most).toBe(0);
    child.kill('SIGKILL');
    await all;
    expect(most).toBe(1);
    await expect(lock.hold(() => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
    await lock.hold(work);
    lock.close();
  });
});
