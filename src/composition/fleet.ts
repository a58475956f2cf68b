/**
 * `todone start --all` (6.5-R2): one process owns the list of each project that the user's own config names, each as if it were alone
 * (lock, journal, socket, log), under caps that all share. What keeps one from being opened is said once, and tried again when
 * something at its place has changed; the others run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../adapters/clock.ts';
import { describeConfigProblem, watchConfig } from '../adapters/config-file.ts';
import { openLog } from '../adapters/log.ts';
import { type ProjectPath, traceOf } from '../adapters/project-paths.ts';
import type { Config } from '../config.ts';
import { commonRoom, type CommonRoom, type Seat } from '../engine/common-room.ts';
import type { Log } from '../engine/ports.ts';
import { plainText } from '../runs/plain-text.ts';
import type { FleetEnd, Globals, Host, StartEnd, Trouble } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import { openScreenLog, type Signals, startFailure } from './app.ts';
import { callerOf } from './caller.ts';
import { runDaemon } from './daemon.ts';
import { weaknesses } from './file-systems.ts';
import { makeStateDir, openPlace, type Place } from './place.ts';
import { findProjects, missingProject, projectsConfig, userPlaces } from './projects.ts';
import { turns } from './turns.ts';

/** How many are opened at the same time. */
const OPENING_MAX = 4;
/** Nothing starts before all are there; one that does not answer is not waited for any longer. */
const OPENING_MS_MAX = 180_000;
/** What the watchers do not tell is found by looking: not more often than this, all projects taken together. */
const LOOKS_A_SECOND = 8;
const RETRY_MS = 2000;
/** Without a trace of a change. */
const RETRY_MS_MAX = 60_000;
/** How often globs are looked up again. */
const GLOB_MS = 30_000;

type FleetOptions = { readonly globals: Globals; readonly host: Host; readonly signals: Signals; readonly once: boolean; readonly wait: boolean };

type Member = {
  readonly project: ProjectPath;
  readonly seat: Seat;
  /** Seated, standing by or not to be opened for now. */
  readonly settled: Promise<void>;
  readonly ended: Promise<void>;
  failed: readonly string[];
  problem: Trouble | undefined;
};

export async function startFleet(options: FleetOptions): Promise<FleetEnd | CliFailure> {
  const { globals, host, signals } = options;
  const places = userPlaces(process.cwd(), process.env, globals.overrides);
  const config = projectsConfig(places);
  if ('kind' in config) return config;
  const configs = watchConfig(places, config);
  const clock = systemClock();
  const room = commonRoom({ caps: configs.current, clock });
  const log = fleetLog(globals, host);
  const fleet: Fleet = { ...options, room, log, config: configs.current, inTurn: turns(OPENING_MAX), members: new Map(), repos: new Map() };

  await man(fleet);
  const opened = new AbortController();
  const all = Promise.all([...fleet.members.values()].map(({ settled }) => settled)).then(() => opened.abort());
  await Promise.race([all, wait(OPENING_MS_MAX, AbortSignal.any([signals.drain, opened.signal]))]);
  room.open();
  const count = fleet.members.size;
  log.write('info', `${count} ${count === 1 ? 'project' : 'projects'}, ${configs.current().maxAgents} agents at most at once`);
  if (!options.once) await follow(fleet, configs);
  await Promise.all([...fleet.members.values()].map(({ ended }) => ended));
  return {
    projects: [...fleet.members.values()].map(({ project, failed, problem }) => ({
      project: project.name,
      path: project.path,
      failed,
      problem: problem ?? null,
    })),
    interrupted: signals.drain.aborted,
  };
}

type Fleet = FleetOptions & {
  readonly room: CommonRoom;
  readonly log: Log;
  readonly config: () => Config;
  readonly inTurn: <T>(open: () => Promise<T>) => Promise<T>;
  /** By path. */
  readonly members: Map<string, Member>;
  /** Which project has a repository: two paths may lead to the same. */
  readonly repos: Map<string, string>;
};

/** Has every project that is listed now, and lets go of those that are not. */
async function man(fleet: Fleet): Promise<void> {
  const wanted = await findProjects(fleet.config(), process.env);
  const paths = new Set(wanted.map(({ path }) => path));
  for (const [path, { seat, project }] of fleet.members) {
    if (paths.has(path) || seat.left.aborted) continue;
    if (!seat.common().closed) fleet.log.write('info', `${project.name} is not listed any more: what runs there ends, then it is let go`);
    seat.leave(UNLISTED);
  }
  for (const project of wanted) {
    const member = fleet.members.get(project.path);
    if (member && !member.seat.left.aborted) member.seat.leave(undefined);
    else if (!member) fleet.members.set(project.path, enlist(fleet, project));
  }
}

const UNLISTED = { message: "the project is not listed in the user's config any more", remedy: 'list it under projects, or start a ToDone for it alone' };

/** Until the first signal: config and globs, again and again. */
async function follow(fleet: Fleet, configs: ReturnType<typeof watchConfig>): Promise<void> {
  const { signals, log } = fleet;
  let globsAt = performance.now() + GLOB_MS;
  while (!signals.drain.aborted) {
    await wait(Math.min(configs.current().interval, GLOB_MS), signals.drain);
    const { changed, problems, news } = configs.reload();
    if (news) for (const problem of problems) log.write('error', `${describeConfigProblem(problem)}; the last good config stays in force`);
    if (!changed && performance.now() < globsAt) continue;
    globsAt = performance.now() + GLOB_MS;
    if (signals.drain.aborted) return;
    await man(fleet);
    if (!changed) continue;
    log.write('info', "the user's config was changed and is in force");
    fleet.room.wake();
  }
}

function enlist(fleet: Fleet, project: ProjectPath): Member {
  const seat = fleet.room.join();
  const settled = Promise.withResolvers<void>();
  const drain = AbortSignal.any([fleet.signals.drain, seat.left]);
  const member: Member = {
    project,
    seat,
    settled: settled.promise,
    failed: [],
    problem: undefined,
    ended: Promise.resolve().then(async () => {
      await live(fleet, member, drain, settled.resolve);
      seat.end();
      settled.resolve();
      // One that was listed again while it left begins anew at the next look.
      if (seat.left.aborted) fleet.members.delete(project.path);
    }),
  };
  return member;
}

/** One project's whole life: opened, worked on, and after a trouble again. */
async function live(fleet: Fleet, member: Member, drain: AbortSignal, settled: () => void): Promise<void> {
  const { path } = member.project;
  while (!drain.aborted) {
    const trace = traceOf(path, fleet.config().tasks);
    try {
      const end = await workOn(fleet, member, drain, settled);
      if (!('kind' in end)) {
        member.failed = end.failed;
        if (end.trouble) tell(fleet, member, end.trouble);
        return;
      }
      tell(fleet, member, end);
    } catch (error) {
      const remedy = error instanceof Error && 'remedy' in error ? String(error.remedy) : 'todone doctor there says more; it is tried again';
      tell(fleet, member, { message: error instanceof Error ? error.message : String(error), remedy });
      if (fleet.globals.verbose && error instanceof Error) fleet.log.write('debug', error.stack ?? '');
    }
    settled();
    if (fleet.once) return;
    const until = performance.now() + RETRY_MS_MAX;
    do await wait(RETRY_MS, drain);
    while (!drain.aborted && performance.now() < until && traceOf(path, fleet.config().tasks) === trace);
  }
}

async function workOn(fleet: Fleet, member: Member, drain: AbortSignal, settled: () => void): Promise<StartEnd | CliFailure> {
  const { globals, host, signals, once, repos, inTurn } = fleet;
  const { project, seat } = member;
  const place =
    missingProject(project.path, process.env) ?? (await inTurn(() => openPlace({ cwd: project.path, env: process.env, overrides: globals.overrides })));
  const refused = 'kind' in place ? place : (startFailure(place) ?? doubled(repos, project, place));
  if ('kind' in place || refused) return refused as CliFailure;
  makeStateDir(place);
  const log = openScreenLog(place, globals, host, globals.verbose ? 'debug' : 'info', project.name);
  for (const { message, remedy } of weaknesses(place)) log.write('warn', message, { remedy });
  const instance = callerOf({ named: globals.as, env: host.env, config: place.config, via: 'cli' }).name;
  if (member.problem) log.write('info', 'it can be worked on again');
  member.problem = undefined;
  repos.set(place.repo.commonDir, project.path);
  try {
    return await runDaemon({
      place,
      clock: systemClock(),
      log,
      instance,
      once,
      wait: fleet.wait,
      drain,
      stop: signals.stop,
      among: { seat, inTurn, interval: (ms) => Math.max(ms, (fleet.members.size * 1000) / LOOKS_A_SECOND), onStandby: settled, onSeated: settled },
    });
  } finally {
    repos.delete(place.repo.commonDir);
    log.close();
  }
}

function doubled(repos: Fleet['repos'], project: ProjectPath, place: Place): CliFailure | undefined {
  const other = repos.get(place.repo.commonDir);
  if (other === undefined || other === project.path) return undefined;
  return { kind: 'failure', code: 2, message: `${project.path} and ${other} are the same repository`, remedy: 'list it once' };
}

/** Each trouble once. */
function tell(fleet: Fleet, member: Member, { message, remedy }: Trouble): void {
  if (member.problem?.message === message) return;
  member.problem = { message, remedy };
  fleet.log.write('error', `${member.project.name}: ${message}`, { remedy });
}

function fleetLog({ json, color, quiet, verbose }: Globals, host: Host): Log {
  return openLog({
    screen: { write: (text) => host.err(text) },
    style: json ? 'json' : 'human',
    color: color && process.stderr.isTTY,
    level: quiet ? 'error' : verbose ? 'debug' : 'info',
    now: () => host.now(),
    redact: (text) => text,
    plain: plainText,
  });
}

const wait = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
