/**
 * Merges the base into a section's branch, or that into the base (4-R10): two parents, made by plumbing, never a rebase of what
 * has landed. Moves a branch only by compare-and-swap; worktrees that have it checked out follow, also after a crash in between.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Advanced, Log, Merged, Merging, MergeWay, Unmergeable } from '../engine/ports.ts';
import { follow, type Followers, followersOf, type Overlooked } from './followers.ts';
import { GitFailed, type Git } from './git.ts';
import type { Identity } from './repo.ts';
import type { Sections } from './sections.ts';
import { readRecord } from './workspace.ts';
import { workspaceAt, workspacePath } from './workspaces.ts';
import { listWorktrees, readHead, wayTo } from './worktree-admin.ts';

export type MergeOptions = {
  readonly git: Git;
  readonly sections: Sections;
  readonly top: string;
  readonly trees: string;
  /** As in the config: a branch, or any commit. */
  readonly base: string | undefined;
  readonly list: string | undefined;
  readonly identity: Identity;
  readonly sign: boolean;
  readonly log: Log;
};

/** Both sides of a merge: `into` moves. */
export type Sides = {
  readonly into: { readonly ref: string; readonly name: string; readonly tip: string };
  readonly from: { readonly name: string; readonly tip: string };
};

const SIGN_LIMIT_MS = 30_000;
const SHOWN_FILES = 10;

export async function mergeBranches(options: MergeOptions, section: string, way: MergeWay): Promise<Merging> {
  const sides = await sidesOf(options, section, way);
  if ('kind' in sides) return sides;
  const moved = way === 'sync' ? await movedByOthers(options, section, sides.into.tip) : undefined;
  if (moved) return moved;
  const { into, from } = sides;
  const said = `merged ${from.name} (${short(from.tip)}) into ${into.name}`;
  if (await isAncestor(options.git, from.tip, into.tip)) {
    await catchUp(options, into.ref, into.tip);
    return { kind: 'current', message: `${into.name} holds all of ${from.name} (${short(from.tip)})` };
  }
  // Nothing of its own: it goes along, as git's own merge does.
  if (await isAncestor(options.git, into.tip, from.tip))
    return { kind: 'merged', branch: into.ref, tip: into.tip, commit: from.tip, message: `${said}: moved forward to ${short(from.tip)}` };
  const merged = await mergeTree(options.git, into.tip, from.tip);
  if (merged.kind === 'conflict') return conflictOf(options.git, sides, section, way, merged.files);
  const commit = await mergeCommit(options, sides, merged.tree);
  return typeof commit === 'string' ? { kind: 'merged', branch: into.ref, tip: into.tip, commit, message: `${said}: ${short(commit)}` } : commit;
}

export async function advanceBranch(options: MergeOptions, section: string, way: MergeWay, merged: Merged): Promise<Advanced> {
  const { git, sections, log } = options;
  const found = await followersOf(git, options.top, merged.branch, merged.commit, overlooked(options));
  if (found.kind === 'busy') return found;
  const marks = [{ ref: movedRef(merged.branch), to: merged.tip }, ...(way === 'sync' ? [{ ref: sections.tipRef(section), to: merged.commit }] : [])];
  const moved = await git.refs.move([{ ref: merged.branch, to: merged.commit, old: merged.tip }, ...marks]);
  if (moved.kind === 'stale') return { kind: 'moved' };
  if (moved.kind !== 'moved') return { kind: 'busy', message: moved.message };
  await follow(git, found.followers, merged.commit, log);
  await git.run(['update-ref', '-d', movedRef(merged.branch)]);
  return { kind: 'landed', commit: merged.commit, hash: await git.objects.abbreviation(merged.commit), below: [] };
}

/** Where the branches stand, or why there is nothing to merge. */
export async function sidesOf(options: MergeOptions, section: string, way: MergeWay): Promise<Sides | Unmergeable> {
  const { git, sections } = options;
  const ref = sections.branch(section);
  const branch = { ref, name: ref.replace('refs/heads/', ''), tip: await sections.tip(section) };
  if (branch.tip === undefined)
    return { kind: 'refused', message: `the section has no branch ${branch.name} yet`, remedy: 'it is made when its first task is begun: todone start' };
  const base = await baseOf(options);
  if (base === undefined)
    return { kind: 'refused', message: `the base ${options.base ?? 'HEAD'} is no commit`, remedy: 'set base in the config to the name of a branch' };
  if (base.ref === ref)
    return {
      kind: 'refused',
      message: `${branch.name} is itself the base: it is checked out in ${options.top}`,
      remedy: 'set base in the config, or check out another branch',
    };
  if (way === 'sync') return { into: { ...branch, tip: branch.tip }, from: base };
  if (base.ref === undefined)
    return {
      kind: 'refused',
      message: `the base ${base.name} is no branch of this repository, so nothing can land on it`,
      remedy: 'set base in the config to the name of a branch',
    };
  // What an agent may have put on the branch in the meantime has been checked by nobody.
  const moved = await movedByOthers(options, section, branch.tip);
  const into = { ref: base.ref, name: base.name, tip: (await git.objects.commitId(base.ref)) ?? base.tip };
  return moved ?? { into, from: { name: branch.name, tip: branch.tip } };
}

/** Its short name, where the base is a branch. */
export function baseBranchOf({ git, base }: Pick<MergeOptions, 'git' | 'base'>): string | undefined {
  const head = readHead(git.commonDir);
  return base ?? (head && 'ref' in head ? head.ref.replace('refs/heads/', '') : undefined);
}

async function baseOf({ git, base, sections }: MergeOptions): Promise<{ ref: string | undefined; name: string; tip: string } | undefined> {
  const head = readHead(git.commonDir);
  const named = base === undefined ? (head && 'ref' in head ? head.ref : undefined) : `refs/heads/${base}`;
  const tip = named === undefined ? undefined : await git.objects.commitId(named);
  if (named !== undefined && tip !== undefined) return { ref: named, name: named.replace('refs/heads/', ''), tip };
  const commit = await sections.baseCommit();
  return commit === undefined ? undefined : { ref: undefined, name: base ?? 'HEAD', tip: commit };
}

/** While a task is in a workspace, a branch that landing did not leave there may be an agent's doing: its landing looks into it. */
export async function movedByOthers(options: MergeOptions, section: string, tip: string): Promise<Unmergeable | undefined> {
  const { git, sections } = options;
  const known = await git.objects.commitId(sections.tipRef(section));
  if (known === undefined || known === tip) return undefined;
  const first = workspacePath(options.trees, section, 1);
  const worked = listWorktrees(git.commonDir, options.top).find(({ path }) => (path === first || path.startsWith(`${first}~`)) && isInUse(git, path));
  if (!worked) return undefined;
  return {
    kind: 'busy',
    message: `the branch of ${section} was moved by somebody else while a task is being worked on in ${worked.path}`,
    remedy: 'its landing looks into that; it is tried again by itself',
  };
}

function isInUse(git: Git, path: string): boolean {
  const record = readRecord(workspaceAt(git.home, path));
  return record !== undefined && record.left === undefined;
}

const overlooked = (options: MergeOptions, behind?: string): Overlooked => ({ list: options.list, isOurs: (path) => isInUse(options.git, path), behind });

/** The worktrees that would have to follow a branch, or the one in the way. */
export function usersOf(options: MergeOptions, into: { readonly ref: string; readonly tip: string }): Promise<Followers> {
  return followersOf(options.git, options.top, into.ref, into.tip, overlooked(options));
}

/** Killed after the branch had moved and before its worktrees had: they follow now. */
async function catchUp(options: MergeOptions, ref: string, tip: string): Promise<void> {
  const { git } = options;
  const behind = await git.objects.commitId(movedRef(ref));
  if (behind === undefined) return;
  const found = await followersOf(git, options.top, ref, tip, overlooked(options, behind));
  if (found.kind === 'ready') await follow(git, found.followers, tip, options.log);
  await git.run(['update-ref', '-d', movedRef(ref)]);
}

/** Where a branch that is just being moved came from. */
const movedRef = (ref: string): string => `refs/todone/moving/${createHash('sha256').update(ref).digest('hex').slice(0, 16)}`;

function conflictOf(git: Git, sides: Sides, section: string, way: MergeWay, files: readonly string[]): Merging {
  const { into, from } = sides;
  const shown = files.slice(0, SHOWN_FILES).join(', ') + (files.length > SHOWN_FILES ? ` and ${files.length - SHOWN_FILES} more` : '');
  return {
    kind: 'conflict',
    message: `${from.name} (${short(from.tip)}) and ${into.name} (${short(into.tip)}) both changed ${shown}: nothing was moved`,
    remedy: `merge by hand (${wayTo(git.commonDir, into.name)} && git merge ${from.name}, settle the files, commit), then: todone ${way} ${section}`,
  };
}

async function mergeCommit(options: MergeOptions, { into, from }: Sides, tree: string): Promise<string | Unmergeable> {
  const { name, email } = options.identity;
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const args = ['commit-tree', ...(options.sign ? ['-S'] : []), '-p', into.tip, '-p', from.tip, '-F', '-', tree];
  const input = `Merge branch '${from.name}' into ${into.name}\n`;
  const made = await options.git.run(args, { input, env, timeoutMs: options.sign ? SIGN_LIMIT_MS : undefined });
  if (made.code === 0) return made.stdout.toString('utf8').trim();
  if (!options.sign) throw new GitFailed(args, made);
  const why = made.timedOut ? 'nobody gave the passphrase in time' : made.stderr.trim().split('\n').slice(0, 3).join('; ');
  return {
    kind: 'busy',
    message: `the merge cannot be signed, as your global git config asks (commit.gpgSign): ${why}`,
    remedy: 'unlock the key, or set sign: never',
  };
}

export type MergedTree = { readonly kind: 'clean'; readonly tree: string } | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** `env`: where objects go, for a look that leaves nothing behind. */
export async function mergeTree(git: Git, ours: string, theirs: string, env: Readonly<Record<string, string>> = {}): Promise<MergedTree> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs];
  const result = await git.run(args, { dir: join(git.home, 'hub'), env });
  if ((result.code !== 0 && result.code !== 1) || result.truncated) throw new GitFailed(['merge-tree'], result);
  const [tree = '', ...files] = result.stdout
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
  return result.code === 0 ? { kind: 'clean', tree: tree.trim() } : { kind: 'conflict', files: [...new Set(files)] };
}

export async function isAncestor(git: Git, commit: string, of: string): Promise<boolean> {
  return commit === of || (await git.run(['merge-base', '--is-ancestor', commit, of])).code === 0;
}

const SHORT_CHARS = 7;
const short = (commit: string): string => commit.slice(0, SHORT_CHARS);
