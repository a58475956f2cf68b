/** A machine that is short of something while a daemon works: nothing is lost, it says so, and goes on by itself. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, markerOf, removeRepos, start, todone } from './kit.ts';

afterAll(removeRepos);

const root = process.getuid?.() === 0;

it.skipIf(!root)('12-R1 7-R2 a disk that is full for a while: the daemon says so, keeps the list, and goes on by itself', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-small-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder]).status !== 0) return rmSync(folder, { recursive: true });
  const daemon = { stop: () => undefined as unknown };
  try {
    git(folder, 'init', '-q', '-b', 'main');
    const list = '## Git Worktree a {script}\n[] first\n  run: echo x > x.txt\n';
    writeFileSync(join(folder, 'tasks.md'), list);
    git(folder, 'add', '-A');
    git(folder, '-c', 'user.name=E', '-c', 'user.email=e@localhost', 'commit', '-q', '-m', 'First');
    const running = start(folder, ['start', '--interval', '1s']);
    let said = '';
    running.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    daemon.stop = () => running.kill('SIGKILL');
    await expect.poll(() => markerOf(folder, 'first'), { timeout: 20_000 }).toMatch(/^\[✅ /u);
    writeFileSync(join(folder, 'tasks.md'), `${listOf(folder)}[] second\n  run: echo y > y.txt\n`);
    spawnSync('sh', ['-c', 'cat /dev/zero > fill'], { cwd: folder });
    await expect.poll(() => said, { timeout: 20_000 }).toContain('blocked: the disk is full');
    const full = listOf(folder);
    expect(full).toContain('\n[] second\n');
    expect((await todone(folder, 'status')).out).toContain('blocked: the disk is full');
    rmSync(join(folder, 'fill'));
    await expect.poll(() => markerOf(folder, 'second'), { timeout: 20_000 }).toMatch(/^\[✅ /u);
    expect(said).toContain('going on');
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(130);
  } finally {
    daemon.stop();
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

it(
  '12-R1 2-R3 the state folder is deleted under a daemon at work: it begins again from the list and git, and nothing lands twice',
  { timeout: 60_000 },
  async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] first\n  run: echo x > x.txt\n', { 'todone.config.json': '{"claimAfter":"0s","interval":"500ms"}' });
    const daemon = start(top, ['start']);
    try {
      await expect.poll(() => markerOf(top, 'first'), { timeout: 20_000 }).toMatch(/^\[✅ /u);
      rmSync(join(top, '.git', 'todone'), { recursive: true, force: true });
      writeFileSync(join(top, 'tasks.md'), `${listOf(top)}[] second\n  run: echo y > y.txt\n`);
      await expect.poll(() => markerOf(top, 'second'), { timeout: 20_000 }).toMatch(/^\[✅ /u);
      expect([...landed(top).values()]).toEqual([1, 1]);
    } finally {
      daemon.kill('SIGKILL');
      await daemon.ended;
    }
  },
);
