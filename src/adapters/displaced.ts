/**
 * Versions of the list that a write displaced (1.4-R3): each is watched until nobody can write to it any more, late writes are
 * handed back to be merged, and then it is kept in a bounded archive. No version with a person's bytes is ever removed at once.
 */
import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, copyFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../engine/ports.ts';
import type { Edited } from '../tasks/task.ts';

export type DisplacedRecord = {
  /** What it held when it was displaced. */
  readonly base: Buffer;
  /** What the list held right after. */
  readonly planned: Buffer;
  /** Our change, to be made again on a late save. */
  readonly change: ((text: string) => { readonly text: string; readonly results: readonly Edited[] }) | undefined;
};

export type Displaced = {
  keep(temp: string, record: DisplacedRecord): Promise<void>;
  /** The newest first. */
  list(): Promise<readonly { readonly name: string; readonly at: number; readonly bytes: number }[]>;
  prune(): Promise<void>;
};

export type DisplacedOptions = {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** False where a late save could not be merged. */
  readonly merge: (late: Buffer, record: DisplacedRecord) => Promise<boolean>;
};

const VERSIONS_MAX = 200;
const BYTES_MAX = 256 * 1024 * 1024;
/** Waits between looks while somebody still has the file open for writing. */
const LOOKS_MS: readonly number[] = [10, 20, 50, 100, 200, 500, 1000];
/** After this long a writer is believed to have forgotten the file. */
const WATCH_MS_MAX = 600_000;
const PRUNE_EVERY = 50;

export function displacedFiles(options: DisplacedOptions): Displaced {
  const folder = join(options.stateDir, 'versions');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let kept = 0;
  const list = async (): Promise<{ name: string; at: number; bytes: number }[]> => {
    const found = await Promise.all((await readdir(folder)).map(async (name) => stat(join(folder, name)).then((stats) => ({ name, at: stats.mtimeMs, bytes: stats.size }), () => undefined)));
    return found.filter((each) => each !== undefined).sort((a, b) => (a.name < b.name ? 1 : -1));
  };
  const prune = async (): Promise<void> => {
    let bytes = 0;
    for (const [index, version] of (await list()).entries()) {
      bytes += version.bytes;
      if (index >= VERSIONS_MAX || bytes > BYTES_MAX) await unlink(join(folder, version.name)).catch(() => undefined);
    }
  };
  return {
    async keep(temp, record) {
      const path = join(folder, `${String(options.clock.now()).padStart(14, '0')}-${hash('sha1', record.base).slice(0, 8)}-${kept}.md`);
      await rename(temp, path).catch(() => moveAcross(temp, path));
      watchOne(options, path, record, 0, options.clock.ticks());
      if (++kept % PRUNE_EVERY === 0) await prune();
    },
    list,
    prune,
  };
}

/** Another file system: the copy cannot see late writes, but nothing that is there by now is lost. */
async function moveAcross(temp: string, path: string): Promise<void> {
  await copyFile(temp, path);
  await unlink(temp);
}

function watchOne(options: DisplacedOptions, path: string, record: DisplacedRecord, looks: number, since: number): void {
  const step = LOOKS_MS[Math.min(looks, LOOKS_MS.length - 1)] ?? 1000;
  options.clock.after(step, () => {
    void lookAt(options, path, record, looks, since).catch((error: unknown) => {
      options.log.write('warn', `a displaced version of the list could not be looked at: ${error instanceof Error ? error.message : String(error)}`);
    });
  });
}

async function lookAt(options: DisplacedOptions, path: string, record: DisplacedRecord, looks: number, since: number): Promise<void> {
  const open = await hasWriter(path);
  const late = await readFile(path).catch(() => undefined);
  if (late === undefined) return;
  if (open && options.clock.ticks() - since < WATCH_MS_MAX) return watchOne(options, path, record, looks + 1, since);
  if (late.equals(record.base)) return;
  const merged = await options.merge(late, record);
  options.log.write('warn', merged ? 'a save that came late was merged into the list' : `a save that came late could not be merged: it is kept in ${path}`);
}

type Fcntl = (fd: number, command: number, argument: number) => number;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
let fcntl: Fcntl | null | undefined;

/** Linux refuses a read lease while anybody has the file open for writing; elsewhere time has to do. */
async function hasWriter(path: string): Promise<boolean> {
  fcntl ??= loadFcntl();
  if (!fcntl) return false;
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return false;
  try {
    if (fcntl(handle.fd, F_SETLEASE, F_RDLCK) !== 0) return true;
    fcntl(handle.fd, F_SETLEASE, F_UNLCK);
    return false;
  } finally {
    await handle.close();
  }
}

function loadFcntl(): Fcntl | null {
  if (process.platform !== 'linux') return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as { load(path: null): { func(declaration: string): Fcntl } };
    return koffi.load(null).func('int fcntl(int, int, int)');
  } catch {
    return null;
  }
}
