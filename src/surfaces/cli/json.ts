/**
 * The JSON of every command (7-R1): one document with `schemaVersion`, described by zod, so that a program can rely on it and a test
 * can hold it to that. The dry run's is the bare array of 3-R7. Adding a key keeps the version; anything else is a new one.
 */
import { z } from 'zod';
import { AUDIT_CODES } from '../../runs/audit.ts';
import { REQUESTS } from '../../runs/requests.ts';
import { historyRowSchema, prioritySchema, stateSchema, taskSchema, whySchema } from '../../runs/task-schema.ts';
import { SCHEMA_VERSION } from './json-text.ts';

export { documentOf } from './json-text.ts';

const ms = z.number().describe('ms since 1970');
const nullable = <T extends z.ZodType>(type: T) => type.nullable();
const text = z.string();

const state = stateSchema;
const step = z.enum(['claim', 'prepare', 'plan', 'implement', 'update', 'land', 'settle']);
const priority = prioritySchema;

const lineSchema = z.strictObject({
  id: nullable(text),
  handle: text,
  section: text,
  title: text,
  status: state,
  priority,
  hash: nullable(text),
  line: z.int(),
  reason: nullable(whySchema),
});

const runSchema = z.strictObject({
  id: text,
  section: text,
  title: text,
  agent: text,
  model: nullable(text),
  step,
  attempt: z.int(),
  started_at: ms,
  wait_until: nullable(ms),
  changed: z.boolean(),
  workspace: nullable(text),
  last: nullable(text),
  tokens: nullable(z.number()),
  cost_usd: nullable(z.number()),
});

const counts = z.strictObject({ open: z.int(), blocked: z.int(), in_progress: z.int(), done: z.int(), failed: z.int(), cancelled: z.int() });
const commit = z.strictObject({ hash: text, subject: text, at: ms });

const errand = z.strictObject({
  kind: z.enum(['sync', 'push', 'pr', 'land']),
  state: z.enum(['due', 'done', 'stopped']),
  message: nullable(text),
  remedy: nullable(text),
  url: nullable(text),
  at: ms,
  wait_until: nullable(ms),
});

const sectionSchema = z.strictObject({
  name: text,
  branch: text,
  tree: text,
  counts,
  running: z.array(runSchema),
  failed: z.array(lineSchema),
  needs_you: z.array(lineSchema),
  next: z.array(lineSchema),
  waiting: z.array(lineSchema),
  done: z.array(lineSchema),
  commits: z.array(commit),
  errands: z.array(errand),
});

const usageSchema = z.strictObject({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number() });
const said = { at: ms, step: text };
export const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...said, kind: z.literal('text'), text, aside: z.boolean().optional() }),
  z.strictObject({ ...said, kind: z.literal('tool'), name: text, input: text.optional(), output: text.optional(), failed: z.boolean().optional() }),
  z.strictObject({ ...said, kind: z.literal('file'), path: text, change: z.enum(['added', 'changed', 'removed']) }),
  z.strictObject({ ...said, kind: z.literal('usage'), usage: usageSchema, cumulative: z.boolean() }),
  z.strictObject({ ...said, kind: z.literal('limit'), message: text, resetAt: ms.optional() }),
  z.strictObject({ ...said, kind: z.literal('session'), id: text }),
  z.strictObject({ ...said, kind: z.literal('error'), message: text, class: z.enum(['transient', 'limit', 'auth', 'config', 'refusal', 'real']) }),
]);

const findingSchema = z.strictObject({
  code: text,
  rule: text,
  severity: z.enum(['finding', 'note']),
  line: nullable(z.int()),
  id: nullable(text),
  section: text,
  title: text,
  message: text,
  remedy: text,
  fix: nullable(z.strictObject({ state, hash: text.optional(), id: text.optional() })),
});

const spread = z.strictObject({ count: z.int(), median_ms: nullable(z.number()), p90_ms: nullable(z.number()) });
const spentFigures = z.strictObject({ tokens: z.number(), cost_usd: z.number(), ms: z.number() });

const place = { project: text, path: text };
const ownerSchema = nullable(z.strictObject({ pid: z.int(), host: text, since: ms }));
const limits = z.array(z.strictObject({ account: text, until: ms, message: text }));
/** What keeps a project from being looked at or worked on. */
const problem = nullable(z.strictObject({ message: text, remedy: text }));

const document = <S extends z.ZodRawShape>(shape: S) => z.strictObject({ schemaVersion: z.literal(SCHEMA_VERSION), ...shape });

export const documents = {
  /** `start --dry-run`. */
  plan: z.array(z.strictObject({ worktree_name: text, tasks_to_start: z.array(z.strictObject({ description: text, tags: z.array(text) })) })),
  /** `start`, at its end. */
  summary: document({
    done: z.array(lineSchema),
    failed: z.array(lineSchema),
    running: z.array(lineSchema),
    waiting: z.array(lineSchema),
    outside: z.array(lineSchema),
    interrupted: z.boolean(),
  }),
  /** `start --all`, at its end. */
  fleet: document({
    projects: z.array(z.strictObject({ ...place, failed: z.array(text), problem })),
    interrupted: z.boolean(),
  }),
  init: document({ steps: z.array(z.strictObject({ what: text, path: text.optional(), done: z.enum(['done', 'skipped']) })), next: text }),
  doctor: document({
    ok: z.boolean(),
    checks: z.array(
      z.strictObject({ name: text, ok: z.union([z.boolean(), z.literal('warn')]), found: text, remedy: text.optional(), fixed: z.boolean().optional() }),
    ),
    config: z.array(z.strictObject({ key: text, value: z.unknown(), source: text })),
  }),
  status: document({
    list: text,
    owner: ownerSchema,
    published: nullable(z.strictObject({ at: nullable(ms), problem })),
    held: nullable(whySchema),
    max_agents: z.int(),
    limits,
    stuck: z.array(z.strictObject({ agent: text, task: text, message: text, until: ms })),
    spent_today: z.strictObject({ tokens: z.number(), cost_usd: z.number(), ms: z.number() }),
    counts,
    sections: z.array(sectionSchema),
    problems: z.array(z.strictObject({ line: z.int(), column: z.int(), rule: text, severity: z.enum(['error', 'warning']), message: text, remedy: text })),
  }),
  why: document({
    task: taskSchema,
    run: nullable(runSchema),
    reason: nullable(whySchema),
    proof: nullable(z.strictObject({ commit: text, hash: text })),
    errands: z.array(errand),
  }),
  logs: document({ task: text, entries: z.array(entrySchema) }),
  /** One line per entry with `logs -f`. */
  entry: document({ task: text, entry: entrySchema }),
  diff: document({
    section: text,
    branch: text,
    base: text,
    from: text,
    to: text,
    files: z.array(z.strictObject({ path: text, from: nullable(text), added: nullable(z.int()), removed: nullable(z.int()) })),
    diff: nullable(text),
  }),
  branch: document({
    what: z.enum(['sync', 'land', 'pr']),
    section: text,
    state: z.enum(['done', 'planned']),
    message: text,
    url: nullable(text),
    would: nullable(z.array(text)),
    blocked: nullable(z.strictObject({ message: text, remedy: text })),
  }),
  answer: document({ ok: z.literal(true), message: text, id: nullable(text) }),
  restored: document({ id: text, ref: text, path: text, files: z.array(text), done: z.boolean() }),
  snapshots: document({
    id: text,
    snapshots: z.array(z.strictObject({ id: text, ref: text, commit: text, attempt: z.int(), label: text, at: ms })),
  }),
  reconciled: document({ ok: z.boolean(), findings: z.array(findingSchema), fixed: z.array(findingSchema) }),
  archived: document({
    what: z.enum(['archived', 'unarchived']),
    done: z.boolean(),
    file: text,
    tasks: z.array(z.strictObject({ id: nullable(text), section: text, title: text, line: nullable(z.int()) })),
    staying: z.array(z.strictObject({ id: nullable(text), section: text, title: text, line: nullable(z.int()), why: text })),
  }),
  audited: document({
    ok: z.boolean(),
    findings: z.array(
      z.strictObject({
        code: z.enum(AUDIT_CODES),
        line: nullable(z.int()),
        id: nullable(text),
        section: text,
        title: text,
        message: text,
        remedy: text,
      }),
    ),
    issue: nullable(z.strictObject({ done: z.enum(['created', 'updated', 'current', 'closed', 'none']), url: nullable(text) })),
  }),
  report: document({
    from: ms,
    to: ms,
    done: z.int(),
    failed: z.int(),
    cancelled: z.int(),
    done_per_week: z.number(),
    open_to_done: spread,
    ready_to_done: spread,
    lag: spread,
    duplicates: z.strictObject({ filed: z.int(), doubled: z.int(), rate: nullable(z.number()) }),
    first_attempt_rate: nullable(z.number()),
    claim_to_done: spread,
    spent: spentFigures,
    agents: z.array(
      z.strictObject({
        agent: text,
        done: z.int(),
        failed: z.int(),
        returned: z.int(),
        first_attempt: z.int(),
        first_attempt_rate: nullable(z.number()),
        inferred_rate: nullable(z.number()),
        claim_to_done: spread,
        spent: spentFigures,
      }),
    ),
    estimates: z.array(
      z.strictObject({ id: text, title: text, estimate_ms: z.number(), claim_to_done_ms: nullable(z.number()), agent_ms: nullable(z.number()) }),
    ),
    people: z.strictObject({
      edits: z.int(),
      approvals: z.int(),
      answers: z.int(),
      retries: z.int(),
      touches_per_week: z.number(),
      approval_waited: spread,
      answer_waited: spread,
      retry_waited: spread,
    }),
    refused: z.int(),
    not_known: z.array(text),
  }),
  rules: document({
    rules: nullable(text),
    tasks: z.array(taskSchema),
    places: z.array(z.strictObject({ agent: text, file: text, installed: z.boolean() })),
    changed: nullable(z.strictObject({ agent: text, file: text, what: z.enum(['install', 'uninstall']), done: z.enum(['done', 'skipped']) })),
  }),
  versions: document({
    versions: z.array(
      z.strictObject({ name: text, at: ms, kind: z.enum(['before', 'saved', 'kept', 'left', 'replaced']), bytes: z.int(), added: z.int(), removed: z.int() }),
    ),
    text: text.optional(),
  }),
  cleaned: document({
    worktrees: z.array(
      z.strictObject({
        section: text,
        path: text,
        outcome: z.enum(['removed', 'would', 'kept']),
        why: nullable(text),
        snapshot: nullable(text),
        ignored: z.array(text),
      }),
    ),
  }),
  tasks: document({ tasks: z.array(taskSchema) }),
  /** `task list --all`, `task ready --all`. */
  allTasks: document({ tasks: z.array(taskSchema), projects: z.array(z.strictObject({ ...place, problem })) }),
  /** `status --all`. */
  statuses: document({
    projects: z.array(
      z.strictObject({
        ...place,
        problem,
        owner: ownerSchema,
        held: nullable(whySchema),
        counts,
        running: z.array(runSchema),
        needs_you: z.int(),
        next: z.int(),
        limits,
        problems: z.int(),
      }),
    ),
  }),
  task: document({
    task: taskSchema,
    run: nullable(runSchema),
    attempts: nullable(z.int()),
    plan: nullable(text),
    summary: nullable(text),
    evidence: nullable(text),
    kept: nullable(text),
    lane: text,
    due: nullable(text),
    estimate_ms: nullable(z.number()),
    claim: nullable(z.strictObject({ worker: text, since: ms, lease_until: nullable(ms) })),
    history: z.array(historyRowSchema),
    verify: nullable(
      z.strictObject({
        command: text,
        ok: z.boolean(),
        code: nullable(z.int()),
        timed_out: z.boolean(),
        at: ms,
        where: text,
        path: text,
        lines: z.array(text),
      }),
    ),
  }),
  history: document({
    id: text,
    history: z.array(historyRowSchema),
  }),
  filed: document(REQUESTS['task.create'].output.shape),
  serving: document({ url: text, port: z.int(), token_file: text }),
  changed: document(REQUESTS['task.update'].output.shape),
  closed: document(REQUESTS['task.close'].output.shape),
  claim: document(REQUESTS['task.claim'].output.shape),
  heartbeat: document(REQUESTS['task.heartbeat'].output.shape),
  trees: document(REQUESTS['task.depTree'].output.shape),
  error: document({
    error: z.strictObject({ code: z.int(), name: text, message: text, where: text.optional(), why: text.optional(), remedy: text, stack: text.optional() }),
  }),
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type DocumentName = keyof typeof documents;
