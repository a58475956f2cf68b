/**
 * The ports of an owner, wired: everything that the engine needs to work on one list, and how to let go of it again.
 * The only place that knows which adapter implements which port.
 */
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { createEngine, type Engine } from '../engine/engine.ts';
import type { Common } from '../runs/sharing.ts';
import type { Clock, Door, HistoryRow, Log, TaskFile } from '../engine/ports.ts';
import { applyEdits } from '../tasks/edit.ts';
import type { Board } from '../tasks/task.ts';
import { openAgents } from '../adapters/agents/agents.ts';
import type { Desk } from '../adapters/agents/desk.ts';
import { type Git, openGit } from '../adapters/git.ts';
import { openBranches } from '../adapters/branches.ts';
import { openCleanCheckout } from '../adapters/clean-checkout.ts';
import { baseBranchOf } from '../adapters/branch-merge.ts';
import { openGitState } from '../adapters/git-state.ts';
import { openLandHooks } from '../adapters/land-hooks.ts';
import { openLanding } from '../adapters/landing.ts';
import { loadPrompts } from '../adapters/prompts.ts';
import { excludeInInfo } from '../adapters/repo.ts';
import { openSandbox, openTo } from '../adapters/sandbox/sandbox.ts';
import { openRepoLock } from '../adapters/repo-lock.ts';
import { openSections } from '../adapters/sections.ts';
import { socketPath } from '../adapters/socket-path.ts';
import { openJournal } from '../adapters/sqlite.ts';
import { type ListFile, openTaskFile } from '../adapters/task-file.ts';
import { openHooks, openVerify } from '../adapters/verify.ts';
import { verifyWhereConfigured } from '../adapters/verify-clean.ts';
import { heldWorkspaces, openWorkspaces } from '../adapters/workspaces.ts';
import { openReachable } from '../adapters/reachable.ts';
import { archivedStates } from './archived.ts';
import { ownersDoor } from './door.ts';
import { mcpCommand, ownFolders } from './mcp.ts';
import { evidenceFor } from './evidence.ts';
import type { Place } from './place.ts';
import { redactionOf } from './redaction.ts';
import { tidy, tidyLocks, tidyWorkspaces } from './tidy.ts';

export type Work = {
  readonly engine: Engine;
  readonly list: TaskFile;
  readonly git: Git;
  readonly runHook: ReturnType<typeof openHooks>;
  /** The rows of one task, oldest first. */
  readonly history: (id: string) => readonly HistoryRow[];
  /** Takes away what is too old or too much. */
  tidy(): Promise<void>;
  /** Takes away what crashes left: locks of killed gits, workspaces of runs that are no more. Gives how many locks may still be held after `patienceMs`. */
  tidyCrashes(patienceMs?: number): Promise<number>;
  /** Every interface of this process. */
  readonly door: Door;
  close(): Promise<void>;
};

export type WorkOptions = {
  readonly place: Place;
  readonly term: number;
  /** Whether what makes us the owner is still in its place. */
  readonly owns: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: () => Config;
  readonly instance: string;
  /** False for one request without a daemon: no run is begun or recovered. */
  readonly works: boolean;
  /** Without `works`: what is asked for may run commands all the same. */
  readonly runsCommands?: boolean;
  /** `--wait` (7-R3). */
  readonly waits: boolean;
  readonly patienceMs: number;
  /** Where agents are heard while their phases go on; without one they report by file alone. */
  readonly desk?: Desk;
  /** What other projects of this process take. */
  readonly common?: (() => Common) | undefined;
};

export async function openWork(options: WorkOptions): Promise<Work> {
  const { place, clock, log } = options;
  const { repo, stateDir, config } = place;
  const redaction = redactionOf(place);
  const journal = openJournal({ stateDir, term: options.term, now: () => clock.now(), log, owns: options.owns });
  const stored = journal.load();
  const git = await openGit({ commonDir: repo.commonDir, top: repo.top, stateDir, env: process.env, log });
  const lock = openRepoLock(join(stateDir, 'worktrees.db'));
  const sections = openSections({ git, branchPrefix: config.branchPrefix, base: config.base });
  const sandbox =
    options.works || options.runsCommands
      ? await openSandbox({
          config: options.config,
          top: repo.top,
          commonDir: repo.commonDir,
          stateDir,
          list: place.listPath,
          socket: options.desk ? socketPath(stateDir, process.env, 'agents') : undefined,
          own: ownFolders(),
          env: process.env,
        })
      : openTo('nothing runs');
  if (options.works) log.write(sandbox.problem === undefined ? 'info' : 'error', `sandbox: ${sandbox.problem ?? sandbox.found}`);
  const shell = {
    sandbox,
    config: options.config,
    stateDir,
    epoch: stored.epoch,
    term: options.term,
    clock,
    redaction,
    env: process.env,
    identity: repo.identity,
  };
  const list = openList(options);
  const runHook = openHooks(shell);
  excludeInInfo(repo.commonDir, [`/${config.trees}/`, `/${place.listName}.lock`, '.todone-*']);
  const { prompts, problems } = loadPrompts(repo.top, config.prompts);
  for (const problem of problems) log.write('error', `${problem.file}:${problem.line}: ${problem.message}`);
  const tidying = { place, git, journal, list, clock, log, redaction, config: options.config };
  if (options.works) await tidyLocks(tidying);
  if (options.works) await tidy(tidying, { known: stored.known, runs: new Set(stored.runs.map((run) => run.id)) });
  const places = {
    git,
    sections,
    lock,
    log,
    top: repo.top,
    trees: resolve(repo.top, config.trees),
    hooks: config.hooks,
    hookLimitMs: config.limits.hook,
    runHook,
    ports: config.ports,
  };
  const clean = openCleanCheckout(places);
  const check = openVerify(shell);
  const verify = verifyWhereConfigured(check, { ...shell, clean, git });
  const merging = { ...places, base: config.base, list: place.listName, identity: repo.identity, sign: config.sign === 'auto' && repo.signs };
  const workspaces = openWorkspaces(places);
  const landing = openLanding({
    ...merging,
    protected: config.protected,
    maxFileBytes: config.limits.fileBytes,
    secretsIn: (text) => redaction.secretsIn(text),
  });
  // Without rows nobody goes on with a landing that was cut off.
  if (options.works && stored.known.length === 0) await landing.follow(heldWorkspaces(git.home, places.trees));
  const engine = createEngine({
    clock,
    list,
    journal,
    workspaces,
    branches: openBranches({ ...shell, ...merging, clean, check, proven: verify, baseBranch: () => baseBranchOf(merging) }),
    landing,
    agents: openAgents({
      ...shell,
      top: repo.top,
      log,
      ...(options.desk ? { voice: { desk: options.desk, socket: socketPath(stateDir, process.env, 'agents'), command: mcpCommand() } } : {}),
    }),
    verify,
    landHooks: openLandHooks({ ...shell, git, sections }),
    prompts,
    log,
    config: options.config,
    random: Math.random,
    instance: options.instance,
    archived: archivedStates(place),
    evidence: await evidenceFor(stored, { git, sections, list, stateDir, parse: options.config() }),
    works: options.works,
    waits: options.waits,
    patienceMs: options.patienceMs,
    common: options.common,
  });
  return {
    engine,
    list,
    git,
    runHook,
    history: (id) => journal.history(id),
    tidy() {
      const { known, runs } = engine.now().world;
      return tidy(tidying, { known: known.values(), runs: new Set(runs.keys()) });
    },
    async tidyCrashes(patienceMs) {
      const left = await tidyLocks(tidying, patienceMs);
      await tidyWorkspaces(workspaces, () => engine.now().world.runs, log);
      // A lock that was in the way is gone by now.
      await landing.follow(heldWorkspaces(git.home, places.trees));
      return left;
    },
    door: ownersDoor({ engine, config: options.config, clock, history: (id) => journal.history(id), reachable: openReachable(git) }),
    async close() {
      engine.close();
      await list.close();
      journal.close();
      lock.close();
      git.close();
    },
  };
}

export function openList(options: Pick<WorkOptions, 'place' | 'clock' | 'log' | 'config'>): ListFile {
  const { place, clock, log } = options;
  // What was read last: of the next text only what differs is read.
  let board: Board | undefined;
  return openTaskFile({
    path: place.listPath,
    stateDir: place.stateDir,
    maxListBytes: place.config.maxListBytes,
    settleMs: place.config.settle,
    apply: (text, edits, known) => {
      const { labels, workers } = options.config();
      const applied = applyEdits(text, edits, { labels, workers }, known ?? board);
      board = applied.board;
      return applied;
    },
    gitState: openGitState({ gitDir: place.repo.gitDir, commonDir: place.repo.commonDir, top: place.repo.top, listName: place.listName }),
    clock,
    log,
    random: Math.random,
  });
}
