/**
 * The state that an owner publishes beside its list (6.4-R4): what an audit on a machine without the journal has to know, and no more.
 * Times are ms since 1970. Pure.
 */
import { z } from 'zod';
import { idOf as idOnLine, handleOf, laneOf } from '../tasks/find.ts';
import { hashText } from '../tasks/hash.ts';
import { parse } from '../tasks/parse.ts';
import { audit, AUDIT_CODES, type AuditFinding } from './audit.ts';
import { idOf, type Scene, stateOf } from './choose.ts';
import type { Config } from '../config.ts';
import type { Known, Run } from './run.ts';
import { draftOf, type History, knownIn, runsIn, worldOf } from './world.ts';

export const PUBLISHED_VERSION = 1;
/** A ref that is older says that no daemon is at work. */
const STALE_MS = 86_400_000;
const TASKS_MAX = 2000;
const ROWS_MAX = 20;

const rowSchema = z.object({
  at: z.number(),
  id: z.string(),
  field: z.string(),
  old: z.string().nullable(),
  new: z.string().nullable(),
  by: z.string(),
  via: z.string(),
});
const findingSchema = z.object({
  code: z.enum(AUDIT_CODES),
  line: z.number().nullable(),
  id: z.string().nullable(),
  section: z.string(),
  title: z.string(),
  message: z.string(),
  remedy: z.string(),
});

export const publishedSchema = z.object({
  version: z.literal(PUBLISHED_VERSION),
  at: z.number(),
  list: z.string(),
  by: z.string(),
  /** Rows of the journal, as they are there. */
  known: z.array(z.looseObject({ id: z.string() })),
  runs: z.array(z.looseObject({ id: z.string() })),
  history: z.array(rowSchema),
  /** What only the machine with the work can find: proofs, commits, sessions. */
  found: z.array(findingSchema),
});
export type Published = z.output<typeof publishedSchema>;

export type PublishFacts = {
  readonly scene: Scene;
  readonly list: string;
  readonly history: (id: string) => readonly (History & { readonly at: number })[];
  /** Of the last look. */
  readonly found: readonly AuditFinding[];
};

const TOLD: ReadonlySet<string> = new Set(['state', 'claim', 'lane']);

export function publishedOf({ scene, list, history, found }: PublishFacts): Published {
  const known: Known[] = [];
  const rows: Published['history'] = [];
  for (const task of tasksAtStake(scene)) {
    const id = idOf(scene, task);
    const row = id === undefined ? undefined : knownIn(scene.draft, id);
    if (row) known.push(slimKnown(row));
    for (const name of new Set([handleOf(task), ...(id === undefined ? [] : [id])])) {
      const told = history(name).filter(({ field }) => TOLD.has(field));
      rows.push(...told.slice(0, 1), ...told.slice(1).slice(-ROWS_MAX));
    }
  }
  const runs = [...runsIn(scene.draft)].map(slimRun);
  return { version: PUBLISHED_VERSION, at: scene.now, list, by: scene.instance, known, runs, history: rows, found: found.filter(({ code }) => HERE.has(code)) };
}

/** What no list and no row tells. */
const HERE: ReadonlySet<AuditFinding['code']> = new Set<AuditFinding['code']>(['unproven', 'taskless', 'session']);

function tasksAtStake(scene: Scene): Scene['board']['sections'][number]['tasks'] {
  return scene.board.sections
    .flatMap(({ name, tasks }) => (name === undefined ? [] : tasks))
    .filter((task) => {
      const state = stateOf(scene, task);
      if (state === 'in_progress') return true;
      if (state !== 'open' && state !== 'blocked') return false;
      return laneOf(task) === 'triage' || (idOnLine(task) !== undefined && (knownIn(scene.draft, idOnLine(task) ?? '')?.ticket ?? 0) > 0);
    })
    .slice(0, TASKS_MAX);
}

/** Without what agents said and did. */
function slimKnown({ plan: _plan, evidence: _evidence, session: _session, summary: _summary, message: _message, sessionUsage: _usage, ...row }: Known): Known {
  return row;
}

const slimRun = ({ evidence: _evidence, ...run }: Run): Run => ({ ...run, found: {}, task: { ...run.task, details: '', notes: [], fields: [], tags: [] } });

/** The same for states that say the same: a heartbeat changes nothing. */
export function publishKey(scene: Scene): string {
  const runs = [...runsIn(scene.draft)].map(({ id, step, ticket, outside }) => `${id} ${step} ${ticket} ${outside?.worker ?? ''}`).toSorted();
  return hashText([scene.board.text, ...runs].join('\n'));
}

/** What the audit finds in a published state, as of when it was published; and whether that is too long ago. */
export function auditPublished(
  published: Omit<Published, 'known' | 'runs'>,
  text: string,
  rows: { readonly known: readonly Known[]; readonly runs: readonly Run[] },
  config: Config,
  now: number,
): AuditFinding[] {
  const { at, list, by } = published;
  const world = worldOf({ ...rows, meta: new Map() });
  world.list = { kind: 'fine' };
  const board = parse(text, { labels: config.labels, workers: config.workers });
  const scene: Scene = { board, draft: draftOf(world), config, now: at, problems: [], instance: by };
  // Who published it was at work then.
  const facts = {
    history: published.history.toSorted((one, other) => one.at - other.at),
    reconciled: [],
    strays: [],
    sessions: [],
    archivedHashes: [],
    owned: true,
  };
  const found = [...audit(scene, config.audit, facts), ...published.found];
  if (now - at <= STALE_MS) return found;
  const hours = Math.floor((now - at) / 3_600_000);
  return [
    {
      code: 'unpublished',
      line: null,
      id: null,
      section: '',
      title: `the published state of ${list}`,
      message: `it is ${hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours} hours`} old: no daemon of ${by} publishes it any more`,
      remedy: 'see that todone start runs there, and what todone status says of publishing',
    },
    ...found,
  ];
}
