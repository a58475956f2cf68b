/**
 * Takes away snapshots of tasks that landed long ago (4-R5). Never those of a task that has not landed: its work is nowhere else.
 */
import type { Git } from './git.ts';

/** Removes `refs/todone/<id>/…` of these tasks; gives how many there were. */
export async function pruneSnapshots(git: Git, landedIds: ReadonlySet<string>): Promise<number> {
  if (landedIds.size === 0) return 0;
  const listed = await git.own(['for-each-ref', '--format=%(refname) %(objectname)', 'refs/todone/']);
  const doomed = listed.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => landedIds.has(line.split('/')[2] ?? ''));
  if (doomed.length === 0) return 0;
  // With the old value: what was moved in between stays.
  const input = doomed.map((line) => `delete ${line}\n`).join('');
  const removed = await git.own(['update-ref', '--stdin'], { input });
  return removed.code === 0 ? doomed.length : 0;
}
