/**
 * What git, the journal, the run folders and the archives of the list say, gathered and compared. Reads only.
 */
import { readFileSync } from 'node:fs';
import type { Git } from '../adapters/git.ts';
import { reachableHashes, readGitFacts } from '../adapters/git-facts.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { allTickets } from '../adapters/run-folder.ts';
import { openSections } from '../adapters/sections.ts';
import type { Clock, Log } from '../engine/ports.ts';
import { type Finding, hashesToAsk, landedMoreThanOnce, reconcile } from '../runs/reconcile.ts';
import { allTasks, idOf } from '../tasks/find.ts';
import { parse } from '../tasks/parse.ts';
import { oldLines } from './evidence.ts';
import { archivePathOf, type Place } from './place.ts';
import { sceneOf } from './scene.ts';
import { openList } from './work.ts';

/** What list, git and journal say of each other at this moment. */
export async function findingsOf({ place, clock, log }: { readonly place: Place; readonly clock: Clock; readonly log: Log }, git: Git): Promise<Finding[]> {
  const { config, stateDir } = place;
  const scene = sceneOf(place, [], '', clock.now());
  const sections = openSections({ git, branchPrefix: config.branchPrefix, base: config.base });
  const list = openList({ place, clock, log, config: () => config });
  try {
    const facts = await readGitFacts(git, sections);
    return reconcile(scene.board, scene.draft, {
      ...facts,
      reachable: await reachableHashes(git, sections, hashesToAsk(scene.board, facts)),
      tickets: allTickets(stateDir),
      lines: await oldLines(list, config),
      archived: archivedIds(place),
      redone: redoneIds(stateDir, landedMoreThanOnce(facts)),
    });
  } finally {
    await list.close();
  }
}

function archivedIds(place: Place): ReadonlySet<string> {
  try {
    const board = parse(readFileSync(archivePathOf(place), 'utf8'), place.config);
    return new Set([...allTasks(board)].flatMap(({ task }) => idOf(task) ?? []));
  } catch {
    return new Set();
  }
}

/** Tasks that the journal saw being taken up again after they were done. */
function redoneIds(stateDir: string, ids: readonly string[]): ReadonlySet<string> {
  if (ids.length === 0) return new Set();
  const journal = openJournalReadOnly({ stateDir });
  try {
    return new Set(ids.filter((id) => journal.history(id).filter((row) => row.field === 'state' && row.new === 'done').length > 1));
  } finally {
    journal.close();
  }
}
