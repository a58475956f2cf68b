/**
 * The caller's side of the owner's socket: one request, answered by one value or a stream of them. Never waits longer for
 * a hello than its limit; how long for an answer is the caller's affair (its signal).
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { frames } from './socket-frames.ts';
import { assertOursAlone } from './socket-path.ts';
import { HELLO_MS, RemoteError, SOCKET_PROTOCOL, UPDATE, versionOf, within, write } from './socket-wire.ts';
import type { Answer } from './socket-wire.ts';

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** Nobody listens: no daemon, or one that is just going. */
export class NobodyListens extends Error {
  override name = 'NobodyListens';
}

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
