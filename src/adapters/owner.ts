/**
 * One owner per list (2-R3): the process that holds an exclusive transaction on `owner.db` in the state folder, for
 * as long as it lives. The kernel frees it at its death, however that comes; a stopped owner stays the owner. Who it
 * is stands in `owner.json` beside it, for people and for finding it. Never decides by a clock or by a pid.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isBusy, touchPrivate } from './kernel-lock.ts';
import { processStart } from './process-start.ts';

export type Ownership = {
  /** Grows with each ownership of this list, for ever. */
  readonly term: number;
  /** False where somebody took the file away that the lock is on: another process may own the list by now. */
  holds(): boolean;
  release(): void;
};

const infoSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Wall time, ms. */
  since: z.number(),
  /** When the process started, in the kernel's own words: with the pid, a process that is never mistaken for a later one. */
  started: z.string(),
  term: z.int(),
});

export type OwnerInfo = z.output<typeof infoSchema>;

const POLL_MS = 50;
/** A commit waits for readers that look in at the same instant. */
const COMMIT_TRIES = 200;

/** Lists that this process owns: their `owner.db` must not be opened a second time in it. */
const owned = new Set<string>();

/** The ownership, or undefined while another process (or this one) has it. */
export function takeOwnership(stateDir: string, now: () => number = Date.now): Ownership | undefined {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const dir = realpathSync(stateDir);
  if (owned.has(dir)) return undefined;
  const file = join(dir, 'owner.db');
  touchPrivate(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    const term = seize(db, dir);
    if (term === undefined) {
      // A refused transaction can keep a reader's lock, which would be in the owner's way; a closed file has none.
      db.close();
      return undefined;
    }
    owned.add(dir);
    writeInfo(dir, { pid: process.pid, host: hostname(), since: now(), started: processStart(process.pid) ?? '', term });
    const inode = inodeOf(file);
    return { term, holds: () => inodeOf(file) === inode, release: once(() => giveBack(db, dir, inodeOf(file) === inode)) };
  } catch (error) {
    owned.delete(dir);
    db.close();
    throw error;
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** `ours`: else what lies there is the next owner's. */
function giveBack(db: DatabaseSync, dir: string, ours: boolean): void {
  if (ours) rmSync(join(dir, 'owner.json'), { force: true });
  db.close();
  owned.delete(dir);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** Waits until the owner is gone and takes over at once. Rejects with the signal's reason. */
export async function awaitOwnership(stateDir: string, signal: AbortSignal, now: () => number = Date.now): Promise<Ownership> {
  for (;;) {
    signal.throwIfAborted();
    const ownership = takeOwnership(stateDir, now);
    if (ownership) return ownership;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Who owns the list: undefined where nobody does. Of a process on another host, what it last said. Reads, and locks nothing. */
export function ownerInfo(stateDir: string): OwnerInfo | undefined {
  const info = readInfo(stateDir);
  if (!info) return undefined;
  if (info.host !== hostname()) return info;
  return processStart(info.pid) === info.started ? info : undefined;
}

/** Whether anybody owns the list now. */
export function isOwned(stateDir: string): boolean {
  return ownerInfo(stateDir) !== undefined;
}

/** Takes the lock, stores the next term, and keeps the lock in a transaction that stays open. */
function seize(db: DatabaseSync, dir: string): number | undefined {
  try {
    // Of any number of contenders exactly one gets this, and the others need not wait to know.
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
  // From here on the lock is kept from one transaction to the next, so the term can be stored without letting go. (Not before: who
  // is refused would keep a reader's lock, too.)
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL) STRICT');
  const row = db.prepare('SELECT term FROM owner').get();
  const term = Math.max(Number(row?.['term'] ?? 0), readInfo(dir)?.term ?? 0) + 1;
  db.prepare('INSERT INTO owner VALUES (1, ?) ON CONFLICT DO UPDATE SET term = excluded.term').run(term);
  commitAgainstReaders(db);
  db.exec('BEGIN EXCLUSIVE');
  return term;
}

/** The reservation is ours; only contenders in the midst of being refused can delay the commit, each for microseconds. */
function commitAgainstReaders(db: DatabaseSync): void {
  for (let left = COMMIT_TRIES; ; left--) {
    try {
      db.exec('COMMIT');
      return;
    } catch (error) {
      if (!isBusy(error) || left === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function readInfo(stateDir: string): OwnerInfo | undefined {
  try {
    const parsed = infoSchema.safeParse(JSON.parse(readFileSync(join(stateDir, 'owner.json'), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function writeInfo(dir: string, info: OwnerInfo): void {
  const file = join(dir, 'owner.json');
  writeFileSync(`${file}.new`, JSON.stringify(info), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
