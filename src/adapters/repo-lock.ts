/**
 * One mutex per repository, across processes and within this one: an immediate transaction on a small SQLite file,
 * which the kernel frees when its holder dies and nobody can steal. Never holds data.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';

export type RepoLock = {
  /** Runs `work` while nobody else, in any process, holds this lock. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
};

const RETRY_MS = 15;
const LONGEST_WAIT_MS = 120_000;
const SQLITE_BUSY = 5;

export function openRepoLock(file: string): RepoLock {
  let database: DatabaseSync | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const begin = async (): Promise<DatabaseSync> => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    database ??= new DatabaseSync(file, { timeout: 0 });
    const since = performance.now();
    while (!tryBegin(database)) {
      if (performance.now() - since > LONGEST_WAIT_MS) throw new Error(`another process has held ${file} for ${LONGEST_WAIT_MS / 1000} s`);
      await sleep(RETRY_MS);
    }
    return database;
  };

  return {
    hold(work) {
      const turn = last.then(async () => {
        const held = await begin();
        try {
          return await work();
        } finally {
          held.exec('ROLLBACK');
        }
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    close() {
      database?.close();
      database = undefined;
    },
  };
}

function tryBegin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
