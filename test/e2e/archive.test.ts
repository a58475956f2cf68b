/** `todone archive` as a person calls it: with and without a daemon, while the list is typed on, and killed at any moment (6.5-R1). */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listOf, makeRepo, markerOf, removeRepos, sleep, start, todone } from './kit.ts';

afterEach(removeRepos);

const CONFIG = { 'todone.config.json': '{"claimAfter":"0s","interval":"300ms","sandbox":"none"}' };
const archiveOf = (top: string): string => (existsSync(join(top, 'tasks.archive.md')) ? readFileSync(join(top, 'tasks.archive.md'), 'utf8') : '');
const times = (text: string, words: string): number => text.split(words).length - 1;
const done = (count: number): string => Array.from({ length: count }, (_, at) => `[✅ -, g${String(at).padStart(7, '0')}] task ${at}.\n  of ${at}.\n`).join('');

describe('archive', () => {
  it('6.5-R1 done tasks go to the archive and count as done from there; back they stand as they stood', async () => {
    const before = `# Shop\n\n## Git Worktree a {script}\n[✅ -, k3v9x2m1] one {id:first} {no-commit}\n  > a note\n\n[x] by hand\n[] two {after:first} {no-commit}\n  run: echo 2 > two.txt\n`;
    const top = makeRepo(before, CONFIG);
    const dry = await todone(top, 'archive', '--older-than', '0', '--dry-run', '--json', 'first', 'tasks.md:7');
    expect(JSON.parse(dry.out)).toMatchObject({ done: false, tasks: [{ id: 'k3v9x2m1' }, { title: 'by hand' }] });
    expect([listOf(top), existsSync(join(top, 'tasks.archive.md'))]).toEqual([before, false]);
    expect(await todone(top, 'archive', 'two', '--json').then(({ code }) => code)).toBe(2);
    const went = await todone(top, 'archive', 'first', 'tasks.md:7');
    expect([went.code, went.err]).toEqual([0, '']);
    expect(listOf(top)).toBe('# Shop\n\n## Git Worktree a {script}\n\n[] two {after:first} {no-commit}\n  run: echo 2 > two.txt\n');
    expect(archiveOf(top)).toContain('[✅ -, k3v9x2m1] one {id:first} {no-commit}\n  > a note\n');
    expect((await todone(top, 'archive', '--undo')).code).toBe(0);
    expect(listOf(top)).toBe(before);
    await todone(top, 'archive', 'first', '--summary');
    expect(listOf(top)).toContain('## Git Worktree a {script}\n> archived: 1 done task, the last of 20');
    // Also where nothing but the archive knows it.
    rmSync(join(top, '.git', 'todone'), { recursive: true });
    const ran = await start(top, ['start', '--once']).ended;
    expect([ran.code, markerOf(top, 'two')]).toEqual([0, expect.stringContaining('✅')]);
    await todone(top, 'archive', '--undo', 'first');
    // Beside what it stood beside, now that there is more in the section.
    expect(listOf(top)).toContain('\n[✅ -, k3v9x2m1] one {id:first} {no-commit}\n  > a note\n[x] by hand\n');
    expect(listOf(top)).not.toContain('archived:');
    expect(times(archiveOf(top), 'todone:archived')).toBe(0);
  });

  it('6.5-R1 a task without an id that is written like an archived one is another task', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] deploy\n  run: date +%N > a.txt\n', CONFIG);
    await start(top, ['start', '--once']).ended;
    writeFileSync(join(top, 'tasks.md'), `${listOf(top)}[] deploy\n  run: date +%N > b.txt\n`);
    const id = /\[✅ \w+, (\w+)\]/.exec(listOf(top))?.[1] ?? '';
    expect((await todone(top, 'archive', '--older-than', '0', '--quiet')).out).toBe(`${id}\n`);
    expect((await start(top, ['start', '--once']).ended).code).toBe(0);
    expect(markerOf(top, 'deploy')).toMatch(/✅/);
    expect(markerOf(top, 'deploy')).not.toContain(id);
  });

  it('6.5-R1 a daemon does it while a person types: nothing is lost, and work goes on at once', async () => {
    const top = makeRepo(`## Git Worktree a {script}\n${done(40)}\n## Git Worktree b\n[] typing\n`, CONFIG);
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, '.git', 'todone', 'owner.json')), { timeout: 60_000 }).toBe(true);
    const going = todone(top, 'archive', '--older-than', '0', '--json', ...Array.from({ length: 40 }, (_, at) => `g${String(at).padStart(7, '0')}`));
    let line = 0;
    let over = false;
    void going.then(() => (over = true));
    while (!over) {
      writeFileSync(join(top, 'tasks.md'), `${listOf(top)}words ${line++}.\n`);
      await sleep(30);
    }
    expect((await going).code).toBe(0);
    writeFileSync(join(top, 'tasks.md'), `${listOf(top)}\n## Git Worktree c {script}\n[] at once\n  run: echo 1 > c.txt\n`);
    await expect.poll(() => markerOf(top, 'at once'), { timeout: 60_000 }).toMatch(/✅/);
    daemon.kill('SIGTERM');
    await daemon.ended;
    const both = listOf(top) + archiveOf(top);
    for (let at = 0; at < 40; at++) expect([at, times(both, `] task ${at}.\n  of ${at}.\n`)]).toEqual([at, 1]);
    for (let at = 0; at < line; at++) expect([at, times(listOf(top), `words ${at}.\n`)]).toEqual([at, 1]);
  });

  it('6.5-R1 killed at any moment, each task is in one of the two, and in one only once it is done again', async () => {
    const list = `## Git Worktree a\n${done(6)}[x] twin.\n[x] twin.\n[] open\n`;
    const top = makeRepo(list, CONFIG);
    const wish = ['archive', 'tasks.md:14', 'tasks.md:15', ...Array.from({ length: 6 }, (_, at) => `g${String(at).padStart(7, '0')}`)];
    for (let round = 0; round < 6; round++) {
      const killed = start(top, round % 2 === 0 ? wish : ['archive', '--undo']);
      const before = archiveOf(top);
      const changed = (): boolean => existsSync(join(top, '.git', 'todone', 'archiving.json')) || archiveOf(top) !== before;
      for (let wait = 0; wait < 400 && !changed() && killed.exitCode === null; wait++) await sleep(5);
      await sleep(round * 3);
      killed.kill('SIGKILL');
      await killed.ended;
      const both = listOf(top) + archiveOf(top);
      for (let at = 0; at < 6; at++) expect(times(both, `] task ${at}.\n  of ${at}.\n`)).toBeGreaterThan(0);
      expect(times(both, '[x] twin.\n')).toBeGreaterThan(1);
    }
    // Done again, whatever there was.
    await todone(top, 'archive', '--undo');
    for (let tries = 0; tries < 9 && listOf(top) !== list; tries++) await todone(top, 'archive', '--undo');
    expect(listOf(top)).toBe(list);
    expect(times(archiveOf(top), 'todone:archived')).toBe(0);
    expect((await todone(top, ...wish)).code).toBe(0);
    expect(listOf(top)).toBe('## Git Worktree a\n[] open\n');
    expect(times(archiveOf(top), 'todone:archived')).toBe(8);
  });

  it('6.5-R1 an agent takes nothing off the list', async () => {
    const top = makeRepo('## Git Worktree a\n[x] one\n', CONFIG);
    expect(await todone(top, 'archive', 'tasks.md:2', '--as', 'ci-1').then(({ code, err }) => [code, err])).toEqual([
      3,
      expect.stringContaining('only a person'),
    ]);
    expect((await start(top, ['archive', 'tasks.md:2'], { CLAUDECODE: '1' }).ended).code).toBe(3);
    expect(listOf(top)).toContain('[x] one');
  });
});
