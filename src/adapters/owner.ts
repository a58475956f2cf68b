/**
 * One owner per list (2-R3): a process that holds an exclusive transaction on `owner.db` for its whole life. The kernel frees
 * it at its death, so that there is nothing stale to judge, and a stopped process stays the owner. Never opens the file twice
 * in one process: closing one handle would drop the other's lock.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Ownership = {
  /** Grows with every owner. */
  readonly term: number;
  release(): void;
};

export type OwnerInfo = { readonly pid: number; readonly host: string; readonly since: number };

const held = new Set<string>();

/** The ownership, or undefined while somebody else has it. */
export function takeOwnership(stateDir: string, now: () => number = Date.now): Ownership | undefined {
  const path = join(stateDir, 'owner.db');
  if (held.has(path)) return undefined;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  const term = nextTerm(db);
  // In exclusive locking mode the lock outlives the commit, until this connection is closed.
  db.exec('BEGIN EXCLUSIVE');
  held.add(path);
  writeInfo(stateDir, { pid: process.pid, host: hostname(), since: now() });
  return {
    term,
    release() {
      if (!held.delete(path)) return;
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

/** Who owns it now, as far as it said so. */
export function ownerInfo(stateDir: string): OwnerInfo | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDir, 'owner.json'), 'utf8')) as OwnerInfo;
  } catch {
    return undefined;
  }
}

/** Whether anybody owns it, without taking part. */
export function isOwned(stateDir: string): boolean {
  const taken = takeOwnership(stateDir);
  taken?.release();
  return taken === undefined;
}

function nextTerm(db: DatabaseSync): number {
  db.exec('CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL) STRICT');
  db.exec('INSERT INTO owner (one, term) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET term = term + 1');
  const row = db.prepare('SELECT term FROM owner').get() as { term: number };
  db.exec('COMMIT');
  return row.term;
}

function writeInfo(stateDir: string, info: OwnerInfo): void {
  writeFileSync(join(stateDir, 'owner.json'), `${JSON.stringify(info)}\n`, { mode: 0o600 });
}

const SQLITE_BUSY = 5;
const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
