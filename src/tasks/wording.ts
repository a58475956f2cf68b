/**
 * What a task's own text says, wherever it stands: read anew, or taken from the board before where the text is the same.
 * Never knows the headings above it.
 */
import { NO_DETAILS, readDetails } from './details.ts';
import { hashText } from './hash.ts';
import { isId } from './marker.ts';
import type { Overlap } from './overlap.ts';
import type { ParseOptions } from './parse.ts';
import type { ScannedHead, ScannedSection } from './scan-state.ts';
import { readTags, withoutTags } from './tags.ts';
import type { Board, Tag, Task } from './task.ts';
import { skipWhite, skipWhiteBack } from './white.ts';

export type Material = {
  readonly text: string;
  readonly options: ParseOptions;
  readonly scanned: ScannedSection;
  readonly reusable: ReadonlyMap<string, Reusable> | undefined;
  /** Whether strings are copied out of the text, so that a section kept for long does not keep an old text alive. */
  readonly copy: boolean;
};

/** What a task's own text says, wherever it stands. Tag spans relative to the text, field lines to the head's. */
export type Wording = Pick<Task, 'text' | 'title' | 'name' | 'tags' | 'fields' | 'details' | 'notes' | 'fingerprint'>;

export function readWording(material: Material, section: string, head: ScannedHead, textStart: number): Wording {
  const { options, copy } = material;
  const end = head.details.length > 0 ? head.details.at(-1)!.end : head.end;
  const slice = material.text.slice(textStart, Math.max(end, textStart));
  const body = copy ? copied(slice) : slice;
  const text = body.slice(0, headTextEnd(body, head.end - textStart));
  const { tags, title } = readTags(text, options);
  const below = head.details.length > 0 ? readDetails(body, textStart, head.details) : NO_DETAILS;
  const ids = tags.filter((tag) => tag.key === 'id' && tag.value !== undefined && tag.value !== '');
  const wish = ids.length === 0 ? text : withoutTags(text, ids);
  return {
    text,
    title,
    name: nameOf(ids),
    tags,
    fields: below.fields.map((field) => ({ ...field, line: field.line - head.line })),
    details: below.details,
    notes: below.notes,
    fingerprint: hashText(`${section}\n${wish}\n${below.details}`),
  };
}

/** A person's name for the task rather than ToDone's id, where the line has both. */
function nameOf(ids: readonly Tag[]): string | undefined {
  return (ids.find((tag) => !isId(tag.value ?? '')) ?? ids[0])?.value;
}

/** End of the head's text: without white space and the backslash of a hard line break. */
function headTextEnd(body: string, lineEnd: number): number {
  const end = skipWhiteBack(body, Math.max(0, lineEnd), 0);
  let slashes = 0;
  while (body.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
  const hardBreak = slashes % 2 === 1 && end === lineEnd;
  return hardBreak ? skipWhiteBack(body, end - 1, 0) : end;
}

/** The white space before a detail line: as a person indented the first one, else the list item's content or two spaces. */
export function detailIndent(text: string, head: ScannedHead): string {
  const first = head.details.find((line) => line.kind === 'text' || line.kind === 'quote' || line.kind === 'fence');
  if (first && first.column >= head.contentColumn && first.column > head.column) return text.slice(first.start, skipWhite(text, first.start, first.end));
  const lead = text.slice(head.start, skipWhite(text, head.start, head.end));
  const depth = head.contentColumn - head.column;
  return lead + ' '.repeat(depth > 0 ? depth : 2);
}

// ── reading less ─────────────────────────────────────────────────────────────────────────────────

/** `lead` is what stands before the marker: indentation and bullet decide how the lines below are read. */
type Reusable = Wording & { readonly section: string; readonly lead: string };

/** The tasks of the sections to be read again, by their text: those without subtasks, whose text is one stretch. */
export function tasksByText(previous: Board, overlap: Overlap): ReadonlyMap<string, Reusable> {
  const found = new Map<string, Reusable>();
  const to = Math.min(overlap.tail, previous.sections.length);
  for (let index = overlap.head; index < to; index++) {
    const section = previous.sections[index]!;
    const base = previous.starts[index]!;
    for (const task of section.tasks) {
      const shift = textStartOf(previous.text, base, task);
      found.set(previous.text.slice(base + task.markerSpan.end, base + task.span.end), {
        text: task.text,
        title: task.title,
        name: task.name,
        tags: task.tags.map((tag) => moved(tag, -shift)),
        fields: task.fields.map((field) => ({ ...field, line: field.line - task.line })),
        details: task.details,
        notes: task.notes,
        fingerprint: task.fingerprint,
        section: task.section,
        lead: previous.text.slice(base + task.headSpan.start, base + task.markerSpan.start),
      });
    }
  }
  return found;
}

function textStartOf(text: string, base: number, task: Task): number {
  return skipWhite(text, base + task.markerSpan.end, base + task.headSpan.end) - base;
}

export function reused(material: Material, section: string, head: ScannedHead): Wording | undefined {
  const { reusable, text } = material;
  if (!reusable) return undefined;
  const end = head.details.length === 0 ? head.next : head.details.at(-1)!.next;
  if (end !== head.blockEnd) return undefined;
  const found = reusable.get(text.slice(head.markerEnd, end));
  if (!found || found.section !== section || found.lead !== text.slice(head.start, head.markerStart)) return undefined;
  return found;
}

export function moved(tag: Tag, by: number): Tag {
  return by === 0 ? tag : { ...tag, span: { start: tag.span.start + by, end: tag.span.end + by } };
}

/** The same text in memory of its own: a slice would keep the whole list that it was cut from. */
export function copied(text: string): string {
  return ` ${text}`.slice(1);
}
