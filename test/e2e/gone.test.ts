import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { listOf, makeRepo, processesWith, removeRepos, sleep, start } from './kit.ts';

afterEach(removeRepos);

const LIMIT_MS = 60_000;

/** A daemon with an agent at work that would go on for long. */
async function working(args: readonly string[] = []) {
  const top = makeRepo(`# Work {script}\n\n## Git Worktree s\n[] wait\n  run: sleep 298.${process.pid}\n`, { 'todone.config.json': '{"claimAfter": "0s"}' });
  const daemon = start(top, ['start', ...args]);
  while (processesWith(`sleep 298.${process.pid}`).length === 0) await sleep(50);
  return { top, daemon };
}

it.each(['deleted', 'moved away', 'without its git directory'])(
  '12-R1 2-R7 a daemon whose repository is %s ends by itself, says so, and leaves no agent',
  async (how) => {
    const { top, daemon } = await working(how === 'moved away' ? ['--once'] : []);
    const elsewhere = `${top}-elsewhere`;
    try {
      if (how === 'moved away') renameSync(top, elsewhere);
      else rmSync(how === 'deleted' ? top : join(top, '.git'), { recursive: true, maxRetries: 20, retryDelay: 20 });
      const { code, err } = await daemon.ended;
      expect(err).toMatch(/error: the repository \S+ was deleted or moved away \(\S+ is not there\): nothing is left to work on\n {2}do: /);
      expect(code).toBe(3);
      expect(processesWith(`sleep 298.${process.pid}`)).toEqual([]);
      if (how === 'moved away') expect(listOf(elsewhere)).toContain('[🟡 ');
      else expect(existsSync(join(top, '.git', 'HEAD'))).toBe(false);
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  },
  LIMIT_MS,
);

it(
  '12-R1 2-R3 one that stands by for a repository that is gone ends as well',
  async () => {
    const { top, daemon } = await working();
    const other = start(top, ['start']);
    let said = '';
    other.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    other.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    while (!said.includes('standing by')) await sleep(50);
    daemon.kill('SIGKILL');
    rmSync(top, { recursive: true, maxRetries: 20, retryDelay: 20 });
    expect(await other.ended).toMatchObject({ code: 3, err: expect.stringContaining('was deleted or moved away') as string });
    await daemon.ended;
  },
  LIMIT_MS,
);
