/**
 * Commits of agents that carry no task of ours (6.4-R2): by what they say of themselves, on the base and our branches. Reads only.
 */
import type { StrayCommit } from '../runs/audit.ts';
import { taskOf } from './commit-message.ts';
import { logOf } from './git-log.ts';
import type { Git } from './git.ts';
import type { Sections } from './sections.ts';

const MOST_COMMITS = 5000;
/** How coding agents sign what they commit. */
const AGENT = String.raw`claude|codex|gemini|opencode|copilot|cursoragent|cursor agent|aider|devin`;
const SIGNED = new RegExp(`^(?:co-authored-by|generated with|🤖 generated with):?\\s.*\\b(${AGENT})\\b`, 'imu');
const AUTHOR = new RegExp(`\\b(${AGENT})\\b`, 'iu');

/** `since`: ms since 1970. Merges say nothing of their own. */
export async function readStrays(git: Git, sections: Sections, since: number): Promise<StrayCommit[]> {
  const base = await sections.baseCommit();
  const limits = [
    `--max-count=${MOST_COMMITS}`,
    '--no-merges',
    `--since=${Math.floor(since / 1000)}`,
    `--glob=${sections.branch('')}`,
    ...(base === undefined ? [] : [base]),
  ];
  const commits = await logOf(git, { date: 'committer', say: '%an <%ae>' }, limits);
  return commits.flatMap(({ commit, hash, at, said: author, message, subject }): StrayCommit[] => {
    const agent = taskOf(message) === undefined ? (AUTHOR.exec(author)?.[1] ?? SIGNED.exec(message)?.[1]) : undefined;
    return agent === undefined ? [] : [{ commit, hash, at, subject, agent: agent.toLowerCase() }];
  });
}
