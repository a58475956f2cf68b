/**
 * What the files have in common that are SQLite databases only for the sake of the lock that the kernel frees at
 * its holder's death. Never opens one of them by itself: closing any descriptor of a file drops all locks that this
 * process has on it.
 */
import { closeSync, openSync } from 'node:fs';

const SQLITE_BUSY = 5;

/** Somebody else has the lock (any of SQLite's extended codes of it). */
export function isBusy(error: unknown): boolean {
  const code = (error as { readonly errcode?: unknown }).errcode;
  return typeof code === 'number' && (code & 0xff) === SQLITE_BUSY;
}

/** Makes the file where it is missing, for its owner alone; an existing one is not opened. */
export function touchPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
