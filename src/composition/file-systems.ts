/**
 * What the file systems of a place mean for ToDone, in words: what is refused, what is only weaker.
 */
import { dirname } from 'node:path';
import { type FileSystem, fileSystemOf } from '../adapters/file-system.ts';
import type { Place } from './place.ts';

export type Weakness = { readonly severity: 'refused' | 'warning'; readonly message: string; readonly remedy: string };

const LOCAL = 'move the repository to a local disk (or clone it there) and start ToDone on the machine that has the disk';

/** Locks that the kernel frees and the journal's shared memory do not work over a network: two owners could run everything twice. */
export function weaknesses(place: Pick<Place, 'stateDir' | 'listPath'>, look: (path: string) => FileSystem | undefined = fileSystemOf): Weakness[] {
  const found: Weakness[] = [];
  const journal = look(place.stateDir);
  const list = look(dirname(place.listPath));
  if (journal) found.push(aboutJournal(journal, place.stateDir));
  if (list && list.name !== journal?.name) found.push(aboutList(list, place.listPath));
  return found;
}

function aboutJournal({ name, kind }: FileSystem, path: string): Weakness {
  if (kind === 'remote')
    return {
      severity: 'refused',
      message: `${path} is on ${name}: locks are not kept there, so that two machines could work on the list at once, and SQLite's journal breaks`,
      remedy: `${LOCAL}; TODONE_UNSAFE_FILESYSTEM=1 starts it here all the same, on one machine only`,
    };
  if (kind === 'synced')
    return {
      severity: 'warning',
      message: `${path} lies in a folder that ${name} synchronises: it may bring back old files while ToDone works`,
      remedy: `leave .git/todone out of what ${name} synchronises, or ${LOCAL}`,
    };
  return { severity: 'warning', message: `${path} is on ${name}: locks and atomic exchanges may not be kept there, and it is slow`, remedy: LOCAL };
}

function aboutList({ name }: FileSystem, path: string): Weakness {
  return {
    severity: 'warning',
    message: `the list ${path} is on ${name}: a save in the very moment of a write may go to the archive (todone history --list) instead of the list`,
    remedy: 'keep the list on a local disk',
  };
}
