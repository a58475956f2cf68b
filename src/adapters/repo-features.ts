/** What a repository uses of git that workspaces meet in their own way (4-R12). Reads only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleGit } from 'simple-git';
import { isYes } from './git-config.ts';

export type RepoFeatures = {
  /** Their paths. */
  readonly submodules: readonly string[];
  readonly sparse: boolean;
  /** `unset`: files are marked for Git LFS, but git's config does not say how to treat them. */
  readonly lfs: 'none' | 'ready' | 'unset';
};

/** The keys of a `.gitmodules` that name a folder. */
export const SUBMODULE_PATHS = String.raw`^submodule\..*\.path$`;

/** Of the main worktree at `top`. */
export async function repoFeatures(top: string): Promise<RepoFeatures> {
  const git = simpleGit({ baseDir: top });
  const config = async (key: string): Promise<string | undefined> => (await git.getConfig(key)).value ?? undefined;
  // None, or none that git can read.
  const named = git.raw(['config', '-z', '-f', '.gitmodules', '--get-regexp', SUBMODULE_PATHS]).catch(() => '');
  const marked = /\bfilter=lfs\b/.test(textOf(join(top, '.gitattributes')));
  return {
    submodules: pathsIn(await named),
    sparse: isYes(await config('core.sparseCheckout')),
    lfs: !marked ? 'none' : (await config('filter.lfs.clean')) === undefined ? 'unset' : 'ready',
  };
}

/** Of `git config -z --get-regexp`. */
export function pathsIn(output: string): string[] {
  const entries = output.split('\0').filter((entry) => entry !== '');
  return entries.map((entry) => entry.slice(entry.indexOf('\n') + 1));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
