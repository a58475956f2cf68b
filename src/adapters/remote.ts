/**
 * The remote of a section's branch (4-R10): pushes exactly one commit to one branch, never by force, after a look for secrets; and
 * says in words what the remote has against it. Looks first whether the remote has the commit already.
 */
import { join } from 'node:path';
import type { ErrandEnd, ErrandTrouble } from '../runs/errand.ts';
import { isAncestor } from './branch-merge.ts';
import { parseConfigList } from './git-config.ts';
import { secretInRange } from './pushed-secrets.ts';
import { firstLines, gitTrouble } from './remote-words.ts';
import { callGit, type RemoteOptions } from './remote-tool.ts';
import type { Sections } from './sections.ts';
import { wayTo } from './worktree-admin.ts';

export type PushOptions = RemoteOptions & {
  readonly sections: Sections;
  /** Nothing is fetched: a dry run. */
  readonly looksOnly?: boolean;
};

/** The remote as git takes it, and its URL; or why there is none. */
export type Remote = { readonly kind: 'remote'; readonly name: string; readonly url: string };

export type PushPlan =
  | { readonly kind: 'push'; readonly remote: Remote; readonly branch: string; readonly commit: string; readonly there: string | undefined }
  | { readonly kind: 'current'; readonly message: string }
  | ErrandTrouble;

export async function push(options: PushOptions, section: string, signal: AbortSignal): Promise<ErrandEnd> {
  const plan = await planPush(options, section, signal);
  if (plan.kind === 'current') return { kind: 'done', message: plan.message };
  if (plan.kind !== 'push') return plan;
  const { remote, branch, commit } = plan;
  const args = ['push', '--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no', '--', remote.name, `${commit}:refs/heads/${branch}`];
  const told = await callGit(options, args, signal);
  if (told.code === 0) return { kind: 'done', message: `pushed ${short(commit)} to ${remote.name} ${branch}` };
  const refused = told.out.split('\n').find((line) => line.startsWith('!'));
  if (refused !== undefined && /\[rejected\]/.test(refused)) return ahead(options, plan, signal);
  if (refused !== undefined && /\[remote rejected\]/.test(refused) && !/cannot lock ref|failed to update ref/.test(refused))
    return {
      kind: 'stopped',
      message: `${remote.name} refused ${branch}: ${wordsOf(refused)}; ${firstLines(remoteLines(told.err))}`,
      remedy: `do what the remote asks for; the next landing in the section, or todone pr ${section}, tries again`,
    };
  return gitTrouble(told, `git push to ${remote.name}`, limitOf(options), `git push ${remote.name} ${branch}`);
}

/** What a push would do; reads the remote, changes nothing. */
export async function planPush(options: PushOptions, section: string, signal: AbortSignal): Promise<PushPlan> {
  const { git, sections } = options;
  const branch = sections.branch(section).replace('refs/heads/', '');
  const commit = await sections.tip(section);
  if (commit === undefined) return { kind: 'stopped', message: `the section has no branch ${branch} yet`, remedy: 'it is made when its first task is begun' };
  const remote = await remoteOf(options);
  if (remote.kind !== 'remote') return remote;
  const listed = await callGit(options, ['ls-remote', '--', remote.name, `refs/heads/${branch}`], signal);
  if (listed.code !== 0) return gitTrouble(listed, `git ls-remote ${remote.name}`, limitOf(options), `git ls-remote ${remote.name}`);
  const there = /^([0-9a-f]{40,64})\t/m.exec(listed.out)?.[1];
  if (there === commit) return { kind: 'current', message: `${remote.name} has ${short(commit)} on ${branch}` };
  const plan = { kind: 'push', remote, branch, commit, there } as const;
  const known = there === undefined ? undefined : await git.objects.commitId(there);
  if (there !== undefined && (known === undefined || !(await isAncestor(git, known, commit)))) return ahead(options, plan, signal);
  const base = await sections.baseCommit();
  const secret = await secretInRange(
    git,
    commit,
    [base, known].filter((each) => each !== undefined),
    (text) => options.redaction.secretsIn(text),
  );
  if (secret === undefined) return plan;
  return {
    kind: 'stopped',
    message: `not pushed, because everybody there could read it: ${secret}`,
    remedy: `make the secret invalid, take it out of the branch's history, then: todone pr ${section}`,
  };
}

/** The remote has commits that are not here: they are fetched for a look, and never overwritten. */
async function ahead(options: PushOptions, plan: Extract<PushPlan, { kind: 'push' }>, signal: AbortSignal): Promise<ErrandTrouble> {
  const { git } = options;
  const { remote, branch, commit } = plan;
  const ref = `refs/todone/remote/${branch}`;
  if (options.looksOnly)
    return { kind: 'later', why: 'person', message: `${remote.name} has moved ahead on ${branch}`, remedy: `take that in: git fetch ${remote.name} ${branch}` };
  const args = ['fetch', '--no-tags', '--no-write-fetch-head', '--refmap=', '--no-auto-maintenance', '--', remote.name, `+refs/heads/${branch}:${ref}`];
  const fetched = await callGit(options, args, signal);
  if (fetched.code !== 0) return gitTrouble(fetched, `git fetch from ${remote.name}`, limitOf(options), `git fetch ${remote.name}`);
  const listed = await git.run(['log', '--format=%h %an: %s', '--max-count=3', '--no-show-signature', ref, `^${commit}`, '--']);
  const counted = await git.run(['rev-list', '--count', ref, `^${commit}`, '--']);
  const count = counted.stdout.toString('utf8').trim();
  const shown = options.redaction.redact(listed.stdout.toString('utf8').trim().split('\n').join('; '));
  return {
    kind: 'later',
    why: 'person',
    message: `${remote.name} has moved ahead on ${branch} by ${count} ${count === '1' ? 'commit that is' : 'commits that are'} not here (${shown}): nothing was pushed`,
    remedy: `take them in: ${wayTo(git.commonDir, branch)} && git merge ${ref}; then it goes on by itself, at once with todone pr`,
  };
}

/** A remote that came into `.git/config` after ToDone first saw it may be an agent's: a path in it would run programs there. */
export async function remoteOf({ git, config }: Pick<PushOptions, 'git' | 'config'>): Promise<Remote | ErrandTrouble> {
  const name = config().remote;
  const url = git.config.get(`remote.${name}.pushurl`) ?? git.config.get(`remote.${name}.url`);
  if (url !== undefined) return { kind: 'remote', name, url };
  if (/[:/\\]/.test(name)) return { kind: 'remote', name, url: name };
  const listed = await git.own(['config', '--list', '-z', '--show-scope', '--includes']);
  const late = listed.code === 0 && parseConfigList(listed.stdout).findLast((entry) => entry.key === `remote.${name}.url`)?.value;
  if (!late)
    return {
      kind: 'later',
      why: 'person',
      message: `there is no remote called ${name}`,
      remedy: `put its URL into the config: remote: <url>; or name another one there`,
    };
  return {
    kind: 'later',
    why: 'person',
    message: `the remote ${name} (${late}) came into the repository's git config after ToDone first saw it, so an agent may have written it`,
    remedy: `if it is yours, put the URL itself into the config: remote: ${late}`,
  };
}

export const limitOf = ({ config }: Pick<PushOptions, 'config'>): string => `${Math.round(config().limits.remote / 1000)} s`;

/** `!\t<from>:<to>\t[remote rejected] (pre-receive hook declined)` */
const wordsOf = (line: string): string =>
  line
    .split('\t')
    .at(-1)
    ?.replace(/^\[remote rejected\] /, '') ?? line;

const remoteLines = (err: string): string => {
  const lines = err.split('\n').flatMap((line) => /^remote: (.*)$/.exec(line)?.[1] ?? []);
  return lines.length > 0 ? lines.join('\n') : err;
};

const SHORT_CHARS = 7;
const short = (commit: string): string => commit.slice(0, SHORT_CHARS);

/** Where gh is run: no folder of the repository, so that it finds no git config but ours. */
export const quietFolder = (home: string): string => join(home, 'hub');
