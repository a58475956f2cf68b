/**
 * Submodules in a workspace (4-R12): a commit of ours keeps what its base points to. Their folders are empty unless a hook of the person
 * fills them, and what is in them belongs to another repository: git is never asked to look inside.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Git, GitPlace } from './git.ts';
import { pathsIn, SUBMODULE_PATHS } from './repo-features.ts';

/** Folders of submodules that are not there, with files that somebody wrote into them: no commit and no snapshot takes those. */
export async function straySubmodules(git: Git, top: string, commit: string): Promise<string[]> {
  const isStray = (path: string): boolean => !existsSync(join(top, path, '.git')) && namesIn(join(top, path)).length > 0;
  return (await submodulesOf(git, commit)).filter(isStray);
}

/** Submodules that stand on another commit than the index of this place says. */
export async function movedSubmodules(git: Git, top: string, commit: string, place: GitPlace): Promise<string[]> {
  const filled = (await submodulesOf(git, commit)).filter((path) => existsSync(join(top, path, '.git')));
  if (filled.length === 0) return [];
  // `dirty`: only the commit that it stands on is read, no file in it.
  const output = await git.ok(['diff-files', '--ignore-submodules=dirty', '--name-only', '-z', '--', ...filled], place);
  return output
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '');
}

/** The paths of a commit's submodules. */
async function submodulesOf(git: Git, commit: string): Promise<string[]> {
  if ((await git.objects.info(`${commit}:.gitmodules`)) === undefined) return [];
  const found = await git.run(['config', `--blob=${commit}:.gitmodules`, '-z', '--get-regexp', SUBMODULE_PATHS]);
  return found.code === 0 ? pathsIn(found.stdout.toString('utf8')) : [];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
