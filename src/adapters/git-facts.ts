/**
 * What git shows of tasks (4-R9): every commit that carries a trailer of ours, every ref of ours. Read in a handful of
 * commands, however many tasks there are. Never judges and never writes.
 */
import type { CommitFact, GitFacts, KeptFact } from '../runs/evidence.ts';
import { taskOf } from './commit-message.ts';
import type { Git } from './git.ts';
import { logOf, SHORTEST_HASH } from './git-log.ts';
import { landedRef } from './proof.ts';
import type { Sections } from './sections.ts';

/** Newest first; older ones are proven by their refs alone. */
const MOST_COMMITS = 20_000;
const LANDED_PREFIX = landedRef('');
const SNAPSHOT = /^refs\/todone\/(?!tips\/|landed\/)([A-Za-z0-9_.-]+)\/(\d+)\/(.+)$/;

export async function readGitFacts(git: Git, sections: Sections): Promise<GitFacts> {
  const base = await sections.baseCommit();
  const branches = sections.branch('');
  const onBranches = await trailersIn(git, [`--glob=${branches}`, ...(base === undefined ? [] : ['--not', base])], branches);
  const onBase = base === undefined ? [] : await trailersIn(git, [base], branches);
  return { commits: [...onBranches, ...onBase], ...(await refsOf(git)) };
}

/** Which of these hashes name a commit that the section's branch or the base has. */
export async function reachableHashes(
  git: Git,
  sections: Sections,
  wanted: readonly { readonly section: string; readonly hash: string }[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const base = await sections.baseCommit();
  for (const { section, hash } of wanted) {
    const commit = await git.objects.commitId(hash);
    if (commit === undefined) continue;
    for (const tip of [await sections.tip(section), base]) {
      if (tip === undefined || (tip !== commit && (await git.run(['merge-base', '--is-ancestor', commit, tip])).code !== 0)) continue;
      found.set(hash, commit);
      break;
    }
  }
  return found;
}

async function trailersIn(git: Git, tips: readonly string[], branches: string): Promise<CommitFact[]> {
  const limits = [`--max-count=${MOST_COMMITS}`, '--source', '--fixed-strings', '--grep=ToDone-Task: ', ...tips];
  const commits = await logOf(git, { date: 'author', say: '%S' }, limits);
  return commits.flatMap(({ commit, hash, at, said: source, message, subject }): CommitFact[] => {
    const id = taskOf(message);
    if (id === undefined) return [];
    const section = source.startsWith(branches) ? { section: source.slice(branches.length) } : {};
    return [{ id, commit, hash, at, subject, ...section }];
  });
}

/** What is kept of one task, the newest first. */
export async function readSnapshots(git: Git, id: string): Promise<readonly KeptFact[]> {
  return (await refsOf(git, `refs/todone/${id}/`)).kept;
}

async function refsOf(git: Git, under = 'refs/todone/'): Promise<Pick<GitFacts, 'landed' | 'kept'>> {
  const landed = new Map<string, { commit: string; hash: string }>();
  const kept: KeptFact[] = [];
  const format = `--format=%(refname) %(objectname) %(objectname:short=${SHORTEST_HASH}) %(creatordate:unix)`;
  const listed = await git.own(['for-each-ref', '--sort=-creatordate', format, under]);
  for (const line of listed.stdout.toString('utf8').split('\n')) {
    const [ref = '', commit = '', hash = '', at = '0'] = line.split(' ');
    if (ref.startsWith(LANDED_PREFIX)) landed.set(ref.slice(LANDED_PREFIX.length), { commit, hash });
    const [, id, attempt = '', label = ''] = SNAPSHOT.exec(ref) ?? [];
    if (id !== undefined) kept.push({ id, ref, commit, attempt: Number(attempt), label, at: Number(at) * 1000 });
  }
  return { landed, kept };
}
