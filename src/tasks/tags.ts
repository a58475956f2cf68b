/**
 * Tags in the text of a task or heading (1.1-R3, 1.2-R1). Linear: every search for a closing bracket ends at the
 * next opening one. Never knows agents, models or workers beyond the names it is given.
 */
import { opaqueSpans } from './chunk.ts';
import type { ParseOptions } from './parse.ts';
import type { Span, Tag } from './task.ts';
import { EMOJI_TAGS, fromDataview, groupOf, recurrence, todoTxtPriority } from './vocabulary.ts';
import { isWhite, skipWhite, skipWhiteBack, trimWhite } from './white.ts';

/** Tags whose text can be worth nothing to those who inherit it. */
const NOT_INHERITED = new Set(['id']);

type ReadTags = {
  /** Spans relative to `text`. */
  readonly tags: readonly Tag[];
  /** The text without tags, escapes undone. */
  readonly title: string;
};

type Draft = { readonly tag: Tag; readonly atEnd: boolean };

const NO_TAGS: readonly Tag[] = [];
// A character with which a tag can begin: one class, one pass.
const CANDIDATE = /[{[\u23eb\u23ec\u23f3\u26d4\ud83c\ud83d]/;

/** The tags in `text`, which is trimmed and one line. */
export function readTags(text: string, options: ParseOptions): ReadTags {
  const { hash, at, todotxt } = options.labels;
  const candidate = CANDIDATE.test(text) || (hash && text.includes('#')) || (at && text.includes('@')) || (todotxt && text.startsWith('('));
  if (!candidate) return { tags: NO_TAGS, title: unescaped(text) };
  const tags = onlyAtEnd(text, outsideCode(text, draftTags(text, options)));
  return { tags, title: unescaped(withoutTags(text, tags)) };
}

/** `text` without `tags`, the white space around each made one space. */
export function withoutTags(text: string, tags: readonly Tag[]): string {
  if (tags.length === 0) return text;
  const parts: string[] = [];
  let from = 0;
  for (const { span } of tags) {
    parts.push(trimWhite(text.slice(from, span.start)));
    from = span.end;
  }
  parts.push(trimWhite(text.slice(from)));
  return parts.filter((part) => part !== '').join(' ');
}

/** Nearest first; a tag whose group a nearer one has is left out. */
export function inherit(nearer: readonly Tag[], farther: readonly Tag[]): readonly Tag[] {
  const kept = farther.filter((tag) => !NOT_INHERITED.has(tag.key));
  if (nearer.length === 0) return kept.length === farther.length ? farther : kept;
  const groups = new Set(nearer.map((tag) => groupOf(tag.key)));
  return kept.filter((tag) => !groups.has(groupOf(tag.key)));
}

// ── finding ──────────────────────────────────────────────────────────────────────────────────────

function draftTags(text: string, options: ParseOptions): Draft[] {
  const drafts: Draft[] = [];
  let at = 0;
  while (at < text.length) {
    const draft = draftAt(text, at, options);
    if (draft) drafts.push(draft);
    at = nextWord(text, draft ? draft.tag.span.end : at);
  }
  return drafts;
}

/** Offset of the next character after white space. */
function nextWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isWhite(text.charCodeAt(at))) at++;
  return skipWhite(text, at, text.length);
}

function draftAt(text: string, at: number, options: ParseOptions): Draft | undefined {
  const unit = text.charCodeAt(at);
  if (unit === 0x7b) return sure(readBrace(text, at));
  if (unit === 0x5b) return sure(readDataview(text, at));
  if (unit === 0x23) return options.labels.hash ? sure(readLabel(text, at)) : undefined;
  if (unit === 0x40) return options.labels.at ? sure(readOwner(text, at, options.workers)) : undefined;
  if (unit === 0x28) return options.labels.todotxt && at === 0 ? sure(readTodoTxt(text)) : undefined;
  return unit > 0x2000 ? readEmoji(text, at) : undefined;
}

function sure(tag: Tag | undefined): Draft | undefined {
  return tag && { tag, atEnd: false };
}

const BRACE_KEY = /^[\p{L}][\p{L}\p{N}_.-]*$/u;
const KEY_UNITS_MAX = 64;

/** `{key}` or `{key:value}` that begins at `at`. */
function readBrace(text: string, at: number): Tag | undefined {
  const close = closeOf(text, at, 0x7b, 0x7d);
  if (close < 0 || !endsAt(text, close + 1)) return undefined;
  const inside = text.slice(at + 1, close);
  const colon = inside.indexOf(':');
  const key = colon < 0 ? inside : inside.slice(0, colon);
  if (key.length > KEY_UNITS_MAX || !BRACE_KEY.test(key)) return undefined;
  const span = { start: at, end: close + 1 };
  const name = key.toLowerCase();
  return colon < 0
    ? { key: name, spelling: 'brace', text: inside, span }
    : { key: name, value: trimWhite(inside.slice(colon + 1)), spelling: 'brace', text: inside, span };
}

const DATAVIEW_KEY = /^[\p{L}][\p{L}\p{N} _-]*$/u;

/** `[key:: value]`. */
function readDataview(text: string, at: number): Tag | undefined {
  const close = closeOf(text, at, 0x5b, 0x5d);
  if (close < 0 || !endsAt(text, close + 1)) return undefined;
  const inside = text.slice(at + 1, close);
  const colons = inside.indexOf('::');
  if (colons < 0 || colons > KEY_UNITS_MAX || colons + 2 >= inside.length || !isWhite(inside.charCodeAt(colons + 2))) return undefined;
  const key = trimWhite(inside.slice(0, colons));
  if (!DATAVIEW_KEY.test(key)) return undefined;
  return { ...fromDataview(key, trimWhite(inside.slice(colons + 2))), spelling: 'dataview', text: inside, span: { start: at, end: close + 1 } };
}

/** The closing bracket, unless another opens before it: so all searches together read the text once. */
function closeOf(text: string, at: number, open: number, close: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === close) return index;
    if (unit === open) return -1;
  }
  return -1;
}

function endsAt(text: string, at: number): boolean {
  return at >= text.length || isWhite(text.charCodeAt(at));
}

function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isWhite(text.charCodeAt(end))) end++;
  return end;
}

function readLabel(text: string, at: number): Tag | undefined {
  const end = wordEnd(text, at);
  const word = text.slice(at + 1, end);
  if (word.length > KEY_UNITS_MAX || !/^[\p{L}\p{N}_/-]+$/u.test(word) || /^\p{N}+$/u.test(word)) return undefined;
  return { key: word.toLowerCase(), spelling: 'label', text: `#${word}`, span: { start: at, end } };
}

function readOwner(text: string, at: number, workers: readonly string[]): Tag | undefined {
  const end = wordEnd(text, at);
  const name = text.slice(at + 1, end);
  return workers.includes(name) ? { key: 'owner', value: name, spelling: 'owner', text: `@${name}`, span: { start: at, end } } : undefined;
}

function readTodoTxt(text: string): Tag | undefined {
  const match = /^\(([A-Z])\)(?=[ \t]|$)/.exec(text);
  return match ? { key: todoTxtPriority(match[1]!), spelling: 'todotxt', text: match[0], span: { start: 0, end: 3 } } : undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2})?$/;
const ID_WORD = /^[\p{L}\p{N}_.-]+$/u;

function readEmoji(text: string, at: number): Draft | undefined {
  const found = EMOJI_TAGS.find(({ emoji }) => text.startsWith(emoji, at));
  if (!found) return undefined;
  let from = at + found.emoji.length;
  if (text.charCodeAt(from) === 0xfe0f) from++;
  const base = { key: found.key, spelling: 'emoji' as const };
  if (found.value === 'none')
    return endsAt(text, from) ? { tag: { ...base, text: text.slice(at, from), span: { start: at, end: from } }, atEnd: found.atEnd } : undefined;
  const start = skipWhite(text, from, text.length);
  const end = found.value === 'rule' ? ruleEnd(text, start) : found.value === 'ids' ? idsEnd(text, start) : wordEnd(text, start);
  const value = text.slice(start, end);
  if (!emojiValueFits(found.value, value)) return undefined;
  return {
    tag: { ...base, value: found.value === 'rule' ? recurrence(value) : value, text: text.slice(at, end), span: { start: at, end } },
    atEnd: found.atEnd,
  };
}

function emojiValueFits(kind: 'date' | 'id' | 'ids' | 'rule', value: string): boolean {
  switch (kind) {
    case 'date':
      return DATE.test(value);
    case 'id':
      return ID_WORD.test(value);
    case 'ids':
      return value !== '' && value.split(',').every((word) => ID_WORD.test(trimWhite(word)));
    case 'rule':
      return /^every\s/i.test(value);
  }
}

/** Obsidian's recurrence is words up to the next tag. */
function ruleEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && /[\p{L}\p{N},]/u.test(text[at]!)) at = nextWord(text, at);
  return skipWhiteBack(text, at, start);
}

/** `a,b` or `a, b`. */
function idsEnd(text: string, start: number): number {
  let end = wordEnd(text, start);
  while (end > start && text[end - 1] === ',' && end < text.length) {
    const next = skipWhite(text, end, text.length);
    if (!/[\p{L}\p{N}_]/u.test(text[next] ?? '')) return end - 1;
    end = wordEnd(text, next);
  }
  return end;
}

// ── choosing ─────────────────────────────────────────────────────────────────────────────────────

/** Without those in code spans and comments. remark is asked only where a backtick or comment stands before one and something after it could close it. */
function outsideCode(text: string, drafts: readonly Draft[]): readonly Draft[] {
  const backtick = text.indexOf('`');
  const comment = text.indexOf('<!--');
  if (backtick < 0 && comment < 0) return drafts;
  const lastBacktick = text.lastIndexOf('`');
  const lastClose = text.lastIndexOf('-->');
  const doubtful = ({ tag: { span } }: Draft) =>
    (backtick >= 0 && backtick < span.end && lastBacktick > span.start) || (comment >= 0 && comment < span.start && lastClose >= span.end);
  if (!drafts.some(doubtful)) return drafts;
  const opaque = opaqueSpans(text).toSorted((one, other) => one.start - other.start);
  let at = 0;
  return drafts.filter(({ tag: { span } }) => {
    while (at < opaque.length && (opaque[at]!.end <= span.start || within(opaque[at]!, span))) at++;
    return at === opaque.length || opaque[at]!.start >= span.end;
  });
}

/** A whole code span inside a tag's value does not take the tag away. */
function within(inner: Span, outer: Span): boolean {
  return inner.start > outer.start && inner.end < outer.end;
}

function onlyAtEnd(text: string, drafts: readonly Draft[]): readonly Tag[] {
  let tail = text.length;
  const kept: Tag[] = [];
  for (let index = drafts.length - 1; index >= 0; index--) {
    const { tag, atEnd } = drafts[index]!;
    const inTail = skipWhite(text, tag.span.end, tail) === tail;
    if (inTail) tail = tag.span.start;
    if (inTail || !atEnd) kept.push(tag);
  }
  return kept.reverse();
}

/** Backslashes before punctuation undone, as Markdown shows it; code spans stay. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  if (!text.includes('`')) return text.replace(ESCAPE, '$1');
  const parts: string[] = [];
  let from = 0;
  for (const { start, end } of opaqueSpans(text)) {
    if (start < from) continue;
    parts.push(text.slice(from, start).replace(ESCAPE, '$1'), text.slice(start, end));
    from = end;
  }
  parts.push(text.slice(from).replace(ESCAPE, '$1'));
  return parts.join('');
}

const ESCAPE = /\\([!-/:-@[-`{-~])/g;
