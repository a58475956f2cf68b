/**
 * What the lists of several projects share in one process (6.5-R2): the caps of the user's own config, the places that the others
 * take or wait for, and the accounts that wait for a limit. A value that is handed in with each turn; the line before a cap that all
 * share is first come, first served, within a priority. Knows nothing of the other lists but their counts.
 */
import type { Config } from '../config.ts';
import type { Parked } from './govern.ts';

/** One project's wish for a place that is taken: `key` as in `Room`, `all` for the cap of the machine. */
export type Wish = { readonly key: string; readonly priority: number };

/** As one project sees the others, at the moment of its turn. Plain JSON: other processes are told it, too. */
export type Common = {
  readonly maxAgents: number;
  readonly caps: Config['caps'];
  /** Places that the other projects take, by key; `all` = every one. */
  readonly taken: Readonly<Record<string, number>>;
  /** What others wait for; `first` = they began to before this project did, or this one does not wait for it. */
  readonly line: readonly (Wish & { readonly first: boolean })[];
  readonly parked: readonly Parked[];
  /** Why nothing new starts, where the project has yet to come in or is on its way out; what runs goes on. */
  readonly closed?: { readonly message: string; readonly remedy: string } | undefined;
};

/** The key of the cap of all agents. */
export const ALL = 'all';

/** How many places of a cap are taken or spoken for, as a task of this priority finds it; `own` = by this project itself. */
export function takenOf(common: Common, key: string, priority: number, own: number): number {
  const before = common.line.filter((wish) => wish.key === key && (wish.priority < priority || (wish.priority === priority && wish.first)));
  return own + (Object.hasOwn(common.taken, key) ? (common.taken[key] ?? 0) : 0) + before.length;
}

/** The best priority of each key: what a project waits for as one. */
export function wishesOf(wishes: Iterable<Wish>): Wish[] {
  const best = new Map<string, number>();
  for (const { key, priority } of wishes) best.set(key, Math.min(priority, best.get(key) ?? priority));
  return [...best].map(([key, priority]) => ({ key, priority }));
}
