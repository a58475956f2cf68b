/**
 * Hints that the list may have changed: chokidar on the folder of the real file, because editors replace the file
 * itself. Watches again where the link was pointed elsewhere or the folder was made anew. Never the truth: without it,
 * or where it falls silent, the engine looks every interval all the same.
 */
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { Clock, Log } from '../engine/ports.ts';

/** How often it is made sure that the folder watched is still the list's. */
const REARM_MS = 5000;
/** What `inotify` says when its limits are reached. */
const LIMITS: ReadonlySet<string> = new Set(['ENOSPC', 'EMFILE']);

export async function watchList(path: string, clock: Clock, log: Log, hint: () => void): Promise<() => Promise<void>> {
  let said = false;
  const trouble = (error: unknown): void => {
    if (said) return;
    said = true;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const remedy = LIMITS.has(code) ? 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances' : 'nothing: it is looked at every interval';
    log.write('warn', 'the list cannot be watched; it is looked at every interval instead', {
      path,
      error: error instanceof Error ? error.message : String(error),
      remedy,
    });
  };

  let current = placeOf(path);
  let watcher = await arm(current.real, hint, trouble);
  let ended = false;
  let cancel: (() => void) | undefined;

  const rearm = async (): Promise<void> => {
    const now = placeOf(path);
    if (now.key !== current.key) {
      current = now;
      await disarm(watcher);
      watcher = await arm(now.real, hint, trouble);
      hint();
    }
    if (ended) await disarm(watcher);
    else again();
  };
  const again = (): void => {
    cancel = clock.after(REARM_MS, () => void rearm().catch(trouble));
  };
  again();

  return async () => {
    ended = true;
    cancel?.();
    await disarm(watcher);
  };
}

/** It leaves a timer of up to a second behind, and with it the process that has nothing more to do. */
async function disarm(watcher: FSWatcher): Promise<void> {
  // oxlint-disable-next-line no-underscore-dangle -- its types have it, and there is no other way to it
  const throttled = [...watcher._throttled.values()].flatMap((waiting) => [...waiting.values()]) as { clear(): void }[];
  for (const each of throttled) each.clear();
  await watcher.close();
}

/** Resolves when the watcher sees everything that comes, or has failed. */
function arm(real: string, hint: () => void, trouble: (error: unknown) => void): Promise<FSWatcher> {
  const folder = dirname(real);
  const name = basename(real);
  // Of all that lies beside the list nothing is looked at, our own files included.
  const watcher = watch(folder, { depth: 0, ignoreInitial: true, ignored: (path) => path !== folder && basename(path) !== name });
  watcher.on('all', hint);
  return new Promise((resolve) => {
    watcher.once('ready', () => resolve(watcher));
    watcher.on('error', (error) => {
      trouble(error);
      resolve(watcher);
    });
  });
}

/** The real file, or its place where it is missing; and a key that changes with the folder's inode. */
function placeOf(path: string): { readonly real: string; readonly key: string } {
  let real = path;
  try {
    real = realpathSync.native(path);
  } catch {
    // Missing for now: its place is watched.
  }
  const folder = statSync(dirname(real), { bigint: true, throwIfNoEntry: false });
  return { real, key: `${real} ${folder ? `${folder.dev}:${folder.ino}` : ''}` };
}
