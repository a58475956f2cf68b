/**
 * What a write of the list is about to do, durable before it is done (1.4-R3), so that a start after a crash knows which
 * temporary file is our own plan and which holds a person's bytes. Part of the journal, in a file of its own because every
 * writer has it, owner or not.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Intent = { readonly id: number; readonly temp: string; readonly list: string; readonly base: string; readonly planned: string };

export type IntentStore = {
  begin(intent: Omit<Intent, 'id'>): number;
  end(id: number): void;
  open(): readonly Intent[];
};

export function intentStore(stateDir: string): IntentStore {
  const db = new DatabaseSync(join(stateDir, 'list.db'));
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS intents (id INTEGER PRIMARY KEY AUTOINCREMENT, temp TEXT NOT NULL, list TEXT NOT NULL, base TEXT NOT NULL, planned TEXT NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO intents (temp, list, base, planned) VALUES (?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM intents WHERE id = ?');
  const all = db.prepare('SELECT id, temp, list, base, planned FROM intents ORDER BY id');
  return {
    begin: ({ temp, list, base, planned }) => Number(insert.run(temp, list, base, planned).lastInsertRowid),
    // Losing an end is harmless: the temporary file is gone by then.
    end: (id) => {
      db.exec('PRAGMA synchronous = NORMAL');
      remove.run(id);
      db.exec('PRAGMA synchronous = FULL');
    },
    open: () => all.all() as unknown as Intent[],
  };
}
