/** A host for tests of the command line: a list as text, a world, and what was printed. */
import type {
  App,
  BranchDiff,
  BranchPlan,
  DoctorFacts,
  Evidence,
  FleetEnd,
  Globals,
  Host,
  InitDone,
  LogEntry,
  Owner,
  Restored,
  StartEnd,
} from '../../../src/surfaces/cli/app.ts';
import type { CliFailure } from '../../../src/surfaces/cli/failure.ts';
import type { Audited, CleanedPath, Reconciled, Upkeep, VersionFact } from '../../../src/surfaces/cli/upkeep.ts';
import type { KeptFact } from '../../../src/runs/evidence.ts';
import { report } from '../../../src/runs/report.ts';
import { runCli } from '../../../src/surfaces/cli/cli.ts';
import type { CommandRow } from '../../../src/surfaces/cli/command.ts';
import type { Activity } from '../../../src/engine/engine.ts';
import type { Door, HistoryRow } from '../../../src/engine/ports.ts';
import type { Answer, Ask } from '../../../src/runs/ask.ts';
import type { Scene } from '../../../src/runs/choose.ts';
import { look } from '../../../src/composition/door.ts';
import { admitted, type Called, REQUESTS } from '../../../src/runs/requests.ts';
import type { Errand } from '../../../src/runs/errand.ts';
import type { Known, Run } from '../../../src/runs/run.ts';
import { taskViews } from '../../../src/runs/view.ts';
import type { World } from '../../../src/runs/world.ts';
import { AGENTS, sceneOf } from '../../runs/scene.ts';

/** 2026-11-21 12:00 in the zone of whoever runs the tests. */
export const NOW = new Date(2026, 10, 21, 12, 0, 0).getTime();

export const LIST = `# Checkout

## Git Worktree auth {p1}
[✅ a1b2c3d, k3v9x2m1] Add login form
[🟡 q8f0t6zd] Add logout {opus}
[❌ m2c7r4ya] Remember me for 30 days
  > failed in implement: \`npm test\` exit 1, 3 tests (attempt 3 of 3)
[] Rotate refresh tokens {id:rotate} {p0} {fake}
  verify: npm test -- auth
[⏰] Document the flow

## Git Worktree billing
[] Send invoices {fake}
[] Refunds {triage}
[⏰] Dunning {after:rotate}
`;

export const known = (id: string, more: Partial<Known>): Known => ({
  id,
  section: 'auth',
  text: id,
  occurrence: 0,
  state: 'open',
  ticket: 1,
  attempts: 1,
  createdAt: NOW - 3_600_000,
  updatedAt: NOW - 60_000,
  ...more,
});

export const run = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  ticket: 2,
  attempt: 1,
  step: 'implement',
  section: 'auth',
  text: 'Add logout {opus}',
  occurrence: 0,
  task: { id, section: 'auth', title: 'Add logout', text: 'Add logout {opus}', details: '', notes: [], fields: [], tags: ['opus'] },
  fingerprint: 'f',
  changed: false,
  from: 'open',
  agent: 'fake',
  model: 'opus',
  steps: ['claim', 'prepare', 'plan', 'implement', 'update', 'land', 'settle'],
  workspaceSlot: 1,
  found: { workspace: '/repo/trees/auth', plan: '1. add a button' },
  tries: 0,
  reworks: 0,
  startedAt: NOW - 192_000,
  ...more,
});

/** The world that `LIST` shows: one done, one running, one failed. */
export function busyWorld(world: World): void {
  for (const row of [
    known('k3v9x2m1', { text: 'Add login form', state: 'done', hash: 'a1b2c3d', commit: 'a1b2c3d'.padEnd(40, '0') }),
    known('q8f0t6zd', { text: 'Add logout {opus}', state: 'in_progress' }),
    known('m2c7r4ya', {
      text: 'Remember me for 30 days',
      state: 'failed',
      reason: 'verify_failed',
      attempts: 3,
      kept: 'refs/todone/m2c7r4ya/3/implement',
      message: 'failed in implement: `npm test` exit 1, 3 tests (attempt 3 of 3)',
    }),
  ]) {
    world.known.set(row.id, row);
  }
  world.runs.set('q8f0t6zd', run('q8f0t6zd'));
}

export type Given = {
  readonly list?: string;
  readonly scene?: Scene;
  /** What the list says once `start` has ended. */
  readonly after?: Scene;
  readonly isTTY?: boolean;
  readonly width?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly owner?: Owner;
  readonly activity?: ReadonlyMap<string, Activity>;
  readonly answer?: Answer;
  readonly called?: Called;
  readonly entries?: readonly LogEntry[];
  readonly history?: readonly HistoryRow[];
  readonly proof?: { readonly commit: string; readonly hash: string };
  readonly errand?: Errand | CliFailure;
  readonly plan?: BranchPlan;
  readonly diff?: BranchDiff | CliFailure;
  readonly evidence?: Evidence;
  readonly start?: StartEnd | CliFailure;
  readonly fleet?: FleetEnd | CliFailure;
  readonly restored?: Restored | CliFailure;
  readonly reconciled?: Reconciled;
  readonly audited?: Audited;
  readonly versions?: readonly VersionFact[];
  readonly cleaned?: readonly CleanedPath[] | CliFailure;
  readonly kept?: readonly KeptFact[];
  readonly init?: InitDone | CliFailure;
  readonly doctor?: DoctorFacts;
  readonly open?: CliFailure;
  readonly question?: (words: string) => Promise<string | undefined>;
  readonly files?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly wait?: (ms: number) => Promise<void>;
  readonly rows?: readonly CommandRow[];
};

const upkeepOf = (given: Given): Upkeep => ({
  reconcile: async () => given.reconciled ?? { findings: [], fixed: [] },
  versions: async () => given.versions ?? [],
  version: async (name) => ({ text: `the list of ${name}\n` }),
  clean: async () => given.cleaned ?? [],
  archiveName: 'tasks.archive.md',
  archive: async ({ tasks }, how) => ({
    what: how === 'undo' ? 'unarchived' : 'archived',
    done: how !== 'dry',
    tasks: [{ id: 'k3v9x2m1', section: 'auth', title: 'Add login form', line: 3 }],
    staying: tasks.map((title) => ({ id: null, section: 'auth', title, line: 4, why: 'it is not done' })),
  }),
  audit: async () => given.audited ?? { findings: [], issue: null },
  report: async (from) =>
    report({ history: given.history ?? [], known: given.scene?.draft.world.known ?? busyScene().draft.world.known, meta: new Map(), from, to: NOW }),
  rulesPlaces: () => [{ agent: 'codex', file: 'AGENTS.md', installed: true }],
  noteSession: () => undefined,
  changeRules: async (what, agent) => ({ agent, file: 'AGENTS.md', what, done: 'done' }),
  kept: async () => given.kept ?? [],
  restore: async (id, { into, dryRun }) =>
    given.restored ?? { id, ref: `refs/todone/${id}/3/implement`, path: into ?? `/repo/trees/restored-${id}`, files: ['a.txt'], done: !dryRun },
});

export type Call = { readonly name: string; readonly input: unknown };

/** Looks for itself; of what would change something it says that it was done. */
const doorOn = (scene: Scene, calls: Call[], given: Given): Door => ({
  async call(request, input, caller) {
    const read = admitted(request, input, caller);
    if ('refusal' in read) return { ok: false, refusal: read.refusal };
    if (REQUESTS[request].readOnly) return look(request, read.input, caller, scene, (id) => (given.history ?? []).filter((row) => row.id === id));
    calls.push({ name: request, input: read.input });
    const message = 'as you wish';
    const many = request === 'task.create' || request === 'task.approve';
    const output = many ? { message, tasks: [] } : { message, task: taskViews(scene)[0], ...(request === 'task.close' ? { holds: [] } : {}) };
    return (given.called ?? { ok: true, output }) as never;
  },
});

export type Said = {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asks: readonly Ask[];
  /** Requests that change something. */
  readonly calls: readonly Call[];
  readonly globals: readonly Globals[];
  readonly starts: number;
};

export const busyScene = (list = LIST): Scene => sceneOf(list, { world: busyWorld, now: NOW, config: { maxAgents: 4 } });

/** Runs `todone <argv>` and gives back all that it said and did. */
export async function todone(argv: string | readonly string[], given: Given = {}): Promise<Said> {
  const said = { out: '', err: '', asks: [] as Ask[], calls: [] as Call[], globals: [] as Globals[], starts: 0 };
  const before = given.scene ?? busyScene(given.list);
  const app: App = {
    paths: { top: '/repo', list: '/repo/tasks.md', listName: 'tasks.md', stateDir: '/repo/.git/todone' },
    config: before.config,
    instance: 'me',
    caller: { kind: 'person', name: 'me', via: 'cli' },
    door: doorOn(before, said.calls, given),
    unnoted: doorOn(before, said.calls, given),
    agents: () => AGENTS,
    scene: async () => (said.starts > 0 ? (given.after ?? before) : before),
    activity: async () => given.activity ?? new Map(),
    owner: async () => given.owner,
    ask: async (ask) => {
      said.asks.push(ask);
      return given.answer ?? { kind: 'ok', message: 'as you wish', id: 'q8f0t6zd' };
    },
    start: async () => {
      said.starts++;
      return given.start ?? { failed: [], interrupted: false };
    },
    preview: (agent, model) => `${agent} --run${model === undefined ? '' : ` --model ${model}`}`,
    history: async () => given.history ?? [],
    runLog: async function* entries() {
      yield* given.entries ?? [];
    },
    proof: async () => given.proof,
    commits: async () => [{ hash: 'a1b2c3d', subject: 'Add login form', at: NOW - 3_600_000 }],
    upkeep: upkeepOf(given),
    doErrand: async (what, section) => {
      said.asks.push({ kind: 'branch', what, section });
      return given.errand ?? { section, kind: what, ticket: 1, by: 'me', state: 'done', tries: 0, at: NOW, message: 'as you wish' };
    },
    planErrand: async () => given.plan ?? { would: ['move todone/auth forward'], nothing: null, blocked: null },
    diff: async (section) =>
      given.diff ?? {
        section,
        branch: `todone/${section}`,
        base: 'main',
        from: 'a1b2c3d'.padEnd(40, '0'),
        to: 'b1b2c3d'.padEnd(40, '0'),
        files: [{ path: 'a.ts', from: null, added: 2, removed: 1 }],
        diff: '+a line\n',
      },
    evidence: async () => given.evidence,
    publishing: async () => undefined,
  };
  const host: Host = {
    version: '1.2.3',
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    isTTY: given.isTTY ?? false,
    width: () => given.width,
    env: given.env ?? {},
    now: () => NOW,
    ...(given.question ? { question: given.question } : {}),
    read: async (path) => given.files?.[path],
    signal: given.signal ?? new AbortController().signal,
    wait: given.wait ?? (async () => undefined),
    mcp: async () => undefined,
    async serve(_globals, { host: address, port }, onListening) {
      onListening({ url: `http://${address}:${port}`, port, token_file: '/repo/.git/todone/serve.token' });
      return undefined;
    },
    open: async (globals) => {
      said.globals.push(globals);
      return given.open ?? app;
    },
    lookAtAll: async (_globals, lookAt) => [
      { project: 'shop', path: '/src/shop', problem: null, found: (await lookAt(app)) as never },
      { project: 'gone', path: '/src/gone', problem: { message: '/src/gone is not a folder', remedy: 'give the folder' } },
    ],
    inProject: async (globals, word) => ({ project: word, globals: { ...globals, repo: `/src/${word}` } }),
    startAll: async () => given.fleet ?? { projects: [{ project: 'shop', path: '/src/shop', failed: ['m2c7r4ya'], problem: null }], interrupted: false },
    auditPublished: async () => given.audited ?? { findings: [], issue: null },
    init: async () =>
      given.init ?? {
        steps: [
          { what: 'the list', path: 'tasks.md', done: 'done' },
          { what: '.git/info/exclude', done: 'skipped' },
        ],
        next: 'Write a task into tasks.md, then: todone start',
      },
    doctor: async () => given.doctor ?? { checks: [{ name: 'git', ok: true, found: '2.45.1' }], config: [] },
  };
  const code = await runCli(typeof argv === 'string' ? argv.split(' ').filter((word) => word !== '') : argv, host, given.rows);
  return { ...said, code };
}
