/**
 * Versions of the list that a write displaced (1.4-R3), kept in `versions/` of the state folder, bounded by number and
 * bytes. What could not be merged goes last. Never holds the only copy of text that is still in the list.
 */
import { dirname, join } from 'node:path';
import { bytesOf, type Disk } from './disk.ts';
import { codeOf } from './list-look.ts';

/**
 * `before` = what a write found; `saved` = a person's save that was merged; `kept` = one that could not be merged
 * wholly; `left` = found beside the list without a record; `replaced` = a later save lacks lines of it.
 */
export type VersionKind = 'before' | 'saved' | 'kept' | 'left' | 'replaced';

export type ListVersion = { readonly name: string; readonly at: Date; readonly kind: VersionKind; readonly bytes: number };

export type Archive = {
  /** Made where somebody removed it. */
  folder(): Promise<string>;
  /** A name for a version displaced now; its kind comes with `put`. */
  nameFor(at: number, hash: string): string;
  pathOf(keep: string, kind: VersionKind): string;
  /** Moves a file into the archive. */
  put(from: string, keep: string, kind: VersionKind): Promise<string>;
  /** Stores a text. */
  add(text: string, keep: string, kind: VersionKind): Promise<void>;
  /** The newest first. */
  list(): Promise<readonly ListVersion[]>;
  read(name: string): Promise<Buffer>;
  /** Takes away what is over the bounds, except for versions that `spare` names; gives their number. */
  prune(spare: ReadonlySet<string>, tighter?: VersionBounds): Promise<number>;
};

/** `before`: ms since 1970. What is wholly in a later list and older goes. */
export type VersionBounds = { readonly before: number; readonly maxBytes: number };

const NAME = /^(\d{8})T(\d{6})(\d{3})Z-[0-9a-f]{10}-[0-9a-f]{4}-(before|saved|kept|left|replaced)\.md$/;
const HASH_CHARS = 10;

export const ARCHIVE_BOUNDS = {
  /** Of the versions that are wholly contained in a later list. */
  beforeMax: 200,
  /** Of those whose lines a person's later save lacks. */
  replacedMax: 200,
  /** Of those that hold a person's save. */
  savedMax: 1000,
  bytesMax: 256 * 1024 * 1024,
};

export function openArchive(stateDir: string, disk: Disk, random: () => number, bounds = ARCHIVE_BOUNDS): Archive {
  const folder = join(stateDir, 'versions');
  const made = async (): Promise<string> => {
    await disk.makeFolder(folder);
    return folder;
  };

  const list = async (): Promise<readonly ListVersion[]> => {
    const found: ListVersion[] = [];
    for (const name of await disk.names(folder).catch(() => [])) {
      const match = NAME.exec(name);
      const facts = match && (await disk.facts(join(folder, name)).catch(() => undefined));
      if (facts) found.push({ name, at: timeOf(match), kind: match[4] as VersionKind, bytes: facts.size });
    }
    return found.toSorted((a, b) => (a.name < b.name ? 1 : -1));
  };

  return {
    folder: made,
    nameFor: (at, hash) =>
      `${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}-${hash.slice(0, HASH_CHARS)}-${Math.floor(random() * 0x10000)
        .toString(16)
        .padStart(4, '0')}`,
    pathOf: (keep, kind) => join(folder, `${keep}-${kind}.md`),
    async put(from, keep, kind) {
      const to = join(await made(), `${keep}-${kind}.md`);
      try {
        await disk.rename(from, to);
      } catch (error) {
        if (codeOf(error) !== 'EXDEV') throw error;
        await copyAcross(disk, from, to);
      }
      return to;
    },
    async add(text, keep, kind) {
      const file = await disk.create(join(await made(), `${keep}-${kind}.md`));
      try {
        await file.write(Buffer.from(text, 'utf8'));
        await file.sync();
      } finally {
        await file.close();
      }
    },
    list,
    async read(name) {
      if (!NAME.test(name)) throw new Error(`"${name}" is no version of the list`);
      return bytesOf(disk, join(folder, name));
    },
    async prune(spare, tighter) {
      const all = await list();
      const gone = overBounds(
        all.filter((version) => !spare.has(join(folder, version.name))),
        { ...bounds, bytesMax: Math.min(bounds.bytesMax, tighter?.maxBytes ?? bounds.bytesMax) },
        tighter?.before ?? 0,
      );
      for (const version of gone) await disk.unlink(join(folder, version.name)).catch(() => undefined);
      return gone.length;
    },
  };
}

/** The state folder is on another file system: the copy is on disk before the original goes. */
async function copyAcross(disk: Disk, from: string, to: string): Promise<void> {
  const bytes = await bytesOf(disk, from);
  // What a copy that was cut short left.
  await disk.unlink(to).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  const file = await disk.create(to);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncFolder(dirname(to));
  await disk.unlink(from);
}

/** Newest first in, what is too much out: plain versions go before saves. */
function overBounds(all: readonly ListVersion[], bounds: typeof ARCHIVE_BOUNDS, before: number): ListVersion[] {
  const plain = all.filter((version) => version.kind === 'before');
  const replaced = all.filter((version) => version.kind === 'replaced');
  const saves = all.filter((version) => version.kind !== 'before' && version.kind !== 'replaced');
  const old = all.filter((version) => (version.kind === 'before' || version.kind === 'saved') && version.at.getTime() < before);
  const gone = new Set([...plain.slice(bounds.beforeMax), ...replaced.slice(bounds.replacedMax), ...saves.slice(bounds.savedMax), ...old]);
  let bytes = 0;
  for (const version of [...saves, ...replaced, ...plain]) {
    if (gone.has(version)) continue;
    bytes += version.bytes;
    if (bytes > bounds.bytesMax) gone.add(version);
  }
  return [...gone];
}

function timeOf(match: RegExpExecArray): Date {
  const [, date = '', time = '', ms = ''] = match;
  return new Date(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}.${ms}Z`);
}
