/**
 * The repository's own hooks on a commit that is to land (4-R8): `pre-commit` sees it staged on its parent, `commit-msg` may change its
 * message. Both run as the section's base has them, from a copy of their folder, confined and limited as `verify` is, and their output
 * is evidence as its is. Never runs what stands in a workspace or in `.git/hooks`, and takes no file that a hook has changed.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Hooked, LandHooks, LandingOrder } from '../engine/ports.ts';
import { taskOf } from './commit-message.ts';
import { boundedDiff } from './diff.ts';
import { writeEvidence } from './evidence.ts';
import type { Git } from './git.ts';
import { runFolder, type RunFolder } from './run-folder.ts';
import type { Sections } from './sections.ts';
import { namesOf } from './standing.ts';
import { runShell, type ShellOptions } from './verify.ts';
import { readChanges, readRecord } from './workspace.ts';
import { setHead } from './worktree-admin.ts';
import { workspaceAt } from './workspaces.ts';

export type LandHooksOptions = ShellOptions & { readonly git: Git; readonly sections: Sections };

/** Where a hook that is given by its name alone is looked for. */
const FOLDERS = ['.husky', '.githooks'];
/** In the order in which git runs them. */
const KINDS = ['pre-commit', 'commit-msg'];
const MESSAGE = join('given', 'COMMIT_EDITMSG');
const MESSAGE_CHARS_MAX = 100_000;
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const FILES_MAX = 500;
const DIFF_CHARS = 8_000;

type Hook = { readonly kind: string; readonly path: string; readonly base: string };

export function openLandHooks(options: LandHooksOptions): LandHooks {
  return {
    async run(order, commit, signal) {
      const hooks = await findHooks(options);
      if ('missing' in hooks) return { kind: 'missing', message: hooks.missing };
      let message: string | undefined;
      for (const hook of hooks.found) {
        const ended =
          hook.kind === 'commit-msg' ? await commitMsg(options, hook, order, commit, signal) : await preCommit(options, hook, order, commit, signal);
        if (ended.kind !== 'fine') return ended;
        message = ended.message;
      }
      return { kind: 'fine', message };
    },
  };
}

async function findHooks({ git, sections, config }: LandHooksOptions): Promise<{ readonly found: readonly Hook[] } | { readonly missing: string }> {
  const base = await sections.baseCommit();
  if (base === undefined) return { missing: 'landHooks: there is no base that hooks could be taken from' };
  const found: Hook[] = [];
  for (const named of config().landHooks.toSorted((one, other) => KINDS.indexOf(basename(one)) - KINDS.indexOf(basename(other)))) {
    const places = named.includes('/') ? [named] : FOLDERS.map((folder) => `${folder}/${named}`);
    const path = await firstOf(git, base, places);
    if (path === undefined)
      return { missing: `landHooks: ${places.join(' and ')} ${places.length > 1 ? 'are' : 'is'} not in the base (${base.slice(0, 7)}): commit it there` };
    found.push({ kind: basename(named), path, base });
  }
  return { found };
}

async function firstOf(git: Git, base: string, places: readonly string[]): Promise<string | undefined> {
  for (const place of places) if ((await git.objects.info(`${base}:${place}`))?.type === 'blob') return place;
  return undefined;
}

async function preCommit(options: LandHooksOptions, hook: Hook, order: LandingOrder, commit: string, signal: AbortSignal): Promise<Hooked> {
  const workspace = workspaceAt(options.git.home, order.workspace);
  const { git } = options;
  // As in `git commit`: HEAD is still the parent, and the index holds what is to be committed.
  const admin = readRecord(workspace)?.admin;
  const parent = (await git.objects.commit(commit))?.parents[0];
  if (admin !== undefined && parent !== undefined) setHead(admin, parent);
  const failed = await runHook(options, hook, order, [], signal);
  if (failed) return failed;
  const changes = await readChanges(git, workspace);
  const changed = { paths: changes.paths.filter(({ kind }) => kind !== 'new'), unholdable: [] };
  if (changed.paths.length === 0) return { kind: 'fine' };
  const message = `the hook ${hook.path} changed ${namesOf(changed)}`;
  const { text } = await boundedDiff(git, workspace, commit, DIFF_CHARS);
  return { kind: 'failed', message, evidence: `${message}. A hook judges a commit and does not make it: have these changes in your work.\n${text}` };
}

async function commitMsg(options: LandHooksOptions, hook: Hook, order: LandingOrder, commit: string, signal: AbortSignal): Promise<Hooked> {
  const before = (await options.git.objects.commit(commit))?.message ?? '';
  const folder = runFolder(options.stateDir, order.id, order.ticket);
  const file = folder.write(MESSAGE, before);
  try {
    const failed = await runHook(options, hook, order, [file], signal);
    if (failed) return failed;
    return judged(hook, order, before, folder.readGiven(MESSAGE)?.text ?? '');
  } finally {
    folder.clear(MESSAGE);
  }
}

/** Its message, if it is one and still says whose commit it is. */
function judged(hook: Hook, order: LandingOrder, before: string, text: string): Hooked {
  const after = `${text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, '')
    .trimEnd()}\n`;
  if (after === before) return { kind: 'fine' };
  const message = `the hook ${hook.path} left a message that cannot be taken`;
  if (after.length > MESSAGE_CHARS_MAX) return { kind: 'failed', message, evidence: `${message}: it is too long` };
  if (taskOf(after) !== order.id) return { kind: 'failed', message, evidence: `${message}: the trailer ToDone-Task is gone from its last paragraph` };
  return { kind: 'fine', message: after };
}

/** Undefined where it went well. */
async function runHook(
  options: LandHooksOptions,
  hook: Hook,
  order: LandingOrder,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Extract<Hooked, { kind: 'failed' }> | undefined> {
  const folder = runFolder(options.stateDir, order.id, order.ticket);
  const { copy, program } = await copyHooks(options.git, hook, folder);
  const ran = await runShell(options, {
    order,
    command: [...program, ...args].map(quoted).join(' '),
    cwd: order.workspace,
    name: 'verify',
    markedAs: `${order.ticket}-${hook.kind}`,
    limitMs: options.config().limits.hook,
    signal,
    added: { TODONE_HOOK: hook.kind },
    variables: { ID: order.id, SECTION: order.section, WORKTREE: order.workspace, PHASE: 'verify', ATTEMPT: String(order.attempt) },
    readable: [copy],
    writable: [folder.given],
  }).finally(() => rmSync(copy, { recursive: true, force: true }));
  const ok = ran.code === 0 && !ran.timedOut;
  const command = `${hook.path} of ${hook.base.slice(0, 7)}`;
  writeEvidence(options.stateDir, order, {
    command,
    ok,
    code: ran.code ?? null,
    timed_out: ran.timedOut,
    at: options.clock.now(),
    where: order.workspace,
    output: ran.output,
  });
  if (ok) return undefined;
  const how = ran.timedOut ? 'took too long' : `exit ${ran.code ?? 'by signal'}`;
  return {
    kind: 'failed',
    message: `the hook ${hook.path} ${how}`,
    evidence: `the hook ${command} ${how} on the commit that was to land. Its output ended:\n${ran.output}`,
  };
}

/** Its whole folder: hooks call what lies beside them. What has no right to be run is run by sh, as husky does. */
async function copyHooks(git: Git, hook: Hook, folder: RunFolder): Promise<{ readonly copy: string; readonly program: readonly string[] }> {
  const copy = join(folder.path, 'hooks');
  const from = dirname(hook.path);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { mode: 0o700 });
  const listed = await git.ok(['ls-tree', '-r', '-z', '--full-tree', hook.base, '--', from === '.' ? hook.path : `${from}/`]);
  let program: string[] = [];
  for (const line of listed.toString('utf8').split('\0').slice(0, FILES_MAX)) {
    const [, mode = '', oid = '', path = ''] = /^(100\d{3}) blob ([0-9a-f]+)\t(.*)$/su.exec(line) ?? [];
    const bytes = path === '' ? undefined : await git.objects.blob(oid, FILE_BYTES_MAX);
    if (!bytes) continue;
    const file = join(copy, from === '.' ? path : path.slice(from.length + 1));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, bytes);
    chmodSync(file, mode === '100755' ? 0o700 : 0o600);
    if (path === hook.path) program = mode === '100755' ? [file] : ['sh', '-e', file];
  }
  // Hooks of husky up to 8 begin with it, and no repository tracks it.
  const husky = join(copy, '_', 'husky.sh');
  mkdirSync(dirname(husky), { recursive: true, mode: 0o700 });
  writeFileSync(husky, '', { flag: 'a' });
  if (program.length === 0) throw new Error(`the hook ${hook.path} of ${hook.base} cannot be read`);
  return { copy, program };
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
