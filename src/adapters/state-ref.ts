/**
 * The ref under which list and state are published (6.4-R4): one commit without a past, so that nothing that was taken out of the list
 * stays to be read. It is ours alone, and the only one that is moved by force.
 */
import type { ErrandEnd, ErrandTrouble } from '../runs/errand.ts';
import type { Git } from './git.ts';
import { callGit } from './remote-tool.ts';
import { gitTrouble } from './remote-words.ts';
import { limitOf, type PushOptions, remoteOf } from './remote.ts';
import { commitTree } from './snapshots.ts';

export const STATE_REF = 'refs/todone/state';
const STATE = 'state.json';
const LIST = 'list.md';
const STATE_BYTES_MAX = 256 * 1024 * 1024;

export type StateFiles = { readonly state: string; readonly list: string };
type RemoteUse = Pick<PushOptions, 'git' | 'config' | 'epoch' | 'term' | 'env' | 'redaction'>;

/** To the remote of the config. */
export async function publishFiles(options: RemoteUse, files: StateFiles, signal: AbortSignal): Promise<ErrandEnd> {
  const remote = await remoteOf(options);
  if (remote.kind !== 'remote') return remote;
  const commit = await commitFiles(options.git, files);
  const args = ['push', '--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no', '--', remote.name, `+${commit}:${STATE_REF}`];
  const told = await callGit(options, args, signal);
  if (told.code === 0) return { kind: 'done', message: `published to ${STATE_REF} of ${remote.name}` };
  return gitTrouble(told, `git push to ${STATE_REF} of ${remote.name}`, limitOf(options), `git push ${remote.name} HEAD:${STATE_REF}`);
}

async function commitFiles(git: Git, { state, list }: StateFiles): Promise<string> {
  const entries = [];
  for (const [name, text] of [
    [LIST, list],
    [STATE, state],
  ] as const) {
    const blob = await git.ok(['hash-object', '-w', '--stdin'], { input: text });
    entries.push(`100644 blob ${blob.toString('utf8').trim()}\t${name}\n`);
  }
  const tree = await git.ok(['mktree'], { input: entries.join('') });
  return commitTree(git, tree.toString('utf8').trim(), [], 'ToDone: list and state\n');
}

/** Undefined where the remote has none. */
export async function fetchFiles(options: RemoteUse, name: string, signal: AbortSignal): Promise<StateFiles | ErrandTrouble | undefined> {
  const { git } = options;
  const remote = await remoteOf({ git, config: () => ({ ...options.config(), remote: name }) });
  if (remote.kind !== 'remote') return remote;
  const listed = await callGit(options, ['ls-remote', '--', remote.name, STATE_REF], signal);
  if (listed.code !== 0) return gitTrouble(listed, `git ls-remote ${remote.name}`, limitOf(options), `git ls-remote ${remote.name}`);
  const commit = /^([0-9a-f]{40,64})\t/m.exec(listed.out)?.[1];
  if (commit === undefined) return undefined;
  const args = ['fetch', '--no-tags', '--no-write-fetch-head', '--refmap=', '--no-auto-maintenance', '--', remote.name, STATE_REF];
  const fetched = await callGit(options, args, signal);
  if (fetched.code !== 0) return gitTrouble(fetched, `git fetch from ${remote.name}`, limitOf(options), `git fetch ${remote.name} ${STATE_REF}`);
  const [state, list] = [await git.objects.blob(`${commit}:${STATE}`, STATE_BYTES_MAX), await git.objects.blob(`${commit}:${LIST}`, STATE_BYTES_MAX)];
  // Published once more between the two looks.
  if (!state || !list) return { kind: 'later', why: 'busy', message: `${STATE_REF} of ${remote.name} cannot be read now`, remedy: 'do it again' };
  return { state: state.toString('utf8'), list: list.toString('utf8') };
}
