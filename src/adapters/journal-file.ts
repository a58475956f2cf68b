/**
 * The journal's file: made for its user alone, migrated, and put aside where it is broken, with all that could be saved of
 * it by hand. Never changes a journal of a newer version.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Log } from '../engine/ports.ts';
import { APPLICATION_ID, JOURNAL_VERSION, MIGRATIONS } from './journal-schema.ts';

export const JOURNAL_FILE = 'journal.db';

const BUSY_MS = 5000;
const EPOCH_BYTES = 12;
const HEADER = 'SQLite format 3\0';
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The journal cannot be used as it is, and must not be touched. */
export class JournalRefused extends Error {
  override name = 'JournalRefused';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

export function openSound(options: { readonly stateDir: string; readonly now: () => number; readonly log?: Log }): DatabaseSync {
  const path = join(options.stateDir, JOURNAL_FILE);
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  chmodSync(options.stateDir, 0o700);
  try {
    return openAndMigrate(path);
  } catch (error) {
    if (!isBroken(error)) throw error;
    const aside = putAside(path, options.now());
    const message = `the journal was broken (${(error as Error).message}); it is kept as ${aside}, and work goes on from the list and git with a new one`;
    options.log?.write('error', message, { file: path, aside });
    return openAndMigrate(path);
  }
}

class BrokenJournal extends Error {
  override name = 'BrokenJournal';
}

function isBroken(error: unknown): boolean {
  if (error instanceof BrokenJournal) return true;
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return (code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB;
}

/** SQLite keeps pages in two more files; all three belong together. */
export function putAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  let aside = `${path}.broken-${stamp}`;
  for (let n = 2; existsSync(aside); n++) aside = `${path}.broken-${stamp}-${n}`;
  for (const tail of ['-wal', '-shm', '']) {
    if (existsSync(path + tail)) renameSync(path + tail, aside + tail);
  }
  return aside;
}

function openAndMigrate(path: string): DatabaseSync {
  // Made by us first: SQLite gives its two other files the mode of this one.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  assertHeader(path);
  const db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    assertOurs(db, path);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    migrate(db, path);
    const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw new BrokenJournal(String(found));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLite would throw the log beside such a file away, and with it what could be saved of it by hand. */
function assertHeader(path: string): void {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER.length);
    const read = readSync(file, header, 0, header.length, 0);
    if (read > 0 && header.toString('latin1') !== HEADER) throw new BrokenJournal('it is not an SQLite file');
  } finally {
    closeSync(file);
  }
}

const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);

function assertOurs(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version');
  const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0);
  if (tables === 0) return;
  if (pragma(db, 'application_id') !== APPLICATION_ID) throw new BrokenJournal('it is another program’s SQLite file');
  refuseNewer(version, path);
}

export function refuseNewer(version: number, path: string): void {
  if (version <= JOURNAL_VERSION) return;
  throw new JournalRefused(
    `${path} was written by a newer ToDone (version ${version}; this one knows up to ${JOURNAL_VERSION})`,
    'update ToDone; or, to go on with this version from the list and git alone, move that file away first',
  );
}

function migrate(db: DatabaseSync, path: string): void {
  if (pragma(db, 'user_version') === JOURNAL_VERSION) return;
  transaction(db, () => {
    const version = pragma(db, 'user_version');
    refuseNewer(version, path);
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index >= version) db.exec(sql);
    }
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${JOURNAL_VERSION};`);
    db.prepare('INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)').run('epoch', randomBytes(EPOCH_BYTES).toString('hex'));
  });
}

export function transaction<T>(db: DatabaseSync, body: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  let result: T;
  try {
    result = body();
    db.exec('COMMIT');
  } catch (error) {
    // SQLite may have rolled back by itself (disk full).
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return result;
}

/** Takes away broken journals that were put aside before then (ms since 1970); gives their number. */
export function pruneBroken(stateDir: string, before: number): number {
  const old = readdirSync(stateDir).filter((name) => name.startsWith(`${JOURNAL_FILE}.broken-`) && statSync(join(stateDir, name)).mtimeMs < before);
  for (const name of old) rmSync(join(stateDir, name), { force: true });
  return old.length;
}
