/**
 * The world of the pure model: a few files with a few words in them, as one array of small numbers, so that a state is copied
 * and compared in no time. A text is a set of bits: bit 0 = ToDone's marker, the others one word of a save each; TORN = cut off.
 */

export const TORN = 63;
export const MARKER = 1;
const INODES = 10;
export const SWAPS = 6;

/** Where things are in the array. */
const LIST = 0;
const EDITOR_TEMP = 1;
const EDITOR_BACKUP = 2;
const CONTENT = 3;
const WRITERS = CONTENT + INODES;
/** Editor: step, save, buffer, inode held. */
export const E_STEP = WRITERS + INODES;
export const E_SAVE = E_STEP + 1;
export const E_BUFFER = E_STEP + 2;
export const E_HELD = E_STEP + 3;
/** Saves that were completed, as bits. */
export const SAVED = E_STEP + 4;
/** Saves that the editor itself took away again, from a text that it had read before they were merged. */
export const OVERWRITTEN = E_STEP + 5;
/** Words that are in a version of the archive. */
export const ARCHIVED = E_STEP + 6;
export const D_STEP = E_STEP + 7;
/** Writer: step, registers, writes left, deaths left. */
export const D_BASE = D_STEP + 1;
export const D_INODE = D_STEP + 2;
export const D_PLAN = D_STEP + 3;
export const D_SWAP = D_STEP + 4;
/** The swap whose displaced save goes into this one; 0 = none. */
export const D_MERGES = D_STEP + 5;
export const D_WRITES = D_STEP + 6;
export const D_DEATHS = D_STEP + 7;
const SWAP = D_STEP + 8;
const SWAP_SIZE = 8;
const SIZE = SWAP + SWAP_SIZE * (SWAPS + 1);
const FIELDS = ['open', 'inode', 'base', 'planned', 'edits', 'merges', 'place', 'file'] as const;

export type State = number[];

/** Fields of a swap, that is: of its intent and of the file under its name beside the list. */
export const swapAt = (swap: number, field: (typeof FIELDS)[number]): number => SWAP + SWAP_SIZE * swap + FIELDS.indexOf(field);

/** `place`: nowhere, beside the list, archived as found, archived as saved. */
export const [NOWHERE, BESIDE, BEFORE, KEPT] = [0, 1, 2, 3];

export const NAMES = { list: LIST, temp: EDITOR_TEMP, backup: EDITOR_BACKUP } as const;

export function firstState(writes: number, deaths: number): State {
  const state = Array.from({ length: SIZE }, () => 0);
  state[LIST] = 1;
  state[D_WRITES] = writes;
  state[D_DEATHS] = deaths;
  return state;
}

export const at = (state: State, index: number): number => state[index] ?? 0;

/** Takes the lowest number that is free, as file systems do. */
export function newFile(state: State, content: number): number {
  for (let inode = 1; inode < INODES; inode++) {
    if (isUsed(state, inode)) continue;
    state[CONTENT + inode] = content;
    return inode;
  }
  throw new Bound();
}

function isUsed(state: State, inode: number): boolean {
  if (at(state, WRITERS + inode) > 0) return true;
  for (const name of [LIST, EDITOR_TEMP, EDITOR_BACKUP]) if (state[name] === inode) return true;
  for (let swap = 1; swap <= SWAPS; swap++) {
    const place = at(state, swapAt(swap, 'place'));
    if ((place === BESIDE || place === BEFORE) && at(state, swapAt(swap, 'file')) === inode) return true;
  }
  return false;
}

/** More happens than the model has room for: not looked at further. */
export class Bound extends Error {}

export const contentOf = (state: State, inode: number): number => at(state, CONTENT + inode);
export function setContent(state: State, inode: number, content: number): void {
  state[CONTENT + inode] = content;
}
export const isWritten = (state: State, inode: number): boolean => at(state, WRITERS + inode) > 0;
export function addWriter(state: State, inode: number, by: 1 | -1): void {
  state[WRITERS + inode] = at(state, WRITERS + inode) + by;
}

/** Three versions put together, bit by bit: what the older one changed, on the newer one. */
export const merged = (base: number, older: number, newer: number): number => (newer & ~(base ^ older)) | (older & (base ^ older));

/** A text that is cut off has no words. */
export const wordsOf = (content: number): number => (content === TORN ? 0 : content);
