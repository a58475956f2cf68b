/**
 * `todone report` (6.4-R3): figures of a span of time, from the journal's rows. Only what the rows say: a figure without data is null,
 * and what no row tells is named. Pure.
 */
import { handleOf, tagValue } from '../tasks/find.ts';
import { estimateMs } from './dates.ts';
import { type DayFigures, figuresOf } from './figures.ts';
import { duplicates, readyAt, taskOf, waitedFor } from './report-touches.ts';
import type { Known, Spent } from './run.ts';
import type { History } from './world.ts';

export type Row = History & { readonly at: number };

/** Of how many, and the middle and the ninth tenth of them in ms; null where there are none. */
export type Spread = { readonly count: number; readonly median_ms: number | null; readonly p90_ms: number | null };

export type AgentFigures = {
  /** As the history names it, with its model. */
  readonly agent: string;
  readonly done: number;
  readonly failed: number;
  /** Given back without an end: released, handed back, lost. */
  readonly returned: number;
  /** Of its done tasks, how many were done at the first attempt since a person last reopened them. */
  readonly first_attempt: number;
  readonly first_attempt_rate: number | null;
  /** Of its ends, the share of which ToDone had to infer how they came about; null where none was counted. */
  readonly inferred_rate: number | null;
  readonly claim_to_done: Spread;
  readonly spent: SpentFigures;
};
export type SpentFigures = { readonly tokens: number; readonly cost_usd: number; readonly ms: number };

export type EstimateFigures = {
  readonly id: string;
  readonly title: string;
  readonly estimate_ms: number;
  readonly claim_to_done_ms: number | null;
  /** Time of agents at work. */
  readonly agent_ms: number | null;
};

export type Report = {
  readonly from: number;
  readonly to: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly done_per_week: number;
  /** From when a task was first seen open, or was reopened. */
  readonly open_to_done: Spread;
  /** From when nothing held it any more. */
  readonly ready_to_done: Spread;
  readonly claim_to_done: Spread;
  /** By day, of all runs. */
  readonly spent: SpentFigures;
  readonly agents: readonly AgentFigures[];
  readonly estimates: readonly EstimateFigures[];
  /** From a claim or an outcome to the list that says so. */
  readonly lag: Spread;
  /** Tasks that came, and those of them whose words were there already. */
  readonly duplicates: { readonly filed: number; readonly doubled: number; readonly rate: number | null };
  readonly first_attempt_rate: number | null;
  /** What people did, all of it by the week, and how long was waited for each kind. */
  readonly people: {
    readonly edits: number;
    readonly approvals: number;
    readonly answers: number;
    readonly retries: number;
    readonly touches_per_week: number;
    readonly approval_waited: Spread;
    readonly answer_waited: Spread;
    readonly retry_waited: Spread;
  };
  readonly refused: number;
  readonly not_known: readonly string[];
};

export type ReportFacts = {
  /** Oldest first; those from before the span tell when its tasks began. */
  readonly history: readonly Row[];
  readonly known: ReadonlyMap<string, Known>;
  readonly meta: ReadonlyMap<string, string>;
  readonly from: number;
  readonly to: number;
};

const WEEK_MS = 7 * 24 * 3_600_000;
const NOT_KNOWN: readonly string[] = ['which edits of the list were wanted by others: how long they waited is known of approvals, answers and retries alone'];

/** One time that a task was taken and came to an end. */
type Ended = { readonly id: string; readonly by: string; readonly state: string; readonly at: number; readonly opened?: number; readonly claimed?: number };

export function report(facts: ReportFacts): Report {
  const { from, to } = facts;
  const history = byIds(facts);
  const ended = endings(history).filter(({ at }) => at >= from && at <= to);
  const within = facts.history.filter(({ at }) => at >= from && at <= to);
  const done = ended.filter(({ state }) => state === 'done');
  const days = figuresOf(facts.meta, isoDay(from), isoDay(to));
  const waited = waitedFor(history, from, to);
  const ready = readyAt(done, history, facts.known);
  const copies = duplicates(facts.known.values(), from, to);
  // Rows of one save have one time.
  const edits = new Set(within.filter(({ by, via }) => by === 'person' && via === 'list').map(({ at }) => at)).size;
  const claimed = done.filter(({ claimed: at, by }) => at !== undefined && !NO_AGENT.has(by));
  const count = (state: string): number => ended.filter((each) => each.state === state).length;
  return {
    from,
    to,
    done: done.length,
    failed: count('failed'),
    cancelled: count('cancelled'),
    done_per_week: perWeek(done.length, from, to),
    open_to_done: spread(done.flatMap(({ at, opened }) => (opened === undefined ? [] : at - opened))),
    ready_to_done: spread(done.flatMap(({ at }, index) => (ready[index] === undefined ? [] : at - ready[index]))),
    claim_to_done: spread(done.flatMap(claimToDone)),
    lag: spread(days.flatMap(({ lags }) => lags)),
    duplicates: { ...copies, rate: rate(copies.doubled, copies.filed) },
    first_attempt_rate: rate(claimed.filter(({ id }) => facts.known.get(id)?.attempts === 1).length, claimed.length),
    spent: spentWithin(facts),
    agents: agentsOf(ended, facts.known, days),
    estimates: estimates(done, facts.known),
    people: {
      edits,
      ...waited.counts,
      touches_per_week: perWeek(edits + within.filter(isCommand).length, from, to),
      approval_waited: spread(waited.approvals),
      answer_waited: spread(waited.answers),
      retry_waited: spread(waited.retries),
    },
    refused: within.filter(({ field }) => field === 'refused').length,
    not_known: NOT_KNOWN,
  };
}

const perWeek = (count: number, from: number, to: number): number => Math.round(((count * WEEK_MS) / Math.max(1, to - from)) * 10) / 10;
const rate = (part: number, of: number): number | null => (of === 0 ? null : Math.round((part / of) * 1000) / 1000);

/** What a person let through or took up again by a command, and not on the list. */
const isCommand = ({ field, by, via, new: now, old }: Row): boolean =>
  via === 'cli' && ((field === 'approved' && now !== null) || (field === 'state' && old === 'failed' && by !== 'todone'));

/** Until it was claimed, a task may have had no id: its rows are under its handle. */
function byIds({ history, known }: ReportFacts): Row[] {
  const ids = new Map<string, string | undefined>();
  for (const row of known.values()) {
    const handle = handleOf(row);
    ids.set(handle, ids.has(handle) ? undefined : row.id);
  }
  return history.map((row) => ({ ...row, id: ids.get(row.id) ?? row.id }));
}

const claimToDone = ({ at, claimed }: Ended): number[] => (claimed === undefined ? [] : [at - claimed]);

/** Each change of a state that is an end of something, with when it began. */
function endings(history: readonly Row[]): Ended[] {
  const ended: Ended[] = [];
  const opened = new Map<string, number>();
  const claimed = new Map<string, number>();
  for (const row of history) {
    if (row.field !== 'state') continue;
    const { id, at, by, new: state, old } = row;
    if (state === 'in_progress') {
      claimed.set(id, at);
      continue;
    }
    // Given back: it is open since it first was.
    if (state !== 'open' && state !== 'blocked' && state !== null) ended.push({ id, by, state, at, opened: opened.get(id), claimed: claimed.get(id) });
    else if (old === 'in_progress' && state === 'open') ended.push({ id, by, state: 'returned', at, opened: opened.get(id), claimed: claimed.get(id) });
    else if (state === 'open') opened.set(id, at);
    claimed.delete(id);
    if (state === 'done') opened.delete(id);
  }
  return ended;
}

/** Whom the history names that is no agent. */
const NO_AGENT: ReadonlySet<string> = new Set(['person', 'todone', '']);

function agentsOf(ended: readonly Ended[], known: ReadonlyMap<string, Known>, days: readonly DayFigures[]): AgentFigures[] {
  const agents = new Map<string, Ended[]>();
  const lastAt = new Map<string, number>();
  for (const { id, at } of ended) lastAt.set(id, Math.max(at, lastAt.get(id) ?? at));
  // What was never claimed was marked or closed by whoever looks after the list.
  for (const each of ended) if (each.claimed !== undefined && !NO_AGENT.has(each.by)) agents.set(each.by, [...(agents.get(each.by) ?? []), each]);
  return [...agents]
    .map(([agent, its]): AgentFigures => {
      const done = its.filter(({ state }) => state === 'done');
      const first = done.filter(({ id }) => known.get(id)?.attempts === 1).length;
      // A task's use counts for whoever came to its last end.
      const last = new Set(its.filter(({ id, at }) => lastAt.get(id) === at).map(({ id }) => id));
      return {
        agent,
        done: done.length,
        failed: its.filter(({ state }) => state === 'failed').length,
        returned: its.filter(({ state }) => state === 'returned').length,
        first_attempt: first,
        first_attempt_rate: rate(first, done.length),
        inferred_rate: rate(sum(days, agent, 'inferred'), sum(days, agent, 'ended')),
        claim_to_done: spread(done.flatMap(claimToDone)),
        spent: sumOf([...last].flatMap((id) => known.get(id)?.spent ?? [])),
      };
    })
    .toSorted((one, other) => other.done - one.done || (one.agent < other.agent ? -1 : 1));
}

const sum = (days: readonly DayFigures[], agent: string, what: 'ended' | 'inferred'): number =>
  days.reduce((total, { agents }) => total + (agents[agent]?.[what] ?? 0), 0);

function estimates(done: readonly Ended[], known: ReadonlyMap<string, Known>): EstimateFigures[] {
  return done.flatMap((each) => {
    const row = known.get(each.id);
    const task = row && taskOf(row);
    const tag = task && tagValue(task, 'est');
    const estimate = typeof tag === 'string' ? estimateMs(tag) : undefined;
    if (!task || estimate === undefined) return [];
    return [{ id: each.id, title: task.title, estimate_ms: estimate, claim_to_done_ms: claimToDone(each)[0] ?? null, agent_ms: row.spent?.ms ?? null }];
  });
}

const DAY_KEY = /^spent:day:(\d{4}-\d{2}-\d{2})$/;
const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Days are UTC and whole: the first and the last one count wholly. */
function spentWithin({ meta, from, to }: ReportFacts): SpentFigures {
  const [first, last] = [isoDay(from), isoDay(to)];
  return sumOf(
    [...meta].flatMap(([key, value]) => {
      const day = DAY_KEY.exec(key)?.[1];
      return day !== undefined && day >= first && day <= last ? (JSON.parse(value) as Spent) : [];
    }),
  );
}

function sumOf(all: readonly Spent[]): SpentFigures {
  let [tokens, cost, ms] = [0, 0, 0];
  for (const spent of all) {
    tokens += spent.tokens;
    cost += spent.costUsd;
    ms += spent.ms;
  }
  return { tokens, cost_usd: cost, ms };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number | null => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
  return { count: sorted.length, median_ms: at(0.5), p90_ms: at(0.9) };
}
