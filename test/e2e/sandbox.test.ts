/** A hostile agent in the sandbox: it tries what hazards know, and none of it has an effect; its task lands all the same. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOf, git, listOf, makeRepo, markerOf, processesWith, removeRepos, start, todone } from './kit.ts';

const folders: string[] = [];
afterAll(() => {
  removeRepos();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const temp = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cage-'));
  folders.push(folder);
  return folder;
};

/** What this machine gives: without bubblewrap there is no sandbox to test, and `doctor` says so. */
const hasBubblewrap = (() => {
  try {
    execFileSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const CANARY = 'canary-4f1b9e';

/** Each line is a try; whatever fails is passed over. `$1` = the main worktree, `$2` = home, `$3` = a folder of somebody else. */
const HOSTILE = String.raw`
top=$1; home=$2; other=$3; git=$top/.git
try() { ( eval "$1" ) >/dev/null 2>&1 && echo "$1" >> did.txt; }
try 'echo x >> $top/tasks.md && grep -q x $top/tasks.md && [ $(wc -l < $top/tasks.md) -gt 2 ]'
try 'grep -rq TOPSECRET $top/.env $home $other'
try 'cat $home/.ssh/id_ed25519'
try 'echo x > $top/README.md && [ -e $top/README.md ]'
try 'cat $top/trees/b/README.md'
try 'echo x > $top/trees/b/planted'
try 'printf "#!/bin/sh\ntouch $other/$CANARY" > $git/hooks/pre-commit'
try 'git config --file $git/config core.hooksPath /tmp'
try 'git config core.fsmonitor "touch $other/$CANARY"'
try 'git config filter.x.clean "touch $other/$CANARY"'
try 'echo "* filter=x" > $git/info/attributes'
try 'git update-ref refs/heads/main HEAD~0 && git update-ref -d refs/heads/main'
try 'git branch planted'
try 'git tag planted'
try 'rm -rf $(ls -d $git/objects/pack $git/objects/[0-9a-f][0-9a-f]) && git cat-file -e main 2>/dev/null; ! git cat-file -e main'
try 'ls $git/todone/journal.db $git/todone/owner.db'
try 'ls $git/todone/runs/*/*/end-*.json'
try 'echo x > $other/planted'
try 'kill -9 $TODONE_DAEMON'
try '[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 30 ]'
try 'ls /run/docker.sock'
ln -s "$home/.ssh/id_ed25519" link-out
echo "* filter=x" > .gitattributes
( setsid sh -c 'exec env -i sleep 4711' & ) >/dev/null 2>&1
git add -A >/dev/null 2>&1; git -c user.name=x -c user.email=x@y commit -qm "mine" >/dev/null 2>&1 && echo committed > committed.txt
rm -f link-out .gitattributes
echo work > work.txt`;

describe.skipIf(!hasBubblewrap)('the sandbox', () => {
  it('5.3-R8 13-R1 nothing that a hostile agent tries has an effect, and its task lands', { timeout: 120_000 }, async () => {
    const [home, other] = [temp(), temp()];
    mkdirSync(join(home, '.ssh'));
    writeFileSync(join(home, '.ssh', 'id_ed25519'), 'TOPSECRET');
    writeFileSync(join(other, 'theirs.txt'), 'TOPSECRET');
    const top = makeRepo('## Git Worktree b {script}\n[] First\n  run: true; echo b > b.txt\n\n## Git Worktree a\n[] Attack {hostile} {quick}\n', {
      'todone.config.json': JSON.stringify({
        agents: { hostile: { command: ['sh', '-c', HOSTILE, 'hostile', '@top', home, other], env: { CANARY } } },
        attempts: 1,
      }),
    });
    const config = readFileSync(join(top, 'todone.config.json'), 'utf8').replace('@top', top);
    writeFileSync(join(top, 'todone.config.json'), config);
    writeFileSync(join(top, '.env'), 'KEY=TOPSECRET\n');
    const before = bytesOf(join(top, '.git', 'hooks'));
    const gitConfig = readFileSync(join(top, '.git', 'config'), 'utf8');
    const main = git(top, 'rev-parse', 'main');
    const ended = await start(top, ['start', '--once'], { HOME: home }).ended;
    expect(ended.err).toContain('sandbox: bwrap');
    // What it may do to the git of its own is nobody's loss.
    const did = git(top, 'show', 'todone/a:did.txt').trim().split('\n');
    expect(did.filter((line) => !/^git (?:update-ref|branch|tag) /.test(line))).toEqual([]);
    expect(git(top, 'show', 'todone/a:work.txt')).toBe('work\n');
    expect(git(top, 'show', 'todone/a:committed.txt')).toBe('committed\n');
    expect(markerOf(top, 'Attack')).toMatch(/^\[✅ /u);
    expect(existsSync(join(other, CANARY)) || existsSync(join(other, 'planted'))).toBe(false);
    expect(bytesOf(join(top, '.git', 'hooks'))).toEqual(before);
    expect(readFileSync(join(top, '.git', 'config'), 'utf8')).toBe(gitConfig);
    expect(git(top, 'rev-parse', 'main')).toBe(main);
    expect(git(top, 'for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags').trim().split('\n')).toEqual([
      'refs/heads/main',
      'refs/heads/todone/a',
      'refs/heads/todone/b',
    ]);
    git(top, 'fsck', '--strict');
    expect(listOf(top)).not.toContain('x\n\n');
    expect(processesWith('sleep 4711')).toEqual([]);
  });

  it('4-R6 5.3-R8 what agents do to their git and their folder lands, or fails with a reason, as outside of it', { timeout: 120_000 }, async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['branches off', 'git checkout -q -b elsewhere && echo x > o.txt && git add o.txt && git commit -qm o', /^\[✅/u],
      ['commits thrice', 'for i in 1 2 3; do echo $i > c$i; git add c$i; git commit -qm "c $i"; done', /^\[✅/u],
      ['stashes and tags', 'echo x > s.txt; git add s.txt; git commit -qm s; git tag mine; git commit -q --amend -m t', /^\[✅/u],
      ['orphans itself', 'echo x > k.txt; g=$(git rev-parse --git-dir); git checkout -q --orphan nowhere; touch "$g/index.lock" "$g/HEAD.lock"', /^\[✅/u],
      ['loses its .git', 'echo x > m.txt; rm -f .git', /^\[✅/u],
      ['empties its folder', 'rm -rf "$TODONE_WORKTREE"', /^\[❌/u],
    ];
    const list = `# Bad {script}\n${cases.map(([title, run], at) => `\n## Git Worktree b${at}\n[] ${title}\n  run: ${run}\n`).join('')}`;
    const top = makeRepo(list, { 'todone.config.json': JSON.stringify({ attempts: 1 }) });
    await todone(top, 'start', '--once');
    expect(cases.map(([title]) => [title, markerOf(top, title)])).toEqual(cases.map(([title, , marker]) => [title, expect.stringMatching(marker)]));
    expect(git(top, 'for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags')).not.toMatch(/elsewhere|mine|nowhere/);
    git(top, 'fsck');
  });

  it('5.3-R8 the network is open unless the config closes it', { timeout: 60_000 }, async () => {
    const task = (name: string): string => `## Git Worktree ${name} {script}\n[] Look\n  run: wc -l < /proc/net/dev > n.txt\n`;
    const seen = async (sandboxNetwork: boolean): Promise<number> => {
      const top = makeRepo(task('a'), { 'todone.config.json': JSON.stringify({ sandboxNetwork }) });
      expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
      return Number(git(top, 'show', 'todone/a:n.txt'));
    };
    expect(await seen(false)).toBe(3);
    expect(await seen(true)).toBeGreaterThanOrEqual(3);
  });

  it('5.3-R3 a stop reaches the program inside, which may still end well', { timeout: 60_000 }, async () => {
    const top = makeRepo(
      '## Git Worktree a {script}\n[] Wait\n  run: trap "echo heard > heard.txt; exit 1" TERM; echo up > up.txt; while :; do sleep 0.1; done\n',
    );
    const daemon = start(top, ['start', '--once']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'up.txt')), { timeout: 20_000 }).toBe(true);
    writeFileSync(join(top, 'tasks.md'), listOf(top).replace(/\[🟡[^\]]*\]/u, '[❌]'));
    await daemon.ended;
    expect(listOf(top)).toContain('cancelled');
    const kept = git(top, 'for-each-ref', '--format=%(refname)', 'refs/todone')
      .trim()
      .split('\n')
      .filter((ref) => ref.includes('/1/'));
    expect(git(top, 'show', `${kept[0]}:heard.txt`)).toBe('heard\n');
  });

  it('5.3-R8 nothing is left of a sandbox when its run is over', { timeout: 60_000 }, async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] Do\n  run: echo x > x.txt\n');
    await todone(top, 'start', '--once');
    expect(readdirSync(join(top, '.git', 'todone', 'cages'))).toEqual([]);
  });
});

it('5.3-R8 a sandbox that is asked for and not to be had holds every task, and says so', { timeout: 60_000 }, async () => {
  const bin = temp();
  for (const name of ['sh', 'git', 'ps', 'ls', 'sleep']) execFileSync('sh', ['-c', `ln -s "$(command -v ${name})" ${join(bin, name)}`]);
  const list = '## Git Worktree a {script}\n[] Do\n  run: echo x > x.txt\n';
  const asked = makeRepo(list, { 'todone.config.json': JSON.stringify({ sandbox: 'bwrap' }) });
  const refused = await start(asked, ['start', '--once'], { PATH: bin }).ended;
  expect(refused.err).toMatch(/the sandbox is not to be had \(bwrap is not on the PATH: install bubblewrap\)/);
  expect(markerOf(asked, 'Do')).toBe('[]');
  const auto = makeRepo(list);
  const done = await start(auto, ['start', '--once'], { PATH: bin }).ended;
  expect(done.err).toContain('sandbox: none: bwrap is not on the PATH');
  expect(markerOf(auto, 'Do')).toMatch(/^\[✅ /u);
});
