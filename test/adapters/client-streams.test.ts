/** Streams of the real clients, recorded against a scripted model, through their readers; and how each is started. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AgentRow, Call } from '../../src/adapters/agents/row.ts';
import { agentTable } from '../../src/adapters/agents/table.ts';
import type { AgentEvent } from '../../src/engine/ports.ts';
import { type Config, defaultConfig } from '../../src/config.ts';
import { configOf, ground } from './agents-kit.ts';

// One of them tells a clock time of the machine that it was recorded on.
process.env['TZ'] = 'UTC';
/** When the streams were recorded, roughly. */
const NOW = Date.parse('2026-11-21T13:05:00Z');

const rowOf = (name: string, config: Config = defaultConfig): AgentRow => agentTable(config).find((row) => row.name === name) as AgentRow;

function eventsOf(client: string, scene: string): AgentEvent[] {
  const read = rowOf(client).reader(() => NOW);
  return recorded(client, scene).flatMap((said) => read(said.line, said.from));
}

function recorded(client: string, scene: string): { from: 'stdout' | 'stderr'; line: string }[] {
  const lines = readFileSync(join(import.meta.dirname, 'streams', `${client}-${scene}.jsonl`), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { from: 'stdout' | 'stderr'; line: string });
}

const CLIENTS = ['claude', 'codex', 'gemini', 'opencode'] as const;

it.each(CLIENTS)('5.3-R2 %s: session, tool call and result, words and tokens as events', (client) => {
  const events = eventsOf(client, 'work');
  const said = events.filter((event) => event.kind === 'text' && event.aside !== true);
  expect(said).toEqual([{ kind: 'text', text: 'Done.' }]);
  expect(events.filter((event) => event.kind === 'session')).toHaveLength(1);
  const tools = events.filter((event) => event.kind === 'tool');
  expect(tools.some(({ input }) => input?.includes('echo work > work.txt'))).toBe(true);
  expect(tools.some(({ output, failed }) => output?.includes('work.txt') && failed === false)).toBe(true);
  if (client !== 'codex') expect(events).toContainEqual(expect.objectContaining({ kind: 'file', path: '/base/work/more.txt' }));
  const usage = events.filter((event) => event.kind === 'usage');
  const whole = usage.filter(({ cumulative }) => cumulative).at(-1)?.usage;
  const sum = usage.reduce(
    (total, each) => ({ inputTokens: total.inputTokens + each.usage.inputTokens, outputTokens: total.outputTokens + each.usage.outputTokens }),
    {
      inputTokens: 0,
      outputTokens: 0,
    },
  );
  expect(whole ?? sum).toMatchObject({ inputTokens: 300, outputTokens: 30 });
  expect(events.filter((event) => event.kind === 'error' || event.kind === 'limit')).toEqual([]);
});

it.each(CLIENTS)('5.3-R5 %s: a limit, and when it is over', (client) => {
  const limits = eventsOf(client, 'limit').filter((event) => event.kind === 'limit');
  expect(limits.length).toBeGreaterThan(0);
  const resetAt = limits.findLast((limit) => limit.resetAt !== undefined)?.resetAt ?? 0;
  expect(Math.abs(resetAt - NOW - 3_600_000)).toBeLessThan(30 * 60_000);
});

it.each(CLIENTS)('5.3-R6 %s: a key that is refused needs a person', (client) => {
  expect(eventsOf(client, 'auth').findLast((event) => event.kind === 'error')).toMatchObject({ class: 'auth', message: expect.stringMatching(/401/) });
});

it.each(['claude', 'codex', 'gemini'] as const)('5.3-R6 %s: a server that fails is a passing fault', (client) => {
  const events = eventsOf(client, 'server');
  expect(events.findLast((event) => event.kind === 'error')).toMatchObject({ class: 'transient' });
  expect(events.some((event) => event.kind === 'text' && event.aside !== true)).toBe(false);
});

it.each(CLIENTS)('hazards C: %s: whatever a line says, the reader answers', (client) => {
  const read = rowOf(client).reader(() => NOW);
  const types = [
    'system',
    'assistant',
    'user',
    'result',
    'item.completed',
    'turn.failed',
    'turn.completed',
    'tool_use',
    'step_finish',
    'error',
    'message',
    'text',
    'init',
  ];
  const odd = [null, 1, 'x', [], {}, { message: null }, { content: [null, 1] }];
  for (const type of types)
    for (const value of odd)
      for (const key of ['message', 'part', 'item', 'error', 'usage', 'stats', 'modelUsage', 'result'])
        expect(Array.isArray(read(JSON.stringify({ type, [key]: value }), 'stdout'))).toBe(true);
  for (const line of ['', '{', '{"type":', '[]', '{"a":1}trailing', '\u0000']) expect(Array.isArray(read(line, 'stdout'))).toBe(true);
});

// ── how they are started ─────────────────────────────────────────────────────────────────────────

const MCP = { name: 'todone', command: '/bin/node', args: ['/x/main.ts', 'mcp'], env: { TODONE_TOKEN: 'secret' } };

function invoked(client: string, more: Partial<Call['order']> = {}, config: Config = defaultConfig) {
  const order = ground().order({ agent: client, ...more });
  const call = rowOf(client, config).invoke({
    order,
    promptFile: '/run/prompt.md',
    folder: '/run',
    mcp: MCP,
    around: { env: { HOME: '/home/ada', PATH: '/bin' }, top: '/' },
  });
  return { ...call, line: (call?.args ?? []).join(' ') };
}

it('5.1-R2 reads only in a plan where the client can, and the plan can be told all the same', () => {
  expect(invoked('claude', { readOnly: true }).line).toMatch(/--permission-mode dontAsk --allowedTools Read,.*Edit\(\/\/run\/given\/plan\.md\),.*mcp__todone/);
  expect(invoked('claude').line).toContain('--dangerously-skip-permissions');
  expect(invoked('codex', { readOnly: true }).line).toContain('sandbox_mode="read-only"');
  expect(invoked('codex').line).toContain('--dangerously-bypass-approvals-and-sandbox');
  expect(invoked('gemini', { readOnly: true }).line).toContain('--approval-mode plan');
  expect(invoked('gemini').line).toContain('--approval-mode yolo');
  expect(invoked('opencode', { readOnly: true }).line).toContain('--agent plan');
});

it('5.1-R2 goes on in a session, with the model that was named', () => {
  const more = { session: 's-1', model: 'm-1' };
  expect(invoked('claude', more).line).toMatch(/--model m-1 .*--resume s-1/);
  expect(invoked('codex', more).line).toMatch(/^exec resume --json .*--model m-1 s-1 -$/);
  expect(invoked('gemini', more).line).toMatch(/-m m-1 --resume s-1/);
  expect(invoked('opencode', more).line).toMatch(/--session s-1 .*--model m-1/);
});

it('5.2-R1 13-R2 brings the MCP server to each, its token in no argument', () => {
  for (const client of CLIENTS) {
    const { line, env, files } = invoked(client);
    expect(line).not.toContain('secret');
    expect(JSON.stringify([env, files])).toContain('secret');
  }
});

it('5.3-R1 8-R1 takes path, arguments, model and environment from the config, also for a second account', () => {
  const config = configOf({
    agents: {
      claude: { path: '/opt/claude', args: ['--max-turns', '50'], model: 'opus', env: { A: 'b' } },
      work: { client: 'claude', env: { CLAUDE_CONFIG_DIR: '/home/ada/.claude-work' } },
    },
  });
  expect(agentTable(config).map(({ name }) => name)).toEqual(['claude', 'work', 'codex', 'gemini', 'opencode', 'script']);
  const own = invoked('claude', {}, config);
  expect([own.line, own.called, own.env]).toEqual([
    expect.stringMatching(/--model opus .*--max-turns 50$/),
    '/opt/claude',
    expect.objectContaining({ A: 'b' }),
  ]);
  expect(invoked('work', {}, config).env).toMatchObject({ CLAUDE_CONFIG_DIR: '/home/ada/.claude-work' });
});

it('5.3-R5 hears of a limit from OpenCode over ACP too, which waits it out without a word of the protocol', () => {
  const config = configOf({ agents: { mine: { client: 'acp', command: ['opencode', 'acp'] } } });
  expect(invoked('mine', {}, config).line).toBe('acp --print-logs --log-level ERROR');
  const read = rowOf('mine', config).reader(() => 0);
  const [said] = recorded('opencode', 'limit');
  expect(read(said?.line ?? '', 'stderr')[0]).toMatchObject({ kind: 'limit', resetAt: 3_600_000 });
  expect(read('else', 'stderr')).toEqual([{ kind: 'text', text: 'else', aside: true }]);
});

it('13-R2 keeps its keys from what Codex runs, over ACP too', () => {
  const config = configOf({ agents: { codex: { passEnv: ['MY_KEY'] }, mine: { client: 'acp', command: ['codex-acp'], passEnv: ['MY_KEY'] } } });
  expect(invoked('codex', {}, config).line).toMatch(/shell_environment_policy\.exclude=\[.*"OPENAI_API_KEY".*"MY_KEY"\]/);
  expect(JSON.parse(invoked('mine', {}, config).env?.['CODEX_CONFIG'] ?? '{}')).toMatchObject({
    shell_environment_policy: { exclude: expect.arrayContaining(['OPENAI_API_KEY', 'MY_KEY']) },
  });
});

it.each([
  [
    'says a name where the agent takes one',
    ['claude-agent-acp'],
    { sessionCapabilities: { title: {} } },
    { claudeCode: { options: { title: 'ToDone g1234567', settings: { useAutoModeDuringPlan: false } } } },
    'ToDone g1234567',
  ],
  ['says none where it takes none', ['any-acp'], {}, undefined, undefined],
] as const)('5.3-R1 a new session over ACP: %s', async (_what, command, agentCapabilities, meta, title) => {
  const config = configOf({ agents: { mine: { client: 'acp', command: [...command] } } });
  const heard: { method: string; params: Record<string, unknown> }[] = [];
  const [input, output] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
  const answers: Readonly<Record<string, unknown>> = {
    initialize: { protocolVersion: 1, agentCapabilities },
    'session/new': { sessionId: 's-1' },
    'session/set_title': { title: 'x' },
    'session/prompt': { stopReason: 'end_turn' },
  };
  const agent = (async () => {
    const writer = output.writable.getWriter();
    for await (const line of linesOf(input.readable)) {
      const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: Record<string, unknown> };
      heard.push({ method, params });
      await writer.write(new TextEncoder().encode(`${JSON.stringify({ jsonrpc: '2.0', id, result: answers[method] ?? {} })}\n`));
      if (method === 'session/prompt') return;
    }
  })();
  const { talk } = invoked('mine', {}, config);
  expect(await talk?.({ input: input.writable, output: output.readable, tell: () => undefined, stop: new AbortController().signal })).toBe('done');
  await agent;
  const said = (method: string) => heard.find((each) => each.method === method)?.params;
  expect([said('session/new')?.['_meta'], said('session/set_title')?.['title']]).toEqual([meta, title]);
});

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + new TextDecoder().decode(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((line) => line !== '');
  }
}

it('5.3-R1 says what an agent in the config lacks', () => {
  expect(() => configOf({ agents: { mine: {} } })).toThrow(/mine needs a command/);
  expect(() => configOf({ agents: { mine: { client: 'acp' } } })).toThrow(/mine needs a command/);
  expect(() => configOf({ agents: { claude: { client: 'claude', command: ['x'] } } })).toThrow(/use path and args/);
});

// ── a program that ToDone never heard of ─────────────────────────────────────────────────────────

const FIELDS = {
  text: 'item.text',
  session: 'id',
  inputTokens: ['use.in', 'use.cached'],
  outputTokens: 'use.out',
  cost: 'use.usd',
  error: 'error.message',
  limit: 'limit',
};

it('5.3-R1 5.3-R2 reads lines of JSON by the paths of the config, and goes on in the session', async () => {
  const program = `cat > prompt.txt; echo "$@" >> args.txt
echo '{"id":"s-7"}'; echo '{"id":"s-7","item":{"text":"Working"}}'; echo no json
echo '{"use":{"in":10,"cached":5,"out":3,"usd":0.25},"error":{"message":false}}'`;
  const place = ground({
    agents: { mine: { command: ['sh', '-c', program, 'x', '--model', '{{model}}'], output: 'jsonl', fields: FIELDS, resume: ['--resume', '{{session}}'] } },
  });
  const order = place.order({ agent: 'mine' });
  const begun = await place.run(order);
  expect(begun).toMatchObject({
    end: { kind: 'done' },
    found: { session: 'mine:s-7', usage: { inputTokens: 15, outputTokens: 3, costUsd: 0.25 } },
  });
  await place.run({ agent: 'mine', session: 'mine:s-7', model: 'big' });
  await place.run({ agent: 'mine', session: 'other:s-8' });
  expect(readFileSync(join(place.workspace, 'args.txt'), 'utf8')).toBe('\n--model big --resume s-7\n\n');
});

it.each([
  ['{"error":{"message":"invalid api key"}}', { kind: 'final', reason: 'setup_failed', person: true }],
  ['{"error":{"message":"the server is overloaded"}}', { kind: 'transient', reason: 'agent_failed' }],
  ['{"limit":"try again in 90s"}', { kind: 'transient', reason: 'limit', patient: true, retryAt: expect.any(Number) }],
  ['{"error":{"message":"three tests fail"}}', { kind: 'final', reason: 'agent_failed' }],
])('5.3-R6 classes what such a program says: %s', async (line, end) => {
  const place = ground({ agents: { mine: { command: ['sh', '-c', `echo '${line}'; exit 1`], output: 'jsonl', fields: FIELDS } } });
  expect((await place.run({ agent: 'mine' })).end).toMatchObject(end);
});

it('5.3-R2 counts once what a client counts over its whole session', async () => {
  const says = (input: number): string => `echo '{"id":"s-1","use":{"in":${input},"out":${input / 10},"usd":${input / 100}}}'`;
  const agent = { output: 'jsonl', fields: FIELDS, cumulative: true } as const;
  const place = ground({
    agents: { mine: { ...agent, command: ['sh', '-c', `${says(100)}; ${says(200)}`] }, later: { ...agent, command: ['sh', '-c', says(500)] } },
  });
  const one = await place.run({ agent: 'mine' });
  expect(one.found).toMatchObject({ usage: { inputTokens: 200, outputTokens: 20 }, sessionUsage: { inputTokens: 200 } });
  const two = await place.run({ agent: 'later', session: 'later:s-1', sessionUsage: one.found.sessionUsage });
  expect(two.found).toMatchObject({
    usage: { inputTokens: 300, outputTokens: 30, costUsd: 3 },
    sessionUsage: { inputTokens: 500, outputTokens: 50, costUsd: 5 },
  });
  expect(two.events.findLast((event) => event.kind === 'usage')).toMatchObject({ usage: { inputTokens: 300 } });
  // A count that begins anew has nothing to take away.
  const anew = await place.run({ agent: 'mine', session: 'mine:s-1', sessionUsage: { inputTokens: 900, outputTokens: 90, costUsd: 9 } });
  expect(anew.found).toMatchObject({ usage: { inputTokens: 200 }, sessionUsage: { inputTokens: 200 } });
});

it('5.3-R5 does not let a client wait out a limit by itself for longer than limitWait', async () => {
  const place = ground({
    limits: { limitWait: '300ms' },
    agents: { mine: { command: ['sh', '-c', `echo '{"limit":"try again in 3600s"}'; sleep 60`], output: 'jsonl', fields: FIELDS } },
  });
  expect((await place.run({ agent: 'mine' })).end).toMatchObject({ reason: 'limit', patient: true });
});
