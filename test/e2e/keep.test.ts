import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, processesWith, markerOf, removeRepos, sleep, start, todone } from './kit.ts';

afterEach(removeRepos);

const LONG = process.env['TODONE_LONG'] !== undefined;
const LIST =
  '## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt\n[] two\n  run: echo 2 > two.txt\n\n## Git Worktree b {script}\n[] three\n  run: echo 3 > three.txt\n';
const CONFIG = { 'todone.config.json': '{"claimAfter":"0s","interval":"300ms","sandbox":"none"}' };

const stateOf = (top: string): string => join(top, '.git', 'todone');
const save = (top: string, change: (text: string) => string): void => writeFileSync(join(top, 'tasks.md'), change(listOf(top)));
const plain = (text: string): string => text.replaceAll(/\[✅[^\]]*\]/gu, '[]');

type Found = { readonly code: string; readonly line: number | null; readonly fix: object | null; readonly severity: string };
async function reconcile(top: string, ...args: string[]): Promise<{ code: number | null; findings: Found[]; fixed: Found[] }> {
  const ran = await todone(top, 'reconcile', '--json', ...args);
  return { code: ran.code, ...(JSON.parse(ran.out) as { findings: Found[]; fixed: Found[] }) };
}

describe('a journal that was deleted by hand', () => {
  it('4-R9 12-R1 nothing that landed runs again, with its markers or without them, and work goes on', async () => {
    for (const lost of LONG ? ['journal', 'journal and markers', 'everything and markers'] : ['journal and markers']) {
      const top = makeRepo(LIST);
      await todone(top, 'start', '--once');
      const before = landed(top);
      expect(before.size).toBe(3);
      const right = listOf(top);
      if (lost.startsWith('journal')) for (const name of readdirSync(stateOf(top))) if (name.startsWith('journal.db')) rmSync(join(stateOf(top), name));
      if (lost.startsWith('everything')) rmSync(stateOf(top), { recursive: true });
      if (lost.endsWith('markers')) save(top, plain);
      save(top, (text) => `${text}[] new\n  run: echo n > n.txt\n`);
      expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
      const after = landed(top);
      expect([lost, after.size, [...after.values()].filter((count) => count !== 1)]).toEqual([lost, 4, []]);
      expect(markerOf(top, 'new')).toMatch(/^\[✅ /u);
      for (const text of ['one', 'two', 'three']) {
        // With nothing left but git they are only called alike: held, as typed.
        const expected = lost === 'everything and markers' ? '[]' : (right.split('\n').find((line) => line.includes(`] ${text}`)) ?? '');
        expect([lost, expected.startsWith(markerOf(top, text))]).toEqual([lost, true]);
      }
    }
  });

  it('2-R4 a claimed line goes on from what is kept, and one whose commit is there is settled', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt; test -e ../../go || sleep 4243\n', CONFIG);
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'one.txt')), { timeout: 20_000 }).toBe(true);
    daemon.kill('SIGKILL');
    await daemon.ended;
    const marker = markerOf(top, 'one');
    expect(marker).toMatch(/^\[🟡 /u);
    const id = /\[🟡 (\w+)\]/u.exec(marker)?.[1] ?? '';
    for (const name of readdirSync(stateOf(top))) if (name.startsWith('journal.db')) rmSync(join(stateOf(top), name));
    writeFileSync(join(top, 'go'), '');
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect([markerOf(top, 'one').includes(id), [...landed(top)]]).toEqual([true, [[id, 1]]]);
    // The same again with the commit there and the line not yet written.
    rmSync(stateOf(top), { recursive: true });
    save(top, (text) => text.replace(/\[✅[^\]]*\]/u, `[🟡 ${id}]`));
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect(markerOf(top, 'one')).toMatch(/^\[✅ /u);
    expect([...landed(top)]).toEqual([[id, 1]]);
  });

  it.runIf(LONG)('1.4-R6 lines that a person deleted do not make the list look cut at the next start', async () => {
    const tasks = Array.from({ length: 8 }, (_, index) => `[] task ${index}.\n  run: echo ${index} > f${index}.txt\n`);
    const top = makeRepo(`## Git Worktree a {script}\n${tasks.join('')}`, { 'todone.config.json': '{"settle":"2s"}' });
    await todone(top, 'start', '--once');
    save(top, () => '## Git Worktree a {script}\n[✅] kept\n');
    await todone(top, 'start', '--once');
    save(top, (text) => `${text}[] next\n  run: echo n > n.txt\n`);
    const ran = await todone(top, 'start', '--once', '--verbose');
    expect(markerOf(top, 'next')).toMatch(/^\[✅ /u);
    expect(ran.err).not.toContain('cut off');
  });
});

describe('reconcile', () => {
  it('6.3-R3 finds what list and git say of each other both ways, and --fix writes what git proves, through the owner', async () => {
    const top = makeRepo(LIST, CONFIG);
    await todone(top, 'start', '--once');
    const right = listOf(top);
    expect(await reconcile(top)).toMatchObject({ code: 0, findings: [] });
    // A mark that is lost, one that is invented, one that names another's commit.
    const hashes = [...right.matchAll(/\[✅ (\w+), (\w+)\]/gu)].map((match) => ({ hash: match[1] ?? '', id: match[2] ?? '' }));
    const wrong = right
      .replace(`[✅ ${hashes[0]?.hash}, ${hashes[0]?.id}] one`, '[] one')
      .replace(`[✅ ${hashes[1]?.hash}, ${hashes[1]?.id}] two`, `[✅ ${hashes[0]?.hash}, ${hashes[1]?.id}] two`)
      .concat('[✅ deadbee, k3v9x2m1] never\n');
    for (const withDaemon of LONG ? [false, true] : [true]) {
      save(top, () => wrong);
      const daemon = withDaemon ? start(top, ['start']) : undefined;
      if (daemon) await sleep(1500);
      const found = await reconcile(top);
      expect([found.code, found.findings.map((finding) => finding.code).sort()]).toEqual([1, ['other_task', 'unmarked', 'unproven']]);
      const fixed = await reconcile(top, '--fix');
      expect([fixed.code, fixed.fixed.map((finding) => finding.code).sort(), fixed.findings.map((finding) => finding.code)]).toEqual([
        1,
        ['other_task', 'unmarked'],
        ['unproven'],
      ]);
      expect(listOf(top)).toBe(`${right}[✅ deadbee, k3v9x2m1] never\n`);
      daemon?.kill('SIGTERM');
      await daemon?.ended;
    }
    expect([...landed(top).values()]).toEqual([1, 1, 1]);
  });

  it.runIf(LONG)('4-R9 a section that was merged, squashed or rebased stays proven; 12-R1 a task that landed twice is found', async () => {
    const top = makeRepo(LIST);
    await todone(top, 'start', '--once');
    git(top, 'commit', '-qam', 'List');
    git(top, 'merge', '-q', '--squash', 'todone/a');
    git(top, 'commit', '-qm', 'Squashed');
    git(join(top, 'trees', 'b'), 'rebase', '-q', 'main');
    git(top, 'merge', '-q', '--ff-only', 'todone/b');
    git(top, 'worktree', 'remove', '--force', 'trees/a');
    git(top, 'branch', '-qD', 'todone/a');
    expect(await reconcile(top)).toMatchObject({ code: 0, findings: [] });
    const id = /\[✅ \w+, (\w+)\] three/u.exec(listOf(top))?.[1] ?? '';
    git(top, 'update-ref', '-d', `refs/todone/landed/${id}`);
    expect(await reconcile(top, '--fix')).toMatchObject({ code: 0, fixed: [{ code: 'stale_hash' }] });
    expect(git(top, 'merge-base', '--is-ancestor', /\[✅,? (\w+), \w+\] three/u.exec(listOf(top))?.[1] ?? '', 'main')).toBe('');
    git(top, 'commit', '-q', '--allow-empty', '-m', `Again\n\nToDone-Task: ${id}`);
    expect((await reconcile(top)).findings.map((finding) => finding.code)).toEqual(['twice']);
  });

  it.runIf(LONG)('6.3-R3 a commit without a line is found, a line that a person deleted is only noted, {redo} is a wish', async () => {
    const top = makeRepo(LIST);
    await todone(top, 'start', '--once');
    save(top, (text) => text.replace(/\[✅[^\]]*\] one\n/u, '').replace(/\[✅ \w+, (\w+)\] two/u, '[] two {redo} {hold:later} {id:$1}'));
    git(top, 'commit', '-q', '--allow-empty', '-m', 'Elsewhere\n\nToDone-Task: m2c7r4ya');
    const { code, findings } = await reconcile(top);
    expect([code, findings.map((finding) => [finding.code, finding.severity])]).toEqual([
      1,
      expect.arrayContaining([
        ['deleted', 'note'],
        ['lineless', 'finding'],
      ]) as unknown,
    ]);
    expect(findings).toHaveLength(2);
  });
});

describe('old versions of the list', () => {
  it('1.4-R3 can be listed, shown byte for byte, and brought back by a redirection', async () => {
    // One at a time: two that start together are written together.
    const top = makeRepo(LIST, { 'todone.config.json': '{"maxAgents":1}' });
    await todone(top, 'start', '--once');
    const { versions } = JSON.parse((await todone(top, 'history', '--list', '--json')).out) as {
      versions: { name: string; kind: string; bytes: number; added: number }[];
    };
    expect(versions.length).toBeGreaterThanOrEqual(3);
    expect(versions.every((version) => version.kind === 'before' && version.added > 0)).toBe(true);
    const first = versions.at(-1)?.name ?? '';
    const shown = await todone(top, 'history', '--show', first.slice(0, -4));
    expect(shown.out).toBe(LIST);
    expect((await todone(top, 'history', '--list')).out).toContain(first);
    expect(await todone(top, 'history', '--show', 'nope')).toMatchObject({ code: 2 });
  });
});

describe('restore', () => {
  it('4-R5 says what there is, attempt by attempt, shows before it does, and touches nothing that is there', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo half > half.txt; exit 1\n');
    await todone(top, 'start', '--once');
    const id = /\[❌ (\w+)\]/u.exec(listOf(top))?.[1] ?? '';
    const list = await todone(top, 'restore', id, '--list');
    expect(list).toMatchObject({ code: 0, out: expect.stringContaining(`refs/todone/${id}/1/`) as string });
    const dry = JSON.parse((await todone(top, 'restore', id, '--dry-run', '--json')).out) as { path: string; files: string[]; done: boolean };
    expect([dry.files, dry.done, existsSync(dry.path)]).toEqual([['half.txt'], false, false]);
    expect(await todone(top, 'restore', id, '--attempt', '7')).toMatchObject({ code: 3, err: expect.stringContaining('attempt 7') as string });
    // Into what is there: refused, and a worktree with work in it says so.
    writeFileSync(join(top, 'trees', 'a', 'mine.txt'), 'mine');
    const refused = await todone(top, 'restore', id, '--into', 'trees/a');
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('mine.txt') as string });
    expect(readFileSync(join(top, 'trees', 'a', 'mine.txt'), 'utf8')).toBe('mine');
    // Neither list nor journal know it any more: git does.
    rmSync(stateOf(top), { recursive: true });
    save(top, () => '## Git Worktree a {script}\n');
    expect(await todone(top, 'restore', id)).toMatchObject({ code: 0 });
    expect(readFileSync(join(top, 'trees', `restored-${id}`, 'half.txt'), 'utf8')).toBe('half\n');
  });
});

describe('clean', () => {
  it('4-R5 removes the worktrees of what is over, keeps the branch, and a later task makes them again', async () => {
    const top = makeRepo(`${LIST}[] waits {hold:me}\n`, { '.gitignore': 'node_modules/\n' });
    await todone(top, 'start', '--once');
    mkdirSync(join(top, 'trees', 'a', 'node_modules'));
    writeFileSync(join(top, 'trees', 'a', 'node_modules', 'x'), 'x');
    const dry = await todone(top, 'clean', '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: expect.stringMatching(/would be removed {2}.*trees\/a\n.*node_modules\//) as string });
    expect(existsSync(join(top, 'trees', 'a', 'one.txt'))).toBe(true);
    expect(await todone(top, 'clean', 'b')).toMatchObject({ code: 3, err: expect.stringContaining('waits') as string });
    expect(await todone(top, 'clean')).toMatchObject({ code: 0, out: expect.stringContaining('removed') as string });
    expect([existsSync(join(top, 'trees', 'a')), existsSync(join(top, 'trees', 'b'))]).toEqual([false, true]);
    expect(git(top, 'worktree', 'list')).not.toContain('trees/a');
    expect(git(top, 'log', '--oneline', 'todone/a').trim().split('\n')).toHaveLength(3);
    save(top, (text) => text.replace('## Git Worktree b', '[] four\n  run: echo 4 > four.txt\n\n## Git Worktree b'));
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect(readdirSync(join(top, 'trees', 'a')).sort()).toEqual(expect.arrayContaining(['four.txt', 'one.txt', 'two.txt']));
  });

  it('4-R4 beforeRemove runs in each workspace before it goes; where it fails or hangs the workspace stays', async () => {
    const config = (beforeRemove: string): string => JSON.stringify({ hooks: { beforeRemove }, limits: { hook: '400ms', stopGrace: '100ms' } });
    const top = makeRepo(LIST, { 'todone.config.json': config('exit 3'), '.gitignore': 'said\n' });
    await todone(top, 'start', '--once');
    for (const [command, said] of [
      ['exit 3', 'the hook beforeRemove (exit 3) failed'],
      ['sleep 27.1828', 'the hook beforeRemove (sleep 27.1828) failed'],
    ] as const) {
      writeFileSync(join(top, 'todone.config.json'), config(command));
      expect((await todone(top, 'clean', 'a', '--json')).out).toContain(said);
      expect(existsSync(join(top, 'trees', 'a', 'one.txt'))).toBe(true);
    }
    expect(processesWith('sleep 27.1828')).toEqual([]);
    writeFileSync(join(top, 'todone.config.json'), config('test "$PWD" = "$TODONE_WORKTREE" && test "$TODONE_SECTION" = a && test -f one.txt'));
    expect(await todone(top, 'clean', 'a')).toMatchObject({ code: 0, out: expect.stringContaining('removed') as string });
    expect(existsSync(join(top, 'trees', 'a'))).toBe(false);
  });

  it('4-R5 keeps a person’s work, and what no snapshot can hold, and says which file; with a daemon, too', async () => {
    const top = makeRepo(LIST, CONFIG);
    await todone(top, 'start', '--once');
    writeFileSync(join(top, 'trees', 'a', 'mine.txt'), 'mine');
    git(join(top, 'trees', 'b'), 'init', '-q', 'nested');
    writeFileSync(join(top, 'trees', 'b', 'nested', 'x'), 'x');
    const daemon = start(top, ['start']);
    await sleep(1500);
    const cleaned = JSON.parse((await todone(top, 'clean', '--json')).out) as { worktrees: { path: string; outcome: string; why: string }[] };
    const why = (path: string): string | undefined => cleaned.worktrees.find((each) => each.outcome === 'kept' && each.path.endsWith(path))?.why;
    expect([why('trees/a'), why('trees/b')]).toMatchObject([expect.stringContaining('mine.txt'), expect.stringContaining('nested')]);
    expect(readFileSync(join(top, 'trees', 'a', 'mine.txt'), 'utf8')).toBe('mine');
    expect(statSync(join(top, 'trees', 'b', 'nested')).isDirectory()).toBe(true);
    rmSync(join(top, 'trees', 'a', 'mine.txt'));
    expect(await todone(top, 'clean', 'a')).toMatchObject({ code: 0, out: expect.stringContaining('removed') as string });
    expect(existsSync(join(top, 'trees', 'a'))).toBe(false);
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it.runIf(LONG)('4-R5 what a run that was killed left goes to a snapshot before its worktree goes', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo half > half.txt; sleep 4244\n', CONFIG);
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'half.txt')), { timeout: 20_000 }).toBe(true);
    const id = /\[🟡 (\w+)\]/u.exec(listOf(top))?.[1] ?? '';
    daemon.kill('SIGKILL');
    await daemon.ended;
    expect(await todone(top, 'clean', 'a')).toMatchObject({ code: 3, err: expect.stringContaining('being worked on') as string });
    // Neither the journal nor the list know of it any more; its workspace does.
    for (const name of readdirSync(stateOf(top))) if (name.startsWith('journal.db')) rmSync(join(stateOf(top), name));
    save(top, () => '# Empty\n');
    expect(await todone(top, 'clean', 'a')).toMatchObject({ code: 0, out: expect.stringContaining(`refs/todone/${id}/1/left`) as string });
    expect(existsSync(join(top, 'trees', 'a'))).toBe(false);
    expect(git(top, 'show', `refs/todone/${id}/1/left:half.txt`)).toBe('half\n');
  });
});

describe('what is kept', () => {
  it('4-R5 1.4-R3 13-R3 is bounded by age and size in idle time, but for work that did not land; doctor says what each kind takes', async () => {
    const keep = { snapshotBytes: 0, logBytes: 0, versionBytes: 0, every: '1s' };
    const top = makeRepo('## Git Worktree a {script}\n[] fails\n  run: echo half > half.txt; exit 1\n', {
      'todone.config.json': JSON.stringify({ claimAfter: '0s', interval: '300ms', keep }),
    });
    const daemon = start(top, ['start']);
    await expect.poll(() => markerOf(top, 'fails'), { timeout: 20_000 }).toMatch(/^\[❌/u);
    save(top, (text) => `${text}[] lands\n  run: echo x > x.txt\n`);
    await expect.poll(() => markerOf(top, 'lands'), { timeout: 20_000 }).toMatch(/^\[✅/u);
    const failed = /\[❌ (\w+)\]/u.exec(listOf(top))?.[1] ?? '';
    await expect.poll(() => readdirSync(join(stateOf(top), 'versions')).length, { timeout: 20_000 }).toBe(0);
    await expect.poll(() => readdirSync(join(stateOf(top), 'runs')).length, { timeout: 20_000 }).toBe(0);
    expect(git(top, 'for-each-ref', '--format=%(refname)', `refs/todone/${failed}/`)).toContain(`refs/todone/${failed}/1/`);
    daemon.kill('SIGTERM');
    await daemon.ended;
    const { checks } = JSON.parse((await todone(top, 'doctor', '--json')).out) as { checks: { name: string; found: string }[] };
    const disk = checks.filter((check) => check.name === 'disk').map((check) => check.found.replace(/:.*/, '').replace(/^\d+ /, ''));
    expect(disk).toEqual(['journal', 'logs and folders of runs', 'versions of the list', 'log of the daemon', 'private git folders', 'snapshots', 'worktrees']);
  });
});
