/**
 * The pull request of a section, through `gh` (4-R10): found by its branch, made once, its part of the body brought up to date;
 * what a person wrote around it stays. gh runs outside the repository, with a git that sees our trusted config only.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { ErrandEnd, ErrandOrder, ErrandTrouble } from '../runs/errand.ts';
import { pullRequestBlock, pullRequestTitle, withBlock } from '../runs/pull-request.ts';
import { findProgram } from './find-program.ts';
import { ghTrouble } from './remote-words.ts';
import { callRemote, type Told } from './remote-tool.ts';
import { limitOf, type PushOptions, quietFolder, remoteOf } from './remote.ts';

const pullSchema = z.array(z.looseObject({ number: z.int(), url: z.string(), state: z.string(), body: z.string(), headRefName: z.string() }));
type Pull = z.output<typeof pullSchema>[number];

export type PullPlan =
  | { readonly kind: 'create'; readonly title: string; readonly body: string; readonly branch: string; readonly base: string | undefined }
  | { readonly kind: 'edit'; readonly pull: Pull; readonly body: string }
  | { readonly kind: 'current'; readonly pull: Pull }
  | ErrandTrouble;

export type PullOptions = PushOptions & {
  /** The branch that it is to be merged into; undefined = gh's default. */ readonly baseBranch: () => string | undefined;
};

export async function pullRequest(options: PullOptions, order: ErrandOrder, signal: AbortSignal): Promise<ErrandEnd> {
  const plan = await planPullRequest(options, order, signal);
  switch (plan.kind) {
    case 'current':
      return { kind: 'done', message: `the pull request #${plan.pull.number} is up to date: ${plan.pull.url}`, url: plan.pull.url };
    case 'create': {
      const base = plan.base === undefined ? [] : ['--base', plan.base];
      const made = await withBody(plan.body, (file) =>
        gh(options, ['pr', 'create', '--head', plan.branch, ...base, '--title', plan.title, '--body-file', file], signal),
      );
      if (made.code !== 0) return ghTrouble(made, 'gh pr create', limitOf(options));
      const url = /https?:\/\/\S+/.exec(made.out)?.[0];
      return { kind: 'done', message: `made the pull request ${url ?? `of ${plan.branch}`}`, url };
    }
    case 'edit': {
      const edited = await withBody(plan.body, (file) => gh(options, ['pr', 'edit', String(plan.pull.number), '--body-file', file], signal));
      if (edited.code !== 0) return ghTrouble(edited, 'gh pr edit', limitOf(options));
      return { kind: 'done', message: `brought the pull request #${plan.pull.number} up to date: ${plan.pull.url}`, url: plan.pull.url };
    }
    case 'later':
    case 'stopped':
      return plan;
  }
}

/** What would be done; only reads. */
export async function planPullRequest(options: PullOptions, order: ErrandOrder, signal: AbortSignal): Promise<PullPlan> {
  const branch = options.sections.branch(order.section).replace('refs/heads/', '');
  const listed = await gh(options, ['pr', 'list', '--head', branch, '--state', 'all', '--json', 'number,url,state,body,headRefName', '--limit', '20'], signal);
  if (listed.code !== 0) return ghTrouble(listed, 'gh pr list', limitOf(options));
  const pulls = readPulls(listed.out);
  if (!pulls) return { kind: 'later', why: 'person', message: 'gh pr list printed no list that could be read', remedy: 'update gh (gh --version)' };
  const block = pullRequestBlock(
    order.tasks.map((task) => ({ ...task, title: clean(options, task.title), summary: task.summary && clean(options, task.summary) })),
  );
  const ours = pulls.filter((pull) => pull.headRefName === branch);
  const open = ours.find((pull) => pull.state === 'OPEN');
  if (open) {
    const body = withBlock(open.body, block);
    return body === open.body.replaceAll('\r\n', '\n') ? { kind: 'current', pull: open } : { kind: 'edit', pull: open, body };
  }
  // One that was merged is over, and what came since is news; one that was closed was not wanted.
  const last = ours.toSorted((a, b) => b.number - a.number)[0];
  if (last?.state === 'CLOSED')
    return {
      kind: 'stopped',
      message: `the pull request #${last.number} of ${branch} was closed, so no other one was made: ${last.url}`,
      remedy: `open it again (gh pr reopen ${last.number}), then: todone pr ${order.section}`,
    };
  return { kind: 'create', title: pullRequestTitle(clean(options, order.title)), body: block, branch, base: baseThere(options) };
}

/** `origin/main` here is `main` there. */
function baseThere(options: PullOptions): string | undefined {
  const base = options.baseBranch();
  const prefix = `${options.config().remote}/`;
  return base?.startsWith(prefix) ? base.slice(prefix.length) : base;
}

const clean = (options: PullOptions, text: string): string => options.redaction.redact(text);

function readPulls(text: string): Pull[] | undefined {
  try {
    return pullSchema.parse(JSON.parse(text.trim() === '' ? '[]' : text));
  } catch {
    return undefined;
  }
}

export async function gh(options: PushOptions, args: readonly string[], signal: AbortSignal): Promise<Told> {
  const { git } = options;
  const command = git.command([]);
  const program = findProgram('gh', { PATH: command.env['PATH'] });
  if (program === undefined) return { code: undefined, out: '', err: '', timedOut: false, stopped: false, missing: true };
  const remote = await remoteOf(options);
  const repo = remote.kind === 'remote' ? repoOfUrl(remote.url) : undefined;
  return callRemote(
    options,
    {
      program,
      args,
      cwd: quietFolder(git.home),
      env: {
        ...command.env,
        ...SAFE_GIT,
        GIT_DIR: quietFolder(git.home),
        ...(repo === undefined ? {} : { GH_REPO: repo }),
        GH_PROMPT_DISABLED: '1',
        GH_NO_UPDATE_NOTIFIER: '1',
        GH_PAGER: 'cat',
        NO_COLOR: '1',
      },
    },
    signal,
  );
}

/** For a git that gh may start. */
const SAFE_GIT = {
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'core.hooksPath',
  GIT_CONFIG_VALUE_0: '/dev/null',
  GIT_CONFIG_KEY_1: 'core.fsmonitor',
  GIT_CONFIG_VALUE_1: 'false',
};

/** `host/owner/name`, from any spelling of the URL of a forge. */
export function repoOfUrl(url: string): string | undefined {
  const match =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ??
    /^(?:[^@/:]+@)?([^/:]+\.[^/:]+):([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url);
  return match ? `${match[1]}/${match[2]}/${match[3]}` : undefined;
}

/** A body may be long and begin with anything: it goes through a file. */
export async function withBody<T>(body: string, work: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'todone-pr-'));
  try {
    const file = join(folder, 'body.md');
    writeFileSync(file, body, { mode: 0o600 });
    return await work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
