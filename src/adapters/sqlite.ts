/**
 * The journal: how far we are, as rows of one SQLite file that survive any crash (2-R2, 8-R2). One transaction per
 * turn, refused when a newer owner has written. Never decides anything, and never throws a person's history away.
 */
import { existsSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StaleOwner } from '../engine/ports.ts';
import type { Changes, HistoryRow, Journal, Log, Stored } from '../engine/ports.ts';
import type { Known, Run } from '../runs/run.ts';
import { JOURNAL_FILE, openSound, putAside, transaction } from './journal-file.ts';
import { checkHistory, decodeKnown, decodeRun, encodeKnown, encodeRun } from './journal-rows.ts';
import type { Decoded } from './journal-rows.ts';

/** Keys of `meta` that are the journal's own. */
const OWN_KEYS: ReadonlySet<string> = new Set(['epoch', 'term', 'history.forget']);

export type JournalOptions = {
  /** The folder of ToDone's own files; made where it is missing. */
  readonly stateDir: string;
  /** The owner's term: grows with every owner of the list. Left out, it is one more than that of the owner before. */
  readonly term?: number;
  readonly now: () => number;
  readonly log?: Log;
  /** Whether what makes us the owner is still in its place; left out, it is. */
  readonly owns?: () => boolean;
};

export type SqliteJournal = Journal & {
  readonly term: number;
  /** Takes history rows older than `before` away; the only way to. Gives their number. */
  forgetHistory(before: number): number;
};

/** The journal of a list, for its owner: made, migrated, or (where it is broken) put aside and made anew. */
export function openJournal(options: JournalOptions): SqliteJournal {
  const db = openSound(options);
  return journalOn(db, options, takeTerm(db, options.term));
}

/** Writes our term down; an owner with a newer one has been here = we are not the owner. */
function takeTerm(db: DatabaseSync, wanted: number | undefined): number {
  try {
    return transaction(db, () => {
      const stored = storedTerm(db);
      const term = wanted ?? stored + 1;
      if (stored > term) throw new StaleOwner(term, stored);
      db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run('term', String(term));
      return term;
    });
  } catch (error) {
    db.close();
    throw error;
  }
}

const storedTerm = (db: DatabaseSync): number => Number(db.prepare('SELECT value FROM meta WHERE key = ?').get('term')?.['value'] ?? 0);

// ── the port ─────────────────────────────────────────────────────────────────────────────────────

function journalOn(opened: DatabaseSync, options: JournalOptions, term: number): SqliteJournal {
  const path = join(options.stateDir, JOURNAL_FILE);
  let db = opened;
  let sql = statements(db);
  let file = identityOf(path);
  /** There are commits that the disk has not been waited for. */
  let isLoose = false;

  /** Whoever took the file away has not taken what we hold of it; unless somebody else owns the list by now. */
  const backInPlace = (): void => {
    if (identityOf(path) === file) return;
    if (options.owns?.() === false) throw new StaleOwner(term, term + 1);
    const before = db;
    const theirs = existsSync(path) ? termAt(path) : 0;
    if (theirs > term) throw new StaleOwner(term, theirs);
    const aside = existsSync(path) ? putAside(path, options.now()) : undefined;
    for (const tail of ['-wal', '-shm']) rmSync(path + tail, { force: true });
    before.prepare('VACUUM INTO ?').run(path);
    db = openSound(options);
    sql = statements(db);
    file = identityOf(path);
    before.close();
    options.log?.write('warn', 'the journal had been taken away while it was in use: it was written again from what was held of it', {
      file: path,
      ...(aside === undefined ? {} : { aside }),
    });
  };

  return {
    term,

    load: () => loadFrom(db, (source, id, body, problem) => setAside(db, options, source, id, body, problem)),

    commit(changes, later = false) {
      const rows = encoded(changes);
      backInPlace();
      const durable = changes.known.size > 0 || [...changes.runs].some(([id, run]) => (run !== null) !== (sql.hasRun.get(id) !== undefined));
      setSynchronous(db, durable && !later);
      transaction(db, () => {
        const theirs = Number(sql.term.get()?.['value'] ?? 0);
        if (theirs > term) throw new StaleOwner(term, theirs);
        store(sql, rows, options.now());
      });
      // One that waits for the disk takes with it what was written before.
      if (durable) isLoose = later;
    },

    async secure() {
      if (!isLoose) return;
      backInPlace();
      isLoose = false;
      try {
        await syncFile(`${path}-wal`);
      } catch (error) {
        isLoose = true;
        throw error;
      }
    },

    history: (id) => historyOf(db, id),

    forgetHistory(before) {
      setSynchronous(db, false);
      return transaction(db, () => {
        const theirs = storedTerm(db);
        if (theirs > term) throw new StaleOwner(term, theirs);
        sql.setMeta.run('history.forget', String(before));
        const gone = db.prepare('DELETE FROM history WHERE at < ?').run(before);
        sql.dropMeta.run('history.forget');
        return Number(gone.changes);
      });
    },

    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function identityOf(path: string): string {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts ? `${facts.dev}:${facts.ino}` : '';
}

/**
 * SQLite writes the log as a whole at each commit, and with `synchronous = NORMAL` leaves this to others. Where somebody has taken the file
 * away, nothing of it can be made to last: what was in it is known from list and git.
 */
async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!file) return;
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The term in a file that lies where ours was: 0 where it cannot be read. */
function termAt(path: string): number {
  let theirs: DatabaseSync | undefined;
  try {
    theirs = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
    return storedTerm(theirs);
  } catch {
    return 0;
  } finally {
    theirs?.close();
  }
}

/** A claim or an end of a run must survive a power cut; the rest may be done again. */
function setSynchronous(db: DatabaseSync, durable: boolean): void {
  db.exec(durable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL');
}

type Rows = {
  readonly known: readonly (readonly [Known, string])[];
  readonly runs: readonly (readonly [Run, string])[];
  readonly ended: readonly string[];
  readonly meta: ReadonlyMap<string, string | null>;
  readonly history: readonly HistoryRow[];
};

/** Everything checked and put into words before the transaction begins. */
function encoded(changes: Changes): Rows {
  for (const key of changes.meta.keys()) {
    if (OWN_KEYS.has(key)) throw new Error(`"${key}" is the journal's own`);
  }
  const runs: (readonly [Run, string])[] = [];
  const ended: string[] = [];
  for (const [id, run] of changes.runs) {
    if (run === null) ended.push(id);
    else runs.push([run, encodeRun(run)]);
  }
  return {
    known: [...changes.known.values()].map((known) => [known, encodeKnown(known)]),
    runs,
    ended,
    meta: changes.meta,
    history: changes.history.map(checkHistory),
  };
}

function store(sql: Statements, rows: Rows, now: number): void {
  for (const [known, body] of rows.known) {
    sql.putKnown.run(known.id, known.section, known.state, known.hash ?? null, known.ticket, Math.round(known.updatedAt), body);
  }
  for (const [run, body] of rows.runs) {
    sql.putRun.run(run.id, run.ticket, run.attempt, run.step, run.section, Math.round(run.startedAt), body, Math.round(now));
  }
  for (const id of rows.ended) sql.dropRun.run(id);
  for (const [key, value] of rows.meta) {
    if (value === null) sql.dropMeta.run(key);
    else sql.setMeta.run(key, value);
  }
  for (const row of rows.history) sql.addHistory.run(Math.round(row.at), row.id, row.field, row.old, row.new, row.by, row.via);
}

type Statements = Readonly<Record<'term' | 'hasRun' | 'putKnown' | 'putRun' | 'dropRun' | 'setMeta' | 'dropMeta' | 'addHistory', StatementSync>>;

function statements(db: DatabaseSync): Statements {
  return {
    term: db.prepare(`SELECT value FROM meta WHERE key = 'term'`),
    hasRun: db.prepare('SELECT 1 FROM runs WHERE id = ?'),
    putKnown: db.prepare('INSERT OR REPLACE INTO known (id, section, state, hash, ticket, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    putRun: db.prepare(
      `INSERT INTO runs (id, ticket, attempt, step, section, started_at, body, step_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET
         step_since = CASE WHEN ticket = excluded.ticket AND attempt = excluded.attempt AND step = excluded.step THEN step_since ELSE excluded.step_since END,
         ticket = excluded.ticket, attempt = excluded.attempt, step = excluded.step, section = excluded.section,
         started_at = excluded.started_at, body = excluded.body`,
    ),
    dropRun: db.prepare('DELETE FROM runs WHERE id = ?'),
    setMeta: db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)'),
    dropMeta: db.prepare('DELETE FROM meta WHERE key = ?'),
    addHistory: db.prepare('INSERT INTO history (at, id, field, old, new, by, via) VALUES (?, ?, ?, ?, ?, ?, ?)'),
  };
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

export type OnUnreadable = (source: 'known' | 'runs', id: string, body: string, problem: string) => void;

export function loadFrom(db: DatabaseSync, unreadable: OnUnreadable): Stored {
  const meta = new Map<string, string>();
  let epoch = '';
  for (const row of db.prepare('SELECT key, value FROM meta').all()) {
    const key = String(row['key']);
    if (key === 'epoch') epoch = String(row['value']);
    if (!OWN_KEYS.has(key)) meta.set(key, String(row['value']));
  }
  const known = readable(db, 'known', decodeKnown, unreadable);
  return { epoch, known, runs: readable(db, 'runs', decodeRun, unreadable), meta };
}

function readable<T>(db: DatabaseSync, source: 'known' | 'runs', decode: (body: string) => Decoded<T>, unreadable: OnUnreadable): T[] {
  const rows: T[] = [];
  for (const row of db.prepare(`SELECT id, body FROM ${source} ORDER BY id`).all()) {
    const body = String(row['body']);
    const decoded = decode(body);
    if ('row' in decoded) rows.push(decoded.row);
    else unreadable(source, String(row['id']), body, decoded.problem);
  }
  return rows;
}

function setAside(db: DatabaseSync, options: JournalOptions, source: 'known' | 'runs', id: string, body: string, problem: string): void {
  transaction(db, () => {
    db.prepare('INSERT INTO set_aside (at, source, id, body, problem) VALUES (?, ?, ?, ?, ?)').run(Math.round(options.now()), source, id, body, problem);
    db.prepare(`DELETE FROM ${source} WHERE id = ?`).run(id);
  });
  options.log?.write('error', `the journal's row of ${id} in ${source} could not be read and was set aside: ${problem}`, { id, source });
}

export function historyOf(db: DatabaseSync, id: string): readonly HistoryRow[] {
  const rows = db.prepare('SELECT at, id, field, old, new, by, via FROM history WHERE id = ? ORDER BY seq').all(id);
  return rows.map((row) => checkHistory({ ...row } as HistoryRow));
}

export function historySince(db: DatabaseSync, at: number): readonly HistoryRow[] {
  const rows = db.prepare('SELECT at, id, field, old, new, by, via FROM history WHERE at >= ? ORDER BY seq').all(at);
  return rows.map((row) => checkHistory({ ...row } as HistoryRow));
}
