/** What agents may use up: limits that park an account, budgets that stop, and what a person sees of it. Real daemons, real processes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, markerOf, removeRepos, start, todone } from './kit.ts';

afterAll(removeRepos);

const FIELDS = { inputTokens: 'in', outputTokens: 'out', cost: 'usd', limit: 'limit', session: 'session', error: 'error' };

/** A repository whose agent is this shell script; it says what it uses as lines of JSON. */
function repo(list: string, script: string, more: object = {}): string {
  const agent = { command: ['sh', '-c', script], output: 'jsonl', fields: FIELDS, steps: ['implement'], resume: ['{{session}}'] };
  return makeRepo(list, { 'todone.config.json': JSON.stringify({ agents: { mine: agent }, attempts: 1, ...more }) });
}

const two = '## Git Worktree a\n[] One\n\n## Git Worktree b\n[] Two\n';

it('5.3-R5 a limit parks the account until its reset time, and everything goes on by itself in the same session', { timeout: 120_000 }, async () => {
  // The first call reaches a limit for two seconds; whoever comes before it is over would fail.
  const script = `git rev-parse --git-common-dir >/dev/null; mark="$HOME/.limited"
    if [ ! -e "$mark" ]; then date +%s > "$mark"; echo '{"session":"s-1"}'; echo "{\\"limit\\":\\"limit reached, resets at $(date -u -d '+3 seconds' +%FT%TZ)\\"}"; exit 1; fi
    [ $(( $(date +%s) - $(cat "$mark") )) -ge 2 ] || exit 3
    echo "\${0}" > "$TODONE_ID.txt"`;
  const top = repo(two, script, { sandbox: 'none', maxAgents: 1 });
  const ended = await start(top, ['start', '--once', '--wait'], { HOME: top }).ended;
  expect(ended.err).toMatch(/limit reached/);
  expect([markerOf(top, 'One').slice(0, 2), markerOf(top, 'Two').slice(0, 2)]).toEqual(['[✅', '[✅']);
  expect([...landed(top).values()]).toEqual([1, 1]);
  const limitedId = /\[✅ \w+, (\w+)\] One/u.exec(listOf(top))?.[1] ?? '';
  expect(git(top, 'show', `todone/a:${limitedId}.txt`)).toBe('s-1\n');
});

it('5.3-R5 3-R6 why and status name the limit and when it is over', { timeout: 60_000 }, async () => {
  const top = repo(two, `echo "{\\"limit\\":\\"usage limit, resets at $(date -u -d '+5 hours' +%FT%TZ)\\"}"; exit 1`, { maxAgents: 1 });
  expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
  const why = JSON.parse((await todone(top, 'task', 'list', '--json')).out) as {
    tasks: { title: string; reason: { code: string; message: string; until?: number } }[];
  };
  expect(why.tasks.find(({ title }) => title === 'Two')?.reason).toMatchObject({ code: 'limit', message: expect.stringContaining('usage limit') as string });
  expect((await todone(top, 'status')).out).toMatch(/mine waits until \d{4}-\d\d-\d\d \d\d:\d\d: usage limit/);
});

it('5.3-R7 a run that has used up its budget stops as budget, and is told so', { timeout: 60_000 }, async () => {
  const script = `echo '{"in":900,"out":50}'; sleep 1; echo '{"in":100,"out":60}'; sleep 60; echo late > late.txt`;
  const top = repo('## Git Worktree a\n[] Greedy\n', script, { budgets: { task: { tokens: 1000 } } });
  expect(await todone(top, 'start', '--once')).toMatchObject({ code: 1 });
  expect(markerOf(top, 'Greedy')).toMatch(/^\[❌ /u);
  expect(listOf(top)).toContain('> failed in implement: what its budget left to it is used up');
});

it('5.3-R7 with the budget of a section or a day used up nothing new starts', { timeout: 60_000 }, async () => {
  const list = '## Git Worktree a {parallel:1}\n[] One\n[] Two\n\n## Git Worktree b\n[] Three {p3}\n';
  const section = repo(list, `echo '{"in":90,"out":10,"usd":0.5}'; echo x > "$TODONE_ID.txt"`, { budgets: { section: { costUsd: 0.5 } } });
  await todone(section, 'start', '--once');
  expect(['One', 'Two', 'Three'].map((text) => markerOf(section, text).slice(0, 2))).toEqual(['[✅', '[]', '[✅']);
  expect((await todone(section, 'why', 'tasks.md:3')).out).toMatch(/budget of the section is used up: 0\.50 USD of 0\.50 USD/);
  const day = repo(list, `echo '{"in":90,"out":10}'; echo x > "$TODONE_ID.txt"`, { budgets: { day: { tokens: 100 } }, maxAgents: 1 });
  await todone(day, 'start', '--once');
  expect(['One', 'Two', 'Three'].map((text) => markerOf(day, text).slice(0, 2))).toEqual(['[✅', '[]', '[]']);
  expect((await todone(day, 'status')).out).toMatch(/agents today: \d+s, 100 tokens/);
});

it('5.3-R7 the time of agents counts too, over all phases of a task', { timeout: 60_000 }, async () => {
  const top = repo('## Git Worktree a\n[] Slow\n', 'sleep 30', { budgets: { task: { time: '1s' } } });
  expect(await todone(top, 'start', '--once')).toMatchObject({ code: 1 });
  expect(listOf(top)).toContain('what its budget left to it is used up');
});

it('5.3-R4 the same check that fails on unchanged work is no progress', { timeout: 60_000 }, async () => {
  const script = `echo again >> "$HOME/count"; echo same > x.txt`;
  const top = repo('## Git Worktree a\n[] Stuck\n  verify: false\n', script, { attempts: 9, limits: { sameFailures: 3 }, sandbox: 'none' });
  await start(top, ['start', '--once'], { HOME: top }).ended;
  expect(readFileSync(join(top, 'count'), 'utf8')).toBe('again\n'.repeat(3));
  expect(listOf(top)).toContain('3 times on unchanged work');
});

it('5.3-R6 an agent that waits for a person gets no other task, every process says so, and a retry finds out', { timeout: 120_000 }, async () => {
  const script = `[ -e "$HOME/key" ] || { echo '{"error":"not logged in"}'; exit 1; }; echo x > "$TODONE_ID.txt"`;
  const top = repo(two, script, { sandbox: 'none', maxAgents: 1, attempts: 3 });
  const once = async (): Promise<unknown> => start(top, ['start', '--once'], { HOME: top }).ended;
  await once();
  expect([markerOf(top, 'One').slice(0, 2), markerOf(top, 'Two')]).toEqual(['[❌', '[]']);
  await once();
  expect(markerOf(top, 'Two')).toBe('[]');
  const id = /\[❌ (\w+)/u.exec(listOf(top))?.[1] ?? '';
  const words = /mine waits for you.*not logged in/;
  expect((await todone(top, 'status')).out).toMatch(words);
  const why = await todone(
    top,
    'why',
    `tasks.md:${
      listOf(top)
        .split('\n')
        .findIndex((line) => line.includes('] Two')) + 1
    }`,
  );
  expect(why.out).toMatch(words);
  expect(why.out).toContain(`todone retry ${id}`);
  expect((await todone(top, 'doctor')).out).toMatch(words);
  writeFileSync(join(top, 'key'), '');
  await todone(top, 'retry', id);
  await once();
  expect([markerOf(top, 'One').slice(0, 2), markerOf(top, 'Two').slice(0, 2)]).toEqual(['[✅', '[✅']);
  expect((await todone(top, 'status')).out).not.toMatch(/waits for you/);
});
