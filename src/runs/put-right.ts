/**
 * Markers that git proves, put right at the word of the process that owns the list, which has looked them up itself: nobody may ask for
 * them from outside (13-R1). Decides only.
 */
import { locate } from '../tasks/find.ts';
import { answeredWith, type Asked } from './asking.ts';
import type { EditItem } from './list-edits.ts';
import type { Fix } from './reconcile.ts';
import { freshKnown } from './recover.ts';
import type { Scene } from './choose.ts';
import { type Draft, knownIn, putKnown, runIn } from './world.ts';

export type MarkAsk = { readonly kind: 'mark'; readonly fixes: readonly Fix[] };

type Asking = { readonly draft: Draft; readonly scene: Scene | undefined; readonly now: number; readonly by: string; readonly via: string };

/** Nothing is taken for a wish by that: a line that has been changed since is left alone. */
export function putRight({ draft, scene, now, by, via }: Asking, fixes: readonly Fix[]): Asked {
  const edits: EditItem[] = [];
  for (const fix of fixes) {
    const located = scene && locate(scene.board, fix.target);
    const id = fix.marker.id ?? '';
    if (!located || located.task.marker.state !== fix.from || runIn(draft, id)) continue;
    const known = knownIn(draft, id) ?? freshKnown(located.task, id, now);
    const { state, hash } = fix.marker;
    if (id !== '') putKnown(draft, { ...known, state, hash, commit: fix.commit ?? known.commit, held: undefined, updatedAt: now }, by, via);
    const edit = { kind: 'mark', target: fix.target, expect: [fix.from], marker: fix.marker } as const;
    edits.push({ purpose: 'ask', id, ticket: known.ticket, edits: [edit], urgent: true });
  }
  return { ...answeredWith({ kind: 'ok', message: `${edits.length} markers are put right` }), edits };
}
