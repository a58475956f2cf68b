/** The repository's own hooks at landing: the base's version judges, nobody else's, and a failing one sends the task back. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, listOf, makeRepo, markerOf, processesWith, removeRepos, todone } from './kit.ts';

afterEach(removeRepos, 60_000);

/** A repository whose hooks are committed, and may be run where `chmod` names them. */
function withHooks(list: string, hooks: Readonly<Record<string, string>>, config: Readonly<Record<string, unknown>>, chmod = Object.keys(hooks)): string {
  const settings = { attempts: 1, backoff: { first: '10ms', max: '20ms' }, ...config };
  const top = makeRepo(`# Work {script}\n${list}`, { ...hooks, 'todone.config.json': JSON.stringify(settings) });
  if (chmod.length > 0) git(top, 'update-index', '--chmod=+x', ...chmod);
  git(top, 'commit', '-q', '--amend', '--no-edit');
  git(top, 'reset', '-q', '--hard');
  return top;
}

const REFUSES_BAD = `#!/bin/sh
. "$(dirname "$0")/lib.sh"
names=$(git diff --cached --name-only)
echo "staged: $names"
refuse_bad "$names"
`;
const LIB = 'refuse_bad() { case "$1" in *bad*) echo "bad files are not wanted here"; exit 1 ;; esac; }\n';

describe('landHooks', () => {
  it('4-R8 pre-commit sees the commit staged on its parent, with what lies beside it; where it fails the task goes back and its words are kept', async () => {
    const top = withHooks(
      '## Git Worktree one\n[] good\n  run: echo 1 > good.txt\n[] wrong\n  run: echo 1 > bad.txt\n',
      { '.githooks/pre-commit': REFUSES_BAD, '.githooks/lib.sh': LIB },
      { landHooks: ['pre-commit'], verify: 'test -s README.md' },
    );
    expect((await todone(top, 'start', '--once')).code).toBe(1);
    expect([markerOf(top, 'good'), markerOf(top, 'wrong')]).toEqual([expect.stringMatching(/^\[✅/u), expect.stringMatching(/^\[❌/u)]);
    expect(listOf(top)).toContain('the hook .githooks/pre-commit exit 1');
    expect(git(top, 'log', '--format=%s', 'main..todone/one').trim()).toBe('good');
    const id = /\[❌ (\w{8})\]/u.exec(listOf(top))?.[1] ?? '';
    const shown = (await todone(top, 'task', 'show', id, '--json')).out;
    expect(shown).toContain('staged: bad.txt');
    expect(shown).toContain('bad files are not wanted here');
    // Its work is kept, and nothing of it is in the index of anybody.
    expect(git(top, 'for-each-ref', '--format=%(refname)', `refs/todone/${id}`).trim()).toContain('/land');
    expect(git(join(top, 'trees', 'one'), 'status', '--porcelain').trim()).toBe('');
  }, 60_000);

  it('4-R8 it is the base’s version that runs: not one that an agent has landed, has in its workspace, or has put into .git/hooks', async () => {
    const plant = 'printf "#!/bin/sh\\nexit 0\\n" > .githooks/pre-commit; cp .githooks/pre-commit "$(git rev-parse --git-common-dir)/hooks/pre-commit"; true';
    const top = withHooks(
      `## Git Worktree one\n[] plant\n  run: ${plant}\n[] wrong {after:plant}\n  run: ${plant}; echo 1 > bad.txt\n`.replace('[] plant', '[] plant {id:plant}'),
      { '.githooks/pre-commit': REFUSES_BAD, '.githooks/lib.sh': LIB },
      { landHooks: ['.githooks/pre-commit'], protected: [], sandbox: 'none' },
    );
    expect((await todone(top, 'start', '--once')).code).toBe(1);
    expect(git(top, 'show', 'todone/one:.githooks/pre-commit')).toBe('#!/bin/sh\nexit 0\n');
    expect([markerOf(top, 'plant'), markerOf(top, 'wrong')]).toEqual([expect.stringMatching(/^\[✅/u), expect.stringMatching(/^\[❌/u)]);
    expect(listOf(top)).toContain('the hook .githooks/pre-commit exit 1');
  }, 60_000);

  it('4-R8 commit-msg may change the message, but not whose commit it is; pre-commit of husky needs no right to be run', async () => {
    const top = withHooks(
      '## Git Worktree one\n[] plain\n  run: echo 1 > a.txt\n[] robbed\n  run: echo 2 > b.txt\n',
      {
        '.husky/pre-commit': '. "$(dirname "$0")/_/husky.sh"\ngit diff --cached --quiet && exit 1\ntrue\n',
        '.husky/commit-msg':
          '#!/bin/sh\ngrep -q robbed "$1" && { echo "nobody wrote this" > "$1"; exit 0; }\ngit interpret-trailers --in-place --trailer "Change-Id: I123" "$1"\n',
      },
      { landHooks: ['commit-msg', 'pre-commit'] },
      ['.husky/commit-msg'],
    );
    expect((await todone(top, 'start', '--once')).code).toBe(1);
    expect(markerOf(top, 'plain')).toMatch(/^\[✅/u);
    expect(git(top, 'log', '-1', '--format=%B', 'todone/one')).toMatch(
      /^plain\n\nToDone-Task: \w{8}\nToDone-Agent: script\nToDone-Attempt: 1\nChange-Id: I123\n/,
    );
    expect(git(top, 'rev-list', '--count', 'main..todone/one').trim()).toBe('1');
    expect(listOf(top)).toContain('the hook .husky/commit-msg left a message that cannot be taken');
  }, 60_000);

  it('4-R8 a hook judges and does not make: what it changes is undone and shown to the agent', async () => {
    const top = withHooks(
      '## Git Worktree one\n[] shout\n  run: echo quiet > a.txt\n',
      { '.githooks/pre-commit': '#!/bin/sh\ntr a-z A-Z < a.txt > up; mv up a.txt; git add a.txt; echo left > new.txt\n' },
      { landHooks: ['pre-commit'] },
    );
    expect((await todone(top, 'start', '--once')).code).toBe(1);
    expect(listOf(top)).toContain('the hook .githooks/pre-commit changed a.txt');
    expect(git(top, 'rev-list', '--count', 'main..todone/one').trim()).toBe('0');
    expect(git(join(top, 'trees', 'one'), 'status', '--porcelain').trim()).toBe('');
  }, 60_000);

  it('4-R8 with landBatch only the one on which it fails goes back; one that hangs is ended; one that the base lacks is said', async () => {
    const list = '## Git Worktree one {parallel:4}\n[] a\n  run: echo 1 > a.txt\n[] b\n  run: echo 1 > bad.txt\n[] c\n  run: echo 1 > c.txt\n';
    const top = withHooks(list, { '.githooks/pre-commit': REFUSES_BAD, '.githooks/lib.sh': LIB }, { landHooks: ['pre-commit'], landBatch: 4 });
    expect((await todone(top, 'start', '--once')).code).toBe(1);
    expect(['a', 'b', 'c'].map((title) => markerOf(top, title).slice(1, 2))).toEqual(['✅', '❌', '✅']);

    const hangs = '#!/bin/sh\nsleep 31.4159\n';
    const one = '## Git Worktree one\n[] a\n  run: echo 1 > a.txt\n';
    const slow = withHooks(one, { '.githooks/pre-commit': hangs }, { landHooks: ['pre-commit'], limits: { hook: '300ms', stopGrace: '200ms' } });
    expect((await todone(slow, 'start', '--once')).code).toBe(1);
    expect(listOf(slow)).toContain('the hook .githooks/pre-commit took too long');
    expect(processesWith('sleep 31.4159')).toEqual([]);

    const lacking = withHooks(one, {}, { landHooks: ['pre-commit'] });
    expect((await todone(lacking, 'start', '--once')).code).toBe(1);
    expect(listOf(lacking)).toMatch(/landHooks: \.husky\/pre-commit and \.githooks\/pre-commit are not in the base \(\w{7}\): commit it there/);
  }, 90_000);
});
