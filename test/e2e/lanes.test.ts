/** Many agents in one section: everything lands, one commit each, in one line, and every commit holds. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, markerOf, removeRepos, todone } from './kit.ts';

afterEach(removeRepos, 300_000);
const outside = mkdtempSync(join(tmpdir(), 'lanes-'));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** `npm run test:e2e` makes them as large as the promise; `npm test` keeps them short. */
const LONG = process.env['TODONE_LONG'] !== undefined;

/** Commits of the section's branch above main, oldest first. */
const commitsOf = (top: string, section: string): string[] => git(top, 'rev-list', '--reverse', `main..todone/${section}`).trim().split('\n');

/** Runs the check on a checkout of each commit, oldest first; those on which it fails. */
function walk(top: string, section: string, check: string): string[] {
  const tree = join(outside, `walk-${section}-${Math.random().toString(36).slice(2)}`);
  git(top, 'worktree', 'add', '-q', '--detach', tree, 'main');
  const failed = commitsOf(top, section).filter((commit) => {
    git(tree, 'checkout', '-q', commit);
    try {
      execFileSync('sh', ['-c', check], { cwd: tree, stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  git(top, 'worktree', 'remove', '--force', tree);
  return failed;
}

function manyFiles(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`src/part${Math.floor(at / 50)}/file${at}.txt`, `line of file ${at}\n`]));
}

describe('many agents in one section', () => {
  const cases: readonly (readonly [agents: number, files: number])[] = LONG
    ? [
        [12, 10_000],
        [50, 10_000],
      ]
    : [[12, 300]];
  it.each(cases)(
    '3-R4 4-R6 %d agents at once on %d files all land: one commit each, in one line, each verified, none twice',
    async (agents, files) => {
      // Every task adds a line to a register of its own, and the check wants each of them to be whole.
      const check = 'for f in made/*.txt; do grep -qx whole "$f" || exit 1; done';
      const tasks = Array.from({ length: agents }, (_, at) => `[] task ${at}.\n  run: mkdir -p made; echo whole > made/${at}.txt\n`).join('');
      const config = JSON.stringify({ maxAgents: agents, verify: check });
      const top = makeRepo(`# Work {script}\n## Git Worktree all\n${tasks}`, {
        ...manyFiles(files),
        'made/first.txt': 'whole\n',
        'todone.config.json': config,
      });
      const ran = await todone(top, 'start', '--once');
      expect(ran).toMatchObject({ code: 0 });
      const commits = commitsOf(top, 'all');
      expect(commits).toHaveLength(agents);
      expect(git(top, 'rev-list', '--merges', '--count', 'main..todone/all').trim()).toBe('0');
      expect([landed(top).size, [...landed(top).values()].filter((count) => count !== 1)]).toEqual([agents, []]);
      expect(listOf(top).match(/^\[✅ [0-9a-f]{7,}, [g-z][0-9a-z]{7}\]/gmu)).toHaveLength(agents);
      for (const commit of commits) expect(git(top, 'diff-tree', '--no-commit-id', '--name-only', '-r', commit).trim().split('\n')).toHaveLength(1);
      expect(walk(top, 'all', check)).toEqual([]);
      expect(git(top, 'worktree', 'list').trim().split('\n').length).toBeGreaterThan(agents / 2);
      expect(git(top, 'status', '--porcelain').trim()).toBe('M tasks.md');
    },
    600_000,
  );

  it.each([1, 8])(
    '4-R6 4-R7 4-R9 conflicts, breaks in combination and empty work: with landBatch %d the right ones land, and only the culprits go back',
    async (landBatch) => {
      const scale = LONG ? 4 : 1;
      const meets = LONG ? 5 : 1;
      const runs = join(outside, `checks-${landBatch}`);
      // The check fails where two parts of a pair are there together; it says each time that it ran.
      const check = `echo run >> ${runs}; for p in pairs/*.a; do test -e "$p" || continue; test ! -e "\${p%.a}.b" || exit 1; done`;
      let list = '# Work {script} {parallel:40}\n## Git Worktree mix\n';
      const task = (title: string, run: string): void => void (list += `[] ${title}.\n  run: ${run}\n`);
      for (let at = 0; at < 6 * scale; at++) task(`plain ${at}`, `echo ${at} > plain${at}.txt`);
      // 25 %: two write the same line of a file; one of the two is laid on the other's.
      for (let at = 0; at < meets; at++) for (const side of ['left', 'right']) task(`meet ${at} ${side}`, `sleep 0.3; echo ${side} >> meet${at}.txt`);
      // 10 %: both pass by themselves, and fail together.
      for (let at = 0; at < scale / 2; at++) for (const side of ['a', 'b']) task(`pair ${at} ${side}`, `mkdir -p pairs; echo x > pairs/${at}.${side}`);
      // 5 %: nothing comes of it.
      for (let at = 0; at < Math.ceil(scale / 2); at++) task(`empty ${at}`, 'true');
      const config = JSON.stringify({ sandbox: 'none', maxAgents: 40, verify: check, landBatch, backoff: { first: '10ms', max: '20ms' } });
      const top = makeRepo(list, { 'todone.config.json': config });
      const ran = await todone(top, 'start', '--once');
      expect(ran.code).toBe(1);
      const titles = [...list.matchAll(/^\[\] (.*)$/gmu)].map((match) => match[1] ?? '');
      const failed = titles.filter((title) => markerOf(top, title).startsWith('[❌'));
      const done = titles.filter((title) => markerOf(top, title).startsWith('[✅'));
      expect([done.length + failed.length, titles.length]).toEqual([titles.length, titles.length]);
      expect(failed.filter((title) => !/^(?:empty|pair)/.test(title))).toEqual([]);
      expect(failed.filter((title) => title.startsWith('empty'))).toHaveLength(Math.ceil(scale / 2));
      // Of each pair the first that came has landed, and the other one alone was sent back.
      expect(failed.filter((title) => title.startsWith('pair'))).toHaveLength(Math.ceil(scale / 2));
      for (let at = 0; at < meets; at++) expect(git(top, 'show', `todone/mix:meet${at}.txt`).trim().split('\n').toSorted()).toEqual(['left', 'right']);
      expect([...landed(top).values()].filter((count) => count !== 1)).toEqual([]);
      expect(commitsOf(top, 'mix')).toHaveLength(done.length);
      expect(git(top, 'rev-list', '--merges', '--count', 'main..todone/mix').trim()).toBe('0');
      const proven = walk(top, 'mix', check.replace(/^echo run[^;]*;/, ''));
      expect(proven).toEqual([]);
      const count = readFileSync(runs, 'utf8').trim().split('\n').length;
      // The naive queue verifies each task once, and each that is sent back once more.
      process.stderr.write(
        `landBatch ${landBatch}: ${count} runs of verify for ${titles.length} tasks; one by one ${titles.length - failed.filter((title) => title.startsWith('empty')).length}\n`,
      );
      if (landBatch === 1) expect(count).toBeLessThanOrEqual(titles.length);
      else expect(count).toBeLessThan(titles.length);
    },
    600_000,
  );

  it.each(['implement', 'implement update'])('4-R7 a conflict goes to the same agent with both sides, and what it makes of it lands (%s)', async (steps) => {
    const said = mkdtempSync(join(outside, 'said-'));
    const agent = join(said, 'agent.sh');
    const settle = "grep -v '^[<=>|]\\{7\\}' notes.txt > settled; mv settled notes.txt; echo $TODONE_PHASE >> $0.log; exit 0";
    writeFileSync(
      agent,
      `prompt=$(cat)\n[ "$TODONE_PHASE" = update ] && exit 0\ncase "$prompt" in *"Where they meet"*) ${settle} ;; esac\nsleep 0.$((\${#TODONE_ID} % 3))\necho "$TODONE_ID" >> notes.txt\n`,
    );
    const mine = { command: ['sh', agent], steps: steps.split(' ') };
    const config = JSON.stringify({ agent: 'mine', agents: { mine }, sandbox: 'none', verify: "! grep -q '<<<<<<<' notes.txt" });
    const top = makeRepo('## Git Worktree one\n[] left\n[] right\n[] third\n', { 'notes.txt': 'begin\n', 'todone.config.json': config });
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    const ids = ['left', 'right', 'third'].map((title) => /, (\w{8})\]/.exec(markerOf(top, title))?.[1] ?? '');
    expect(git(top, 'show', 'todone/one:notes.txt').trim().split('\n').toSorted()).toEqual(['begin', ...ids].toSorted());
    expect(readFileSync(`${agent}.log`, 'utf8')).toMatch(/^(?:implement\n){2,4}$/);
    expect(commitsOf(top, 'one')).toHaveLength(3);
  });
});
