/**
 * The heart of a write (1.4-R3): the new text beside the list, the intent on disk, one more comparison, the exchange.
 * After it the list holds the new text, and whatever stood there the moment before, be it what was read or a save that
 * nobody has seen yet, is under the intent's `displaced` name. Never overwrites anything.
 */
import { basename, dirname, join } from 'node:path';
import { ListRefused } from '../engine/ports.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { Edit } from '../tasks/task.ts';
import type { Disk, FileFacts } from './disk.ts';
import type { Archive } from './list-archive.ts';
import type { IntentStore, StoredIntent } from './list-intents.ts';
import { codeOf, encode, hashOf, sameFile } from './list-look.ts';
import type { Content } from './list-look.ts';

export type SwapOptions = {
  readonly path: string;
  readonly disk: Disk;
  readonly intents: IntentStore;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
};

export type Plan = {
  readonly base: Content;
  /** Without the BOM. */
  readonly text: string;
  readonly bom: boolean;
  /** Lead from base to text; empty where the text is itself a merge. */
  readonly edits: readonly Edit[];
  /** The intent whose displaced text went into this one. */
  readonly merges?: number;
};

export type Swapped =
  | { readonly kind: 'swapped'; readonly intent: StoredIntent; readonly content: Content }
  /** The list changed, or vanished, since it was read: nothing was done; read again. */
  | { readonly kind: 'stale' };

type Beside = { readonly facts: FileFacts; readonly hash: string };

export type Swapper = {
  swap(plan: Plan): Promise<Swapped>;
};

export function swapper(options: SwapOptions): Swapper {
  const { disk, intents, archive, clock, log, random } = options;
  let exchanges = true;

  const fallBack = (why: string): void => {
    exchanges = false;
    log.write(
      'warn',
      'the list is on a file system where two files cannot change places in one step; a save by renaming that falls into the same instant as a write could be lost',
      {
        path: options.path,
        why,
        remedy: 'keep the list on a local disk',
      },
    );
  };

  /** The new text beside the list, on disk, with the list's own permissions; and its hash, worked out meanwhile. */
  const writeBeside = async (temp: string, base: Content, planned: Buffer): Promise<Beside> => {
    const file = await disk.create(temp);
    try {
      await file.write(planned);
      await file.imitate(base.facts, base.real);
      const synced = file.sync();
      const hash = hashOf(planned);
      await synced;
      return { facts: await file.facts(), hash };
    } finally {
      await file.close();
    }
  };

  /** Resolves to false where the list is not what was read. */
  const change = async (intent: StoredIntent, plan: Plan): Promise<false | StoredIntent> => {
    const now = await disk.facts(intent.list);
    if (!sameFile(now, plan.base.facts) || (await disk.realpath(options.path)) !== intent.list) return false;
    if (exchanges) {
      const failed = await disk.exchange(intent.temp, intent.list);
      if (!failed) return intent;
      fallBack(failed.unsupported);
    }
    return renameOver(disk, intents, intent, plan);
  };

  const undo = async (intent: StoredIntent): Promise<void> => {
    await remove(disk, intent.temp);
    intents.end([intent.id]);
  };

  return {
    async swap(plan) {
      const { base } = plan;
      const planned = encode(plan.text, plan.bom);
      const temp = join(dirname(base.real), tempName(base.real, random));
      let intent: StoredIntent;
      let beside: Beside;
      try {
        beside = await writeBeside(temp, base, planned);
        intent = intents.begin(intentOf(plan, planned, temp, beside, archive, clock.now()));
      } catch (error) {
        await remove(disk, temp);
        throw asRefusal(error, options.path);
      }
      try {
        const done = await change(intent, plan);
        if (done)
          return {
            kind: 'swapped',
            intent: done,
            content: { real: base.real, bytes: planned, hash: intent.plannedHash, text: plan.text, bom: plan.bom, facts: beside.facts },
          };
        await undo(intent);
        return { kind: 'stale' };
      } catch (error) {
        await undo(intent);
        // Renamed away for an instant by an editor, or the new text swept up by `git clean`.
        if (codeOf(error) === 'ENOENT') return { kind: 'stale' };
        throw asRefusal(error, options.path);
      }
    },
  };
}

/**
 * Without exchange (1.4-R4): the victim keeps a second name, and the new text is renamed over the first. A save in place is
 * found under the second name; one by renaming between the two steps is not.
 */
async function renameOver(disk: Disk, intents: IntentStore, intent: StoredIntent, { base }: Plan): Promise<false | StoredIntent> {
  const displaced = `${intent.temp}-old`;
  intents.moveDisplaced(intent.id, displaced);
  const moved = { ...intent, displaced };
  try {
    await secondName(disk, intent.list, displaced, base);
    const now = await disk.facts(intent.list);
    if (now.inode !== base.facts.inode || now.size !== base.facts.size || now.modifiedNs !== base.facts.modifiedNs) {
      await remove(disk, displaced);
      return false;
    }
    await disk.rename(intent.temp, intent.list);
    return moved;
  } catch (error) {
    await remove(disk, displaced);
    throw error;
  }
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

async function secondName(disk: Disk, list: string, displaced: string, base: Content): Promise<void> {
  try {
    await disk.link(list, displaced);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    // No hard links either: a copy of what was read.
    const file = await disk.create(displaced);
    try {
      await file.write(base.bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

function intentOf(
  { base, edits, merges }: Plan,
  planned: Buffer,
  temp: string,
  beside: Beside,
  archive: Archive,
  at: number,
): Parameters<IntentStore['begin']>[0] {
  return {
    list: base.real,
    temp,
    displaced: temp,
    keep: archive.nameFor(at, base.hash),
    tempInode: beside.facts.inode,
    baseHash: base.hash,
    plannedHash: beside.hash,
    edits,
    base: base.bytes,
    planned: edits.length === 0 ? planned : undefined,
    merges,
    at,
  };
}

// ── names beside the list ────────────────────────────────────────────────────────────────────────

const RANDOM_CHARS = 12;

/** Says which list it belongs to, so that two lists in one folder leave each other's files alone. */
export function tempName(list: string, random: () => number): string {
  let chars = '';
  while (chars.length < RANDOM_CHARS) chars += Math.floor(random() * 36).toString(36);
  return `.todone-${listTag(list)}-${chars}`;
}

export function isTempOf(list: string, name: string): boolean {
  return name.startsWith(`.todone-${listTag(list)}-`) && /^\.todone-[0-9a-f]{6}-[0-9a-z]{12}(?:-old)?$/.test(name);
}

function listTag(list: string): string {
  return hashOf(Buffer.from(basename(list))).slice(0, 6);
}

export async function remove(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

// ── what the system refuses ──────────────────────────────────────────────────────────────────────

const REMEDIES: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'Make room on the disk; it is tried again.'],
  EDQUOT: ['your quota is used up', 'Make room in your quota; it is tried again.'],
  EROFS: ['the file system is read-only', 'Mount it writable.'],
  EACCES: ['permission denied', "Make the list's folder writable for you."],
  EPERM: [
    'the system does not permit it',
    "Look at the owner and group of the list and of its folder, and for `chattr +i`; the list's group has to be one of yours.",
  ],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n); it is tried again.'],
  ENFILE: ['too many open files', 'Close programs; it is tried again.'],
  EIO: ['the disk reports an error', 'Check the disk; the list was not changed.'],
  EBUSY: ['it is a mount point', 'Mount the folder of the list instead of the file.'],
  EXDEV: ['it is a mount point', 'Mount the folder of the list instead of the file.'],
  ESTALE: ['the network file system lost it', 'It is tried again.'],
};

export function asRefusal(error: unknown, path: string): unknown {
  if (error instanceof ListRefused) return error;
  const code = codeOf(error) || sqliteCode(error);
  const words = REMEDIES[code];
  return words ? new ListRefused(code, `${path} cannot be written: ${words[0]} (${code}).`, words[1]) : error;
}

const SQLITE_FULL = 13;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;

function sqliteCode(error: unknown): string {
  const code = (error as { readonly errcode?: unknown } | undefined)?.errcode;
  switch (typeof code === 'number' ? code & 0xff : 0) {
    case SQLITE_FULL:
      return 'ENOSPC';
    case SQLITE_READONLY:
      return 'EROFS';
    case SQLITE_IOERR:
      return 'EIO';
    default:
      return '';
  }
}
