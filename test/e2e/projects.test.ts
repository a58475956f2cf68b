/** Many repositories under one ToDone (6.5-R2): real processes, real lists, and what the agents themselves wrote down. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, expect, it } from 'vitest';
import { QUIET_ENV } from './doors-kit.ts';
import { git, landed, listOf, makeRepo, markerOf, type Ran, removeRepos, ROOT, sleep, start } from './kit.ts';

const rooms: string[] = [];
afterAll(() => {
  removeRepos();
  for (const room of rooms) rmSync(room, { recursive: true, force: true });
});

type Scene = {
  readonly tops: readonly string[];
  /** Where the agents say when they begin and end. */
  readonly log: string;
  /** The user's own folder of configs. */
  readonly room: string;
  readonly config: (text: string) => void;
  readonly start: (...args: string[]) => ReturnType<typeof start>;
  readonly run: (...args: string[]) => Promise<Ran>;
};

/** So many repositories of `tasks` tasks each; every task writes down that it begins, waits (first until `meet` have begun), and that it ends. */
function scene(repos: number, tasks: number, seconds: number, meet = 0): Scene {
  const room = mkdtempSync(join(tmpdir(), 'e2e-user-'));
  rooms.push(room);
  const log = join(room, 'agents.log');
  writeFileSync(log, '');
  mkdirSync(join(room, 'todone'));
  const wait = `for i in $(seq 600); do [ $(grep -c begin ${log}) -ge ${meet} ] && break; sleep 0.1; done; sleep ${seconds}`;
  const tops = Array.from({ length: repos }, (_, repo) => {
    let list = '# Work {script} {quick}\n\n## Git Worktree a\n';
    for (let task = 0; task < tasks; task++)
      list += `[] task ${task}.\n  run: echo "begin ${repo}-${task}" >> ${log}; ${wait}; echo "end ${repo}-${task}" >> ${log}; echo x > f${task}.txt\n`;
    return makeRepo(list, { 'todone.config.yaml': `sandbox: none\nclaimAfter: 0\ninterval: 500ms\n` });
  });
  const file = join(room, 'todone', 'config.yaml');
  const env = { XDG_CONFIG_HOME: room };
  return {
    tops,
    log,
    room,
    config: (text) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
    start: (...args) => start(room, args, env),
    run: (...args) => start(room, args, env).ended,
  };
}

const listing = (tops: readonly string[], more = ''): string => `interval: 300ms\n${more}projects:\n${tops.map((top) => `  - ${top}\n`).join('')}`;

const lines = (log: string): string[] => readFileSync(log, 'utf8').trim().split('\n');

/** The most agents that were at work at the same moment, as they wrote it down. */
function mostAtOnce(log: string): number {
  let now = 0;
  let most = 0;
  for (const line of lines(log)) {
    now += line.startsWith('begin') ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

async function until(what: () => boolean, words: string): Promise<void> {
  for (let tries = 0; tries < 4000; tries++) {
    if (what()) return;
    await sleep(50);
  }
  throw new Error(`never: ${words}`);
}

it('6.5-R2 never more agents at once over all projects than the user allows, and each project gets its turn', { timeout: 300_000 }, async () => {
  const { tops, log, config, run } = scene(5, 3, 1, 3);
  config(listing(tops, 'maxAgents: 3\n'));
  const ended = await run('start', '--all', '--once', '--json');
  expect(ended).toMatchObject({ code: 0 });
  expect(mostAtOnce(log)).toBe(3);
  for (const top of tops) expect([...landed(top).values()]).toEqual([1, 1, 1]);
  // First come, first served: three of the first, one of each other, and only then the next of any.
  const begun = lines(log).filter((line) => line.startsWith('begin'));
  const firsts = tops.map((_, repo) => begun.findIndex((line) => line.startsWith(`begin ${repo}-`)));
  expect(Math.max(...firsts)).toBeLessThan(8);
  const document = JSON.parse(ended.out) as { projects: { project: string; failed: string[]; problem: unknown }[] };
  expect(document.projects).toHaveLength(5);
  expect(document.projects.every(({ failed, problem }) => failed.length === 0 && problem === null)).toBe(true);
});

it('6.5-R2 what is capped for an agent or an account is capped over all projects', { timeout: 300_000 }, async () => {
  const { tops, log, config, run } = scene(3, 2, 0.2);
  config(listing(tops, 'maxAgents: 8\ncaps: { accounts: { script: 1 } }\n'));
  expect(await run('start', '--all', '--once')).toMatchObject({ code: 0 });
  expect(mostAtOnce(log)).toBe(1);
  expect(lines(log)).toHaveLength(12);
});

it('6.5-R2 a limit that one project reaches parks the account for all of them', { timeout: 300_000 }, async () => {
  const { tops, log, config, start: begin, run } = scene(3, 1, 0);
  const agent = `agents:
  mine:
    command: [sh, -c, 'echo "begin $PWD" >> ${log}; echo "{\\"limit\\":\\"usage limit, resets at $(date -u -d "+5 hours" +%FT%TZ)\\"}"; exit 1']
    output: jsonl
    fields: { limit: limit }
    account: shared
`;
  for (const top of tops) writeFileSync(join(top, 'tasks.md'), '## Git Worktree a {mine} {quick}\n[] one\n');
  config(`maxAgents: 1\n${agent}${listing(tops)}`);
  const daemon = begin('start', '--all');
  await until(() => lines(log).length === 1 && lines(log)[0] !== '', 'the first agent');
  await sleep(3000);
  // What one found, the others know: nobody else was sent into the same limit, and each says why it waits.
  expect(lines(log)).toHaveLength(1);
  const all = JSON.parse((await run('task', 'list', '--all', '--json')).out) as { tasks: { project: string; reason: { code: string } | null }[] };
  expect(all.tasks.map(({ reason }) => reason?.code ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual(['limit', 'limit', 'running']);
  daemon.kill('SIGTERM');
  expect((await daemon.ended).code).toBe(130);
});

it('6.5-R2 12-R1 a killed daemon of many goes on with each, lands nothing twice, and keeps to the cap', { timeout: 300_000 }, async () => {
  const { tops, log, config, start: begin, run } = scene(5, 2, 0.6);
  config(listing(tops, 'maxAgents: 2\n'));
  const first = begin('start', '--all');
  await until(() => lines(log).length >= 4, 'a few agents');
  first.kill('SIGKILL');
  await first.ended;
  const before = lines(log).length;
  const ended = await run('start', '--all', '--once');
  expect(ended).toMatchObject({ code: 0 });
  for (const top of tops) {
    expect([markerOf(top, 'task 0').slice(0, 2), markerOf(top, 'task 1').slice(0, 2)]).toEqual(['[✅', '[✅']);
    expect([...landed(top).values()]).toEqual([1, 1]);
  }
  // Those that were killed never wrote their end: from here on only what the second one started counts.
  let now = 0;
  let most = 0;
  for (const line of lines(log).slice(before)) most = Math.max(most, (now += line.startsWith('begin') ? 1 : -1));
  expect(most).toBeLessThanOrEqual(2);
});

it('6.5-R2 what is broken, missing or owned by another is told, the others run, and each is taken up once it can be', { timeout: 300_000 }, async () => {
  const { tops, config, start: begin, run } = scene(4, 1, 0.1);
  const [fine = '', broken = '', owned = '', gone = ''] = tops;
  appendFileSync(join(broken, 'todone.config.yaml'), 'maxAgentz: 3\n');
  renameSync(gone, `${gone}.away`);
  writeFileSync(join(owned, 'tasks.md'), '## Git Worktree a {script} {quick}\n[⏰] waits\n[] later {hold:x}\n');
  const other = start(owned, ['start']);
  await until(() => existsSync(join(owned, '.git', 'todone', 'owner.json')), 'the other owner');
  config(listing(tops));
  const daemon = begin('start', '--all');
  let said = '';
  daemon.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  await until(() => markerOf(fine, 'task 0').startsWith('[✅'), 'the fine one');
  await until(() => said.includes('standing by'), 'standing by');
  expect(said).toMatch(/todone\.config\.yaml:4:1: maxAgentz/);
  expect(said).toMatch(/is not there/);
  const seen = JSON.parse((await run('status', '--all', '--json')).out) as {
    projects: { path: string; problem: { message: string } | null; owner: { pid: number } | null }[];
  };
  const of = (top: string): (typeof seen.projects)[number] | undefined => seen.projects.find(({ path }) => path === top);
  expect(of(fine)?.owner?.pid).toBe(daemon.pid);
  expect(of(owned)?.owner?.pid).toBe(other.pid);
  expect(of(broken)?.problem?.message).toContain('maxAgentz');
  expect(of(gone)?.problem).not.toBeNull();

  writeFileSync(join(broken, 'todone.config.yaml'), 'sandbox: none\nclaimAfter: 0\n');
  renameSync(`${gone}.away`, gone);
  await until(() => markerOf(broken, 'task 0').startsWith('[✅') && markerOf(gone, 'task 0').startsWith('[✅'), 'the mended ones');
  other.kill('SIGTERM');
  await other.ended;
  writeFileSync(join(owned, 'tasks.md'), '## Git Worktree a {script} {quick}\n[] task 0.\n  run: echo x > x.txt\n');
  await until(() => markerOf(owned, 'task 0').startsWith('[✅'), 'the one that became free');
  daemon.kill('SIGTERM');
  expect((await daemon.ended).code).toBe(130);
  for (const top of tops) expect(existsSync(join(top, '.git', 'todone', 'owner.json'))).toBe(false);
});

it('6.5-R2 a project that is taken off the list ends what runs and is let go; one that is put on it is taken up', { timeout: 300_000 }, async () => {
  const { tops, log, config, start: begin } = scene(3, 2, 1.5);
  const [leaves = '', stays = '', comes = ''] = tops;
  config(listing([leaves, stays], 'maxAgents: 2\n'));
  writeFileSync(join(leaves, 'todone.config.yaml'), 'sandbox: none\nclaimAfter: 0\nmaxAgents: 1\n');
  const daemon = begin('start', '--all');
  await until(() => lines(log).some((line) => line.startsWith('begin 0-0')), 'its task runs');
  config(listing([stays, comes], 'maxAgents: 2\n'));
  await until(() => !existsSync(join(leaves, '.git', 'todone', 'owner.json')), 'let go');
  // What ran was brought to its end, and nothing more was begun.
  expect(markerOf(leaves, 'task 0')).toMatch(/^\[✅ /u);
  expect(markerOf(leaves, 'task 1')).toBe('[]');
  expect([...landed(leaves).values()]).toEqual([1]);
  await until(() => markerOf(comes, 'task 1').startsWith('[✅') && markerOf(stays, 'task 1').startsWith('[✅'), 'the others');
  config('projects: 7\n');
  await sleep(1000);
  config(listing(tops, 'maxAgents: 2\n'));
  await until(() => markerOf(leaves, 'task 1').startsWith('[✅'), 'taken up again');
  daemon.kill('SIGTERM');
  const ended = await daemon.ended;
  expect(ended.err).toMatch(/config\.yaml:1:1: projects: .*the last good config stays in force/);
  expect(ended.err).toContain('is not listed any more');
});

it('6.1-R1 6.5-R2 9-R4 tasks of all projects in one list, and a task filed in another', { timeout: 300_000 }, async () => {
  const { tops, config, run } = scene(3, 1, 0);
  const [one = '', two = ''] = tops;
  config(listing([...tops, '/nowhere/at-all']));
  const list = JSON.parse((await run('task', 'list', '--all', '--json')).out) as {
    tasks: { project: string; title: string }[];
    projects: { project: string; path: string; problem: { message: string } | null }[];
  };
  expect(list.tasks.map(({ project }) => project)).toEqual(tops.map((top) => top.split('/').at(-1)));
  expect(list.projects.map(({ problem }) => problem === null)).toEqual([true, true, true, false]);
  const name = list.projects[1]?.project ?? '';
  expect(await run('task', 'create', 'Filed from afar {p0}', '--section', 'a', '--project', name)).toMatchObject({ code: 0 });
  expect(listOf(two)).toContain('Filed from afar {p0}');
  expect(listOf(one)).not.toContain('Filed from afar');
  const ready = JSON.parse((await run('task', 'ready', '--all', '--json', '--limit', '2')).out) as { tasks: { project: string; title: string }[] };
  expect(ready.tasks).toHaveLength(2);
  expect(ready.tasks[0]).toMatchObject({ project: name, title: expect.stringContaining('Filed from afar') as string });
  const unknown = await run('task', 'list', '--project', 'nope');
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('no project is called nope') as string });
  expect((await run('task', 'list', '--all')).out).toMatch(/PROJECT/);
  expect(git(one, 'status', '--porcelain')).toBe('');
});

it('9-R4 13-R1 a worker over MCP lists, takes and files in another project by its name; an agent inside a run does not', { timeout: 300_000 }, async () => {
  const { tops, config, run, room } = scene(2, 1, 0);
  const [here = '', there = ''] = tops;
  config(listing(tops));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(ROOT, 'src', 'main.ts'), 'mcp', '--as', 'bot'],
    cwd: here,
    env: { ...QUIET_ENV, PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', XDG_CONFIG_HOME: room },
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  const project = there.split('/').at(-1) ?? '';
  const call = async (name: string, input: Record<string, unknown>): Promise<{ isError?: boolean | undefined; structuredContent?: unknown }> =>
    client.callTool({ name, arguments: input });
  expect((await call('task_create', { project, section: 'a', tasks: [{ title: 'From over there' }] })).isError).not.toBe(true);
  expect([listOf(here).includes('From over there'), /From over there .*\{triage\}.*\{by:bot\}/.test(listOf(there))]).toEqual([false, true]);
  expect((await call('task_ready', { project })).structuredContent).toMatchObject({ tasks: [{ project, title: 'task 0.' }] });
  expect((await call('task_list', {})).structuredContent).toMatchObject({ tasks: [{ project: null }] });
  expect((await call('task_list', { project: 'nope' })).isError).toBe(true);
  await client.close();
  const inside = await start(here, ['task', 'list', '--project', project, '--json'], { XDG_CONFIG_HOME: room, TODONE_RUN: 'x', TODONE_ID: 'x' }).ended;
  expect([inside.code, inside.out.includes('task 0.')]).toEqual([3, false]);
  expect((await run('task', 'list', '--project', project)).code).toBe(0);
});

it('6.5-R2 7-R2 without a list of projects, or with a wrong one, it says where and what to write', { timeout: 60_000 }, async () => {
  const { config, run, tops } = scene(1, 1, 0);
  config('maxAgents: 2\n');
  expect(await run('start', '--all')).toMatchObject({ code: 2, err: expect.stringMatching(/no project is listed[\s\S]*config\.yaml: projects/) as string });
  config('projects:\n  - ~/fine\n  - not/absolute\n');
  expect(await run('task', 'list', '--all')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/config\.yaml:3:5: projects\.1: a project is an absolute path/) as string,
  });
  appendFileSync(join(tops[0] ?? '', 'todone.config.yaml'), 'projects: [/x]\n');
  config('');
  expect(await start(tops[0] ?? '', ['status']).ended).toMatchObject({
    code: 2,
    err: expect.stringMatching(/todone\.config\.yaml:4:1: projects: .*cannot name others/) as string,
  });
});
