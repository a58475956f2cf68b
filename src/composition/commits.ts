/** The last commits of a section's branch, for whoever looks at it. */
import { exec } from '../adapters/exec.ts';
import { gitEnvironment } from '../adapters/git.ts';
import type { CommitFact } from '../surfaces/cli/app.ts';
import type { Place } from './place.ts';

const COMMIT_FORMAT = '--format=%h%x00%ct%x00%s';

/** Newest first; none where git does not say. */
export async function commitsOf(place: Place, section: string, max: number): Promise<readonly CommitFact[]> {
  const branch = `refs/heads/${place.config.branchPrefix}${section}`;
  const args = ['-c', 'core.pager=cat', 'log', `--max-count=${max}`, '--no-show-signature', COMMIT_FORMAT, '--end-of-options', branch];
  const listed = await exec('git', args, { cwd: place.repo.top, env: gitEnvironment(process.env, place.repo.top), timeoutMs: 10_000 });
  if (listed.code !== 0) return [];
  return listed.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [hash = '', at = '0', subject = ''] = line.split('\0');
      return { hash, subject, at: Number(at) * 1000 };
    });
}
