/**
 * The upkeep commands, wired: what only looks is done here, what writes goes to the owner of the list.
 */
import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { insideRun } from '../adapters/inside-run.ts';
import { noteSession, tellSession } from '../adapters/session-log.ts';
import type { ListFile } from '../adapters/task-file.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { Upkeep, VersionFact } from '../surfaces/cli/upkeep.ts';
import { type Report, report } from '../runs/report.ts';
import { runsIn } from '../runs/world.ts';
import type { OwnerRequest } from './owner-requests.ts';
import { archivePathOf, type Place } from './place.ts';
import { changeRules, rulesPlaces } from './rules.ts';
import { sceneOf } from './scene.ts';

/** Versions of which the lines are compared; older ones are listed with what is cheap to know. */
const COMPARED_BYTES_MAX = 64 * 1024 * 1024;

export function openUpkeep(options: { readonly place: Place; readonly clock: Clock; readonly log: () => Log; readonly by: string }): Upkeep {
  const { place, clock, by } = options;
  const asking = () => ({ place, clock, log: options.log(), by });
  const ask = async (request: OwnerRequest): Promise<unknown> => (await import('./owner-requests.ts')).asOwner(asking(), request);
  const withList = async <T>(work: (list: ListFile) => Promise<T>): Promise<T> => {
    const { openList } = await import('./work.ts');
    const list = openList({ place, clock, log: options.log(), config: () => place.config });
    try {
      return await work(list);
    } finally {
      await list.close();
    }
  };
  return {
    reconcile: async (fix) => (await import('./reconcile.ts')).reconcilePlace(asking(), fix),
    versions: () => withList((list) => versionFacts(place, list)),
    version: (name) =>
      withList(async (list) => {
        const found = (await list.versions()).filter((version) => version.name.startsWith(name));
        const [only] = found;
        if (!only || found.length > 1)
          return {
            kind: 'failure',
            code: 2,
            message: `${found.length > 1 ? `${found.length} versions begin with` : 'no version is called'} ${name}`,
            remedy: 'todone history --list shows them',
          };
        const bytes = await list.version(only.name);
        const text = bytes.toString('utf8');
        if (Buffer.from(text).equals(bytes)) return { text };
        return { kind: 'failure', code: 3, message: `${only.name} is no UTF-8 text`, remedy: `it is in ${place.stateDir}/versions: copy it from there` };
      }),
    clean: async (section, dryRun) => {
      if (!dryRun) return (await ask({ kind: 'clean', section })) as Awaited<ReturnType<Upkeep['clean']>>;
      const scene = sceneOf(place, [], by, clock.now());
      const state = { board: scene.board, runs: [...runsIn(scene.draft)] };
      const [{ withGit }, { clean }] = await Promise.all([import('./with-git.ts'), import('./clean.ts')]);
      return withGit(place, (git) => clean(git, { place, log: options.log(), section, dryRun, state: () => state }));
    },
    archiveName: relative(place.repo.top, archivePathOf(place)),
    async archive(input, how) {
      if (insideRun(process.env, process.pid) !== undefined) return ARCHIVE_REFUSED;
      if (how !== 'dry')
        return (await ask({ kind: 'archive', by, undo: how === 'undo', input: { ...input, tasks: [...input.tasks] } })) as Awaited<
          ReturnType<Upkeep['archive']>
        >;
      const scene = sceneOf(place, [], by, clock.now());
      const [{ withGit }, { archivePlan, planned }] = await Promise.all([import('./with-git.ts'), import('./archive.ts')]);
      const plan = await withGit(place, (git) => archivePlan({ place, clock }, git, scene, input));
      return 'kind' in plan ? plan : planned(plan, scene.board);
    },
    kept: async (id) => (await import('./restore.ts')).keptOf(place, id),
    async audit(issue, signal) {
      if (issue && insideRun(process.env, process.pid) !== undefined) return RULES_REFUSED;
      return (await import('./audit.ts')).auditPlace(asking(), issue, signal);
    },
    report: async (from) => reportOf(place, from, clock.now()),
    rulesPlaces: () => rulesPlaces(place.repo.top),
    noteSession(what, said) {
      const session = sessionIn(said);
      if (session === undefined || insideRun(process.env, process.pid) !== undefined) return;
      noteSession(place.stateDir, { at: clock.now(), what, session, agent: 'claude' });
      if (what === 'start') tellSession(process.env['CLAUDE_ENV_FILE'], session);
    },
    changeRules: async (what, agent) => (insideRun(process.env, process.pid) === undefined ? changeRules(place.repo.top, what, agent) : RULES_REFUSED),
    restore: async (id, more) => (await import('./restore.ts')).restore(place, id, more),
  };
}

/** 13-R1: what agents are told, and what leaves this machine, is a person's to decide. */
const RULES_REFUSED: CliFailure = {
  kind: 'failure',
  code: 3,
  message: 'this is called from inside a run, and a run neither changes what agents are told nor writes to GitHub',
  remedy: 'say in your report what should be done: a person decides',
};

const ARCHIVE_REFUSED: CliFailure = {
  kind: 'failure',
  code: 3,
  message: 'this is called from inside a run, and a run takes nothing off the list',
  remedy: 'say in your report what should be done: a person decides',
};

/** A hook is given JSON with the name of its session in it. */
function sessionIn(said: string): string | undefined {
  try {
    const { session_id: session } = JSON.parse(said) as { readonly session_id?: unknown };
    return typeof session === 'string' ? session : undefined;
  } catch {
    return undefined;
  }
}

function reportOf(place: Place, from: number, to: number): Report {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    const { known, meta } = journal.load();
    return report({ history: journal.historySince(0), known: new Map(known.map((row) => [row.id, row])), meta, from, to });
  } finally {
    journal.close();
  }
}

async function versionFacts(place: Place, list: ListFile): Promise<VersionFact[]> {
  // Where there is no list any more, nothing of the newest version is in it.
  let next = statSync(place.listPath, { throwIfNoEntry: false })?.isFile() ? linesOf(readFileSync(place.listPath)) : linesOf(Buffer.alloc(0));
  let compared = 0;
  const facts: VersionFact[] = [];
  for (const version of await list.versions()) {
    const { name, kind, bytes } = version;
    compared += bytes;
    if (compared > COMPARED_BYTES_MAX) {
      facts.push({ name, at: version.at.getTime(), kind, bytes, added: 0, removed: 0 });
      continue;
    }
    const lines = linesOf(await list.version(name));
    facts.push({ name, at: version.at.getTime(), kind, bytes, added: missingFrom(lines, next), removed: missingFrom(next, lines) });
    next = lines;
  }
  return facts;
}

/** How often each line is there. */
function linesOf(bytes: Buffer): Map<string, number> {
  const lines = new Map<string, number>();
  for (const line of bytes.toString('utf8').split('\n')) lines.set(line, (lines.get(line) ?? 0) + 1);
  return lines;
}

/** Lines of `there` that `here` has not. */
function missingFrom(here: ReadonlyMap<string, number>, there: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [line, times] of there) count += Math.max(0, times - (here.get(line) ?? 0));
  return count;
}
