/**
 * Gathers for the oracle what is to be seen on a real machine: the list and what lies beside it, its versions, git, and the
 * processes with ToDone's mark. Only reads. Git is asked without any config of the repository's that runs programs.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { GitFacts, Landed, Living, Version } from './oracle.ts';

/** Of the list at `path`; `stateDir` = `<git common dir>/todone`. */
export function collectList(
  path: string,
  stateDir: string,
): { readonly list: string | undefined; readonly archive: readonly Version[]; readonly litter: readonly string[] } {
  const real = existsSync(path) ? realpathSync(path) : path;
  const versions = join(stateDir, 'versions');
  return {
    list: textOf(path),
    archive: namesIn(versions).map((name) => ({ name, text: textOf(join(versions, name)) ?? '' })),
    litter: namesIn(dirname(real)).filter((name) => name.startsWith('.todone-') || name === `${basename(real)}.lock`),
  };
}

/** Section branches are `<prefix><section>`; `list` (relative to `top`) is left out of the main checkout's state. */
export function collectGit(top: string, list = 'tasks.md', prefix = 'todone/'): GitFacts {
  const common = git(top, 'rev-parse', '--path-format=absolute', '--git-common-dir').trim();
  const refs = git(top, 'for-each-ref', '--format=%(refname) %(objectname)')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ') as [string, string]);
  const branches = refs.flatMap(([name]) => (name.startsWith(`refs/heads/${prefix}`) ? [name] : []));
  return {
    branches,
    landed: branches.length === 0 ? [] : landedOn(top, branches),
    guarded: guardedOf(
      top,
      common,
      list,
      refs.filter(([name]) => !branches.includes(name) && !name.startsWith('refs/todone/')),
    ),
    litter: gitLitter(top, common),
  };
}

/** Living processes with ToDone's mark, of all owners or only where it begins like `begin` (Linux). */
export function collectProcesses(begin = ''): Living[] {
  return namesIn('/proc').flatMap((pid) => {
    const run = /^\d+$/.test(pid) ? markOf(pid) : undefined;
    if (run === undefined || !run.startsWith(begin)) return [];
    return [{ pid: Number(pid), run, task: /-([g-z][0-9a-z]{7})-\d+$/.exec(run)?.[1] ?? run }];
  });
}

// ── git ──────────────────────────────────────────────────────────────────────────────────────────

function git(top: string, ...args: readonly string[]): string {
  const quiet = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat', '--no-optional-locks'];
  return execFileSync('git', [...quiet, ...args], { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 256 * 1024 * 1024 });
}

function landedOn(top: string, branches: readonly string[]): Landed[] {
  const log = git(top, 'log', '--format=%H %(trailers:key=ToDone-Task,valueonly,separator=%x20)', ...branches, '--');
  return log.split('\n').flatMap((line) => {
    const [commit = '', ...tasks] = line.trim().split(' ').filter(Boolean);
    return tasks.map((task) => ({ commit, task }));
  });
}

function guardedOf(top: string, common: string, list: string, refs: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const state = git(top, 'status', '--porcelain=v1', '--untracked-files=all', '--', '.', `:(exclude)${list}`, ':(exclude)trees');
  const guarded = new Map<string, string>([
    ['HEAD', textOf(join(common, 'HEAD')) ?? ''],
    ['config', textOf(join(common, 'config')) ?? ''],
    ['main checkout', state],
    ...refs,
  ]);
  for (const path of filesBelow(join(common, 'hooks'))) guarded.set(relative(common, path), hashOf(path));
  return guarded;
}

/** Lock files anywhere in the git directory, and worktree entries without their folder. */
function gitLitter(top: string, common: string): string[] {
  const locks = filesBelow(common)
    .map((path) => relative(common, path))
    .filter((path) => (path.endsWith('.lock') || path === 'packed-refs.new') && !path.startsWith('todone/'));
  const gone = git(top, 'worktree', 'list', '--porcelain')
    .split('\n\n')
    .filter((entry) => /^prunable/m.test(entry))
    .map((entry) => `worktree entry without its folder: ${/^worktree (.*)$/m.exec(entry)?.[1] ?? ''}`);
  return [...locks, ...gone];
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────

/** Undefined where it cannot be read: gone, or somebody else's. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function filesBelow(folder: string): string[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'objects') return [];
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesBelow(path) : [path];
  });
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

function markOf(pid: string): string | undefined {
  // A zombie is nobody: its parent has only not asked yet.
  if (/^\d+ \(.*\) Z /s.test(textOf(`/proc/${pid}/stat`) ?? '')) return undefined;
  return /(?:^|\0)TODONE_RUN=([^\0]*)/.exec(textOf(`/proc/${pid}/environ`) ?? '')?.[1];
}
