/** The same question asked again of a list that has not changed (11-R1). */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { QUIET_ENV, withDaemon } from './doors-kit.ts';
import { makeRepo, removeRepos, start } from './kit.ts';

const cache = mkdtempSync(join(tmpdir(), 'todone-cache-'));

afterAll(() => {
  removeRepos();
  rmSync(cache, { recursive: true, force: true });
});

it('11-R1 6.1-R1 ready is answered from what was answered before, as long as no file has changed and no date has come', async () => {
  const top = makeRepo('## Git Worktree a\n[] One\n[] Later {not-before:2999-01-01}\n');
  const still = (): void => utimesSync(join(top, 'tasks.md'), new Date(), new Date(Date.now() - 3_600_000));
  const env = { XDG_CACHE_HOME: cache, CLAUDECODE: '', TODONE_INSTANCE: '' };
  const ready = async (): Promise<string> => (await start(top, ['task', 'ready', '--json'], env).ended).out;
  still();
  const first = await ready();
  expect(first).toContain('"One"');
  const [name = ''] = readdirSync(join(cache, 'todone', 'ready'));
  const file = join(cache, 'todone', 'ready', name);
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { until: number };
  // The mark shows that the second answer is the kept one.
  writeFileSync(file, JSON.stringify({ ...kept, out: first.replace('One', 'Kept') }));
  expect(await ready()).toBe(first.replace('One', 'Kept'));
  writeFileSync(file, JSON.stringify({ ...kept, until: 1 }));
  expect(await ready()).toBe(first);
  writeFileSync(join(top, 'tasks.md'), '## Git Worktree a\n[] Two\n');
  still();
  expect(await ready()).toContain('"Two"');
});

it('11-R1 6.1-R1 a daemon answers ready from memory, never with what the list said before', { timeout: 240_000 }, async () => {
  const top = makeRepo('## Git Worktree a {claude}\n[] One\n[] Two {owner:w1}\n', { 'README.md': 'x\n' });
  const env = { ...QUIET_ENV, XDG_CACHE_HOME: cache };
  const ask = async (...more: string[]): Promise<string> => (await start(top, ['task', 'ready', '--json', ...more], env).ended).out;
  /** Where nothing but the daemon could have known. */
  const whole = async (...more: string[]): Promise<string> => (await start(top, ['task', 'ready', '--json', '--no-color', ...more], env).ended).out;
  const titles = (out: string): string[] => (JSON.parse(out) as { tasks: { title: string }[] }).tasks.map(({ title }) => title);
  await withDaemon(top, async () => {
    // The first time everything is checked, and vouched for; from then on the daemon is asked, and says the same to the byte.
    await expect.poll(async () => titles(await ask('--as', 'w1')), { timeout: 60_000 }).toEqual(['One', 'Two']);
    await ask();
    for (const words of [[], ['--as', 'w1'], ['--limit', '1'], ['--owner', 'w1']]) expect(await ask(...words)).toBe(await whole(...words));
    for (let round = 0; round < 5; round++) {
      // What is typed is seen at once, though it may not be taken yet; what is gone is gone at once.
      writeFileSync(join(top, 'tasks.md'), `## Git Worktree a {claude}\n[${round % 2 === 0 ? 'x' : ''}] One\n[] Two {owner:w1}\n`);
      expect(titles(await ask()).includes('One') && round % 2 === 0).toBe(false);
    }
    // A config that is wrong is said, whoever could have answered.
    writeFileSync(join(top, 'todone.config.json'), '{ "maxAgents": "many" }');
    expect((await start(top, ['task', 'ready', '--json'], env).ended).code).toBe(2);
    rmSync(join(top, 'todone.config.json'));
  });
});

it('11-R1 2-R3 an answer is kept no longer than the claims in it', { timeout: 60_000 }, async () => {
  const top = makeRepo('## Git Worktree a\n[] One\n[] Two\n');
  const env = { ...QUIET_ENV, XDG_CACHE_HOME: cache };
  const todone = (...args: string[]): Promise<{ out: string }> => start(top, args, env).ended;
  await todone('task', 'claim', 'tasks.md:2', '--as', 'w1', '--lease', '6');
  for (let asked = 0; asked < 2; asked++) expect((await todone('task', 'ready', '--json')).out).not.toContain('"One"');
  await expect.poll(async () => (await todone('task', 'ready', '--json')).out, { timeout: 30_000 }).toContain('"One"');
});
