/**
 * What people did, and how long it was waited for (6.4-R3), from the rows of the history; when a task was ready, and which tasks were filed
 * twice. Pure.
 */
import { afterOf } from '../tasks/find.ts';
import { defaultParseOptions, parse } from '../tasks/parse.ts';
import type { Task } from '../tasks/task.ts';
import type { Known } from './run.ts';
import type { Row } from './report.ts';

export type Waited = {
  /** Ms between the moment from which a person was waited for and what they did. */
  readonly approvals: readonly number[];
  readonly answers: readonly number[];
  /** Failed tasks that a person set to be tried again. */
  readonly retries: readonly number[];
  readonly counts: { readonly approvals: number; readonly answers: number; readonly retries: number };
};

const GATES: ReadonlySet<string | null> = new Set(['triage', 'decision', 'investigation']);

/** `history` whole, oldest first; what was done from `from` to `to` counts. */
export function waitedFor(history: readonly Row[], from: number, to: number): Waited {
  const seen = new Map<string, { first: number; lane: string | undefined; laneAt: number; failedAt: number | undefined }>();
  const waited = { approvals: [] as number[], answers: [] as number[], retries: [] as number[], counts: { approvals: 0, answers: 0, retries: 0 } };
  for (const row of history) {
    const { id, at, field } = row;
    const task = seen.get(id) ?? { first: at, lane: undefined, laneAt: at, failedAt: undefined };
    seen.set(id, task);
    const within = at >= from && at <= to;
    if (field === 'lane') {
      // Of a task that was filed into a lane there is no earlier row.
      task.lane = row.new ?? undefined;
      if (GATES.has(row.old) && within) told(row.old === 'decision' ? 'answers' : 'approvals', at - task.laneAt);
      task.laneAt = at;
    } else if (field === 'approved' && row.new !== null) {
      // The lane's own row says the same; a heading's group has none.
      if (within && !hasLaneRow(history, row)) told('approvals', at - task.laneAt);
    } else if (field === 'state') {
      if (row.new === 'failed') task.failedAt = at;
      else if (row.old === 'failed' && task.failedAt !== undefined) {
        if (within && row.by !== 'todone') told('retries', at - task.failedAt);
        task.failedAt = undefined;
      }
    }
  }
  return waited;

  function told(what: 'approvals' | 'answers' | 'retries', ms: number): void {
    waited.counts[what]++;
    if (ms > 0) waited[what].push(ms);
  }
}

const laneRows = new WeakMap<readonly Row[], ReadonlySet<string>>();

/** Rows of one save have one time. */
function hasLaneRow(history: readonly Row[], { id, at }: Row): boolean {
  const known = laneRows.get(history) ?? new Set(history.flatMap((row) => (row.field === 'lane' && GATES.has(row.old) ? [`${row.id} ${row.at}`] : [])));
  laneRows.set(history, known);
  return known.has(`${id} ${at}`);
}

/** A task of the journal as its line reads. */
export const taskOf = (known: Known): Task | undefined => parse(`## Git Worktree x\n[] ${known.text}\n`, defaultParseOptions).sections[0]?.tasks[0];

export type Ended = { readonly id: string; readonly at: number; readonly opened?: number | undefined; readonly claimed?: number | undefined };

/**
 * When each of these tasks could have been begun: open, let through, and everything that it waits for done. One that waited for all above
 * it was ready when the last of its section was done before it was taken.
 */
export function readyAt(ended: readonly Ended[], history: readonly Row[], known: ReadonlyMap<string, Known>): readonly (number | undefined)[] {
  const done = new Map<string, number[]>();
  const freed = new Map<string, number[]>();
  const blocked = new Set<string>();
  const seenAt = new Map<string, number>();
  for (const row of history) {
    if (row.field === 'state' && row.new === 'done') push(done, row.id, row.at);
    if ((row.field === 'approved' && row.new !== null) || (row.field === 'lane' && row.new === 'safe')) push(freed, row.id, row.at);
    if (row.field === 'state' && row.new === 'blocked') {
      blocked.add(row.id);
      if (!seenAt.has(row.id)) seenAt.set(row.id, row.at);
    }
  }
  const bySection = Map.groupBy(done, ([id]) => known.get(id)?.section ?? '');
  return ended.map(({ id, at, opened, claimed }) => {
    const before = claimed ?? at;
    const row = known.get(id);
    const began = opened ?? seenAt.get(id);
    if (began === undefined) return undefined;
    const task = row && taskOf(row);
    const names = task ? afterOf(task) : [];
    const above = blocked.has(id) ? (bySection.get(row?.section ?? '') ?? []).flatMap(([other, times]) => (other === id ? [] : times)) : [];
    const times = [began, ...(freed.get(id) ?? []), ...names.flatMap((name) => done.get(name) ?? []), ...above].filter((time) => time <= before);
    return times.length === 0 ? undefined : Math.max(...times);
  });
}

function push(map: Map<string, number[]>, key: string, at: number): void {
  const list = map.get(key);
  if (list) list.push(at);
  else map.set(key, [at]);
}

/** Tasks that came within the span, and those of them whose words were there already. A copy that comes again by itself is none. */
export function duplicates(known: Iterable<Known>, from: number, to: number): { readonly filed: number; readonly doubled: number } {
  const first = new Set<string>();
  let filed = 0;
  let doubled = 0;
  for (const row of [...known].toSorted((one, other) => one.createdAt - other.createdAt)) {
    const task = taskOf(row);
    if (!task || task.tags.some(({ key }) => key === 'every')) continue;
    const words =
      task.title
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu)
        ?.join(' ') ?? '';
    const within = row.createdAt >= from && row.createdAt <= to;
    if (within) filed++;
    if (within && words !== '' && first.has(words)) doubled++;
    first.add(words);
  }
  return { filed, doubled };
}
