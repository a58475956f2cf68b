/**
 * Brackets that stand where no task can be: inside a line, in a quote that went on from the line above, or broken over two lines.
 * Never those in code, comments and fences.
 */
import { codeSpans } from './inline.ts';
import { readBracket } from './marker.ts';
import type { Marker, Board, Section, Span } from './task.ts';
import { isWhite, skipWhite } from './white.ts';

const LOOSE_MAX = 2000;

/** Offsets of markers that stand in a line's text as words of their own, outside code. Those with a backslash count if `escaped`. */
export function markersIn(line: string, escaped = false): readonly (Span & { readonly marker: Marker })[] {
  const found: (Span & { readonly marker: Marker })[] = [];
  let code: readonly Span[] | undefined;
  let codeAt = 0;
  for (let at = line.indexOf('['); at >= 0; at = line.indexOf('[', at + 1)) {
    const slash = at > 0 && line.charCodeAt(at - 1) === 0x5c;
    const start = slash ? at - 1 : at;
    if ((slash && !escaped) || (start > 0 && !isWhite(line.charCodeAt(start - 1)))) continue;
    const bracket = readBracket(line, start, line.length);
    if (bracket?.kind !== 'marker') continue;
    code ??= codeSpans(line);
    while (codeAt < code.length && code[codeAt]!.end <= at) codeAt++;
    if (codeAt < code.length && code[codeAt]!.start < at) continue;
    found.push({ start, end: bracket.end, marker: bracket.marker });
  }
  return found;
}

/** Offsets behind such brackets, in the sections that are asked for. */
export function looseEnds(board: Board, asked: (section: Section) => boolean): readonly number[] {
  const found: number[] = [];
  for (const [index, section] of board.sections.entries()) {
    if (!asked(section)) continue;
    const start = board.starts[index]!;
    const heads = new Set(section.tasks.map((task) => start + task.markerSpan.end));
    for (const line of visibleLines(board.text, start, start + section.length)) {
      for (const end of bracketEnds(board.text, line)) if (!heads.has(end) && found.length < LOOSE_MAX) found.push(end);
    }
  }
  return found;
}

function bracketEnds(text: string, { start, end, first, goesOn }: Line): readonly number[] {
  const line = text.slice(start, end);
  const ends: number[] = [];
  let code: readonly Span[] | undefined;
  for (let at = line.indexOf(']'); at >= 0 && ends.length < LOOSE_MAX; at = line.indexOf(']', at + 1)) {
    if (at + 1 < line.length && !isWhite(line.charCodeAt(at + 1))) continue;
    const open = line.lastIndexOf('[', at);
    // A line that begins with a bracket is as a person wrote it, whatever is in it.
    if (open >= 0 && !goesOn && start + (line[open - 1] === '\\' ? open - 1 : open) === first) continue;
    code ??= codeSpans(line);
    if (!code.some((span) => span.start < at && at < span.end)) ends.push(start + at + 1);
  }
  return ends;
}

type Line = { readonly start: number; readonly end: number; readonly first: number; readonly goesOn: boolean };

/** Lines outside fences and comments, as far as a look at their beginnings tells. `first` = where the words begin, behind a bullet or a quote's sign. */
function* visibleLines(text: string, start: number, end: number): Generator<Line> {
  let fence = '';
  let comment = false;
  let quoted = false;
  for (let at = start; at < end;) {
    const feed = text.indexOf('\n', at);
    const stop = feed < 0 || feed > end ? end : feed;
    const line = text.slice(at, stop);
    const words = line.trimStart();
    const opens = /^(?:`{3,}|~{3,})/.exec(words)?.[0] ?? '';
    const inside = fence !== '' || comment;
    if (fence !== '') fence = opens.startsWith(fence) ? '' : fence;
    else if (!comment) fence = opens;
    comment = comment ? !line.includes('-->') : fence === '' && line.lastIndexOf('<!--') > line.lastIndexOf('-->');
    const isQuote = words.startsWith('>');
    const sign = skipWhite(text, at, stop);
    if (!inside && fence === '' && !comment && !line.includes('<!--'))
      yield { start: at, end: stop, first: isQuote ? skipWhite(text, sign + 1, stop) : sign + bulletLength(words), goesOn: isQuote && quoted };
    quoted = isQuote && words.length > 1;
    at = stop + 1;
  }
}

const bulletLength = (words: string): number => /^(?:[-*+]|\d{1,9}[.)])[ \t]+/.exec(words)?.[0].length ?? 0;
