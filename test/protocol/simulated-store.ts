/**
 * The lock and the intents of a list in memory, as SQLite has them: the lock is free at its holder's death; an intent that was
 * begun is there after a power cut, the end of one perhaps not, until the next that is durable.
 */
import type { ListStore } from '../../src/adapters/task-file.ts';
import type { IntentStore, StoredIntent } from '../../src/adapters/list-intents.ts';

export type SimulatedStore = ReturnType<typeof simulatedStore>;

export function simulatedStore(random: () => number) {
  let rows = new Map<number, StoredIntent>();
  let ended: number[] = [];
  let sequence = 0;
  let holder: object | undefined;
  let waiting: (() => void)[] = [];

  const durable = (): void => {
    ended = [];
  };
  let before = new Map<number, StoredIntent>();

  return {
    open: (): readonly StoredIntent[] => [...rows.values()],

    /** For one process; `step` is called before and after whatever another process or a death can come between. */
    forProcess(life: { readonly dead: boolean }, step: () => void): ListStore {
      return {
        openLock: () => ({
          async hold(_, work) {
            while (holder !== undefined) await new Promise<void>((resolve) => waiting.push(resolve));
            if (life.dead) return new Promise(() => undefined);
            holder = life;
            try {
              return await work();
            } finally {
              if (holder === life) {
                holder = undefined;
                const next = waiting.splice(0);
                for (const wake of next) wake();
              }
            }
          },
          close: () => undefined,
        }),
        openIntents: (): IntentStore => ({
          begin(intent) {
            step();
            const stored: StoredIntent = { ...intent, id: ++sequence };
            rows.set(stored.id, stored);
            durable();
            before = new Map(rows);
            step();
            return stored;
          },
          moveDisplaced(id, displaced) {
            step();
            const row = rows.get(id);
            if (row) rows.set(id, { ...row, displaced });
            durable();
            before = new Map(rows);
          },
          end(ids) {
            step();
            for (const id of ids) {
              rows.delete(id);
              ended.push(id);
            }
          },
          ids: () => [...rows.keys()].sort((a, b) => a - b),
          get: (id) => rows.get(id),
          mergerOf: (id) => [...rows.values()].find((row) => row.merges === id)?.id,
          close: () => undefined,
        }),
      };
    },

    crash(power: boolean): void {
      holder = undefined;
      waiting = [];
      if (!power) return;
      const reached = ended.slice(0, Math.floor(random() * (ended.length + 1)));
      rows = new Map([...before].filter(([id]) => !reached.includes(id)));
      before = new Map(rows);
      ended = [];
    },
  };
}
