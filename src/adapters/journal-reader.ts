/**
 * The journal for whoever only reads (status, list, dry run): no lock is taken, no byte beside it changes, and a
 * missing or broken one reads as empty (3-R7). Never waits for the owner and never holds it up.
 */
import { closeSync, constants, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { HistoryRow, Journal, Log, Stored } from '../engine/ports.ts';
import { APPLICATION_ID } from './journal-schema.ts';
import { JOURNAL_FILE, JournalRefused, refuseNewer } from './journal-file.ts';
import { historyOf, historySince, loadFrom } from './sqlite.ts';

export type JournalReader = Pick<Journal, 'load' | 'history' | 'close'> & {
  /** Of every task, since then (ms since 1970), oldest first. */
  readonly historySince: (at: number) => readonly HistoryRow[];
};

const COPY_TRIES = 5;
const WAL_HEADER_BYTES = 32;

export function openJournalReadOnly(options: { readonly stateDir: string; readonly log?: Log }): JournalReader {
  const path = join(options.stateDir, JOURNAL_FILE);
  if (!existsSync(path)) return nothing;
  try {
    const db = openUntouched(path);
    return readerOn(db, path, options.log);
  } catch (error) {
    if (error instanceof JournalRefused) throw error;
    options.log?.write('warn', `the journal ${path} cannot be read (${(error as Error).message}): shown is what the list and git say`);
    return nothing;
  }
}

const nothing: JournalReader = {
  load: (): Stored => ({ epoch: '', known: [], runs: [], meta: new Map() }),
  history: () => [],
  historySince: () => [],
  close: () => undefined,
};

function readerOn(db: DatabaseSync, path: string, log: Log | undefined): JournalReader {
  try {
    if (Number(db.prepare('PRAGMA application_id').get()?.['application_id']) !== APPLICATION_ID) throw new Error('it is no journal');
    refuseNewer(Number(db.prepare('PRAGMA user_version').get()?.['user_version']), path);
    const stored = loadFrom(db, (source, id, _body, problem) => log?.write('warn', `the journal's row of ${id} in ${source} cannot be read: ${problem}`));
    return {
      load: () => stored,
      history: (id) => historyOf(db, id),
      historySince: (at) => historySince(db, at),
      close: () => {
        if (db.isOpen) db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * With no write-ahead log beside it nobody has the journal open: it is read as a file that does not change. Else a
 * copy is read, because SQLite would write into the files beside it.
 */
function openUntouched(path: string): DatabaseSync {
  if (!hasLog(path)) {
    const before = statSync(path);
    const db = openImmutable(path);
    const after = statSync(path);
    if (!hasLog(path) && before.mtimeMs === after.mtimeMs && before.size === after.size) return db;
    db.close();
  }
  return openCopy(path);
}

const hasLog = (path: string): boolean => existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;

function openImmutable(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/**
 * The file first, its log after it: pages that a checkpoint moved in between are still in the log, unless the log was
 * begun anew, which its header shows.
 */
function openCopy(path: string): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), 'todone-read-'));
  try {
    const copy = join(folder, JOURNAL_FILE);
    for (let tries = 1; ; tries++) {
      const before = logHeader(path);
      copyFileSync(path, copy, constants.COPYFILE_FICLONE);
      rmSync(`${copy}-wal`, { force: true });
      if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`, constants.COPYFILE_FICLONE);
      if (logHeader(path) === before) break;
      if (tries === COPY_TRIES) throw new Error('its owner is writing to it all the time');
    }
    const db = new DatabaseSync(copy);
    // Once read, the open files live on without their names.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function logHeader(path: string): string {
  if (!existsSync(`${path}-wal`)) return '';
  const file = openSync(`${path}-wal`, 'r');
  try {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    return header.toString('hex', 0, readSync(file, header, 0, WAL_HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
