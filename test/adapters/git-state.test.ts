import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGitState } from '../../src/adapters/git-state.ts';
import type { GitState } from '../../src/engine/ports.ts';

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'gitstate-')));
  git('init', '-q', '-b', 'main');
  write('[] x\n');
  git('add', 'tasks.md');
  commit('one');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const ENV = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b.c',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b.c',
  GIT_EDITOR: 'true',
};

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: top, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
/** git in the midst of something: it fails, and stays there. */
function gitStops(...args: string[]): void {
  expect(() => git(...args)).toThrow('Command failed');
}
const commit = (message: string): string => git('commit', '-q', '-a', '--allow-empty', '-m', message);
const write = (text: string | Buffer): void => writeFileSync(join(top, 'tasks.md'), text);

function open(listName = 'tasks.md', gitDir = join(top, '.git')): () => Promise<GitState> {
  const look = openGitState({ gitDir, commonDir: join(top, '.git'), top, listName });
  return async () => look(readFileSync(join(top, listName)));
}

describe('where git stands', () => {
  it('1.4-R7 the position moves with commit, checkout, reset, detaching and stash, and with nothing else', async () => {
    const look = open();
    const seen = [(await look()).position];
    const moves = async (work: () => unknown): Promise<boolean> => {
      work();
      const { position } = await look();
      const moved = position !== seen.at(-1);
      seen.push(position);
      return moved;
    };
    expect(await moves(() => write('[🟡 a] x\n'))).toBe(false);
    expect(await moves(() => git('add', '-A'))).toBe(false);
    expect(await moves(() => git('status'))).toBe(false);
    expect(await moves(() => commit('two'))).toBe(true);
    expect(await moves(() => git('reset', '-q', '--hard', 'HEAD~1'))).toBe(true);
    expect(await moves(() => git('checkout', '-q', '-b', 'other'))).toBe(true);
    expect(await moves(() => git('checkout', '-q', '--detach'))).toBe(true);
    expect(await moves(() => [write('[✅] x\n'), git('stash', '-q')])).toBe(true);
    expect(await moves(() => git('stash', 'pop', '-q'))).toBe(true);
    expect(await moves(() => git('branch', 'third'))).toBe(false);
  });

  it('1.4-R7 packed refs are the same place as loose ones', async () => {
    const look = open();
    write('[✅] x\n');
    git('stash', '-q');
    const { position } = await look();
    git('pack-refs', '--all');
    expect((await look()).position).toBe(position);
    expect(position).toContain(git('rev-parse', 'HEAD'));
    expect(position).toContain(git('rev-parse', 'refs/stash'));
    commit('two');
    git('pack-refs', '--all', '--prune');
    expect((await look()).position).toContain(git('rev-parse', 'HEAD'));
  });

  it('1.4-R7 refs kept in tables', async ({ skip }) => {
    const other = join(top, 'tables');
    try {
      execFileSync('git', ['init', '-q', '--ref-format=reftable', other], { env: ENV, stdio: 'ignore' });
    } catch {
      skip();
    }
    const look = openGitState({ gitDir: join(other, '.git'), commonDir: join(other, '.git'), top: other, listName: 'tasks.md' });
    const before = (await look(undefined)).position;
    execFileSync('git', ['commit', '-q', '--allow-empty', '-m', 'x'], { cwd: other, env: ENV });
    const after = (await look(undefined)).position;
    expect(after).not.toBe(before);
    expect(after).toMatch(/[0-9a-f]{40}/);
  });

  it('1.4-R7 names what git is in the midst of', async () => {
    const look = open();
    expect((await look()).operation).toBeUndefined();
    write('[] ours\n');
    commit('ours');
    git('checkout', '-q', '-b', 'theirs', 'HEAD~1');
    write('[] theirs\n');
    commit('theirs');

    gitStops('merge', '-q', 'main');
    expect((await look()).operation).toBe('merge');
    git('merge', '--abort');
    gitStops('rebase', '-q', 'main');
    expect((await look()).operation).toBe('rebase');
    git('rebase', '--abort');
    gitStops('cherry-pick', 'main');
    expect((await look()).operation).toBe('cherry-pick');
    git('cherry-pick', '--abort');
    gitStops('revert', '--no-edit', 'main');
    expect((await look()).operation).toBe('revert');
    git('revert', '--abort');
    git('bisect', 'start');
    expect((await look()).operation).toBe('bisect');
    git('bisect', 'reset');
    writeFileSync(join(top, '.git', 'index.lock'), '');
    expect((await look()).operation).toBe('index.lock');
    unlinkSync(join(top, '.git', 'index.lock'));
    expect((await look()).operation).toBeUndefined();
  });

  it('1.4-R7 knows the bytes that git has, in HEAD and in the index', async () => {
    const look = open();
    expect((await look()).listIsCommitted).toBe(true);
    write('[🟡 a] x\n');
    expect((await look()).listIsCommitted).toBe(false);
    git('add', 'tasks.md');
    expect((await look()).listIsCommitted).toBe(true);
    write('[] x\n');
    expect((await look()).listIsCommitted).toBe(true);
    git('checkout', '-q', '--', 'tasks.md');
    expect((await look()).listIsCommitted).toBe(true);
    write('[✅] x\n');
    expect((await look()).listIsCommitted).toBe(false);
  });

  it('1.4-R7 also where git changes the line ends', async () => {
    git('config', 'core.autocrlf', 'true');
    write('[] x\r\n[] y\r\n');
    git('add', 'tasks.md');
    commit('two lines');
    expect(await open()()).toMatchObject({ listIsCommitted: true });
  });

  it('1.4-R7 an untracked list, one outside, and one behind a link', async () => {
    writeFileSync(join(top, 'new.md'), '[] x\n');
    expect((await open('new.md')()).listIsCommitted).toBe(false);
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    writeFileSync(join(outside, 'list.md'), '[] x\n');
    symlinkSync(join(outside, 'list.md'), join(top, 'linked.md'));
    expect((await open('linked.md')()).listIsCommitted).toBe(false);
    symlinkSync('tasks.md', join(top, 'near.md'));
    expect((await open('near.md')()).listIsCommitted).toBe(true);
    rmSync(outside, { recursive: true });
  });

  it('1.4-R7 a linked worktree has its own HEAD, index and operations', async () => {
    git('worktree', 'add', '-q', join(top, 'tree'), '-b', 'side');
    const gitDir = join(top, '.git', 'worktrees', 'tree');
    const look = openGitState({ gitDir, commonDir: join(top, '.git'), top: join(top, 'tree'), listName: 'tasks.md' });
    const bytes = (): Buffer => readFileSync(join(top, 'tree', 'tasks.md'));
    const first = await look(bytes());
    expect(first).toMatchObject({ listIsCommitted: true, position: expect.stringContaining('refs/heads/side') as string });
    commit('in the main worktree');
    expect((await look(bytes())).position).toBe(first.position);
    writeFileSync(join(gitDir, 'MERGE_HEAD'), git('rev-parse', 'HEAD'));
    expect((await look(bytes())).operation).toBe('merge');
    expect((await open()()).operation).toBeUndefined();
  });

  it('1.4-R7 a GIT_DIR in our environment leads nowhere else', async () => {
    const other = mkdtempSync(join(tmpdir(), 'other-'));
    execFileSync('git', ['init', '-q', other], { env: ENV });
    process.env['GIT_DIR'] = join(other, '.git');
    try {
      expect(await open()()).toMatchObject({ listIsCommitted: true });
    } finally {
      delete process.env['GIT_DIR'];
      rmSync(other, { recursive: true });
    }
  });

  it('13-R1 starts no program that the repository names, and leaves the index alone', async () => {
    const mark = join(top, 'ran');
    writeFileSync(join(top, 'evil'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    git('config', 'core.fsmonitor', join(top, 'evil'));
    mkdirSync(join(top, '.git', 'hooks'), { recursive: true });
    writeFileSync(join(top, '.git', 'hooks', 'post-index-change'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const index = readFileSync(join(top, '.git', 'index'));
    await open()();
    expect(() => readFileSync(mark)).toThrow('ENOENT');
    expect(readFileSync(join(top, '.git', 'index')).equals(index)).toBe(true);
  });
});
