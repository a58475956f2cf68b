/**
 * The tables of the journal, as numbered migrations: `MIGRATIONS[n]` takes version n to n + 1 and is never edited
 * once released (8-R2). Never reads or writes a row of its own accord beyond what a migration moves.
 */

/** `todo` in ASCII: tells our file from any other SQLite file. */
export const APPLICATION_ID = 0x746f646f;

const FIRST = `
  CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One row for every id that was ever given. The columns are for people and queries, the body is the row.
  CREATE TABLE known (
    id         TEXT PRIMARY KEY,
    section    TEXT NOT NULL,
    state      TEXT NOT NULL,
    hash       TEXT,
    ticket     INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body       TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One row for every task being worked on, from claim to settle.
  CREATE TABLE runs (
    id         TEXT PRIMARY KEY,
    ticket     INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    step       TEXT NOT NULL,
    section    TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    body       TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE history (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    at    INTEGER NOT NULL,
    id    TEXT NOT NULL,
    field TEXT NOT NULL,
    old   TEXT,
    new   TEXT,
    by    TEXT NOT NULL,
    via   TEXT NOT NULL
  ) STRICT;

  CREATE TRIGGER history_is_never_changed BEFORE UPDATE ON history
  BEGIN SELECT RAISE(ABORT, 'history is never changed'); END;

  CREATE TRIGGER history_is_kept BEFORE DELETE ON history
  WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'history.forget')
  BEGIN SELECT RAISE(ABORT, 'history is kept: only forgetHistory takes old rows away'); END;
`;

/** Since when a run is at its step, the effects that are open, the history by task, and a place for unreadable rows. */
const SECOND = `
  ALTER TABLE runs ADD COLUMN step_since INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET step_since = started_at;

  -- What must be performed again at the next start.
  CREATE VIEW open_effects AS
    SELECT id AS task, ticket, step, step_since AS since FROM runs;

  CREATE INDEX history_by_task ON history (id, seq);

  CREATE TABLE set_aside (
    at      INTEGER NOT NULL,
    source  TEXT NOT NULL,
    id      TEXT NOT NULL,
    body    TEXT NOT NULL,
    problem TEXT NOT NULL
  ) STRICT;
`;

export const MIGRATIONS: readonly string[] = [FIRST, SECOND];

export const JOURNAL_VERSION = MIGRATIONS.length;
