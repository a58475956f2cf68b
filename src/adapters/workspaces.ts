/**
 * The port Workspaces on git (4-R1…R5): `trees/<name>`, `trees/<name>~2`, …, each prepared clean and detached on its
 * section's tip, with snapshots before anything is cleaned. Never touches work that a person left in one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Log, Prepared, WorkOrder, Workspaces } from '../engine/ports.ts';
import { boundedDiff } from './diff.ts';
import type { Git } from './git.ts';
import { settleBranch } from './intruders.ts';
import { adoptLeftovers, clearOut, keptMessage } from './leftovers.ts';
import { occupy } from './occupy.ts';
import type { RepoLock } from './repo-lock.ts';
import { isSafeSection, NoBranch, type Sections } from './sections.ts';
import { mendWorktree } from './mend-worktree.ts';
import { landedRef } from './proof.ts';
import { keep, layKeptOn } from './snapshots.ts';
import { forgetSquashed, isUntouched } from './squashed.ts';
import { ensureWorktree } from './worktree-add.ts';
import { listWorktrees, publish, setHead } from './worktree-admin.ts';
import { portOf, runAfterRun, setUp, type SetupOptions } from './workspace-setup.ts';
import {
  hasIndex,
  headOf,
  isThere,
  moveTo,
  readChanges,
  readRecord,
  removeNew,
  restoreIndex,
  writeRecord,
  type Workspace,
  type WorkspaceRecord,
} from './workspace.ts';

export type WorkspacesOptions = SetupOptions & {
  readonly sections: Sections;
  /** The mutex around `git worktree add`. */
  readonly lock: RepoLock;
  /** Absolute folder of the worktrees. */
  readonly trees: string;
  readonly log: Log;
};

type Use = WorkspacesOptions & { readonly rooms: string };

const HASH_CHARS = 12;
const NAME_CHARS = 60;
const KEPT_DIFF_CHARS = 4_000;

type Upkeep = {
  /** Gives back what runs that are no more still hold, because a crash came in between or the journal was lost; gives how many. */
  releaseAbandoned(isRun: (id: string, ticket: number) => boolean): Promise<number>;
  /** Puts right those that nobody is in, where their folder, entry or index was taken away; gives how many. */
  mend(isRun: (id: string, ticket: number) => boolean): Promise<number>;
};

export function openWorkspaces(options: WorkspacesOptions): Workspaces & Upkeep {
  const use: Use = { ...options, rooms: roomsOf(options.git.home) };
  const inTurn = <T>(path: string, work: () => Promise<T>): Promise<T> => use.git.inTurn(workspaceAt(use.git.home, path).dir, work);
  const listed = new Map<string, { readonly tip: string; readonly files: readonly string[] }>();
  return {
    async prepare(order, from, signal) {
      try {
        return await inTurn(workspacePath(use.trees, order.section, order.slot), () => prepare(use, order, from, signal));
      } catch (error) {
        if (error instanceof NoBranch) return { kind: 'failed', message: error.message, transient: error.transient };
        return { kind: 'failed', message: error instanceof Error ? error.message : String(error), transient: true };
      }
    },
    snapshot: (order, label, path, start) => inTurn(path, () => snapshot(use, order, label, path, start)),
    reset: (order, path, start) => inTurn(path, () => reset(use, order, path, start)),
    diff: (path, start, maxChars) => inTurn(path, () => boundedDiff(use.git, workspaceAt(use.git.home, path), start, maxChars)),
    async files(section) {
      const tip = (await use.sections.tip(section)) ?? (await use.sections.baseCommit());
      if (tip === undefined) return [];
      const known = listed.get(section);
      if (known?.tip === tip) return known.files;
      const files = await filesIn(use.git, tip);
      listed.set(section, { tip, files });
      return files;
    },
    release: (order, path, signal) => inTurn(path, () => release(use, order, path, signal)),
    async releaseAbandoned(isRun) {
      let count = 0;
      for (const { path } of recordsIn(use.git.home)) if (await inTurn(path, () => releaseIfAbandoned(use, path, isRun))) count++;
      return count;
    },
    async mend(isRun) {
      let count = 0;
      for (const { path } of recordsIn(use.git.home)) if (await inTurn(path, () => mendIfBroken(use, path, isRun))) count++;
      return count;
    },
  };
}

async function filesIn(git: Git, commit: string): Promise<readonly string[]> {
  const output = await git.ok(['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit]);
  return output
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
}

/** The folder of a section's workspace. */
export function workspacePath(trees: string, section: string, slot: number): string {
  return join(trees, slot === 1 ? section : `${section}~${slot}`);
}

/** The private side of a workspace, found by its folder. */
export function workspaceAt(home: string, path: string): Workspace {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, HASH_CHARS);
  return { section: '', slot: 0, path, dir: join(roomsOf(home), `${basename(path).slice(0, NAME_CHARS)}-${hash}`) };
}

/** The sections that a workspace has been made for and is still there. */
export function heldWorkspaces(home: string, trees: string): string[] {
  const sections = new Set<string>();
  for (const { path } of recordsIn(home))
    if (path.startsWith(`${trees}/`) && isThere(path)) sections.add(path.slice(trees.length + 1).replace(/~(?:\d+|verify)$/, ''));
  return [...sections].sort();
}

/** The tasks whose runs took a workspace and did not give it back, each with the ticket of its run. */
export function holdersIn(home: string): ReadonlyMap<string, number> {
  const held = new Map<string, number>();
  for (const { holder, left } of recordsIn(home)) if (holder && left === undefined) held.set(holder.id, holder.ticket);
  return held;
}

function recordsIn(home: string): WorkspaceRecord[] {
  const names = existsSync(roomsOf(home)) ? readdirSync(roomsOf(home)) : [];
  return names.flatMap((name) => readRecord({ section: '', slot: 0, path: '', dir: join(roomsOf(home), name) }) ?? []);
}

function roomsOf(home: string): string {
  return join(home, 'rooms');
}

async function prepare(use: Use, order: WorkOrder, from: string | undefined, signal: AbortSignal): Promise<Prepared> {
  const { git, sections } = use;
  if (!isSafeSection(order.section)) return { kind: 'failed', message: `"${order.section}" cannot be the name of a worktree`, transient: false };
  const workspace = { ...workspaceAt(git.home, workspacePath(use.trees, order.section, order.slot)), section: order.section, slot: order.slot };
  forgetSquashed(workspace);
  const before = readRecord(workspace);
  const again = before && (await asPrepared(use, workspace, before, order));
  if (again) return again;

  signal.throwIfAborted();
  const tip = await sections.ensure(order.section);
  const notes: string[] = [];
  const lost = before?.holder !== undefined && before.left === undefined && !before.preparing && !isThere(workspace.path);
  if (lost) notes.push(`the workspace ${workspace.path} had been deleted (lost) and was made again`);
  const taken = await occupy(use, workspace, before, order, tip);
  if ('kind' in taken) return taken;

  const ready = await setUp(use, workspace, taken.record, order, tip, signal);
  notes.push(...ready.notes);
  if (ready.problem) return { kind: 'failed', ...ready.problem };
  if (from !== undefined) notes.push(...(await layKept(use, workspace, tip, from)));
  writeRecord(workspace, { ...ready.record, preparing: false });
  return { kind: 'ready', workspace: workspace.path, start: tip, port: portOf(use.ports, ready.record.portIndex), notes };
}

/** A workspace that is prepared for this very run already is given back as it is. */
async function asPrepared(use: Use, workspace: Workspace, record: WorkspaceRecord, order: WorkOrder): Promise<Prepared | undefined> {
  const { holder, start } = record;
  const same = holder?.id === order.id && holder.ticket === order.ticket && holder.attempt === order.attempt;
  if (!same || record.preparing || record.left !== undefined || start === undefined || !isThere(workspace.path)) return undefined;
  const ensured = await ensureWorktree(use.git, use.lock, { path: workspace.path, commit: start, ours: true, knownAdmin: record.admin });
  if (ensured.kind === 'taken') return { kind: 'busy', message: ensured.message };
  if (!hasIndex(workspace)) await restoreIndex(use.git, workspace, start);
  writeRecord(workspace, { ...record, admin: ensured.admin });
  return { kind: 'ready', workspace: workspace.path, start, port: portOf(use.ports, record.portIndex), notes: [] };
}

async function layKept(use: Use, workspace: Workspace, tip: string, from: string): Promise<string[]> {
  const { git } = use;
  const laid = await layKeptOn(git, workspace, tip, from);
  if (laid.kind === 'gone') return [`the kept work ${from} is gone: begun from the tip`];
  if (laid.kind === 'clean') {
    await moveTo(git, workspace, tip, laid.tree);
    return [`begun from the kept work ${from}`];
  }
  const old = await git.run(['diff-tree', '-p', '--no-ext-diff', '--no-textconv', `${from}^1`, from, '--'], { maxBytes: KEPT_DIFF_CHARS * 4 });
  const diff = old.stdout.toString('utf8').slice(0, KEPT_DIFF_CHARS);
  return [`the kept work ${from} conflicts with the branch in ${laid.files.join(', ')}: begun from the tip. What it was:\n${diff}`];
}

async function snapshot(use: Use, order: WorkOrder, label: string, path: string, start: string): Promise<string | undefined> {
  const workspace = workspaceAt(use.git.home, path);
  if (!isThere(path)) {
    use.log.write('warn', `the workspace ${path} is gone: nothing to keep`, { id: order.id });
    return undefined;
  }
  const record = readRecord(workspace);
  if (!hasIndex(workspace)) await restoreIndex(use.git, workspace, start);
  const changes = await readChanges(use.git, workspace);
  if (changes.unholdable.length > 0)
    use.log.write('warn', `a snapshot of ${path} cannot hold ${changes.unholdable.map(({ name }) => name).join(', ')}: the workspace will be kept`, {
      id: order.id,
    });
  const copies = new Set(record?.copies.map((copy) => copy.path));
  const paths = changes.paths.filter((change) => !copies.has(change.name));
  if (paths.length === 0 && headOf(workspace) === start) return undefined;
  return keep(use.git, workspace, { id: order.id, attempt: order.attempt, label }, start, paths, record?.admin);
}

async function reset(use: Use, order: WorkOrder, path: string, start: string): Promise<void> {
  const { git } = use;
  const workspace = workspaceAt(git.home, path);
  forgetSquashed(workspace);
  const record = readRecord(workspace);
  if (!record || !isThere(path)) throw new Error(`the workspace ${path} is gone`);
  const ensured = await ensureWorktree(git, use.lock, { path, commit: start, ours: true, knownAdmin: record.admin });
  if (ensured.kind === 'taken') throw new Error(ensured.message);
  if (!hasIndex(workspace)) await restoreIndex(git, workspace, start);
  const copies = new Set(record.copies.map((copy) => copy.path));
  removeNew(workspace, await readChanges(git, workspace), copies);
  await moveTo(git, workspace, start);
  const after = await readChanges(git, workspace);
  removeNew(workspace, after, copies);
  if (after.unholdable.length > 0) use.log.write('warn', keptMessage(workspace, after.unholdable), { id: order.id });
  writeRecord(workspace, { ...record, admin: ensured.admin, start, work: undefined });
  publish(ensured.admin, start, join(workspace.dir, 'index'));
}

async function release(use: Use, order: WorkOrder, path: string, signal: AbortSignal): Promise<void> {
  const { git, log, sections } = use;
  const workspace = { ...workspaceAt(git.home, path), section: order.section, slot: order.slot };
  const untouched = use.hooks.afterRun === undefined && isUntouched(workspace);
  forgetSquashed(workspace);
  const record = readRecord(workspace);
  if (!record || record.left !== undefined) return;
  const trouble = isThere(path) ? await runAfterRun(use, workspace, record, order, signal) : undefined;
  if (trouble !== undefined) log.write('warn', trouble, { id: order.id });
  if (!isThere(path)) return;
  const tip = await settleBranch(git, sections, order, record.start ?? '', record.admin, log);

  const ensured = await ensureWorktree(git, use.lock, { path, commit: record.start ?? tip, ours: true, knownAdmin: record.admin });
  if (ensured.kind === 'taken') return;
  await adoptLeftovers(git, workspace, record, tip);
  const rest = order.slot > 1 && (await hasLanded(git, order, headOf(workspace))) ? headOf(workspace)! : tip;
  const clean = untouched && headOf(workspace) === rest;
  const unholdable = clean
    ? []
    : await clearOut(git, log, workspace, rest, { id: order.id, attempt: order.attempt, label: 'left' }, ensured.admin, record, untouched);
  if (unholdable.length > 0) {
    log.write('warn', keptMessage(workspace, unholdable), { id: order.id });
    return;
  }
  publish(ensured.admin, rest, join(workspace.dir, 'index'));
  // From here on it is a person's as well.
  writeRecord(workspace, { ...record, admin: ensured.admin, left: rest, work: undefined });
  if (order.slot === 1) attach(use, workspace, ensured.admin);
}

/** One that is being prepared holds nobody's work yet: the next run begins it again. */
async function releaseIfAbandoned(use: Use, path: string, isRun: (id: string, ticket: number) => boolean): Promise<boolean> {
  const workspace = workspaceAt(use.git.home, path);
  const { holder, left, preparing } = readRecord(workspace) ?? {};
  const place = placeOfSlot(use, path);
  if (!holder || left !== undefined || preparing || !place || isRun(holder.id, holder.ticket)) return false;
  await release(use, { ...holder, ...place }, path, new AbortController().signal);
  return readRecord(workspace)?.left !== undefined;
}

/** The section and slot of a workspace's folder. */
function placeOfSlot({ trees }: Use, path: string): { readonly section: string; readonly slot: number } | undefined {
  const [, section, slot] = (path.startsWith(`${trees}/`) ? /^(.*?)(?:~(\d+))?$/.exec(path.slice(trees.length + 1)) : undefined) ?? [];
  return section === undefined || section.endsWith('~verify') ? undefined : { section, slot: Number(slot ?? 1) };
}

async function mendIfBroken(use: Use, path: string, isRun: (id: string, ticket: number) => boolean): Promise<boolean> {
  const place = placeOfSlot(use, path);
  const workspace = { ...workspaceAt(use.git.home, path), ...place };
  const record = readRecord(workspace);
  const inUse = record?.holder !== undefined && record.left === undefined && isRun(record.holder.id, record.holder.ticket);
  if (!place || !record || record.preparing || inUse) return false;
  return mendWorktree({ ...use, attach: (admin) => (place.slot === 1 ? attach(use, workspace, admin) : undefined) }, workspace, record);
}

/** It stands on the task's own commit: the next run moves it on, and nobody looks at it until then. */
async function hasLanded(git: Git, order: WorkOrder, commit: string | undefined): Promise<boolean> {
  return commit !== undefined && (await git.objects.commitId(landedRef(order.id))) === commit;
}

/** `trees/<name>` goes back on its branch, unless that is checked out somewhere else. */
function attach(use: Use, workspace: Workspace, admin: string): void {
  const ref = use.sections.branch(workspace.section);
  const elsewhere = listWorktrees(use.git.commonDir, use.top).some(
    (other) => other.admin !== admin && other.head && 'ref' in other.head && other.head.ref === ref,
  );
  if (!elsewhere) setHead(admin, `ref: ${ref}`);
}
