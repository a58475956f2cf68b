/**
 * Secrets that an agent gets to see and tells wherever it can: in what it says, reports, writes, commits and leaves in checks. Whole processes;
 * afterwards every byte that ToDone keeps, shows or sends is looked through.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { standInGh } from '../adapters/branch-kit.ts';
import { git, listOf, makeRepo, markerOf, removeRepos, sleep, start } from './kit.ts';

const made: string[] = [];
afterAll(() => {
  removeRepos();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'e2e-canary-'));
  made.push(path);
  return path;
}

/** Of the repository's `.env`, of the environment that agents get, and one that only its form gives away. */
const CANARIES = { file: 'canary-of-file-8d2f', env: 'canary-of-env-41c9', form: `ghp_${'CanaryOfForm3'.repeat(3).slice(0, 36)}` } as const;
const ALL = Object.values(CANARIES);
/** All three in a shell of the agent's: none of them stands in the config. */
const GATHER = `all="$(cat .env) $SERVICE_TOKEN ghp_$(printf 'CanaryOfForm3%.0s' 1 2 3 | cut -c1-36)"`;

/** Tells them in every way that an agent has; the first attempt fails its checks, so that its evidence is told on. */
const TELLS = `${GATHER}
line() { printf '{"text":"%s"}\\n' "$*"; }
line "I saw $all"; echo "and said $all" >&2; echo "no json: $all"
case $TODONE_PHASE in
  plan) printf 'files: work.txt\\naction: keep %s\\nverify: true\\ndone: yes\\n' "$all" > "$TODONE_PLAN" ;;
  implement)
    echo "work $TODONE_ATTEMPT $(date +%N)" > work.txt; git add work.txt; git commit -qm "By the agent"
    n=$(cat .tries 2>/dev/null || echo 0); echo $((n + 1)) > .tries
    [ "$n" -gt 0 ] || echo again > red.txt; [ "$n" -eq 0 ] || rm -f red.txt
    printf '{"outcome":"done","summary":"Known: %s","tasks":[{"title":"Rotate %s","details":"it is %s"}]}' "$all" "$all" "$all" > "$TODONE_RESULT" ;;
  update) printf '{"outcome":"done","summary":"Now %s","commitMessage":"Work with %s\\\\n\\\\nSince %s"}' "$all" "$all" "$all" > "$TODONE_RESULT" ;;
esac`;
/** Another that asks with them, one that fails with them, and one that wants to land them. */
const ASKS = `${GATHER}; printf '{"outcome":"needs_decision","question":"Is %s right?"}' "$all" > "$TODONE_RESULT"`;
const FAILS = `${GATHER}; printf '{"error":"refused: %s"}\\n' "$all"; exit 1`;
const LANDS = `${GATHER}; echo "$all" > settings.txt`;

const LIST = `## Git Worktree a
[] Tell everything {tells}
  verify: cat .env; test ! -e red.txt

## Git Worktree b
[] Ask with it {asks} {quick}

## Git Worktree c
[] Fail with it {fails} {quick}

## Git Worktree d
[] Land it {lands} {quick}
`;

const agent = (script: string): object => ({ command: ['sh', '-c', script], output: 'jsonl', fields: { text: 'text', error: 'error' } });

it.each([['auto'], ['none']])(
  '13-R2 5.3-R8 no secret comes out of what ToDone keeps, shows or sends, with sandbox %s',
  { timeout: 180_000 },
  async (sandbox) => {
    const [home, remote] = [tempFolder(), tempFolder()];
    mkdirSync(join(home, 'bin'));
    standInGh(join(home, 'bin'), home);
    const top = makeRepo(LIST, {
      '.gitignore': '.env\n.tries\n',
      'todone.config.json': JSON.stringify({
        sandbox,
        attempts: 2,
        env: ['SERVICE_TOKEN'],
        agents: { tells: agent(TELLS), asks: agent(ASKS), fails: agent(FAILS), lands: agent(LANDS) },
      }),
    });
    writeFileSync(join(top, '.env'), `API_TOKEN=${CANARIES.file}\n`);
    git(remote, 'init', '-q', '--bare');
    git(top, 'remote', 'add', 'origin', remote);
    const env = { HOME: home, PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH']}`, SERVICE_TOKEN: CANARIES.env };
    const shown: string[] = [];
    const todone = async (...args: string[]): Promise<string> => {
      const { out, err } = await start(top, args, env).ended;
      shown.push(out, err);
      return out + err;
    };
    await todone('start', '--once');
    expect(['Tell everything', 'Ask with it', 'Fail with it', 'Land it'].map((title) => markerOf(top, title).slice(0, 2))).toEqual(['[✅', '[]', '[❌', '[❌']);
    expect(listOf(top)).toMatch(/> question: Is .*\[secret\].* right\?/);
    expect(listOf(top)).toMatch(/settings\.txt seems to hold a secret/);
    const ids = [...listOf(top).matchAll(/\[[❌✅][^\]]*?(\w{8})\]/gu)].map((match) => match[1] ?? '');
    const [told = ''] = ids;
    await todone('pr', 'a');
    for (const id of ids) await todone('logs', id);
    for (const look of [
      ['diff', told],
      ['task', 'show', told, '--json'],
      ['task', 'history', told, '--json'],
      ['task', 'list', '--json'],
      ['status', '--json'],
    ])
      await todone(...look);
    expect(existsSync(join(home, 'pulls.json'))).toBe(true);
    // It was told, and taken out: what was never there proves nothing.
    expect(shown.join('\n')).toContain('I saw');
    expect(git(top, 'log', '-1', '--format=%s', 'todone/a')).toContain('[secret]');
    expect({ shown: ALL.filter((canary) => shown.join('\n').includes(canary)), files: [...hitsIn(top), ...hitsIn(remote), ...hitsIn(home)] }).toEqual({
      shown: [],
      files: [],
    });
    expect(ALL.filter((canary) => git(top, 'log', '--all', '--format=%B%N').includes(canary))).toEqual([]);
    expect(ALL.filter((canary) => git(remote, 'cat-file', '--batch-all-objects', '--batch', '--unordered').includes(canary))).toEqual([]);
    // Kept work is kept as it is, for its task alone; no branch has it, and it is never sent.
    const refs = git(top, 'for-each-ref', '--format=%(refname)').trim().split('\n');
    const own = `refs/todone/${/\[❌ (\w+)\] Land it/u.exec(listOf(top))?.[1] ?? ''}/`;
    expect(refs.filter((ref) => !ref.startsWith(own) && ALL.some((canary) => isIn(top, ref, canary)))).toEqual([]);
  },
);

it('13-R2 a start cleans what agents of a killed daemon had reported', { timeout: 60_000 }, async () => {
  const tells = agent(`${GATHER}; printf '%s' "$all" > "$TODONE_PLAN"; printf '{"outcome":"done","summary":"%s"}' "$all" > "$TODONE_RESULT"; sleep 60`);
  const top = makeRepo('## Git Worktree a\n[] Tell everything {tells} {quick}\n', {
    '.gitignore': '.env\n',
    'todone.config.json': JSON.stringify({ sandbox: 'none', env: ['SERVICE_TOKEN'], agents: { tells } }),
  });
  writeFileSync(join(top, '.env'), `API_TOKEN=${CANARIES.file}\n`);
  const env = { SERVICE_TOKEN: CANARIES.env };
  const daemon = start(top, ['start', '--once'], env);
  while (!hitsIn(top).some((path) => path.endsWith('result.json')) && daemon.exitCode === null) await sleep(50);
  daemon.kill('SIGKILL');
  await daemon.ended;
  expect(
    hitsIn(top)
      .map((path) => path.replace(/^.*\//, ''))
      .sort(),
  ).toEqual(['plan.md', 'result.json']);
  // A phase that is not begun again.
  writeFileSync(join(top, 'tasks.md'), listOf(top).replace(/\[🟡[^\]]*\]/u, '[❌]'));
  await start(top, ['start', '--once'], env).ended;
  expect(markerOf(top, 'Tell everything')).toMatch(/^\[❌/u);
  expect(hitsIn(top)).toEqual([]);
});

function isIn(top: string, ref: string, words: string): boolean {
  try {
    return git(top, 'grep', '-l', '-a', '-F', words, ref) !== '';
  } catch {
    return false;
  }
}

/** Files with a canary in them, but for those where a person put it. */
function hitsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((path) => !/^(?:trees\/[^/]+\/)?\.env$/.test(path))
    .filter((path) => ALL.some((canary) => readFileSync(join(folder, path)).includes(canary)));
}
