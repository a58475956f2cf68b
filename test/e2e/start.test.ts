import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bytesOf, git, landed, listOf, makeRepo, markerOf, removeRepos, ROOT, scriptList, sleep, start, todone } from './kit.ts';

afterEach(removeRepos);

/** `npm run test:e2e` makes them as large as the promise; `npm test` keeps them short. */
const LONG = process.env['TODONE_LONG'] !== undefined;
const MARKER = /\[(?:✅|❌|🟡)[^\]]*\]|\[\]|\[⏰\]/gu;

describe('start --once', () => {
  it('7 the shipped list ends with every line done, each hash a commit with its trailer, and only markers changed', async () => {
    const before = readFileSync(join(ROOT, 'tasks.md'), 'utf8');
    const fresh = before.replaceAll(/^\[✅[^\]]*\]/gmu, '[]');
    const top = makeRepo(fresh);
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    const tasks = listOf(top)
      .split('\n')
      .filter((line) => line.startsWith('[✅ ') && !line.includes('a1b2c3d'));
    expect(tasks).toHaveLength(3);
    for (const line of tasks) {
      const [, hash = '', id = ''] = /^\[✅ ([0-9a-f]{7,}), ([g-z][0-9a-z]{7})\]/u.exec(line) ?? [];
      expect(git(top, 'branch', '--contains', hash, '--format=%(refname:short)').trim().split('\n')).toContain('todone/hello');
      expect(git(top, 'log', '-1', '--format=%(trailers:key=ToDone-Task,valueonly)', hash).trim()).toBe(id);
    }
    expect(listOf(top).replaceAll(MARKER, '[]')).toBe(fresh.replaceAll(MARKER, '[]'));
  });

  it('1.4-R2 1.1-R6 keeps every byte outside markers and notes of an ugly list', async () => {
    const many = Array.from({ length: LONG ? 5000 : 1500 }, (_, index) => `[-] old ${index} {p3}`).join('\r\n');
    const ugly = [
      '\uFEFF# Checkout {script}\r\n',
      '\r\n## Git Worktree feature-auth {p1}\r\n[✅ a1b2c3d, k3v9x2m1] Add login form\r\n[🟡 q8f0t6zd] Add logout {opus}\r\n[❌ m2c7r4ya] Remember me for 30 days\r\n  > failed in implement: `npm test` exit 1, 3 tests (attempt 3 of 3)\r\n',
      '[] Rotate  refresh\ttokens {id:rotate} {p0} {after:k3v9x2m1}  \r\n\tfiles: src/auth/**, test/auth/**\r\n\trun: echo rotated > r.txt\r\n[⏰] Document the flow\r\n',
      '\r\n### Phase 2 {approval}\r\n- [ ] list form works too\r\n',
      '\r\n## Git Worktree ugly\r\n```md\r\n[] in a fence\r\n## Git Worktree nowhere\r\n```\r\n> [] in a quote\r\n<!--\r\n[] in a comment\r\n-->\r\n\\[] escaped by a formatter\r\n  run: echo escaped > e.txt\r\n1) [ ] numbered\r\n   run: echo n > n.txt\r\n   * [ ] nested\r\n     run: echo nested > nested.txt\r\n',
      `[] ${'long '.repeat(LONG ? 200_000 : 40_000)}line\r\n  run: echo long > l.txt\r\n`,
      `\r\n## Git Worktree many\r\n${many}\r\nlast line without an end`,
    ].join('');
    const top = makeRepo(ugly);
    writeFileSync(join(top, 'tasks.md'), ugly);
    await todone(top, 'start', '--once');
    const after = readFileSync(join(top, 'tasks.md'), 'utf8');
    const lines = after.split('\r\n').filter((line) => !line.startsWith('  > failed') || ugly.includes(line));
    const plain = (text: string): string => text.replaceAll(/\[(?:✅|❌|🟡)[^\]\r\n]*\]|\\?\[ ?\]|\[⏰\]/gu, '[]');
    expect(plain(lines.join('\r\n'))).toBe(plain(ugly));
    for (const text of ['Rotate  refresh', 'escaped by', 'numbered', 'nested', 'long long']) expect(markerOf(top, text)).toMatch(/^\[✅ /u);
    expect(markerOf(top, 'Document the flow')).toBe('[⏰]');
    expect(markerOf(top, 'list form')).toBe('[ ]');
  });

  it('2-R2 2-R3 three daemons at once, one of them killed: every task lands once', async () => {
    const [sections, tasks] = LONG ? [10, 20] : [6, 8];
    const top = makeRepo(scriptList(sections, tasks));
    const daemons = [1, 2, 3].map(() => start(top, ['start', '--once']));
    await sleep(1200);
    daemons[0]?.kill('SIGKILL');
    const ends = await Promise.all(daemons.map((daemon) => daemon.ended));
    expect(ends.slice(1).map((end) => end.code)).toEqual([0, 0]);
    expect(listOf(top).match(/^\[✅ [0-9a-f]{7,}, [g-z][0-9a-z]{7}\]/gmu)).toHaveLength(sections * tasks);
    const counts = landed(top);
    expect(counts.size).toBe(sections * tasks);
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
  }, 300_000);

  it('12-R1 kill -9 at random moments, started again each time: every task lands once, none is lost', async () => {
    const kills = LONG ? 50 : 12;
    const [sections, tasks] = LONG ? [6, 5] : [4, 3];
    const top = makeRepo(scriptList(sections, tasks, LONG ? 'sleep 0.5' : 'sleep 0.15'));
    let last: { readonly code: number | null } = { code: null };
    for (let kill = 0; kill < kills && last.code !== 0; kill++) {
      const daemon = start(top, ['start', '--once']);
      const timer = setTimeout(() => daemon.kill('SIGKILL'), 150 + Math.random() * 600);
      last = await daemon.ended;
      clearTimeout(timer);
    }
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    const counts = landed(top);
    expect([counts.size, [...counts.values()].filter((count) => count !== 1)]).toEqual([sections * tasks, []]);
    expect(listOf(top).match(/^\[✅ /gmu)).toHaveLength(sections * tasks);
    expect(git(top, 'status', '--porcelain').trim()).toBe('M tasks.md');
  }, 300_000);

  it('3-R2 3-R6 a failed task keeps [⏰] below it blocked, and why says so; 7-R1 exit code 1', async () => {
    const top = makeRepo(
      '# x {script}\n## Git Worktree a\n[] breaks\n  run: echo oh no; exit 3\n[⏰] waits\n  run: echo w > w.txt\n[] free\n  run: echo f > f.txt\n',
    );
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 1 });
    expect(markerOf(top, 'breaks')).toMatch(/^\[❌ /u);
    expect(listOf(top)).toContain('  > failed in implement: ');
    expect([markerOf(top, 'waits'), markerOf(top, 'free').slice(0, 3)]).toEqual(['[⏰]', '[✅ ']);
    const why = await todone(top, 'why', 'tasks.md:6');
    expect(why).toMatchObject({ code: 0, out: expect.stringContaining('breaks') as string });
  });

  it('3-R7 the dry run changes no byte on disk, .git included, and says what would start', async () => {
    const top = makeRepo(
      '## Git Worktree b {script} {p1}\n[] two {p3} {quick}\n  run: true\n[⏰] later\n  run: true\n\n## Git Worktree a\n[] one {script}\n  run: true\n[] nobody\n',
    );
    const before = bytesOf(top);
    const json = await todone(top, 'start', '--dry-run', '--json');
    const text = await todone(top, 'start', '--dry-run');
    expect(bytesOf(top)).toEqual(before);
    expect(JSON.parse(json.out)).toEqual([
      { worktree_name: 'b', tasks_to_start: [{ description: 'two', tags: ['p3', 'quick', 'script'] }] },
      { worktree_name: 'a', tasks_to_start: [{ description: 'one', tags: ['script'] }] },
    ]);
    expect([json.code, text.code]).toEqual([0, 0]);
    expect(text.out).toContain('later');
  });
});

describe('a daemon', () => {
  it('1.4-R10 1.4-R5 takes a saved line to a commit, and drains at SIGTERM', async () => {
    const top = makeRepo('## Git Worktree a {script}\n', { 'todone.config.json': '{"claimAfter":"100ms"}' });
    const daemon = start(top, ['start']);
    await sleep(800);
    writeFileSync(join(top, 'tasks.md'), '## Git Worktree a {script}\n[] saved just now\n  run: echo x > x.txt\n');
    await expect.poll(() => markerOf(top, 'saved just now'), { timeout: 10_000 }).toMatch(/^\[✅ /u);
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 130 });
  });

  it('2-R4 the file is the steering wheel: [❌] stops a run with its processes and keeps its work', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] long work\n  run: echo half > half.txt; sleep 4242\n');
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'half.txt')), { timeout: 10_000 }).toBe(true);
    writeFileSync(join(top, 'tasks.md'), listOf(top).replace(/\[🟡[^\]]*\]/u, '[❌]'));
    await expect.poll(() => markerOf(top, 'long work'), { timeout: 12_000 }).toMatch(/^\[❌ [g-z]/u);
    expect(listOf(top)).toContain('> cancelled: ');
    expect(git(top, 'for-each-ref', '--format=%(refname)', 'refs/todone/')).toContain('implement');
    const id = /\[❌ (\w+)\]/u.exec(listOf(top))?.[1] ?? '';
    const restored = await todone(top, 'restore', id);
    expect(restored.code).toBe(0);
    expect(readFileSync(join(top, 'trees', `restored-${id}`, 'half.txt'), 'utf8')).toBe('half\n');
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it('2-R3 a second one stands by, says so, and takes over at once when the first is killed', async () => {
    const top = makeRepo('## Git Worktree a {script}\n', { 'todone.config.json': '{"claimAfter":"0s"}' });
    const first = start(top, ['start']);
    await sleep(700);
    const second = start(top, ['start']);
    let said = '';
    second.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 5000 }).toContain('standing by');
    first.kill('SIGKILL');
    writeFileSync(join(top, 'tasks.md'), '## Git Worktree a {script}\n[] after the first\n  run: echo x > x.txt\n');
    await expect.poll(() => markerOf(top, 'after the first'), { timeout: 10_000 }).toMatch(/^\[✅ /u);
    second.kill('SIGTERM');
    await second.ended;
  });

  it('1.4-R7 git taking markers back runs nothing again, and they are put right', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt\n[] two\n  run: echo 2 > two.txt\n');
    await todone(top, 'start', '--once');
    const after = listOf(top);
    const daemon = start(top, ['start']);
    await sleep(700);
    git(top, 'checkout', '--', 'tasks.md');
    expect(listOf(top)).toContain('[] one');
    await expect.poll(() => listOf(top), { timeout: 12_000 }).toBe(after);
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect([...landed(top).values()]).toEqual([1, 1]);
  });

  it('8-R1 an invalid config leaves the last good one in force and says so', async () => {
    const top = makeRepo('## Git Worktree a {script}\n', { 'todone.config.json': '{"claimAfter":"0s","interval":"300ms"}' });
    const daemon = start(top, ['start']);
    let said = '';
    daemon.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 20_000 }).toContain('the list is read');
    writeFileSync(join(top, 'todone.config.json'), '{"interval": "soon"}');
    await expect.poll(() => said, { timeout: 20_000 }).toMatch(/todone\.config\.json.*interval/s);
    writeFileSync(join(top, 'tasks.md'), '## Git Worktree a {script}\n[] still works\n  run: echo x > x.txt\n');
    await expect.poll(() => markerOf(top, 'still works'), { timeout: 20_000 }).toMatch(/^\[✅ /u);
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it('13-R3 what it keeps is only for its user', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt\n');
    await todone(top, 'start', '--once');
    const state = join(top, '.git', 'todone');
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(statSync(join(state, 'journal.db')).mode & 0o077).toBe(0);
  });
});
