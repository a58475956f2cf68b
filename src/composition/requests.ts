/**
 * Requests to the owner of a list: over its socket where a daemon runs, else by owning the list for one turn. The same
 * request, the same turn, the same answer.
 */
import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import type { Clock, Log } from '../engine/ports.ts';
import { type Answer, type Ask, askSchema } from '../runs/ask.ts';
import { takeOwnership } from '../adapters/owner.ts';
import { callSocket, NobodyListens } from '../adapters/socket-call.ts';
import { socketPath } from '../adapters/socket-path.ts';
import { makeStateDir, type Place } from './place.ts';
import { openWork } from './work.ts';

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('idle') }),
  z.strictObject({ kind: z.literal('activity') }),
  z.strictObject({ kind: z.literal('ask'), ask: askSchema, by: z.string().max(200), via: z.enum(['cli', 'socket', 'mcp', 'api']) }),
]);

export type IdleAnswer = { readonly idle: boolean; readonly failed: readonly string[] };

/** How long a request waits for an owner that is neither there nor gone. */
const TRIES_MAX = 100;
const TRY_MS = 50;

/** What the owner does with a request from its socket. */
export async function handleRequest(engine: Engine, written: unknown): Promise<unknown> {
  const request = requestSchema.parse(written);
  switch (request.kind) {
    case 'idle':
      return { idle: engine.isIdle(), failed: engine.failed() } satisfies IdleAnswer;
    case 'activity':
      return Object.fromEntries(engine.now().activity);
    case 'ask':
      return engine.ask(request.ask, request.by, request.via);
  }
}

export async function sendAsk(options: {
  readonly place: Place;
  readonly ask: Ask;
  readonly by: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
}): Promise<Answer> {
  const { place, ask, by } = options;
  makeStateDir(place);
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const ownership = takeOwnership(place.stateDir);
    if (ownership) {
      try {
        return await askOnce(options, ownership.term);
      } finally {
        ownership.release();
      }
    }
    try {
      return (await callSocket(socketPath(place.stateDir), { kind: 'ask', ask, by, via: 'cli' }, options.signal)) as Answer;
    } catch (error) {
      // Between two owners: look again.
      if (!(error instanceof NobodyListens)) throw error;
    }
    await new Promise((resolve) => options.clock.after(TRY_MS, () => resolve(undefined)));
  }
  return { kind: 'refused', message: 'the ToDone that owns this list does not answer', remedy: 'todone doctor shows its process' };
}

async function askOnce(options: Parameters<typeof sendAsk>[0], term: number): Promise<Answer> {
  const { place, clock, log } = options;
  const opened = await openWork({
    place,
    term,
    clock,
    log,
    config: () => place.config,
    instance: options.by,
    works: false,
    runsCommands: options.ask.kind === 'branch',
    waits: false,
  });
  try {
    // An errand may take long, and is stopped with the command.
    options.signal?.addEventListener('abort', () => void opened.engine.stop(), { once: true });
    await opened.engine.start();
    const answer = await opened.engine.ask(options.ask, options.by, 'cli');
    await opened.engine.drain();
    return answer;
  } finally {
    await opened.close();
  }
}
