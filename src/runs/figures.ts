/**
 * What no row of the history tells and a report wants to know (6.4-R3): how long a change took to stand on the list, and how each agent's
 * work ended. One row of the journal for each day, in UTC; of the first changes of a day, which are enough for a median.
 */
import { z } from 'zod';
import type { Reason, Run } from './run.ts';
import { type Draft, metaIn } from './world.ts';

const LAGS_MAX = 500;

const daySchema = z.object({
  lags: z.array(z.number()),
  agents: z.record(z.string(), z.object({ ended: z.number(), inferred: z.number() })),
});
export type DayFigures = z.output<typeof daySchema>;

const KEY = /^figures:day:(\d{4}-\d{2}-\d{2})$/;
const keyOf = (now: number): string => `figures:day:${new Date(now).toISOString().slice(0, 10)}`;

/** From when a claim or an outcome was stored to when the list said it. */
export function noteLag(draft: Draft, since: number, now: number): void {
  const day = dayIn(draft, now);
  if (day.lags.length < LAGS_MAX) put(draft, now, { ...day, lags: [...day.lags, Math.max(0, now - since)] });
}

/** Ends of which the agent itself was to say how they came about. */
const SAID: ReadonlySet<Reason> = new Set<Reason>(['landed', 'no_change', 'agent_failed', 'verify_failed']);

export function noteEnd(draft: Draft, run: Run, now: number): void {
  if (run.outside || !run.outcome || !SAID.has(run.outcome.reason)) return;
  const agent = `${run.agent}${run.model ? `/${run.model}` : ''}`;
  const day = dayIn(draft, now);
  const { ended, inferred } = day.agents[agent] ?? { ended: 0, inferred: 0 };
  put(draft, now, { ...day, agents: { ...day.agents, [agent]: { ended: ended + 1, inferred: inferred + (run.found.inferred ? 1 : 0) } } });
}

const put = (draft: Draft, now: number, day: DayFigures): void => void draft.meta.set(keyOf(now), JSON.stringify(day));

function dayIn(draft: Draft, now: number): DayFigures {
  return read(metaIn(draft, keyOf(now))) ?? { lags: [], agents: {} };
}

function read(text: string | undefined): DayFigures | undefined {
  if (text === undefined) return undefined;
  const parsed = daySchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** The days from the first to the last one, each `YYYY-MM-DD`. */
export function figuresOf(meta: ReadonlyMap<string, string>, first: string, last: string): readonly DayFigures[] {
  return [...meta].flatMap(([key, value]) => {
    const day = KEY.exec(key)?.[1];
    return day === undefined || day < first || day > last ? [] : (read(value) ?? []);
  });
}
