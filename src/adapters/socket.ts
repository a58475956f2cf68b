/**
 * The owner's side of its socket: JSON lines over a Unix socket that only its user can open (13-R3), one request per
 * connection, both sides saying their protocol version first (8-R2). Never knows what a request means.
 */
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { frames } from './socket-frames.ts';
import { assertOursAlone } from './socket-path.ts';
import { HELLO_MS, SOCKET_PROTOCOL, UPDATE, versionOf, within, write } from './socket-wire.ts';
import type { Answer, Hello } from './socket-wire.ts';

const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const CLOSE_MS = 1000;
const MAX_CONNECTIONS = 256;
const RESTART = 'restart the daemon: an older ToDone is still running';

export type Connection = {
  /** Aborted once the caller is gone or the server closes. */
  readonly signal: AbortSignal;
};

export type Handler = (request: unknown, connection: Connection) => Promise<unknown> | AsyncIterable<unknown>;

export type SocketServer = {
  readonly path: string;
  /** No new requests; what is running is aborted and has a second to end. Call it before the ownership is let go. */
  close(): Promise<void>;
};

/** Only whoever owns the list may call this: a socket file left by a dead owner is replaced. */
export async function serveSocket(options: { readonly path: string; readonly handle: Handler; readonly version?: number }): Promise<SocketServer> {
  const { path } = options;
  const folder = join(path, '..');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  assertOursAlone(folder);
  await clearStale(path);

  const stopping = new AbortController();
  const open = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const served = serve(socket, options, stopping.signal).finally(() => {
      socket.destroy();
      sockets.delete(socket);
      open.delete(served);
    });
    open.add(served);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);

  return {
    path,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      stopping.abort(new Error('the daemon is stopping'));
      const late = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_MS);
      await Promise.allSettled(open);
      await closed;
      clearTimeout(late);
    },
  };
}

async function clearStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch {
    return;
  }
  if (!isSocket) throw new Error(`${path} is in the way of the daemon's socket: move that file away`);
  const listening = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (listening) throw new Error(`${path} is answered by another process, so that one owns the list`);
  unlinkSync(path);
}

async function serve(socket: Socket, options: { readonly handle: Handler; readonly version?: number }, stopping: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => undefined);
  socket.once('close', () => gone.abort(new Error('the caller is gone')));
  const signal = AbortSignal.any([gone.signal, stopping]);
  const send = (words: Answer | Hello): Promise<void> => write(socket, words);
  try {
    const protocol = options.version ?? SOCKET_PROTOCOL;
    await send({ todone: protocol });
    const reading = frames(socket, MAX_REQUEST_BYTES);
    const hello = await within(HELLO_MS, reading.next(), 'a hello');
    if (hello.done) return;
    const theirs = versionOf(hello.value);
    if (theirs !== protocol) {
      await send(
        refusal(
          'protocol',
          `the daemon speaks protocol ${protocol}, the caller ${theirs ?? 'something else'}`,
          theirs !== undefined && theirs > protocol ? RESTART : UPDATE,
        ),
      );
      return;
    }
    const request = await within(HELLO_MS, reading.next(), 'a request');
    if (request.done) return;
    // Nothing more is expected, but the end must be seen.
    void drain(reading);
    await answer(options.handle((request.value as { request?: unknown }).request, { signal }), send, signal);
  } catch (error) {
    if (!socket.destroyed) await send(failure(error)).catch(() => undefined);
  } finally {
    await finish(socket);
  }
}

async function answer(result: ReturnType<Handler>, send: (answer: Answer) => Promise<void>, signal: AbortSignal): Promise<void> {
  if (!(Symbol.asyncIterator in result)) {
    const value = await Promise.race([result, afterAbort(signal, CLOSE_MS)]);
    if (value === ABORTED) throw signal.reason;
    await send({ end: true, value });
    return;
  }
  const items = result[Symbol.asyncIterator]();
  const aborted = afterAbort(signal, 0);
  for (;;) {
    const next = await Promise.race([items.next(), aborted]);
    if (next === ABORTED) {
      // Not waited for: a generator that is stuck in its own wait ends when that ends.
      void items.return?.()?.then(undefined, () => undefined);
      throw signal.reason;
    }
    if (next.done) break;
    await send({ item: next.value });
  }
  await send({ end: true, streamed: true });
}

const ABORTED = Symbol('aborted');

function afterAbort(signal: AbortSignal, graceMs: number): Promise<typeof ABORTED> {
  return new Promise((resolve) => {
    const then = (): void => void setTimeout(() => resolve(ABORTED), graceMs).unref();
    if (signal.aborted) then();
    else signal.addEventListener('abort', then, { once: true });
  });
}

async function drain(reading: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of reading);
  } catch {
    // The connection's own end says it all.
  }
}

const refusal = (code: string, message: string, remedy: string): Answer => ({ error: { message, code, remedy } });

function failure(error: unknown): Answer {
  const said = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in said && typeof said.code === 'string' ? said.code : said.name;
  return refusal(code, said.message, 'remedy' in said && typeof said.remedy === 'string' ? said.remedy : '');
}

/** What is still on its way in is thrown away, else the last words out would be lost with it. */
async function finish(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  socket.end();
  socket.resume();
  const late = setTimeout(() => socket.destroy(), CLOSE_MS);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearTimeout(late);
}
