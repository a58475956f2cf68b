/**
 * Takes away snapshots of tasks that landed, by age and by size (4-R5). Never those of a task that has not landed: its work is nowhere else.
 */
import type { Git } from './git.ts';
import { landedRef } from './proof.ts';

/** A task that landed, and when, ms since 1970. */
export type LandedTask = { readonly id: string; readonly at: number };

export type SnapshotBounds = {
  /** Older than this goes. */ readonly before: number;
  /** The oldest go until the rest takes no more. */ readonly maxBytes: number;
};

type Ref = { readonly name: string; readonly oid: string };

/** Removes `refs/todone/<id>/…`; gives how many there were. A task counts as landed only where its ref says so, too. */
export async function pruneSnapshots(git: Git, landed: readonly LandedTask[], bounds: SnapshotBounds): Promise<number> {
  if (landed.length === 0) return 0;
  const refs = await refsUnder(git, 'refs/todone/');
  const proven = new Set(refs.map((ref) => ref.name));
  const byTask = new Map<string, Ref[]>();
  for (const ref of refs) {
    const id = ref.name.split('/')[2] ?? '';
    const same = byTask.get(id);
    if (same) same.push(ref);
    else byTask.set(id, [ref]);
  }
  const oldestFirst = landed.filter(({ id }) => byTask.has(id) && proven.has(landedRef(id))).toSorted((one, other) => one.at - other.at);
  const refsOf = (tasks: readonly LandedTask[]): Ref[] => tasks.flatMap(({ id }) => byTask.get(id) ?? []);
  const young = oldestFirst.filter(({ at }) => at >= bounds.before);
  const tooMuch = await firstThatFits(young.length, async (drop) => (await bytesOf(git, refsOf(young.slice(drop)))) <= bounds.maxBytes);
  const doomed = refsOf([...oldestFirst.filter(({ at }) => at < bounds.before), ...young.slice(0, tooMuch)]);
  if (doomed.length === 0) return 0;
  // With the old value: what was moved in between stays.
  const input = doomed.map(({ name, oid }) => `delete ${name} ${oid}\n`).join('');
  const removed = await git.own(['update-ref', '--stdin'], { input });
  return removed.code === 0 ? doomed.length : 0;
}

/** How many bytes on disk all snapshots take that nothing else of the repository needs. */
export async function snapshotBytes(git: Git): Promise<{ readonly count: number; readonly bytes: number }> {
  const refs = (await refsUnder(git, 'refs/todone/')).filter(({ name }) => !/^refs\/todone\/(?:landed|tips)\//.test(name));
  return { count: refs.length, bytes: await bytesOf(git, refs) };
}

async function refsUnder(git: Git, prefix: string): Promise<Ref[]> {
  const listed = await git.own(['for-each-ref', '--format=%(refname) %(objectname)', prefix]);
  return listed.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ name: line.slice(0, line.lastIndexOf(' ')), oid: line.slice(line.lastIndexOf(' ') + 1) }));
}

async function bytesOf(git: Git, refs: readonly Ref[]): Promise<number> {
  if (refs.length === 0) return 0;
  const input = `${refs.map(({ oid }) => oid).join('\n')}\n`;
  const told = await git.run(['rev-list', '--objects', '--disk-usage', '--stdin', '--not', '--branches', '--tags', '--remotes'], { input });
  return told.code === 0 ? Number(told.stdout.toString('utf8').trim()) : 0;
}

/** The smallest number up to `most` for which it fits, where more always fits better. */
async function firstThatFits(most: number, fits: (dropped: number) => Promise<boolean>): Promise<number> {
  if (most === 0 || (await fits(0))) return 0;
  let [low, high] = [1, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
