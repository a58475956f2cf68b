import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/surfaces/cli/commands.ts';
import { outputSchema } from '../../../src/surfaces/cli/output-schema.ts';
import { type DocumentName, documents, entrySchema } from '../../../src/surfaces/cli/json.ts';
import type { Errand } from '../../../src/runs/errand.ts';
import type { Finding } from '../../../src/runs/reconcile.ts';
import type { Evidence, LogEntry } from '../../../src/surfaces/cli/app.ts';
import type { Called } from '../../../src/runs/requests.ts';
import { taskViews } from '../../../src/runs/view.ts';
import { busyScene, type Given, LIST, NOW, todone } from './host.ts';

const ENTRIES: readonly LogEntry[] = [
  { at: NOW, step: 'plan', kind: 'session', id: 's1' },
  { at: NOW, step: 'plan', kind: 'text', text: 'I look' },
  { at: NOW, step: 'implement', kind: 'tool', name: 'Bash', input: 'npm test', output: 'ok', failed: true },
  { at: NOW, step: 'implement', kind: 'file', path: 'src/a.ts', change: 'changed' },
  { at: NOW, step: 'implement', kind: 'usage', usage: { inputTokens: 1, outputTokens: 2, costUsd: 0.1 }, cumulative: true },
  { at: NOW, step: 'implement', kind: 'limit', message: 'too many', resetAt: NOW + 1000 },
  { at: NOW, step: 'implement', kind: 'error', message: 'no', class: 'transient' },
];

const GIVEN: Given = {
  owner: { pid: 1, host: 'box', since: NOW },
  activity: new Map([['q8f0t6zd', { at: NOW, last: 'edit', inputTokens: 1, outputTokens: 2, costUsd: 0.5 }]]),
  entries: ENTRIES,
  history: [{ at: NOW, id: 'q8f0t6zd', field: 'state', old: 'open', new: 'in_progress', by: 'me', via: 'engine' }],
  proof: { commit: 'a1b2c3d'.padEnd(40, '0'), hash: 'a1b2c3d' },
};

const KEPT = { id: 'm2c7r4ya', ref: 'refs/todone/m2c7r4ya/3/implement', commit: 'c'.padEnd(40, '0'), attempt: 3, label: 'implement', at: NOW };
const FINDING: Finding = {
  code: 'unmarked',
  rule: '6.3-R3',
  severity: 'finding',
  line: 4,
  id: 'q8f0t6zd',
  section: 'auth',
  title: 'Add logout',
  message: 'landed in a1b2c3d, but its line says open',
  remedy: '--fix marks it done',
  fix: { target: { section: 'auth', text: 'x', occurrence: 0 }, from: 'open', marker: { state: 'done', hash: 'a1b2c3d', id: 'q8f0t6zd' }, commit: null },
};
const EVIDENCE: Evidence = {
  command: 'npm test',
  ok: false,
  code: 1,
  timed_out: false,
  at: NOW,
  where: '/repo/trees/auth',
  path: '/repo/verify.ndjson',
  lines: ['1 failed'],
};
const STOPPED: Errand = {
  section: 'auth',
  kind: 'sync',
  ticket: 1,
  by: 'me',
  state: 'stopped',
  tries: 0,
  at: NOW,
  message: 'both changed a.ts',
  remedy: 'merge by hand',
};
const CLAIMED = {
  ok: true,
  output: { task: taskViews(busyScene())[1], ticket: '3f2a91bc.2', worker: 'me', lease_until: null },
} as Called;

const CALLS: readonly (readonly [string, DocumentName, Given?])[] = [
  ['start --dry-run', 'plan'],
  ['start --once', 'summary'],
  ['start', 'summary', { start: { failed: ['m2c7r4ya'], interrupted: true } }],
  ['start --all', 'fleet'],
  ['start --all --once', 'fleet', { fleet: { projects: [], interrupted: true } }],
  ['status --all', 'statuses'],
  ['task list --all', 'allTasks'],
  ['task ready --all', 'allTasks'],
  ['init', 'init'],
  [
    'doctor',
    'doctor',
    {
      doctor: {
        checks: [
          { name: 'git', ok: 'warn', found: '2.40', remedy: 'newer' },
          { name: 'list', ok: false, found: 'none', fixed: true },
        ],
        config: [{ key: 'maxAgents', value: 4, source: 'default' }],
      },
    },
  ],
  ['status', 'status'],
  ['status auth', 'status'],
  ['status', 'status', { list: '' }],
  ['why q8f0t6zd', 'why'],
  ['why k3v9x2m1', 'why'],
  ['why lcxv8o4', 'why'],
  ['logs q8f0t6zd', 'logs'],
  ['stop q8f0t6zd', 'answer'],
  ['retry m2c7r4ya --fresh', 'answer'],
  ['pause', 'answer', { answer: { kind: 'ok', message: 'paused' } }],
  ['resume auth', 'answer'],
  ['restore m2c7r4ya', 'restored'],
  ['restore m2c7r4ya --dry-run', 'restored'],
  ['restore m2c7r4ya --list', 'snapshots', { kept: [KEPT] }],
  ['reconcile', 'reconciled', { reconciled: { findings: [FINDING, { ...FINDING, severity: 'note', line: null, id: null, fix: null }], fixed: [FINDING] } }],
  ['history --list', 'versions', { versions: [{ name: 'v-before.md', at: NOW, kind: 'before', bytes: 10, added: 1, removed: 0 }] }],
  ['history --show v', 'versions'],
  ['clean', 'cleaned', { cleaned: [{ section: 'auth', path: '/repo/trees/auth', outcome: 'kept', why: 'x', snapshot: null, ignored: ['node_modules/'] }] }],
  ['report', 'report'],
  ['archive', 'archived'],
  ['archive --undo k3v9x2m1', 'archived'],
  ['archive --dry-run q8f0t6zd', 'archived'],
  ['audit', 'audited'],
  [
    'audit --issue',
    'audited',
    {
      audited: {
        findings: [{ code: 'stale', line: 3, id: 'k3v9x2m1', section: 'auth', title: 'x', message: 'm', remedy: 'r' }],
        issue: { done: 'created', url: 'https://x/1' },
      },
    },
  ],
  ['audit --published origin', 'audited'],
  ['rules', 'rules'],
  ['rules install codex', 'rules'],
  ['task list', 'tasks'],
  ['task ready', 'tasks'],
  ['task show q8f0t6zd', 'task'],
  ['task show lcxv8o4', 'task'],
  ['task history q8f0t6zd', 'history'],
  ['diff auth', 'diff'],
  ['diff auth --stat', 'diff'],
  ['sync auth', 'branch'],
  ['land auth --dry-run', 'branch'],
  [
    'pr auth',
    'branch',
    { errand: { section: 'auth', kind: 'pr', ticket: 1, by: 'me', state: 'done', tries: 0, at: NOW, message: 'made', url: 'https://x/1' } },
  ],
  ['task show m2c7r4ya', 'task', { evidence: EVIDENCE }],
  ['task create Words', 'filed'],
  ['task update q8f0t6zd -p 1', 'changed'],
  ['task close q8f0t6zd --hash a1b2c3d', 'closed'],
  ['task claim rotate', 'claim', { called: CLAIMED }],
  ['serve --port 7000', 'serving'],
  ['task heartbeat q8f0t6zd', 'heartbeat', { called: { ok: true, output: { lease_until: NOW, changed: false } } }],
  ['task dep tree', 'trees'],
  ['triage', 'tasks'],
  ['why nobody', 'error'],
  ['sync auth', 'error', { errand: STOPPED }],
  ['sync nowhere', 'error'],
  ['strat', 'error'],
  ['stop x', 'error', { answer: { kind: 'refused', message: 'no', remedy: 'yes' } }],
];

describe('--json', () => {
  it('7-R1 7-R7 has a published schema that is as the documents are (npm run schema)', () => {
    expect(readFileSync(join(import.meta.dirname, '../../../todone.output.schema.json'), 'utf8')).toBe(outputSchema());
  });

  it.each(CALLS.map(([argv, name, given]) => [argv, name, given ?? {}] as const))(
    '7-R1 `todone %s --json` is one document of the kind %s',
    async (argv, name, given) => {
      const said = await todone(`${argv} --json`, { ...GIVEN, ...given });
      expect(said.err).toBe('');
      const document: unknown = JSON.parse(said.out);
      expect(documents[name].parse(document)).toEqual(document);
      expect(Object.keys(document as object)[0]).toBe(name === 'plan' ? '0' : 'schemaVersion');
    },
  );

  it('7-R1 every document is held to its schema by a call above', () => {
    const called = new Set<DocumentName | undefined>([...CALLS.map(([, name]) => name), 'entry']);
    for (const name of Object.keys(documents)) expect(called).toContain(name);
    for (const row of COMMANDS.filter(({ json }) => json !== undefined)) expect(called).toContain(row.json);
  });

  it('3-R7 the dry run is the bare array, groups and tasks in file order, inherited tags last', async () => {
    const list = `## Git Worktree b {p1} {Team:A}
[] One {fake} {p3}
## Git Worktree a {fake}
[] Two {p0} {Odd:Value}
  verify: true
`;
    const said = await todone('start --dry-run --json', { list });
    expect(JSON.parse(said.out)).toEqual([
      { worktree_name: 'b', tasks_to_start: [{ description: 'One', tags: ['fake', 'p3', 'Team:A'] }] },
      { worktree_name: 'a', tasks_to_start: [{ description: 'Two', tags: ['p0', 'Odd:Value', 'fake'] }] },
    ]);
    expect(JSON.parse((await todone('start --dry-run --json', { list: '' })).out)).toEqual([]);
  });

  it('7-R7 a task has all the names of the page', async () => {
    const { tasks } = documents.tasks.parse(JSON.parse((await todone('task list --json')).out));
    const names =
      'id handle parent initiative phase project section title description fields tags type status priority owner assigned_to assigned_at created_at updated_at closed_at closed_reason hash after relates reason';
    for (const task of tasks) expect(Object.keys(task)).toEqual(expect.arrayContaining(names.split(' ')));
    expect(tasks.map((task) => task.id ?? task.title)).toEqual([
      'k3v9x2m1',
      'q8f0t6zd',
      'm2c7r4ya',
      'rotate',
      'Document the flow',
      'Send invoices',
      'Refunds',
      'Dunning',
    ]);
  });

  it('7-R8 an empty ready is [] and exit 0', async () => {
    const said = await todone('task ready --json', { list: '## Git Worktree a\n' });
    expect(said.code).toBe(0);
    expect(documents.tasks.parse(JSON.parse(said.out)).tasks).toEqual([]);
    expect(await todone('task ready --quiet', { list: '## Git Worktree a\n' })).toMatchObject({ code: 0, out: '' });
  });

  it('7-R1 logs -f is one line of JSON per entry', async () => {
    const said = await todone('logs -f q8f0t6zd --json', GIVEN);
    const lines = said.out
      .trimEnd()
      .split('\n')
      .map((line) => documents.entry.parse(JSON.parse(line)));
    expect(lines.map(({ entry }) => entry)).toEqual(ENTRIES);
    expect(ENTRIES.map((entry) => entrySchema.parse(entry))).toEqual(ENTRIES);
  });

  it('7-R1 keeps every character of a task, and holds nothing that a terminal would obey', async () => {
    const title = 'Ba\u009bd \u202etitle\u007f \u001b[31m';
    const said = await todone('task list --json', { scene: busyScene(`## Git Worktree a\n[] ${title}x\n`) });
    expect(said.out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(documents.tasks.parse(JSON.parse(said.out)).tasks[0]?.title).toBe(`${title}x`);
  });

  it('7-R1 --json wins over --quiet', async () => {
    expect(documents.tasks.safeParse(JSON.parse((await todone('task list --json --quiet')).out)).success).toBe(true);
  });

  it.each([
    ['task list', 'k3v9x2m1 q8f0t6zd m2c7r4ya rotate wjis6ns lcxv8o4 wtteiee 9svqdrd'],
    ['task ready', 'rotate lcxv8o4'],
    ['task show m2c7r4ya', 'm2c7r4ya'],
    ['status', 'q8f0t6zd'],
    ['why rotate', 'ready'],
    ['why q8f0t6zd', 'running'],
    ['why lcxv8o4', 'ready'],
    ['why k3v9x2m1', 'done'],
    ['stop q8f0t6zd', 'q8f0t6zd'],
    ['start --dry-run', 'rotate lcxv8o4'],
    ['restore m2c7r4ya --into /x', '/x'],
    ['init', 'tasks.md'],
    ['doctor', ''],
  ])('7 `todone %s --quiet` prints only %j, one a line', async (argv, words) => {
    expect(
      (await todone(`${argv} --quiet`, { list: LIST })).out
        .split('\n')
        .filter((line) => line !== '')
        .join(' '),
    ).toBe(words);
  });
});
