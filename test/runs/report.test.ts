import { describe, expect, it } from 'vitest';
import { report, type Row } from '../../src/runs/report.ts';
import { noteEnd, noteLag } from '../../src/runs/figures.ts';
import type { Known, Run } from '../../src/runs/run.ts';
import { draftOf, emptyWorld } from '../../src/runs/world.ts';
import { handleOf } from '../../src/tasks/find.ts';
import { known, run } from '../surfaces/cli/host.ts';

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
    expect(empty).toMatchObject({ first_attempt_rate: null, lag: { count: 0 }, duplicates: { filed: 0, rate: null }, people: { touches_per_week: 0 } });
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
      people: { edits: 4, approvals: 1, answers: 0, retries: 1, retry_waited: { count: 1, median_ms: 18 * MIN } },
      first_attempt_rate: 0.5,
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

  it('6.4-R3 ready to done begins when nothing held it any more: dependencies, approval, the tasks above', () => {
    const list = (at: number, id: string, field: string, old: string | null, now: string | null): Row =>
      row(at, id, old, now, 'person', { field, via: 'list' });
    const figures = report({
      history: [
        list(0, 'first', 'state', null, 'open'),
        list(0, 'after', 'state', null, 'open'),
        list(0, 'gated', 'state', null, 'open'),
        list(0, 'last', 'state', null, 'blocked'),
        row(1, 'first', 'open', 'in_progress'),
        row(10, 'first', 'in_progress', 'done', 'codex'),
        row(12, 'after', 'open', 'in_progress'),
        row(15, 'after', 'in_progress', 'done', 'codex'),
        list(20, 'gated', 'lane', 'triage', 'safe'),
        row(21, 'gated', 'open', 'in_progress'),
        row(27, 'gated', 'in_progress', 'done', 'codex'),
        row(28, 'last', 'blocked', 'in_progress'),
        row(37, 'last', 'in_progress', 'done', 'codex'),
      ],
      known: rows(
        known('first', { section: 'a', text: 'First', createdAt: T0 }),
        known('after', { section: 'a', text: 'After {after:first}', createdAt: T0 }),
        known('gated', { section: 'a', text: 'Gated', createdAt: T0 }),
        known('last', { section: 'a', text: 'Last', createdAt: T0 }),
      ),
      meta: new Map(),
      from: T0,
      to: T0 + WEEK,
    });
    // 10, 5 (after 10), 7 (after 20) and 10 (after 27) minutes.
    expect(figures.ready_to_done).toEqual({ count: 4, median_ms: 10 * MIN, p90_ms: 10 * MIN });
    expect(figures.open_to_done).toMatchObject({ count: 3, median_ms: 15 * MIN });
  });

  it('6.4-R3 how long approvals, answers and retries were waited for, each touch once', () => {
    const list = (at: number, id: string, field: string, old: string | null, now: string | null, more: Partial<Row> = {}): Row =>
      row(at, id, old, now, 'person', { field, via: 'list', ...more });
    const figures = report({
      history: [
        list(0, 'a', 'state', null, 'open'),
        list(30, 'a', 'lane', 'triage', 'safe'),
        list(30, 'a', 'approved', null, 'f1'),
        row(31, 'b', null, 'open', 'claude'),
        row(40, 'b', 'safe', 'decision', 'claude', { field: 'lane' }),
        list(45, 'b', 'lane', 'decision', 'safe'),
        list(45, 'b', 'approved', null, 'f2'),
        row(50, 'c', 'in_progress', 'failed', 'claude'),
        list(60, 'c', 'state', 'failed', 'open', { via: 'cli', by: 'me' }),
        // A heading's group has no lane of its own.
        list(0, 'd', 'state', null, 'open'),
        list(60, 'd', 'approved', null, 'f3', { via: 'cli', by: 'me' }),
        // Voided, and before the span.
        list(61, 'a', 'approved', 'f1', null),
        list(-10, 'e', 'approved', null, 'f4'),
      ].toSorted((one, other) => one.at - other.at),
      known: new Map(),
      meta: new Map(),
      from: T0,
      to: T0 + WEEK,
    });
    expect(figures.people).toEqual({
      edits: 4,
      approvals: 2,
      answers: 1,
      retries: 1,
      touches_per_week: 6,
      approval_waited: { count: 2, median_ms: 60 * MIN, p90_ms: 60 * MIN },
      answer_waited: { count: 1, median_ms: 5 * MIN, p90_ms: 5 * MIN },
      retry_waited: { count: 1, median_ms: 10 * MIN, p90_ms: 10 * MIN },
    });
  });

  it('6.4-R3 tasks that were filed twice, the lag to the list, and what had to be inferred, by agent', () => {
    const at = (minutes: number, text: string): Known => known(`t${minutes}`, { text, createdAt: T0 + minutes * MIN });
    const end = (agent: string, inferred: boolean, reason: 'landed' | 'limit' = 'landed'): Run =>
      run('x', { agent, model: undefined, found: inferred ? { inferred } : {}, outcome: { state: 'done', reason, message: '' } });
    const draft = draftOf(emptyWorld());
    for (const lag of [40, 20, 900]) noteLag(draft, T0, T0 + lag);
    for (const [agent, inferred] of [
      ['claude', false],
      ['claude', true],
      ['codex', true],
      ['claude', false],
    ] as const)
      noteEnd(draft, end(agent, inferred), T0);
    noteEnd(draft, end('claude', true, 'limit'), T0);
    const meta = new Map([...draft.meta].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
    const figures = report({
      history: [
        row(0, 't1', null, 'in_progress'),
        row(1, 't1', 'in_progress', 'done', 'claude'),
        row(2, 't2', null, 'in_progress'),
        row(3, 't2', 'in_progress', 'done', 'codex'),
      ],
      known: rows(at(-9, 'Add logout!'), at(1, 'add  logout {p1}'), at(2, 'Other'), at(3, 'Other {every:daily}')),
      meta,
      from: T0,
      to: T0 + WEEK,
    });
    expect(figures.duplicates).toEqual({ filed: 2, doubled: 1, rate: 0.5 });
    expect(figures.lag).toEqual({ count: 3, median_ms: 40, p90_ms: 900 });
    expect(figures.agents.map(({ agent, inferred_rate: rate }) => [agent, rate])).toEqual([
      ['claude', 0.333],
      ['codex', 1],
    ]);
  });
});
