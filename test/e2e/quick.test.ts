/** The same question asked again of a list that has not changed (11-R1). */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
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
