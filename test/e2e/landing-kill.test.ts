/** `kill -9` of the daemon at each stage of a landing: the branch is before or after it, never between, and no commit comes twice. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, removeRepos, start, todone } from './kit.ts';

afterEach(removeRepos);
const outside = mkdtempSync(join(tmpdir(), 'landing-kill-'));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

const LONG = process.env['TODONE_LONG'] !== undefined;
const TASKS = 3;

/** A git that kills who called it, once: before or after the call whose arguments hold these words. */
const SHIM = `#!/bin/sh
case " $* " in *"$KILL_AT"*) ;; *) exec "$REAL_GIT" "$@" ;; esac
case "$KILL_AT" in *update-ref*|*hash-object*) exec "$KILL_NODE" "$KILL_HOME/stays.mjs" "$@" ;; esac
n=$(($(cat "$KILL_HOME/count" 2>/dev/null || echo 0) + 1)); echo "$n" > "$KILL_HOME/count"
[ "$n" = "$KILL_NTH" ] || exec "$REAL_GIT" "$@"
[ "$KILL_WHEN" = before ] && kill -9 $PPID && exit 1
"$REAL_GIT" "$@"; kill -9 $PPID
`;

/** The same for a git that stays, `update-ref` or `hash-object`: before it hears of its nth commit, or right after its answer. */
const STAYS = `
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
const { KILL_HOME, KILL_NTH, KILL_WHEN, REAL_GIT } = process.env;
const git = spawn(REAL_GIT, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'inherit'] });
const [asked, answered] = process.argv.includes('update-ref') ? [/^commit$/m, /commit: ok/] : [/^commit-/m, /^[0-9a-f]{40,}$/m];
const nth = () => { appendFileSync(KILL_HOME + '/count', 'x'); return readFileSync(KILL_HOME + '/count').length === Number(KILL_NTH); };
const die = () => { process.kill(process.ppid, 'SIGKILL'); git.kill('SIGKILL'); process.exit(1); };
process.stdin.on('data', (chunk) => { if (KILL_WHEN === 'before' && asked.test(String(chunk)) && nth()) die(); git.stdin.write(chunk); });
process.stdin.on('end', () => git.stdin.end());
git.stdout.on('data', (chunk) => { if (KILL_WHEN === 'after' && answered.test(String(chunk)) && nth()) die(); process.stdout.write(chunk); });
git.on('close', (code) => process.exit(code ?? 1));
`;

/** Stage, the words of its call, which such call, when. The branch is there already: each transaction of refs is a landing. */
const STAGES: readonly (readonly [stage: string, at: string, nth: number, when: 'before' | 'after'])[] = [
  ['squash', ' write-tree ', 1, 'after'],
  ['rebase', ' merge-tree ', 1, 'after'],
  ['swap', 'update-ref', 1, 'before'],
  ['swap', 'update-ref', 1, 'after'],
  ['follow', '/guests/', 3, 'before'],
  ...(LONG
    ? ([
        ['commit', ' hash-object ', 1, 'after'],
        ['squash', ' write-tree ', 2, 'before'],
        ['commit', ' hash-object ', 2, 'before'],
        ['rebase', ' merge-tree ', 2, 'before'],
        ['checkout for verify', ' read-tree ', 4, 'before'],
        ['checkout for verify', ' read-tree ', 5, 'after'],
        ['swap', 'update-ref', 2, 'before'],
        ['swap', 'update-ref', 3, 'after'],
        ['follow', '/guests/', 1, 'after'],
        ['follow', '/guests/', 4, 'after'],
      ] as const)
    : []),
];

function sceneOf(landBatch: number, more: Readonly<Record<string, unknown>> = {}): { readonly top: string; readonly home: string } {
  const home = mkdtempSync(join(outside, 'scene-'));
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin', 'git'), SHIM);
  chmodSync(join(home, 'bin', 'git'), 0o755);
  writeFileSync(join(home, 'stays.mjs'), STAYS);
  const tasks = Array.from({ length: TASKS }, (_, at) => `[] task ${at}.\n  run: sleep 0.${at * 2}; echo ${at} > t${at}.txt\n`).join('');
  const config = JSON.stringify({ sandbox: 'none', verify: 'test -e README.md', landBatch, ...more });
  const top = makeRepo(`# Work {script}\n## Git Worktree x\n${tasks}`, { 'todone.config.json': config });
  git(top, 'branch', 'todone/x');
  return { top, home };
}

/** Whole commits of tasks, in one line from main, none of a task twice; how many. */
function commitsNow(top: string): number {
  const branches = git(top, 'branch', '--list', 'todone/x', '--format=%(objectname)').trim();
  if (branches === '') return 0;
  const trailers = git(top, 'log', '--format=%(trailers:key=ToDone-Task,valueonly,separator=)', 'main..todone/x').trim();
  const ids = trailers.split('\n').filter((id) => id !== '');
  expect(new Set(ids).size).toBe(ids.length);
  expect(git(top, 'rev-list', '--count', 'main..todone/x').trim()).toBe(String(ids.length));
  expect(git(top, 'rev-list', '--merges', '--count', 'main..todone/x').trim()).toBe('0');
  git(top, 'fsck', '--connectivity-only');
  return ids.length;
}

async function goesOn(top: string): Promise<void> {
  expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
  expect(commitsNow(top)).toBe(TASKS);
  expect([...landed(top).values()]).toEqual([1, 1, 1]);
  expect(listOf(top).match(/^\[✅ [0-9a-f]{7,}, /gmu)).toHaveLength(TASKS);
  for (let at = 0; at < TASKS; at++) expect(git(top, 'show', `todone/x:t${at}.txt`)).toBe(`${at}\n`);
  for (const line of git(top, 'worktree', 'list', '--porcelain').split('\n')) {
    const path = line.startsWith('worktree ') ? line.slice(9) : '';
    if (path.includes('/trees/')) expect(git(path, 'status', '--porcelain').trim()).toBe('');
  }
}

const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

describe('kill -9 in a landing', () => {
  it.each(STAGES)(
    '12-R1 4-R6 in %s (%s, call %d, %s): before or after, and everything lands once',
    async (_stage, at, nth, when) => {
      const { top, home } = sceneOf(1);
      const env = {
        PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
        REAL_GIT: realGit,
        KILL_NODE: process.execPath,
        KILL_HOME: home,
        KILL_AT: at,
        KILL_NTH: String(nth),
        KILL_WHEN: when,
      };
      const killed = await start(top, ['start', '--once'], env).ended;
      expect(killed.code).not.toBe(0);
      expect(commitsNow(top)).toBeLessThanOrEqual(TASKS);
      if (at === 'update-ref') expect(commitsNow(top)).toBe(when === 'after' ? nth : nth - 1);
      await goesOn(top);
    },
    120_000,
  );

  it.each(['before', 'after'] as const)(
    '12-R1 4-R6 %s the swap of several that land together: none of them, or all',
    async (when) => {
      const slow = join(outside, `slow-${when}`);
      // The first landing waits in its check until the others stand in line behind it.
      const { top, home } = sceneOf(8, { verify: `test -e ${slow} || { touch ${slow}; sleep 1.5; }` });
      const env = {
        PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
        REAL_GIT: realGit,
        KILL_NODE: process.execPath,
        KILL_HOME: home,
        KILL_AT: 'update-ref',
        KILL_NTH: '2',
        KILL_WHEN: when,
      };
      const killed = await start(top, ['start', '--once'], env).ended;
      expect(killed.code).not.toBe(0);
      expect(commitsNow(top)).toBe(when === 'before' ? 1 : TASKS);
      await goesOn(top);
    },
    120_000,
  );

  it('12-R1 4-R9 in verify: what it left is not landed with the work, and the check runs again', async () => {
    const { top, home } = sceneOf(1, { verify: 'echo junk > junk.txt; kill -9 $(cat ../../pid) 2>/dev/null; test ! -e ../../pid || sleep 5' });
    void home;
    const daemon = start(top, ['start', '--once']);
    writeFileSync(join(top, '.git', 'info', 'exclude'), '/pid\n/trees/\n', { flag: 'a' });
    writeFileSync(join(top, 'pid'), String(daemon.pid));
    expect((await daemon.ended).code).toBeNull();
    expect(commitsNow(top)).toBe(0);
    rmSync(join(top, 'pid'));
    await goesOn(top);
    expect(git(top, 'ls-tree', '--name-only', 'todone/x')).not.toContain('junk');
  }, 120_000);

  it('12-R1 in settle, while the workspace is left: the commit is found, and the line says so', async () => {
    const mark = join(outside, 'settled');
    const { top } = sceneOf(1, { hooks: { afterRun: `test -e ${mark} || { touch ${mark}; kill -9 $PPID; sleep 2; }` } });
    expect((await start(top, ['start', '--once']).ended).code).toBeNull();
    expect(existsSync(mark)).toBe(true);
    expect(commitsNow(top)).toBeGreaterThan(0);
    await goesOn(top);
  }, 120_000);
});
