/**
 * What `squash` has just made of a workspace, kept beside it for the steps that follow: an index that matches the
 * files, so that nobody compares them again. Only a shortcut: everything works without it.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './git-config.ts';
import type { Workspace } from './workspace.ts';

export type SquashedState = {
  /** Has the tree that the index at `squashedIndex` holds. */
  readonly commit: string;
  readonly tree: string;
  /** Something in the folder differs from it on purpose. */
  readonly leftOut: boolean;
};

export function squashedIndex(workspace: Workspace): string {
  return join(workspace.dir, 'index.squashed');
}

export function rememberSquashed(workspace: Workspace, state: SquashedState): void {
  writeWhole(stateFile(workspace), JSON.stringify(state));
}

/** Our index and HEAD become those of the squashed commit; what is known of it, or undefined. */
export function takeSquashed(workspace: Workspace): SquashedState | undefined {
  const state = readState(workspace);
  const index = squashedIndex(workspace);
  if (!state || !existsSync(index)) return undefined;
  rmSync(stateFile(workspace), { force: true });
  renameSync(index, join(workspace.dir, 'index'));
  writeWhole(join(workspace.dir, 'HEAD'), `${state.commit}\n`);
  return state;
}

export function forgetSquashed(workspace: Workspace): void {
  rmSync(stateFile(workspace), { force: true });
  rmSync(squashedIndex(workspace), { force: true });
}

function stateFile(workspace: Workspace): string {
  return join(workspace.dir, 'squashed.json');
}

function readState(workspace: Workspace): SquashedState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(workspace), 'utf8')) as SquashedState;
  } catch {
    return undefined;
  }
}
