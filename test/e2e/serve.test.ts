/** `todone serve`: real servers, the protocols' own clients, and everyone who is to be refused on every route. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTRPCClient, httpBatchLink, httpLink, httpSubscriptionLink, splitLink, TRPCClientError } from '@trpc/client';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Router, routes } from '../../src/surfaces/http/router.ts';
import { LIST, QUIET_ENV, withDaemon } from './doors-kit.ts';
import { git, listOf, makeRepo, markerOf, removeRepos, start } from './kit.ts';

type Server = { readonly url: string; readonly port: number; readonly token: string; readonly tokenFile: string; readonly stop: () => Promise<number | null> };

async function serve(top: string, ...more: string[]): Promise<Server> {
  const child = start(top, ['serve', '--port', '0', '--json', ...more], QUIET_ENV);
  const line = await new Promise<string>((resolve, reject) => {
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      if (out.trimEnd().endsWith('}')) resolve(out);
    });
    void child.ended.then(({ err }) => reject(new Error(err)));
  });
  const { url, port, token_file: tokenFile } = JSON.parse(line) as { url: string; port: number; token_file: string };
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return (await child.ended).code;
  };
  return { url, port, tokenFile, token: readFileSync(tokenFile, 'utf8').trim(), stop };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;
type Answer = { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, unknown>> };

/** As sent, with nothing added but what is said here. */
function ask(server: Server, path: string, headers: Headers, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers: sent, agent: false }, (response) => {
      let text = '';
      // A stream that is served does not end: its head says enough.
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        asked.destroy();
        return resolve({ status: response.statusCode ?? 0, body: '', headers: response.headers });
      }
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
      response.on('error', reject);
    });
    asked.on('upgrade', (response, socket) => (socket.destroy(), resolve({ status: response.statusCode ?? 0, body: '', headers: response.headers })));
    asked.on('error', reject);
    asked.end(body);
  });
}

afterAll(removeRepos);

describe('the guard', () => {
  let server: Server;
  beforeAll(async () => void (server = await serve(makeRepo(LIST))), 60_000);
  afterAll(async () => void (await server.stop()));

  const right = (): Record<string, string> => ({ host: `127.0.0.1:${server.port}`, authorization: `Bearer ${server.token}` });

  type Wrong = { readonly headers?: () => Headers; readonly query?: () => string; readonly status: number };
  const WRONG: Readonly<Record<string, Wrong>> = {
    'DNS rebinding: a foreign Host': { headers: () => ({ host: `evil.example:${server.port}` }), status: 421 },
    'a Host without the port': { headers: () => ({ host: '127.0.0.1' }), status: 421 },
    'a Host of another port': { headers: () => ({ host: '127.0.0.1:1' }), status: 421 },
    'a name that only begins as ours': { headers: () => ({ host: `localhost.evil.example:${server.port}` }), status: 421 },
    'CSRF: a foreign Origin': { headers: () => ({ origin: 'https://evil.example' }), status: 403 },
    'a null Origin': { headers: () => ({ origin: 'null' }), status: 403 },
    'an empty Origin': { headers: () => ({ origin: '' }), status: 403 },
    'an Origin of another port': { headers: () => ({ origin: 'http://127.0.0.1:1' }), status: 403 },
    'an Origin of another scheme': { headers: () => ({ origin: `https://127.0.0.1:${server.port}` }), status: 403 },
    'a page of another site without an Origin': { headers: () => ({ 'sec-fetch-site': 'cross-site' }), status: 403 },
    'no token': { headers: () => ({ authorization: undefined }), status: 401 },
    'an empty token': { headers: () => ({ authorization: 'Bearer ' }), status: 401 },
    'another token': { headers: () => ({ authorization: `Bearer ${'A'.repeat(43)}` }), status: 401 },
    'a part of the token': { headers: () => ({ authorization: `Bearer ${server.token.slice(0, -1)}` }), status: 401 },
    'the token as a password': { headers: () => ({ authorization: `Basic ${btoa(`x:${server.token}`)}` }), status: 401 },
    'the token in a cookie': { headers: () => ({ authorization: undefined, cookie: `token=${server.token}` }), status: 401 },
    'the token in the URL': { query: () => `?token=${server.token}`, headers: () => ({ authorization: undefined }), status: 400 },
    'the token in the URL too': { query: () => `?x=${server.token}`, status: 400 },
    'the token in the URL, escaped': { query: () => `?x=%${server.token.charCodeAt(0).toString(16)}${server.token.slice(1)}`, status: 400 },
    'connectionParams in the URL': { query: () => `?connectionParams=%7B%7D`, status: 400 },
    'a body that is too large': { headers: () => ({ 'content-length': String(100 * 1024 * 1024) }), status: 413 },
  };

  it.each(Object.entries(WRONG))('9-R5 on every route is refused: %s', { timeout: 60_000 }, async (_name, { headers, query, status }) => {
    for (const route of [...routes(), '/', '/nothing'])
      for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
        const answered = await ask(server, `${route}${query?.() ?? ''}`, { ...right(), ...headers?.() }, method);
        expect([route, method, answered.status]).toEqual([route, method, status]);
        expect(answered.headers['access-control-allow-origin']).toBeUndefined();
        expect(answered.body).not.toContain(server.token);
      }
  });

  it('9-R5 an upgrade is refused on every route, with and without a token', { timeout: 60_000 }, async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    for (const route of routes()) {
      const wanted = await Promise.all([
        ask(server, route, { ...right(), ...upgrade, origin: 'https://evil.example' }),
        ask(server, route, { ...right(), ...upgrade, origin: 'null' }),
        ask(server, route, { ...right(), ...upgrade, host: 'evil.example' }),
        ask(server, route, { ...right(), ...upgrade, authorization: undefined }),
        ask(server, route, { ...right(), ...upgrade }),
      ]);
      expect([route, ...wanted.map(({ status }) => status)]).toEqual([route, 403, 403, 421, 401, 400]);
    }
  });

  it('9-R5 a header that stands twice, and a URL of another server, are refused', async () => {
    const said = await raw(
      server,
      `GET /trpc/task.list HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nHost: evil\r\nAuthorization: Bearer ${server.token}\r\n\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    const absolute = `GET http://evil/trpc/task.list HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\n\r\n`;
    expect(await raw(server, absolute)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('9-R5 the right client is heard, by every name of this machine, and sends a CSP', { timeout: 60_000 }, async () => {
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])
      for (const origin of [undefined, `http://localhost:${server.port}`, `http://127.0.0.1:${server.port}`]) {
        const answered = await ask(server, '/trpc/task.ready', { ...right(), host: `${host}:${server.port}`, origin });
        expect([host, origin, answered.status]).toEqual([host, origin, 200]);
        expect(answered.headers).toMatchObject({ 'content-security-policy': expect.stringContaining("default-src 'none'"), 'cache-control': 'no-store' });
      }
    for (const route of routes()) expect([route, (await ask(server, route, right())).status]).not.toEqual([route, 401]);
    expect((await ask(server, '/nothing', right())).status).toBe(404);
  });

  it('9-R5 a change is not made by GET, and a body that grows is cut off', { timeout: 60_000 }, async () => {
    expect((await ask(server, '/trpc/task.claim?input=%7B%7D', right())).status).toBe(405);
    for (const path of ['/trpc/task.create', '/mcp']) {
      const large = { ...right(), 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'transfer-encoding': 'chunked' };
      const status = await ask(server, path, large, 'POST', `"${'x'.repeat(5_000_000)}"`).then(
        (answered) => answered.status,
        () => 'cut off',
      );
      expect([413, 'cut off']).toContain(status);
    }
  });

  it('9-R5 only its user can read the token, and it listens on loopback alone', () => {
    expect(statSync(server.tokenFile).mode & 0o777).toBe(0o600);
    expect(server.token).toMatch(/^[\w-]{43}$/);
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    // Of the local address of each listening socket of this port: 0100007F = 127.0.0.1.
    const hex = server.port.toString(16).toUpperCase().padStart(4, '0');
    const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => / 0A /.test(line)),
    );
    expect(listening.filter((line) => line.includes(`:${hex} `)).map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${hex}`]);
  });

  // What another user of this machine may reach of it: the port, and whatever of the files lets itself be read.
  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot)(
    `9-R5 13-R3 another local user is refused on every route${isRoot ? '' : ' (skipped: to try it needs root)'}`,
    { timeout: 60_000 },
    ({ skip }) => {
      const files = [server.tokenFile, join(server.tokenFile, '..', 'socket'), join(server.tokenFile, '..', 'journal.db')];
      const asked = JSON.stringify({ port: server.port, routes: routes(), files });
      const other = spawnSync(process.execPath, ['-e', STRANGER, asked], { uid: NOBODY, gid: NOBODY, cwd: '/', env: {}, encoding: 'utf8', timeout: 50_000 });
      if (other.error) return skip(`another user may not start this Node: ${other.error.message}`);
      expect(other.stderr).toBe('');
      const { statuses, opened, uid } = JSON.parse(other.stdout) as { statuses: Record<string, number[]>; opened: string[]; uid: number };
      expect(uid).toBe(NOBODY);
      expect(Object.keys(statuses).toSorted()).toEqual([...routes()].toSorted());
      // Without a token, with one that it made up, as a page would ask, and by a WebSocket.
      for (const [route, seen] of Object.entries(statuses)) expect([route, seen]).toEqual([route, [401, 401, 403, 401]]);
      expect(opened).toEqual([]);
    },
  );

  it('9-R5 a flood of sessions leaves nothing behind, and the right client is heard', { timeout: 120_000 }, async () => {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'flood', version: '1' } },
    });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    // Strangers begin none at all; who may begins as many as it likes, for none is kept.
    const strangers = await Promise.all(Array.from({ length: 100 }, () => ask(server, '/mcp', { ...headers, host: `127.0.0.1:${server.port}` }, 'POST', body)));
    expect(new Set(strangers.map(({ status }) => status))).toEqual(new Set([401]));
    for (let round = 0; round < 3; round++) {
      const begun = await Promise.all(Array.from({ length: 100 }, () => ask(server, '/mcp', { ...right(), ...headers }, 'POST', body)));
      expect(new Set(begun.map(({ status }) => status))).toEqual(new Set([200]));
      expect(begun.filter(({ headers: said }) => said['mcp-session-id'] !== undefined)).toEqual([]);
    }
    expect((await ask(server, '/trpc/task.list', right())).status).toBe(200);
  });

  it('9-R5 a flood of connections and of listeners is turned away, and the server lives on', { timeout: 120_000 }, async () => {
    const sockets: Socket[] = [];
    let refused = 0;
    await Promise.all(
      Array.from({ length: 700 }, async () => {
        const socket = connect(server.port, '127.0.0.1');
        sockets.push(socket);
        socket.on('error', () => (refused += 1));
        socket.on('end', () => (refused += 1));
        await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
      }),
    );
    await expect.poll(() => refused, { timeout: 30_000 }).toBeGreaterThanOrEqual(700 - 512);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(
        () =>
          ask(server, '/trpc/task.list', right()).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(200);

    const heads: string[] = [];
    const listeners = Array.from({ length: 40 }, () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      let said = '';
      const at = heads.push('') - 1;
      socket.on('data', (chunk: Buffer) => (heads[at] = said += chunk.toString('utf8')));
      socket.write(
        `GET /trpc/task.changes HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${server.token}\r\n\r\n`,
      );
      return socket;
    });
    await expect.poll(() => heads.filter((head) => head.includes('too many listen')).length, { timeout: 60_000 }).toBe(40 - 32);
    expect((await ask(server, '/trpc/task.list', right())).status).toBe(200);
    for (const socket of listeners) socket.destroy();
  });
});

const NOBODY = 65_534;

/** Runs as somebody else, with nothing of ours but what it is told. */
const STRANGER = `
const { port, routes, files } = JSON.parse(process.argv[1]);
const { request } = require('node:http');
const ask = (path, headers) => new Promise((resolve, reject) => {
  const asked = request({ host: '127.0.0.1', port, path, headers: { host: '127.0.0.1:' + port, ...headers }, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  asked.on('upgrade', (response, socket) => (socket.destroy(), resolve(response.statusCode)));
  asked.on('error', reject);
  asked.end();
});
const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
(async () => {
  const statuses = {};
  for (const route of routes) {
    statuses[route] = [];
    for (const headers of [{}, { authorization: 'Bearer ' + 'A'.repeat(43) }, { origin: 'null' }, upgrade]) statuses[route].push(await ask(route, headers));
  }
  const opened = files.filter((path) => {
    try {
      require('node:fs').accessSync(path);
      return true;
    } catch {
      return false;
    }
  });
  process.stdout.write(JSON.stringify({ statuses, opened, uid: process.getuid() }));
})();
`;

const raw = (server: Server, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    socket.on('end', () => resolve(said));
    socket.on('error', reject);
  });

// ── the right clients ────────────────────────────────────────────────────────────────────────────

const headersOf = ({ token }: Server, name: string): Record<string, string> => ({ authorization: `Bearer ${token}`, 'todone-as': name });

const trpc = (server: Server, name: string) =>
  createTRPCClient<Router>({ links: [httpBatchLink({ url: `${server.url}/trpc`, headers: headersOf(server, name) })] });

const alone = async (_top: string, work: () => Promise<void>): Promise<void> => work();

it.each([
  ['without a daemon', alone],
  ['with a daemon', withDaemon],
] as const)('9-R4 a worker works the backlog by tRPC and by MCP over HTTP %s', { timeout: 120_000 }, async (_name, within) => {
  const top = makeRepo(LIST);
  await within(top, async () => {
    const server = await serve(top);
    const mcp = new Client({ name: 'editor', version: '1' });
    try {
      const one = trpc(server, 'w1');
      const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers: headersOf(server, 'w2') } });
      await mcp.connect(transport);
      expect((await mcp.listTools()).tools.map(({ name }) => name)).toContain('task_dep_remove');
      // A daemon lets a text rest for a moment before it may be taken.
      await expect.poll(async () => (await one.task.ready.query()).tasks.map(({ id }) => id), { timeout: 30_000 }).toEqual(['login']);
      const [ready, listed] = await Promise.all([one.task.ready.query({ limit: 1 }), one.task.list.query({ status: 'open' })]);
      expect([ready.tasks.length, listed.tasks.length]).toEqual([1, 3]);
      const claim = await one.task.claim.mutate({ task: 'login' });
      expect(claim.worker).toBe('w1');
      const lost = await mcp.callTool({ name: 'task_claim', arguments: { task: 'login' } });
      expect(lost).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('w1 has claimed it') }] });

      // What a worker may not, with its code and its remedy; and it is recorded.
      const refusals = [
        [() => one.task.approve.mutate({ tasks: ['filed'] }), 'FORBIDDEN'],
        [() => one.run.pause.mutate({}), 'FORBIDDEN'],
        [() => one.task.close.mutate({ task: 'login', ticket: claim.ticket }), 'PRECONDITION_FAILED'],
        [() => trpc(server, 'w3').task.claim.mutate({ task: 'login' }), 'CONFLICT'],
        [() => one.task.get.query({ task: 'nothing' }), 'NOT_FOUND'],
        [() => one.task.get.query({ task: '' }), 'BAD_REQUEST'],
      ] as const;
      for (const [asked, code] of refusals) {
        const error: unknown = await asked().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(TRPCClientError);
        expect(error).toMatchObject({ data: { code, refusal: { remedy: expect.any(String) } } });
        expect(JSON.stringify(error)).not.toContain('.ts:');
      }

      const filed = (await one.task.create.mutate({ tasks: [{ title: 'Sweep up' }] })).tasks[0]?.id ?? '';
      expect(listOf(top)).toContain(`[] Sweep up {id:${filed}} {triage} {by:w1}`);
      await one.task.depAdd.mutate({ task: filed, after: ['logout'] });
      expect((await one.task.depTree.query({ task: filed })).trees[0]?.waits_for.map(({ title }) => title)).toEqual(['Add logout']);
      await one.task.close.mutate({ task: 'login', ticket: claim.ticket, hash: git(top, 'rev-parse', 'HEAD').trim() });
      expect(markerOf(top, 'Add login form')).toContain('✅');
      expect(await mcp.callTool({ name: 'task_claim', arguments: {} })).toMatchObject({ structuredContent: { worker: 'w2', task: { title: 'Add logout' } } });
      expect((await mcp.readResource({ uri: 'todone://tasks' })).contents[0]).toMatchObject({ text: expect.stringContaining('Add logout') });
      expect((await mcp.getPrompt({ name: 'next_task' })).messages[0]?.content).toMatchObject({ text: expect.stringContaining('No task is ready') });
      const { history } = await one.task.history.query({ task: 'login' });
      expect(history).toContainEqual(expect.objectContaining({ field: 'claim', via: 'api' }));
      expect(history.some(({ field, by }) => field === 'refused' && by === 'w3')).toBe(true);
    } finally {
      await mcp.close();
      expect(await server.stop()).toBe(0);
    }
  });
});

it('9-R4 a monitor reads the figures of the list as Prometheus text', { timeout: 60_000 }, async () => {
  const top = makeRepo(`${LIST}\n## Git Worktree we"ird\\\n[x] Old\n`);
  const server = await serve(top);
  try {
    const right = { host: `127.0.0.1:${server.port}`, authorization: `Bearer ${server.token}` };
    const { status, headers, body } = await ask(server, '/metrics', right);
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    // The format's own grammar, line by line.
    for (const line of body.trimEnd().split('\n'))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="(?:[^"\\\n]|\\[\\"n])*"(?:,\w+="(?:[^"\\\n]|\\[\\"n])*")*\})? \d+)$/);
    expect(body).toContain('todone_tasks{section="auth",status="open"} 3\n');
    expect(body).toContain('todone_tasks{section="we\\"ird\\\\",status="done"} 1\n');
    expect(body).toContain('todone_tasks_ready 1\n');
    // What is filed, and the section whose name cannot be a branch.
    expect(body).toContain('todone_tasks_waiting 2\n');
    expect(body).toContain('todone_owner_up 0\n');
    await withDaemon(top, async () => expect((await ask(server, '/metrics', right)).body).toContain('todone_owner_up 1\n'));
    expect((await ask(server, '/metrics', right, 'POST')).status).toBe(405);
  } finally {
    await server.stop();
  }
});

it('7-R2 9-R4 without a list every request is told so with the remedy, and is answered again once it is back', { timeout: 60_000 }, async () => {
  const top = makeRepo(LIST);
  const server = await serve(top);
  const headers = { authorization: `Bearer ${server.token}` };
  const list = join(top, 'tasks.md');
  const text = listOf(top);
  const asked = async () => (await Promise.all(['/trpc/task.ready', '/metrics'].map((path) => ask(server, path, headers)))).map(({ status }) => status);
  rmSync(list);
  expect(await asked()).toEqual([503, 503]);
  expect((await ask(server, '/trpc/task.list', headers)).body).toContain('todone init');
  spawnSync('mkfifo', [list]);
  expect(await asked()).toEqual([503, 503]);
  rmSync(list);
  writeFileSync(list, text);
  expect(await asked()).toEqual([200, 200]);
  await server.stop();
});

it('9-R4 who subscribes is told what changes, whoever changes it', { timeout: 120_000 }, async () => {
  const top = makeRepo(LIST);
  const server = await serve(top);
  const url = `${server.url}/trpc`;
  const withToken: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headersOf(server, 'w1') } });
  const client = createTRPCClient<Router>({
    links: [
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: httpSubscriptionLink({ url, EventSource, eventSourceOptions: { fetch: withToken } }),
        false: httpLink({ url, fetch: withToken }),
      }),
    ],
  });
  const told: { changed: readonly { title: string; status: string }[]; gone: readonly string[] }[] = [];
  const subscription = client.task.changes.subscribe(undefined, { onData: (data) => told.push(data) });
  try {
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(1);
    expect(told[0]?.changed).toHaveLength(3);
    await client.task.claim.mutate({ task: 'login' });
    await expect
      .poll(() => told.slice(1).flatMap(({ changed }) => changed.map(({ title, status }) => `${title}: ${status}`)), { timeout: 30_000 })
      .toContain('Add login form: in_progress');
    writeFileSync(`${top}/tasks.md`, listOf(top).replace(/^.*Filed by a machine.*\n/m, ''));
    await expect.poll(() => told.flatMap(({ gone }) => gone), { timeout: 30_000 }).toContain('filed');
  } finally {
    subscription.unsubscribe();
    await server.stop();
  }
});

it(
  '9-R5 13-R1 who cannot be heard is told why: a token that others may know, a port that is taken, a run, a name that is none',
  { timeout: 120_000 },
  async () => {
    const top = makeRepo(LIST);
    const server = await serve(top);
    try {
      const taken = await start(top, ['serve', '--port', String(server.port)], QUIET_ENV).ended;
      expect(taken).toMatchObject({ code: 3, err: expect.stringContaining('--port') });
      const inside = await start(top, ['serve', '--port', '0'], { ...QUIET_ENV, TODONE_ID: 'q8f0t6zd' }).ended;
      expect(inside).toMatchObject({ code: 3, err: expect.stringContaining('inside a run') });
      const badName = await ask(server, '/trpc/task.ready', { host: `127.0.0.1:${server.port}`, authorization: `Bearer ${server.token}`, 'todone-as': 'a b' });
      expect(badName.status).toBe(400);
      // Nobody's name, and the person's own: neither is the person.
      const self = `${userInfo().username}@${hostname()}`.replaceAll(/[^\w@.-]/g, '-');
      const { authorization } = headersOf(server, self);
      for (const headers of [{ authorization }, headersOf(server, self)]) {
        const client = createTRPCClient<Router>({ links: [httpLink({ url: `${server.url}/trpc`, headers })] });
        await expect(client.task.approve.mutate({ tasks: ['filed'] })).rejects.toThrow(`api-${self} is a worker`);
      }
    } finally {
      await server.stop();
    }
    const again = await serve(top);
    expect(again.token).toBe(server.token);
    await again.stop();
    chmodSync(server.tokenFile, 0o640);
    expect(await start(top, ['serve', '--port', '0'], QUIET_ENV).ended).toMatchObject({ code: 3, err: expect.stringContaining('can be read by others') });
    rmSync(server.tokenFile);
    symlinkSync('/dev/null', server.tokenFile);
    expect(await start(top, ['serve', '--port', '0'], QUIET_ENV).ended).toMatchObject({ code: 3, err: expect.stringContaining('is no file of yours') });
    rmSync(server.tokenFile);
    const fresh = await serve(top);
    expect(fresh.token).not.toBe(server.token);
    await fresh.stop();
  },
);
