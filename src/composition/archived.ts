/**
 * What the archive of a list has, read again only when it was changed.
 */
import { readFileSync, statSync } from 'node:fs';
import { archivedIds } from '../tasks/archive.ts';
import type { MarkerState } from '../tasks/task.ts';
import { archivePathOf, type Place } from './place.ts';

/** The ids and names in it, with their states. */
export function archivedStates(place: Pick<Place, 'listPath' | 'config'>): () => ReadonlyMap<string, MarkerState> {
  const path = archivePathOf(place);
  let version = '';
  let states: ReadonlyMap<string, MarkerState> = new Map();
  return () => {
    try {
      const { ino, size, mtimeNs } = statSync(path, { bigint: true });
      const now = `${ino} ${size} ${mtimeNs}`;
      if (now !== version) states = archivedIds(readFileSync(path, 'utf8'), place.config);
      version = now;
    } catch {
      version = '';
      states = new Map();
    }
    return states;
  };
}
