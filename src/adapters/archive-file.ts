/**
 * The file that archived tasks are in (6.5-R1), replaced whole: the new text beside it, on disk, and the two exchanged. A save of a person
 * that came in between is what the change is made on again. Only the owner of the list calls this.
 */
import { basename, dirname, join } from 'node:path';
import { contentOf, type Disk, realDisk } from './disk.ts';
import { codeOf, sameFile } from './list-look.ts';
import { asRefusal } from './list-swap.ts';

/** Saves that may come in between one after another. */
const TRIES_MAX = 50;
const BESIDE = '.todone-archive-';

/** Undefined where there is none. Throws where it is no UTF-8 text. */
export async function readArchiveFile(path: string, disk: Disk = realDisk): Promise<string | undefined> {
  const bytes = await contentOf(disk, path);
  return bytes && textOf(bytes);
}

/** `change` may be called several times; what gives the same text again writes nothing. */
export async function changeArchiveFile(path: string, change: (text: string) => string, disk: Disk = realDisk): Promise<void> {
  const real = await disk.realpath(path).catch(() => path);
  const folder = dirname(real);
  for (const name of await disk.names(folder)) if (name.startsWith(BESIDE)) await disk.unlink(join(folder, name));
  try {
    await replace(disk, real, change);
    await disk.syncFolder(folder);
  } catch (error) {
    throw asRefusal(error, path);
  }
}

async function replace(disk: Disk, real: string, change: (text: string) => string): Promise<void> {
  let expected = await contentOf(disk, real);
  let base = expected;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const before = base ? textOf(base) : '';
    const text = change(before);
    if (text === before && base === expected) return;
    const found = await swap(disk, real, expected, Buffer.from(text));
    if (found === 'swapped') return;
    ({ expected, base } = found);
  }
  throw new Error(`${real} was saved ${TRIES_MAX} times while it was being written`);
}

type Again = { readonly expected: Buffer | undefined; readonly base: Buffer | undefined };

/** What to try again with where the file was not what was expected. */
async function swap(disk: Disk, real: string, expected: Buffer | undefined, bytes: Buffer): Promise<'swapped' | Again> {
  const temp = join(dirname(real), `${BESIDE}${basename(real)}-${process.pid}`);
  const facts = expected && (await disk.facts(real));
  const file = await disk.create(temp);
  try {
    await file.write(bytes);
    if (facts) await file.imitate(facts, real);
    await file.sync();
  } finally {
    await file.close();
  }
  if (!expected || !facts) return put(disk, temp, real);
  if (await disk.exchange(temp, real)) {
    // Two files cannot change places here: a save in this very moment would be lost.
    if (!sameFile(await disk.facts(real), facts)) return again(disk, temp, real);
    await disk.rename(temp, real);
    return 'swapped';
  }
  const displaced = await contentOf(disk, temp);
  await disk.unlink(temp);
  return !displaced || displaced.equals(expected) ? 'swapped' : { expected: bytes, base: displaced };
}

/** Where there was none: never over one that came in between. */
async function put(disk: Disk, temp: string, real: string): Promise<'swapped' | Again> {
  try {
    await disk.link(temp, real);
    await disk.unlink(temp);
    return 'swapped';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return again(disk, temp, real);
    await disk.rename(temp, real);
    return 'swapped';
  }
}

async function again(disk: Disk, temp: string, real: string): Promise<Again> {
  await disk.unlink(temp);
  const now = await contentOf(disk, real);
  return { expected: now, base: now };
}

function textOf(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
