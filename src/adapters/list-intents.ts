/**
 * What a write of the list is about to do, durable before it is done (1.4-R3), and until nothing that it displaced can
 * change any more: so that after a crash it is known which file beside the list is our own plan, which holds a
 * person's bytes, and what is to be made of them. In a file of its own, because every writer has it, owner or not.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Edit } from '../tasks/task.ts';
import { touchPrivate } from './kernel-lock.ts';

export type Intent = {
  /** The real file. */
  readonly list: string;
  /** Holds the new text until the exchange. */
  readonly temp: string;
  /** Holds what was displaced after it; the same path as `temp` where files can be exchanged. */
  readonly displaced: string;
  /** Name in the archive, without its kind. */
  readonly keep: string;
  /** The inode of the new text: where it is found under `temp`, the exchange has not been. */
  readonly tempInode: string;
  readonly baseHash: string;
  readonly plannedHash: string;
  /** Ours: made again on a person's text. Empty where the new text is itself a merge. */
  readonly edits: readonly Edit[];
  /** The text before and, where `edits` do not lead from one to the other, after; not kept of large lists. */
  readonly base?: Buffer;
  readonly planned?: Buffer;
  /** The intent whose displaced text is merged into this one's new text. */
  readonly merges?: number;
  /** Wall time, ms. */
  readonly at: number;
};

export type StoredIntent = Intent & { readonly id: number };

export type IntentStore = {
  /** Durable at return. */
  begin(intent: Intent): StoredIntent;
  /** Durable at return. */
  moveDisplaced(id: number, displaced: string): void;
  /** Not made durable: an intent that comes back finds its work done. */
  end(ids: readonly number[]): void;
  /** Ids of all that are open, oldest first. */
  ids(): readonly number[];
  get(id: number): StoredIntent | undefined;
  /** The intent that wrote the displaced text of this one into the list. */
  mergerOf(id: number): number | undefined;
  close(): void;
};

/** Texts up to here are stored with the intent; they are needed only where a crash and two saves come together. */
export const STORED_BYTES_MAX = 1024 * 1024;
const VERSION = 1;

export function openIntents(stateDir: string): IntentStore {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, 'list.db');
  touchPrivate(file);
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  migrate(db, file);
  const insert = db.prepare(
    'INSERT INTO intents (list, temp, displaced, keep, temp_inode, base_hash, planned_hash, edits, base, planned, merges, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const move = db.prepare('UPDATE intents SET displaced = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM intents WHERE id = ?');
  const ids = db.prepare('SELECT id FROM intents ORDER BY id');
  const merger = db.prepare('SELECT id FROM intents WHERE merges = ?');
  const one = db.prepare('SELECT * FROM intents WHERE id = ?');

  return {
    begin(intent) {
      const { list, temp, displaced, keep, tempInode, baseHash, plannedHash, edits, merges, at } = intent;
      const { lastInsertRowid } = insert.run(
        list,
        temp,
        displaced,
        keep,
        tempInode,
        baseHash,
        plannedHash,
        JSON.stringify(edits),
        small(intent.base),
        small(intent.planned),
        merges ?? null,
        at,
      );
      return { ...intent, id: Number(lastInsertRowid) };
    },
    moveDisplaced(id, displaced) {
      move.run(displaced, id);
    },
    end(gone) {
      if (gone.length === 0) return;
      db.exec('PRAGMA synchronous = NORMAL');
      try {
        for (const id of gone) remove.run(id);
      } finally {
        db.exec('PRAGMA synchronous = FULL');
      }
    },
    ids: () => ids.all().map((row) => Number(row['id'])),
    get(id) {
      const row = one.get(id);
      return row && intentOf(row);
    },
    mergerOf(id) {
      const row = merger.get(id);
      return row && Number(row['id']);
    },
    close: () => db.close(),
  };
}

/** The ids of claims among the writes that were not settled when a process died; the file is not made. */
export function claimsBegun(stateDir: string): readonly string[] {
  const file = join(stateDir, 'list.db');
  if (!existsSync(file)) return [];
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 1000 });
    const edits = db
      .prepare('SELECT edits FROM intents')
      .all()
      .flatMap((row) => JSON.parse(String(row['edits'])) as readonly Edit[]);
    return edits.flatMap((edit) => (edit.kind === 'mark' && edit.marker.state === 'in_progress' && edit.marker.id !== undefined ? [edit.marker.id] : []));
  } catch {
    return [];
  } finally {
    db?.close();
  }
}

function small(bytes: Buffer | undefined): Buffer | null {
  return bytes && bytes.length <= STORED_BYTES_MAX ? bytes : null;
}

function migrate(db: DatabaseSync, file: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > VERSION) {
    db.close();
    throw new Error(`${file} was written by a newer ToDone (version ${version}, this one knows ${VERSION}). Update ToDone.`);
  }
  if (version === VERSION) return;
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS intents (
      id INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, temp TEXT NOT NULL, displaced TEXT NOT NULL, keep TEXT NOT NULL, temp_inode TEXT NOT NULL,
      base_hash TEXT NOT NULL, planned_hash TEXT NOT NULL, edits TEXT NOT NULL, base BLOB, planned BLOB, merges INTEGER, at INTEGER NOT NULL
    ) STRICT;
    PRAGMA user_version = ${VERSION};
    COMMIT`);
}

function intentOf(row: Readonly<Record<string, unknown>>): StoredIntent {
  const text = (name: string): string => String(row[name]);
  const blob = (name: string): Buffer | undefined => {
    const value = row[name];
    return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
  };
  return {
    id: Number(row['id']),
    list: text('list'),
    temp: text('temp'),
    displaced: text('displaced'),
    keep: text('keep'),
    tempInode: text('temp_inode'),
    baseHash: text('base_hash'),
    plannedHash: text('planned_hash'),
    edits: JSON.parse(text('edits')) as readonly Edit[],
    base: blob('base'),
    planned: blob('planned'),
    merges: row['merges'] === null ? undefined : Number(row['merges']),
    at: Number(row['at']),
  };
}
