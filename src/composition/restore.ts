/**
 * Brings back work that did not land (4-R5): the newest snapshot of a task as a worktree of its own, so that nothing that is there is
 * touched.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exec } from '../adapters/exec.ts';
import { gitEnvironment } from '../adapters/git.ts';
import type { Restored } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { Place } from './place.ts';

export async function restore(place: Place, id: string, into: string | undefined): Promise<Restored | CliFailure> {
  if (!/^[A-Za-z0-9_.-]+$/.test(id)) return failed(`${id} is no id of a task`, 'todone task list shows the ids');
  const git = (args: readonly string[]) =>
    exec('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', ...args], {
      cwd: place.repo.top,
      env: gitEnvironment(process.env, place.repo.top),
      timeoutMs: 120_000,
    });
  const listed = await git(['for-each-ref', '--sort=-creatordate', '--format=%(refname)', `refs/todone/${id}/`]);
  const ref = listed.stdout.toString('utf8').split('\n')[0] ?? '';
  if (ref === '') return failed(`nothing is kept of ${id}`, 'what landed is on its branch; snapshots exist only of work that did not land');
  const path = into === undefined ? join(resolve(place.repo.top, place.config.trees), `restored-${id}`) : resolve(into);
  if (existsSync(path)) return failed(`${path} is there already`, 'name another folder with --into, or remove that one');
  const added = await git(['worktree', 'add', '--detach', '--', path, ref]);
  if (added.code !== 0)
    return failed(`git could not bring it back: ${added.stderr.trim().split('\n').at(-1) ?? ''}`, `git worktree add --detach ${path} ${ref}`);
  return { id, ref, path };
}

const failed = (message: string, remedy: string): CliFailure => ({ kind: 'failure', code: 3, message, remedy });
