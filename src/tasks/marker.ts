/**
 * Markers: every spelling that is read (1.1-R2) and the one that is written. Never looks outside the bracket
 * except at the one character after it, which tells a marker from a link.
 */
import type { Marker, MarkerState } from './task.ts';
import { isWhite, trimWhite } from './white.ts';

/** Longest bracket that is looked at: a note inside `[⏰ …]` is a person's sentence, not a page. */
const BRACKET_UNITS_MAX = 1000;
const ODD_GRAPHEMES_MAX = 3;
const ODD_UNITS_MAX = 60;

const SIGNS: readonly { readonly sign: string; readonly state: MarkerState }[] = [
  { sign: '⏰', state: 'blocked' },
  { sign: '🟡', state: 'in_progress' },
  { sign: '✅', state: 'done' },
  { sign: '❌', state: 'failed' },
];

const PLAIN: Readonly<Record<string, Marker>> = {
  '': { state: 'open' },
  x: { state: 'done' },
  X: { state: 'done' },
  '-': { state: 'cancelled' },
};

type ReadMarker = {
  readonly marker: Marker;
  /** Offset after the closing bracket. */
  readonly end: number;
};

/** A bracket in a task's place: a marker, an odd one that a person should know of, or nothing of ours. */
type ReadBracket = ({ readonly kind: 'marker' } & ReadMarker) | { readonly kind: 'odd'; readonly text: string } | undefined;

/** ToDone's ids (2-R1): the first character is no hexadecimal digit, so that none reads as a hash. */
export function isId(word: string): boolean {
  return /^[g-z][0-9a-z]{7}$/.test(word);
}

function isHash(word: string): boolean {
  return word === '-' || /^[0-9a-f]{4,64}$/.test(word);
}

/** Reads the bracket at `start` (a `[`, or a `\` before one) of a line that ends at `end`. */
export function readBracket(text: string, start: number, end: number): ReadBracket {
  const escaped = text.charCodeAt(start) === 0x5c;
  const open = escaped ? start + 1 : start;
  if (text.charCodeAt(open) !== 0x5b) return undefined;
  const close = closingBracket(text, open + 1, Math.min(end, open + BRACKET_UNITS_MAX));
  if (close < 0) return undefined;
  const after = close + 1 < end ? text.charCodeAt(close + 1) : 0x20;
  if (after === 0x28 || after === 0x5b || after === 0x3a) return undefined;
  const inside = insideOf(text, open + 1, close, escaped);
  const marker = markerOf(inside);
  const apart = isWhite(after);
  if (marker && (apart || !isPlain(inside))) return { kind: 'marker', marker, end: close + 1 };
  if (marker || isOdd(inside)) return { kind: 'odd', text: text.slice(open, close + 1) };
  return undefined;
}

/** The left column of the table in 1.1-R2. */
export function writeMarker(marker: Marker): string {
  return write(marker, false);
}

/** Another spelling of the same marker, which is read alike and has another length (1.4-R5). */
export function writeMarkerOtherwise(marker: Marker): string {
  return write(marker, true);
}

function write(marker: Marker, otherwise: boolean): string {
  const gap = otherwise ? ', ' : ' ';
  switch (marker.state) {
    case 'open':
      return otherwise ? '[ ]' : '[]';
    case 'blocked': {
      const note = marker.note === undefined ? '' : noteInside(marker.note);
      return note === '' ? (otherwise ? '[⏰ ]' : '[⏰]') : `[⏰ ${note}${otherwise ? ' ' : ''}]`;
    }
    case 'in_progress':
      return marker.id ? `[🟡${gap}${marker.id}]` : otherwise ? '[🟡 ]' : '[🟡]';
    case 'failed':
      return marker.id ? `[❌${gap}${marker.id}]` : otherwise ? '[❌ ]' : '[❌]';
    case 'done': {
      const words = [marker.hash ?? (marker.id ? '-' : undefined), marker.id].filter((word) => word !== undefined);
      return words.length > 0 ? `[✅${gap}${words.join(', ')}]` : otherwise ? '[✅ ]' : '[✅]';
    }
    case 'cancelled':
      return otherwise ? '[- ]' : '[-]';
  }
}

/** True for markers without an emoji, which need white space after them: `[]string` is text. */
export function needsSpaceAfter(marker: Marker): boolean {
  return marker.state === 'open' || marker.state === 'cancelled';
}

export function sameMarker(one: Marker, other: Marker): boolean {
  return one.state === other.state && one.id === other.id && one.hash === other.hash && one.note === other.note;
}

function closingBracket(text: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5d) return at;
    if (unit === 0x5b) return -1;
  }
  return -1;
}

function insideOf(text: string, start: number, end: number, escaped: boolean): string {
  if (start === end) return '';
  const stop = escaped && text.charCodeAt(end - 1) === 0x5c ? end - 1 : end;
  return trimWhite(text.slice(start, stop).replace(/[\ufe0e\ufe0f]/g, ''));
}

function isPlain(inside: string): boolean {
  return Object.hasOwn(PLAIN, inside);
}

function markerOf(inside: string): Marker | undefined {
  if (isPlain(inside)) return PLAIN[inside];
  const found = SIGNS.find(({ sign }) => inside.startsWith(sign));
  if (!found) return undefined;
  const rest = trimWhite(inside.slice(found.sign.length));
  return found.state === 'blocked' ? blocked(rest) : withWords(found.state, rest);
}

function blocked(rest: string): Marker {
  const note = rest.startsWith(',') ? trimWhite(rest.slice(1)) : rest;
  return note === '' ? { state: 'blocked' } : { state: 'blocked', note };
}

/** Hash and id after a sign, with or without commas; any other words are kept as a note. */
function withWords(state: MarkerState, rest: string): Marker {
  if (rest === '') return { state };
  const words = rest.split(/[,\s]/).filter((word) => word !== '');
  let hash: string | undefined;
  let id: string | undefined;
  for (const word of words) {
    if (state === 'done' && hash === undefined && id === undefined && isHash(word)) hash = word;
    else if (id === undefined && isId(word)) id = word;
    else return { state, ...(hash !== undefined && { hash }), ...(id !== undefined && { id }), note: rest };
  }
  return { state, ...(id !== undefined && { id }), ...(hash !== undefined && { hash }) };
}

function noteInside(note: string): string {
  return trimWhite(note.replace(/[[\]\\]|<!--|-->/g, ' ').replace(/\p{Cc}/gu, ' ')).replace(/^,/, '');
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function isOdd(inside: string): boolean {
  if (inside.length === 0 || inside.length > ODD_UNITS_MAX) return false;
  let count = 0;
  for (const _ of graphemes.segment(inside)) if (++count > ODD_GRAPHEMES_MAX) return false;
  return true;
}
