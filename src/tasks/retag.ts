/**
 * Changes of the tags on a task's line, as splices, in the spelling that the line uses (1.2-R1). Never touches a tag that
 * is handed down: it stands on another line.
 */
import { tagText } from './compose.ts';
import { wordsOf } from './find.ts';
import type { ParseOptions } from './parse.ts';
import type { Tag, Task } from './task.ts';
import { canonicalKey, groupOf, toDataview, toEmoji } from './vocabulary.ts';
import { skipWhite, skipWhiteBack } from './white.ts';

/** A change of the text: `text` in place of what is between the offsets. */
export type Splice = { readonly start: number; readonly end: number; readonly text: string };

/** A task on a text: `base` is the offset that its spans count from. */
export type OnText = { readonly text: string; readonly base: number; readonly task: Task };

/** The splices that put the tag on the line; none where it is there. */
export function addTagSplices(on: OnText, key: string, value: string | undefined, options: ParseOptions): readonly Splice[] {
  const { task, base } = on;
  const rival = task.tags.find((tag) => groupOf(tag.key) === groupOf(key) && key !== 'id' && key !== 'relates');
  if (key === 'after' && rival && wordsIn(value ?? '').every((word) => wordsOf(task.tags, 'after').includes(word))) return [];
  const wanted = key === 'after' && rival ? joined(rival.value ?? '', value ?? '') : value;
  if (task.tags.some((tag) => canonicalKey(tag.key) === canonicalKey(key) && tag.value === wanted)) return [];
  if (!rival) return [{ start: textEnd(on), end: textEnd(on), text: ` ${spelling(key, wanted, task.tags, undefined, options)}` }];
  const made = spelling(key, wanted, task.tags, rival, options);
  return [{ start: base + rival.span.start, end: base + rival.span.end, text: made }];
}

/** The splices that take every own tag with this key off the line. */
export function removeTagSplices(on: OnText, key: string): readonly Splice[] {
  const wanted = canonicalKey(key);
  return on.task.tags.filter((tag) => canonicalKey(tag.key) === wanted).map((tag) => withoutTag(on, tag));
}

/** End of what a person typed on the head's line: where a tag is added. */
export function textEnd({ text, base, task }: OnText): number {
  const markerEnd = base + task.markerSpan.end;
  if (task.text === '') return markerEnd;
  return skipWhite(text, markerEnd, base + task.headSpan.end) + task.text.length;
}

function joined(before: string, more: string): string {
  return [...new Set([...wordsIn(before), ...wordsIn(more)])].join(',');
}

function wordsIn(value: string): readonly string[] {
  return value.split(/[,\s]+/).filter((word) => word !== '');
}

function withoutTag({ text, base, task }: OnText, tag: Tag): Splice {
  const start = base + tag.span.start;
  const end = base + tag.span.end;
  const textStart = skipWhite(text, base + task.markerSpan.end, base + task.headSpan.end);
  if (start > textStart) return { start: skipWhiteBack(text, start, textStart), end, text: '' };
  return { start, end: skipWhite(text, end, base + task.headSpan.end), text: '' };
}

/** The spelling of the tag that it takes the place of, else the one that the line's other tags have. */
function spelling(key: string, value: string | undefined, tags: readonly Tag[], rival: Tag | undefined, options: ParseOptions): string {
  const model = rival?.spelling ?? tags.find((tag) => tag.spelling !== 'brace' && tag.spelling !== 'todotxt')?.spelling ?? 'brace';
  return inSpelling(model, key, value, options) ?? tagText({ key, ...(value !== undefined && { value }) }) ?? '';
}

function inSpelling(model: Tag['spelling'], key: string, value: string | undefined, options: ParseOptions): string | undefined {
  switch (model) {
    case 'brace':
      return undefined;
    case 'emoji':
      return toEmoji(key, value);
    case 'dataview':
      return toDataview(key, value);
    case 'label':
      return value === undefined ? `#${key}` : undefined;
    case 'owner':
      return key === 'owner' && value !== undefined && options.workers.includes(value) ? `@${value}` : undefined;
    case 'todotxt':
      return /^p[0-3]$/.test(key) ? `(${'ABCD'[Number(key[1])]})` : undefined;
  }
}
