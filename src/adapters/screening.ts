/**
 * Looks at what a workspace changed before it becomes a commit (4-R6): what is left out, what makes us refuse, what may
 * land. Reads files and decides; never changes one.
 */
import { lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, sep } from 'node:path';
import picomatch from 'picomatch';
import type { Change, Changes } from './workspace.ts';

export type ScreeningRules = {
  /** The list, from the top of the repository; undefined where it lies outside. */
  readonly list: string | undefined;
  readonly isProtected: (path: string) => boolean;
  readonly maxFileBytes: number;
  /** What kind of secret a text holds. */
  readonly secretsIn: (text: string) => string | undefined;
};

export type Screened = {
  readonly accepted: readonly Change[];
  /** Stays out of the commit, and is said. */
  readonly leftOut: readonly LeftOut[];
  /** Any of these, and nothing lands. */
  readonly refusals: readonly string[];
};

export type LeftOut = { readonly name: string; readonly why: string; /** Not worth a word: our own copies. */ readonly silent?: boolean };

/** The start's version of a file. */
export type BaseText = (path: string) => Promise<string | undefined>;

const BINARY_LOOK = 8_000;
/** Names of example files, which are meant to be committed. */
const EXAMPLE_ENV = /\.(example|sample|template|dist|defaults?|schema)$/i;

export function protectedPaths(globs: readonly string[]): (path: string) => boolean {
  const matches = globs.length === 0 ? () => false : picomatch([...globs], { dot: true });
  return (path) => matches(path);
}

export async function screen(top: string, changes: Changes, copies: ReadonlySet<string>, rules: ScreeningRules, base: BaseText): Promise<Screened> {
  const leftOut = new Map<string, Omit<LeftOut, 'name'>>();
  for (const change of changes.paths) {
    const why = reasonToLeaveOut(change, copies, rules);
    if (why !== undefined) leftOut.set(change.name, why);
  }
  // A file in the place of a folder would push out what is in that folder.
  for (const name of Array.from(leftOut.keys())) {
    for (const folder of ancestors(name)) {
      if (changes.paths.some((change) => change.name === folder)) leftOut.set(folder, { why: `in the way of ${name}` });
    }
  }
  const accepted = changes.paths.filter((change) => !leftOut.has(change.name));
  const refusals = changes.unholdable.map(({ name, why }) => `${name} is ${why}`);
  for (const change of accepted) {
    const refusal = change.kind === 'removed' ? undefined : await inspect(top, change, rules, base);
    if (refusal !== undefined) refusals.push(refusal);
  }
  return { accepted, leftOut: [...leftOut].map(([name, left]) => ({ name, ...left })), refusals };
}

function reasonToLeaveOut(change: Change, copies: ReadonlySet<string>, rules: ScreeningRules): Omit<LeftOut, 'name'> | undefined {
  const here = [change.name, ...ancestors(change.name)];
  if (rules.list !== undefined && here.includes(rules.list)) return { why: 'the task list' };
  if (here.some((path) => rules.isProtected(path))) return { why: 'protected' };
  if (copies.has(change.name)) return { why: 'a copy of an ignored file', silent: true };
  const isEnv = posix.basename(change.name).startsWith('.env') && !EXAMPLE_ENV.test(change.name);
  return change.kind === 'new' && isEnv ? { why: 'an environment file' } : undefined;
}

function ancestors(name: string): string[] {
  const folders: string[] = [];
  for (let folder = posix.dirname(name); folder !== '.'; folder = posix.dirname(folder)) folders.push(folder);
  return folders;
}

async function inspect(top: string, change: Change, rules: ScreeningRules, base: BaseText): Promise<string | undefined> {
  const file = Buffer.concat([Buffer.from(`${top}/`), change.raw]);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return inspectLink(top, change.name, readlinkSync(file));
  if (!stat?.isFile()) return undefined;
  if (stat.size > rules.maxFileBytes) return `${change.name} is too large: ${stat.size} bytes, the limit is ${rules.maxFileBytes} (limits.fileBytes)`;
  const bytes = readFileSync(file);
  if (bytes.subarray(0, BINARY_LOOK).includes(0)) return undefined;
  const text = bytes.toString('utf8');
  const before = change.kind === 'new' ? undefined : await base(change.name);
  if (hasMarkers(text) && !(before !== undefined && hasMarkers(before))) return `${change.name} has conflict markers in it`;
  const secret = rules.secretsIn(addedLines(before, text));
  return secret === undefined ? undefined : `${change.name} seems to hold a secret: ${secret}`;
}

/** The three lines of a conflict, in their order. */
function hasMarkers(text: string): boolean {
  if (!text.includes('<<<<<<< ') || !text.includes('>>>>>>> ')) return false;
  let seen = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('<<<<<<< ')) seen = 1;
    else if (seen === 1 && line.trimEnd() === '=======') seen = 2;
    else if (seen === 2 && line.startsWith('>>>>>>> ')) return true;
  }
  return false;
}

function inspectLink(top: string, name: string, target: string): string | undefined {
  const out = `${name} is a link that leads out of the repository: ${target}`;
  if (isAbsolute(target)) return out;
  const way = posix.normalize(posix.join(posix.dirname(name), target));
  if (way === '..' || way.startsWith('../')) return out;
  if (way.split('/').some((part) => part.toLowerCase() === '.git')) return `${name} is a link into .git: ${target}`;
  // Links on the way may lead elsewhere than the words say.
  const real = whereItLeads(join(top, dirname(name)), target.split('/'));
  const realTop = realpathSync(top);
  return real === realTop || real.startsWith(realTop + sep) ? undefined : out;
}

/** Step by step, as the system goes; from where nothing is any more, by the words. */
function whereItLeads(folder: string, steps: readonly string[]): string {
  let at = realpathSync(folder);
  for (const [done, step] of steps.entries()) {
    try {
      at = realpathSync(`${at}/${step}`);
    } catch {
      return join(at, ...steps.slice(done));
    }
  }
  return at;
}

/** What was there before is not ours to judge. */
function addedLines(before: string | undefined, text: string): string {
  if (before === undefined) return text;
  const known = new Set(before.split('\n'));
  return text
    .split('\n')
    .filter((line) => !known.has(line))
    .join('\n');
}
