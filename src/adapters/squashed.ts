/**
 * What `squash` has just made of a workspace, kept beside it for the steps that follow: an index that matches the
 * files, so that nobody compares them again. Only a shortcut: everything works without it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './git-config.ts';
import { setPrivateHead } from './git.ts';
import { builtIndex, headOf, readJson, type Workspace } from './workspace.ts';

export type SquashedState = {
  /** Has the tree that the index at `builtIndex` holds. */
  readonly commit: string;
  readonly tree: string;
  /** Something in the folder differs from it on purpose. */
  readonly leftOut: boolean;
  /** Our index is that of the commit by now, and nothing has run in the folder since. */
  readonly taken: boolean;
};

export function rememberSquashed(workspace: Workspace, state: Omit<SquashedState, 'taken'>): void {
  writeWhole(stateFile(workspace), JSON.stringify({ ...state, taken: false }));
}

/** Our index and HEAD become those of the squashed commit; what is known of it, or undefined. */
export function takeSquashed(workspace: Workspace): SquashedState | undefined {
  const state = readState(workspace);
  const index = builtIndex(workspace);
  if (!state || state.taken || !existsSync(index)) return undefined;
  renameSync(index, join(workspace.dir, 'index'));
  setPrivateHead(workspace.dir, state.commit);
  writeWhole(stateFile(workspace), JSON.stringify({ ...state, taken: true }));
  return state;
}

/** The files are those of our index: they landed as they were, and nothing has run there since. */
export function isUntouched(workspace: Workspace): boolean {
  const state = readState(workspace);
  return state?.taken === true && !state.leftOut && state.commit === headOf(workspace);
}

export function forgetSquashed(workspace: Workspace): void {
  rmSync(stateFile(workspace), { force: true });
}

function stateFile(workspace: Workspace): string {
  return join(workspace.dir, 'squashed.json');
}

function readState(workspace: Workspace): SquashedState | undefined {
  return readJson(stateFile(workspace)) as SquashedState | undefined;
}
