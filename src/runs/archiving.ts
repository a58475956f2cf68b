/**
 * Tasks that go to the archive or come back from it (6.5-R1), at the word of the process that owns the list, which has written the
 * archive itself: nobody may ask for it from outside (13-R1). Decides only.
 */
import type { Edit } from '../tasks/task.ts';
import { answeredWith, type Asked } from './asking.ts';
import { type Draft, knownIn, note, putKnown } from './world.ts';

export type ArchiveAsk = {
  readonly kind: 'archive';
  /** All go into one write; each stands for itself. */
  readonly edits: readonly Edit[];
  /** Ids, or handles where there are none, of tasks that are in the archive now, or are not any more. */
  readonly ids: readonly string[];
  readonly archived: boolean;
};

type Asking = { readonly ask: ArchiveAsk; readonly draft: Draft; readonly now: number; readonly number: number; readonly by: string; readonly via: string };

export function archiving({ ask, draft, now, number, by, via }: Asking): Asked {
  for (const id of ask.ids) {
    const known = knownIn(draft, id);
    // Known before the line goes, so that no other line is taken for it.
    if (known) putKnown(draft, { ...known, archived: ask.archived ? true : undefined, updatedAt: now }, by, via);
    note(draft, { id, field: 'archived', old: ask.archived ? null : 'archived', new: ask.archived ? 'archived' : null, by, via });
  }
  if (ask.edits.length === 0) return answeredWith({ kind: 'ok', message: '' });
  return {
    halts: [],
    goes: [],
    edits: [{ purpose: 'ask', id: '', ticket: 0, edits: ask.edits, urgent: true, reply: { number, message: '', shape: 'tasks' } }],
  };
}
