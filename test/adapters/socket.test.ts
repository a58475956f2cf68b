import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { callSocket, NobodyListens, streamSocket } from '../../src/adapters/socket-call.ts';
import { socketPath } from '../../src/adapters/socket-path.ts';
import { RemoteError, SOCKET_PROTOCOL } from '../../src/adapters/socket-wire.ts';
import { serveSocket } from '../../src/adapters/socket.ts';
import type { Handler, SocketServer } from '../../src/adapters/socket.ts';

let dir = '';
const servers: SocketServer[] = [];
/** A slow reader: long enough for a writer that does not wait to make hundreds of items. */
const REST_MS = 200;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'todone-socket-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(dir, { recursive: true, force: true });
});

async function serve(handle: Handler, version?: number): Promise<string> {
  const server = await serveSocket({ path: socketPath(dir), handle, version });
  servers.push(server);
  return server.path;
}

const echo: Handler = (request) => Promise.resolve({ echo: request });

/** A raw peer: sends these bytes, gives all that comes back until the other side ends. */
async function raw(path: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(path);
  let got = '';
  socket.on('data', (chunk) => (got += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return got;
}

it('2-R3 answers a request with a value, many at once', async () => {
  const path = await serve(echo);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => callSocket(path, { n, text: 'ü\n\u2028' })));
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => ({ echo: { n, text: 'ü\n\u2028' } })));
  expect(await callSocket(path, null)).toEqual({ echo: null });
});

it('2-R3 streams values, in order, and both forms of answer can be read as a stream', async () => {
  const path = await serve(async function* (request) {
    for (let n = 0; n < Number(request); n++) yield { n };
  });
  expect(await Array.fromAsync(streamSocket(path, 500))).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
  expect(await Array.fromAsync(streamSocket(path, 0))).toEqual([]);
  await expect(callSocket(path, 1)).rejects.toThrow('the answer is a stream');
  await servers.pop()?.close();
  expect(await Array.fromAsync(streamSocket(await serve(echo), 1))).toEqual([{ echo: 1 }]);
});

it('13-R3 is a socket of its user alone', async () => {
  const path = await serve(echo);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

it('13-R3 will not use a folder that others can enter', async () => {
  const open = join(dir, 'open');
  mkdirSync(open, { mode: 0o755 });
  await expect(serveSocket({ path: join(open, 'socket'), handle: echo })).rejects.toThrow(/not a folder of yours alone/);
  writeFileSync(join(open, 'socket'), '');
  await expect(callSocket(join(open, 'socket'), 1)).rejects.toThrow(/not a folder of yours alone/);
});

it('13-R3 moves to a short folder of the user where the path is too long for a socket', async () => {
  const deep = join(dir, 'x'.repeat(120));
  mkdirSync(deep);
  const runtime = join(dir, 'run');
  mkdirSync(runtime);
  const path = socketPath(deep, { XDG_RUNTIME_DIR: runtime });
  expect(path.startsWith(join(runtime, 'todone-'))).toBe(true);
  expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100);
  expect(socketPath(deep, { XDG_RUNTIME_DIR: runtime })).toBe(path);
  expect(socketPath(join(dir, 'y'.repeat(120)), { XDG_RUNTIME_DIR: runtime })).not.toBe(path);
  expect(socketPath(deep, { XDG_RUNTIME_DIR: join(dir, 'z'.repeat(90)) }).startsWith(join(tmpdir(), 'todone-'))).toBe(true);
  const server = await serveSocket({ path, handle: echo });
  servers.push(server);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  expect(await callSocket(path, 7)).toEqual({ echo: 7 });
});

it('2-R3 says that nobody listens, and replaces what a dead owner left', async () => {
  const path = socketPath(dir);
  await expect(callSocket(path, 1)).rejects.toThrow(NobodyListens);
  const dead = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(dead.stdout, 'data');
  dead.kill('SIGKILL');
  await once(dead, 'close');
  expect(existsSync(path)).toBe(true);
  await expect(callSocket(path, 1)).rejects.toThrow(NobodyListens);
  expect(await callSocket(await serve(echo), 1)).toEqual({ echo: 1 });
});

it('2-R3 takes the place of no living socket and of no other file', async () => {
  const path = await serve(echo);
  await expect(serveSocket({ path, handle: echo })).rejects.toThrow(/answered by another process/);
  expect(await callSocket(path, 1)).toEqual({ echo: 1 });
  const file = join(dir, 'file');
  writeFileSync(file, 'mine');
  await expect(serveSocket({ path: file, handle: echo })).rejects.toThrow(/in the way/);
  expect(existsSync(file)).toBe(true);
});

it('8-R2 refuses a caller of another protocol version and says what to do', async () => {
  const path = await serve(echo, 2);
  const older = callSocket(path, 1, undefined, 1);
  await expect(older).rejects.toThrow(/daemon speaks protocol 2, the caller 1/);
  await expect(older).rejects.toMatchObject({ code: 'protocol', remedy: expect.stringMatching(/same version/) });
  await expect(callSocket(path, 1, undefined, 3)).rejects.toMatchObject({ code: 'protocol', remedy: expect.stringMatching(/restart the daemon/) });
  expect(await callSocket(path, 1, undefined, 2)).toEqual({ echo: 1 });
});

it('7-R2 carries an error’s words, code and remedy over, and no stack', async () => {
  const path = await serve(async (request) => {
    throw Object.assign(new Error(`no task ${String(request)}`), { code: 'unknown-task', remedy: 'see todone list' });
  });
  await expect(callSocket(path, 'x')).rejects.toMatchObject({ name: 'RemoteError', message: 'no task x', code: 'unknown-task', remedy: 'see todone list' });
  expect(await raw(path, `{"todone":${SOCKET_PROTOCOL}}\n{"request":1}\n`)).not.toMatch(/socket\.test/);
});

it.each([
  ['no JSON', 'GET / HTTP/1.1\n\n', /not a line of JSON/],
  ['no hello', '{"request":1}\n', /the caller something else/],
  ['null', 'null\n', /the caller something else/],
  ['not UTF-8', Buffer.from([0xff, 0xfe, 0x0a]), /not a line of JSON/],
  ['too much', Buffer.alloc(17 * 1024 * 1024, 0x20), /more than \d+ bytes/],
])('13-R3 refuses what is not a request (%s) and goes on serving', async (_, bytes, expected) => {
  const path = await serve(echo);
  expect(await raw(path, bytes)).toMatch(expected);
  expect(await callSocket(path, 1)).toEqual({ echo: 1 });
});

it('2-R3 tells the handler when its caller is gone', async () => {
  let gone: AbortSignal | undefined;
  const started = Promise.withResolvers<void>();
  const path = await serve(async function* (_, connection) {
    gone = connection.signal;
    yield 'first';
    started.resolve();
    await once(connection.signal, 'abort');
  });
  const abort = new AbortController();
  const reading = (async () => {
    for await (const _ of streamSocket(path, 1, abort.signal));
  })();
  await started.promise;
  expect(gone?.aborted).toBe(false);
  const aborted = once(gone!, 'abort');
  abort.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  await aborted;
});

it('2-R3 ends what runs when it closes, and a caller that waits learns of it', async () => {
  const path = await serve(async (_, connection) => {
    await new Promise((_resolve, reject) => connection.signal.addEventListener('abort', () => reject(connection.signal.reason as Error)));
  });
  const waiting = callSocket(path, 1);
  waiting.catch(() => undefined);
  const stream = await serveSocket({
    path: `${path}2`,
    handle: async function* () {
      yield 1;
      await new Promise(() => undefined);
    },
  });
  const items = streamSocket(stream.path, 1);
  expect((await items.next()).value).toBe(1);
  const next = items.next();
  next.catch(() => undefined);
  await stream.close();
  await servers.pop()?.close();
  await expect(waiting).rejects.toThrow(/daemon is stopping/);
  await expect(next).rejects.toThrow(/daemon is stopping/);
  expect(existsSync(path)).toBe(false);
});

it('2-R3 closes although a request never comes to an end', async () => {
  const started = Promise.withResolvers<void>();
  const path = await serve(() => {
    started.resolve();
    return new Promise(() => undefined);
  });
  const waiting = callSocket(path, 1);
  waiting.catch(() => undefined);
  await started.promise;
  await servers.pop()?.close();
  await expect(waiting).rejects.toThrow(RemoteError);
});

it('12-R1 tells a caller that the daemon went away', async () => {
  const path = socketPath(dir);
  const killed = createServer((socket) => {
    socket.write(`{"todone":${SOCKET_PROTOCOL}}\n{"item":1}\n`, () => setImmediate(() => socket.destroy()));
    socket.on('error', () => undefined);
  });
  killed.listen(path);
  await once(killed, 'listening');
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const item of streamSocket(path, 1)) seen.push(item);
  })();
  await expect(reading).rejects.toThrow(RemoteError);
  await expect(reading).rejects.toMatchObject({ code: 'gone' });
  killed.close();
});

it('2-R3 holds a stream back for a slow reader instead of storing it', async () => {
  let made = 0;
  const path = await serve(async function* () {
    for (; made < 400; made++) yield 'x'.repeat(1024 * 1024);
  });
  const items = streamSocket(path, 1);
  await items.next();
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  expect(made).toBeLessThan(20);
  await items.return();
});
