/**
 * What stands below a task's head (1.1-R4): fields, notes and text for the agent. Never reads subtasks' lines.
 */
import { codeSpans } from './inline.ts';
import type { ScannedLine } from './scan-state.ts';
import type { Field, Span } from './task.ts';
import { dedent, skipWhite, trimWhite } from './white.ts';

/** The components of a well-specified task (1.3); other `word: …` lines are prose. */
export const REQUIRED_FIELDS = ['files', 'action', 'verify', 'done'] as const;
const FIELD_KEYS: readonly string[] = [...REQUIRED_FIELDS, 'trigger', 'steps', 'risks', 'context', 'run'];
const FIELD_KEY_UNITS_MAX = 7;

type ReadDetails = {
  readonly details: string;
  readonly notes: readonly string[];
  readonly fields: readonly Field[];
};

const NONE: readonly never[] = [];
export const NO_DETAILS: ReadDetails = { details: '', notes: NONE, fields: NONE };

/** `body` holds the lines' text; `base` is its offset in the text that the lines' offsets count in. */
export function readDetails(body: string, base: number, lines: readonly ScannedLine[]): ReadDetails {
  if (lines.length === 0) return NO_DETAILS;
  const textOf = (line: ScannedLine) => body.slice(line.start - base, line.end - base);
  const wish = lines.filter((line) => line.kind !== 'quote');
  const notes = lines.filter((line) => line.kind === 'quote').map((line) => noteText(textOf(line)));
  const margin = marginOf(wish);
  return {
    details: trimBlankLines(wish.map((line) => (line.kind === 'blank' ? '' : dedent(textOf(line), margin)))).join('\n'),
    notes: notes.length === 0 ? NONE : notes,
    fields: readFields(wish, textOf),
  };
}

/** How far the details are indented: what is inside a fence or comment may stand anywhere. */
function marginOf(lines: readonly ScannedLine[]): number {
  let margin = Number.MAX_SAFE_INTEGER;
  for (const line of lines) if (line.kind !== 'blank' && !isInside(line)) margin = Math.min(margin, line.column);
  return margin;
}

function isInside(line: ScannedLine): boolean {
  return (line.kind === 'fence' || line.kind === 'comment') && line.opens !== true;
}

function noteText(line: string): string {
  const start = skipWhite(line, 0, line.length);
  const rest = line.slice(start + 1);
  return rest.startsWith(' ') ? rest.slice(1) : rest;
}

function trimBlankLines(lines: readonly string[]): readonly string[] {
  let start = 0;
  let end = lines.length;
  while (start < end && trimWhite(lines[start]!) === '') start++;
  while (end > start && trimWhite(lines[end - 1]!) === '') end--;
  return lines.slice(start, end);
}

// ── fields ───────────────────────────────────────────────────────────────────────────────────────

function readFields(lines: readonly ScannedLine[], textOf: (line: ScannedLine) => string): readonly Field[] {
  let fields: Field[] | undefined;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (line.kind !== 'text') continue;
    const start = fieldStart(textOf(line));
    if (!start) continue;
    const end = endOfField(lines, index);
    const value = fieldValue(start.value, lines.slice(index + 1, end), textOf);
    (fields ??= []).push({ key: start.key, value, line: line.line });
    index = end - 1;
  }
  return fields ?? NONE;
}

/** `key: value`, also as an item of a list and with the key in bold. */
function fieldStart(text: string): { readonly key: string; readonly value: string } | undefined {
  let at = skipWhite(text, 0, text.length);
  if (/[-*+]/.test(text[at] ?? '') && /\s/.test(text[at + 1] ?? '')) at = skipWhite(text, at + 1, text.length);
  const bold = text.startsWith('**', at);
  if (bold) at += 2;
  let end = at;
  while (end - at <= FIELD_KEY_UNITS_MAX && /[a-z]/i.test(text[end] ?? '')) end++;
  const key = text.slice(at, end).toLowerCase();
  if (!FIELD_KEYS.includes(key)) return undefined;
  const colon = bold && text.startsWith('**:', end) ? end + 2 : end;
  if (text[colon] !== ':') return undefined;
  const after = bold && colon === end && text.startsWith('**', colon + 1) ? colon + 3 : colon + 1;
  if (after < text.length && !/\s/.test(text[after]!)) return undefined;
  return { key, value: trimWhite(text.slice(after)) };
}

/** Whether the line would be a field if it were indented below a task. */
export function isFieldLine(line: string): boolean {
  return fieldStart(line) !== undefined;
}

/** Fields that begin in the midst of a line, as after a formatter joined them to it. */
export function fieldsInside(line: string): readonly string[] {
  const found: string[] = [];
  let code: readonly Span[] | undefined;
  for (let at = line.indexOf(': '); at >= 0; at = line.indexOf(': ', at + 1)) {
    const word = /(?:^|\s)([a-z]{3,7})$/.exec(line.slice(Math.max(0, at - FIELD_KEY_UNITS_MAX - 1), at))?.[1];
    if (word === undefined || !FIELD_KEYS.includes(word)) continue;
    code ??= codeSpans(line);
    if (!code.some(({ start, end }) => start < at && at < end)) found.push(word);
  }
  return found;
}

/** A field goes on over the lines that are indented deeper than its own, and to the end of a fence that begins on one. */
function endOfField(lines: readonly ScannedLine[], index: number): number {
  const { column } = lines[index]!;
  let end = index + 1;
  for (let at = index + 1; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.kind === 'blank') continue;
    if (line.column <= column && !isInside(line)) break;
    end = at + 1;
  }
  return end;
}

function fieldValue(first: string, more: readonly ScannedLine[], textOf: (line: ScannedLine) => string): string {
  if (more.length === 0) return first;
  const shown = more.slice(more.findIndex((line) => line.kind !== 'blank'));
  const fenced =
    first === '' &&
    shown.length >= 2 &&
    shown[0]!.kind === 'fence' &&
    shown.slice(1).every((line) => line.kind === 'blank' || (line.kind === 'fence' && isInside(line)));
  const lines = fenced ? shown.slice(1, -1) : shown;
  const margin = marginOf(shown);
  const rest = trimBlankLines(lines.map((line) => (line.kind === 'blank' ? '' : dedent(textOf(line), margin))));
  return (first === '' ? rest : [first, ...rest]).join('\n');
}
