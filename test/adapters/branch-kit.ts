/** A repository with a section whose branch has landed work, a bare remote with hooks, and a stand-in for gh that writes down its calls. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openBranches } from '../../src/adapters/branches.ts';
import { baseBranchOf } from '../../src/adapters/branch-merge.ts';
import { openCleanCheckout } from '../../src/adapters/clean-checkout.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Git } from '../../src/adapters/git.ts';
import { openRedaction } from '../../src/adapters/redact.ts';
import { openRepoLock } from '../../src/adapters/repo-lock.ts';
import { openSections } from '../../src/adapters/sections.ts';
import { openTo } from '../../src/adapters/sandbox/sandbox.ts';
import { verifyWhereConfigured } from '../../src/adapters/verify-clean.ts';
import { openHooks, openVerify } from '../../src/adapters/verify.ts';
import { type Config, type WrittenConfig, readConfig } from '../../src/config.ts';
import type { Branches } from '../../src/engine/ports.ts';
import type { ErrandKind, ErrandOrder } from '../../src/runs/errand.ts';
import { land, landingOrder, makeKit, never, type Kit, type Open, orderOf, ready, script } from './git-kit.ts';

export type BranchKit = {
  readonly kit: Kit;
  readonly remote: string;
  readonly bin: string;
  /** One task of the section writes a file and lands it. */
  landed(path: string, text: string, section?: string): Promise<string>;
  open(
    config?: WrittenConfig,
    env?: NodeJS.ProcessEnv,
  ): Promise<{ readonly branches: Branches; readonly git: Git; readonly options: Parameters<typeof openBranches>[0] }>;
  /** What `gh` was called with, line by line. */
  ghCalls(): string[];
  /** The pull requests that the stand-in has, and one's body. */
  pulls(): { number: number; state: string; body: string; title: string }[];
  setPulls(pulls: readonly object[]): void;
  close(): void;
};

export async function makeBranchKit(options: { readonly remote?: boolean; readonly files?: Readonly<Record<string, string>> } = {}): Promise<BranchKit> {
  const kit = makeKit({ 'README.md': '# Demo\n', '.gitignore': 'node_modules/\nout/\n', ...options.files });
  const remote = join(kit.home, 'remote.git');
  const bin = join(kit.home, 'bin');
  mkdirSync(bin);
  if (options.remote !== false) {
    kit.git(['init', '-q', '--bare', remote]);
    kit.git(['remote', 'add', 'origin', remote]);
    kit.git(['push', '-q', 'origin', 'main']);
  }
  const env = { ...kit.env, PATH: `${bin}:${kit.env['PATH']}` };
  const closing: (() => void)[] = [];
  let first: Open | undefined;

  return {
    kit,
    remote,
    bin,
    async landed(path, text, section = 'auth') {
      first ??= await kit.open();
      const order = orderOf(section);
      const prepared = ready(await first.workspaces.prepare(order, undefined, never));
      kit.write(path, text, prepared.workspace);
      const { commit } = await land(first, landingOrder(order, prepared, { message: `Write ${path}` }));
      await first.workspaces.release(order, prepared.workspace, never);
      return commit;
    },
    async open(written = {}, more = {}) {
      const opened = await kit.open({ env: { ...env, ...more } });
      const config = configOf(written);
      const stateDir = join(opened.repo.commonDir, 'todone');
      const lock = openRepoLock(join(stateDir, 'worktrees.db'));
      closing.push(() => lock.close());
      const { git, repo } = opened;
      const shell = {
        config: () => config,
        stateDir,
        epoch: `e${process.pid}`,
        term: 1,
        clock: systemClock(),
        redaction: openRedaction({}, []),
        env: { ...env, ...more },
        identity: repo.identity,
        sandbox: openTo('a test'),
      };
      const sections = openSections({ git, branchPrefix: config.branchPrefix, base: config.base });
      const log = { write: (level: string, message: string) => void kit.logged.push(`${level}: ${message}`) };
      const places = {
        git,
        sections,
        lock,
        log,
        top: repo.top,
        trees: resolve(repo.top, config.trees),
        hooks: config.hooks,
        hookLimitMs: config.limits.hook,
        runHook: openHooks(shell),
        ports: config.ports,
      };
      const merging = { ...places, base: config.base, list: 'tasks.md', identity: repo.identity, sign: false };
      const clean = openCleanCheckout(places);
      const check = openVerify(shell);
      const all = {
        ...shell,
        ...merging,
        clean,
        check,
        proven: verifyWhereConfigured(check, { ...shell, clean, git }),
        baseBranch: () => baseBranchOf(merging),
      };
      return { branches: openBranches(all), git, options: all };
    },
    ghCalls: () => (existsSync(join(kit.home, 'gh.log')) ? readFileSync(join(kit.home, 'gh.log'), 'utf8').trim().split('\n') : []),
    pulls: () =>
      JSON.parse(existsSync(join(kit.home, 'pulls.json')) ? readFileSync(join(kit.home, 'pulls.json'), 'utf8') : '[]') as ReturnType<BranchKit['pulls']>,
    setPulls: (pulls) => writeFileSync(join(kit.home, 'pulls.json'), JSON.stringify(pulls)),
    close() {
      for (const end of closing) end();
      kit.close();
    },
  };
}

function configOf(written: WrittenConfig): Config {
  const read = readConfig({ ...written, limits: { stopGrace: '200ms', ...written.limits } });
  if (!('config' in read)) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

export const errandOrder = (kind: ErrandKind, more: Partial<ErrandOrder> = {}): ErrandOrder => ({
  section: 'auth',
  kind,
  ticket: 1,
  title: 'Checkout: auth',
  tasks: [],
  ...more,
});

/** A gh that keeps pull requests in a file; `fails` = what it says and ends with, in place of an answer. */
export function standInGh(bin: string, home: string, fails?: { readonly says: string; readonly code: number }): void {
  script(
    join(bin, 'gh'),
    `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const [, , ...args] = process.argv;
const file = ${JSON.stringify(join(home, 'pulls.json'))};
appendFileSync(${JSON.stringify(join(home, 'gh.log'))}, [args.slice(0, 2).join(' '), 'dir=' + process.env.GIT_DIR, 'repo=' + (process.env.GH_REPO ?? ''), 'cwd=' + process.cwd()].join(' ') + '\\n');
const fails = ${JSON.stringify(fails ?? null)};
if (fails) { process.stderr.write(fails.says + '\\n'); process.exit(fails.code); }
const value = (name) => args[args.indexOf(name) + 1];
const pulls = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
if (args[1] === 'list') process.stdout.write(JSON.stringify(pulls.filter((pull) => pull.headRefName === value('--head'))));
if (args[1] === 'create') {
  const number = pulls.length + 1;
  pulls.push({ number, url: 'https://forge.example/o/r/pull/' + number, state: 'OPEN', headRefName: value('--head'), title: value('--title'), body: readFileSync(value('--body-file'), 'utf8') });
  process.stdout.write(pulls.at(-1).url + '\\n');
}
if (args[1] === 'edit') pulls.find((pull) => String(pull.number) === args[2]).body = readFileSync(value('--body-file'), 'utf8');
writeFileSync(file, JSON.stringify(pulls));
`,
  );
}
