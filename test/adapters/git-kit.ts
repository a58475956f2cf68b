/** A throw-away repository with everything open on it, for tests on real git. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { defaultConfig } from '../../src/config.ts';
import { openGit, type Git } from '../../src/adapters/git.ts';
import { openLanding } from '../../src/adapters/landing.ts';
import { excludeInInfo, openRepo, type Repo } from '../../src/adapters/repo.ts';
import { openRepoLock } from '../../src/adapters/repo-lock.ts';
import { openSections } from '../../src/adapters/sections.ts';
import type { RunHook } from '../../src/adapters/workspace-setup.ts';
import { openWorkspaces } from '../../src/adapters/workspaces.ts';
import type { LandingOrder, Log, Prepared, WorkOrder } from '../../src/engine/ports.ts';

export type Kit = {
  readonly top: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logged: string[];
  /** A person's git, in the main worktree or in `cwd`. */
  git(args: readonly string[], cwd?: string): string;
  write(path: string, text: string, cwd?: string): void;
  open(options?: OpenOptions): Promise<Open>;
  close(): void;
};

export type OpenOptions = {
  readonly config?: Partial<Pick<Config, 'hooks' | 'protected' | 'base' | 'ports' | 'branchPrefix' | 'sign'>>;
  readonly maxFileBytes?: number;
  readonly runHook?: RunHook;
  readonly env?: NodeJS.ProcessEnv;
};

export type Open = {
  readonly repo: Repo;
  readonly git: Git;
  readonly workspaces: ReturnType<typeof openWorkspaces>;
  readonly landing: ReturnType<typeof openLanding>;
};

export const never = new AbortController().signal;

export function makeKit(files: Readonly<Record<string, string>> = { 'README.md': '# Demo\n', '.gitignore': '.env*\nnode_modules/\n/trees/\n' }): Kit {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'todone-git-')));
  const top = join(root, 'my repo é');
  const home = join(root, 'home');
  mkdirSync(top);
  mkdirSync(home);
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
  const logged: string[] = [];
  const opened: (() => void)[] = [];
  const log: Log = { write: (level, message) => logged.push(`${level}: ${message}`) };

  const git: Kit['git'] = (args, cwd = top) => execFileSync('git', [...args], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const write: Kit['write'] = (path, text, cwd = top) => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  };
  writeFileSync(join(home, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n');
  git(['init', '-q']);
  for (const [path, text] of Object.entries(files)) write(path, text);
  if (Object.keys(files).length > 0) {
    git(['add', '-A']);
    git(['commit', '-qm', 'First']);
  }

  const open: Kit['open'] = async (options = {}) => {
    const all = await openAll(top, home, env, log, options);
    opened.push(() => all.close());
    return all;
  };
  const close = (): void => {
    for (const end of opened) end();
    rmSync(root, { recursive: true, force: true });
  };
  return { top, home, env, logged, git, write, open, close };
}

async function openAll(top: string, home: string, env: NodeJS.ProcessEnv, log: Log, options: OpenOptions): Promise<Open & { close(): void }> {
  const repo = await repoOf(top, home);
  const config = { ...defaultConfig, ...options.config };
  const stateDir = join(repo.commonDir, 'todone');
  const door = await openGit({ commonDir: repo.commonDir, top: repo.top, stateDir, env: options.env ?? env, log });
  const lock = openRepoLock(join(stateDir, 'worktrees.db'));
  const sections = openSections({ git: door, branchPrefix: config.branchPrefix, base: config.base });
  excludeInInfo(repo.commonDir, ['/trees/']);
  const workspaces = openWorkspaces({
    git: door,
    sections,
    lock,
    top: repo.top,
    trees: join(repo.top, 'trees'),
    hooks: config.hooks,
    hookLimitMs: 10_000,
    runHook: options.runHook ?? shellHook(env),
    ports: config.ports,
    log,
  });
  const landing = openLanding({
    git: door,
    sections,
    top: repo.top,
    list: 'tasks.md',
    protected: config.protected,
    maxFileBytes: options.maxFileBytes ?? 1_000_000,
    secretsIn: (text) => (text.includes('AKIA') ? 'an access key' : undefined),
    identity: repo.identity,
    sign: config.sign === 'auto' && repo.signs,
    log,
  });
  return {
    repo,
    git: door,
    workspaces,
    landing,
    close: () => {
      door.close();
      lock.close();
    },
  };
}

/** Everything opened on a kit's repository by another process. */
export function makeKitAt(top: string, home: string): Promise<Open> {
  return openAll(top, home, process.env, { write: () => undefined }, {});
}

/** openRepo reads the person's config as git finds it: by HOME. */
export async function repoOf(top: string, home: string): Promise<Repo> {
  const before = { HOME: process.env['HOME'], GIT_CONFIG_NOSYSTEM: process.env['GIT_CONFIG_NOSYSTEM'] };
  process.env['HOME'] = home;
  try {
    const repo = await openRepo(top);
    if ('problem' in repo) throw new Error(repo.message);
    return repo;
  } finally {
    process.env['HOME'] = before.HOME;
  }
}

function shellHook(env: NodeJS.ProcessEnv): RunHook {
  return async (command, cwd, more) => {
    try {
      return {
        code: 0,
        output: execFileSync('sh', ['-c', command], { cwd, env: { ...env, ...more }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
        timedOut: false,
      };
    } catch (error) {
      return { code: (error as { status?: number }).status ?? 1, output: (error as { stderr?: string }).stderr ?? '', timedOut: false };
    }
  };
}

let tickets = 0;

export function orderOf(section: string, more: Partial<WorkOrder> = {}): WorkOrder {
  tickets += 1;
  return { id: `t${String(tickets).padStart(7, '0')}`, ticket: tickets, attempt: 1, section, slot: 1, ...more };
}

export function landingOrder(order: WorkOrder, prepared: { workspace: string; start: string }, more: Partial<LandingOrder> = {}): LandingOrder {
  return { ...order, workspace: prepared.workspace, start: prepared.start, title: 'Do it', message: 'Do it well', agent: 'script', noCommit: false, ...more };
}

export function ready(prepared: Prepared): Extract<Prepared, { kind: 'ready' }> {
  if (prepared.kind !== 'ready') throw new Error(`not ready: ${prepared.kind}: ${prepared.message}`);
  return prepared;
}

/** Squash and advance, as `land.ts` would without verify. */
export async function land(open: Open, order: LandingOrder): Promise<{ commit: string; hash: string; notes: readonly string[] }> {
  const squashed = await open.landing.squash(order);
  if (squashed.kind !== 'commit') throw new Error(`not a commit: ${JSON.stringify(squashed)}`);
  const advanced = await open.landing.advance(order, squashed.tip, squashed.commit);
  if (advanced.kind !== 'landed') throw new Error(`not landed: ${JSON.stringify(advanced)}`);
  return { commit: advanced.commit, hash: advanced.hash, notes: squashed.notes };
}

export function script(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
