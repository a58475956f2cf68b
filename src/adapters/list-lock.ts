/**
 * The lock around each write of the list (1.4-R3), in two parts. The one that counts is a held immediate
 * transaction on `write.db` in the state folder: the kernel frees it with its process, nobody steals it, and no
 * clock or `git clean` touches it. The other is a proper-lockfile at `<list>.lock`, as politeness to outsiders: it
 * lies beside the list because that is where any other user of proper-lockfile looks; it is there for milliseconds,
 * and nothing depends on it. Never blocks the event loop while it waits.
 */
import { closeSync, constants, mkdirSync, openSync, readSync, realpath, rmdir, rmdirSync, stat, statSync, utimes, writeSync } from 'node:fs';
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
  const left = openLeftNote(stateDir);
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
          'EBUSY',
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
      const release = await bePolite(real, left, log, random);
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
      left.close();
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

/** Takes `<list>.lock`; called with the kernel's lock held, so one that ToDone left there belongs to nobody alive. */
async function bePolite(real: string, left: LeftNote, log: Log, random: () => number): Promise<() => Promise<void>> {
  const path = `${real}.lock`;
  const until = performance.now() + POLITE_WAIT_MS;
  if (left.isOurs(path)) removeLeft(path);
  for (;;) {
    try {
      const release = await lockfile.lock(real, {
        lockfilePath: path,
        realpath: false,
        stale: STALE_MS,
        update: UPDATE_MS,
        fs: { mkdir: notedMkdir(left), realpath, rmdir, rmdirSync, stat, utimes },
        onCompromised: (error) => log.write('debug', 'the lock file beside the list was taken away; the real lock still holds', { error: error.message }),
      });
      return async () => {
        // Compromised or removed by somebody: then there is nothing to give back.
        await release().catch(() => undefined);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (performance.now() > until) {
        throw new ListRefused('EBUSY', `Another program holds ${path}.`, 'End that program; if none is running, remove that folder.');
      }
      await sleep(jitter(random));
    }
  }
}

/** Notes before and after making the lock's folder that it is ours, for whoever comes after our sudden death. */
function notedMkdir(left: LeftNote): (path: string, done: (error: NodeJS.ErrnoException | null) => void) => void {
  return (path, done) => {
    let trouble: NodeJS.ErrnoException | null = null;
    try {
      left.write(`making ${Date.now()}`);
      mkdirSync(path);
      left.write(identityOf(path) ?? '');
    } catch (error) {
      left.write('');
      trouble = error as NodeJS.ErrnoException;
    }
    queueMicrotask(() => done(trouble));
  };
}

type LeftNote = {
  /** Whether the folder is one that a dead writer of ours made. */
  isOurs(path: string): boolean;
  write(text: string): void;
  close(): void;
};

const NOTE_BYTES = 128;
/** A folder made so shortly after the note that it was being made is that one. */
const MAKING_MS = 1000;
/** The kernel's time of birth is that much coarser than the clock. */
const TICK_MS = 20;

function openLeftNote(stateDir: string): LeftNote {
  const fd = openSync(join(stateDir, 'lock-left'), constants.O_RDWR | constants.O_CREAT, 0o600);
  const read = (): string => {
    const bytes = Buffer.alloc(NOTE_BYTES);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, NOTE_BYTES, 0)).trim();
  };
  return {
    isOurs(path) {
      const identity = identityOf(path);
      if (identity === undefined) return false;
      const note = read();
      if (note === identity) return true;
      const making = /^making (\d+)$/.exec(note);
      const bornMs = Number(identity.split(':')[2]) / 1e6;
      return making !== null && bornMs > Number(making[1]) - TICK_MS && bornMs < Number(making[1]) + MAKING_MS;
    },
    // One write of one length: whole or not at all, and no truncation that the file system would hurry to disk.
    write: (text) => void writeSync(fd, text.padEnd(NOTE_BYTES), 0),
    close: () => closeSync(fd),
  };
}

function removeLeft(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not empty, or gone: then it is waited for, or there is nothing to do.
  }
}

function identityOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts && `${facts.dev}:${facts.ino}:${facts.birthtimeNs}`;
}

function inodeOf(file: string): bigint {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

function jitter(random: () => number): number {
  return RETRY_MS_MIN + random() * (RETRY_MS_MAX - RETRY_MS_MIN);
}
