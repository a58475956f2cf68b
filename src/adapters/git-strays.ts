/**
 * Commits of agents that carry no task of ours (6.4-R2): by what they say of themselves, on the base and our branches. Reads only.
 */
import type { StrayCommit } from '../runs/audit.ts';
import { taskOf } from './commit-message.ts';
import { GitFailed, type Git } from './git.ts';
import type { Sections } from './sections.ts';

const MOST_COMMITS = 5000;
/** How coding agents sign what they commit. */
const AGENT = String.raw`claude|codex|gemini|opencode|copilot|cursoragent|cursor agent|aider|devin`;
const SIGNED = new RegExp(`^(?:co-authored-by|generated with|🤖 generated with):?\\s.*\\b(${AGENT})\\b`, 'imu');
const AUTHOR = new RegExp(`\\b(${AGENT})\\b`, 'iu');

/** `since`: ms since 1970. Merges say nothing of their own. */
export async function readStrays(git: Git, sections: Sections, since: number): Promise<StrayCommit[]> {
  const base = await sections.baseCommit();
  const args = [
    'log',
    `--max-count=${MOST_COMMITS}`,
    '--no-merges',
    '--no-show-signature',
    '--abbrev=7',
    `--since=${Math.floor(since / 1000)}`,
    '--format=%H%x00%h%x00%ct%x00%an <%ae>%x00%B%x01',
    `--glob=${sections.branch('')}`,
    ...(base === undefined ? [] : [base]),
    '--',
  ];
  const result = await git.run(args);
  if (result.code !== 0) throw new GitFailed(args, result);
  return result.stdout
    .toString('utf8')
    .split('\x01')
    .flatMap((entry): StrayCommit[] => {
      const [commit = '', hash = '', at = '', author = '', message = ''] = entry.replace(/^\n/, '').split('\0');
      if (commit === '' || taskOf(message) !== undefined) return [];
      const agent = AUTHOR.exec(author)?.[1] ?? SIGNED.exec(message)?.[1];
      return agent === undefined ? [] : [{ commit, hash, at: Number(at) * 1000, subject: message.split('\n', 1)[0] ?? '', agent: agent.toLowerCase() }];
    });
}
