/**
 * The requests that every interface carries (CLI, MCP, HTTP, tRPC): one table of names, inputs, outputs and who may ask. The
 * surfaces translate to it and from it and decide nothing. Values only; what a request does is in `answer-request.ts` (changes) and
 * `read-request.ts` (looking).
 */
import { z } from 'zod';
import { type Caller, callerName, type CallerKind } from './caller.ts';
import { historyRowSchema, prioritySchema, stateSchema, taskSchema } from './task-schema.ts';

const TITLE_CHARS_MAX = 1000;
const TEXT_CHARS_MAX = 100_000;
const FILE_CHARS_MAX = 8_000_000;
const MANY_MAX = 1000;
/** 6.1-R1. */
export const READY_MAX = 5;
/** How long a claim of an outside worker lives without a heartbeat (2-R3). */
export const LEASE_SECONDS = 60;

const name = z.string().trim().min(1).max(TITLE_CHARS_MAX).describe('Its id, its {id:…}, <file>:<line>, or its handle');
const names = z.array(name).min(1).max(MANY_MAX);
const title = z.string().trim().min(1).max(TITLE_CHARS_MAX).describe('What is to be done, on one line; {tags} in it count');
const details = z.string().max(TEXT_CHARS_MAX).describe('More about it, as Markdown: text and "files:", "action:", "verify:", "done:" lines');
const words = z.string().trim().min(1).max(TEXT_CHARS_MAX);
const section = z.string().trim().min(1).max(TITLE_CHARS_MAX).describe('The name of a section: what stands after "## Git Worktree"');
const lane = z.enum(['triage', 'decision', 'investigation', 'safe']);
const ticket = z.string().max(100).describe('The ticket that the claim was answered with; a stale one is refused');
const hash = z
  .string()
  .regex(/^[0-9a-fA-F]{4,64}$/, 'a commit id, as git prints it')
  .describe('The commit that did it; it has to exist and be reachable');
const lease = z.number().positive().max(86_400).describe('Seconds that the claim lives without a heartbeat');
const project = z.string().trim().min(1).max(TITLE_CHARS_MAX).describe("Another project of the user's own config, by its name or path; default: this one");
const limit = z.int().min(1).max(100_000).describe('At most so many');

export const STATUS_WORDS = {
  open: ['open'],
  pending: ['open'],
  blocked: ['blocked'],
  in_progress: ['in_progress'],
  done: ['done'],
  closed: ['done', 'cancelled'],
  failed: ['failed'],
  cancelled: ['cancelled'],
} as const;
const statusWord = z.enum(Object.keys(STATUS_WORDS) as (keyof typeof STATUS_WORDS)[]);

const tasks = z.strictObject({ tasks: z.array(taskSchema) });
const changed = z.strictObject({ message: z.string().describe('What was done, for people'), task: taskSchema });
const taskTree: z.ZodType<TaskTree> = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    title: z.string(),
    status: stateSchema.nullable(),
    kind: z.enum(['task', 'after', 'subtask', 'relates']),
    waits_for: z.array(taskTree),
    again: z.boolean(),
  }),
);
export type TaskTree = {
  readonly name: string;
  readonly title: string;
  readonly status: z.output<typeof stateSchema> | null;
  readonly kind: 'task' | 'after' | 'subtask' | 'relates';
  readonly waits_for: readonly TaskTree[];
  /** Drawn further up already. */
  readonly again: boolean;
};

export const newTaskSchema = z.strictObject({
  title,
  description: details.optional(),
  priority: prioritySchema.optional(),
  after: z.array(name).max(100).optional().describe('Tasks that have to be done first'),
  owner: callerName.optional(),
  tags: z.array(z.string().min(1).max(200)).max(50).optional().describe('More tags, without braces: model:opus'),
  section: section.optional(),
  status: z.enum(['open', 'blocked']).optional(),
});
export type NewTaskInput = z.output<typeof newTaskSchema>;

const claimFacts = z.strictObject({
  task: taskSchema,
  ticket: z.string(),
  worker: z.string(),
  lease_until: z.number().nullable().describe('ms since 1970; null = it does not run out'),
});

type Row = {
  readonly input: z.ZodObject;
  readonly output: z.ZodType;
  /** One line for people, tools and schemas. */
  readonly says: string;
  readonly who: readonly CallerKind[];
  readonly readOnly: boolean;
  /** Takes something away that asking again does not bring back. */
  readonly destructive?: boolean;
  /** Asking twice is like asking once. */
  readonly idempotent?: boolean;
};

const ANYONE: readonly CallerKind[] = ['person', 'worker', 'run'];
const OUTSIDE: readonly CallerKind[] = ['person', 'worker'];
const PERSON: readonly CallerKind[] = ['person'];

export const REQUESTS = {
  'task.ready': {
    input: z.strictObject({
      limit: limit.default(READY_MAX),
      owner: callerName.optional().describe('The worker that asks; default: the caller'),
      project: project.optional(),
    }),
    output: tasks,
    says: 'The next tasks that a worker may take: its own and the unassigned, by priority, then in the order of the list',
    who: ANYONE,
    readOnly: true,
  },
  'task.list': {
    input: z.strictObject({
      status: statusWord.optional(),
      section: section.optional(),
      owner: callerName.optional(),
      label: z.string().min(1).max(200).optional().describe('A tag, inherited ones too: p1, #backend, model:opus'),
      lane: lane.optional(),
      text: words.optional().describe('Words in title or details, in any case'),
      limit: limit.optional(),
      project: project.optional(),
    }),
    output: tasks,
    says: 'Every task with its state and why it waits; all filters given have to fit',
    who: ANYONE,
    readOnly: true,
  },
  'task.get': {
    input: z.strictObject({ task: name }),
    output: z.strictObject({
      task: taskSchema,
      lane,
      estimate_ms: z.number().nullable(),
      due: z.string().nullable(),
      attempts: z.int().nullable(),
      plan: z.string().nullable(),
      summary: z.string().nullable(),
      evidence: z.string().nullable(),
      kept: z.string().nullable(),
      notes: z.array(z.string()),
      claim: z.strictObject({ worker: z.string(), since: z.number(), lease_until: z.number().nullable() }).nullable(),
      usage: z.strictObject({ tokens: z.number(), cost_usd: z.number() }).nullable(),
      history: z.array(historyRowSchema),
    }),
    says: 'All that is known of one task: text, plan, evidence, claim, cost, history',
    who: ANYONE,
    readOnly: true,
  },
  'task.mine': {
    input: z.strictObject({ owner: callerName.optional() }),
    output: tasks,
    says: 'The tasks that are assigned to the caller or claimed by it',
    who: ANYONE,
    readOnly: true,
  },
  'task.history': {
    input: z.strictObject({ task: name }),
    output: z.strictObject({ id: z.string(), history: z.array(historyRowSchema) }),
    says: 'What became of a task: what changed, when, by whom, from which interface',
    who: ANYONE,
    readOnly: true,
  },
  'task.depTree': {
    input: z.strictObject({ task: name.optional().describe('Without it, every task that waits for another') }),
    output: z.strictObject({ trees: z.array(taskTree) }),
    says: 'What a task waits for, and what those wait for',
    who: ANYONE,
    readOnly: true,
  },
  'task.waiting': {
    input: z.strictObject({}),
    output: tasks,
    says: 'What waits for a person: to be accepted, decided, approved, or brought on after a failure',
    who: ANYONE,
    readOnly: true,
  },
  'task.create': {
    input: z.strictObject({
      tasks: z.array(newTaskSchema).min(1).max(MANY_MAX).optional().describe('All of them or none, in one write'),
      from: z
        .strictObject({ format: z.enum(['markdown', 'json']), text: z.string().max(FILE_CHARS_MAX) })
        .optional()
        .describe('Instead of tasks: a list of tasks as Markdown, or as JSON in the form of tasks'),
      section: section.optional().describe('For those that name none'),
      above: name.optional().describe('Put in front of this task'),
      below: name.optional().describe('Put behind this task'),
      project: project.optional(),
    }),
    output: z.strictObject({ message: z.string(), tasks: z.array(taskSchema) }),
    says: 'File new tasks; those of a worker wait for triage',
    who: ANYONE,
    readOnly: false,
  },
  'task.update': {
    input: z.strictObject({
      task: name,
      status: statusWord.optional(),
      priority: prioritySchema.optional(),
      title: title.optional(),
      owner: callerName.nullable().optional().describe('null = anyone'),
      after: z.array(name).max(100).optional().describe('In place of what it waits for now'),
      reason: words.optional(),
      hash: hash.optional(),
      ticket: ticket.optional(),
    }),
    output: changed,
    says: 'Change a task; status in_progress claims it, closed closes it, open releases it, blocked with a reason holds it',
    who: OUTSIDE,
    readOnly: false,
  },
  'task.close': {
    input: z.strictObject({
      task: name,
      hash: hash.optional(),
      reason: words.optional().describe('Why it is closed; a person without a commit has to give one'),
      cancel: z.boolean().default(false).describe('It is not to be done at all'),
      ticket: ticket.optional(),
    }),
    output: z.strictObject({ message: z.string(), task: taskSchema, holds: z.array(z.string()).describe('Tasks that a cancelled one holds back') }),
    says: 'Say that a task is done: a worker by a commit that exists and is reachable, a person by a reason',
    who: OUTSIDE,
    readOnly: false,
    destructive: true,
  },
  'task.assign': {
    input: z.strictObject({ task: name, owner: callerName }),
    output: changed,
    says: 'Reserve a task for a worker: {owner:…}',
    who: OUTSIDE,
    readOnly: false,
    idempotent: true,
  },
  'task.unassign': {
    input: z.strictObject({ task: name }),
    output: changed,
    says: 'Let anyone take a task: removes {owner:…}',
    who: OUTSIDE,
    readOnly: false,
    idempotent: true,
  },
  'task.approve': {
    input: z.strictObject({
      tasks: names.optional(),
      section: section.optional().describe('Everything in it that waits for approval, its headings too'),
      lane: lane.exclude(['safe']).optional(),
      group: z.string().min(1).max(TITLE_CHARS_MAX).optional().describe('The heading with {approval}, by its title'),
      answer: words.optional().describe('Written under the task, as the decision'),
    }),
    output: z.strictObject({ message: z.string(), tasks: z.array(taskSchema) }),
    says: 'Let tasks start that wait for a person; only a person can',
    who: PERSON,
    readOnly: false,
    idempotent: true,
  },
  'task.claim': {
    input: z.strictObject({ task: name.optional().describe('Without it, the first that is ready'), lease: lease.optional() }),
    output: claimFacts,
    says: 'Take a task: nobody else gets it while the claim lives. Keep it alive with heartbeats, end it with close, report or release',
    who: OUTSIDE,
    readOnly: false,
  },
  'task.heartbeat': {
    input: z.strictObject({ task: name, ticket: ticket.optional(), lease: lease.optional() }),
    output: z.strictObject({ lease_until: z.number().nullable(), changed: z.boolean().describe('Its text was changed after the claim: read it again') }),
    says: 'Keep a claim alive',
    who: OUTSIDE,
    readOnly: false,
    idempotent: true,
  },
  'task.release': {
    input: z.strictObject({ task: name, ticket: ticket.optional(), reason: words.optional() }),
    output: changed,
    says: 'Let go of a claim; the task is open again',
    who: OUTSIDE,
    readOnly: false,
  },
  'task.report': {
    input: z.strictObject({
      task: name,
      ticket,
      outcome: z.enum(['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change']),
      summary: words.optional().describe('What was done or found, for people'),
      hash: hash.optional(),
      tasks: z
        .array(newTaskSchema.pick({ title: true, description: true }))
        .max(20)
        .optional()
        .describe('What has to be done first, with needs_prerequisite'),
      question: words.optional().describe('What a person has to decide, with needs_decision'),
    }),
    output: changed,
    says: 'End a claim with its result',
    who: OUTSIDE,
    readOnly: false,
    destructive: true,
  },
  'task.depAdd': {
    input: z.strictObject({ task: name, after: names.max(100) }),
    output: changed,
    says: 'Have a task wait for others: {after:…}; a cycle is refused',
    who: OUTSIDE,
    readOnly: false,
    idempotent: true,
  },
  'task.depRemove': {
    input: z.strictObject({ task: name, after: names.max(100) }),
    output: changed,
    says: 'Have a task no longer wait for others',
    who: OUTSIDE,
    readOnly: false,
    idempotent: true,
  },
  'run.stop': {
    input: z.strictObject({ task: name }),
    output: z.strictObject({ message: z.string(), id: z.string().nullable() }),
    says: 'Stop a task that an agent of ToDone works on; its work is kept',
    who: PERSON,
    readOnly: false,
    destructive: true,
  },
  'run.retry': {
    input: z.strictObject({ task: name, fresh: z.boolean().default(false).describe('From a clean start, without the kept work') }),
    output: z.strictObject({ message: z.string(), id: z.string().nullable() }),
    says: 'Give a failed task another attempt',
    who: PERSON,
    readOnly: false,
  },
  'run.pause': {
    input: z.strictObject({ section: section.optional() }),
    output: z.strictObject({ message: z.string(), id: z.string().nullable() }),
    says: 'Start nothing new, in one section or everywhere',
    who: PERSON,
    readOnly: false,
    idempotent: true,
  },
  'run.resume': {
    input: z.strictObject({ section: section.optional() }),
    output: z.strictObject({ message: z.string(), id: z.string().nullable() }),
    says: 'Go on after pause',
    who: PERSON,
    readOnly: false,
    idempotent: true,
  },
} as const satisfies Readonly<Record<string, Row>>;

export type RequestName = keyof typeof REQUESTS;
export type RequestInput<N extends RequestName> = z.output<(typeof REQUESTS)[N]['input']>;
export type RequestOutput<N extends RequestName> = z.output<(typeof REQUESTS)[N]['output']>;

export const isRequest = (word: string): word is RequestName => Object.hasOwn(REQUESTS, word);

/** Why a request was not done. `exit` is the code of 7-R1: 2 = it names nothing that is there or is not understood, 3 = refused. */
export const REFUSALS = {
  invalid: 2,
  unknown: 2,
  forbidden: 3,
  claimed: 3,
  not_ready: 3,
  not_claimed: 3,
  stale_ticket: 3,
  unproven: 3,
  cycle: 3,
  conflict: 3,
  unavailable: 3,
} as const;
export type RefusalCode = keyof typeof REFUSALS;
export type Refusal = { readonly code: RefusalCode; readonly message: string; readonly remedy: string; readonly exit: 2 | 3 };

export const refusal = (code: RefusalCode, message: string, remedy: string): Refusal => ({ code, message, remedy, exit: REFUSALS[code] });

export type Called<N extends RequestName = RequestName> =
  | { readonly ok: true; readonly output: RequestOutput<N> }
  | { readonly ok: false; readonly refusal: Refusal };

/** The input as the request wants it, and whether the caller may ask at all; or the refusal. */
export function admitted<N extends RequestName>(
  request: N,
  input: unknown,
  caller: Caller,
): { readonly input: RequestInput<N> } | { readonly refusal: Refusal } {
  const row: Row = REQUESTS[request];
  // What changes something is refused where it can be written down.
  if ((row.readOnly || request.startsWith('run.')) && !mayAsk(request, caller)) return { refusal: forbidden(request, caller) };
  const read = row.input.safeParse(input);
  if (read.success && 'project' in read.data && read.data['project'] !== undefined) return { refusal: elsewhere };
  if (read.success) return { input: read.data as RequestInput<N> };
  const [issue] = read.error.issues;
  const at = issue?.path.join('.') ?? '';
  return { refusal: refusal('invalid', `${at === '' ? '' : `${at}: `}${issue?.message ?? 'not understood'}`, `see what ${request} takes`) };
}

/** One list knows of no other: who has the user's config takes the project out of the request first. */
const elsewhere = refusal(
  'unknown',
  'this door leads to one project only',
  "ask through the command line, todone mcp or todone serve of a person's own session",
);

export const mayAsk = (request: RequestName, caller: Caller): boolean => REQUESTS[request].who.includes(caller.kind);

export function forbidden(request: RequestName, caller: Caller): Refusal {
  if (caller.kind === 'run')
    return refusal(
      'forbidden',
      `an agent inside a run may not ask for ${request}`,
      'report the outcome in TODONE_RESULT; file what else has to be done with task.create',
    );
  return refusal('forbidden', `only a person may ask for ${request}, and ${caller.name} is a worker`, 'leave it to a person: it stands on their list');
}
