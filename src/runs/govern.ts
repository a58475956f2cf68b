/**
 * What agents may use up (5.3-R5, R7): accounts that wait for a limit to pass, and budgets of tokens, money and time for a task,
 * a section and a day. Counted from the ends of phases, each once; kept in the journal's rows. Decides what a phase may still
 * use and what may not start; stopping it is the adapter's.
 */
import type { Config } from '../config.ts';
import type { End, Known, Run, Spent } from './run.ts';
import { type Draft, knownIn, metaIn, putKnown } from './world.ts';

/** A limit that has to pass before an account is used again. */
export type Parked = { readonly account: string; readonly until: number; readonly message: string };

/** Agents that share an account share its limits; one that names none has its own. */
export function accountOf(config: Config, agent: string): string {
  return (Object.hasOwn(config.agents, agent) ? config.agents[agent]?.account : undefined) ?? agent;
}

/** The account of this agent, while it waits; `others` = accounts that other projects of this process found at their limit. */
export function parkedOf(draft: Draft, config: Config, agent: string, now: number, others: readonly Parked[] = []): Parked | undefined {
  const account = accountOf(config, agent);
  const own = readParked(account, metaIn(draft, PARKED + account));
  return [own, ...others.filter((parked) => parked.account === account)].find((parked) => parked !== undefined && parked.until > now);
}

/** Every account that waits. */
export function allParked(draft: Draft, now: number): Parked[] {
  const keys = new Set([...draft.world.meta.keys(), ...draft.meta.keys()].filter((key) => key.startsWith(PARKED)));
  return [...keys].flatMap((key) => readParked(key.slice(PARKED.length), metaIn(draft, key)) ?? []).filter(({ until }) => until > now);
}

const PARKED = 'parked:';

function readParked(account: string, row: string | undefined): Parked | undefined {
  if (row === undefined) return undefined;
  const { until, message } = JSON.parse(row) as Omit<Parked, 'account'>;
  return { account, until, message };
}

/** What one phase used, by its end: counted for its task, its section and the day, and its account parked where a limit ended it. */
export function settleAccount(draft: Draft, run: Run, end: End, next: Run, config: Config, now: number): void {
  const used = usedIn(end);
  if (used.tokens + used.costUsd + used.ms > 0) count(draft, run, used, now);
  if (end.kind === 'transient' && end.reason === 'limit' && next.waitUntil !== undefined) {
    const account = accountOf(config, run.agent);
    draft.meta.set(PARKED + account, JSON.stringify({ until: next.waitUntil, message: end.message }));
  }
}

function usedIn(end: End): Spent {
  const found = 'found' in end ? end.found : undefined;
  const { inputTokens = 0, outputTokens = 0, costUsd = 0 } = found?.usage ?? {};
  return { tokens: inputTokens + outputTokens, costUsd, ms: found?.tookMs ?? 0 };
}

function count(draft: Draft, run: Run, used: Spent, now: number): void {
  const known = knownIn(draft, run.id);
  if (known) putKnown(draft, { ...known, spent: sum(known.spent, used) } satisfies Known, '', '');
  for (const key of [sectionKey(run.section), dayKey(now)]) draft.meta.set(key, JSON.stringify(sum(spentIn(draft, key), used)));
}

const sectionKey = (section: string): string => `spent:section:${section}`;
/** Days are UTC's, so that no daylight saving makes one twice. */
export const dayKey = (now: number): string => `spent:day:${new Date(now).toISOString().slice(0, 10)}`;

const NOTHING: Spent = { tokens: 0, costUsd: 0, ms: 0 };
const sum = (a: Spent | undefined, b: Spent): Spent => ({
  tokens: (a?.tokens ?? 0) + b.tokens,
  costUsd: (a?.costUsd ?? 0) + b.costUsd,
  ms: (a?.ms ?? 0) + b.ms,
});

function spentIn(draft: Draft, key: string): Spent {
  const row = metaIn(draft, key);
  return row === undefined ? NOTHING : (JSON.parse(row) as Spent);
}

/** What was used today. */
export const spentToday = (draft: Draft, now: number): Spent => spentIn(draft, dayKey(now));

// ── budgets ──────────────────────────────────────────────────────────────────────────────────────

export type Scope = 'task' | 'section' | 'day';
type Measure = { readonly scope: Scope; readonly unit: keyof Spent; readonly most: number; readonly used: number };

/** The budget that is used up, in words, or undefined: neither starts nor goes on. */
export function overBudget(draft: Draft, config: Config, at: { readonly id: string | undefined; readonly section: string }, now: number): string | undefined {
  const over = measures(draft, config, at, now).find(({ used, most }) => used >= most);
  return over && `the budget of the ${over.scope} is used up: ${inWords(over.unit, over.used)} of ${inWords(over.unit, over.most)}`;
}

/** What a phase may still use of each unit; undefined = as much as it likes. */
export function allowance(draft: Draft, config: Config, run: Run, now: number): { readonly [U in keyof Spent]?: number } {
  const left: { -readonly [U in keyof Spent]?: number } = {};
  for (const { unit, most, used } of measures(draft, config, run, now)) left[unit] = Math.min(left[unit] ?? Number.POSITIVE_INFINITY, Math.max(0, most - used));
  return left;
}

function measures(draft: Draft, config: Config, at: { readonly id: string | undefined; readonly section: string }, now: number): Measure[] {
  const { budgets } = config;
  const used: Readonly<Record<Scope, () => Spent>> = {
    task: () => (at.id === undefined ? undefined : knownIn(draft, at.id)?.spent) ?? NOTHING,
    section: () => spentIn(draft, sectionKey(at.section)),
    day: () => spentToday(draft, now),
  };
  return SCOPES.flatMap((scope) => {
    const { tokens, costUsd, time } = budgets[scope];
    const most = { tokens, costUsd, ms: time };
    return UNITS.flatMap((unit) => {
      const bound = most[unit];
      return bound === undefined ? [] : [{ scope, unit, most: bound, used: used[scope]()[unit] }];
    });
  });
}

const SCOPES: readonly Scope[] = ['task', 'section', 'day'];
const UNITS: readonly (keyof Spent)[] = ['tokens', 'costUsd', 'ms'];

function inWords(unit: keyof Spent, amount: number): string {
  if (unit === 'tokens') return `${amount} tokens`;
  return unit === 'costUsd' ? `${amount.toFixed(2)} USD` : `${Math.round(amount / 60_000)} min`;
}
