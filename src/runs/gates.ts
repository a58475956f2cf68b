/**
 * Approvals that git took away (1.4-R7): a tag that waits for a person and vanishes with a checkout, merge or stash was deleted by
 * nobody. The task stays held until the tag has been back and a person deletes it. Kept in the journal's `meta`; decides nothing else.
 */
import { laneOf, tagsOf } from '../tasks/find.ts';
import type { Board, Task } from '../tasks/task.ts';
import type { Draft } from './world.ts';

const PREFIX = 'ungated:';

/** Compares the sections that changed; `gitMoved`: the change came with one of git's. */
export function noteGates(draft: Draft, before: Board | undefined, board: Board, gitMoved: boolean): void {
  if (!before || (!gitMoved && !hasUngated(draft))) return;
  const same = new Set(before.sections);
  const now = new Set(board.sections);
  const gatedBefore = new Set<string>();
  for (const section of before.sections) if (!now.has(section)) for (const task of section.tasks) if (isGated(task)) gatedBefore.add(keyOf(task));
  for (const section of board.sections) {
    if (section.name === undefined || same.has(section)) continue;
    for (const task of section.tasks) {
      const key = keyOf(task);
      if (isGated(task)) {
        if (valueOf(draft, key) !== undefined) draft.meta.set(key, null);
      } else if (gitMoved && gatedBefore.has(key)) draft.meta.set(key, 'git');
    }
  }
}

/** Whether git, and no person, took away what this task waited for. */
export function isUngated(draft: Draft, task: Task): boolean {
  return hasUngated(draft) && valueOf(draft, keyOf(task)) !== undefined;
}

function hasUngated(draft: Draft): boolean {
  for (const key of draft.meta.keys()) if (key.startsWith(PREFIX)) return true;
  for (const key of draft.world.meta.keys()) if (key.startsWith(PREFIX)) return true;
  return false;
}

function valueOf(draft: Draft, key: string): string | undefined {
  const changed = draft.meta.get(key);
  return changed === undefined ? draft.world.meta.get(key) : (changed ?? undefined);
}

const isGated = (task: Task): boolean => laneOf(task) !== 'safe' || tagsOf(task).some((tag) => tag.key === 'approval');

const keyOf = (task: Task): string => `${PREFIX}${task.section}\n${task.title}`;
