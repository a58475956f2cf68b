/**
 * The port Landing on git (4-R6, 4-R8, 4-R9): one commit from the files of a workspace, by plumbing on a private index,
 * so that whatever the agent did to its own git state does not matter. Never moves a branch but by compare-and-swap.
 */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Advanced, Landing, LandingOrder, Layer, Log, Squashed } from '../engine/ports.ts';
import { shortageIn } from '../runs/shortage.ts';
import { commitMessage } from './commit-message.ts';
import { follow, followersOf, type Overlooked } from './followers.ts';
import { settleBranch } from './intruders.ts';
import { GitFailed, type Git } from './git.ts';
import { landedRef, openProver, type Prover } from './proof.ts';
import type { Identity } from './repo.ts';
import { protectedPaths, screen, type Screened, type ScreeningRules } from './screening.ts';
import type { Sections } from './sections.ts';
import { commitTree, mergeOnto, moveSnapshot, snapshotRef } from './snapshots.ts';
import { movedSubmodules } from './submodules.ts';
import { forgetSquashed, rememberSquashed, takeSquashed } from './squashed.ts';
import {
  buildTree,
  isThere,
  moveTo,
  placeOf,
  readChanges,
  readRecord,
  removeNew,
  restoreIndex,
  writeRecord,
  type Change,
  type Workspace,
  type WorkspaceRecord,
} from './workspace.ts';
import { isWhole, mendAdmin, publish } from './worktree-admin.ts';
import { workspaceAt } from './workspaces.ts';

export type LandingOptions = {
  readonly git: Git;
  readonly sections: Sections;
  /** The main worktree. */
  readonly top: string;
  /** The list, from the top of the repository; undefined where it lies outside. */
  readonly list: string | undefined;
  readonly protected: readonly string[];
  readonly maxFileBytes: number;
  readonly secretsIn: (text: string) => string | undefined;
  readonly identity: Identity;
  /** `sign: auto`, and the person's global config signs. */
  readonly sign: boolean;
  readonly log: Log;
};

type Use = LandingOptions & { readonly rules: ScreeningRules; readonly prover: Prover };

const SIGN_LIMIT_MS = 30_000;
const EVIDENCE_CHARS = 12_000;
const FILE_CHARS = 4_000;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const SHOWN_REFUSALS = 10;

type Recovery = {
  /** Killed after a branch had moved, and nobody is left who knows of that landing: what has the branch checked out follows it now. */
  follow(sections: readonly string[]): Promise<void>;
};

export function openLanding(options: LandingOptions): Landing & Recovery {
  const rules = { list: options.list, isProtected: protectedPaths(options.protected), maxFileBytes: options.maxFileBytes, secretsIn: options.secretsIn };
  const use: Use = { ...options, rules, prover: openProver(options.git, options.sections) };
  const inTurn = <T>(path: string, work: () => Promise<T>): Promise<T> => options.git.inTurn(workspaceAt(options.git.home, path).dir, work);
  return {
    async squash(order, onto) {
      try {
        return await inTurn(order.workspace, () => squash(use, order, onto));
      } catch (error) {
        // What git refuses to take in (an unreadable file, a path that no system should hold) is the work's fault; a full disk is not.
        if (error instanceof GitFailed && error.result.code !== undefined && shortageIn(error) === undefined)
          return { kind: 'refused', message: error.message };
        throw error;
      }
    },
    preflight: (order) => inTurn(order.workspace, () => preflight(use, order)),
    checkout: (path, commit, own) => inTurn(path, () => checkout(use, path, commit, own)),
    reword: (_order, squashed, message) => reword(use, squashed, message),
    // Serial per branch.
    advance: (order, tip, commit, below = []) => options.git.inTurn(order.section, () => advance(use, tip, [...below, { order, commit }])),
    proof: (section, id, hash) => use.prover.proof(section, id, hash),
    async follow(sections) {
      for (const section of sections) {
        const tip = await use.sections.tip(section);
        if (tip !== undefined) await use.git.inTurn(section, () => followTo(use, section, tip));
      }
    },
  };
}

async function squash(use: Use, order: LandingOrder, onto?: string): Promise<Squashed> {
  const { git, sections } = use;
  const workspace = workspaceAt(git.home, order.workspace);
  const record = readRecord(workspace);
  const tip = await settleBranch(git, sections, order, order.start, record?.admin, use.log);
  const landed = await use.prover.landedSince(order.id, order.start, tip);
  if (landed !== undefined) return alreadyLanded(use, order, landed, tip);
  const start = await git.objects.commit(order.start);
  if (!isThere(order.workspace)) return { kind: 'refused', message: `the workspace ${order.workspace} is gone`, lost: true };
  if (!start) return { kind: 'refused', message: `the commit ${order.start} that the work began from is gone from the repository` };

  forgetSquashed(workspace);
  if (!existsSync(join(workspace.dir, 'index'))) await restoreIndex(git, workspace, order.start);
  if (record?.work !== undefined) await putBack(use, workspace, record, record.work);
  const screened = await screenChanges(use, workspace, record, order.start);
  if (screened.refusals.length > 0) return { kind: 'refused', message: refusalMessage(screened) };
  const tree = await buildTree(git, workspace, screened.accepted);
  const notes = screened.leftOut.filter((left) => !left.silent).map((left) => `left out of the commit: ${left.name} (${left.why})`);
  if (tree === start.tree) return { kind: 'empty', tip, notes };

  const message = commitMessage(order.message, order.title, order);
  const secret = use.secretsIn(message);
  if (secret !== undefined) return { kind: 'refused', message: `not landed: the commit message seems to hold a secret: ${secret}` };
  const leftOut = screened.leftOut.length > 0;
  const below = onto ?? tip;
  if (below === order.start) {
    const made = await engineersCommit(use, tree, tip, message);
    if (typeof made !== 'string') return made;
    rememberSquashed(workspace, { commit: made, tree, leftOut });
    return { kind: 'commit', commit: made, tree, tip, own: made, notes };
  }
  const own = await commitTree(git, tree, [order.start], message);
  const merged = await mergeOnto(git, workspace, below, own);
  if (merged.kind === 'conflict') return onto === undefined ? giveBack(use, order, workspace, record, { own, tip, ...merged }) : { kind: 'apart' };
  if (merged.tree === (await git.objects.commit(below))?.tree) return onto === undefined ? { kind: 'empty', tip, notes } : { kind: 'apart' };
  const made = await engineersCommit(use, merged.tree, below, message);
  if (typeof made !== 'string') return made;
  rememberSquashed(workspace, { commit: own, tree, leftOut });
  return { kind: 'commit', commit: made, tree: merged.tree, tip, own, notes };
}

async function reword(use: Use, squashed: Extract<Squashed, { kind: 'commit' }>, message: string): Promise<Squashed> {
  const secret = use.secretsIn(message);
  if (secret !== undefined) return { kind: 'refused', message: `not landed: a hook put what seems to be a secret into the commit message: ${secret}` };
  const below = (await use.git.objects.commit(squashed.commit))?.parents[0];
  if (below === undefined) throw new Error(`there is no commit ${squashed.commit}`);
  const made = await engineersCommit(use, squashed.tree, below, message);
  return typeof made === 'string' ? { ...squashed, commit: made } : made;
}

/** Cheap: nothing is built where nothing has landed since. */
async function preflight(use: Use, order: LandingOrder): Promise<Extract<Squashed, { kind: 'conflict' }> | undefined> {
  const { git, sections } = use;
  const tip = await sections.tip(order.section);
  if (tip === undefined || tip === order.start || !isThere(order.workspace)) return undefined;
  const workspace = workspaceAt(git.home, order.workspace);
  const record = readRecord(workspace);
  forgetSquashed(workspace);
  if (!existsSync(join(workspace.dir, 'index'))) await restoreIndex(git, workspace, order.start);
  const screened = await screenChanges(use, workspace, record, order.start);
  if (screened.refusals.length > 0) return undefined;
  const own = await commitTree(git, await buildTree(git, workspace, screened.accepted), [order.start], 'ToDone: work so far\n');
  const merged = await mergeOnto(git, workspace, tip, own);
  return merged.kind === 'conflict' ? giveBack(use, order, workspace, record, { own, tip, ...merged }) : undefined;
}

/** Another commit had been checked out to be verified: the work is there again, and what `verify` left is gone. */
async function putBack(use: Use, workspace: Workspace, record: WorkspaceRecord, work: string): Promise<void> {
  await moveTo(use.git, workspace, work);
  removeNew(workspace, await readChanges(use.git, workspace), new Set(record.copies.map((copy) => copy.path)));
  writeRecord(workspace, { ...record, work: undefined });
}

/** Killed after the branch had moved: our own ref is made good, and the worktrees that were to move along do. */
async function alreadyLanded(use: Use, order: LandingOrder, commit: string, tip: string): Promise<Squashed> {
  const { git } = use;
  if ((await git.objects.commitId(landedRef(order.id))) !== commit) await git.refs.move([{ ref: landedRef(order.id), to: commit }]);
  await followTo(use, order.section, tip);
  return { kind: 'landed', commit, hash: await git.objects.abbreviation(commit) };
}

async function followTo(use: Use, section: string, tip: string): Promise<void> {
  const found = await followersOf(use.git, use.top, use.sections.branch(section), tip, overlooked(use));
  if (found.kind === 'ready') await follow(use.git, found.followers, tip, use.log);
}

async function screenChanges(use: Use, workspace: Workspace, record: WorkspaceRecord | undefined, start: string): Promise<Screened> {
  const { git } = use;
  const changes = await readChanges(git, workspace);
  const forced = await forcedIn(git, workspace, record, start);
  const copies = new Set(record?.copies.map((copy) => copy.path));
  const base = async (path: string): Promise<string | undefined> => (await git.objects.blob(`${start}:${path}`, MAX_TEXT_BYTES))?.toString('utf8');
  const screened = await screen(workspace.path, { ...changes, paths: [...changes.paths, ...forced] }, copies, use.rules, base);
  const moved = await movedSubmodules(git, workspace.path, start, placeOf(workspace));
  const leftOut = moved.map((name) => ({ name, why: 'a submodule: what it points to is for a person to commit' }));
  return { ...screened, leftOut: [...screened.leftOut, ...leftOut] };
}

/** Ignored files that the agent put into its own index on purpose (`git add -f`): part of its work, if they are still there. */
async function forcedIn(git: Git, workspace: Workspace, record: WorkspaceRecord | undefined, start: string): Promise<Change[]> {
  const index = join(record?.admin ?? '', 'index');
  // One that has as many bytes as ours has no entry more.
  if (record?.admin === undefined || sizeOf(index) === undefined || sizeOf(index) === sizeOf(join(workspace.dir, 'index'))) return [];
  const listed = await git.run(['ls-files', '-z', '--cached', '--ignored', '--exclude-standard'], placeOf(workspace, { index }));
  if (listed.code !== 0) return [];
  const names = listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
  const forced: Change[] = [];
  for (const name of names) {
    if (!lstatSync(join(workspace.path, name), { throwIfNoEntry: false })?.isFile()) continue;
    if ((await git.objects.info(`${start}:${name}`)) === undefined) forced.push({ name, raw: Buffer.from(name), kind: 'new' });
  }
  return forced;
}

function sizeOf(file: string): number | undefined {
  return lstatSync(file, { throwIfNoEntry: false })?.size;
}

/** The commit as the engineer's, signed where they sign. */
async function engineersCommit(use: Use, tree: string, parent: string, message: string): Promise<string | Squashed> {
  const { name, email } = use.identity;
  if (!use.sign) return use.git.commits.write({ tree, parents: [parent], message, by: { name, email } });
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const args = ['commit-tree', '-S', '-p', parent, '-F', '-', tree];
  const result = await use.git.run(args, { input: message, env, timeoutMs: SIGN_LIMIT_MS });
  if (result.code === 0) return result.stdout.toString('utf8').trim();
  const why = result.timedOut ? 'nobody gave the passphrase in time' : result.stderr.trim().split('\n').slice(0, 3).join('; ');
  return { kind: 'busy', message: `the commit cannot be signed, as your global git config asks (commit.gpgSign): ${why}. Unlock the key, or set sign: never` };
}

type Conflict = { readonly own: string; readonly tip: string; readonly tree: string; readonly files: readonly string[]; readonly messages: string };

/** The workspace goes to the tip with both sides marked in the files, so that the same agent can settle them. */
async function giveBack(
  use: Use,
  order: LandingOrder,
  workspace: Workspace,
  record: WorkspaceRecord | undefined,
  conflict: Conflict,
): Promise<Extract<Squashed, { kind: 'conflict' }>> {
  const { git } = use;
  const ref = snapshotRef({ id: order.id, attempt: order.attempt, label: 'conflict' });
  await moveSnapshot(git, ref, conflict.own);
  await moveTo(git, workspace, conflict.tip, conflict.tree);
  const admin = adminFor(use, workspace, record, conflict.tip);
  if (record) writeRecord(workspace, { ...record, admin, start: conflict.tip });
  publish(admin, conflict.tip, join(workspace.dir, 'index'));

  let evidence = `${conflict.messages}\nThe files are in the workspace with both sides marked; your own version is at ${ref}.\n`;
  for (const name of conflict.files) {
    if (evidence.length > EVIDENCE_CHARS) break;
    const text = (await git.objects.blob(`${conflict.tree}:${name}`, MAX_TEXT_BYTES))?.toString('utf8');
    evidence += `\n== ${name}\n${text === undefined ? '(removed on one side)' : aroundMarkers(text)}\n`;
  }
  const message = `conflict with ${order.section} in ${conflict.files.join(', ')}`;
  return { kind: 'conflict', message, evidence: evidence.slice(0, EVIDENCE_CHARS), start: conflict.tip, kept: ref };
}

function aroundMarkers(text: string): string {
  const at = Math.max(0, text.indexOf('<<<<<<< '));
  return text.slice(at, at + FILE_CHARS);
}

async function checkout(use: Use, path: string, commit: string, own?: string): Promise<void> {
  const { git } = use;
  const workspace = workspaceAt(git.home, path);
  if (!isThere(path)) throw new Error(`the workspace ${path} is gone`);
  const record = readRecord(workspace);
  const target = await git.objects.commit(commit);
  if (!target) throw new Error(`there is no commit ${commit}`);
  // First what the workspace goes back to, then what leads away from it.
  if (record && own !== undefined && record.work !== own) writeRecord(workspace, { ...record, work: own });
  const squashed = takeSquashed(workspace);
  // What runs there from now on may change anything.
  forgetSquashed(workspace);
  const same = squashed?.tree === target.tree;
  if (!existsSync(join(workspace.dir, 'index'))) await restoreIndex(git, workspace, commit);
  if (same) git.privateDir(workspace.dir, commit);
  if (!same || squashed?.leftOut) {
    const copies = new Set(record?.copies.map((copy) => copy.path));
    await moveTo(git, workspace, commit);
    // For a check right after a squash: all that is there is in its commit, save for what was left out.
    if (own === undefined || !squashed || squashed.leftOut) removeNew(workspace, await readChanges(git, workspace), copies);
  }
  const admin = adminFor(use, workspace, record, commit);
  publish(admin, commit, join(workspace.dir, 'index'));
  if (record?.work !== undefined && own === undefined) writeRecord(workspace, { ...record, work: undefined });
}

/** The workspace's entry in the repository, made good where the agent broke it. */
function adminFor(use: Use, workspace: Workspace, record: WorkspaceRecord | undefined, commit: string): string {
  const admin = record?.admin;
  return isWhole(use.git.commonDir, workspace.path, admin) ? admin : mendAdmin(use.git.commonDir, workspace.path, admin, commit);
}

/** `layers`: what lands, oldest first, all of one section. */
async function advance(use: Use, tip: string, layers: readonly Layer[]): Promise<Advanced> {
  const { git, sections, log } = use;
  const { order, commit } = layers.at(-1)!;
  const ref = sections.branch(order.section);
  const now = await sections.tip(order.section);
  const there = now !== undefined && (now === commit || (await use.prover.landedSince(order.id, tip, now)) === commit);
  if (!there && now !== tip) return { kind: 'moved' };
  const goal = there ? now : commit;
  const found = await followersOf(git, use.top, ref, goal, overlooked(use));
  if (found.kind === 'busy' && !there) return found;

  const marks = [...layers.map((layer) => ({ ref: landedRef(layer.order.id), to: layer.commit })), { ref: sections.tipRef(order.section), to: goal }];
  const moves = there ? marks : [{ ref, to: commit, old: tip }, ...marks];
  const moved = await git.inTurn(ref, () => git.refs.move(moves));
  if (moved.kind === 'stale') return { kind: 'moved' };
  if (moved.kind !== 'moved') return { kind: 'busy', message: moved.message };
  if (found.kind === 'ready') await follow(git, found.followers, goal, log);
  const landed: { commit: string; hash: string }[] = [];
  for (const layer of layers) {
    await git.inTurn(workspaceAt(git.home, layer.order.workspace).dir, async () => takeSquashed(workspaceAt(git.home, layer.order.workspace)));
    landed.push({ commit: layer.commit, hash: await git.objects.abbreviation(layer.commit) });
  }
  return { kind: 'landed', ...landed.at(-1)!, below: landed.slice(0, -1) };
}

/** The list changes while we work; and an agent may have checked the branch out in a workspace that a run is in. */
function overlooked(use: Use): Overlooked {
  const isOurs = (path: string): boolean => {
    const record = readRecord(workspaceAt(use.git.home, path));
    return record !== undefined && record.left === undefined;
  };
  return { list: use.list, isOurs };
}

function refusalMessage(screened: Screened): string {
  const shown = screened.refusals.slice(0, SHOWN_REFUSALS);
  const rest = screened.refusals.length - shown.length;
  return `not landed: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
