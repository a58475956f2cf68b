/**
 * Brings back work that did not land (4-R5): the newest snapshot of a task as a worktree of its own, so that nothing that is there is
 * touched.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bringBack } from '../adapters/bring-back.ts';
import { openRepoLock } from '../adapters/repo-lock.ts';
import type { Restored } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { Place } from './place.ts';
import { withGit } from './with-git.ts';

export async function restore(place: Place, id: string, into: string | undefined): Promise<Restored | CliFailure> {
  if (!/^[A-Za-z0-9_.-]+$/.test(id)) return failed(`${id} is no id of a task`, 'todone task list shows the ids');
  const path = into === undefined ? join(resolve(place.repo.top, place.config.trees), `restored-${id}`) : resolve(into);
  if (existsSync(path)) return failed(`${path} is there already`, 'name another folder with --into, or remove that one');
  return withGit(place, async (git) => {
    const listed = await git.own(['for-each-ref', '--sort=-creatordate', '--format=%(refname)', `refs/todone/${id}/`]);
    const ref = listed.stdout.toString('utf8').split('\n')[0] ?? '';
    if (ref === '') return failed(`nothing is kept of ${id}`, 'what landed is on its branch; snapshots exist only of work that did not land');
    const lock = openRepoLock(join(place.stateDir, 'worktrees.db'));
    try {
      const trouble = await bringBack(git, lock, ref, path);
      return trouble === undefined ? { id, ref, path } : failed(trouble, `git worktree add --detach ${path} ${ref}`);
    } finally {
      lock.close();
    }
  });
}

const failed = (message: string, remedy: string): CliFailure => ({ kind: 'failure', code: 3, message, remedy });
