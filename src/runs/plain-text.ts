/**
 * Text of tasks and agents, made safe to show (13-R2): control characters and terminal sequences go, what would
 * reorder or hide text becomes visible. Line feeds and tabs stay. Linear; never shortens or translates words.
 */

const ESC = 0x1b;
const LONGEST_SEQUENCE = 4096;

/** `text` without anything that a terminal would obey. */
export function plainText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    const shown = shownAs(unit, text.charCodeAt(at - 1), text.charCodeAt(at + 1));
    if (shown === undefined) {
      at++;
      continue;
    }
    parts.push(text.slice(from, at), shown);
    at = from = isControl(unit) ? sequenceEnd(text, at) : at + 1;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/** What stands in a character's place; undefined = the character itself. */
function shownAs(unit: number, before: number, after: number): string | undefined {
  if (isControl(unit)) return '';
  if (BIDI.has(unit)) return `<U+${unit.toString(16).toUpperCase().padStart(4, '0')}>`;
  if (unit === 0x2028 || unit === 0x2029) return '\n';
  if (unit >= 0xd800 && unit <= 0xdbff) return after >= 0xdc00 && after <= 0xdfff ? undefined : '\ufffd';
  if (unit >= 0xdc00 && unit <= 0xdfff) return before >= 0xd800 && before <= 0xdbff ? undefined : '\ufffd';
  return undefined;
}

const isControl = (unit: number): boolean => (unit < 0x20 && unit !== 0x0a && unit !== 0x09) || (unit >= 0x7f && unit <= 0x9f);

/** Marks, embeddings, overrides and isolates: they make text read otherwise than it is. */
const BIDI: ReadonlySet<number> = new Set([0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069]);

/** One class, one pass: nearly all text has none of these. */
// oxlint-disable-next-line no-control-regex -- it looks for them
const SUSPECT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/;

/** The offset after the control character at `at`, and after the sequence that it begins. */
function sequenceEnd(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  const [kind, start] = unit === ESC ? [text.charCodeAt(at + 1), at + 2] : [unit - 0x40, at + 1];
  // After ESC, and as a C1 character less 0x40: `[` CSI, `]` OSC, `P` DCS, `X` SOS, `^` PM, `_` APC.
  if (kind === 0x5b) return csiEnd(text, start);
  if (STRINGS.has(kind)) return stringEnd(text, start);
  if (unit !== ESC) return at + 1;
  return escapeEnd(text, at + 1);
}

const STRINGS: ReadonlySet<number> = new Set([0x5d, 0x50, 0x58, 0x5e, 0x5f]);

/** Parameters, intermediates, one final; a sequence that breaks off ends where it breaks. */
function csiEnd(text: string, start: number): number {
  let at = start;
  while (at - start < LONGEST_SEQUENCE && between(text.charCodeAt(at), 0x20, 0x3f)) at++;
  return between(text.charCodeAt(at), 0x40, 0x7e) ? at + 1 : at;
}

/** Up to BEL or ST on the same line, else only what began it: the rest is harmless without that. */
function stringEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + LONGEST_SEQUENCE);
  for (let at = start; at < limit; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x07 || unit === 0x9c) return at + 1;
    if (unit === ESC) return text.charCodeAt(at + 1) === 0x5c ? at + 2 : at;
    if (unit === 0x0a) break;
  }
  return start;
}

/** `ESC ( B`, `ESC c`, …: intermediates and a final. */
function escapeEnd(text: string, start: number): number {
  let at = start;
  while (at - start < LONGEST_SEQUENCE && between(text.charCodeAt(at), 0x20, 0x2f)) at++;
  return between(text.charCodeAt(at), 0x30, 0x7e) ? at + 1 : start;
}

const between = (unit: number, low: number, high: number): boolean => unit >= low && unit <= high;
