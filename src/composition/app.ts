/**
 * One opened list as the command line needs it: every function of `App`, wired. Reading takes no lock and writes nothing; what
 * writes goes through the owner.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { agentTable, listAgents } from '../adapters/agents/table.ts';
import { systemClock } from '../adapters/clock.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { openLog, type OpenLog } from '../adapters/log.ts';
import { ownerInfo } from '../adapters/owner.ts';
import { MARK } from '../adapters/run-mark.ts';
import { readRunLog } from '../adapters/run-log.ts';
import { callSocket } from '../adapters/socket-call.ts';
import { socketPath } from '../adapters/socket-path.ts';
import type { Activity } from '../engine/engine.ts';
import type { HistoryRow, Log } from '../engine/ports.ts';
import { plainText } from '../runs/plain-text.ts';
import { withoutDeadClaims } from '../runs/read-request.ts';
import { refusal } from '../runs/requests.ts';
import type { App, Globals, Host } from '../surfaces/cli/app.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import { readEvidence } from '../adapters/evidence.ts';
import { doorToAll } from './all-projects.ts';
import { weaknesses } from './file-systems.ts';
import { listFailure, makeStateDir, openPlace, type Place } from './place.ts';
import { callerOf } from './caller.ts';
import type { Around } from './handle-request.ts';
import { outsideDoor, sendAsk } from './requests.ts';
import { notedDoor } from './sessions.ts';
import { listText, sceneOf } from './scene.ts';
import { openUpkeep } from './upkeep.ts';
import { redactionOf } from './redaction.ts';

/** A project, opened for looking at it. */
export async function openToRead(globals: Globals, host: Host, signals: Signals): Promise<App | CliFailure> {
  const place = await openPlace({ cwd: process.cwd(), env: process.env, repo: globals.repo, reading: true });
  if ('kind' in place) return place;
  return usableList(place) ?? openApp(place, globals, host, signals);
}

export type Signals = { readonly drain: AbortSignal; readonly stop: AbortSignal };

/** `list` = what to take for its text. */
export function openApp(place: Place, globals: Globals, host: Host, signals: Signals, list?: string): App {
  const clock = systemClock();
  const caller = callerOf({ named: globals.as, env: host.env, config: place.config, via: 'cli' });
  const instance = caller.name;
  let screen: Log | undefined;
  const log: Log = { write: (...said) => (screen ??= openScreenLog(place, globals, host, 'error')).write(...said) };
  const unnoted = outsideDoor({ place, clock, log, signal: signals.drain }, async () => {
    try {
      return { scene: sceneOf(place, agents(), instance, clock.now()), history: (id) => historyOf(place, id) };
    } catch (error) {
      const unusable = usableList(place);
      if (!unusable) throw error;
      return refusal('unavailable', unusable.message, unusable.remedy);
    }
  });
  const door = doorToAll(unnoted, place.repo.top, async (path) => {
    const other = await openPlace({ cwd: path, env: process.env });
    return 'kind' in other ? other : (usableList(other) ?? openApp(other, globals, host, signals));
  });
  const agents = (): ReturnType<App['agents']> => listAgents(agentTable(place.config), { env: process.env, top: place.repo.top });
  return {
    paths: { top: place.repo.top, list: place.listPath, listName: place.listName, stateDir: place.stateDir },
    config: place.config,
    instance,
    agents,
    async scene() {
      const scene = sceneOf(place, agents(), instance, clock.now(), list);
      const around = await aroundOf(place);
      if (typeof around?.by === 'string') scene.draft.world.list = { kind: 'refused', since: scene.now, message: `blocked: ${around.by}` };
      return withoutDeadClaims({ ...scene, common: around?.common ?? undefined });
    },
    activity: async () => activityOf(place),
    owner: async () => ownerInfo(place.stateDir),
    ask: async (ask) => {
      return sendAsk({ place, ask, by: instance, clock, log, signal: signals.drain });
    },
    async start(options) {
      const refused = startFailure(place);
      if (refused) return refused;
      makeStateDir(place);
      const told = openScreenLog(place, globals, host, globals.verbose ? 'debug' : 'info');
      for (const { message, remedy } of weaknesses(place)) told.write('warn', message, { remedy });
      const { runDaemon } = await import('./daemon.ts');
      return runDaemon({ place, clock, log: told, instance, once: options.once, wait: options.wait, drain: signals.drain, stop: signals.stop });
    },
    preview: (agent, model) =>
      agentTable(place.config)
        .find((row) => row.name === agent)
        ?.preview(model) ?? agent,
    caller,
    door: notedDoor(place, host.env, door),
    unnoted,
    history: async (id) => historyOf(place, id),
    runLog: (id, options) => readRunLog({ stateDir: place.stateDir, id, ...options, ended: () => !isRunning(place, id) }),
    async proof(section, id, hash) {
      const { proofOf } = await import('./proof.ts');
      return proofOf(place, section, id, hash);
    },
    commits: async (section, max) => (await import('./commits.ts')).commitsOf(place, section, max),
    async publishing() {
      if (!place.config.publish) return undefined;
      const { publishingOf } = await import('./publish.ts');
      return publishingOf(place) ?? { at: null, problem: null };
    },
    upkeep: openUpkeep({ place, clock, log: () => openScreenLog(place, globals, host, 'error'), by: instance }),
    async doErrand(what, section) {
      if (host.env[MARK] !== undefined) return RUN_REFUSED;
      makeStateDir(place);
      const { doErrand } = await import('./branch.ts');
      return doErrand({ place, by: instance, clock, log, signal: signals.drain }, what, section);
    },
    async planErrand(what, section) {
      const { planErrand } = await import('./branch.ts');
      return planErrand(place, sceneOf(place, agents(), instance, clock.now()), what, section, signals.drain);
    },
    async diff(section) {
      const { diffOf } = await import('./branch.ts');
      return diffOf(place, section);
    },
    evidence: async (id) => readEvidence(place.stateDir, id),
  };
}

/** 13-R1: what leaves a workspace is a person's to decide. */
const RUN_REFUSED: CliFailure = {
  kind: 'failure',
  code: 3,
  message: "this is called from inside a run, and a run moves no section's branch and pushes nothing",
  remedy: 'say in your report what should be done: a person decides',
};
function historyOf(place: Place, id: string): readonly HistoryRow[] {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    return journal.history(id);
  } finally {
    journal.close();
  }
}

/** What keeps a daemon from starting here; the rest is held per task or section. */
export function startFailure(place: Place): CliFailure | undefined {
  if (place.repo.linked)
    return {
      kind: 'failure',
      code: 3,
      message: 'this is a linked worktree: its list is the one of the main worktree',
      remedy: `start it there: todone -C ${place.repo.top} start`,
    };
  return usableList(place) ?? unwritable(place) ?? unsafe(place);
}

/** A network file system keeps no lock: refused, unless a person takes it upon themselves. */
function unsafe(place: Place): CliFailure | undefined {
  const refused = weaknesses(place).find((weakness) => weakness.severity === 'refused');
  if (!refused || process.env['TODONE_UNSAFE_FILESYSTEM'] === '1') return undefined;
  return { kind: 'failure', code: 3, message: refused.message, remedy: refused.remedy };
}

/** Asked before anything is begun: a read-only file system shows itself in many ways later. */
function unwritable(place: Place): CliFailure | undefined {
  for (const path of [place.repo.commonDir, dirname(realpathSync(place.listPath))]) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const remedy = code === 'EROFS' ? 'mount the file system writable' : 'give yourself the right to write there';
      return {
        kind: 'failure',
        code: 3,
        message: `${path} cannot be written`,
        why: code === 'EROFS' ? 'the file system is read-only' : 'its permissions do not allow it',
        remedy,
      };
    }
  }
  return undefined;
}

export function usableList(place: Place): CliFailure | undefined {
  const missing = listFailure(place);
  if (missing) return missing;
  const where = place.listPath;
  try {
    if (!statSync(place.listPath).isFile())
      return { kind: 'failure', code: 2, message: `${place.listName} is not a file`, remedy: 'name a Markdown file with --tasks', where };
    if (statSync(place.listPath).size > place.config.maxListBytes)
      return { kind: 'failure', code: 2, message: `${place.listName} is larger than maxListBytes`, remedy: 'archive old tasks, or raise maxListBytes', where };
    listText(place);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EACCES')
      return {
        kind: 'failure',
        code: 2,
        message: `${place.listName} cannot be read`,
        why: 'its permissions do not allow it',
        remedy: `chmod u+rw ${place.listName}`,
        where,
      };
    return { kind: 'failure', code: 2, message: `${place.listName} is no UTF-8 text; it was not touched`, remedy: 'save it as UTF-8', where };
  }
}

export function openScreenLog(place: Place, globals: Globals, host: Host, level: 'debug' | 'info' | 'error', project?: string): OpenLog {
  const redaction = redactionOf(place);
  return openLog({
    stateDir: place.stateDir,
    ...(project !== undefined && { project }),
    screen: { write: (text) => host.err(text) },
    style: globals.json ? 'json' : 'human',
    color: globals.color && process.stderr.isTTY,
    level: globals.quiet ? 'error' : level,
    now: () => host.now(),
    redact: (text) => redaction.redact(text),
    plain: plainText,
  });
}

/** As the daemon that works here says. */
async function aroundOf(place: Place): Promise<Around | undefined> {
  if (!ownerInfo(place.stateDir)) return undefined;
  try {
    return (await callSocket(socketPath(place.stateDir), { kind: 'blocked' }, AbortSignal.timeout(2000))) as Around;
  } catch {
    return undefined;
  }
}

async function activityOf(place: Place): Promise<ReadonlyMap<string, Activity>> {
  try {
    const answer = (await callSocket(socketPath(place.stateDir), { kind: 'activity' }, AbortSignal.timeout(2000))) as Record<string, Activity>;
    return new Map(Object.entries(answer));
  } catch {
    return new Map();
  }
}

function isRunning(place: Place, id: string): boolean {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    return journal.load().runs.some((run) => run.id === id);
  } finally {
    journal.close();
  }
}
