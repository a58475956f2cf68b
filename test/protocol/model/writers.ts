/**
 * Ways of writing the list, in the model: the one of 1.4-R3 in the steps of the production code, with its recovery; and the five
 * that lose saves, so that it is seen that the model would see it.
 */
import {
  ARCHIVED,
  at,
  BEFORE,
  BESIDE,
  Bound,
  contentOf,
  D_BASE,
  D_DEATHS,
  D_INODE,
  D_MERGES,
  D_PLAN,
  D_STEP,
  D_SWAP,
  D_WRITES,
  isWritten,
  KEPT,
  MARKER,
  merged,
  NAMES,
  newFile,
  NOWHERE,
  setContent,
  swapAt,
  SWAPS,
  TORN,
  wordsOf,
} from './state.ts';
import type { State } from './state.ts';

export const STRATEGIES = ['in place', 'temp + rename', 'reject incomplete', 'compare and swap', 'hard link first', 'exchange'] as const;
export type Strategy = (typeof STRATEGIES)[number];

type Move = (state: State, strategy: Strategy) => string | undefined;

/** Steps by number; each names itself, or undefined where it cannot be done now. */
const [LOOK, BESIDE_STEP, INTENT, COMPARE, CHANGE, UNDO, UNDO_END, MERGE, SAVED_STEP, SAVED_END, ARCHIVE, END, RECOVER, LINK, CUT, FILL, VICTIM] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

const go = (state: State, step: number): void => void (state[D_STEP] = step);

/** Whether a look at the list gives its text now; a list that is being written is looked at again. */
function readable(state: State, careful: boolean): boolean {
  const list = at(state, NAMES.list);
  return list !== 0 && !(careful && (contentOf(state, list) === TORN || isWritten(state, list)));
}

function read(state: State): number {
  const inode = at(state, NAMES.list);
  state[D_INODE] = inode;
  state[D_BASE] = contentOf(state, inode);
  return at(state, D_BASE);
}

const ALL: readonly number[] = [1, 2, 3, 4, 5, 6];

const openSwaps = (state: State): number[] => ALL.filter((swap) => at(state, swapAt(swap, 'open')) === 1);

// ── 1.4-R3 ───────────────────────────────────────────────────────────────────────────────────────

/** Looks after what is open first, as every write does; then reads the list for the next write. */
function look(state: State): string | undefined {
  for (const swap of openSwaps(state)) {
    const file = at(state, swapAt(swap, 'file'));
    if (isWritten(state, file)) continue;
    state[D_SWAP] = swap;
    const changed = contentOf(state, file) !== at(state, swapAt(swap, 'base'));
    if (!changed) {
      go(state, at(state, swapAt(swap, 'place')) === BEFORE ? END : ARCHIVE);
      return 'look at the displaced file: as it was read';
    }
    const isMerged = openSwaps(state).some((other) => at(state, swapAt(other, 'merges')) === swap);
    state[D_MERGES] = swap;
    go(state, isMerged ? SAVED_STEP : MERGE);
    return 'look at the displaced file: a save is in it';
  }
  if (at(state, D_WRITES) === 0 || !readable(state, true)) return undefined;
  const base = read(state);
  state[D_PLAN] = base | MARKER;
  state[D_MERGES] = 0;
  if (at(state, D_PLAN) === base) state[D_WRITES] = at(state, D_WRITES) - 1;
  else go(state, BESIDE_STEP);
  return 'read the list';
}

function writeBeside(state: State): string {
  const swap = ALL.find((each) => at(state, swapAt(each, 'open')) === 0 && at(state, swapAt(each, 'place')) !== BESIDE);
  if (swap === undefined) throw new Bound();
  state[D_SWAP] = swap;
  state[swapAt(swap, 'file')] = newFile(state, at(state, D_PLAN));
  state[swapAt(swap, 'place')] = BESIDE;
  return 'write beside and fsync';
}

function intent(state: State): string {
  const swap = at(state, D_SWAP);
  const merges = at(state, D_MERGES);
  state[swapAt(swap, 'open')] = 1;
  state[swapAt(swap, 'inode')] = at(state, swapAt(swap, 'file'));
  state[swapAt(swap, 'base')] = at(state, D_BASE);
  state[swapAt(swap, 'planned')] = at(state, D_PLAN);
  state[swapAt(swap, 'edits')] = merges === 0 ? 1 : 0;
  state[swapAt(swap, 'merges')] = merges;
  return 'commit the intent';
}

/** The same file with the same bytes as was read. */
const isAsRead = (state: State): boolean => {
  const list = at(state, NAMES.list);
  return list !== 0 && list === at(state, D_INODE) && contentOf(state, list) === at(state, D_BASE);
};

function exchange(state: State): string {
  const list = at(state, NAMES.list);
  if (list === 0) {
    go(state, UNDO);
    return 'exchange: the list is away';
  }
  const swap = at(state, D_SWAP);
  state[NAMES.list] = at(state, swapAt(swap, 'file'));
  state[swapAt(swap, 'file')] = list;
  if (at(state, D_MERGES) === 0) state[D_WRITES] = at(state, D_WRITES) - 1;
  go(state, at(state, D_MERGES) === 0 ? LOOK : SAVED_STEP);
  return 'exchange';
}

/** The save of the displaced file, with ours and with what has happened to the list since. */
function merge(state: State): string | undefined {
  if (!readable(state, true)) return undefined;
  const swap = at(state, D_MERGES);
  const [base, planned, edits] = [at(state, swapAt(swap, 'base')), at(state, swapAt(swap, 'planned')), at(state, swapAt(swap, 'edits'))];
  const save = wordsOf(contentOf(state, at(state, swapAt(swap, 'file'))));
  const list = read(state);
  const both = edits === 1 ? save | MARKER : merged(base, planned, save);
  state[D_PLAN] = list === planned ? both : merged(planned, both, list);
  go(state, at(state, D_PLAN) === list ? SAVED_STEP : BESIDE_STEP);
  return 'read the list and merge the save';
}

/** Intents whose exchange never was go first; then files that no intent knows; then the work goes on. */
function recover(state: State): string {
  for (const swap of openSwaps(state)) {
    const place = at(state, swapAt(swap, 'place'));
    if (place === BESIDE && at(state, swapAt(swap, 'file')) === at(state, swapAt(swap, 'inode'))) {
      state[swapAt(swap, 'place')] = NOWHERE;
      return 'recover: remove our own text';
    }
    if (place === NOWHERE || place === KEPT) {
      close(state, swap);
      return 'recover: end an intent that has nothing left';
    }
  }
  const left = ALL.find((swap) => at(state, swapAt(swap, 'open')) === 0 && at(state, swapAt(swap, 'place')) === BESIDE);
  if (left !== undefined) {
    state[swapAt(left, 'place')] = KEPT;
    return 'recover: archive a file that no intent knows';
  }
  go(state, LOOK);
  return 'recover: done';
}

function setPlace(state: State, swap: number, place: number, next: number): void {
  state[swapAt(swap, 'place')] = place;
  go(state, next);
}

/** Numbers of intents are used again here, unlike in the database: so nothing may speak of one that has ended. */
function close(state: State, swap: number): void {
  state[swapAt(swap, 'open')] = 0;
  state[swapAt(swap, 'merges')] = 0;
  for (let other = 1; other <= SWAPS; other++) if (at(state, swapAt(other, 'merges')) === swap) state[swapAt(other, 'merges')] = 0;
}

function endIntent(state: State, swap: number): string {
  close(state, swap);
  go(state, LOOK);
  return 'end the intent';
}

const EXCHANGE: Readonly<Record<number, Move>> = {
  [LOOK]: look,
  [BESIDE_STEP]: (state) => (go(state, INTENT), writeBeside(state)),
  [INTENT]: (state) => (go(state, COMPARE), intent(state)),
  [COMPARE]: (state) => (go(state, isAsRead(state) ? CHANGE : UNDO), 'compare once more'),
  [CHANGE]: exchange,
  [UNDO]: (state) => (setPlace(state, at(state, D_SWAP), NOWHERE, UNDO_END), 'remove our own text'),
  [UNDO_END]: (state) => {
    endIntent(state, at(state, D_SWAP));
    // Looked at again from the start: a merge as well as a write.
    return 'end the intent: read again';
  },
  [MERGE]: merge,
  [SAVED_STEP]: (state) => {
    const swap = at(state, D_MERGES);
    state[ARCHIVED] = at(state, ARCHIVED) | wordsOf(contentOf(state, at(state, swapAt(swap, 'file'))));
    setPlace(state, swap, KEPT, SAVED_END);
    return 'archive the merged save';
  },
  [SAVED_END]: (state) => endIntent(state, at(state, D_MERGES)),
  [ARCHIVE]: (state) => (setPlace(state, at(state, D_SWAP), BEFORE, LOOK), 'archive the version before'),
  [END]: (state) => endIntent(state, at(state, D_SWAP)),
  [RECOVER]: recover,
};

// ── those that lose ──────────────────────────────────────────────────────────────────────────────

function looseRead(state: State, strategy: Strategy): string | undefined {
  if (at(state, D_WRITES) === 0 || !readable(state, strategy !== 'in place' && strategy !== 'temp + rename')) return undefined;
  state[D_PLAN] = wordsOf(read(state)) | MARKER;
  go(state, strategy === 'in place' ? CUT : strategy === 'hard link first' ? LINK : BESIDE_STEP);
  return 'read the list';
}

function renameOver(state: State, strategy: Strategy): string {
  const swap = at(state, D_SWAP);
  state[NAMES.list] = at(state, swapAt(swap, 'file'));
  state[swapAt(swap, 'place')] = NOWHERE;
  go(state, strategy === 'hard link first' ? VICTIM : LOOK);
  if (strategy !== 'hard link first') state[D_WRITES] = at(state, D_WRITES) - 1;
  return 'rename over the list';
}

/** The victim under its second name: what was written into it late is merged. */
function victim(state: State): string | undefined {
  const kept = at(state, D_MERGES);
  if (isWritten(state, kept) || !readable(state, true)) return undefined;
  const save = wordsOf(contentOf(state, kept));
  const base = at(state, D_BASE);
  const isLate = save !== base;
  state[D_PLAN] = merged(base, save, read(state));
  state[D_WRITES] = isLate ? at(state, D_WRITES) : at(state, D_WRITES) - 1;
  state[D_MERGES] = 0;
  go(state, isLate ? LINK : LOOK);
  return 'look at the victim';
}

const LOOSE: Readonly<Record<number, Move>> = {
  [LOOK]: looseRead,
  [CUT]: (state) => {
    if (at(state, NAMES.list) === 0) return undefined;
    state[D_INODE] = at(state, NAMES.list);
    setContent(state, at(state, D_INODE), TORN);
    go(state, FILL);
    return 'truncate the list';
  },
  [FILL]: (state) => {
    setContent(state, at(state, D_INODE), at(state, D_PLAN));
    state[D_WRITES] = at(state, D_WRITES) - 1;
    go(state, LOOK);
    return 'write the list in place';
  },
  [LINK]: (state) => {
    if (at(state, NAMES.list) === 0) return undefined;
    state[D_MERGES] = at(state, NAMES.list);
    go(state, BESIDE_STEP);
    return 'link the victim';
  },
  [BESIDE_STEP]: (state, strategy) => {
    go(state, strategy === 'compare and swap' || strategy === 'hard link first' ? COMPARE : CHANGE);
    return writeBeside(state);
  },
  [COMPARE]: (state) => {
    const same = isAsRead(state);
    if (!same) state[swapAt(at(state, D_SWAP), 'place')] = NOWHERE;
    go(state, same ? CHANGE : LOOK);
    return 'compare once more';
  },
  [CHANGE]: renameOver,
  [VICTIM]: victim,
  [RECOVER]: (state) => (go(state, LOOK), 'start again'),
};

// ── from outside ─────────────────────────────────────────────────────────────────────────────────

export function writerStep(state: State, strategy: Strategy): { readonly state: State; readonly name: string } | undefined {
  const after = state.slice();
  const move = (strategy === 'exchange' ? EXCHANGE : LOOSE)[at(state, D_STEP)];
  const name = move?.(after, strategy);
  return name === undefined ? undefined : { state: after, name: `todone: ${name}` };
}

/** Sudden death: what it knew is gone, what is on disk stays. Only where it has something to do. */
export function writerDies(state: State): { readonly state: State; readonly name: string } | undefined {
  if (at(state, D_DEATHS) === 0 || isAtRest(state)) return undefined;
  const after = state.slice();
  after[D_DEATHS] = at(state, D_DEATHS) - 1;
  for (const register of [D_BASE, D_INODE, D_PLAN, D_SWAP, D_MERGES]) after[register] = 0;
  go(after, RECOVER);
  return { state: after, name: 'KILL, start again' };
}

export const isAtRest = (state: State): boolean => at(state, D_STEP) === LOOK && at(state, D_WRITES) === 0 && openSwaps(state).length === 0;

/** Files of ours beside the list. */
export const litterOf = (state: State): number => ALL.filter((swap) => at(state, swapAt(swap, 'place')) === BESIDE).length;
