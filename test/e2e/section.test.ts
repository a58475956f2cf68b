import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { standInGh } from '../adapters/branch-kit.ts';
import { script } from '../adapters/git-kit.ts';
import { git, landed, listOf, makeRepo, markerOf, processesWith, removeRepos, sleep, start, todone } from './kit.ts';

const long = process.env['TODONE_LONG'] !== undefined;
const made: string[] = [];
afterAll(() => {
  removeRepos();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'e2e-section-'));
  made.push(path);
  return path;
}

/** A bare repository as `origin`. */
function withRemote(top: string): string {
  const remote = join(tempFolder(), 'remote.git');
  git(top, 'init', '-q', '--bare', remote);
  git(top, 'remote', 'add', 'origin', remote);
  return remote;
}

function baseMoves(top: string, path: string, text: string): void {
  writeFileSync(join(top, path), text);
  git(top, 'add', path);
  git(top, 'commit', '-q', '-m', `Base: ${path}`);
}

/** Every file with its bytes' size and its times; also links that lead nowhere. */
const tracesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => {
    const { size, mtimeMs, mode } = lstatSync(join(path, name));
    return `${name} ${size} ${mtimeMs} ${mode}`;
  });

const until = async (condition: () => boolean): Promise<void> => {
  for (let left = 600; !condition(); left--) {
    if (left === 0) throw new Error('it did not come to that');
    await sleep(50);
  }
};

const tip = (top: string, branch = 'todone/a'): string => git(top, 'rev-parse', branch).trim();
/** Commands of these tests touch files outside their workspace. */
const OPEN = { 'todone.config.yaml': 'sandbox: none\n' };
const LIST = '# Work {script}\n\n## Git Worktree a\n[] one\n  run: echo 1 > one.txt\n';

describe('sync', () => {
  it('4-R10 takes its turn while tasks are being worked on, and they land on top', async () => {
    const flag = join(tempFolder(), 'go');
    const top = makeRepo(`# Work {script}\n\n## Git Worktree a\n[] slow\n  run: while [ ! -e ${flag} ]; do sleep 0.05; done; echo 1 > slow.txt\n`, OPEN);
    const daemon = start(top, ['start']);
    await until(() => existsSync(join(top, 'trees', 'a', 'README.md')) && markerOf(top, 'slow').startsWith('[🟡'));
    baseMoves(top, 'base.txt', 'b\n');
    const synced = await todone(top, 'sync', 'a');
    expect(synced).toMatchObject({ code: 0, out: expect.stringContaining('merged main') });
    writeFileSync(flag, '');
    await until(() => markerOf(top, 'slow').startsWith('[✅'));
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(git(top, 'ls-tree', '--name-only', 'todone/a').split('\n')).toEqual(expect.arrayContaining(['base.txt', 'slow.txt']));
    expect(git(top, 'merge-base', '--is-ancestor', 'main', 'todone/a')).toBe('');
    expect([...landed(top).values()]).toEqual([1]);
  });

  it('4-R10 a conflict is said by sync, status and why, and nothing has moved; a dry run says it first, without a trace', async () => {
    const top = makeRepo('# Work {script}\n\n## Git Worktree a\n[] one\n  run: echo task > README.md\n');
    await todone(top, 'start', '--once');
    baseMoves(top, 'README.md', 'base\n');
    const before = tip(top);
    const bytes = tracesIn(join(top, '.git'));
    const dry = await todone(top, 'sync', 'a', '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: expect.stringMatching(/would not begin: main and todone\/a both changed README\.md/) });
    expect(tracesIn(join(top, '.git'))).toEqual(bytes);
    const inside = await start(top, ['sync', 'a'], { TODONE_RUN: 'e.1-g1234567-1' }).ended;
    expect(inside).toMatchObject({ code: 3, err: expect.stringContaining('inside a run') });
    expect(await todone(top, 'sync', 'a')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/both changed README\.md: nothing was moved.*git merge main/s),
    });
    expect(tip(top)).toBe(before);
    expect((await todone(top, 'status', 'a')).out).toMatch(/sync came to nothing: main .* both changed README\.md/);
    expect((await todone(top, 'why', 'tasks.md:4')).out).toMatch(/sync came to nothing/);
    // As the remedy says.
    const tree = join(top, 'trees', 'a');
    expect(() => git(tree, 'merge', 'main')).toThrow(/./);
    writeFileSync(join(tree, 'README.md'), 'both\n');
    git(tree, 'commit', '-qam', 'Settled');
    expect(await todone(top, 'sync', 'a')).toMatchObject({ code: 0, out: expect.stringContaining('holds all') });
  });
});

describe('a section that is done', () => {
  it('4-R10 opens one pull request, and brings it up to date after more tasks', async () => {
    const top = makeRepo(LIST, { 'todone.config.yaml': 'onSectionDone: pr\n' });
    const remote = withRemote(top);
    const home = tempFolder();
    mkdirSync(join(home, 'bin'));
    standInGh(join(home, 'bin'), home);
    const env = { PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH']}` };
    const pulls = (): { body: string }[] => JSON.parse(readFileSync(join(home, 'pulls.json'), 'utf8')) as { body: string }[];
    expect(await start(top, ['start', '--once'], env).ended).toMatchObject({ code: 0, err: expect.stringContaining('section done') });
    expect(pulls()).toHaveLength(1);
    expect(pulls()[0]?.body).toContain('one (`');
    writeFileSync(join(top, 'tasks.md'), `${listOf(top)}[] two\n  run: echo 2 > two.txt\n`);
    const dry = await start(top, ['pr', 'a', '--dry-run'], env).ended;
    expect(dry.out).toContain('pull request #1 is up to date');
    expect(await start(top, ['start', '--once'], env).ended).toMatchObject({ code: 0 });
    expect(pulls()).toHaveLength(1);
    expect(pulls()[0]?.body).toMatch(/one \(.*two \(/s);
    expect(git(remote, 'rev-parse', 'refs/heads/todone/a').trim()).toBe(tip(top));
    expect((await todone(top, 'status', '--json')).out).toContain('https://forge.example/o/r/pull/1');
    expect((await todone(top, 'diff', 'a', '--stat')).out).toMatch(/2 files, \+2 -0/);
  });

  it('4-R10 merge waits for uncommitted work on the base, says so, and goes on when it is gone', async () => {
    const top = makeRepo(LIST, { 'todone.config.yaml': 'onSectionDone: merge\nverifyIn: clean\nverify: test -f one.txt\n' });
    const before = tip(top, 'main');
    writeFileSync(join(top, 'README.md'), 'mine\n');
    const daemon = start(top, ['start']);
    await until(() => markerOf(top, 'one').startsWith('[✅') && tip(top) !== before);
    let status = '';
    for (let left = 100; left > 0 && !status.includes('branch in use'); left--) status = (await todone(top, 'status', 'a')).out;
    expect(status).toMatch(/land waits.*branch in use at/s);
    expect(tip(top, 'main')).toBe(before);
    git(top, 'checkout', '--', 'README.md');
    await until(() => tip(top, 'main') === tip(top));
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(git(top, 'status', '--porcelain', '--', 'README.md', 'one.txt')).toBe('');
    expect((await todone(top, 'task', 'show', 'tasks.md:4')).out).toMatch(/verify +test -f one\.txt: passed.*verify\.ndjson/s);
  });
});

describe('kill -9', () => {
  const delays = long ? Array.from({ length: 16 }, (_, at) => at * 12) : [20];

  it.each(delays)('12-R1 in the middle of sync and of land, %i ms after its check: before or after, never between', async (delay) => {
    const top = makeRepo(`## Git Worktree a {script} {verify:test -d /}\n[] one\n  run: echo 1 > one.txt\n`, OPEN);
    await todone(top, 'start', '--once');
    baseMoves(top, 'base.txt', 'b\n');
    for (const [command, branch] of [
      ['sync', 'todone/a'],
      ['land', 'main'],
    ] as const) {
      const flag = join(tempFolder(), 'checked');
      const list = listOf(top).replace(/\{verify:[^}]*\}/, `{verify:touch ${flag}}`);
      writeFileSync(join(top, 'tasks.md'), list);
      const before = tip(top, branch);
      const doing = start(top, [command, 'a']);
      await until(() => existsSync(flag) || doing.exitCode !== null);
      await sleep(delay);
      doing.kill('SIGKILL');
      await doing.ended;
      const after = tip(top, branch);
      expect(after === before || git(top, 'merge-base', '--is-ancestor', command === 'sync' ? 'main' : 'todone/a', branch) === '').toBe(true);
      expect(await todone(top, command, 'a')).toMatchObject({ code: 0 });
      if (after !== before) expect(tip(top, branch)).toBe(after);
      for (const tree of [top, join(top, 'trees', 'a')]) expect(git(tree, 'status', '--porcelain', '-uno', '--', '.', ':!tasks.md')).toBe('');
    }
    expect(git(top, 'rev-list', '--merges', '--count', 'main').trim()).toBe('1');
    expect([...landed(top).values()]).toEqual([1]);
  });

  it.each(long ? ['pre-receive', 'post-receive'] : ['pre-receive'])(
    '12-R1 in the middle of a push, in %s there: the next start goes on, and nothing is left over',
    async (name) => {
      const top = makeRepo(LIST, { 'todone.config.yaml': 'onSectionDone: push\n' });
      const remote = withRemote(top);
      const flag = join(tempFolder(), 'there');
      script(join(remote, 'hooks', name), `#!/bin/sh\n[ -e ${flag} ] && exit 0\ntouch ${flag}\nsleep 54.${process.pid}\n`);
      const daemon = start(top, ['start']);
      await until(() => existsSync(flag));
      daemon.kill('SIGKILL');
      await daemon.ended;
      expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
      expect(git(remote, 'rev-parse', 'refs/heads/todone/a').trim()).toBe(tip(top));
      expect((await todone(top, 'status', 'a')).out).toMatch(/push done/);
      expect(processesWith(`sleep 54.${process.pid}`)).toEqual([]);
    },
  );
});
