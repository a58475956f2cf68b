/**
 * A change of a marker (1.4-R2): the bracket's bytes, and the id as a tag where the new bracket has no place for it (2-R1).
 * Never touches another byte of the line.
 */
import { needsSpaceAfter, writeMarker } from './marker.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import { textEnd } from './retag.ts';
import type { OnText, Splice } from './retag.ts';
import type { Edit, Marker, Task } from './task.ts';
import { isWhite } from './white.ts';

type MarkEdit = Extract<Edit, { kind: 'mark' }>;

export function planMark(on: OnText, edit: MarkEdit): Plan {
  const { task } = on;
  const wanted = bracketOf(edit.marker, task.marker);
  const tag = idTagFor(task, edit.marker);
  if (saysAlready(task.marker, wanted) && tag === undefined) return ALREADY;
  const otherId = edit.target.id !== undefined && task.marker.id !== undefined && task.marker.id !== edit.target.id;
  const otherText = edit.fingerprint !== undefined && edit.fingerprint !== task.fingerprint;
  if (otherId || otherText || !edit.expect.includes(task.marker.state)) return { result: { kind: 'changed', marker: task.marker }, splices: [] };
  return applied(markSplices(on, wanted, tag));
}

/** The bracket to write: the task's id stays in it, unless it has no place for one. */
function bracketOf(wanted: Marker, now: Marker): Marker {
  if (carriesId(wanted)) {
    const id = wanted.id ?? now.id;
    const hash = wanted.state === 'done' ? (wanted.hash ?? (id === undefined ? undefined : '-')) : undefined;
    return { state: wanted.state, ...(id !== undefined && { id }), ...(hash !== undefined && { hash }) };
  }
  const note = wanted.state === 'blocked' ? (wanted.note ?? (now.state === 'blocked' ? now.note : undefined)) : undefined;
  return { state: wanted.state, ...(note !== undefined && { note }) };
}

function carriesId(marker: Marker): boolean {
  return marker.state === 'in_progress' || marker.state === 'done' || marker.state === 'failed';
}

/** The id that has to go on the line as a tag, because the new bracket has no place for it (2-R1). */
function idTagFor(task: Task, wanted: Marker): string | undefined {
  if (carriesId(wanted)) return undefined;
  const id = wanted.id ?? task.marker.id;
  return id === undefined || task.tags.some((tag) => tag.key === 'id' && tag.value === id) ? undefined : id;
}

function saysAlready(now: Marker, wanted: Marker): boolean {
  return now.state === wanted.state && now.id === wanted.id && now.hash === wanted.hash && (wanted.note === undefined || now.note === wanted.note);
}

function markSplices(on: OnText, wanted: Marker, id: string | undefined): readonly Splice[] {
  const { base, task } = on;
  const at = textEnd(on);
  const tag = id === undefined ? [] : [{ start: at, end: at, text: ` {id:${id}}` }];
  if (saysAlready(task.marker, wanted)) return tag;
  return [{ start: base + task.markerSpan.start, end: base + task.markerSpan.end, text: writeMarker(wanted) + gapAfter(on, wanted) }, ...tag];
}

/** `[⏰]Task` is read; `[]Task` is not. */
function gapAfter({ text, base, task }: OnText, wanted: Marker): string {
  const end = base + task.markerSpan.end;
  return needsSpaceAfter(wanted) && end < base + task.headSpan.end && !isWhite(text.charCodeAt(end)) ? ' ' : '';
}
