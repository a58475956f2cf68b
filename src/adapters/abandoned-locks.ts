/**
 * Locks that a killed git left where ToDone works: in our private git directories, on our refs and branches, in the entries of
 * our worktrees, and on the packed refs; and the text of a commit that was never written. Never looks at what the engineer's own
 * checkout locks (its index, HEAD, config), and takes nothing while a git that could hold it lives (4-R11).
 */
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { COMMIT_FILE } from './git-commits.ts';
import { removeIfAbandoned } from './git-locks.ts';
import { placesOf, type Git } from './git.ts';
import { heldWorkspaces } from './workspaces.ts';
import { listAdmins, pathOf } from './worktree-admin.ts';

export type SweptPlaces = {
  readonly git: Pick<Git, 'commonDir' | 'home'>;
  /** The main worktree. */
  readonly top: string;
  /** Absolute folder of the worktrees. */
  readonly trees: string;
  /** What ToDone's branches begin with; '' = nothing. */
  readonly branchPrefix: string;
};

/** Others than git lock as well (libraries in editors), for a moment and with no process that we would know. */
export const SHARED_STALE_MS = 5_000;

/** `left`: may still be held, or is too young to say. */
export type Swept = { readonly removed: readonly string[]; readonly left: readonly string[] };

/** `patienceMs`: how long to wait for what is not old enough yet; 0 = one look. `staleMs`: how old that is, on what others share. */
export async function sweepLocks(places: SweptPlaces, patienceMs = 0, staleMs = SHARED_STALE_MS): Promise<Swept> {
  const { git, top } = places;
  const shared = sharedLocks(places);
  const around = shared.length > 0 ? placesOf(git.commonDir, top, git.home) : [];
  const looked = await Promise.all([
    // Nobody but our own gits works in there: what none of them holds is nobody's.
    ...privateLocks(git.home).map(async (lock) => ({ lock, gone: await removeIfAbandoned(lock, [git.home], 0, patienceMs) })),
    ...shared.map(async (lock) => ({ lock, gone: await removeIfAbandoned(lock, around, staleMs, patienceMs) })),
  ]);
  return { removed: looked.filter(({ gone }) => gone).map(({ lock }) => lock), left: looked.filter(({ gone }) => !gone).map(({ lock }) => lock) };
}

function privateLocks(home: string): string[] {
  const rooms = ['rooms', 'guests'].flatMap((kind) => namesIn(join(home, kind)).map((name) => join(home, kind, name)));
  const commits = namesIn(home).filter((name) => COMMIT_FILE.test(name));
  return [...[home, join(home, 'hub'), ...rooms].flatMap(locksIn), ...commits.map((name) => join(home, name))];
}

function sharedLocks({ git: { commonDir, home }, trees, branchPrefix }: SweptPlaces): string[] {
  const heads = join(commonDir, 'refs', 'heads');
  const own = new Set(branchPrefix === '' ? heldWorkspaces(home, trees).map((section) => `${section}.lock`) : []);
  const isOurs = (name: string): boolean => (branchPrefix === '' ? own.has(name) : name.startsWith(branchPrefix));
  const entries = listAdmins(commonDir).filter((admin) => pathOf(admin)?.startsWith(trees + sep) === true);
  return [
    ...locksBelow(heads).filter((lock) => isOurs(lock.slice(heads.length + 1).replaceAll(sep, '/'))),
    ...locksBelow(join(commonDir, 'refs', 'todone')),
    ...entries.flatMap(locksIn),
    // Ours as well as everybody's: whoever deletes a ref. The new one is written while the lock is held, and would be in the way for ever.
    ...['packed-refs.lock', 'packed-refs.new'].filter((name) => namesIn(commonDir).includes(name)).map((name) => join(commonDir, name)),
  ];
}

const locksIn = (folder: string): string[] => namesIn(folder).flatMap((name) => (name.endsWith('.lock') ? [join(folder, name)] : []));

function locksBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.name.endsWith('.lock') && entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
    );
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
