/**
 * Upkeep that nobody asks for: what is too old or too much is taken away, at a start and in idle time. Never the only copy of
 * anything: work that has not landed, a save of the list that could not be merged, a run that goes on.
 */
import { join, resolve } from 'node:path';
import { sweepLocks } from '../adapters/abandoned-locks.ts';
import type { Git } from '../adapters/git.ts';
import { cleanGivenOf } from '../adapters/given-files.ts';
import { pruneBroken } from '../adapters/journal-file.ts';
import { pruneRooms } from '../adapters/private-rooms.ts';
import type { Redaction } from '../adapters/redact.ts';
import { allTickets, pruneRuns } from '../adapters/run-folder.ts';
import { pruneSnapshots } from '../adapters/snapshot-prune.ts';
import type { SqliteJournal } from '../adapters/sqlite.ts';
import type { ListFile } from '../adapters/task-file.ts';
import type { openWorkspaces } from '../adapters/workspaces.ts';
import type { Config } from '../config.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { Known, Run } from '../runs/run.ts';
import type { Place } from './place.ts';

export type Tidying = {
  readonly place: Place;
  readonly git: Git;
  readonly journal: Pick<SqliteJournal, 'forgetHistory'>;
  readonly list: Pick<ListFile, 'tidy'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly redaction: Redaction;
  readonly config: () => Config;
};

export type Rows = { readonly known: Iterable<Known>; readonly runs: ReadonlySet<string> };

/** Takes away the locks that killed gits left, and gives how many may still be held; `patienceMs`: how long to wait for those. */
export async function tidyLocks({ place, git, log }: Pick<Tidying, 'place' | 'git' | 'log'>, patienceMs = 0): Promise<number> {
  const { repo, config } = place;
  const trees = resolve(repo.top, config.trees);
  try {
    const { removed, left } = await sweepLocks({ git, top: repo.top, trees, branchPrefix: config.branchPrefix }, patienceMs);
    for (const lock of removed) log.write('info', `removed ${lock}: a git that was killed had left it`);
    return left.length;
  } catch (error) {
    log.write('warn', `locks that killed gits left could not be looked for: ${messageOf(error)}`, { where: repo.commonDir });
    return 0;
  }
}

/** Gives back the workspaces of runs that are no more. */
export async function tidyWorkspaces(workspaces: ReturnType<typeof openWorkspaces>, runs: () => ReadonlyMap<string, Run>, log: Log): Promise<void> {
  try {
    const isRun = (id: string, ticket: number): boolean => runs().get(id)?.ticket === ticket;
    const mended = await workspaces.mend(isRun);
    if (mended > 0) log.write('info', `put right: ${mended} ${mended === 1 ? 'worktree' : 'worktrees'} of which a part had been taken away`);
    const count = await workspaces.releaseAbandoned(isRun);
    if (count > 0) log.write('info', `tidied up: ${count} ${count === 1 ? 'workspace' : 'workspaces'} of runs that are no more; what was in there is kept`);
  } catch (error) {
    log.write('warn', `workspaces of runs that are no more could not be tidied up now: ${messageOf(error)}`);
  }
}

/** Goes through all that is kept. What cannot be taken away now is said and tried again the next time. */
export async function tidy({ place, git, journal, list, clock, log, redaction, config }: Tidying, rows: Rows): Promise<void> {
  const { keepSnapshots, keep } = config();
  const now = clock.now();
  const parts: readonly (readonly [string, () => Promise<number> | number])[] = [
    ['snapshots', () => pruneSnapshots(git, landedOf(rows), { before: now - keepSnapshots, maxBytes: keep.snapshotBytes })],
    ['folders of runs', () => pruneRuns(place.stateDir, { before: now - keep.logs, maxBytes: keep.logBytes, spare: rows.runs })],
    ['reports and plans that still held secrets', () => cleanGivenOf(place.stateDir, cutOff(place.stateDir, rows), redaction)],
    ['versions of the list', () => list.tidy({ before: now - keep.versions, maxBytes: keep.versionBytes })],
    ['rows of history', () => journal.forgetHistory(now - keep.history)],
    ['broken journals', () => pruneBroken(place.stateDir, now - keep.history)],
    ['private folders of worktrees that are gone', () => pruneRooms(git, place.repo.top, resolve(place.repo.top, place.config.trees))],
  ];
  for (const [what, prune] of parts) {
    try {
      const count = await prune();
      if (count > 0) log.write('info', `tidied up: ${count} ${what}`);
    } catch (error) {
      log.write('warn', `${what} could not be tidied up now: ${messageOf(error)}`, { where: join(place.stateDir) });
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Tasks whose daemon may have been killed in the midst of a phase: those that are under way, and all where the rows are lost. */
function cutOff(stateDir: string, { known, runs }: Rows): Iterable<string> {
  return [...known].length > 0 ? runs : allTickets(stateDir).keys();
}

/** Tasks of which nothing but what is on a branch is needed: a later attempt that did not land is not among them. */
function landedOf({ known, runs }: Rows): { id: string; at: number }[] {
  const landed = [];
  for (const row of known) {
    if (row.state === 'done' && row.commit !== undefined && row.kept === undefined && !runs.has(row.id)) landed.push({ id: row.id, at: row.updatedAt });
  }
  return landed;
}
