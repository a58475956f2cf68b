/** What the owner of a list does with a request from its socket. */
import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import type { Door } from '../engine/ports.ts';
import { askSchema } from '../runs/ask.ts';
import { listWhy } from '../runs/choose.ts';
import type { Common } from '../runs/sharing.ts';
import type { Trouble } from '../surfaces/cli/app.ts';
import { callRequestSchema } from './door.ts';

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('idle') }),
  z.strictObject({ kind: z.literal('activity') }),
  z.strictObject({ kind: z.literal('blocked') }),
  callRequestSchema,
  z.strictObject({ kind: z.literal('ask'), ask: askSchema, by: z.string().max(200), via: z.enum(['cli', 'socket', 'mcp', 'api']) }),
]);

/** What a list does not say of itself: what the machine is short of, and what the other projects of the daemon take. */
export type Around = { readonly by: string | null; readonly common: Common | null };
/** `trouble` = why the list cannot be worked on. */
export type IdleAnswer = { readonly idle: boolean; readonly failed: readonly string[]; readonly trouble?: Trouble | undefined };

/** What keeps the whole list from being worked on. */
export function troubleOf(engine: Engine): Trouble | undefined {
  const why = listWhy(engine.now().world.list, 0);
  return why && { message: why.message, remedy: why.remedy };
}

/** Its answer, as it goes over the wire; throws what is wrong with the request. */
export async function handleRequest(engine: Engine, door: Door, written: unknown): Promise<unknown> {
  const request = requestSchema.parse(written);
  switch (request.kind) {
    case 'idle':
      return { idle: engine.isIdle(), failed: engine.failed(), trouble: troubleOf(engine) } satisfies IdleAnswer;
    case 'activity':
      return Object.fromEntries(engine.now().activity);
    case 'blocked':
      return { by: engine.now().blocked ?? null, common: engine.common() ?? null } satisfies Around;
    case 'call':
      return door.call(request.name, request.input, request.caller);
    case 'ask':
      return engine.ask(request.ask, request.by, request.via);
  }
}
