/**
 * What git ignores but the app needs, copied from the main worktree into a workspace: `.env*` at its top and what
 * `.worktreeinclude` names (4-R4). Never copies what git does not ignore, and never over a file that somebody changed.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Git } from './git.ts';
import type { Copied, Workspace } from './workspace.ts';

export type Copies = { readonly copies: readonly Copied[]; readonly includeMs: number | undefined; readonly notes: readonly string[] };

const INCLUDE_FILE = '.worktreeinclude';
const MOST_COPIES = 2_000;

/** Brings the copies up to date; `known` are those of earlier times. */
export async function refreshCopies(git: Git, top: string, workspace: Workspace, known: readonly Copied[], includeMs: number | undefined): Promise<Copies> {
  const include = statSync(join(top, INCLUDE_FILE), { throwIfNoEntry: false })?.mtimeMs;
  const listed = include !== undefined && include !== includeMs ? await included(git, top) : [];
  const names = new Set([...envFiles(top), ...known.map((copy) => copy.path), ...listed]);
  const due = [...names].filter((name) => isDue(top, workspace.path, name, known));
  const allowed = due.length === 0 ? [] : await ignoredOf(git, top, due);
  const notes: string[] = [];
  if (names.size > MOST_COPIES) notes.push(`${INCLUDE_FILE} names ${names.size} files: only ${MOST_COPIES} were copied`);

  const copies = new Map(known.map((copy) => [copy.path, copy]));
  for (const name of allowed.slice(0, MOST_COPIES)) {
    const copied = copyOne(top, workspace.path, name, copies.get(name));
    if (typeof copied === 'string') notes.push(copied);
    else copies.set(name, copied);
  }
  return { copies: [...copies.values()], includeMs: include, notes };
}

/** Ignored by git in the main worktree and not tracked: what a commit there could not take by accident. */
async function ignoredOf(git: Git, top: string, names: readonly string[]): Promise<string[]> {
  const place = { workTree: top, index: join(git.commonDir, 'index') };
  const result = await git.run(['check-ignore', '-z', '--stdin'], { ...place, input: names.join('\0') });
  return result.code === 0
    ? result.stdout
        .toString('utf8')
        .split('\0')
        .filter((name) => name !== '')
    : [];
}

function envFiles(top: string): string[] {
  return readdirSync(top).filter((name) => name.startsWith('.env'));
}

/** Untracked files that match the patterns; gitignore's syntax, so git itself reads them. */
async function included(git: Git, top: string): Promise<string[]> {
  const args = ['ls-files', '-z', '--others', '--ignored', `--exclude-from=${join(top, INCLUDE_FILE)}`];
  const output = await git.ok(args, { workTree: top, index: join(git.commonDir, 'index') });
  // A name with a slash at its end is a repository of its own.
  return output
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '' && !name.endsWith('/'));
}

function isDue(top: string, workspace: string, name: string, known: readonly Copied[]): boolean {
  const source = statSync(join(top, name), { throwIfNoEntry: false });
  if (!source?.isFile()) return false;
  const before = known.find((copy) => copy.path === name);
  const missing = !lstatSync(join(workspace, name), { throwIfNoEntry: false });
  return missing || before === undefined || before.sourceMs !== source.mtimeMs || before.sourceSize !== source.size;
}

function copyOne(top: string, workspace: string, name: string, before: Copied | undefined): Copied | string {
  const source = join(top, name);
  const target = join(workspace, name);
  const there = lstatSync(target, { throwIfNoEntry: false });
  const untouched = before !== undefined && there?.mtimeMs === before.writtenMs && there.size === before.writtenSize;
  if (there && !untouched) return `${name} in the workspace was left as it is: it was changed there`;
  if (!makeParents(workspace, name)) return `${name} was not copied: its folder in the workspace is a link`;
  const beside = `${target}.${randomUUID()}`;
  try {
    copyFileSync(source, beside);
    chmodSync(beside, statSync(source).mode & 0o7777);
    renameSync(beside, target);
  } finally {
    if (existsSync(beside)) rmSync(beside);
  }
  const from = statSync(source);
  const to = statSync(target);
  return { path: name, sourceMs: from.mtimeMs, sourceSize: from.size, writtenMs: to.mtimeMs, writtenSize: to.size };
}

/** The folder for a copy, unless a link would lead it out of the workspace. */
function makeParents(workspace: string, name: string): boolean {
  const folder = dirname(join(workspace, name));
  let existing = folder;
  while (!lstatSync(existing, { throwIfNoEntry: false })) existing = dirname(existing);
  const real = realpathSync(existing);
  const top = realpathSync(workspace);
  if (real !== top && !real.startsWith(top + sep)) return false;
  mkdirSync(folder, { recursive: true });
  return true;
}
