/**
 * Ways of writing the list that lose a person's saves, from the most usual to the nearly right: the race has to find each of
 * them, or it would not find a mistake in ours. Each flips the one task's marker.
 */
import { linkSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

export type Loser = { readonly name: string; write(list: string): Promise<boolean> };

const flipped = (text: string): string => (text.includes('🟡') ? text.replace('[🟡 q8f0t6zd]', '[]') : text.replace('[] x', '[🟡 q8f0t6zd] x'));
const looksWhole = (text: string): boolean => text.endsWith('END\n');

function readNow(list: string): string | undefined {
  try {
    return readFileSync(list, 'utf8');
  } catch {
    return undefined;
  }
}

/** `stillFits` is asked right before the rename; `after` right behind it. */
function beside(whole: boolean, stillFits: (list: string, text: string) => boolean = () => true): Loser['write'] {
  return async (list) => {
    const text = readNow(list);
    if (text === undefined || (whole && !looksWhole(text))) return false;
    await turn();
    const temp = `${list}.beside`;
    writeFileSync(temp, flipped(text));
    if (!stillFits(list, text)) return false;
    renameSync(temp, list);
    return true;
  };
}

export const LOSERS: readonly Loser[] = [
  {
    name: 'read, write in place',
    async write(list) {
      const text = readNow(list);
      if (text === undefined) return false;
      await turn();
      try {
        writeFileSync(list, flipped(text), { flag: 'r+' });
      } catch {
        return false;
      }
      return true;
    },
  },
  { name: 'beside and rename', write: beside(false) },
  { name: 'beside and rename, whole texts only', write: beside(true) },
  { name: 'compare, then rename', write: beside(true, (list, text) => readNow(list) === text) },
  {
    name: 'hard link, compare, rename, look at the link',
    async write(list) {
      const text = readNow(list);
      if (text === undefined || !looksWhole(text)) return false;
      await turn();
      const [temp, victim] = [`${list}.beside`, `${list}.victim`];
      writeFileSync(temp, flipped(text));
      try {
        linkSync(list, victim);
      } catch {
        return false;
      }
      const same = readNow(list) === text && statSync(victim).nlink === 2;
      if (same) renameSync(temp, list);
      // What was saved in place meanwhile is seen under the second name, and put back.
      const displaced = readNow(victim);
      if (same && displaced !== undefined && displaced !== text && looksWhole(displaced)) writeFileSync(list, displaced);
      unlinkSync(victim);
      return same;
    },
  },
];
