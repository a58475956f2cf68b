import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';
import { JOURNAL_FILE, JournalRefused } from '../../src/adapters/journal-file.ts';
import { openJournal } from '../../src/adapters/sqlite.ts';
import { openJournalReadOnly } from '../../src/adapters/journal-reader.ts';
import { JOURNAL_VERSION } from '../../src/adapters/journal-schema.ts';
import { StaleOwner } from '../../src/engine/ports.ts';
import type { LogLevel } from '../../src/engine/ports.ts';
import { memoryJournal, journalStore } from '../twins/journal.ts';
import { journalContract } from './journal-contract.ts';
import { changes, historyRow, known, run } from './journal-rows.ts';

const folders: string[] = [];
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'todone-journal-'));
  folders.push(made);
  return made;
}

const said: { level: LogLevel; message: string }[] = [];
const log = { write: (level: LogLevel, message: string) => void said.push({ level, message }) };
let clock = 1_700_000_000_000;
const open = (stateDir: string, term = 1) => openJournal({ stateDir, term, now: () => clock, log });

journalContract('in memory', () => {
  const store = journalStore();
  return { open: (term) => memoryJournal({ store, term }), remove: () => undefined };
});

journalContract('SQLite', () => {
  const dir = mkdtempSync(join(tmpdir(), 'todone-journal-'));
  const opened: { close(): void }[] = [];
  return {
    open: (term) => {
      const journal = openJournal({ stateDir: join(dir, 'state'), term, now: () => clock });
      opened.push(journal);
      return journal;
    },
    remove: () => {
      for (const journal of opened) journal.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
});

it('13-R3 keeps the journal to its owner: folder 0700, files 0600', () => {
  const dir = join(folder(), 'deep', 'todone');
  const journal = open(dir);
  journal.commit(changes({ meta: [['a', 'b']] }));
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  const files = readdirSync(dir);
  expect(files).toContain(JOURNAL_FILE);
  expect(files).toContain(`${JOURNAL_FILE}-wal`);
  for (const file of files) expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600]);
  journal.close();
});

it('13-R3 takes a journal back from others that a backup has opened to them', () => {
  const dir = join(folder(), 'state');
  open(dir).close();
  chmodSync(dir, 0o755);
  chmodSync(join(dir, JOURNAL_FILE), 0o644);
  open(dir).close();
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir, JOURNAL_FILE)).mode & 0o777).toBe(0o600);
});

it('2-R2 makes another epoch with every new journal', () => {
  const epochs = [folder(), folder()].map((dir) => {
    const journal = open(dir);
    const { epoch } = journal.load();
    journal.close();
    return epoch;
  });
  expect(new Set(epochs).size).toBe(2);
});

it('2-R3 gives each owner a higher term than the one before', () => {
  const dir = folder();
  const owners = [1, 2, 3].map(() => openJournal({ stateDir: dir, now: () => clock }));
  expect(owners.map((owner) => owner.term)).toEqual([1, 2, 3]);
  expect(() => owners[1]?.commit(changes({ meta: [['a', '1']] }))).toThrow(StaleOwner);
  owners[2]?.commit(changes({ meta: [['a', '1']] }));
  for (const owner of owners) owner.close();
});

it('12-R1 shows as open effects what must be performed again, and since when', () => {
  const dir = folder();
  const journal = open(dir);
  const effects = (): unknown => {
    const db = new DatabaseSync(join(dir, JOURNAL_FILE), { readOnly: true });
    const rows = db
      .prepare('SELECT task, ticket, step, since FROM open_effects ORDER BY task')
      .all()
      .map((row) => Object.values(row));
    db.close();
    return rows;
  };
  clock = 5000;
  journal.commit(changes({ runs: [['gaaaaaaa', run('gaaaaaaa')]] }));
  clock = 6000;
  journal.commit(changes({ runs: [['gaaaaaaa', run('gaaaaaaa', { tries: 1 })]] }));
  expect(effects()).toEqual([['gaaaaaaa', 1, 'claim', 5000]]);
  clock = 7000;
  journal.commit(
    changes({
      runs: [
        ['gaaaaaaa', run('gaaaaaaa', { step: 'prepare' })],
        ['gbbbbbbb', run('gbbbbbbb', { ticket: 4 })],
      ],
    }),
  );
  expect(effects()).toEqual([
    ['gaaaaaaa', 1, 'prepare', 7000],
    ['gbbbbbbb', 4, 'claim', 7000],
  ]);
  journal.commit(
    changes({
      runs: [
        ['gaaaaaaa', null],
        ['gbbbbbbb', null],
      ],
    }),
  );
  expect(effects()).toEqual([]);
  journal.close();
});

it('6.3-R2 lets nobody change the history, and only forgetHistory shorten it', () => {
  const dir = folder();
  const journal = open(dir);
  journal.commit(changes({ history: [historyRow('gaaaaaaa', 10), historyRow('gaaaaaaa', 20)] }));
  const other = new DatabaseSync(join(dir, JOURNAL_FILE));
  expect(() => other.exec(`UPDATE history SET by = 'me'`)).toThrow(/never changed/);
  expect(() => other.exec('DELETE FROM history')).toThrow(/history is kept/);
  other.close();
  expect(journal.forgetHistory(15)).toBe(1);
  expect(journal.history('gaaaaaaa').map((row) => row.at)).toEqual([20]);
  const again = new DatabaseSync(join(dir, JOURNAL_FILE));
  expect(() => again.exec('DELETE FROM history')).toThrow(/history is kept/);
  again.close();
  journal.close();
});

it('8-R2 migrates a stored journal of the first version, with all that is in it', () => {
  const dir = folder();
  copyFileSync(join(import.meta.dirname, 'journal-v1.db'), join(dir, JOURNAL_FILE));
  const old = openJournalReadOnly({ stateDir: dir });
  const before = old.load();
  old.close();
  const journal = open(dir);
  const stored = journal.load();
  expect(stored).toEqual(before);
  expect(stored.epoch).toBe('5eed5eed5eed5eed5eed5eed');
  expect(stored.known).toEqual([
    known('k3v9x2m1', { state: 'done', hash: 'a1b2c3d', commit: 'a1b2c3d'.padEnd(40, '0'), reason: 'landed', ticket: 3 }),
    known('q8f0t6zd'),
  ]);
  expect(stored.runs).toEqual([run('q8f0t6zd', { step: 'implement', found: { workspace: '/w' } })]);
  expect(stored.meta).toEqual(new Map([['paused', 'auth']]));
  expect(journal.history('k3v9x2m1')).toEqual([historyRow('k3v9x2m1', 1000), historyRow('k3v9x2m1', 2000, { old: 'in_progress', new: 'done' })]);
  journal.close();
  const db = new DatabaseSync(join(dir, JOURNAL_FILE), { readOnly: true });
  expect(Object.values(db.prepare('SELECT * FROM open_effects').get()!)).toEqual(['q8f0t6zd', 1, 'implement', 1000]);
  expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: JOURNAL_VERSION });
  db.close();
});

it('8-R2 refuses a journal of a newer version, says what to do, and leaves it as it is', () => {
  const dir = folder();
  open(dir).close();
  const db = new DatabaseSync(join(dir, JOURNAL_FILE));
  db.exec(`PRAGMA user_version = ${JOURNAL_VERSION + 1}`);
  db.close();
  const bytes = readFileSync(join(dir, JOURNAL_FILE));
  let refused: unknown;
  try {
    open(dir);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(JournalRefused);
  expect((refused as JournalRefused).message).toMatch(/newer ToDone \(version \d+; this one knows up to \d+\)/);
  expect((refused as JournalRefused).remedy).toMatch(/update ToDone/);
  expect(() => openJournalReadOnly({ stateDir: dir })).toThrow(JournalRefused);
  expect(readFileSync(join(dir, JOURNAL_FILE)).equals(bytes)).toBe(true);
});

it.each([
  ['garbage', (path: string) => writeFileSync(path, 'not a database at all, sorry\n'.repeat(300))],
  [
    'torn pages',
    (path: string) => {
      const bytes = readFileSync(path);
      bytes.fill(0xee, 4096);
      writeFileSync(path, bytes);
    },
  ],
  [
    'another program’s database',
    (path: string) => {
      rmSync(path);
      const db = new DatabaseSync(path);
      db.exec('CREATE TABLE theirs (a)');
      db.close();
    },
  ],
])('12-R1 puts a broken journal aside (%s), says so and goes on with a new one', (_, spoil) => {
  const dir = folder();
  const first = open(dir);
  first.commit(changes({ known: [known('gaaaaaaa')] }));
  const { epoch } = first.load();
  first.close();
  spoil(join(dir, JOURNAL_FILE));
  const spoilt = readFileSync(join(dir, JOURNAL_FILE));
  expect(openJournalReadOnly({ stateDir: dir }).load().known).toEqual([]);
  said.length = 0;
  const journal = open(dir);
  const stored = journal.load();
  expect(stored.known).toEqual([]);
  expect(stored.epoch).not.toBe(epoch);
  journal.commit(changes({ known: [known('gbbbbbbb')] }));
  const aside = readdirSync(dir).find((file) => file.startsWith(`${JOURNAL_FILE}.broken-`));
  expect(readFileSync(join(dir, aside ?? '')).equals(spoilt)).toBe(true);
  expect(said).toEqual([{ level: 'error', message: expect.stringContaining(aside!) }]);
  journal.close();
});

it('12-R1 does not take the log of a broken journal for that of the new one', () => {
  const dir = folder();
  open(dir).close();
  const journal = open(dir);
  journal.commit(changes({ known: [known('gaaaaaaa')] }));
  const crashed = folder();
  for (const file of readdirSync(dir)) copyFileSync(join(dir, file), join(crashed, file));
  journal.close();
  writeFileSync(join(crashed, JOURNAL_FILE), 'zeroes or worse\n'.repeat(1000));
  const fresh = open(crashed);
  expect(fresh.load().known).toEqual([]);
  fresh.close();
  expect(readdirSync(crashed).filter((file) => /broken-.*-wal$/.test(file))).toHaveLength(1);
});

it('12-R1 sets a row aside that cannot be read, and loads all others', () => {
  const dir = folder();
  const journal = open(dir);
  journal.commit(
    changes({
      known: [known('gaaaaaaa'), known('gbbbbbbb')],
      runs: [
        ['gaaaaaaa', run('gaaaaaaa')],
        ['gbbbbbbb', run('gbbbbbbb')],
      ],
    }),
  );
  const db = new DatabaseSync(join(dir, JOURNAL_FILE));
  db.exec(`UPDATE known SET body = '{"id":' WHERE id = 'gaaaaaaa'; UPDATE runs SET body = '{"id":"gbbbbbbb","step":"dance"}' WHERE id = 'gbbbbbbb'`);
  said.length = 0;
  const stored = journal.load();
  expect(stored.known.map((row) => row.id)).toEqual(['gbbbbbbb']);
  expect(stored.runs.map((row) => row.id)).toEqual(['gaaaaaaa']);
  expect(said.map((line) => line.message)).toEqual([
    expect.stringMatching(/gaaaaaaa in known .*set aside/),
    expect.stringMatching(/gbbbbbbb in runs .*set aside/),
  ]);
  expect(
    db
      .prepare('SELECT source, id, body FROM set_aside ORDER BY id')
      .all()
      .map((row) => Object.values(row)),
  ).toEqual([
    ['known', 'gaaaaaaa', '{"id":'],
    ['runs', 'gbbbbbbb', '{"id":"gbbbbbbb","step":"dance"}'],
  ]);
  expect(journal.load()).toEqual(stored);
  db.close();
  journal.close();
});

it('3-R7 reads without a trace: nothing in the folder changes, whether the journal is closed, in use or left by a crash', () => {
  const dir = folder();
  const look = () =>
    readdirSync(dir)
      .sort()
      .map((file) => [file, readFileSync(join(dir, file)).toString('base64'), statSync(join(dir, file)).mtimeMs]);
  const read = () => {
    const before = look();
    const journal = openJournalReadOnly({ stateDir: dir });
    const ids = journal.load().known.map((row) => row.id);
    const rows = journal.history('gaaaaaaa').length;
    journal.close();
    expect(look()).toEqual(before);
    return [ids, rows];
  };
  expect(read()).toEqual([[], 0]);
  expect(readdirSync(dir)).toEqual([]);
  const journal = open(dir);
  expect(read()).toEqual([[], 0]);
  journal.commit(changes({ known: [known('gaaaaaaa')], history: [historyRow('gaaaaaaa', 1)] }));
  expect(read()).toEqual([['gaaaaaaa'], 1]);
  const crashed = folder();
  for (const file of readdirSync(dir)) copyFileSync(join(dir, file), join(crashed, file));
  journal.close();
  expect(existsSync(join(dir, `${JOURNAL_FILE}-wal`))).toBe(false);
  expect(read()).toEqual([['gaaaaaaa'], 1]);
  const left = openJournalReadOnly({ stateDir: crashed });
  expect(left.load().known.map((row) => row.id)).toEqual(['gaaaaaaa']);
  left.close();
});

it('3-R7 reads while the owner commits and checkpoints, and never sees half a commit', async () => {
  const dir = folder();
  const child = committer(dir);
  const lines = createInterface({ input: child.stdout });
  const acknowledged = lines[Symbol.asyncIterator]();
  await acknowledged.next();
  let newest = 0;
  for (let look = 0; look < 40; look++) {
    const journal = openJournalReadOnly({ stateDir: dir });
    const stored = journal.load();
    journal.close();
    expect(Number(stored.meta.get('last'))).toBe(stored.known[0]?.ticket);
    expect(stored.known[0]?.ticket).toBeGreaterThanOrEqual(newest);
    newest = stored.known[0]?.ticket ?? 0;
    await acknowledged.next();
  }
  child.kill('SIGKILL');
  await exited(child);
  expect(newest).toBeGreaterThan(0);
});

it('12-R1 loses no acknowledged commit to kill -9, and is whole afterwards', async () => {
  const dir = folder();
  for (let round = 1; round <= 6; round++) {
    const child = committer(dir);
    let last = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = Number(line);
      if (last % 1000 >= 40 * round) child.kill('SIGKILL');
    });
    await exited(child);
    expect(last).toBeGreaterThan(0);
    const db = new DatabaseSync(join(dir, JOURNAL_FILE));
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
    const journal = open(dir, 1000);
    const stored = journal.load();
    expect(stored.known[0]?.ticket).toBeGreaterThanOrEqual(last);
    expect(Number(stored.meta.get('last'))).toBe(stored.known[0]?.ticket);
    journal.close();
  }
}, 60_000);

const committer = (dir: string) =>
  spawn(process.execPath, [join(import.meta.dirname, 'programs', 'commit-flat-out.ts'), dir], { stdio: ['ignore', 'pipe', 'inherit'] });
const exited = (child: ReturnType<typeof committer>) => new Promise((resolve) => child.once('close', resolve));

it('12-R1 a journal that is deleted or replaced while it is in use is written again, with all that it held', () => {
  const replace = (path: string): void => {
    rmSync(path);
    writeFileSync(path, 'nonsense\n'.repeat(2000));
  };
  for (const take of [(path: string) => rmSync(path), replace]) {
    const stateDir = folder();
    const words: string[] = [];
    const journal = openJournal({ stateDir, term: 7, now: () => 1, log: { write: (_level, message) => void words.push(message) }, owns: () => true });
    const { epoch } = journal.load();
    journal.commit(changes({ known: [known('gaaaaaaa')], runs: [['gaaaaaaa', run('gaaaaaaa')]], history: [historyRow('gaaaaaaa', 10)] }));
    for (const name of ['-wal', '-shm']) rmSync(join(stateDir, `journal.db${name}`), { force: true });
    take(join(stateDir, 'journal.db'));
    journal.commit(changes({ known: [known('gbbbbbbb')], history: [historyRow('gaaaaaaa', 20)] }));
    journal.close();
    expect(words.join()).toContain('taken away');
    const again = openJournal({ stateDir, now: () => 2 });
    expect({ term: again.term, ...again.load(), history: again.history('gaaaaaaa').length }).toMatchObject({
      term: 8,
      epoch,
      known: [{ id: 'gaaaaaaa' }, { id: 'gbbbbbbb' }],
      runs: [{ id: 'gaaaaaaa' }],
      history: 2,
    });
    again.close();
  }
});

it('2-R3 a journal that was taken away together with the ownership is nobody’s to write again', () => {
  const stateDir = folder();
  const journal = openJournal({ stateDir, term: 7, now: () => 1, owns: () => false });
  rmSync(join(stateDir, 'journal.db'));
  expect(() => journal.commit(changes({ known: [known('gaaaaaaa')] }))).toThrow(StaleOwner);
  journal.close();
  expect(existsSync(join(stateDir, 'journal.db'))).toBe(false);
});

it('2-R3 a newer owner’s journal in the place of ours is left alone', () => {
  const stateDir = folder();
  const journal = openJournal({ stateDir, term: 7, now: () => 1, owns: () => true });
  for (const name of readdirSync(stateDir)) rmSync(join(stateDir, name));
  const theirs = openJournal({ stateDir, term: 8, now: () => 1 });
  theirs.commit(changes({ known: [known('gbbbbbbb')] }));
  expect(() => journal.commit(changes({ known: [known('gaaaaaaa')] }))).toThrow(StaleOwner);
  expect(theirs.load().known.map(({ id }) => id)).toEqual(['gbbbbbbb']);
  journal.close();
  theirs.close();
});

it('12-R1 goes on where its log was deleted before the disk was waited for', async () => {
  const dir = folder();
  const journal = open(dir);
  journal.commit(changes({ known: [known('gaaaaaaa')] }), true);
  rmSync(join(dir, `${JOURNAL_FILE}-wal`));
  await journal.secure();
  journal.commit(changes({ known: [known('gbbbbbbb')] }), true);
  await journal.secure();
  expect(journal.load().known).toHaveLength(2);
  journal.close();
});
