/** Agents that speak through `todone mcp`: a real daemon, a real client of the protocol, real sockets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { git, listOf, makeRepo, removeRepos, ROOT, todone } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'mcp-'));
afterAll(() => {
  removeRepos();
  rmSync(folder, { recursive: true, force: true });
});

type Said = { readonly phase: string; readonly id?: string; readonly tools?: readonly string[]; readonly name?: string; readonly answer?: Answer };
type Answer = { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] };

let made = 0;

/** Runs the list to its end with the speaking agent; what it was answered. */
async function run(list: string, steps: readonly string[] = ['plan', 'implement', 'update'], more: object = {}) {
  const answers = join(folder, `answers-${made++}.ndjson`);
  const command = [process.execPath, join(ROOT, 'test/e2e/programs/mcp-agent.ts'), join(ROOT, 'src/main.ts'), answers, '{{prompt_file}}'];
  const config = {
    agents: { speaker: { command, prompt: 'file', steps } },
    agent: 'speaker',
    attempts: 1,
    sandboxPaths: { read: [ROOT], write: [folder] },
    ...more,
  };
  const top = makeRepo(list, { 'todone.config.json': JSON.stringify(config) });
  const ended = await todone(top, 'start', '--once');
  const said = readFileSync(answers, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Said);
  return { top, ended, said, answered: (name: string) => said.find((each) => each.name === name)?.answer };
}

it('5.2-R1, 5.2-R2 an agent reports through its server, and the repository decides', { timeout: 120_000 }, async () => {
  const { top, ended, said, answered } = await run(
    '## Git Worktree a\n[] Add it\n' +
      '  say: plan report {"outcome":"done","plan":"files: x.txt"}\n' +
      '  say: implement progress {"message":"half way"}\n' +
      '  say: implement task_show {}\n' +
      '  say: implement task_ready {}\n' +
      '  say: implement file_task {"title":"Sweep up {hold:never} {no-commit}","description":"The yard."}\n' +
      '  say: update report {"outcome":"done","summary":"It is there.","commitMessage":"Add the thing\\n\\nIt was missing."}\n',
  );
  expect(ended).toMatchObject({ code: 0 });
  expect(said[0]?.tools).toEqual(['report', 'progress', 'ask', 'task_show', 'task_ready', 'file_task']);
  expect(answered('report')?.isError).toBeFalsy();
  expect(answered('task_show')?.content[0]?.text).toContain('"title":"Add it"');
  expect(answered('task_ready')?.isError).toBeFalsy();
  expect(answered('file_task')?.content[0]?.text).toContain('waits for a person');
  expect(listOf(top)).toMatch(/\n\[\] Sweep up \{id:[g-z]\w{7}\} .*\{triage\} \{by:speaker\}\n {2}The yard\./);
  expect(listOf(top)).not.toMatch(/^\[\] Sweep up .*no-commit/m);
  expect(git(top, 'log', '-1', '--format=%B', 'todone/a')).toContain('Add the thing\n\nIt was missing.');
  const shown = await todone(top, 'task', 'show', said[0]?.id ?? '');
  expect(shown.out).toContain('It is there.');
  expect(shown.out).toContain('files: x.txt');
  expect((await todone(top, 'logs', said[0]?.id ?? '')).out).toContain('half way');
});

it('5.2-R4 a question goes under the task', { timeout: 120_000 }, async () => {
  const { top, answered } = await run('## Git Worktree a\n[] Choose it\n  say: implement ask {"question":"Postgres or SQLite?"}\n', ['implement']);
  expect(answered('ask')?.content[0]?.text).toContain('End your turn');
  expect(listOf(top)).toMatch(/\[\] Choose it .*\{decision\}/);
  expect(listOf(top)).toContain('> question: Postgres or SQLite?');
});

it('5.2-R2 what is no report, and a voice of a phase that is over, counts for nothing', { timeout: 120_000 }, async () => {
  const { top, ended, said } = await run(
    '## Git Worktree a\n[] Do it\n' +
      '  say: plan report {"outcome":"splendid"}\n' +
      '  say: implement stale\n' +
      '  say: implement report {"outcome":"needs_decision","question":"may I?"}\n',
  );
  const answers = said.flatMap((each) => (each.answer ? [each.answer] : []));
  expect(answers.every((answer) => answer.isError)).toBe(true);
  expect(said.find((each) => each.phase === 'implement' && each.answer)?.answer?.content[0]?.text).toContain('this phase is over');
  expect(ended.err).toMatch(/refused report of speaker, whose plan is over/);
  expect(listOf(top)).not.toContain('> question');
});

it('5.2-R3 what has to come first goes above the task, and the task is taken up again when it is done', { timeout: 120_000 }, async () => {
  const { top, ended } = await run(
    '## Git Worktree a\n[] Roof {p0}\n' +
      '  say: plan report {"outcome":"needs_prerequisite","tasks":[{"title":"Lay the floor","details":"done: it holds"},{"title":"Raise the walls"}]}\n',
    ['plan', 'implement'],
  );
  expect(ended.code).toBe(0);
  const [floor, walls, roof] = listOf(top)
    .split('\n')
    .filter((line) => line.startsWith('[]'));
  expect(floor).toMatch(/^\[\] Lay the floor \{id:[g-z]\w{7}\} \{triage\} \{by:speaker\}$/);
  expect(walls).toMatch(/^\[\] Raise the walls \{id:/);
  expect(roof).toMatch(/^\[\] Roof \{p0\} \{id:[g-z]\w{7}\} \{after:[g-z]\w{7},[g-z]\w{7}\}$/);
  // A person accepts both, and the plan asks for nothing more.
  writeFileSync(join(top, 'tasks.md'), listOf(top).replaceAll(' {triage}', '').replace('say: plan', 'said:'));
  expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
  const commits = git(top, 'log', '--reverse', '--format=%s', 'main..todone/a').trim().split('\n');
  expect(commits.slice(0, 2).sort()).toEqual(['Lay the floor', 'Raise the walls']);
  expect(commits[2]).toBe('Roof');
});

it('5.2-R3 with handoff: auto a prerequisite starts by itself, but not for ever', { timeout: 120_000 }, async () => {
  const list = '## Git Worktree a\n[] Roof\n  say: plan report {"outcome":"needs_prerequisite","tasks":[{"title":"Lay the floor"}]}\n';
  const { top } = await run(list, ['plan', 'implement'], { handoff: 'auto', attempts: 2 });
  expect(listOf(top)).toMatch(
    /^\[✅ .*\] Lay the floor \{id:[g-z]\w{7}\} \{by:speaker\}\n\[\] Lay the floor \{id:[g-z]\w{7}\} \{triage\} \{by:speaker\}\n\[\] Roof/mu,
  );
});

it('5.2-R2, 6.2-R2 what an agent found besides waits for a person once its task has landed', { timeout: 120_000 }, async () => {
  const { top } = await run(
    '## Git Worktree a\n[] Roof\n  say: implement report {"outcome":"done","tasks":[{"title":"Clean the gutter"}]}\n\n## Git Worktree b\n',
    ['implement'],
  );
  expect(listOf(top)).toMatch(/^\[✅ .*\] Roof\n(?: .*\n)+\[\] Clean the gutter \{triage\} \{by:speaker\}\n\n## Git Worktree b/mu);
});
