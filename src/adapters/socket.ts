/**
 * The owner's socket: one request per connection, answered by one value or a stream of values, as JSON lines over a
 * Unix socket that only its user can open (13-R3). Both sides say their protocol version first (8-R2). Never
 * knows what a request means.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frames, FrameRefused } from './socket-frames.ts';

export const SOCKET_PROTOCOL = 1;

/** macOS has room for 104 bytes. */
const MAX_PATH_BYTES = 100;
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const HELLO_MS = 10_000;
/** A reader that takes nothing for this long is let go. */
const STALLED_MS = 60_000;
const CLOSE_MS = 1000;
const MAX_CONNECTIONS = 256;

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

/** Nobody listens: no daemon, or one that is just going. */
export class NobodyListens extends Error {
  override name = 'NobodyListens';
}

/** The other side's answer is an error: its words, never its stack. */
export class RemoteError extends Error {
  override name = 'RemoteError';
  readonly code: string;
  readonly remedy: string;
  constructor(message: string, code: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

type Hello = { readonly todone: number };
type Answer =
  | { readonly item: unknown }
  | { readonly end: true; readonly value?: unknown; readonly streamed?: boolean }
  | { readonly error: { readonly message: string; readonly code: string; readonly remedy: string } };

// ── where ────────────────────────────────────────────────────────────────────────────────────────

/** The place of the list's socket; in a short folder of the user's where the state folder's own path is too long. */
export function socketPath(stateDir: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const real = existsSync(stateDir) ? realpathSync(stateDir) : stateDir;
  const own = join(real, 'socket');
  if (Buffer.byteLength(own) <= MAX_PATH_BYTES) return own;
  const name = `${createHash('sha256').update(real).digest('hex').slice(0, 20)}.socket`;
  const bases = [env['XDG_RUNTIME_DIR'], tmpdir(), '/tmp'].filter((base): base is string => base !== undefined && base !== '' && existsSync(base));
  const paths = bases.map((base) => join(base, `todone-${process.getuid?.() ?? 'user'}`, name));
  const path = paths.find((candidate) => Buffer.byteLength(candidate) <= MAX_PATH_BYTES);
  if (path === undefined) throw new Error(`no folder is short enough for a socket: ${paths.join(', ')}`);
  return path;
}

/** Another user's folder of that name could hold another user's socket. */
function assertOursAlone(folder: string): void {
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || (process.getuid && stat.uid !== process.getuid()) || (stat.mode & 0o077) !== 0) {
    throw new Error(`${folder} is not a folder of yours alone (0700): remove it, or see who made it`);
  }
}

// ── the owner's side ─────────────────────────────────────────────────────────────────────────────

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

const RESTART = 'restart the daemon: an older ToDone is still running';
const UPDATE = 'use the same version of ToDone as the daemon';

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

// ── the caller's side ────────────────────────────────────────────────────────────────────────────

/** One request, one value. Throws `NobodyListens` where there is no owner, `RemoteError` where the owner says no. */
export async function callSocket(path: string, request: unknown, signal?: AbortSignal, version?: number): Promise<unknown> {
  for await (const answered of exchange(path, request, signal, version)) {
    if ('end' in answered && answered.streamed !== true) return answered.value;
    throw new Error('the answer is a stream');
  }
  throw new RemoteError('the daemon went away before it answered', 'gone', 'look at its state and try again');
}

/** One request, a stream of values; ends when the owner ends it, the signal aborts, or the loop is left. */
export async function* streamSocket(path: string, request: unknown, signal?: AbortSignal, version?: number): AsyncGenerator<unknown, void> {
  for await (const answered of exchange(path, request, signal, version)) {
    if ('item' in answered) yield answered.item;
    else if ('end' in answered) {
      if (answered.streamed !== true) yield answered.value;
      return;
    }
  }
  throw new RemoteError('the daemon went away', 'gone', 'look at its state and try again');
}

async function* exchange(
  path: string,
  request: unknown,
  signal: AbortSignal | undefined,
  version = SOCKET_PROTOCOL,
): AsyncGenerator<Exclude<Answer, { error: unknown }>, void> {
  signal?.throwIfAborted();
  const socket = await connected(path, signal);
  const stop = (): void => void socket.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const reading = frames(socket, MAX_ANSWER_BYTES);
    await write(socket, { todone: version });
    await write(socket, { request });
    const hello = await within(HELLO_MS, reading.next(), 'the daemon');
    if (hello.done) return;
    if (versionOf(hello.value) === undefined) throw new RemoteError(`${path} is no socket of ToDone`, 'protocol', UPDATE);
    for await (const frame of reading) {
      const answered = frame as Answer;
      if ('error' in answered) throw new RemoteError(answered.error.message, answered.error.code, answered.error.remedy);
      yield answered;
      if ('end' in answered) return;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw isGone(error) ? new RemoteError('the daemon went away before it answered', 'gone', 'look at its state and try again') : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    socket.destroy();
  }
  signal?.throwIfAborted();
}

async function connected(path: string, signal: AbortSignal | undefined): Promise<Socket> {
  if (existsSync(path)) assertOursAlone(join(path, '..'));
  const socket = connect(path);
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') throw new NobodyListens(`no daemon answers at ${path}`);
    throw error;
  }
}

const isGone = (error: unknown): boolean =>
  ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes((error as NodeJS.ErrnoException).code ?? '');

// ── both sides ───────────────────────────────────────────────────────────────────────────────────

function versionOf(hello: unknown): number | undefined {
  const version = typeof hello === 'object' && hello !== null && 'todone' in hello ? hello.todone : undefined;
  return typeof version === 'number' ? version : undefined;
}

/** Waits until the other side has taken it, so that a slow reader holds its writer back. */
async function write(socket: Socket, value: unknown): Promise<void> {
  if (socket.destroyed || !socket.writable) throw new FrameRefused('the other side is gone');
  if (socket.write(`${JSON.stringify(value)}\n`)) return;
  const gone = new AbortController();
  const end = (): void => gone.abort(new FrameRefused('the other side is gone'));
  const stalled = setTimeout(() => socket.destroy(), STALLED_MS);
  socket.once('close', end);
  try {
    await once(socket, 'drain', { signal: gone.signal });
  } finally {
    clearTimeout(stalled);
    socket.off('close', end);
  }
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

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RemoteError(`waited ${ms / 1000} s for ${what}`, 'late', 'is the daemon stopped or very busy? try again')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
