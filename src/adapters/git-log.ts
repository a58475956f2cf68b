/** Commits as `git log` tells of them, each whole. Reads only. */
import { GitFailed, type Git } from './git.ts';

/** `at`: ms since 1970, of the date that was asked for. `said`: what the caller's own placeholders came to. */
export type LoggedCommit = {
  readonly commit: string;
  readonly hash: string;
  readonly at: number;
  readonly said: string;
  readonly message: string;
  readonly subject: string;
};

/** So long are the hashes that people are shown at least. */
export const SHORTEST_HASH = 7;

/** `date`: the author's or the committer's; `say`: placeholders of git's own, on one line; `limits`: options and revisions. */
export async function logOf(
  git: Git,
  { date, say }: { readonly date: 'author' | 'committer'; readonly say: string },
  limits: readonly string[],
): Promise<LoggedCommit[]> {
  const format = `--format=%H%x00%h%x00%${date === 'author' ? 'at' : 'ct'}%x00${say}%x00%B%x01`;
  const args = ['log', `--abbrev=${SHORTEST_HASH}`, format, '--no-show-signature', ...limits, '--'];
  const result = await git.run(args);
  if (result.code !== 0) throw new GitFailed(args, result);
  return result.stdout
    .toString('utf8')
    .split('\x01')
    .flatMap((entry): LoggedCommit[] => {
      const [commit = '', hash = '', at = '', said = '', message = ''] = entry.replace(/^\n/, '').split('\0');
      return commit === '' ? [] : [{ commit, hash, at: Number(at) * 1000, said, message, subject: message.split('\n', 1)[0] ?? '' }];
    });
}
