/**
 * Running a phase of an agent on real processes: what it gets, what it gives, and how each of its ends reads.
 */
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AgentRow } from '../../src/adapters/agents/row.ts';
import { pruneRuns } from '../../src/adapters/run-folder.ts';
import { latestRun, type LogEntry, readRunLog } from '../../src/adapters/run-log.ts';
import type { AgentEvent } from '../../src/engine/ports.ts';
import { filesIn, ground, taskOf } from './agents-kit.ts';
import { alive, program, tempFolder, until } from './process-kit.ts';

const ENV = {
  PATH: process.env['PATH'],
  HOME: '/home/ada',
  LANG: 'C.UTF-8',
  SECRET_TOKEN: 'hunter2hunter2',
  GIT_DIR: '/elsewhere',
  PASSED: 'yes',
  NODE_OPTIONS: '--no-warnings',
};

// ── what it gets ─────────────────────────────────────────────────────────────────────────────────

it('5.2-R1 gives variables, absolute paths, an identity and an allow-listed environment, and nothing else', async () => {
  const place = ground({ env: ['PASSED', 'GIT_DIR'] }, { env: ENV });
  const order = place.order({ task: taskOf('env > env.txt; pwd > pwd.txt'), plan: 'the plan' });
  expect((await place.run(order)).end.kind).toBe('done');
  const env = new Map(
    readFileSync(join(place.workspace, 'env.txt'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(Object.fromEntries([...env].filter(([name]) => name.startsWith('TODONE_') && name !== 'TODONE_LIFE'))).toEqual({
    TODONE_ID: 'g1234567',
    TODONE_SECTION: 'feature',
    TODONE_WORKTREE: place.workspace,
    TODONE_PHASE: 'implement',
    TODONE_ATTEMPT: '2',
    TODONE_PLAN: place.path(order, 'given/plan.md'),
    TODONE_RESULT: place.path(order, 'given/result.json'),
    TODONE_PORT: '43010',
    TODONE_RUN: `${place.epoch}.1-g1234567-1`,
  });
  expect([...env.keys()].filter((name) => !name.startsWith('TODONE_') && !['_', 'OLDPWD'].includes(name)).sort()).toEqual(
    [
      'GIT_AUTHOR_EMAIL',
      'GIT_AUTHOR_NAME',
      'GIT_COMMITTER_EMAIL',
      'GIT_COMMITTER_NAME',
      'GIT_EDITOR',
      'GIT_TERMINAL_PROMPT',
      'HOME',
      'LANG',
      'PASSED',
      'PATH',
      'PWD',
      'SHLVL',
    ].sort(),
  );
  expect(env.get('GIT_AUTHOR_EMAIL')).toBe('ada@example.org');
  expect(readFileSync(join(place.workspace, 'pwd.txt'), 'utf8').trim()).toBe(place.workspace);
  expect(place.text(order, 'given/plan.md')).toBe('the plan');
});

it('13-R3 keeps folders 0700 and files 0600', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('echo hello') });
  await place.run(order);
  for (const folder of ['.', 'given', '..', '../..']) expect(statSync(place.path(order, folder)).mode & 0o777).toBe(0o700);
  expect(filesIn(place.path(order, '.'))).toEqual(['end-implement.json', 'given', 'implement.ndjson', 'prompt-implement.md']);
  for (const name of filesIn(place.path(order, '.')).filter((each) => each !== 'given')) expect(statSync(place.path(order, name)).mode & 0o777).toBe(0o600);
});

it.each([
  ['stdin', ['cat'], ['the prompt'], undefined],
  ['argument', ['printf', '%s\\n'], ['the prompt'], undefined],
  ['argument', ['printf', '%s|', 'a{{prompt}}b', '--model', '{{model}}'], ['athe promptb|--model|opus|'], 'opus'],
  ['stdin', ['sh', '-c', 'cat "$1"; cat', 'x', '{{prompt_file}}'], ['the prompt'], undefined],
  ['file', ['cat'], ['the prompt'], undefined],
  [
    'argument',
    ['printf', '%s|', '--model', '{{model}}', '-m={{model}}', '-q', '{{workspace}}'],
    [expect.stringMatching(/^-q\|\/.*work space\|the prompt\|$/)],
    undefined,
  ],
] as const)('5.3-R1 hands a prompt over by %s: %j', async (prompt, command, expected, model) => {
  const place = ground({ agents: { mine: { command: [...command], prompt } } });
  const order = place.order({ agent: 'mine', model });
  await place.run(order);
  const lines = place.entries(order).map((entry) => (entry.kind === 'text' ? entry.text : ''));
  expect(lines).toEqual([...expected]);
});

it('5.3-R9 never passes a value through a shell, and never fills a value in twice', async () => {
  const place = ground({ agents: { mine: { command: ['printf', '%s', '{{prompt}}'], prompt: 'argument' } } });
  const prompt = '$(touch owned) `touch owned` {{workspace}} {{prompt}} ; touch owned\n-x "\'';
  const order = place.order({ agent: 'mine', prompt });
  await place.run(order);
  expect(
    place
      .entries(order)
      .map((entry) => (entry.kind === 'text' ? entry.text : ''))
      .join('\n'),
  ).toBe(prompt);
  expect(filesIn(place.workspace)).toEqual([]);
});

it('5.3-R1 points to the file where a prompt is too long for an argument', async () => {
  const place = ground({ agents: { mine: { command: ['printf', '%s'], prompt: 'argument' } } });
  const order = place.order({ agent: 'mine', prompt: 'ä'.repeat(100_000) });
  expect((await place.run(order)).end.kind).toBe('done');
  expect(place.entries(order)[0]).toMatchObject({
    text: `Your instructions are in the file ${place.path(order, 'prompt-implement.md')}: read it whole and follow it.`,
  });
});

it('5.2-R1 adds what the config says for one agent', async () => {
  const place = ground(
    { agents: { mine: { command: ['sh', '-c', 'echo $ADDED $SECRET_TOKEN'], env: { ADDED: 'added' }, passEnv: ['SECRET_TOKEN'] } } },
    { env: ENV },
  );
  const order = place.order({ agent: 'mine' });
  await place.run(order);
  expect(place.entries(order)[0]).toMatchObject({ text: 'added [secret]' });
});

// ── which there are ──────────────────────────────────────────────────────────────────────────────

it('5.3-R1 lists what a person configured first, says what is missing and what to do, and shows the command', () => {
  const top = tempFolder();
  mkdirSync(join(top, 'tools'));
  writeFileSync(join(top, 'tools', 'agent.sh'), '#!/bin/sh\n', { mode: 0o755 });
  const { agents } = ground(
    {
      agents: {
        gone: { command: ['no-such-agent', '--go'] },
        odd: { command: ['sh', '{{promt}}'] },
        own: { command: ['tools/agent.sh', '--model', '{{model}}', "it's"], steps: ['implement'] },
      },
    },
    { top },
  );
  const known = ['claude', 'codex', 'gemini', 'opencode'];
  const listed = agents.list().map(({ name, installed, problem, steps, learns }) => ({ name, installed, problem, steps, learns }));
  expect(listed.map(({ name }) => name)).toEqual(['gone', 'odd', 'own', ...known, 'script']);
  expect(listed.filter(({ name }) => !known.includes(name))).toEqual([
    {
      name: 'gone',
      installed: false,
      problem: 'no-such-agent is not on the PATH: install it, or correct agents.gone.command in the config',
      steps: ['plan', 'implement', 'update'],
      learns: true,
    },
    { name: 'odd', installed: false, problem: expect.stringContaining('{{promt}}, which is not known'), steps: ['plan', 'implement', 'update'], learns: true },
    { name: 'own', installed: true, problem: undefined, steps: ['implement'], learns: true },
    { name: 'script', installed: true, problem: undefined, steps: ['implement'], learns: false },
  ]);
  expect(agents.preview('own', 'opus')).toBe("tools/agent.sh --model opus 'it'\\''s' < <prompt file>");
  expect(agents.preview('own', undefined)).toBe("tools/agent.sh 'it'\\''s' < <prompt file>");
  expect(agents.preview('script', undefined)).toContain('sh -c');
});

it('5.3-R9 takes no program from a workspace', async () => {
  const place = ground({ agents: { mine: { command: ['planted'] } } }, { env: { PATH: `.:${process.env['PATH']}` } });
  writeFileSync(join(place.workspace, 'planted'), '#!/bin/sh\ntouch owned\n', { mode: 0o755 });
  expect(place.agents.list()[0]?.installed).toBe(false);
  const relative = ground({ agents: { mine: { command: ['./planted'] } } });
  writeFileSync(join(relative.workspace, 'planted'), '#!/bin/sh\ntouch owned\n', { mode: 0o755 });
  expect(relative.agents.list()[0]?.installed).toBe(false);
});

// ── how it ends ──────────────────────────────────────────────────────────────────────────────────

it('2-R6 names the command and its exit code in a failure', async () => {
  const place = ground();
  expect((await place.run({ task: taskOf('exit 7') })).end).toEqual({ kind: 'final', reason: 'agent_failed', message: '`exit 7` exit 7' });
  expect((await place.run({ task: taskOf('echo `x`\nexit 2') })).end).toMatchObject({ message: "`echo 'x' …` exit 2" });
  expect((await place.run({ task: taskOf('kill -KILL $$') })).end).toMatchObject({
    reason: 'agent_failed',
    message: '`kill -KILL $$` was killed from outside (no memory?)',
  });
});

it('5.3-R1 says that there is nothing to run, or no such agent any more', async () => {
  const place = ground();
  expect((await place.run({ task: taskOf(undefined) })).end).toMatchObject({ reason: 'setup_failed', message: expect.stringContaining('add a run: field') });
  expect((await place.run({ agent: 'gone' })).end).toMatchObject({ reason: 'setup_failed', message: expect.stringContaining('add it under agents') });
});

it('2-R6 tells a program that is not there from a workspace that is gone', async () => {
  const place = ground({ agents: { mine: { command: ['no-such-agent'] } } });
  expect((await place.run({ agent: 'mine' })).end).toMatchObject({
    kind: 'final',
    reason: 'setup_failed',
    message: '`no-such-agent`: it is not installed (ENOENT); see agents.mine in the config',
  });
  expect((await place.run({ workspace: '/no/such/place' })).end).toMatchObject({
    kind: 'final',
    reason: 'lost',
    message: expect.stringContaining('/no/such/place'),
  });
});

it('5.3-R4 ends as stalled without output, CPU or change', async () => {
  const place = ground({ limits: { stallAfter: '600ms' } });
  expect((await place.run({ task: taskOf('sleep 60') })).end).toMatchObject({
    kind: 'final',
    reason: 'stalled',
    message: '`sleep 60`: no output, no work and no changed file for 0.6 s',
  });
  expect(await alive(`${place.epoch}.`)).toEqual([]);
});

it('5.3-R3 leaves nothing of a script that puts things into the background', async () => {
  const place = ground();
  expect((await place.run({ task: taskOf(`'${program('escapes.sh')}'`) })).end.kind).toBe('done');
  expect(await alive(`${place.epoch}.`)).toEqual([]);
});

it('2-R7 reads a written end back even where the agent is not there any more, and not a broken or foreign one', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('echo once >> count; exit 4') });
  const first = await place.run(order);
  expect(await place.run({ ...order, agent: 'gone' })).toMatchObject({ end: first.end, tail: first.tail });
  for (const spoiled of ['{"version":1', '{"version":2}', JSON.stringify({ version: 1, ticket: 99, end: { kind: 'done' }, tail: '', found: {} })]) {
    writeFileSync(place.path(order, 'end-implement.json'), spoiled);
    await place.run(order);
  }
  expect(readFileSync(join(place.workspace, 'count'), 'utf8')).toBe('once\n'.repeat(4));
});

it('2-R7 tells an end that it could not write, and says so', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('mkdir -p "$(dirname "$TODONE_RESULT")/../end-implement.json/x"') });
  expect((await place.run(order)).end.kind).toBe('done');
  expect(place.said).toEqual([expect.stringContaining('warn the end of implement could not be written')]);
});

it('2-R7 works where the program removed its own run folder', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('rm -rf "$(dirname "$(dirname "$TODONE_RESULT")")"') });
  expect((await place.run(order)).end.kind).toBe('done');
  expect(existsSync(place.path(order, 'end-implement.json'))).toBe(true);
});

// ── what it gives ────────────────────────────────────────────────────────────────────────────────

const reporting = (text: string) => ({ agents: { mine: { command: [program('reports.sh'), text] } } });

it('5.2-R2 takes a report', async () => {
  const place = ground(reporting(JSON.stringify({ outcome: 'done', summary: 'It\u001b[31m works', commitMessage: 'Do it', files: ['a.ts'], extra: 1 })));
  expect((await place.run({ agent: 'mine' })).found).toEqual({
    inferred: false,
    tookMs: expect.any(Number),
    outcome: 'done',
    summary: 'It works',
    commitMessage: 'Do it',
    files: ['a.ts'],
  });
});

it.each([
  [
    { outcome: 'needs_decision', question: 'A or B?' },
    { kind: 'decision', question: 'A or B?' },
  ],
  [
    { outcome: 'needs_prerequisite', tasks: [{ title: 'First', details: 'files: x' }] },
    { kind: 'prerequisite', tasks: [{ title: 'First', details: 'files: x' }] },
  ],
])('5.2-R3, 5.2-R4 takes what it asks for: %j', async (report, asks) => {
  const place = ground(reporting(JSON.stringify(report)));
  expect((await place.run({ agent: 'mine' })).found).toMatchObject({ outcome: report.outcome, asks });
});

it.each(['not json', '{"outcome":"perfect"}', '[]', `{"outcome":"done","summary":"${'x'.repeat(30_000)}"}`, ' '])(
  '5.2-R2 infers the outcome where the report is bad: %s',
  async (report) => {
    const place = ground(reporting(report));
    const { end, found } = await place.run({ agent: 'mine' });
    expect(end.kind).toBe('done');
    expect(found).toMatchObject({ inferred: true });
    expect(found.outcome).toBeUndefined();
    expect((found.notes ?? []).join('\n')).toMatch(report.trim() === '' ? /^$/ : /^the report is .*: the outcome is inferred$/);
  },
);

it.each([
  ['a pipe', 'rm -f "$TODONE_RESULT"; mkfifo "$TODONE_RESULT"'],
  ['a link', `echo '{"outcome":"done"}' > report.json; ln -s "$PWD/report.json" "$TODONE_RESULT"`],
  ['a folder', 'mkdir "$TODONE_RESULT"'],
  ['an endless file', 'head -c 2000000 /dev/zero > "$TODONE_RESULT"'],
])('5.2-R2 is not held up by %s in place of a report', async (_what, run) => {
  const place = ground();
  const { end, found } = await place.run({ task: taskOf(run) });
  expect([end.kind, found.inferred, found.outcome]).toEqual(['done', true, undefined]);
});

it('5.2-R2 does not take the report of an earlier program for its own', async () => {
  const place = ground(reporting('{"outcome":"failed","summary":"old"}'));
  const order = place.order({ agent: 'mine', step: 'plan' });
  await place.run(order);
  expect((await place.run({ ...order, step: 'implement', agent: 'script' })).found).toEqual({ inferred: true, tookMs: expect.any(Number) });
});

it('5.1-R2 takes a plan from where TODONE_PLAN points, else what was printed, with the files that it names', async () => {
  const plan = 'files: `src/a.ts`, test/a.test.ts\naction: do it';
  const place = ground({ agents: { writes: { command: ['sh', '-c', 'cat > "$TODONE_PLAN"; echo chatter'] }, prints: { command: ['cat'] } } });
  for (const agent of ['writes', 'prints']) {
    const { found } = await place.run({ agent, step: 'plan', prompt: plan });
    expect(found).toMatchObject({ plan, files: ['src/a.ts', 'test/a.test.ts'] });
  }
  const stale = place.order({ agent: 'prints', step: 'plan', prompt: 'new', plan: 'old' });
  mkdirSync(place.path(stale, 'given'), { recursive: true });
  writeFileSync(place.path(stale, 'given/plan.md'), 'left by another');
  expect((await place.run(stale)).found.plan).toBe('new');
});

// ── the log ──────────────────────────────────────────────────────────────────────────────────────

it('13-R2 logs every line as JSON, redacted, control characters escaped; the tail is plain', async () => {
  const key = `-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nline2\n-----END RSA PRIVATE KEY-----`;
  const place = ground({}, { env: ENV, files: ['DB_PASSWORD=correct-horse-9\n'] });
  const order = place.order({ task: taskOf(`printf '\\033[31mred\\033[0m\\nhunter2hunter2 correct-horse-9 AKIA%s\\n%s\\nafter' ABCDEFGHIJKLMNOP '${key}'`) });
  const { tail } = await place.run(order);
  expect(place.entries(order).map((entry) => (entry.kind === 'text' ? entry.text : ''))).toEqual([
    '\u001b[31mred\u001b[0m',
    '[secret] [secret] [secret]',
    '[secret]',
    '[secret]',
    '[secret]',
    '[secret]',
    'after',
  ]);
  expect(place.text(order, 'implement.ndjson')).not.toMatch(/\u001b|hunter2|horse|AKIA|MIIabc/);
  expect(tail).toBe('red\n[secret] [secret] [secret]\n[secret]\n[secret]\n[secret]\n[secret]\nafter');
  expect(place.entries(order)[0]).toMatchObject({ step: 'implement', kind: 'text', at: expect.any(Number) });
});

it('5.3-R3 keeps the first and the last part of a log that gets too long, and the tail', async () => {
  const place = ground({ limits: { outputBytes: 100_000 } });
  const order = place.order({ task: taskOf('i=0; while [ $i -lt 30000 ]; do echo "line $i"; i=$((i+1)); done') });
  const { tail } = await place.run(order);
  const lines = place.entries(order).map((entry) => (entry.kind === 'text' ? entry.text : ''));
  expect(lines[0]).toBe('line 0');
  expect(lines.at(-1)).toBe('line 29999');
  expect(lines.some((line) => /left out/.test(line))).toBe(true);
  expect(place.text(order, 'implement.ndjson').length).toBeLessThan(100_000 + 300_000);
  expect(tail.endsWith('line 29998\nline 29999')).toBe(true);
});

it('7 logs -f reads what runs while it grows, over all tries, and ends with the run', async () => {
  const place = ground();
  await place.run(place.order({ task: taskOf('echo earlier') }));
  const order = place.order({ task: taskOf('echo first; sleep 0.4; echo second') });
  let over = false;
  const got: string[] = [];
  const before: boolean[] = [];
  const running = place.run(order).then(() => {
    over = true;
  });
  for await (const entry of readRunLog({ stateDir: place.stateDir, id: order.id, follow: true, signal: new AbortController().signal, ended: () => over })) {
    got.push(textOf(entry));
    before.push(!over);
  }
  await running;
  expect(got).toEqual(['earlier', 'first', 'second']);
  expect(before.slice(0, 2)).toEqual([true, true]);
  expect(latestRun(place.stateDir, order.id)).toBe(order.ticket);
});

it('7 logs passes over a line that a crash cut off', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('echo fine') });
  await place.run(order);
  writeFileSync(
    place.path(order, 'implement.ndjson'),
    `${place.text(order, 'implement.ndjson')}{"at":1,"st\n{"at":2,"step":"implement","kind":"text","text":"next"}\n{"at":3`,
  );
  const got: string[] = [];
  for await (const entry of readRunLog({ stateDir: place.stateDir, id: order.id, follow: false, signal: new AbortController().signal, ended: () => true }))
    got.push(textOf(entry));
  expect(got).toEqual(['fine', 'next']);
});

it('5.3-R3 is not ended by a log that cannot be written', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('echo hello') });
  mkdirSync(place.path(order, 'implement.ndjson'), { recursive: true });
  expect(await place.run(order)).toMatchObject({ end: { kind: 'done' }, tail: 'hello' });
  expect(place.said).toEqual([expect.stringContaining('cannot be written')]);
});

it('13-R3 does not write its log through a link', async () => {
  const place = ground();
  const order = place.order({ task: taskOf('echo hello') });
  mkdirSync(place.path(order, '.'), { recursive: true });
  symlinkSync(join(place.workspace, 'target'), place.path(order, 'implement.ndjson'));
  await place.run(order);
  expect(existsSync(join(place.workspace, 'target'))).toBe(false);
});

it('13-R3 keeps run folders bounded in time and in size, the newest last, but for tasks that go on', async () => {
  const place = ground();
  await place.run({ id: 'g1111111' });
  await place.run({ id: 'g2222222' });
  const all = { before: 0, maxBytes: 1e9, spare: new Set<string>() };
  expect(pruneRuns(place.stateDir, all)).toBe(0);
  expect(pruneRuns(place.stateDir, { ...all, before: Date.now() + 60_000, spare: new Set(['g2222222']) })).toBe(1);
  expect(filesIn(join(place.stateDir, 'runs'))).toEqual(['g2222222']);
  await place.run({ id: 'g3333333' });
  expect(pruneRuns(place.stateDir, { ...all, maxBytes: 1 })).toBe(2);
});

const textOf = (entry: LogEntry): string => (entry.kind === 'text' ? entry.text : entry.kind);

// ── streams ──────────────────────────────────────────────────────────────────────────────────────

/** A client whose stream is our own events, one a line. */
const STREAMING: AgentRow = {
  name: 'client',
  takes: 'anything',
  steps: ['plan', 'implement', 'update'],
  learns: true,
  problem: () => undefined,
  invoke: ({ order }) => ({ program: 'sh', args: ['-c', order.prompt], env: {}, passed: [], called: 'client' }),
  preview: () => 'client',
  reader: () => (line) => [JSON.parse(line) as AgentEvent],
};
const streaming = () => ground({}, { table: () => [STREAMING] });
const says = (events: readonly AgentEvent[], then = 'exit 0'): string => `${events.map((event) => `echo '${JSON.stringify(event)}'`).join('; ')}; ${then}`;
const usage = (inputTokens: number, cumulative: boolean): AgentEvent => ({ kind: 'usage', usage: { inputTokens, outputTokens: 1, costUsd: 0.5 }, cumulative });

it('5.3-R2 adds up what a stream tells: usage, session, and the last words as the tail', async () => {
  const place = streaming();
  const events: AgentEvent[] = [
    { kind: 'session', id: 's1' },
    usage(10, false),
    { kind: 'text', text: 'well' },
    usage(5, false),
    { kind: 'text', text: 'done' },
  ];
  const run = await place.run({ agent: 'client', prompt: says(events) });
  expect(run).toMatchObject({
    end: { kind: 'done' },
    tail: 'well\ndone',
    found: { session: 'client:s1', usage: { inputTokens: 15, outputTokens: 2, costUsd: 1 } },
  });
  expect((await place.run({ agent: 'client', prompt: says([usage(10, true), usage(25, true)]) })).found.usage?.inputTokens).toBe(25);
});

it('5.3-R2 tells of text once a second, of what counts at once', async () => {
  const place = streaming();
  const texts = Array.from({ length: 50 }, (_, at): AgentEvent => ({ kind: 'text', text: String(at) }));
  const { events } = await place.run({ agent: 'client', prompt: says([...texts, usage(1, false), usage(2, false), { kind: 'session', id: 's' }]) });
  expect(events.filter((event) => event.kind === 'text').length).toBeLessThan(5);
  expect(events.filter((event) => event.kind === 'usage').length).toBe(2);
  expect(events.at(-1)).toEqual({ kind: 'session', id: 's' });
});

it('5.3-R5 waits at a limit until the time that it named', async () => {
  const place = streaming();
  const limit: AgentEvent = { kind: 'limit', message: 'usage limit reached', resetAt: 1_800_000_000_000 };
  expect((await place.run({ agent: 'client', prompt: says([limit], 'exit 1') })).end).toEqual({
    kind: 'transient',
    reason: 'limit',
    message: 'usage limit reached',
    retryAt: 1_800_000_000_000,
    patient: true,
  });
  // Some end as if all were well; and who goes on working was not limited.
  expect((await place.run({ agent: 'client', prompt: says([limit]) })).end).toMatchObject({ reason: 'limit' });
  expect((await place.run({ agent: 'client', prompt: says([limit, { kind: 'text', text: 'going on' }]) })).end.kind).toBe('done');
  expect((await place.run({ agent: 'client', prompt: says([limit, { kind: 'text', text: 'try 2 of 10', aside: true }]) })).end.kind).toBe('transient');
});

it.each([
  ['transient', 'transient', 'agent_failed'],
  ['limit', 'transient', 'limit'],
  ['auth', 'final', 'setup_failed'],
  ['config', 'final', 'setup_failed'],
  ['refusal', 'final', 'agent_failed'],
  ['real', 'final', 'agent_failed'],
] as const)('5.3-R6 tells passing faults from real ones: %s', async (kind, end, reason) => {
  const place = streaming();
  const error: AgentEvent = { kind: 'error', message: 'it broke', class: kind };
  expect((await place.run({ agent: 'client', prompt: says([error], 'exit 1') })).end).toMatchObject({
    kind: end,
    reason,
    message: expect.stringContaining('it broke'),
  });
});

it('5.3-R4 ends what makes the same tool call five times in a row, and not what makes progress in between', async () => {
  const place = streaming();
  const call: AgentEvent = { kind: 'tool', name: 'bash', input: 'npm test' };
  const result: AgentEvent = { kind: 'tool', name: 'bash', output: 'red', failed: true };
  const circles = await place.run({ agent: 'client', prompt: says([call, result, call, result, call, result, call, result, call], 'sleep 60') });
  expect(circles.end).toMatchObject({ kind: 'final', reason: 'no_progress' });
  const change: AgentEvent = { kind: 'file', path: 'a', change: 'changed' };
  expect((await place.run({ agent: 'client', prompt: says([call, call, call, call, change, call, call]) })).end.kind).toBe('done');
});

it('5.3-R3 hears a client to its end when told to stop', async () => {
  const place = streaming();
  const stop = new AbortController();
  const running = place.run(
    {
      agent: 'client',
      prompt: `trap 'echo "{\\"kind\\":\\"session\\",\\"id\\":\\"late\\"}"; exit 0' TERM; echo '{"kind":"text","text":"up"}'; while :; do sleep 0.05; done`,
    },
    stop.signal,
  );
  await until(async () => (await alive(`${place.epoch}.`)).length > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  stop.abort();
  const { found, end } = await running;
  expect(end).toMatchObject({ reason: 'cancelled' });
  expect(found.session).toBe('client:late');
});

it('5.3-R2 takes a line that the reader stumbles over as text, and says so once', async () => {
  const place = streaming();
  expect(await place.run({ agent: 'client', prompt: 'echo no json; echo neither' })).toMatchObject({ end: { kind: 'done' }, tail: 'no json\nneither' });
  expect(place.said).toEqual([expect.stringContaining('is taken as text')]);
});
