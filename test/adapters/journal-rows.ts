/** Rows of the journal for tests. */
import type { Changes, HistoryRow } from '../../src/engine/ports.ts';
import type { Known, Run } from '../../src/runs/run.ts';

export const known = (id: string, more: Partial<Known> = {}): Known => ({
  id,
  section: 'auth',
  text: `Task ${id}`,
  occurrence: 0,
  state: 'in_progress',
  ticket: 1,
  attempts: 1,
  createdAt: 1000,
  updatedAt: 1000,
  ...more,
});

export const run = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  ticket: 1,
  attempt: 1,
  step: 'claim',
  section: 'auth',
  text: `Task ${id}`,
  occurrence: 0,
  task: { id, section: 'auth', title: `Task ${id}`, text: `Task ${id}`, details: '', notes: [], fields: [], tags: [] },
  fingerprint: 'f0',
  changed: false,
  from: 'open',
  agent: 'script',
  steps: ['claim', 'prepare', 'implement', 'land', 'settle'],
  workspaceSlot: 0,
  found: {},
  tries: 0,
  reworks: 0,
  startedAt: 1000,
  ...more,
});

export const changes = (more: { known?: Known[]; runs?: [string, Run | null][]; meta?: [string, string | null][]; history?: HistoryRow[] }): Changes => ({
  known: new Map((more.known ?? []).map((row) => [row.id, row])),
  runs: new Map(more.runs ?? []),
  meta: new Map(more.meta ?? []),
  history: more.history ?? [],
});

export const historyRow = (id: string, at: number, more: Partial<HistoryRow> = {}): HistoryRow => ({
  at,
  id,
  field: 'state',
  old: 'open',
  new: 'in_progress',
  by: 'ToDone',
  via: 'engine',
  ...more,
});
