/**
 * Who asks (7-R9, 13-R1): a person, a worker that ToDone did not start, or an agent inside a run of ours. What each may ask is in
 * the table of requests. Never finds out who somebody is: that is handed in by the surface that the request came through.
 */
import { z } from 'zod';

const NAME_CHARS_MAX = 100;

/** A name that can stand in `{owner:…}` and in a note as it is. */
export const callerName = z
  .string()
  .trim()
  .min(1)
  .max(NAME_CHARS_MAX)
  .regex(/^[^\s{}`,<>[\]]+$/u, 'a name has no white space, commas, brackets or backticks');

export const CALLER_KINDS = ['person', 'worker', 'run'] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

export const callerSchema = z.strictObject({
  kind: z.enum(CALLER_KINDS).describe('person: may do everything; worker: its own claims and new tasks for triage; run: an agent of ours, which may only file'),
  name: callerName,
  via: z.enum(['cli', 'socket', 'mcp', 'api']).describe('The interface that it came through'),
  /** The model that a worker says it is, for the history. */
  model: z.string().max(NAME_CHARS_MAX).optional(),
  /** The task whose run it is inside of. */
  run: z.string().max(NAME_CHARS_MAX).optional(),
});
export type Caller = z.output<typeof callerSchema>;

/** As the history names it. */
export const wordsFor = (caller: Caller): string =>
  `${caller.name}${caller.model === undefined ? '' : `/${caller.model}`}${caller.kind === 'run' ? ` in the run of ${caller.run ?? 'a task'}` : ''}`;
