/**
 * What makes a checked-out workspace usable: copies of ignored files, the hooks `afterCreate`, `beforeRun`, `afterRun`,
 * and a block of ports (4-R4). Never lets what a hook leaves behind become part of a task's commit.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkOrder } from '../engine/ports.ts';
import { refreshCopies } from './copies.ts';
import type { Git } from './git.ts';
import { namesOf } from './standing.ts';
import { moveTo, readChanges, readRecord, removeNew, writeRecord, type Workspace, type WorkspaceRecord } from './workspace.ts';

/** Runs a shell command by design (5.3-R9), in the environment of agents; the caller owns process, sandbox and sweep. */
export type RunHook = (
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  limitMs: number,
  signal: AbortSignal,
) => Promise<{ readonly code: number | undefined; readonly output: string; readonly timedOut: boolean }>;

export type SetupOptions = {
  readonly git: Git;
  /** The main worktree, which copies come from. */
  readonly top: string;
  readonly hooks: { readonly afterCreate?: string; readonly beforeRun?: string; readonly afterRun?: string };
  readonly hookLimitMs: number;
  readonly runHook: RunHook;
  readonly ports: { readonly first: number; readonly size: number };
};

export type SetUp = {
  readonly record: WorkspaceRecord;
  readonly notes: readonly string[];
  readonly problem?: { readonly message: string; readonly transient: boolean };
};

const LOCKFILES = [
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'Cargo.lock',
  'poetry.lock',
  'uv.lock',
  'Pipfile.lock',
  'go.sum',
  'Gemfile.lock',
  'composer.lock',
];
const LAST_PORT = 65_535;
const TAIL_CHARS = 2_000;

/** Copies and hooks for a workspace that stands clean on `commit`. */
export async function setUp(
  options: SetupOptions,
  workspace: Workspace,
  before: WorkspaceRecord,
  order: WorkOrder,
  commit: string,
  signal: AbortSignal,
): Promise<SetUp> {
  const { git, top, hooks } = options;
  const copied = await refreshCopies(git, top, workspace, before.copies, before.includeMs);
  const notes = [...copied.notes];
  let record: WorkspaceRecord = { ...before, copies: copied.copies, includeMs: copied.includeMs };
  writeRecord(workspace, record);

  const wantedFor = hooks.afterCreate === undefined ? undefined : await lockfilesKey(git, commit, hooks.afterCreate);
  const due = [
    ...(wantedFor !== undefined && wantedFor !== record.createdFor ? (['afterCreate'] as const) : []),
    ...(hooks.beforeRun === undefined ? [] : (['beforeRun'] as const)),
  ];
  for (const name of due) {
    const problem = await runOne(options, workspace, record, order, name, signal);
    if (problem) return { record, notes, problem };
    if (name === 'afterCreate') record = { ...record, createdFor: wantedFor };
    writeRecord(workspace, record);
  }
  if (due.length > 0) notes.push(...(await undoHooks(git, workspace, record, commit, due)));
  return { record, notes };
}

export async function runAfterRun(
  options: SetupOptions,
  workspace: Workspace,
  record: WorkspaceRecord,
  order: WorkOrder,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (options.hooks.afterRun === undefined) return undefined;
  return (await runOne(options, workspace, record, order, 'afterRun', signal))?.message;
}

/** The first port of a workspace's block. */
export function portOf(ports: SetupOptions['ports'], index: number): number {
  const blocks = Math.max(1, Math.floor((LAST_PORT + 1 - ports.first) / ports.size));
  return ports.first + (index % blocks) * ports.size;
}

/** The lowest number that no workspace of this repository has. */
export function freePortIndex(rooms: string): number {
  const taken = new Set<number>();
  for (const name of listFolder(rooms)) {
    const record = readRecord({ section: '', slot: 0, path: '', dir: join(rooms, name) });
    if (record) taken.add(record.portIndex);
  }
  let index = 0;
  while (taken.has(index)) index += 1;
  return index;
}

async function runOne(
  options: SetupOptions,
  workspace: Workspace,
  record: WorkspaceRecord,
  order: WorkOrder,
  name: 'afterCreate' | 'beforeRun' | 'afterRun',
  signal: AbortSignal,
): Promise<{ message: string; transient: boolean } | undefined> {
  const command = options.hooks[name];
  if (command === undefined) return undefined;
  const env = {
    TODONE_ID: order.id,
    TODONE_SECTION: order.section,
    TODONE_ATTEMPT: String(order.attempt),
    TODONE_WORKTREE: workspace.path,
    TODONE_PORT: String(portOf(options.ports, record.portIndex)),
    TODONE_HOOK: name,
  };
  const { code, output, timedOut } = await options.runHook(command, workspace.path, env, options.hookLimitMs, signal);
  if (code === 0 && !timedOut) return undefined;
  const how = timedOut
    ? `did not end within ${Math.round(options.hookLimitMs / 1000)} s`
    : `failed (${code === undefined ? 'ended by a signal' : `exit ${code}`})`;
  return { message: `the hook ${name} (${command}) ${how}: ${output.trim().slice(-TAIL_CHARS) || 'it printed nothing'}`, transient: timedOut };
}

/** A hook such as an install may touch tracked files or leave new ones; a run starts on a clean tree all the same. */
async function undoHooks(git: Git, workspace: Workspace, record: WorkspaceRecord, commit: string, hooks: readonly string[]): Promise<string[]> {
  const changes = await readChanges(git, workspace);
  const copies = new Set(record.copies.map((copy) => copy.path));
  const left = { ...changes, paths: changes.paths.filter((change) => !copies.has(change.name)) };
  if (left.paths.length === 0) return [];
  removeNew(workspace, left, copies);
  await moveTo(git, workspace, commit);
  return [`what ${hooks.join(' and ')} changed in files that git does not ignore was undone: ${namesOf(left)}`];
}

async function lockfilesKey(git: Git, commit: string, command: string): Promise<string> {
  const blobs = await Promise.all(LOCKFILES.map((name) => git.objects.info(`${commit}:${name}`)));
  return JSON.stringify([command, ...blobs.map((blob) => blob?.oid.slice(0, 16) ?? '')]);
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
