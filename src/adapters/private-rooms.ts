/**
 * Private git directories of worktrees that are no more: of guests that a person removed, of workspaces whose folder and entry are
 * gone. An index and a few links; nothing of a person's is in one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';
import { isThere, readRecord } from './workspace.ts';
import { listWorktrees } from './worktree-admin.ts';

const HASH_CHARS = 16;

/** The private side of a worktree that was made for a person to look at. */
export function guestRoom(home: string, path: string): string {
  return join(home, 'guests', createHash('sha256').update(path).digest('hex').slice(0, HASH_CHARS));
}

/** Gives how many there were. */
export function pruneRooms(git: Git, top: string, trees: string): number {
  const living = new Set(listWorktrees(git.commonDir, top).map((worktree) => guestRoom(git.home, worktree.path)));
  const guests = foldersIn(join(git.home, 'guests')).filter((dir) => !living.has(dir));
  const rooms = foldersIn(join(git.home, 'rooms')).filter((dir) => {
    const record = readRecord({ section: '', slot: 0, path: '', dir });
    // A run may be about to have its workspace made again: only those that were left.
    return record?.left !== undefined && record.path.startsWith(trees) && !isThere(record.path) && !(record.admin !== undefined && existsSync(record.admin));
  });
  for (const dir of [...guests, ...rooms]) rmSync(dir, { recursive: true, force: true });
  return guests.length + rooms.length;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
