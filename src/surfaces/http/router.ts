/**
 * The requests of the table as a tRPC router, under their own names, and the subscription to what changes. Decides nothing: input goes
 * to the door as it came, and what the door refuses is an error with its remedy.
 */
import { initTRPC, TRPCError } from '@trpc/server';
import type { z } from 'zod';
import type { Door } from '../../engine/ports.ts';
import type { Caller } from '../../runs/caller.ts';
import { type Refusal, type RefusalCode, type RequestName, type RequestOutput, type REQUESTS } from '../../runs/requests.ts';

export type Context = {
  readonly door: Door;
  readonly caller: Caller;
  /** What has changed, until the signal. Throws where too many listen. */
  readonly changes: (signal: AbortSignal) => AsyncIterable<Changes>;
};

/**
 * Tasks as they are now that are new or other than they were, and the names of those that are gone. A name is the id, or the handle where there
 * is none: a task that is given an id is gone under its handle.
 */
export type Changes = { readonly changed: RequestOutput<'task.list'>['tasks']; readonly gone: readonly string[] };

const CODES: Readonly<Record<RefusalCode, TRPCError['code']>> = {
  invalid: 'BAD_REQUEST',
  unknown: 'NOT_FOUND',
  forbidden: 'FORBIDDEN',
  claimed: 'CONFLICT',
  not_ready: 'CONFLICT',
  not_claimed: 'CONFLICT',
  stale_ticket: 'CONFLICT',
  unproven: 'PRECONDITION_FAILED',
  cycle: 'CONFLICT',
  conflict: 'CONFLICT',
  unavailable: 'SERVICE_UNAVAILABLE',
};

class Refused extends Error {
  override name = 'Refused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const t = initTRPC.context<Context>().create({
  isDev: false,
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    // What was not foreseen is not for strangers.
    message: error.code === 'INTERNAL_SERVER_ERROR' ? 'this is a bug in ToDone' : shape.message,
    data: { ...shape.data, refusal: error.cause instanceof Refused ? error.cause.refusal : null },
  }),
});

type Written<N extends RequestName> = z.input<(typeof REQUESTS)[N]['input']>;
type Input<N extends RequestName> = Partial<Written<N>> extends Written<N> ? Written<N> | void : Written<N>;

// The door reads the input, so that what is wrong with it is refused and recorded as anywhere.
const asWritten =
  <N extends RequestName>(_name: N) =>
  (raw: unknown): Input<N> =>
    raw as Input<N>;

async function asked<N extends RequestName>(name: N, { door, caller }: Context, input: unknown): Promise<RequestOutput<N>> {
  const called = await door.call(name, input ?? {}, caller);
  if (called.ok) return called.output;
  const { refusal } = called;
  throw new TRPCError({ code: CODES[refusal.code], message: `${refusal.message}. ${refusal.remedy}`, cause: new Refused(refusal) });
}

const look = <N extends RequestName>(name: N) => t.procedure.input(asWritten(name)).query(({ ctx, input }) => asked(name, ctx, input));
const change = <N extends RequestName>(name: N) => t.procedure.input(asWritten(name)).mutation(({ ctx, input }) => asked(name, ctx, input));

const procedures = {
  task: {
    ready: look('task.ready'),
    list: look('task.list'),
    get: look('task.get'),
    mine: look('task.mine'),
    history: look('task.history'),
    depTree: look('task.depTree'),
    waiting: look('task.waiting'),
    create: change('task.create'),
    update: change('task.update'),
    close: change('task.close'),
    assign: change('task.assign'),
    unassign: change('task.unassign'),
    approve: change('task.approve'),
    claim: change('task.claim'),
    heartbeat: change('task.heartbeat'),
    release: change('task.release'),
    report: change('task.report'),
    depAdd: change('task.depAdd'),
    depRemove: change('task.depRemove'),
    changes: t.procedure.subscription(({ ctx, signal }) => ctx.changes(signal ?? new AbortController().signal)),
  },
  run: { stop: change('run.stop'), retry: change('run.retry'), pause: change('run.pause'), resume: change('run.resume') },
};

export const router = t.router(procedures);

export type Router = typeof router;

/** Every path that the server answers under; generated, so that nothing is forgotten that a test goes through. */
export const routes = (): readonly string[] => [
  '/mcp',
  '/metrics',
  ...Object.entries(procedures).flatMap(([group, rows]) => Object.keys(rows).map((name) => `/trpc/${group}.${name}`)),
];
