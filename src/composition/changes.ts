/**
 * What changes on the list, for whoever listens over HTTP: everything at first, then the tasks that are other than they were. Looks at
 * the list's and the journal's stamps a few times a second while somebody listens, and reads only when one has moved.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TRPCError } from '@trpc/server';
import { JOURNAL_FILE } from '../adapters/journal-file.ts';
import type { Clock, Door } from '../engine/ports.ts';
import type { Caller } from '../runs/caller.ts';
import type { RequestOutput } from '../runs/requests.ts';
import type { Changes } from '../surfaces/http/router.ts';

const LOOK_MS = 250;
const LISTENERS_MAX = 32;

type Tasks = RequestOutput<'task.list'>['tasks'];
type Watched = { readonly listPath: string; readonly stateDir: string; readonly clock: Clock; readonly door: Door; readonly caller: Caller };

export function changesOf(watched: Watched): (signal: AbortSignal) => AsyncIterable<Changes> {
  let listeners = 0;
  // All listeners share what was read for one stamp.
  let last: { readonly stamp: string; readonly tasks: Promise<Tasks | undefined> } | undefined;
  const tasksAt = (stamp: string): Promise<Tasks | undefined> => {
    if (last?.stamp !== stamp) last = { stamp, tasks: tasksNow(watched) };
    return last.tasks;
  };
  return async function* changes(signal) {
    if (listeners >= LISTENERS_MAX) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'too many listen already: end some, and ask again' });
    listeners += 1;
    try {
      let before = '';
      let seen: ReadonlyMap<string, string> | undefined;
      while (!signal.aborted) {
        const stamp = stampOf(watched);
        const tasks = stamp === before ? undefined : await tasksAt(stamp);
        if (tasks) {
          before = stamp;
          const now = new Map(tasks.map((task) => [task.id ?? task.handle, JSON.stringify(task)]));
          const changed = tasks.filter((task) => seen?.get(task.id ?? task.handle) !== now.get(task.id ?? task.handle));
          const gone = [...(seen?.keys() ?? [])].filter((name) => !now.has(name));
          if (!seen || changed.length > 0 || gone.length > 0) yield { changed, gone };
          seen = now;
        }
        await pause(watched.clock, signal);
      }
    } finally {
      listeners -= 1;
    }
  };
}

/** Undefined where the list cannot be read now: what it said last stands until it can. */
async function tasksNow({ door, caller }: Watched): Promise<Tasks | undefined> {
  const called = await door.call('task.list', {}, caller);
  return called.ok ? called.output.tasks : undefined;
}

function stampOf({ listPath, stateDir }: Watched): string {
  const journal = join(stateDir, JOURNAL_FILE);
  return [listPath, journal, `${journal}-wal`]
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found ? `${found.ino}.${found.size}.${found.mtimeNs}` : '-';
    })
    .join(' ');
}

const pause = (clock: Clock, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = clock.after(LOOK_MS, () => resolve());
    signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
  });
