/** Wrote `journal-v1.db`, a journal as the first version left it: for 8-R2. Kept to say where the file comes from. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, MIGRATIONS } from '../../../src/adapters/journal-schema.ts';
import { historyRow, known, run } from '../journal-rows.ts';

const path = join(import.meta.dirname, '..', 'journal-v1.db');
rmSync(path, { force: true });
const db = new DatabaseSync(path);
db.exec(`PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; ${MIGRATIONS[0]}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;`);

const meta = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
for (const [key, value] of Object.entries({ epoch: '5eed5eed5eed5eed5eed5eed', term: '1', paused: 'auth' })) meta.run(key, value);

const done = known('k3v9x2m1', { state: 'done', hash: 'a1b2c3d', commit: 'a1b2c3d'.padEnd(40, '0'), reason: 'landed', ticket: 3 });
const putKnown = db.prepare('INSERT INTO known (id, section, state, hash, ticket, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)');
for (const row of [done, known('q8f0t6zd')]) putKnown.run(row.id, row.section, row.state, row.hash ?? null, row.ticket, row.updatedAt, JSON.stringify(row));

const going = run('q8f0t6zd', { step: 'implement', found: { workspace: '/w' } });
db.prepare('INSERT INTO runs (id, ticket, attempt, step, section, started_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
  going.id,
  going.ticket,
  going.attempt,
  going.step,
  going.section,
  going.startedAt,
  JSON.stringify(going),
);

const addHistory = db.prepare('INSERT INTO history (at, id, field, old, new, by, via) VALUES (?, ?, ?, ?, ?, ?, ?)');
for (const row of [historyRow('k3v9x2m1', 1000), historyRow('k3v9x2m1', 2000, { old: 'in_progress', new: 'done' })]) {
  addHistory.run(row.at, row.id, row.field, row.old, row.new, row.by, row.via);
}
db.close();
