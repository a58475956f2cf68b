import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeRepo, removeRepos, scriptList, start, todone } from './kit.ts';

afterEach(removeRepos);

const LIMIT_MS = 120_000;

/** As a git leaves it that was killed `ageMs` ago. */
function leave(top: string, name: string, ageMs: number): string {
  const path = join(top, '.git', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  const then = (Date.now() - ageMs) / 1000;
  utimesSync(path, then, then);
  return path;
}

it(
  '12-R1 4-R11 locks of killed gits are gone when a run ends, also those that were too young at its start; the engineer keeps theirs',
  async () => {
    const top = makeRepo(scriptList(1, 1));
    const ours = [leave(top, 'refs/heads/todone/s0.lock', 0), leave(top, 'refs/todone/tips/s0.lock', 60_000), leave(top, 'packed-refs.lock', 60_000)];
    const theirs = [leave(top, 'config.lock', 60_000), leave(top, 'refs/heads/main.lock', 60_000)];
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect(ours.filter((path) => existsSync(path))).toEqual([]);
    expect(theirs.filter((path) => !existsSync(path))).toEqual([]);
  },
  LIMIT_MS,
);

it(
  '12-R1 4-R11 a daemon that idles takes them away by itself, and says so',
  async () => {
    const top = makeRepo('# Nothing to do\n');
    const daemon = start(top, ['start']);
    let said = '';
    daemon.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    try {
      await expect.poll(() => said, { timeout: LIMIT_MS }).toContain('the list is read');
      const lock = leave(top, 'refs/heads/todone/s0.lock', 60_000);
      await expect.poll(() => existsSync(lock), { timeout: LIMIT_MS, interval: 200 }).toBe(false);
      await expect.poll(() => said, { timeout: LIMIT_MS }).toContain(`removed ${lock}: a git that was killed had left it`);
    } finally {
      daemon.kill('SIGKILL');
      await daemon.ended;
    }
  },
  LIMIT_MS,
);
