/** What every journal does, for the twin in memory and the real one alike. */
import { afterEach, describe, expect, it } from 'vitest';
import { StaleOwner } from '../../src/engine/ports.ts';
import type { Journal } from '../../src/engine/ports.ts';
import { changes, historyRow, known, run } from './journal-rows.ts';

/** One place of storage; `open` with the same place is a restart. */
export type JournalPlace = { readonly open: (term: number) => Journal; readonly remove: () => void };

export function journalContract(name: string, place: () => JournalPlace): void {
  describe(`every journal: ${name}`, () => {
    const places: JournalPlace[] = [];
    const fresh = (): JournalPlace => {
      const made = place();
      places.push(made);
      return made;
    };
    afterEach(() => {
      for (const made of places.splice(0)) made.remove();
    });

    it('2-R2 gives back after a restart exactly what was committed', () => {
      const at = fresh();
      const journal = at.open(1);
      expect(journal.load()).toMatchObject({ known: [], runs: [], meta: new Map() });
      const rich = run('q8f0t6zd', {
        step: 'implement',
        model: 'opus',
        found: {
          workspace: '/w',
          start: 'abc',
          port: 43000,
          files: ['a', 'ü'],
          usage: { inputTokens: 1, outputTokens: 2, costUsd: 0.5 },
          outcome: 'done',
          inferred: true,
        },
        halt: { by: 'list', message: 'a person wrote [❌]', then: 'failed' },
        outcome: { state: 'failed', reason: 'cancelled', message: '' },
        waitUntil: 99,
        evidence: 'line 1\nline 2 \u{1f7e1} "quoted"',
      });
      const task = known('q8f0t6zd', { hash: 'a1b2c3d', reason: 'landed', held: 'done', message: "it's", ticket: 7 });
      journal.commit(changes({ known: [task, known('k3v9x2m1')], runs: [['q8f0t6zd', rich]], meta: [['paused', 'auth']] }));
      const before = journal.load();
      journal.close();

      const after = at.open(2).load();
      expect(after).toEqual(before);
      expect(after.known).toEqual([known('k3v9x2m1'), task]);
      expect(after.runs).toEqual([rich]);
      expect(after.meta).toEqual(new Map([['paused', 'auth']]));
    });

    it('2-R2 what is to be durable later is read at once, and is there after a restart', async () => {
      const at = fresh();
      const journal = at.open(1);
      journal.commit(changes({ known: [known('gaaaaaaa')], runs: [['gaaaaaaa', run('gaaaaaaa')]] }), true);
      expect(journal.load().runs).toEqual([run('gaaaaaaa')]);
      await journal.secure();
      journal.commit(changes({ known: [known('gbbbbbbb')] }), true);
      journal.close();
      expect(at.open(2).load()).toMatchObject({ known: [known('gaaaaaaa'), known('gbbbbbbb')], runs: [run('gaaaaaaa')] });
    });

    it('2-R2 changes and takes away the rows that a turn names, and no other', () => {
      const journal = fresh().open(1);
      journal.commit(
        changes({
          known: [known('gaaaaaaa'), known('gbbbbbbb')],
          runs: [
            ['gaaaaaaa', run('gaaaaaaa')],
            ['gbbbbbbb', run('gbbbbbbb')],
          ],
          meta: [
            ['a', '1'],
            ['b', '2'],
          ],
        }),
      );
      journal.commit(
        changes({
          known: [known('gaaaaaaa', { state: 'done' })],
          runs: [
            ['gaaaaaaa', null],
            ['gzzzzzzz', null],
          ],
          meta: [['a', null]],
        }),
      );
      const stored = journal.load();
      expect(stored.known.map((row) => row.state)).toEqual(['done', 'in_progress']);
      expect(stored.runs.map((row) => row.id)).toEqual(['gbbbbbbb']);
      expect(stored.meta).toEqual(new Map([['b', '2']]));
    });

    it('2-R2 has an epoch that stays over restarts', () => {
      const at = fresh();
      const first = at.open(1);
      const { epoch } = first.load();
      first.close();
      expect(epoch).not.toBe('');
      expect(at.open(2).load().epoch).toBe(epoch);
    });

    it('2-R2 keeps nothing of a row that could not be stored as it is', () => {
      const journal = fresh().open(1);
      const row = { ...known('gaaaaaaa'), summary: undefined };
      journal.commit(changes({ known: [row], runs: [['gaaaaaaa', run('gaaaaaaa')]] }));
      const stored = journal.load();
      expect(stored.known[0]).toStrictEqual(known('gaaaaaaa'));
      expect(stored.known[0]).not.toBe(row);
      const bad = run('gaaaaaaa', { waitUntil: Number.NaN });
      expect(() => journal.commit(changes({ known: [known('gaaaaaaa', { ticket: 5 })], runs: [['gaaaaaaa', bad]] }))).toThrow(/could not be read back/);
      expect(journal.load().known[0]?.ticket).toBe(1);
    });

    it('2-R2 keeps keys that it does not know', () => {
      const journal = fresh().open(1);
      const row = { ...known('gaaaaaaa'), later: { more: [1] } };
      journal.commit(changes({ known: [row] }));
      expect(journal.load().known[0]).toStrictEqual(row);
    });

    it('2-R3 refuses every write of an owner that has been followed by another', () => {
      const at = fresh();
      const old = at.open(1);
      old.commit(changes({ known: [known('gaaaaaaa')] }));
      const next = at.open(2);
      expect(() => old.commit(changes({ known: [known('gaaaaaaa', { state: 'done' })], meta: [['x', '1']] }))).toThrow(StaleOwner);
      expect(next.load()).toMatchObject({ known: [known('gaaaaaaa')], meta: new Map() });
      next.commit(changes({ known: [known('gaaaaaaa', { state: 'failed' })] }));
      expect(next.load().known[0]?.state).toBe('failed');
      expect(() => at.open(1)).toThrow(StaleOwner);
    });

    it('2-R3 keeps its own keys to itself', () => {
      const journal = fresh().open(3);
      for (const key of ['epoch', 'term']) expect(() => journal.commit(changes({ meta: [[key, '9']] }))).toThrow(/journal's own/);
      expect([...journal.load().meta.keys()]).toEqual([]);
    });

    it('6.3-R2 keeps the history of a task in the order in which it was written', () => {
      const at = fresh();
      const journal = at.open(1);
      const rows = [historyRow('gaaaaaaa', 5), historyRow('gaaaaaaa', 3, { field: 'text', old: null, new: 'x', by: 'anna', via: 'list' })];
      journal.commit(changes({ history: [rows[0]!, historyRow('gbbbbbbb', 1)] }));
      journal.commit(changes({ history: [rows[1]!] }));
      journal.close();
      const again = at.open(2);
      expect(again.history('gaaaaaaa')).toEqual(rows);
      expect(again.history('gnobody1')).toEqual([]);
    });
  });
}
