/**
 * The lock around each write of the list (1.4-R3), in two parts. The one that counts is a held immediate
 * transaction on `write.db` in the state folder: the kernel frees it with its process, nobody steals it, and no
 * clock or `git clean` touches it. The other is a proper-lockfile at `<list>.lock`, as politeness to outsiders: it
 * lies beside the list because that is where any other user of proper-lockfile looks; it is there for milliseconds,
 * and nothing depends on it. Never blocks the event loop while it waits.
 */
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { ListRefused } from '../engine/ports.ts';
import type { Log } from '../engine/ports.ts';
import { isBusy, touchPrivate } from './kernel-lock.ts';

export type ListLock = {
  /** Runs `work` while nobody else in any process writes the list at `real`. */
  hold<T>(real: string, work: () => Promise<T>): Promise<T>;
  close(): void;
};

export type ListLockOptions = {
  readonly stateDir: string;
  readonly log: Log;
  readonly random: () => number;
  /** How long to wait for other writers before the write is refused. */
  readonly waitMs?: number;
};

const WAIT_MS = 60_000;
/** proper-lockfile: a lock that its holder has not touched for this long is nobody's. */
const STALE_MS = 15_000;
const UPDATE_MS = 3_000;
/** Longer than `STALE_MS`, so that a lock left by a dead outsider is outlived. */
const POLITE_WAIT_MS = 20_000;
const RETRY_MS_MIN = 2;
const RETRY_MS_MAX = 25;

export function openListLock({ stateDir, log, random, waitMs = WAIT_MS }: ListLockOptions): ListLock {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, 'write.db');
  let db: DatabaseSync | undefined;
  let inode = 0n;

  /** The database at the path, opened again where somebody removed the state folder under us. */
  const current = (): DatabaseSync => {
    if (db && inodeOf(file) === inode) return db;
    db?.close();
    db = openWriteDb(file);
    inode = inodeOf(file);
    return db;
  };

  const tryKernel = (): DatabaseSync | undefined => {
    try {
      const open = current();
      open.exec('BEGIN IMMEDIATE');
      if (inodeOf(file) === inode) return open;
      open.exec('ROLLBACK');
      return undefined;
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw error;
    }
  };

  const kernel = async (): Promise<DatabaseSync> => {
    const until = performance.now() + waitMs;
    for (;;) {
      const held = tryKernel();
      if (held) return held;
      if (performance.now() > until) {
        throw new ListRefused(
          'busy',
          `Another process has been writing the task list for ${Math.round(waitMs / 1000)} s.`,
          'Look for a stopped `todone` process (`ps`), and continue or end it.',
        );
      }
      await sleep(jitter(random));
    }
  };

  const holdNow = async <T>(real: string, work: () => Promise<T>): Promise<T> => {
    const held = await kernel();
    try {
      const release = await bePolite(real, stateDir, log, random);
      try {
        return await work();
      } finally {
        await release();
      }
    } finally {
      held.exec('ROLLBACK');
    }
  };

  // One connection holds one transaction: writers within this process wait their turn here.
  let last: Promise<unknown> = Promise.resolve();
  return {
    hold(real, work) {
      const turn = last.then(() => holdNow(real, work));
      last = turn.catch(() => undefined);
      return turn;
    },
    close() {
      db?.close();
      db = undefined;
    },
  };
}

function openWriteDb(file: string): DatabaseSync {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  touchPrivate(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    // An empty file would get its first page in each transaction, and with it a journal on disk.
    if (db.prepare('PRAGMA user_version').get()?.['user_version'] === 0) db.exec('PRAGMA user_version = 1');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Takes `<list>.lock`; called with the kernel's lock held, so a lock that ToDone left there belongs to nobody alive. */
async function bePolite(real: string, stateDir: string, log: Log, random: () => number): Promise<() => Promise<void>> {
  const path = `${real}.lock`;
  const record = join(stateDir, 'lock-left.json');
  const until = performance.now() + POLITE_WAIT_MS;
  for (;;) {
    try {
      const release = await lockfile.lock(real, {
        lockfilePath: path,
        realpath: false,
        stale: STALE_MS,
        update: UPDATE_MS,
        onCompromised: (error) => log.write('debug', 'the lock file beside the list was taken away; the real lock still holds', { error: error.message }),
      });
      writeFileSync(record, identityOf(path) ?? '', { mode: 0o600 });
      return async () => {
        // Compromised or removed by somebody: then there is nothing to give back.
        await release().catch(() => undefined);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (removeOwnLeftover(path, record)) continue;
      if (performance.now() > until) {
        throw new ListRefused('busy', `Another program holds ${path}.`, 'End that program; if none is running, remove that folder.');
      }
      await sleep(jitter(random));
    }
  }
}

function removeOwnLeftover(path: string, record: string): boolean {
  try {
    const left = readFileSync(record, 'utf8');
    if (left === '' || left !== identityOf(path)) return false;
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}

function inodeOf(file: string): bigint {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

function jitter(random: () => number): number {
  return RETRY_MS_MIN + random() * (RETRY_MS_MAX - RETRY_MS_MIN);
}
