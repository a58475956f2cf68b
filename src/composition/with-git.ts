/**
 * git for one command, opened and closed around its work. Never for a daemon, which keeps its own.
 */
import { type Git, openGit } from '../adapters/git.ts';
import type { Place } from './place.ts';

export async function withGit<T>(place: Place, work: (git: Git) => Promise<T>): Promise<T> {
  const git = await openGit({
    commonDir: place.repo.commonDir,
    top: place.repo.top,
    stateDir: place.stateDir,
    env: process.env,
    log: { write: () => undefined },
  });
  try {
    return await work(git);
  } finally {
    git.close();
  }
}
