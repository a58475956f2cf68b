/**
 * Text in columns: widths as a terminal counts them, cells that share what room there is, colours only where they are wanted.
 * Knows nothing of tasks. Takes text that is already safe to show.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

export type Look = {
  /** Columns; undefined = nothing is shortened. */
  readonly width: number | undefined;
  readonly color: boolean;
  readonly now: number;
};

export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'busy' | 'name' | 'warn';

const STYLES: Readonly<Record<Exclude<Tone, 'plain'>, Parameters<typeof styleText>[0]>> = {
  strong: 'bold',
  faint: 'dim',
  good: 'green',
  bad: 'red',
  busy: 'yellow',
  name: 'cyan',
  warn: 'yellow',
};

export function paint(look: Pick<Look, 'color'>, tone: Tone, text: string): string {
  return look.color && tone !== 'plain' && text !== '' ? styleText(STYLES[tone], text, { validateStream: false }) : text;
}

/** White space of any kind as one space: for a cell, a title, a line of a list. */
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

export type Cell = { readonly text: string; readonly tone?: Tone };
export type Column = {
  readonly header?: string;
  readonly align?: 'left' | 'right';
  /** Takes the room that is left and gives it up first, down to this many columns. */
  readonly shrinksTo?: number;
  /** Left out where there is no room, the highest first. */
  readonly dropOrder?: number;
};

const GAP = '  ';

/** One line per row, and one for the headers where any is given. Empty columns are left out. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Look, indent = ''): string[] {
  const cells = rows.map((row) => columns.map((_, at) => ({ tone: row[at]?.tone ?? ('plain' as const), text: oneLine(row[at]?.text ?? '') })));
  const kept = columns
    .map((column, at) => ({ column, at, width: Math.max(0, ...cells.map((row) => displayWidth(row[at]?.text ?? ''))) }))
    .filter(({ width }) => width > 0);
  for (const entry of kept) entry.width = Math.max(entry.width, displayWidth(entry.column.header ?? ''));
  const fitted = fit(kept, look.width === undefined ? undefined : look.width - displayWidth(indent));
  const header = fitted.some(({ column }) => column.header !== undefined)
    ? [
        line(
          fitted.map(({ column, width }) => pad({ text: column.header ?? '', tone: 'faint' }, width, column.align, look)),
          indent,
        ),
      ]
    : [];
  return [
    ...header,
    ...cells.map((row) =>
      line(
        fitted.map(({ column, at, width }) => pad(row[at] ?? { text: '' }, width, column.align, look)),
        indent,
      ),
    ),
  ];
}

type Fitted = { readonly column: Column; readonly at: number; width: number };

/** Shrinks what may shrink, then drops what may be dropped. */
function fit(all: readonly Fitted[], room: number | undefined): Fitted[] {
  let kept = [...all];
  if (room === undefined) return kept;
  for (;;) {
    const tooMuch = kept.reduce((sum, { width }) => sum + width, GAP.length * (kept.length - 1)) - room;
    if (tooMuch <= 0) return kept;
    const spare = kept.reduce((sum, { column, width }) => sum + Math.max(0, width - (column.shrinksTo ?? width)), 0);
    const drop = kept.filter(({ column }) => column.dropOrder !== undefined).sort((a, b) => (b.column.dropOrder ?? 0) - (a.column.dropOrder ?? 0))[0];
    if (spare < tooMuch && drop) {
      kept = kept.filter((entry) => entry !== drop);
      continue;
    }
    return shrink(kept, tooMuch);
  }
}

/** The widest gives first. */
function shrink(kept: readonly Fitted[], tooMuch: number): Fitted[] {
  const result = kept.map((entry) => ({ ...entry }));
  for (let left = tooMuch; left > 0; left--) {
    const widest = result.filter(({ column, width }) => width > (column.shrinksTo ?? width)).sort((a, b) => b.width - a.width)[0];
    if (!widest) break;
    widest.width--;
  }
  return result;
}

function pad(cell: Cell, width: number, align: Column['align'], look: Look): string {
  const text = shorten(cell.text, width);
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  const painted = paint(look, cell.tone ?? 'plain', text);
  return align === 'right' ? space + painted : painted + space;
}

const line = (parts: readonly string[], indent: string): string => (indent + parts.join(GAP)).trimEnd();

/** At most `width` columns, the end replaced by `…`. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let used = 0;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    const next = displayWidth(segment);
    if (used + next > width - 1) break;
    used += next;
    kept += segment;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/** Broken at spaces, each line at most `width` columns behind `indent`; a word that is longer stands alone. */
export function wrap(text: string, look: Look, indent = '', rest = indent): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let current = lines.length === 0 ? indent : rest;
    let empty = true;
    for (const word of paragraph.split(/[^\S\u00a0]+/).filter((part) => part !== '')) {
      if (!empty && look.width !== undefined && displayWidth(current) + 1 + displayWidth(word) > look.width) {
        lines.push(current);
        current = rest;
        empty = true;
      }
      current += empty ? word : ` ${word}`;
      empty = false;
    }
    lines.push(current.trimEnd());
  }
  return lines;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const SIMPLE = /^[\u0020-\u007e]*$/;
const WIDE = /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u;
const NARROW = /^[\uff61-\uffdc]/u;
const NO_WIDTH = /^(?:\p{Mark}|\p{Default_Ignorable_Code_Point})+$/u;

/** Columns that a terminal gives it: 2 for emoji and East Asian wide characters, 0 for marks that stand alone. */
export function displayWidth(painted: string): number {
  const text = painted.includes('\u001b') ? stripVTControlCharacters(painted) : painted;
  if (SIMPLE.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOf(segment);
  return width;
}

function widthOf(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  if (NARROW.test(grapheme)) return 1;
  return WIDE.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1;
}
