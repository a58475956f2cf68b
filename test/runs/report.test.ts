import { describe, expect, it } from 'vitest';
import { report, type Row } from '../../src/runs/report.ts';
import type { Known } from '../../src/runs/run.ts';
import { handleOf } from '../../src/tasks/find.ts';
import { known } from '../surfaces/cli/host.ts';

const MIN = 60_000;
const T0 = Date.UTC(2026, 10, 21, 12);
const WEEK = 7 * 24 * 60 * MIN;

const row = (at: number, id: string, old: string | null, now: string | null, by = 'todone', more: Partial<Row> = {}): Row => ({
  at: T0 + at * MIN,
  id,
  field: 'state',
  old,
  new: now,
  by,
  via: 'engine',
  ...more,
});
const spent = { tokens: 100, costUsd: 0.5, ms: 4 * MIN };
const rows = (...all: readonly Known[]): ReadonlyMap<string, Known> => new Map(all.map((each) => [each.id, each]));

describe('report', () => {
  it('6.4-R3 nothing is known of an empty journal, and nothing is made up', () => {
    const empty = report({ history: [], known: new Map(), meta: new Map(), from: T0 - WEEK, to: T0 });
    expect(empty).toMatchObject({ done: 0, done_per_week: 0, open_to_done: { count: 0, median_ms: null, p90_ms: null }, agents: [], estimates: [] });
    expect(empty.not_known.join(' ')).toMatch(/inferred/);
  });

  it('6.4-R3 counts what the rows say: each end once, to its agent, from the moment it was open and claimed', () => {
    const one = known('one', { section: 'a', text: 'One {est:10m}', state: 'done', attempts: 1, spent });
    const two = known('two', { text: 'Two', state: 'done', attempts: 3, spent });
    const figures = report({
      history: [
        // Seen before it had an id, then claimed and done.
        row(0, handleOf(one), null, 'open', 'person', { via: 'list' }),
        row(5, 'one', null, 'in_progress'),
        row(15, 'one', 'in_progress', 'done', 'claude/opus'),
        // Failed, reopened by a person, given back once, done by another agent.
        row(0, 'two', null, 'open', 'person', { via: 'list' }),
        row(1, 'two', 'open', 'in_progress'),
        row(2, 'two', 'in_progress', 'failed', 'claude/opus'),
        row(20, 'two', 'failed', 'open', 'person', { via: 'list' }),
        row(21, 'two', 'open', 'in_progress'),
        row(22, 'two', 'in_progress', 'open', 'codex'),
        row(30, 'two', 'open', 'in_progress'),
        row(40, 'two', 'in_progress', 'done', 'codex'),
        // A person's own.
        row(50, 'three', 'open', 'done', 'person', { via: 'list' }),
        row(51, 'three', null, 'x', 'person', { field: 'approved', via: 'list' }),
        row(51, 'three', null, 'p1', 'person', { field: 'priority', via: 'list' }),
        row(52, 'three', null, 'task.close: no', 'w1', { field: 'refused', via: 'cli' }),
        // Later than asked for.
        row(1000, 'four', 'in_progress', 'done', 'codex'),
      ],
      known: rows(one, two),
      meta: new Map([
        ['spent:day:2026-11-21', JSON.stringify({ tokens: 300, costUsd: 1.5, ms: 9 })],
        ['spent:day:2026-10-01', JSON.stringify({ tokens: 7, costUsd: 7, ms: 7 })],
        ['spent:section:a', JSON.stringify({ tokens: 9, costUsd: 9, ms: 9 })],
      ]),
      from: T0 - WEEK + 100 * MIN,
      to: T0 + 100 * MIN,
    });
    expect(figures).toMatchObject({
      done: 3,
      failed: 1,
      cancelled: 0,
      done_per_week: 3,
      open_to_done: { count: 2, median_ms: 20 * MIN },
      claim_to_done: { count: 2, median_ms: 10 * MIN },
      spent: { tokens: 300, cost_usd: 1.5, ms: 9 },
      people: { edits: 4, approvals: 1 },
      refused: 1,
      estimates: [{ id: 'one', title: 'One', estimate_ms: 10 * MIN, claim_to_done_ms: 10 * MIN, agent_ms: 4 * MIN }],
    });
    expect(
      figures.agents.map(({ agent, done, failed, returned, first_attempt_rate: rate, spent: used }) => [agent, done, failed, returned, rate, used.tokens]),
    ).toEqual([
      ['claude/opus', 1, 1, 0, 1, 100],
      ['codex', 1, 0, 1, 0, 100],
    ]);
  });
});
