/**
 * The entries under `.git/worktrees`: which work tree belongs to which, what its HEAD says, and setting that HEAD.
 * Files of git's documented layout, written as git writes them (lock, then rename). Never starts a git.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

export type Worktree = {
  readonly path: string;
  /** Its own git directory: an entry under `.git/worktrees`, or `.git` itself for the main worktree. */
  readonly admin: string;
  readonly head: Head;
};

export type Head = { readonly ref: string } | { readonly commit: string } | undefined;

export function readHead(admin: string): Head {
  const text = readText(join(admin, 'HEAD'))?.trim() ?? '';
  if (text.startsWith('ref: ')) return { ref: text.slice(5).trim() };
  return /^[0-9a-f]{40,64}$/.test(text) ? { commit: text } : undefined;
}

/** The main worktree and every linked one that git knows and whose folder is there. */
export function listWorktrees(commonDir: string, top: string): Worktree[] {
  const linked = listAdmins(commonDir).flatMap((admin) => {
    const path = pathOf(admin);
    return path !== undefined && existsSync(path) ? [{ path, admin, head: readHead(admin) }] : [];
  });
  return [{ path: top, admin: commonDir, head: readHead(commonDir) }, ...linked];
}

/** How a person gets to a branch: git does not switch to one that another worktree has checked out. */
export function wayTo(commonDir: string, branch: string): string {
  const holder = listAdmins(commonDir).find((admin) => {
    const head = readHead(admin);
    return head && 'ref' in head && head.ref === `refs/heads/${branch}` && existsSync(pathOf(admin) ?? '');
  });
  return holder === undefined ? `git switch ${branch}` : `cd ${pathOf(holder)}`;
}

export function listAdmins(commonDir: string): string[] {
  const folder = join(commonDir, 'worktrees');
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** The folder that an entry belongs to; undefined where the entry is half made. */
export function pathOf(admin: string): string | undefined {
  const text = readText(join(admin, 'gitdir'))?.trim();
  return text === undefined || text === '' ? undefined : dirname(isAbsolute(text) ? text : resolve(admin, text));
}

/** The entry that a folder's `.git` file names, if that is one of this repository. */
export function adminOf(commonDir: string, path: string): string | undefined {
  const text = readText(join(path, '.git'));
  const named = text !== undefined && text.startsWith('gitdir: ') ? text.slice(8).trim() : undefined;
  if (named === undefined) return undefined;
  const admin = resolve(path, named);
  return dirname(admin) === join(commonDir, 'worktrees') ? admin : undefined;
}

/** The entry is whole, and it and the folder name each other. */
export function isWhole(commonDir: string, path: string, admin: string | undefined): admin is string {
  if (admin === undefined || adminOf(commonDir, path) !== admin) return false;
  const named = pathOf(admin);
  return named !== undefined && real(named) === real(path) && readHead(admin) !== undefined && existsSync(join(admin, 'commondir'));
}

/** Puts a folder and its entry back together, the entry made anew where it is gone. */
export function mendAdmin(commonDir: string, path: string, known: string | undefined, commit: string): string {
  const usable = known !== undefined && dirname(known) === join(commonDir, 'worktrees') && (!existsSync(known) || isFor(known, path));
  const admin = usable ? known : freeEntry(commonDir, path);
  mkdirSync(admin, { recursive: true });
  writeFileSync(join(admin, 'commondir'), '../..\n');
  writeFileSync(join(admin, 'gitdir'), `${join(path, '.git')}\n`);
  rmSync(join(admin, 'locked'), { force: true });
  setHead(admin, commit);
  // An agent may have put a folder there: a repository of its own.
  rmSync(join(path, '.git'), { recursive: true, force: true });
  writeFileSync(join(path, '.git'), `gitdir: ${admin}\n`);
  return admin;
}

/** HEAD of a worktree: a branch's full name as `ref: …`, or a commit. */
export function setHead(admin: string, value: string): void {
  const lock = join(admin, 'HEAD.lock');
  rmSync(lock, { force: true });
  if (lstatSync(join(admin, 'HEAD'), { throwIfNoEntry: false })?.isFile() && readText(join(admin, 'HEAD')) === `${value}\n`) return;
  const handle = openSync(lock, 'wx');
  try {
    writeFileSync(handle, `${value}\n`);
  } finally {
    closeSync(handle);
  }
  renameSync(lock, join(admin, 'HEAD'));
}

/** The agent's view of the workspace becomes ours: HEAD, index, nothing in progress. */
export function publish(admin: string, head: string, index: string): void {
  const there = new Set(readdirSync(admin));
  for (const name of IN_PROGRESS) if (there.has(name)) rmSync(join(admin, name), { recursive: true, force: true });
  if (!isCopy(index, join(admin, 'index'))) {
    const beside = join(admin, 'index.lock');
    copyIndex(index, beside);
    renameSync(beside, join(admin, 'index'));
  }
  setHead(admin, head);
}

/** As `copyIndex` would make it. */
function isCopy(from: string, to: string): boolean {
  const [one, other] = [statSync(from), lstatSync(to, { throwIfNoEntry: false })];
  if (other?.size !== one.size || !other.isFile() || Math.round(other.mtimeMs) !== Math.floor(one.mtimeMs)) return false;
  return readFileSync(from).equals(readFileSync(to));
}

/**
 * A copy of an index with the time of the original: git compares a file's content where the file is not older than
 * the index, and a younger copy would have it trust stamps that it must not.
 */
export function copyIndex(from: string, to: string): void {
  const seconds = Math.floor(statSync(from).mtimeMs) / 1000;
  copyFileSync(from, to);
  utimesSync(to, seconds, seconds);
}

/** A header and a checksum. */
const INDEX_BYTES_MIN = 32;

/** An index that is not there, or not whole: git ends it with its checksum, or with zeros where it is told to. */
export function isTorn(index: string): boolean {
  try {
    const bytes = readFileSync(index);
    const isWholeBy = (algorithm: string, size: number): boolean => {
      const sum = bytes.subarray(-size);
      return sum.every((byte) => byte === 0) || createHash(algorithm).update(bytes.subarray(0, -size)).digest().equals(sum);
    };
    return bytes.length < INDEX_BYTES_MIN || !(isWholeBy('sha1', 20) || isWholeBy('sha256', 32));
  } catch {
    return true;
  }
}

/** What git is in the middle of, or undefined. */
export function operationIn(admin: string): string | undefined {
  return IN_PROGRESS.find((name) => !TRACES.has(name) && existsSync(join(admin, name)));
}

const IN_PROGRESS = [
  'index.lock',
  'MERGE_HEAD',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'BISECT_LOG',
  'rebase-merge',
  'rebase-apply',
  'MERGE_MSG',
  'MERGE_MODE',
  'AUTO_MERGE',
  'HEAD.lock',
  'sequencer',
];
/** Left by operations that are over. */
const TRACES = new Set(['MERGE_MSG', 'MERGE_MODE', 'AUTO_MERGE']);

function isFor(admin: string, path: string): boolean {
  const named = pathOf(admin);
  return named === undefined || real(named) === real(path);
}

const MOST_ENTRIES = 1_000;

function freeEntry(commonDir: string, path: string): string {
  const name = basename(path).replaceAll(/[^A-Za-z0-9._-]/g, '-');
  for (let i = 0; i < MOST_ENTRIES; i += 1) {
    const admin = join(commonDir, 'worktrees', i === 0 ? name : `${name}${i}`);
    if (!existsSync(admin) || pathOf(admin) === path) return admin;
  }
  throw new Error(`no free entry for ${path} under ${join(commonDir, 'worktrees')}`);
}

function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function readText(file: string): string | undefined {
  try {
    return statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
