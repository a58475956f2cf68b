/**
 * The lock around one write of the list (1.4-R3): a held immediate transaction on a small SQLite file, which the kernel frees
 * and nobody can steal, and, inside it, proper-lockfile as politeness to others who use that on the list. The second is never
 * relied upon: its staleness gives two holders. Its folder is kept with ToDone's own files and not beside the list.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

const WAIT_MS_MAX = 30_000;
const RETRY_MS = 4;
const STALE_MS = 15_000;

export class LockTimeout extends Error {
  override name = 'LockTimeout';
}

/** Runs `work` while no other process of ToDone writes the list. */
export async function withListLock<T>(options: { readonly stateDir: string; readonly listPath: string; readonly random: () => number }, work: () => Promise<T>): Promise<T> {
  const db = new DatabaseSync(join(options.stateDir, 'write.db'));
  try {
    await begin(db, options.random);
    const release = await bePolite(options);
    try {
      return await work();
    } finally {
      await release();
      db.exec('COMMIT');
    }
  } finally {
    db.close();
  }
}

async function begin(db: DatabaseSync, random: () => number): Promise<void> {
  db.exec('PRAGMA busy_timeout = 0');
  const until = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      db.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > until) throw new LockTimeout('another process has been writing the list for 30 s');
    }
    await sleep(RETRY_MS * (1 + random()));
  }
}

async function bePolite(options: { readonly stateDir: string; readonly listPath: string }): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(options.listPath, {
      realpath: false,
      lockfilePath: join(options.stateDir, 'list.lock'),
      stale: STALE_MS,
      retries: 0,
      onCompromised: () => undefined,
    });
  } catch {
    // Held by an outsider or left by a dead one: ours is the lock that counts.
    return async () => undefined;
  }
}

const SQLITE_BUSY = 5;
const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
