/**
 * The journal in memory, for tests: everything goes through the same JSON as in the real one. A `JournalStore` given
 * to a second journal is a restart. Never keeps a reference to what it was given.
 */
import { StaleOwner } from '../../src/engine/ports.ts';
import type { HistoryRow, Journal } from '../../src/engine/ports.ts';
import { checkHistory, decodeKnown, decodeRun, encodeKnown, encodeRun } from '../../src/adapters/journal-rows.ts';
import type { Decoded } from '../../src/adapters/journal-rows.ts';

/** What would be on disk. */
export type JournalStore = {
  epoch: string;
  term: number;
  readonly known: Map<string, string>;
  readonly runs: Map<string, string>;
  readonly meta: Map<string, string>;
  readonly history: HistoryRow[];
};

export function journalStore(epoch = 'epoch-1'): JournalStore {
  return { epoch, term: 0, known: new Map(), runs: new Map(), meta: new Map(), history: [] };
}

export function memoryJournal(options: { readonly store?: JournalStore; readonly term?: number } = {}): Journal & { readonly store: JournalStore } {
  const store = options.store ?? journalStore();
  const term = options.term ?? store.term + 1;
  if (store.term > term) throw new StaleOwner(term, store.term);
  store.term = term;
  return {
    store,
    load: () => ({
      epoch: store.epoch,
      known: rows(store.known, decodeKnown),
      runs: rows(store.runs, decodeRun),
      meta: new Map(store.meta),
    }),
    commit(changes) {
      const known = [...changes.known.values()].map((row) => [row.id, encodeKnown(row)] as const);
      const runs = [...changes.runs].map(([id, row]) => [id, row && encodeRun(row)] as const);
      const history = changes.history.map(checkHistory);
      for (const key of changes.meta.keys()) {
        if (['epoch', 'term', 'history.forget'].includes(key)) throw new Error(`"${key}" is the journal's own`);
      }
      if (store.term > term) throw new StaleOwner(term, store.term);
      for (const [id, body] of known) store.known.set(id, body);
      for (const [id, body] of runs) put(store.runs, id, body);
      for (const [key, value] of changes.meta) put(store.meta, key, value);
      store.history.push(...history);
    },
    secure: async () => undefined,
    history: (id) => store.history.filter((row) => row.id === id).map((row) => ({ ...row })),
    close: () => undefined,
  };
}

function put(map: Map<string, string>, key: string, value: string | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

function rows<T>(bodies: ReadonlyMap<string, string>, decode: (body: string) => Decoded<T>): T[] {
  return [...bodies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, body]) => {
      const decoded = decode(body);
      if ('row' in decoded) return decoded.row;
      throw new Error(`row ${id}: ${decoded.problem}`);
    });
}
