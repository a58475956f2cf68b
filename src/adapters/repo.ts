/**
 * Looks at the repository that we are to work in: where it is, what state it is in, whose it is; or why it cannot be
 * used and what to do about it. Reads only, save for `excludeInInfo`, which adds lines to `.git/info/exclude`.
 */
import { lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { simpleGit, type SimpleGit } from 'simple-git';
import { isYes, parseConfigList, trust, type TrustedConfig } from './git-config.ts';

export type Identity = { readonly name: string; readonly email: string; /** True where git has none, and ToDone's stands in. */ readonly fallback: boolean };

export type Repo = {
  /** The main worktree's top. */
  readonly top: string;
  /** The top of the worktree that we were asked from; another one than `top` in a linked worktree. */
  readonly here: string;
  readonly commonDir: string;
  readonly gitDir: string;
  readonly linked: boolean;
  /** HEAD of the main worktree: its branch's short name, or undefined where it is detached. */
  readonly branch: string | undefined;
  readonly head: string;
  readonly gitVersion: string;
  readonly objectFormat: string;
  readonly identity: Identity;
  /** The person's global git config signs commits. */
  readonly signs: boolean;
};

export type RepoProblem = {
  readonly problem: 'no_git' | 'old_git' | 'no_repo' | 'bare' | 'foreign' | 'no_commit' | 'unsupported' | 'unreadable';
  readonly message: string;
  readonly remedy: string;
};

const OLDEST_GIT = { major: 2, minor: 39 };
const READ_LIMIT_MS = 30_000;
const NO_IDENTITY = { name: 'ToDone', email: 'todone@localhost' };

export async function openRepo(cwd: string): Promise<Repo | RepoProblem> {
  let git: SimpleGit;
  try {
    git = simpleGit({ baseDir: cwd, timeout: { block: READ_LIMIT_MS } });
  } catch {
    return { problem: 'no_repo', message: `${cwd} is not a folder`, remedy: 'give the folder of a repository with --repo' };
  }
  try {
    return (await tooOld(git)) ?? (await look(git, cwd));
  } catch (error) {
    return fromGitsWords(error instanceof Error ? error.message : String(error), cwd);
  }
}

/**
 * The top of an ordinary repository of one's own, by a look at its files; undefined where git has to be asked. For whoever only reads the list: who
 * commits, and where HEAD is, is not known.
 */
export function plainRepo(top: string): Repo | undefined {
  try {
    const real = realpathSync(top);
    const gitDir = join(real, '.git');
    const stats = [lstatSync(real), lstatSync(gitDir), lstatSync(join(gitDir, 'HEAD'))];
    if (process.env['GIT_DIR'] !== undefined || !stats[1]?.isDirectory() || !stats[2]?.isFile()) return undefined;
    if (process.getuid && stats.some(({ uid }) => uid !== process.getuid?.())) return undefined;
    const unknown = { branch: undefined, head: '', gitVersion: '', objectFormat: '', identity: { ...NO_IDENTITY, fallback: true }, signs: false };
    return { top: real, here: real, commonDir: gitDir, gitDir, linked: false, ...unknown };
  } catch {
    return undefined;
  }
}

/** Makes git ignore these patterns, in every worktree and without touching a tracked file; lines that stand there already are left. */
export function excludeInInfo(commonDir: string, lines: readonly string[]): void {
  const file = join(commonDir, 'info', 'exclude');
  mkdirSync(dirname(file), { recursive: true });
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const present = new Set(text.split(/\r?\n/));
  const missing = lines.filter((wanted) => !present.has(wanted));
  if (missing.length === 0) return;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  writeFileSync(file, `${text}${gap}${missing.join('\n')}\n`);
}

type Version = Awaited<ReturnType<SimpleGit['version']>>;

/** Of the git on each PATH that was asked: a process that opens a hundred repositories asks once. */
const versions = new Map<string, Version>();

async function versionOf(git: SimpleGit): Promise<Version> {
  const path = process.env['PATH'] ?? '';
  const version = versions.get(path) ?? (await git.version());
  if (version.installed) versions.set(path, version);
  return version;
}

async function tooOld(git: SimpleGit): Promise<RepoProblem | undefined> {
  const version = await versionOf(git);
  const remedy = `install git ${OLDEST_GIT.major}.${OLDEST_GIT.minor} or newer`;
  if (!version.installed) return { problem: 'no_git', message: 'there is no git on the PATH', remedy };
  const fine = version.major > OLDEST_GIT.major || (version.major === OLDEST_GIT.major && version.minor >= OLDEST_GIT.minor);
  return fine ? undefined : { problem: 'old_git', message: `git ${version.major}.${version.minor} is too old`, remedy };
}

async function look(git: SimpleGit, cwd: string): Promise<Repo | RepoProblem> {
  const facts = await git.raw([
    'rev-parse',
    '--path-format=absolute',
    '--git-dir',
    '--git-common-dir',
    '--show-object-format',
    '--is-bare-repository',
    '--is-inside-work-tree',
  ]);
  const [gitDir = '', commonDir = '', objectFormat = 'sha1', bare, inside] = facts.split('\n');
  if (bare === 'true')
    return { problem: 'bare', message: `${gitDir} is a bare repository: there is no place for a task list`, remedy: 'clone it, and use the clone' };
  if (inside !== 'true') return { problem: 'no_repo', message: `${cwd} is inside ${gitDir}, not in a work tree`, remedy: 'go to the top of the repository' };
  const here = (await git.raw(['rev-parse', '--path-format=absolute', '--show-toplevel'])).replace(/\n$/, '');
  const linked = gitDir !== commonDir;

  const config = trust(parseConfigList(Buffer.from(await git.raw(['config', '--list', '-z', '--show-scope', '--includes']))), undefined);
  const storage = config.get('extensions.refstorage');
  if (storage !== undefined && storage !== 'files') {
    return {
      problem: 'unsupported',
      message: `this repository keeps its refs as ${storage}, which ToDone does not support`,
      remedy: 'git refs migrate --ref-format=files',
    };
  }
  const main = parseMainWorktree(await git.raw(['worktree', 'list', '--porcelain', '-z']));
  if (main.bare)
    return {
      problem: 'bare',
      message: `${commonDir} is a bare repository: there is no main worktree for the task list`,
      remedy: 'clone it, and use the clone',
    };
  if (main.head === undefined) {
    return {
      problem: 'no_commit',
      message: `${main.path} has no commit yet, so there is nothing to branch from`,
      remedy: 'git commit --allow-empty -m "First commit"',
    };
  }
  const version = await versionOf(git);
  return {
    top: realpathSync(main.path),
    here: realpathSync(here),
    commonDir: realpathSync(commonDir),
    gitDir: realpathSync(gitDir),
    linked,
    branch: main.branch,
    head: main.head,
    gitVersion: `${version.major}.${version.minor}.${version.patch}`,
    objectFormat,
    identity: identityOf(config, process.env),
    signs: isYes(config.getGlobal('commit.gpgsign')),
  };
}

/** The first entry of `git worktree list --porcelain -z` is always the main worktree. */
function parseMainWorktree(output: string): { path: string; bare: boolean; head: string | undefined; branch: string | undefined } {
  const entry = output.split('\0\0')[0]!.split('\0');
  const value = (name: string): string | undefined => entry.find((field) => field.startsWith(`${name} `))?.slice(name.length + 1);
  const head = value('HEAD');
  return {
    path: value('worktree') ?? '',
    bare: entry.includes('bare'),
    head: head === undefined || /^0+$/.test(head) ? undefined : head,
    branch: value('branch')?.replace(/^refs\/heads\//, ''),
  };
}

/** The engineer's, as their git has it; from the environment only where no config says. */
export function identityOf(config: TrustedConfig, env: NodeJS.ProcessEnv): Identity {
  const name = config.get('author.name') ?? config.get('user.name') ?? env['GIT_AUTHOR_NAME'];
  const email = config.get('author.email') ?? config.get('user.email') ?? env['GIT_AUTHOR_EMAIL'];
  const usable = [name, email].every((value) => value !== undefined && value.replaceAll(/[<>\s.,;:"\\]/g, '') !== '');
  return usable ? { name: name!, email: email!, fallback: false } : { ...NO_IDENTITY, fallback: true };
}

function fromGitsWords(words: string, cwd: string): RepoProblem {
  const foreign = /dubious ownership in repository at '([^']+)'/.exec(words);
  if (foreign) {
    return {
      problem: 'foreign',
      message: `detected dubious ownership in repository at '${foreign[1]}': it belongs to another user`,
      remedy: `if you trust it: git config --global --add safe.directory ${foreign[1]}`,
    };
  }
  if (/not a git repository/.test(words))
    return { problem: 'no_repo', message: `${cwd} is in no git repository`, remedy: 'git init, or give the folder of a repository with --repo' };
  return { problem: 'unreadable', message: `git cannot read the repository at ${cwd}: ${words.trim()}`, remedy: 'see what `git status` says there' };
}
