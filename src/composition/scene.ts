/**
 * The list, the journal and what is installed, as values for whoever only looks. Takes no lock and writes nothing.
 */
import { readFileSync, statSync } from 'node:fs';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { isOwned } from '../adapters/owner.ts';
import type { AgentInfo } from '../engine/ports.ts';
import type { Scene } from '../runs/choose.ts';
import { problemsOf } from '../runs/problems.ts';
import { draftOf, worldOf } from '../runs/world.ts';
import { hasConflictMarkers } from '../tasks/compare.ts';
import { parse } from '../tasks/parse.ts';
import { archivedStates } from './archived.ts';
import type { Place } from './place.ts';

/** The list, the journal and what is installed, as they are at this moment. */
export function sceneOf(place: Place, agents: readonly AgentInfo[], instance: string, now: number, text = listText(place)): Scene {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    const world = worldOf(journal.load());
    world.archived = archivedStates(place)();
    const board = parse(text, { labels: place.config.labels, workers: place.config.workers });
    world.agents = agents;
    world.list = hasConflictMarkers(board) ? { kind: 'conflict', since: now } : { kind: 'fine' };
    return {
      board,
      draft: draftOf(world),
      config: place.config,
      now,
      problems: problemsOf(board, world, place.config),
      instance,
      unattended: !isOwned(place.stateDir),
    };
  } finally {
    journal.close();
  }
}

/** Throws where the list is no file, or no text. */
export function listText(place: Place): string {
  // Reading a pipe would wait for ever.
  if (!statSync(place.listPath).isFile()) throw new Error(`${place.listName} is no file`);
  const bytes = readFileSync(place.listPath);
  if (bytes.includes(0)) throw new Error(`${place.listName} is no text: it holds NUL bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
