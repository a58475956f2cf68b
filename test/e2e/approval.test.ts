/** Agents that only look (6.2-R1, 5.1-R3), and what the list does by itself, as whole processes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { listOf, makeRepo, removeRepos, start } from './kit.ts';

afterAll(removeRepos);

const PERSON = { CLAUDECODE: '', GEMINI_CLI: '', TODONE_INSTANCE: '' };
const todone = (top: string, ...args: string[]) => start(top, args, PERSON).ended;

/** An agent that reports what it is given, and writes where it must not. */
const AGENT = `#!/bin/sh
cat > /dev/null
echo touched > left-behind.txt
cat report.json > "$TODONE_RESULT"
`;

const withAgent = (list: string, report: object): string =>
  makeRepo(list, {
    'agent.sh': AGENT,
    'report.json': JSON.stringify(report),
    'todone.config.json': JSON.stringify({ agents: { looker: { command: ['sh', 'agent.sh'] } }, agent: 'looker', sandbox: 'none' }),
  });

it('6.2-R1 an investigation changes nothing, writes its findings under the task, and asks a person', async () => {
  const top = withAgent('## Git Worktree auth\n[] Why is it slow? {investigation}\n', {
    outcome: 'needs_decision',
    summary: 'The cache is cold.\nSeen in a.ts:3',
    question: 'Warm it at the start?',
  });
  expect((await todone(top, 'start', '--once')).code).toBe(0);
  expect(listOf(top)).toMatch(
    /^\[\] Why is it slow\? \{decision\} \{id:\w{8}\}\n {2}> findings: The cache is cold\.\n {2}> Seen in a\.ts:3\n {2}> question: Warm it at the start\?$/m,
  );
  expect(existsSync(join(top, 'trees', 'auth', 'left-behind.txt'))).toBe(false);
  // No worker may decide it; the person's answer lets it start.
  expect((await todone(top, 'task', 'claim', 'tasks.md:2', '--as', 'w1')).code).toBe(3);
  expect((await todone(top, 'task', 'approve', 'tasks.md:2', '--answer', 'yes, warm it')).code).toBe(0);
  expect(listOf(top)).toContain('  > answer: yes, warm it\n');
  expect((await todone(top, 'task', 'claim', 'tasks.md:2', '--as', 'w1')).code).toBe(0);
});

it('5.1-R3 6.3-R1 an initiative is broken down into tasks under one heading that a person approves; done, they close its epic', async () => {
  const top = withAgent('# Checkout {workflow:breakdown}\nPeople cannot pay.\n\n## Git Worktree pay\n[-] Old\n', {
    outcome: 'done',
    summary: 'cut in two',
    tasks: [{ title: 'First half', details: 'verify: true' }, { title: 'Second half' }],
  });
  expect((await todone(top, 'start', '--once')).code).toBe(0);
  expect(listOf(top)).toMatch(
    /^# Checkout\nPeople cannot pay\.\n\n## Git Worktree pay\n\[-\] Old\n\[\] Checkout \{epic\} \{id:\w{8}\} \{after:\w{8},\w{8}\}\n {2}People cannot pay\.\n\n### Checkout \{approval\}\n\[\] First half \{id:\w{8}\} \{triage\} \{by:looker\}\n {2}verify: true\n\[\] Second half \{id:\w{8}\} \{triage\} \{by:looker\}\n$/,
  );
  expect((await todone(top, 'task', 'approve', '--section', 'pay')).code).toBe(0);
  expect(listOf(top)).not.toMatch(/triage|approval/);
  for (const title of ['First half', 'Second half']) {
    const line =
      listOf(top)
        .split('\n')
        .findIndex((each) => each.includes(title)) + 1;
    expect((await todone(top, 'task', 'close', `tasks.md:${line}`, '--reason', 'done by hand')).code).toBe(0);
  }
  expect(listOf(top)).toMatch(/^\[✅ -, \w{8}\] Checkout \{epic\}/m);
  expect(JSON.parse((await todone(top, 'task', 'list', '--status', 'closed', '--json')).out)).toMatchObject({ tasks: { length: 4 } });
});
