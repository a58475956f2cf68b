/** The saves of editors in the model, as steps. A step gives false where it cannot be done now. */
import {
  addWriter,
  at,
  contentOf,
  E_BUFFER,
  E_HELD,
  E_SAVE,
  E_STEP,
  isWritten,
  NAMES,
  newFile,
  OVERWRITTEN,
  SAVED,
  setContent,
  TORN,
  wordsOf,
} from './state.ts';
import type { State } from './state.ts';

type Step = { readonly name: string; readonly run: (state: State) => boolean };

const word = (state: State): number => 2 << at(state, E_SAVE);

/** `keeps`: the second save comes from what was on the screen, not from the disk. */
const load = (keeps: boolean): Step => ({
  name: 'load',
  run(state) {
    const list = at(state, NAMES.list);
    if (list === 0 || contentOf(state, list) === TORN) return false;
    const text = keeps && at(state, E_SAVE) > 0 ? at(state, E_BUFFER) : contentOf(state, list);
    state[E_BUFFER] = text | word(state);
    return true;
  },
});

const step = (name: string, run: (state: State) => void): Step => ({ name, run: (state) => (run(state), true) });

const open = step('open the list', (state) => hold(state, at(state, NAMES.list)));
const cut = step('truncate', (state) => {
  overwrite(state, at(state, E_HELD));
  setContent(state, at(state, E_HELD), TORN);
});
const write = step('write', (state) => setContent(state, at(state, E_HELD), at(state, E_BUFFER)));
const close = step('close', (state) => {
  addWriter(state, at(state, E_HELD), -1);
  state[E_HELD] = 0;
});
const toBackup = step('rename the list to the backup', (state) => {
  overwrite(state, at(state, NAMES.list));
  state[NAMES.backup] = at(state, NAMES.list);
  state[NAMES.list] = 0;
});
const create = step('create the list', (state) => {
  const inode = newFile(state, TORN);
  state[NAMES.list] = inode;
  hold(state, inode);
});
const beside = step('write beside', (state) => (state[NAMES.temp] = newFile(state, at(state, E_BUFFER))));
const over = step('rename over the list', (state) => {
  if (at(state, NAMES.list) !== 0) overwrite(state, at(state, NAMES.list));
  state[NAMES.list] = at(state, NAMES.temp);
  state[NAMES.temp] = 0;
});
const discard = step('remove the backup', (state) => (state[NAMES.backup] = 0));

function overwrite(state: State, inode: number): void {
  state[OVERWRITTEN] = at(state, OVERWRITTEN) | (wordsOf(contentOf(state, inode)) & at(state, SAVED) & ~at(state, E_BUFFER));
}

function hold(state: State, inode: number): void {
  addWriter(state, inode, 1);
  state[E_HELD] = inode;
}

const late = (keeps: boolean): Step => ({
  name: 'load and keep the file open',
  run: (state) => !isWritten(state, at(state, NAMES.list)) && load(keeps).run(state) && open.run(state),
});

const styles = (keeps: boolean) =>
  ({
    'truncate and write': [load(keeps), open, cut, write, close],
    'open long before': [late(keeps), cut, write, close],
    'vim: rename to a backup, create': [load(keeps), toBackup, create, write, close, discard],
    'rename over': [load(keeps), beside, over],
    'JetBrains: beside, rename, rename, remove': [load(keeps), beside, toBackup, over, discard],
    'emacs: rename to a backup that stays, create': [load(keeps), toBackup, create, write, close],
  }) satisfies Readonly<Record<string, readonly Step[]>>;

export const MODEL_EDITORS: Readonly<Record<string, readonly Step[]>> = {
  ...styles(false),
  ...Object.fromEntries(Object.entries(styles(true)).map(([name, steps]) => [`${name}; from the screen`, steps])),
};

export type EditorSteps = readonly Step[];

/** The next step of the editor; undefined where it has nothing to do or has to wait. */
export function editorStep(state: State, steps: EditorSteps, saves: number): { readonly state: State; readonly name: string } | undefined {
  if (at(state, E_SAVE) >= saves) return undefined;
  const next = steps[at(state, E_STEP)];
  if (!next) return undefined;
  const after = state.slice();
  if (!next.run(after)) return undefined;
  after[E_STEP] = at(after, E_STEP) + 1;
  if (at(after, E_STEP) === steps.length) {
    after[SAVED] = at(after, SAVED) | word(after);
    after[E_STEP] = 0;
    after[E_SAVE] = at(after, E_SAVE) + 1;
  }
  return { state: after, name: `editor: ${next.name}` };
}
