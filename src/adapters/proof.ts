/**
 * Whether a task is done is a fact of git (4-R9): its hash is reachable, a commit with its trailer is, or its
 * `refs/todone/landed/<id>` stands. Reads only; a whole history is read once per pair of tips.
 */
import { taskOf } from './commit-message.ts';
import type { Git } from './git.ts';
import type { Sections } from './sections.ts';

export type Proof = { readonly commit: string; readonly hash: string };

export type Prover = {
  proof(section: string, id: string, hash?: string): Promise<Proof | undefined>;
  /** The commit of this task that came after `start` on the way to `tip`: what an earlier try has landed. */
  landedSince(id: string, start: string, tip: string): Promise<string | undefined>;
};

/** Commits looked at for a trailer, newest first. */
const MOST_COMMITS = 20_000;
const MOST_STEPS = 500;
const HASH = /^[0-9a-f]{4,64}$/;

export function landedRef(id: string): string {
  return `refs/todone/landed/${id}`;
}

export function openProver(git: Git, sections: Sections): Prover {
  let read: { tips: string; tasks: ReadonlyMap<string, string> } | undefined;

  const found = async (commit: string): Promise<Proof> => ({ commit, hash: await git.objects.abbreviation(commit) });

  const tasksIn = async (tips: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const key = tips.join(' ');
    if (read?.tips !== key) read = { tips: key, tasks: await readTrailers(git, tips) };
    return read.tasks;
  };

  return {
    async proof(section, id, hash) {
      const landed = await git.objects.commitId(landedRef(id));
      if (landed !== undefined && (hash === undefined || landed.startsWith(hash))) return found(landed);
      const tips = (await Promise.all([sections.tip(section), sections.baseCommit()])).filter((tip) => tip !== undefined);
      const named = hash !== undefined && HASH.test(hash) ? await git.objects.commitId(hash) : undefined;
      if (named !== undefined && (await isReachable(git, named, tips))) return found(named);
      const commit = (await tasksIn(tips)).get(id) ?? landed;
      return commit === undefined ? undefined : found(commit);
    },
    async landedSince(id, start, tip) {
      if (start === tip) return undefined;
      let at = await git.objects.commit(tip);
      let match: string | undefined;
      for (let i = 0; i < MOST_STEPS && at; i += 1) {
        if (at.oid === start) return match;
        if (match === undefined && taskOf(at.message) === id) match = at.oid;
        at = at.parents[0] === undefined ? undefined : await git.objects.commit(at.parents[0]);
      }
      // The branch took another way: only the ref can say, and only of a commit that the run did not begin from.
      const landed = await git.objects.commitId(landedRef(id));
      if (landed === undefined || (await isReachable(git, landed, [start]))) return undefined;
      return (await isReachable(git, landed, [tip])) ? landed : undefined;
    },
  };
}

async function isReachable(git: Git, commit: string, tips: readonly string[]): Promise<boolean> {
  for (const tip of tips) {
    if (tip === commit) return true;
    if ((await git.run(['merge-base', '--is-ancestor', commit, tip])).code === 0) return true;
  }
  return false;
}

/** Task → the newest commit that carries its trailer. */
async function readTrailers(git: Git, tips: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const tasks = new Map<string, string>();
  if (tips.length === 0) return tasks;
  const args = ['log', '-z', `--max-count=${MOST_COMMITS}`, '--format=%H%n%B', '--no-show-signature', '--fixed-strings', '--grep=ToDone-Task: ', ...tips, '--'];
  const output = await git.ok(args);
  for (const entry of output.toString('utf8').split('\0')) {
    const cut = entry.indexOf('\n');
    const id = taskOf(entry.slice(cut + 1));
    if (id !== undefined && !tasks.has(id)) tasks.set(id, entry.slice(0, cut));
  }
  return tasks;
}
