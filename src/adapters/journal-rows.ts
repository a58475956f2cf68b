/**
 * What a row of the journal may hold: zod schemas of the nouns of a run, kept equal to them by the compiler.
 * A row is checked before it is stored and after it is read, so that nothing unreadable is ever written; unknown
 * keys are kept. Never touches a database.
 */
import { z } from 'zod';
import { STEPS } from '../runs/run.ts';
import type { Ending, End, Found, FoundTask, Halt, Known, Outside, Run, Spent, TaskText, Usage } from '../runs/run.ts';
import type { HistoryRow } from '../engine/ports.ts';

/** A schema for each key of T: a key that the noun has and the row lacks does not compile. */
type Shape<T> = { readonly [K in keyof Required<T>]: z.ZodType<T[K]> };

const state = z.enum(['open', 'blocked', 'in_progress', 'done', 'failed', 'cancelled']);
const step = z.enum(STEPS);
const reason = z.enum([
  'landed',
  'no_change',
  'agent_failed',
  'verify_failed',
  'conflict',
  'timeout',
  'stalled',
  'no_progress',
  'limit',
  'budget',
  'cancelled',
  'closed',
  'setup_failed',
  'refused',
  'lost',
]);
const outcome = z.enum(['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change']);
const count = z.int().min(0);
const text = z.string();
const texts = z.array(text).readonly();

const usageShape = { inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number() } satisfies Shape<Usage>;

const spentShape = { tokens: z.number(), costUsd: z.number(), ms: z.number() } satisfies Shape<Spent>;

const knownShape = {
  id: text.min(1),
  section: text,
  text,
  occurrence: count,
  was: texts.optional(),
  state,
  hash: text.optional(),
  commit: text.optional(),
  reason: reason.optional(),
  message: text.optional(),
  ticket: count,
  attempts: count,
  kept: text.optional(),
  summary: text.optional(),
  plan: text.optional(),
  session: text.optional(),
  sessionUsage: z.looseObject(usageShape).optional(),
  evidence: text.optional(),
  held: z
    .enum(['done', 'alike'])

    .optional(),
  resume: z.boolean().optional(),
  gone: z.boolean().optional(),
  archived: z.boolean().optional(),
  spent: z.looseObject(spentShape).optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
} satisfies Shape<Known>;

const foundTask = z.looseObject({ id: text.optional(), title: text, details: text.optional() } satisfies Shape<FoundTask>);

const foundShape = {
  workspace: text.optional(),
  start: text.optional(),
  port: count.optional(),
  session: text.optional(),
  plan: text.optional(),
  files: texts.optional(),
  summary: text.optional(),
  commitMessage: text.optional(),
  outcome: outcome.optional(),
  inferred: z.boolean().optional(),
  asks: z
    .union([
      z.looseObject({ kind: z.literal('decision'), question: text }),
      z.looseObject({ kind: z.literal('prerequisite'), tasks: z.array(foundTask).readonly() }),
      // As journals of the first days have it: one task.
      z
        .looseObject({ kind: z.literal('prerequisite'), id: text, title: text, details: text.optional() })
        .transform(({ id, title, details }) => ({ kind: 'prerequisite' as const, tasks: [{ id, title, details }] })),
    ])
    .optional(),
  proposes: z.array(foundTask).readonly().optional(),
  commit: text.optional(),
  hash: text.optional(),
  kept: text.optional(),
  notes: texts.optional(),
  usage: z.looseObject(usageShape).optional(),
  tookMs: z.number().optional(),
  failing: z.looseObject({ tree: text, times: count }).optional(),
  sessionUsage: z.looseObject(usageShape).optional(),
} satisfies Shape<Found>;

const haltShape = {
  by: z.enum(['list', 'command', 'drain', 'text']),
  message: text,
  then: z.enum(['failed', 'keep', 'again', 'replan']),
} satisfies Shape<Halt>;

const outsideShape = { worker: text, via: text, leaseMs: z.number().optional(), until: z.number().optional() } satisfies Shape<Outside>;

const endingShape = { state: z.enum(['done', 'failed', 'open', 'cancelled', 'keep']), reason, message: text } satisfies Shape<Ending>;

const taskShape = {
  id: text,
  section: text,
  title: text,
  text,
  details: text,
  notes: texts,
  tags: texts,
  fields: z.array(z.looseObject({ key: text, value: text, line: count })).readonly(),
} satisfies Shape<TaskText>;

const runShape = {
  id: text.min(1),
  ticket: count,
  attempt: z.int().min(1),
  step,
  section: text,
  text,
  occurrence: count,
  task: z.looseObject(taskShape),
  fingerprint: text,
  changed: z.boolean(),
  from: state,
  agent: text,
  model: text.optional(),
  steps: z.array(step).readonly(),
  workspaceSlot: count,
  found: z.looseObject(foundShape),
  evidence: text.optional(),
  tries: count,
  waitUntil: z.number().optional(),
  waitFrom: z.number().optional(),
  reworks: count,
  sentBack: reason.optional(),
  behind: text.optional(),
  halt: z.looseObject(haltShape).optional(),
  outcome: z.looseObject(endingShape).optional(),
  startedAt: z.number(),
  outside: z.looseObject(outsideShape).optional(),
  looks: z.enum(['investigate', 'breakdown']).optional(),
} satisfies Shape<Run>;

const historyShape = {
  at: z.number(),
  id: text.min(1),
  field: text,
  old: text.nullable(),
  new: text.nullable(),
  by: text,
  via: text,
} satisfies Shape<HistoryRow>;

const knownRow = z.looseObject(knownShape);
const runRow = z.looseObject(runShape);
const historyRow = z.object(historyShape);

// The other way round: every value that a noun may have can be stored.
type Fits<T, S> = T extends S ? true : never;
const fits: readonly [
  Fits<MembersOf<Known>, Omit<z.input<z.ZodObject<typeof knownShape>>, 'sessionUsage' | 'spent'>>,
  Fits<MembersOf<Run>, Omit<z.input<z.ZodObject<typeof runShape>>, 'found' | 'halt' | 'outcome' | 'outside'>>,
  Fits<MembersOf<Found>, Omit<z.input<z.ZodObject<typeof foundShape>>, 'usage' | 'sessionUsage' | 'failing'>>,
  Fits<Extract<End, { kind: 'final' }>['reason'], z.input<typeof reason>>,
] = [true, true, true, true];
void fits;
type MembersOf<T> = { readonly [K in keyof T]: T[K] };

export type Decoded<T> = { readonly row: T } | { readonly problem: string };

export const encodeKnown = (row: Known): string => encode(knownRow, row);
export const encodeRun = (row: Run): string => encode(runRow, row);
export const decodeKnown = (body: string): Decoded<Known> => decode(knownRow, body);
export const decodeRun = (body: string): Decoded<Run> => decode(runRow, body);
export const checkHistory = (row: HistoryRow): HistoryRow => historyRow.parse(row);

/** JSON of a row that will be readable; what is not throws here, where the bug is, and not at the next start. */
function encode(schema: z.ZodType, row: unknown): string {
  const body = JSON.stringify(row);
  const read = schema.safeParse(JSON.parse(body));
  if (!read.success) throw new Error(`a row that could not be read back was to be stored: ${z.prettifyError(read.error)} in ${body.slice(0, SHOWN_CHARS)}`);
  return body;
}

function decode<T>(schema: z.ZodType<T>, body: string): Decoded<T> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return { problem: `not JSON (${(error as Error).message})` };
  }
  const read = schema.safeParse(value);
  return read.success ? { row: read.data } : { problem: z.prettifyError(read.error) };
}

const SHOWN_CHARS = 300;
