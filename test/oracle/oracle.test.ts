/** The oracle sees each kind of wrong, and nothing where all is well; and what it gathers on a real machine. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { git, makeRepo, removeRepos } from '../e2e/kit.ts';
import { collectGit, collectList, collectProcesses } from './collect.ts';
import { tableOf, violations } from './oracle.ts';
import type { Evidence, Fate } from './oracle.ts';
import { wordOf, wordsIn } from './words.ts';

const HUMAN = '## Git Worktree a\n[] first W1W {p1}\n  files: src\n- [ ] second W2W\nA remark W3W\n';
const LIST =
  '## Git Worktree a\n[✅ a1b2c3d, q8f0t6zd] first W1W {p1}\n  files: src\n  > landed W1W\n- [❌ m2c7r4ya] second W2W\n  > failed in implement\nA remark W3W\n';
const COMMIT = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';

const WELL: Evidence = {
  list: LIST,
  archive: [{ name: 'before', text: HUMAN }],
  git: { landed: [{ commit: COMMIT, task: 'q8f0t6zd' }], branches: ['refs/heads/todone/a'], guarded: new Map([['HEAD', 'main']]), litter: [] },
  processes: [],
  spans: [
    { task: 'q8f0t6zd', from: 0, to: 5 },
    { task: 'q8f0t6zd', from: 5, to: 9 },
  ],
  litter: [],
  expected: {
    words: new Map<string, Fate>([
      ['W1W', 'once'],
      ['W2W', 'once'],
      ['W3W', 'kept'],
      ['W4W', 'maybe'],
      ['W5W', 'gone'],
    ]),
    human: HUMAN,
    states: new Map([['W2W', ['failed']]]),
    guarded: new Map([['HEAD', 'main']]),
    branches: ['refs/heads/todone/a'],
    secrets: ['hush'],
  },
};

const words = (...pairs: (readonly [string, Fate])[]): Pick<Evidence, 'expected'> => ({ expected: { words: new Map(pairs) } });

const WRONG: readonly (readonly [rule: string, what: string, changes: Partial<Evidence>])[] = [
  ['I1', 'a word that is nowhere', { archive: [], ...words(['W9W', 'kept'], ['W1W', 'once'], ['W2W', 'once'], ['W3W', 'once']) }],
  ['I1', 'a word that is only in a version', { list: '', archive: [{ name: 'v', text: 'W1W' }], ...words(['W1W', 'once']) }],
  ['I1', 'a word twice', { list: 'W1W\nW1W\n', ...words(['W1W', 'once']) }],
  ['I1', 'a word that its editor took away', { list: 'W1W\n', ...words(['W1W', 'gone']) }],
  ['I1', 'a word of nobody', { list: 'W7W\n', ...words() }],
  ['I1', 'no list at all', { list: undefined, ...words(['W1W', 'once']) }],
  ['I2', 'a line that is changed', { list: LIST.replace('{p1}', '{p2}') }],
  ['I2', 'a line too many', { list: `${LIST}more\n` }],
  ['I3', 'two commits', { git: { landed: [COMMIT, 'f00'].map((commit) => ({ commit, task: 'q8f0t6zd' })) } }],
  ['I3', 'done without its commit', { git: { landed: [] } }],
  ['I3', 'done without a commit, and there is one', { list: LIST.replace('a1b2c3d', '-') }],
  [
    'I4',
    'two runs in one look',
    {
      earlier: [
        [
          { pid: 1, task: 'q8f0t6zd', run: 'e.1-q8f0t6zd-1' },
          { pid: 2, task: 'q8f0t6zd', run: 'e.1-q8f0t6zd-2' },
        ],
      ],
    },
  ],
  [
    'I4',
    'agents at work at once',
    {
      spans: [
        { task: 'q8f0t6zd', from: 0, to: 5 },
        { task: 'q8f0t6zd', from: 4, to: 6 },
      ],
    },
  ],
  ['I5', 'a process', { processes: [{ pid: 1, task: 'q8f0t6zd', run: 'e.1-q8f0t6zd-1' }] }],
  ['I6', 'another HEAD', { git: { landed: WELL.git?.landed ?? [], guarded: new Map([['HEAD', 'x']]) } }],
  ['I7', '🟡 that nobody runs', { list: LIST.replace('❌', '🟡'), expected: {} }],
  ['I7', 'a wrong state', { list: LIST.replace('❌ m2c7r4ya', 'x') }],
  ['I7', '❌ on what has landed', { list: LIST.replace('❌ m2c7r4ya', '❌ q8f0t6zd') }],
  ['I7', 'one id at two tasks', { list: LIST.replace('m2c7r4ya', 'q8f0t6zd') }],
  ['I8', 'a secret', { texts: new Map([['daemon.log', 'hush']]) }],
  ['I9', 'a file', { litter: ['.todone-x'] }],
  ['I9', 'a branch', { git: { landed: WELL.git?.landed ?? [], branches: ['refs/heads/todone/b'] } }],
];

describe('the oracle', () => {
  it('12-R1 finds nothing where all is well', () => {
    expect(tableOf(violations(WELL))).toBe('');
  });

  for (const [rule, what, changes] of WRONG) {
    it(`12-R1 (test of the test) ${rule} sees ${what}`, () => {
      expect(violations({ ...WELL, ...changes }).map((each) => each.rule)).toContain(rule);
    });
  }

  it('12-R1 words are counted outside notes first', () => {
    expect([...wordsIn(`[] a ${wordOf('vim', 1)}\n  > about Wvim1W\n> only W2W\n`)]).toEqual([
      ['Wvim1W', 1],
      ['W2W', 1],
    ]);
  });
});

describe('what it gathers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  afterAll(() => {
    removeRepos();
    rmSync(folder, { recursive: true, force: true });
  });

  it('12-R1 the list, its versions and what lies beside it', () => {
    mkdirSync(join(folder, 'state', 'versions'), { recursive: true });
    for (const [name, text] of [
      ['tasks.md', 'now'],
      ['.todone-abcdef-x', ''],
      ['state/versions/v1', 'before'],
    ] as const)
      writeFileSync(join(folder, name), text);
    expect(collectList(join(folder, 'tasks.md'), join(folder, 'state'))).toEqual({
      list: 'now',
      archive: [{ name: 'v1', text: 'before' }],
      litter: ['.todone-abcdef-x'],
    });
  });

  it('12-R1 landed commits by their trailer, and what must not move', () => {
    const top = makeRepo('[] x\n');
    const before = collectGit(top);
    git(top, 'switch', '-q', '-c', 'todone/a');
    git(top, 'commit', '-q', '--allow-empty', '-m', 'Work\n\nToDone-Task: q8f0t6zd');
    const commit = git(top, 'rev-parse', 'HEAD').trim();
    git(top, 'switch', '-q', 'main');
    writeFileSync(join(top, 'tasks.md'), '[✅] x\n');
    const after = collectGit(top);
    expect(after.landed).toEqual([{ commit, task: 'q8f0t6zd' }]);
    expect(after.guarded).toEqual(before.guarded);
    expect(after.branches).toEqual(['refs/heads/todone/a']);
    writeFileSync(join(top, 'README.md'), 'changed');
    writeFileSync(join(top, '.git', 'index.lock'), '');
    const evidence = { list: '', archive: [], git: collectGit(top), expected: { guarded: before.guarded } };
    expect(violations(evidence).map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(['I6 main checkout', 'I9 index.lock']);
  });

  it('12-R1 processes with the mark', async () => {
    const child = spawn('sleep', ['60'], { env: { PATH: process.env['PATH'], TODONE_RUN: 'oracle.1-q8f0t6zd-3' }, stdio: 'ignore' });
    await new Promise((resolve) => child.once('spawn', resolve));
    await expect.poll(() => collectProcesses('oracle.')).toEqual([{ pid: child.pid, task: 'q8f0t6zd', run: 'oracle.1-q8f0t6zd-3' }]);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(collectProcesses('oracle.')).toEqual([]);
  });
});
