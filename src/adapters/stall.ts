/**
 * Sees that a run does nothing any more (5.3-R4): no output and no CPU in its process tree and no file change, all three for
 * the whole time. Cheap things are looked at first, and the next only where the ones before are still. Never ends anything.
 */
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { treeCpuMs } from './sweep.ts';

export type StallWatch = {
  readonly stallMs: number;
  readonly mark: string;
  readonly leader: number | undefined;
  /** Output so far. */
  readonly bytes: () => number;
  readonly changed: ((since: number) => Promise<boolean>) | undefined;
  readonly stalled: () => void;
};

/** Looks per time limit, and the longest and shortest wait between two. */
const LOOKS = 5;
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 30_000;
/** A hung client that still draws a spinner or polls a timer is hung: one was measured at a hundredth of a core and more, doing nothing. */
const CPU_SHARE = 0.03;

/** Calls `stalled` once; the returned function ends the watch. */
export function watchStall(watch: StallWatch): () => void {
  let bytes = 0;
  let cpuMs = 0;
  let aliveTicks = performance.now();
  let aliveAt = Date.now();
  let looking = false;
  const look = async (): Promise<void> => {
    const ticks = performance.now();
    const at = Date.now();
    const used = await treeCpuMs(watch.mark, watch.leader);
    const worked = watch.bytes() !== bytes || Math.abs(used - cpuMs) > (ticks - aliveTicks) * CPU_SHARE;
    if (worked || (await watch.changed?.(aliveAt))) {
      bytes = watch.bytes();
      cpuMs = used;
      aliveTicks = ticks;
      aliveAt = at;
    } else if (ticks - aliveTicks >= watch.stallMs) {
      clearInterval(timer);
      watch.stalled();
    }
  };
  const timer = setInterval(
    () => {
      if (looking) return;
      looking = true;
      // A look that could not be made is no sign of anything; the next one follows.
      void look()
        .catch(() => undefined)
        .finally(() => {
          looking = false;
        });
    },
    Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, watch.stallMs / LOOKS)),
  );
  return () => clearInterval(timer);
}

/** Most entries of a workspace that one look visits: the rest of a larger one is not seen. */
const ENTRIES_MAX = 20_000;
const SKIPPED: ReadonlySet<string> = new Set(['.git', 'node_modules']);

/** Whether a file or folder under `folder` was changed after `since` (ms since 1970). Breadth first, bounded. */
export async function changedSince(folder: string, since: number): Promise<boolean> {
  const folders = [folder];
  let visited = 0;
  for (let at = 0; at < folders.length && visited < ENTRIES_MAX; at++) {
    const current = folders[at] ?? folder;
    try {
      if ((await lstat(current)).mtimeMs > since) return true;
      for await (const entry of await opendir(current)) {
        if (++visited > ENTRIES_MAX) break;
        const path = join(current, entry.name);
        if (entry.isDirectory()) {
          if (!SKIPPED.has(entry.name)) folders.push(path);
        } else if ((await lstat(path)).mtimeMs > since) return true;
      }
    } catch {
      // gone in between
    }
  }
  return false;
}
