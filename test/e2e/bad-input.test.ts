import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { git, listOf, makeRepo, markerOf, removeRepos, start, todone } from './kit.ts';

afterEach(removeRepos);

const root = process.getuid?.() === 0;

describe('bad input', () => {
  it('7-R2 7-R1 a folder that is no repository, one without a commit, a bare one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'e2e-none-'));
    try {
      const none = await todone(folder, 'start', '--once');
      expect(none).toMatchObject({ code: 2, err: expect.stringMatching(/no git repository[\s\S]*git init/) as string });
      git(folder, 'init', '-q');
      writeFileSync(join(folder, 'tasks.md'), '## Git Worktree a\n[] x\n');
      expect(await todone(folder, 'start', '--once')).toMatchObject({ code: 2, err: expect.stringContaining('git commit --allow-empty') as string });
      git(folder, 'init', '-q', '--bare', 'bare.git');
      expect(await todone(join(folder, 'bare.git'), 'start')).toMatchObject({ code: 2, err: expect.stringContaining('bare') as string });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('7-R2 1.1-R6 a list that is missing, empty, binary, Latin-1 or a folder', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] x\n  run: true\n');
    rmSync(join(top, 'tasks.md'));
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 2, err: expect.stringContaining('todone init') as string });
    mkdirSync(join(top, 'tasks.md'));
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 2 });
    rmSync(join(top, 'tasks.md'), { recursive: true });
    for (const bytes of [Buffer.from([0, 1, 2, 0]), Buffer.from([0x5b, 0x5d, 0x20, 0xe9, 0x0a])]) {
      writeFileSync(join(top, 'tasks.md'), bytes);
      expect(await todone(top, 'start', '--once')).toMatchObject({ code: 2, err: expect.stringContaining('UTF-8') as string });
      expect(readFileSync(join(top, 'tasks.md')).equals(bytes)).toBe(true);
    }
    writeFileSync(join(top, 'tasks.md'), '');
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect(listOf(top)).toBe('');
  });

  describe('a list that cannot be used any more while it is worked on', () => {
    /** Begins two tasks, the second after the first, and spoils the list once the first runs. */
    const spoiled = async (settle: string, spoil: (list: string) => void) => {
      const top = makeRepo('## Git Worktree a {script}\n[] x\n  run: touch begun; sleep 1\n[⏰] y\n  run: touch y\n', {
        'todone.config.json': JSON.stringify({ settle, interval: '200ms' }),
      });
      const daemon = start(top, ['start', '--once']);
      await expect.poll(() => existsSync(join(top, 'trees', 'a', 'begun')), { timeout: 20_000 }).toBe(true);
      const before = listOf(top);
      spoil(join(top, 'tasks.md'));
      return { top, before, daemon };
    };

    it.each<[string, (list: string) => void, string]>([
      ['gone', (list) => rmSync(list), 'the list is not there'],
      ['a pipe', (list) => (rmSync(list), execFileSync('mkfifo', [list])), 'is not a regular file'],
      ['a folder', (list) => (rmSync(list), mkdirSync(list)), 'is a folder'],
      ['binary', (list) => writeFileSync(list, 'a\0b'), 'NUL bytes'],
      ['read-only', (list) => chmodSync(list, 0o444), 'is read-only'],
      ['in conflict', (list) => appendFileSync(list, '<<<<<<< HEAD\n[] a\n=======\n[] b\n>>>>>>> other\n'), 'conflict markers'],
    ])('7-R2 1.4-R6 %s: --once says so and fails, and what had ended is written at the next start', async (_how, spoil, says) => {
      const { top, before, daemon } = await spoiled('500ms', spoil);
      expect(await daemon.ended).toMatchObject({ code: 1, err: expect.stringMatching(new RegExp(`ended before everything was done: .*${says}`)) as string });
      rmSync(join(top, 'tasks.md'), { recursive: true, force: true });
      writeFileSync(join(top, 'tasks.md'), before);
      expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
      expect([markerOf(top, 'x'), markerOf(top, 'y')]).toEqual([expect.stringContaining('✅'), expect.stringContaining('✅')]);
      expect(git(top, 'rev-list', '--count', 'main..todone/a').trim()).toBe('2');
    });

    it('1.4-R6 7-R2 gone: what stood on it can be brought back by what works without a list', async () => {
      const { top, before, daemon } = await spoiled('500ms', (list) => rmSync(list));
      await daemon.ended;
      expect(await todone(top, 'status')).toMatchObject({ code: 2, err: expect.stringContaining('todone history shows its old versions') as string });
      const [newest = ''] = (await todone(top, 'history', '--quiet')).out.split('\n');
      expect(await todone(top, 'history', '--show', newest)).toMatchObject({ code: 0, out: before });
      const id = /\[🟡 (\w+)\] x/u.exec(before)?.[1] ?? '';
      expect(await todone(top, 'logs', id)).toMatchObject({ code: 0 });
      expect(await todone(top, 'restore', id)).toMatchObject({ code: 3, err: expect.stringContaining('nothing is kept') as string });
      expect((await todone(top, 'report')).out).toContain('1 task done');
    });

    it('1.4-R6 away for a moment: --once waits for it, and goes on', async () => {
      const { top, before, daemon } = await spoiled('30s', (list) => rmSync(list));
      await expect.poll(() => git(top, 'rev-list', '--count', 'main..todone/a').trim(), { timeout: 20_000 }).toBe('1');
      await sleep(500);
      writeFileSync(join(top, 'tasks.md'), before);
      expect(await daemon.ended).toMatchObject({ code: 0 });
      expect([markerOf(top, 'x'), markerOf(top, 'y')]).toEqual([expect.stringContaining('✅'), expect.stringContaining('✅')]);
    });
  });

  it.skipIf(root)('7-R2 an unreadable list', async () => {
    const top = makeRepo('## Git Worktree a\n[] x\n');
    chmodSync(join(top, 'tasks.md'), 0o000);
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 2, err: expect.stringContaining('cannot be read') as string });
  });

  it.skipIf(!root)('7-R2 12-R1 a read-only file system and a full one: said with the remedy, nothing half done', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'e2e-small-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder]);
    if (mounted.status !== 0) return rmSync(folder, { recursive: true });
    try {
      git(folder, 'init', '-q', '-b', 'main');
      const list = '## Git Worktree a {script}\n[] x\n  run: echo x > x.txt\n';
      writeFileSync(join(folder, 'tasks.md'), list);
      git(folder, 'add', '-A');
      git(folder, '-c', 'user.name=E', '-c', 'user.email=e@localhost', 'commit', '-q', '-m', 'First');
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      expect(await todone(folder, 'start', '--once')).toMatchObject({ code: 3, err: expect.stringMatching(/read-only[\s\S]*mount/) as string });
      execFileSync('mount', ['-o', 'remount,rw', folder]);
      spawnSync('sh', ['-c', 'cat /dev/zero > fill'], { cwd: folder });
      expect(await todone(folder, 'start', '--once')).toMatchObject({ code: 3, err: expect.stringContaining('make room') as string });
      expect(readFileSync(join(folder, 'tasks.md'), 'utf8')).toBe(list);
      rmSync(join(folder, 'fill'));
      expect(await todone(folder, 'start', '--once')).toMatchObject({ code: 0 });
      expect(markerOf(folder, 'x')).toMatch(/^\[✅ /u);
    } finally {
      spawnSync('umount', [folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('8-R1 7-R2 an invalid config, with file, line and remedy', async () => {
    const top = makeRepo('## Git Worktree a\n[] x\n', { 'todone.config.yaml': 'maxAgents: 2\nintervall: 5s\n' });
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 2, err: expect.stringMatching(/todone\.config\.yaml:2[\s\S]*intervall/) as string });
  });

  it('4-R1 git that is too old, by a program of that name', async () => {
    const top = makeRepo('## Git Worktree a\n[] x\n');
    const bin = join(top, 'bin');
    mkdirSync(bin);
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    writeFileSync(join(bin, 'git'), `#!/bin/sh\n[ "$1" = --version ] || [ "$2" = --version ] && { echo git version 2.30.1; exit 0; }\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
    const ran = await start(top, ['start', '--once'], { PATH: `${bin}:${process.env['PATH'] ?? ''}` }).ended;
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/2\.30[\s\S]*2\.39/) as string });
  });

  it('1.4-R9 4-R2 5.3-R1 what is wrong with one task or section holds that one; all others run', async () => {
    const list = [
      '## Git Worktree good {script}\n[] runs\n  run: echo x > x.txt\n[] unknown agent {agent-of-dreams} {gemini}\n',
      '## Git Worktree ../evil {script}\n[] escapes\n  run: true\n',
      '## Git Worktree twice {script}\n[] first\n  run: echo 1 > 1.txt\n\n## Git Worktree TWICE {script}\n[] second\n  run: true\n',
      '## Git Worktree used {script}\n[] in use\n  run: echo u > u.txt\n',
      '## Git Worktree loop {script}\n[] chicken {id:c} {after:e}\n  run: true\n[] egg {id:e} {after:c}\n  run: true\n',
    ].join('\n');
    const top = makeRepo(list);
    const other = mkdtempSync(join(tmpdir(), 'e2e-used-'));
    git(top, 'worktree', 'add', '-q', '-b', 'todone/used', join(other, 'w'));
    writeFileSync(join(other, 'w', 'README.md'), 'dirty\n');
    const daemon = start(top, ['start']);
    await expect.poll(() => markerOf(top, 'runs'), { timeout: 10_000 }).toMatch(/^\[✅ /u);
    const whys = await Promise.all(
      ['unknown agent', 'escapes', 'second', 'chicken'].map(async (text) => (await todone(top, 'why', `tasks.md:${lineOf(top, text)}`)).out),
    );
    expect(whys).toEqual([
      expect.stringMatching(/gemini/),
      expect.stringMatching(/\.\.\/evil/),
      expect.stringMatching(/twice/i),
      expect.stringMatching(/c.*e|e.*c/s),
    ]);
    await expect.poll(async () => (await todone(top, 'why', `tasks.md:${lineOf(top, 'in use')}`)).out, { timeout: 10_000 }).toMatch(/in use at/);
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(readFileSync(join(other, 'w', 'README.md'), 'utf8')).toBe('dirty\n');
    for (const text of ['escapes', 'second', 'chicken', 'egg']) expect([text, markerOf(top, text)]).toEqual([text, '[]']);
    rmSync(other, { recursive: true, force: true });
  });

  it('4-R1 a detached HEAD is no error', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] x\n  run: echo x > x.txt\n');
    git(top, 'checkout', '-q', '--detach');
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
  });

  it('7-R4 start in a linked worktree is refused', async () => {
    const top = makeRepo('## Git Worktree a\n[] x\n');
    git(top, 'worktree', 'add', '-q', 'side');
    expect(await todone(join(top, 'side'), 'start')).toMatchObject({ code: 3, err: expect.stringContaining('-C') as string });
  });

  it('7-R2 a wrong command, option and task', async () => {
    const top = makeRepo('## Git Worktree a\n[] x\n');
    expect(await todone(top, 'strat')).toMatchObject({ code: 2, err: expect.stringContaining('start') as string });
    expect(await todone(top, 'start', '--onec')).toMatchObject({ code: 2 });
    expect(await todone(top, 'why', 'nobody')).toMatchObject({ code: 2, err: expect.stringContaining('task list') as string });
    expect(await todone(top, 'stop', 'tasks.md:2')).toMatchObject({ code: 3 });
  });
});

const lineOf = (top: string, text: string): number =>
  listOf(top)
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;
