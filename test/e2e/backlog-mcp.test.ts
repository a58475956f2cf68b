/** `todone mcp` outside of a run: the protocol's own client, real processes, with a daemon and without one. */
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, expect, it } from 'vitest';
import { LIST, QUIET_ENV, withDaemon } from './doors-kit.ts';
import { git, listOf, makeRepo, markerOf, removeRepos, ROOT, todone } from './kit.ts';

afterAll(removeRepos);

async function worker(top: string, name: string): Promise<Client> {
  const client = new Client({ name: 'editor', version: '1' });
  const env = { ...QUIET_ENV, PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TODONE_INSTANCE: name };
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [join(ROOT, 'src/main.ts'), 'mcp'], cwd: top, env }));
  return client;
}

type Answer = { readonly isError?: boolean; readonly content: readonly { readonly text: string }[]; readonly structuredContent?: Record<string, unknown> };
type Tasks = { readonly tasks: readonly { readonly id: string }[] };
const call = async (client: Client, name: string, input: Record<string, unknown> = {}): Promise<Answer> =>
  (await client.callTool({ name, arguments: input })) as Answer;
const dataOf = async <T>(client: Client, name: string, input: Record<string, unknown> = {}): Promise<T> => {
  const answer = await call(client, name, input);
  expect(answer.isError ? answer.content[0]?.text : '').toBe('');
  return answer.structuredContent as T;
};

const alone = async (_top: string, work: () => Promise<void>): Promise<void> => work();

it.each([
  ['without a daemon', alone],
  ['with a daemon', withDaemon],
] as const)('9-R4 6.1-R1 a worker works the backlog by MCP %s', { timeout: 120_000 }, async (_name, within) => {
  const top = makeRepo(LIST);
  await within(top, async () => {
    const [one, two] = await Promise.all([worker(top, 'w1'), worker(top, 'w2')]);
    try {
      const { tools } = await one.listTools();
      expect(tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['task_ready', 'task_list', 'task_show', 'task_create', 'task_claim', 'task_dep_add']),
      );
      expect(tools.map(({ name }) => name)).not.toContain('task_approve');
      expect(tools.find(({ name }) => name === 'task_close')?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true });
      expect(tools.find(({ name }) => name === 'task_ready')).toMatchObject({ annotations: { readOnlyHint: true }, outputSchema: { type: 'object' } });
      // A daemon lets a text rest for a moment before it may be taken.
      await expect.poll(async () => (await dataOf<Tasks>(one, 'task_ready')).tasks.map(({ id }) => id), { timeout: 30_000 }).toEqual(['login']);
      expect((await one.getPrompt({ name: 'next_task' })).messages[0]?.content).toMatchObject({ text: expect.stringContaining('Add login form') });

      const answers = await Promise.all([call(one, 'task_claim', { task: 'login' }), call(two, 'task_claim', { task: 'login' })]);
      expect(answers.filter(({ isError }) => isError)).toHaveLength(1);
      const [winner, loser, won] = answers[0]?.isError ? [two, one, answers[1]] : [one, two, answers[0]];
      const ticket = String(won?.structuredContent?.['ticket']);
      expect(answers.find(({ isError }) => isError)?.content[0]?.text).toMatch(/w[12] has claimed it\nWhat to do: /);
      expect(await dataOf(winner, 'task_heartbeat', { task: 'login', ticket })).toMatchObject({ changed: false });

      // What a worker may not: to approve by changing, to close without a commit, to end another's claim.
      for (const [client, tool, input] of [
        [winner, 'task_close', { task: 'login', ticket }],
        [loser, 'task_release', { task: 'login' }],
        [loser, 'task_report', { task: 'login', ticket: 'x.1', outcome: 'done' }],
        [loser, 'task_claim', { task: 'filed' }],
      ] as const)
        expect(await call(client, tool, input)).toMatchObject({ isError: true });

      const filed = await dataOf<Tasks>(winner, 'task_create', { tasks: [{ title: 'Sweep up {decision}' }], section: 'auth' });
      expect(listOf(top)).toMatch(new RegExp(`\\[\\] Sweep up \\{id:${filed.tasks[0]?.id}\\} \\{triage\\} \\{by:w[12]\\}`));
      await dataOf(winner, 'task_close', { task: 'login', ticket, hash: git(top, 'rev-parse', 'HEAD').trim() });
      expect(markerOf(top, 'Add login form')).toContain('✅');
      expect((await dataOf<Tasks>(two, 'task_ready')).tasks.map(({ id }) => id)).toEqual(['logout']);

      expect((await one.listResources()).resources.map(({ uri }) => uri)).toEqual(['todone://tasks']);
      expect((await one.readResource({ uri: 'todone://tasks' })).contents[0]).toMatchObject({ text: expect.stringContaining('Add logout') });
      expect((await one.readResource({ uri: 'todone://task/logout' })).contents[0]).toMatchObject({ text: expect.stringContaining('"lane":') });
      await expect(one.readResource({ uri: 'todone://task/nothing' })).rejects.toThrow('no task is called nothing');
      const { history } = await dataOf<{ history: { field: string; via: string; by: string }[] }>(two, 'task_history', { task: 'login' });
      expect(history.some(({ field, via }) => field === 'claim' && via === 'mcp')).toBe(true);
      expect(history.filter(({ field }) => field === 'refused').length).toBeGreaterThanOrEqual(3);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});

it('13-R1 who names no worker is one all the same, and not the person', { timeout: 60_000 }, async () => {
  const top = makeRepo(LIST);
  const client = await worker(top, '');
  try {
    const claimed = await dataOf<{ worker: string; lease_until: number | null }>(client, 'task_claim', { task: 'login' });
    expect(claimed.worker).toMatch(/^mcp-/);
    expect(claimed.lease_until).not.toBeNull();
    expect(await call(client, 'task_close', { task: 'login', reason: 'because' })).toMatchObject({ isError: true });
  } finally {
    await client.close();
  }
});

it('9-R4 where there is no list, the client is not left without a word', { timeout: 60_000 }, async () => {
  const top = makeRepo(LIST);
  const { code, err } = await todone(top, 'mcp', '--tasks', 'other.md');
  expect(code).toBe(2);
  expect(err).toContain('there is no list at other.md');
});
