/**
 * One workspace: its folder, its private git directory with an index of ours, and what we remember of it. Reads what
 * changed, builds trees and moves the files from commit to commit, whatever the agent did to its own git state.
 * Never asks the agent's index or HEAD.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, readFileSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { writeWhole } from './git-config.ts';
import { removeIfAbandoned } from './git-locks.ts';
import { setPrivateHead, type Git, type GitPlace } from './git.ts';
import { straySubmodules } from './submodules.ts';
import { copyIndex } from './worktree-admin.ts';

export type Workspace = {
  readonly section: string;
  readonly slot: number;
  /** The folder, absolute. */
  readonly path: string;
  /** Our private git directory for it. */
  readonly dir: string;
};

export type Copied = {
  readonly path: string;
  readonly sourceMs: number;
  readonly sourceSize: number;
  readonly writtenMs: number;
  readonly writtenSize: number;
};

/** What we remember of a workspace; beside its private index, out of an agent's way. */
export type WorkspaceRecord = {
  readonly version: 1;
  readonly path: string;
  /** Its entry under `.git/worktrees`. */
  readonly admin?: string;
  /** The run that is in it, or the last one while it has not been released. */
  readonly holder?: { readonly id: string; readonly ticket: number; readonly attempt: number };
  readonly start?: string;
  /** True from the first file that we change for a run until it is set up: a crash in between begins again. */
  readonly preparing: boolean;
  /** The run's work as a commit, while another commit is checked out to be verified. */
  readonly work?: string;
  /** Where we left it when the last run was over; undefined while a run is in it. */
  readonly left?: string;
  readonly portIndex: number;
  /** The lockfiles' hash for which `afterCreate` has succeeded. */
  readonly createdFor?: string;
  readonly copies: readonly Copied[];
  readonly includeMs?: number;
};

export type Change = { readonly name: string; readonly raw: Buffer; readonly kind: 'new' | 'changed' | 'removed' };

export type Unholdable = { readonly name: string; readonly why: string };

export type Changes = {
  readonly paths: readonly Change[];
  /** What no tree of ours can hold: repositories of their own, files that we may not read or that lie in a submodule's folder. */
  readonly unholdable: readonly Unholdable[];
};

export function readRecord(workspace: Workspace): WorkspaceRecord | undefined {
  const record = readJson(join(workspace.dir, 'record.json')) as WorkspaceRecord | undefined;
  return record?.version === 1 ? record : undefined;
}

/** A small file of ours; undefined where there is none that can be read. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

export function writeRecord(workspace: Workspace, record: WorkspaceRecord): void {
  writeWhole(join(workspace.dir, 'record.json'), `${JSON.stringify(record)}\n`);
}

/** The folder is there, and is no link to another place. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function hasIndex(workspace: Workspace): boolean {
  return existsSync(join(workspace.dir, 'index'));
}

/** The commit that our private index stands for. */
export function headOf(workspace: Workspace): string | undefined {
  try {
    return readFileSync(join(workspace.dir, 'HEAD'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function placeOf(workspace: Workspace, more: GitPlace = {}): GitPlace {
  return { dir: workspace.dir, workTree: workspace.path, ...more };
}

/** What differs from our index: changed, removed and new files that git does not ignore. Git may note what it compared. */
export async function readChanges(git: Git, workspace: Workspace): Promise<Changes> {
  const args = ['status', '--porcelain=v1', '-z', '-uall', '--ignore-submodules=all', '--no-renames', '--no-ahead-behind'];
  const { paths, unholdable: nested } = parseStatus(await git.ok(args, placeOf(workspace, { env: { GIT_OPTIONAL_LOCKS: '1' } })));
  const stray = await straySubmodules(git, workspace.path, headOf(workspace) ?? '');
  const unholdable = [...nested, ...stray.map((name) => ({ name, why: 'the folder of a submodule, with files in it' }))];
  const readable = paths.filter((change) => change.kind === 'removed' || isReadable(fileOf(workspace, change)));
  if (readable.length === paths.length) return { paths, unholdable };
  const unreadable = paths.filter((change) => !readable.includes(change)).map(({ name }) => ({ name, why: 'a file that we may not read' }));
  return { paths: readable, unholdable: [...unholdable, ...unreadable] };
}

/** The index of the last tree that was built, beside our own. */
export function builtIndex(workspace: Workspace): string {
  return join(workspace.dir, 'index.built');
}

/** The tree of our index with these paths as they are in the folder; its index stays at `builtIndex`. */
export async function buildTree(git: Git, workspace: Workspace, paths: readonly Change[]): Promise<string> {
  const notes = join(workspace.dir, 'built.json');
  const index = builtIndex(workspace);
  const key = keyOf(workspace, paths);
  const last = readJson(notes) as { key: string; tree: string } | undefined;
  if (last?.key === key && existsSync(index)) return last.tree;
  rmSync(notes, { force: true });
  const tree = await writeTree(git, workspace, paths, index);
  writeWhole(notes, JSON.stringify({ key, tree }));
  return tree;
}

/** The same files with the same stamps make the same tree; taken before git reads them. */
function keyOf(workspace: Workspace, paths: readonly Change[]): string {
  const hash = createHash('sha256').update(headOf(workspace) ?? '');
  for (const change of paths) {
    const stat = lstatSync(fileOf(workspace, change), { bigint: true, throwIfNoEntry: false });
    hash.update(change.raw).update(`\0${change.kind} ${stat ? [stat.ino, stat.mode, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ') : ''}\0`);
  }
  return hash.digest('hex');
}

async function writeTree(git: Git, workspace: Workspace, paths: readonly Change[], index: string): Promise<string> {
  await freeIndex(workspace, index);
  copyIndex(join(workspace.dir, 'index'), index);
  const place = placeOf(workspace, { index });
  const beyond = paths.filter((change) => (change.kind === 'removed' ? isBeyondLink(workspace.path, change.name) : isSpecial(fileOf(workspace, change))));
  const direct = paths.filter((change) => !beyond.includes(change));
  if (beyond.length > 0) {
    const zero = '0'.repeat(headOf(workspace)?.length ?? 40);
    const lines = beyond.map((change) => Buffer.concat([Buffer.from(`0 ${zero}\t`), change.raw, Buffer.from([0])]));
    await git.ok(['update-index', '-z', '--index-info'], { ...place, input: Buffer.concat(lines) });
  }
  if (direct.length > 0) {
    const input = Buffer.concat(direct.flatMap((change) => [change.raw, Buffer.from([0])]));
    await git.ok(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], { ...place, input });
  }
  return (await git.ok(['write-tree'], place)).toString('utf8').trim();
}

/** Tracked files become those of `commit`, whatever they are now; new and ignored files stay. */
export async function moveTo(git: Git, workspace: Workspace, commit: string, tree = commit): Promise<void> {
  await freeIndex(workspace);
  await git.ok(['read-tree', '--reset', '-u', '--no-recurse-submodules', tree], placeOf(workspace));
  if (tree !== commit) await git.ok(['read-tree', '--reset', commit], placeOf(workspace));
  setPrivateHead(workspace.dir, commit);
}

/** Removes new files that git does not ignore, save for `keep`; nested repositories stay. */
export function removeNew(workspace: Workspace, changes: Changes, keep: ReadonlySet<string>): void {
  for (const change of changes.paths) {
    if (change.kind !== 'new' || keep.has(change.name)) continue;
    try {
      unlinkSync(fileOf(workspace, change));
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    removeEmptyParents(workspace.path, change.name);
  }
}

/** Makes our index anew where it was lost: from `commit`, then compared with the files. */
export async function restoreIndex(git: Git, workspace: Workspace, commit: string): Promise<void> {
  git.privateDir(workspace.dir, commit);
  await freeIndex(workspace);
  await git.ok(['read-tree', '--reset', commit], placeOf(workspace));
}

/** A lock on one of our own indexes was left by a git that was killed with an earlier daemon. */
async function freeIndex(workspace: Workspace, index = join(workspace.dir, 'index')): Promise<void> {
  const lock = `${index}.lock`;
  if (existsSync(lock) && !(await removeIfAbandoned(lock, [workspace.dir], 0))) throw new Error(`git is still at work in ${workspace.path} (${lock})`);
}

function parseStatus(output: Buffer): Changes {
  const paths: Change[] = [];
  const unholdable: Unholdable[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0, at);
    const code = output.toString('latin1', at, at + 2);
    const raw = output.subarray(at + 3, end);
    at = end + 1;
    const name = raw.toString('utf8');
    if (name.endsWith('/')) unholdable.push({ name: name.slice(0, -1), why: 'a repository of its own' });
    else if (code === '??') paths.push({ name, raw, kind: 'new' });
    else paths.push({ name, raw, kind: code.includes('D') && !code.startsWith('U') ? 'removed' : 'changed' });
  }
  return { paths, unholdable };
}

/** By its bytes: a name need not be UTF-8. */
export function fileOf(workspace: Workspace, change: Change): Buffer {
  return Buffer.concat([Buffer.from(`${workspace.path}/`), change.raw]);
}

function isReadable(file: Buffer): boolean {
  try {
    if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return true;
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A pipe or socket in the place of a file: to git, the file is gone. */
function isSpecial(file: Buffer): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isSymbolicLink() && !stat.isDirectory();
}

function isBeyondLink(top: string, name: string): boolean {
  const parts = name.split('/');
  for (let i = 1; i < parts.length; i += 1) {
    const stat = lstatSync(join(top, ...parts.slice(0, i)), { throwIfNoEntry: false });
    if (!stat) return false;
    if (stat.isSymbolicLink()) return true;
  }
  return false;
}

function removeEmptyParents(top: string, name: string): void {
  for (let folder = dirname(name); folder !== '.' && folder !== sep; folder = dirname(folder)) {
    try {
      rmdirSync(join(top, folder));
    } catch {
      // Not empty.
      return;
    }
  }
}
