/**
 * What both ends of the owner's socket say to each other: a hello with the protocol version, then one request, then
 * answers; and how long each waits. Never opens or closes a socket by choice.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { FrameRefused } from './socket-frames.ts';

export const SOCKET_PROTOCOL = 1;
export const HELLO_MS = 10_000;
/** A reader that takes nothing for this long is let go. */
const STALLED_MS = 60_000;

export type Hello = { readonly todone: number };
export type Answer =
  | { readonly item: unknown }
  | { readonly end: true; readonly value?: unknown; readonly streamed?: boolean }
  | { readonly error: { readonly message: string; readonly code: string; readonly remedy: string } };

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

export const UPDATE = 'use the same version of ToDone as the daemon';

export function versionOf(hello: unknown): number | undefined {
  const version = typeof hello === 'object' && hello !== null && 'todone' in hello ? hello.todone : undefined;
  return typeof version === 'number' ? version : undefined;
}

/** Waits until the other side has taken it, so that a slow reader holds its writer back. */
export async function write(socket: Socket, value: unknown): Promise<void> {
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

export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
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
