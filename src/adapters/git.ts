/**
 * The door to git (4-R11). Commands run in *private git directories* of ours: objects and refs are links to the
 * repository's, config, attributes and the lack of hooks are our own, so nothing that an agent plants in the shared
 * `.git` runs. Never uses a shell, the caller's GIT_* variables, or a git program from inside the repository.
 */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative, sep } from 'node:path';
import type { Log } from '../engine/ports.ts';
import { exec, type ExecResult } from './exec.ts';
import { FIRST_SIGHT, parseConfigList, renderConfig, storeTrusted, writeWhole, type TrustedConfig } from './git-config.ts';
import { type Commits, openCommits } from './git-commits.ts';
import { openObjects, type Objects } from './git-objects.ts';
import { openRefs, type Refs } from './git-refs.ts';
import { listWorktrees } from './worktree-admin.ts';

export type GitPlace = {
  /** The private git directory; default: the hub, for what concerns no workspace. */
  readonly dir?: string;
  readonly workTree?: string;
  readonly index?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
};

export type Git = {
  /** The repository's own git directory, shared by its worktrees. */
  readonly commonDir: string;
  /** Where ToDone keeps private git directories and its copy of the config. */
  readonly home: string;
  readonly config: TrustedConfig;
  readonly objects: Objects;
  readonly refs: Refs;
  readonly commits: Commits;
  run(args: readonly string[], place?: GitPlace): Promise<ExecResult>;
  /** The output of a command that has to succeed; throws `GitFailed`. */
  ok(args: readonly string[], place?: GitPlace): Promise<Buffer>;
  /** A command on the repository's own git directory: only what neither reads nor writes files of a work tree. */
  own(args: readonly string[], place?: GitPlace): Promise<ExecResult>;
  /** How a command is started that may take long and has to be stopped with its children: a push, a fetch. */
  command(args: readonly string[]): GitCommand;
  /** Makes (or mends) a private git directory whose HEAD is this commit. */
  privateDir(dir: string, head: string): void;
  /** One at a time per key: two of ours on one index would meet. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>;
  close(): void;
};

export type GitCommand = { readonly program: string; readonly args: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> };

export class GitFailed extends Error {
  override name = 'GitFailed';
  readonly result: ExecResult;
  constructor(args: readonly string[], result: ExecResult) {
    const why = result.timedOut ? 'did not end in time' : `failed (${result.code === undefined ? result.trouble : `exit ${result.code}`})`;
    super(`git ${args[0]} ${why}: ${firstLines(result.stderr)}`);
    this.result = result;
  }
}

/** On top of the private config, and all there is on the repository's own. */
const SAFE = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['diff.external', ''],
  ['core.pager', 'cat'],
  ['commit.gpgSign', 'false'],
  ['protocol.ext.allow', 'never'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.splitIndex', 'false'],
  ['core.sparseCheckout', 'false'],
  ['submodule.recurse', 'false'],
  ['i18n.commitEncoding', 'UTF-8'],
].flatMap(([key, value]) => ['-c', `${key}=${value}`]);

/** Of the GIT_* variables only these, which name no program, file or repository. */
const KEPT_GIT_VARIABLES = new Set(['GIT_LFS_SKIP_SMUDGE']);
const PROMPTERS = new Set(['SSH_ASKPASS', 'EDITOR', 'VISUAL', 'PAGER']);

/** The hub stands on no branch. */
const NO_HEAD = 'ref: refs/heads/none';

const LINKED = ['objects', 'refs', 'packed-refs', 'shallow', 'lfs', 'modules'];

export type OpenGit = {
  readonly commonDir: string;
  /** The main worktree; a git program inside it is not ours. */
  readonly top: string;
  /** ToDone's own folder, usually inside the common directory. */
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
};

export async function openGit(options: OpenGit): Promise<Git> {
  const { commonDir, log } = options;
  const home = join(options.stateDir, 'git');
  const env = gitEnvironment(options.env, options.top);
  const program = findGit(env['PATH'] ?? '');
  const hub = join(home, 'hub');
  mkdirSync(home, { recursive: true, mode: 0o700 });

  const start = (dir: string, args: readonly string[], place: GitPlace): Promise<ExecResult> =>
    exec(program, [`--git-dir=${dir}`, ...(place.workTree === undefined ? [] : [`--work-tree=${place.workTree}`]), ...SAFE, ...args], {
      // Not a git directory: a ref's name must not be a file's as well.
      cwd: place.workTree ?? home,
      env: { ...env, ...(place.index === undefined ? {} : { GIT_INDEX_FILE: place.index }), ...place.env },
      input: place.input,
      timeoutMs: place.timeoutMs,
      maxBytes: place.maxBytes,
      signal: place.signal,
    });
  const own: Git['own'] = (args, place = {}) => start(commonDir, args, place);
  const run: Git['run'] = (args, place = {}) => {
    madeGood();
    return start(place.dir ?? hub, args, place);
  };

  const listing = await own(['config', '--list', '-z', '--show-scope', '--includes']);
  if (listing.code !== 0) throw new GitFailed(['config', '--list'], listing);
  const config = storeTrusted(home, parseConfigList(listing.stdout));
  if (config.untrusted.length > 0) {
    log.write(
      'warn',
      `not used, because it came into the repository's git config after ToDone first saw it: ${config.untrusted.join(', ')}. If it is yours, set it with git config --global`,
    );
  }
  const sight = readFileSync(join(home, FIRST_SIGHT), 'utf8');
  /** Somebody may delete our folder while we work: what it held of the config is what we began with. */
  const madeGood = (): void => {
    if (existsSync(join(hub, 'HEAD')) && existsSync(join(home, 'config'))) return;
    writeWhole(join(home, FIRST_SIGHT), sight);
    writeWhole(join(home, 'config'), renderConfig(config.entries));
    made.clear();
    privateDir(hub, NO_HEAD);
    // They work in a folder that is not there any more.
    objects.close();
    refs.close();
    commits.close();
  };
  const made = new Set<string>();
  // Git LFS keeps its objects beside git's; where it is in use they belong into the repository, to be pushed from there.
  if (config.entries.some((entry) => entry.key.startsWith('filter.lfs.'))) mkdirSync(join(commonDir, 'lfs'), { recursive: true });
  const privateDir: Git['privateDir'] = (dir, head) => {
    if (!made.has(dir) || !existsSync(join(dir, 'info'))) makePrivateDir(dir, commonDir, home);
    made.add(dir);
    setPrivateHead(dir, head);
  };
  privateDir(hub, NO_HEAD);
  const objects = openObjects(program, [`--git-dir=${hub}`, ...SAFE], { cwd: home, env });
  const refs = openRefs(program, [`--git-dir=${hub}`, ...SAFE], { cwd: home, env }, () => placesOf(commonDir, options.top, home));
  const commits = openCommits(program, [`--git-dir=${hub}`, ...SAFE], { cwd: home, env });

  return {
    commonDir,
    home,
    config,
    objects,
    refs,
    commits,
    run,
    own,
    command: (args) => ({
      program,
      args: [`--git-dir=${hub}`, ...SAFE, ...args],
      cwd: home,
      env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    }),
    privateDir,
    inTurn: turns(madeGood),
    async ok(args, place) {
      const result = await run(args, place);
      if (result.code !== 0 || result.timedOut || result.truncated) throw new GitFailed(args, result);
      return result.stdout;
    },
    close() {
      objects.close();
      refs.close();
      commits.close();
    },
  };
}

/** What git may see of our environment: nothing that points it elsewhere, asks a person or opens a program. */
export function gitEnvironment(from: NodeJS.ProcessEnv, top: string): Record<string, string | undefined> {
  const kept = Object.entries(from).filter(([name]) => (!name.startsWith('GIT_') || KEPT_GIT_VARIABLES.has(name)) && !PROMPTERS.has(name));
  return { ...Object.fromEntries(kept), PATH: pathOutside(from['PATH'] ?? '', top), GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
}

/** PATH without relative entries and without folders of the repository, where an agent could put a `git`. */
function pathOutside(path: string, top: string): string {
  const outside = (entry: string): boolean => {
    const way = relative(top, entry);
    return isAbsolute(entry) && (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
  };
  return path.split(delimiter).filter(outside).join(delimiter);
}

/** The absolute path of git, so that a later change of a folder in PATH cannot put another in its place. */
function findGit(path: string): string {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, 'git');
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here.
    }
  }
  return 'git';
}

/** HEAD of a private directory, which nobody but us reads. */
export function setPrivateHead(dir: string, head: string): void {
  writeWhole(join(dir, 'HEAD'), `${head}\n`);
}

/** Where a git of this repository may be at work. */
export function placesOf(commonDir: string, top: string, home: string): readonly string[] {
  return [top, commonDir, home, ...listWorktrees(commonDir, top).map((worktree) => worktree.path)];
}

function turns(first: () => void): Git['inTurn'] {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(first).then(work);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    last.set(key, over);
    void over.then(() => last.get(key) === over && last.delete(key));
    return turn;
  };
}

function makePrivateDir(dir: string, commonDir: string, home: string): void {
  mkdirSync(join(dir, 'info'), { recursive: true, mode: 0o700 });
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  mkdirSync(join(commonDir, 'logs', 'refs'), { recursive: true });
  for (const name of LINKED) link(join(commonDir, name), join(dir, name));
  link(join(commonDir, 'logs', 'refs'), join(dir, 'logs', 'refs'));
  link(join(commonDir, 'info', 'exclude'), join(dir, 'info', 'exclude'));
  link(join(home, 'config'), join(dir, 'config'));
  // Attributes only choose among drivers, and those come from the trusted config.
  const attributes = join(commonDir, 'info', 'attributes');
  if (existsSync(attributes)) writeWhole(join(dir, 'info', 'attributes'), readFileSync(attributes, 'utf8'));
}

function link(target: string, at: string): void {
  const present = lstatSync(at, { throwIfNoEntry: false });
  if (present?.isSymbolicLink() && readlinkSync(at) === target) return;
  if (present) rmSync(at, { recursive: true });
  symlinkSync(target, at);
}

const SHOWN_LINES = 3;

function firstLines(text: string): string {
  const lines = text.trim().split('\n');
  return lines.slice(0, SHOWN_LINES).join('; ') || 'it said nothing';
}
