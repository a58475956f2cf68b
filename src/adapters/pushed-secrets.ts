/**
 * Looks through the commits that a push would publish for secrets (13-R2): added lines and messages of each commit, so that one
 * that was taken out again later is found too. What the base or the remote has already is not judged.
 */
import { type Git, GitFailed } from './git.ts';

/** `a1b2c3d: config.ts seems to hold a secret: …`, or undefined. */
export async function secretInRange(
  git: Git,
  tip: string,
  without: readonly string[],
  secretsIn: (text: string) => string | undefined,
): Promise<string | undefined> {
  const args = [
    'log',
    '-p',
    '-U0',
    '--cc',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--no-renames',
    '--no-show-signature',
    `--format=${START}%h%n%B${END}`,
  ];
  const result = await git.run([...args, tip, ...without.map((commit) => `^${commit}`), '--'], { timeoutMs: LIMIT_MS });
  if (result.truncated || result.timedOut) return 'more is to be pushed than can be looked through for secrets: push it once by hand';
  if (result.code !== 0) throw new GitFailed(args, result);
  for (const part of partsOf(result.stdout.toString('utf8'))) {
    const secret = secretsIn(part.lines.join('\n'));
    if (secret !== undefined) return `${part.commit}: ${part.file ?? 'its message'} seems to hold a secret: ${secret.replace(/ in line \d+$/, '')}`;
  }
  return undefined;
}

const START = '\u0001';
const END = '\u0002';
const LIMIT_MS = 120_000;

type Part = { readonly commit: string; readonly file: string | undefined; readonly lines: string[] };

/** Lines of content begin with a sign in each hunk; lines of headers stand between `diff` and `@@`. */
function* partsOf(log: string): Generator<Part> {
  let part: Part | undefined;
  let where: 'message' | 'header' | 'hunk' = 'header';
  let commit = '';
  for (const line of log.split('\n')) {
    if (where !== 'message' && line.startsWith(START)) {
      if (part) yield part;
      commit = line.slice(START.length);
      part = { commit, file: undefined, lines: [] };
      where = 'message';
    } else if (where === 'message') {
      part?.lines.push(line.replace(END, ''));
      if (line.endsWith(END)) where = 'header';
    } else if (line.startsWith('diff --')) {
      if (part) yield part;
      part = { commit, file: nameIn(line), lines: [] };
      where = 'header';
    } else if (line.startsWith('@@')) where = 'hunk';
    else if (where === 'hunk' && line.startsWith('+')) part?.lines.push(line.slice(1));
  }
  if (part) yield part;
}

const nameIn = (line: string): string => / b\/(.*)$/.exec(line)?.[1] ?? line.replace(/^diff --\S+ /, '');
