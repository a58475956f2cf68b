/**
 * One displaced version of the list: where it is, what is in it now, and whether anybody can still write to it.
 * Never changes it.
 */
import type { Disk, DiskFile, FileFacts } from './disk.ts';
import type { Archive } from './list-archive.ts';
import type { StoredIntent } from './list-intents.ts';
import { codeOf, hashOf } from './list-look.ts';
import { remove } from './list-swap.ts';

/** What this process knows of it beyond its row. */
export type Displaced = {
  readonly intent: StoredIntent;
  /** The list before the exchange and after it: always at first, later only of large lists, whose row has no texts. */
  base?: Buffer;
  planned?: Buffer;
  place: string;
  archived: boolean;
  /** Since when we have it, and when to look again, in ticks. */
  readonly since: number;
  dueAt: number;
  looks: number;
  /** Since when there has been no list to put its save into. */
  listAwaySince?: number;
  /** How it looked at the last look, and since when it has looked so. */
  seen?: { readonly size: number; readonly modifiedNs: bigint; readonly since: number };
};

export type DisplacedLook = {
  readonly bytes: Buffer;
  /** It does not hold what had been read. */
  readonly changed: boolean;
  /** Nobody is in the midst of writing it. */
  readonly quiet: boolean;
  /** Somebody has it open and can write to it still. */
  readonly held: boolean;
};

/** Where nobody can tell who has a file open, it is quiet after standing still for so long. */
const STILL_MS = 1000;

/** Undefined where it is gone. */
export async function lookAtDisplaced(disk: Disk, mine: Displaced, now: number, settleMs: number): Promise<DisplacedLook | undefined> {
  const file = await openedOrGone(disk, mine.place);
  if (!file) return undefined;
  try {
    const writer = await file.isBeingWritten();
    const bytes = await file.read();
    const facts = await file.facts();
    const stillMs = now - stillSince(mine, facts, now);
    // Asked again after reading: who opened it in between may have written half.
    const written = writer === false ? await file.isBeingWritten() : writer;
    const quiet = written === false ? bytes.length === facts.size : stillMs >= (written ? settleMs : STILL_MS);
    const changed = mine.base ? !bytes.equals(mine.base) : hashOf(bytes) !== mine.intent.baseHash;
    return { bytes, changed, quiet, held: written === true };
  } finally {
    await file.close();
  }
}

function stillSince(mine: Displaced, facts: FileFacts, now: number): number {
  const { seen } = mine;
  if (seen?.size === facts.size && seen.modifiedNs === facts.modifiedNs) return seen.since;
  mine.seen = { size: facts.size, modifiedNs: facts.modifiedNs, since: now };
  return now;
}

/** Where an intent that another process began has its displaced file; undefined where there is none, ours being cleared away. */
export async function locate(disk: Disk, archive: Archive, intent: StoredIntent): Promise<{ readonly place: string; readonly archived: boolean } | undefined> {
  if (await isOurs(disk, intent)) {
    // Ours last: it is what says that the second name is the list's own.
    if (intent.displaced !== intent.temp) await remove(disk, intent.displaced);
    await remove(disk, intent.temp);
    return undefined;
  }
  const taken = intent.displaced === archive.pathOf(intent.keep, 'saved') || intent.displaced === archive.pathOf(intent.keep, 'kept');
  if (await exists(disk, intent.displaced)) return { place: intent.displaced, archived: taken };
  const archived = archive.pathOf(intent.keep, 'before');
  return (await exists(disk, archived)) ? { place: archived, archived: true } : undefined;
}

/** Our own new text is still under the name beside the list: the exchange has not been. */
async function isOurs(disk: Disk, intent: StoredIntent): Promise<boolean> {
  const file = await openedOrGone(disk, intent.temp);
  if (!file) return false;
  try {
    if ((await file.facts()).inode === intent.tempInode) return true;
    // Some file systems give files new numbers when they are mounted again.
    const now = hashOf(await file.read());
    return now === intent.plannedHash && now !== intent.baseHash;
  } finally {
    await file.close();
  }
}

async function openedOrGone(disk: Disk, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function exists(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.facts(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
