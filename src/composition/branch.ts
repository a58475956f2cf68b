/**
 * A section's branch for the command line: an errand asked for and awaited, what one would do (looked at with a git that leaves
 * nothing behind), and the branch's diff.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseBranchOf, isAncestor, mergeTree, type MergeOptions, sidesOf, usersOf } from '../adapters/branch-merge.ts';
import { type Git, openGit } from '../adapters/git.ts';
import { planPullRequest } from '../adapters/github.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import type { Redaction } from '../adapters/redact.ts';
import { planPush } from '../adapters/remote.ts';
import { openSections } from '../adapters/sections.ts';
import { wayTo } from '../adapters/worktree-admin.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { Scene } from '../runs/choose.ts';
import { type Errand, errandIn, type ErrandOrder } from '../runs/errand.ts';
import { orderFor } from '../runs/errands.ts';
import { draftOf, worldOf } from '../runs/world.ts';
import type { BranchDiff, BranchPlan, BranchWork } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { Place } from './place.ts';
import { sendAsk } from './requests.ts';
import { withGit } from './with-git.ts';
import { redactionOf } from './redaction.ts';

const LOOK_MS = 100;

type Asking = { readonly place: Place; readonly by: string; readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal };

/** The errand as its first try from now on left it; undefined where the signal came first. */
export async function doErrand(asking: Asking, what: BranchWork, section: string): Promise<Errand | CliFailure | undefined> {
  const answer = await sendAsk({ ...asking, ask: { kind: 'branch', what, section } });
  if (answer.kind !== 'ok') return { kind: 'failure', code: answer.kind === 'refused' ? 3 : 2, message: answer.message, remedy: answer.remedy };
  while (!asking.signal.aborted) {
    const errand = readErrand(asking.place, what, section);
    if (errand && (errand.state !== 'due' || errand.waitUntil !== undefined)) return errand;
    await sleep(LOOK_MS, undefined, { signal: asking.signal }).catch(() => undefined);
  }
  return undefined;
}

function readErrand(place: Place, what: BranchWork, section: string): Errand | undefined {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    return errandIn(draftOf(worldOf(journal.load())), what, section);
  } finally {
    journal.close();
  }
}

// ── what would be done ───────────────────────────────────────────────────────────────────────────

export async function planErrand(place: Place, scene: Scene, what: BranchWork, section: string, signal: AbortSignal): Promise<BranchPlan> {
  const order = orderFor(scene, { section, kind: what, ticket: 0 });
  return withLookingGit(place, (git, objects) => {
    const sections = openSections({ git, branchPrefix: place.config.branchPrefix, base: place.config.base });
    const options = {
      git,
      sections,
      top: place.repo.top,
      trees: resolve(place.repo.top, place.config.trees),
      base: place.config.base,
      list: place.listName,
      identity: place.repo.identity,
      sign: false,
      log: { write: () => undefined },
    };
    return what === 'pr' ? planPr(place, options, order, signal) : planMerge(options, order, what, objects);
  }).then((plan) => redacted(plan, redactionOf(place)));
}

/** URLs may hold passwords. */
function redacted({ would, nothing, blocked: found }: BranchPlan, redaction: Redaction): BranchPlan {
  const clean = (text: string): string => redaction.redact(text);
  return {
    would: would.map(clean),
    nothing: nothing === null ? null : clean(nothing),
    blocked: found && { message: clean(found.message), remedy: clean(found.remedy) },
  };
}

async function planMerge(options: MergeOptions, order: ErrandOrder, way: 'sync' | 'land', objects: Readonly<Record<string, string>>): Promise<BranchPlan> {
  const { git } = options;
  const sides = await sidesOf(options, order.section, way);
  if ('kind' in sides) return blocked(sides.message, sides.remedy);
  const { into, from } = sides;
  if (await isAncestor(git, from.tip, into.tip)) return { would: [], nothing: `${into.name} holds all of ${from.name} (${short(from.tip)})`, blocked: null };
  const ahead = (await git.ok(['rev-list', '--count', from.tip, `^${into.tip}`, '--'])).toString('utf8').trim();
  const commits = `${ahead} ${ahead === '1' ? 'commit' : 'commits'} of ${from.name}`;
  const would: string[] = [];
  if (await isAncestor(git, into.tip, from.tip)) would.push(`move ${into.name} forward from ${short(into.tip)} to ${short(from.tip)} (${commits})`);
  else {
    const merged = await mergeTree(git, into.tip, from.tip, objects);
    if (merged.kind === 'conflict')
      return blocked(
        `${from.name} and ${into.name} both changed ${merged.files.join(', ')}`,
        `merge by hand: ${wayTo(git.commonDir, into.name)} && git merge ${from.name}`,
      );
    would.push(`merge ${from.name} (${short(from.tip)}, ${commits}) into ${into.name} (${short(into.tip)}) with a merge commit`);
  }
  if (order.verify !== undefined) would.push(`run ${order.verify} on the result in a clean checkout, and move ${into.name} only if it passes`);
  const users = await usersOf(options, into);
  if (users.kind === 'busy') return { would, nothing: null, blocked: { message: users.message, remedy: 'commit or stash what is there: it waits until then' } };
  for (const { worktree } of users.followers) would.push(`move ${worktree.path} along, which has ${into.name} checked out`);
  return { would, nothing: null, blocked: null };
}

async function planPr(place: Place, options: MergeOptions, order: ErrandOrder, signal: AbortSignal): Promise<BranchPlan> {
  const redaction: Redaction = redactionOf(place);
  const config = (): Place['config'] => place.config;
  const remote = {
    ...options,
    config,
    epoch: `look${process.pid}`,
    term: 0,
    env: process.env,
    redaction,
    baseBranch: () => baseBranchOf(options),
    looksOnly: true,
  };
  const push = await planPush(remote, order.section, signal);
  if (push.kind === 'later' || push.kind === 'stopped') return blocked(push.message, push.remedy);
  const would =
    push.kind === 'push'
      ? [
          `push ${short(push.commit)} to ${push.remote.name} (${push.remote.url}) ${push.branch}${push.there === undefined ? ', which is not there yet' : `, which is at ${short(push.there)}`}`,
        ]
      : [];
  const pull = await planPullRequest(remote, order, signal);
  switch (pull.kind) {
    case 'create':
      return {
        would: [...would, `make a pull request of ${pull.branch}${pull.base === undefined ? '' : ` into ${pull.base}`}: ${pull.title}`],
        nothing: null,
        blocked: null,
      };
    case 'edit':
      return { would: [...would, `bring the pull request #${pull.pull.number} up to date: ${pull.pull.url}`], nothing: null, blocked: null };
    case 'current':
      return { would, nothing: would.length === 0 ? `the pull request #${pull.pull.number} is up to date: ${pull.pull.url}` : null, blocked: null };
    case 'later':
    case 'stopped':
      return { would, nothing: null, blocked: { message: pull.message, remedy: pull.remedy } };
  }
}

const blocked = (message: string, remedy: string): BranchPlan => ({ would: [], nothing: null, blocked: { message, remedy } });

/** git with its private files, and any object that it makes, in a folder that goes afterwards. */
async function withLookingGit<T>(place: Place, work: (git: Git, objects: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
  const { commonDir, top } = place.repo;
  const folder = mkdtempSync(join(tmpdir(), 'todone-look-'));
  try {
    // What of the repository's config is believed does not change for a look.
    const sight = join(place.stateDir, 'git', 'first-sight.json');
    mkdirSync(join(folder, 'git'), { mode: 0o700 });
    if (existsSync(sight)) copyFileSync(sight, join(folder, 'git', 'first-sight.json'));
    mkdirSync(join(folder, 'objects'));
    const git = await openGit({ commonDir, top, stateDir: folder, env: process.env, log: { write: () => undefined } });
    try {
      return await work(git, { GIT_OBJECT_DIRECTORY: join(folder, 'objects'), GIT_ALTERNATE_OBJECT_DIRECTORIES: join(commonDir, 'objects') });
    } finally {
      git.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// ── the diff ─────────────────────────────────────────────────────────────────────────────────────

const DIFF_BYTES_MAX = 32 * 1024 * 1024;

/** What the branch has changed since it left the base. */
export async function diffOf(place: Place, section: string): Promise<BranchDiff | CliFailure> {
  return withGit(place, async (git) => {
    const sections = openSections({ git, branchPrefix: place.config.branchPrefix, base: place.config.base });
    const branch = sections.branch(section).replace('refs/heads/', '');
    const [tip, base] = [await sections.tip(section), await sections.baseCommit()];
    if (tip === undefined) return failed(`the section has no branch ${branch} yet`, 'it is made when its first task is begun: todone start');
    if (base === undefined) return failed('there is no base to compare with', 'set base in the config');
    const merged = await git.run(['merge-base', base, tip]);
    const from = merged.code === 0 ? merged.stdout.toString('utf8').trim().split('\n')[0]! : base;
    const safe = ['--no-ext-diff', '--no-textconv', '--no-color', '-M', from, tip, '--'];
    const shown = await git.run(['diff-tree', '-p', ...safe], { maxBytes: DIFF_BYTES_MAX });
    const counted = await git.ok(['diff-tree', '-r', '-z', '--numstat', ...safe]);
    return {
      section,
      branch,
      base: baseBranchOf({ git, base: place.config.base }) ?? short(base),
      from,
      to: tip,
      files: filesIn(counted.toString('utf8')),
      diff: redactionOf(place).redact(shown.stdout.toString('utf8')) + (shown.truncated ? '\n… (cut off)\n' : ''),
    };
  });
}

const count = (text: string): number | null => (text === '-' ? null : Number(text));

/** `added\tremoved\tpath\0`, or for a renamed one `added\tremoved\t\0old\0new\0`; `-` for what is no text. */
function filesIn(numstat: string): BranchDiff['files'] {
  const fields = numstat.split('\0');
  const files = [];
  for (let at = 0; at < fields.length; at++) {
    const [added, removed, path] = (fields[at] ?? '').split('\t');
    if (added === undefined || removed === undefined || path === undefined) continue;
    const renamed = path === '';
    files.push({ path: renamed ? (fields[at + 2] ?? '') : path, from: renamed ? (fields[at + 1] ?? '') : null, added: count(added), removed: count(removed) });
    if (renamed) at += 2;
  }
  return files;
}

const failed = (message: string, remedy: string): CliFailure => ({ kind: 'failure', code: 3, message, remedy });

const SHORT_CHARS = 7;
const short = (commit: string): string => commit.slice(0, SHORT_CHARS);
