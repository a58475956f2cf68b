/**
 * What an errand needs of the outside (4-R10), in the engine's words: merging the base and a section's branch, a clean place to
 * check a commit in, and the remote. Each looks first whether it has already happened.
 */
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import type { Advanced, Verified } from './ports.ts';

/** `sync` = the base into the section's branch; `land` = the section's branch into the base. */
export type MergeWay = 'sync' | 'land';

export type Merging =
  /** There is nothing to merge; worktrees that were left behind have followed. */
  | { readonly kind: 'current'; readonly message: string }
  /** The merged commit, not on `branch` yet, whose tip is `tip`. `message` says what it does. */
  | { readonly kind: 'merged'; readonly branch: string; readonly tip: string; readonly commit: string; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string; readonly remedy: string }
  | Unmergeable;

/** `busy` = not now, `refused` = not before a person has changed something. */
export type Unmergeable =
  | { readonly kind: 'refused'; readonly message: string; readonly remedy: string }
  | { readonly kind: 'busy'; readonly message: string; readonly remedy: string };

export type Merged = Extract<Merging, { kind: 'merged' }>;

export interface Branches {
  merge(section: string, way: MergeWay): Promise<Merging>;
  /** The command on exactly this commit, in a clean checkout; undefined where it is a check in words. Throws where there can be none. */
  verify(order: ErrandOrder, commit: string, command: string, signal: AbortSignal): Promise<Verified | undefined>;
  /** Compare-and-swap of the branch; worktrees that have it checked out move along. */
  advance(section: string, way: MergeWay, merged: Merged): Promise<Advanced>;
  push(order: ErrandOrder, signal: AbortSignal): Promise<ErrandEnd>;
  /** After a push: the section's one pull request, made or brought up to date. */
  pullRequest(order: ErrandOrder, signal: AbortSignal): Promise<ErrandEnd>;
}
