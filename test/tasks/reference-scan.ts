/**
 * The scanner's rules once more, slow and written in another way: lines split by a regular expression, and every
 * question about what a line belongs to answered by looking back over all lines above it. The oracle of the scanner's
 * properties; never used on anything large.
 */
import type { MarkerState } from '../../src/tasks/task.ts';

export type ReferenceTask = {
  readonly line: number;
  readonly column: number;
  readonly state: MarkerState;
  readonly id: string | undefined;
  readonly hash: string | undefined;
  readonly note: string | undefined;
  readonly parentLine: number | undefined;
  /** Line of the H3–H6 above, or undefined. */
  readonly phaseLine: number | undefined;
  /** Line of the H1 or H2 above, or undefined. */
  readonly sectionLine: number | undefined;
  /** `line:kind` of its own details, blank lines left out. */
  readonly details: readonly string[];
};

export type Reference = { readonly tasks: readonly ReferenceTask[]; readonly oddLines: readonly number[]; readonly sectionLines: readonly number[] };

const WHITE = '[\\t\\v\\f \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000]';
const re = (source: string, flags = '') => new RegExp(source.replaceAll('~W', WHITE), flags);

type Kind = 'blank' | 'heading' | 'task' | 'text' | 'quote' | 'fence' | 'comment' | 'front';
type Line = {
  readonly text: string;
  readonly indent: number;
  kind: Kind;
  /** Part of something that hides its content, beginning with the line after the one that opened it. */
  inside: boolean;
  /** The task that hidden lines go to. */
  owner: number | undefined;
  contents: number[];
  marker?: { state: MarkerState; id?: string; hash?: string; note?: string; column: number };
  level?: number;
};

export function referenceScan(source: string): Reference {
  const lines: Line[] = source
    .split(/\r\n|\n|\r/)
    .map((text) => ({ text, indent: indentOf(text), kind: 'text', inside: false, owner: undefined, contents: [] }));
  if (/(\r\n|\n|\r)$/.test(source)) lines.pop();
  if (source === '') lines.length = 0;
  const oddLines = new Set<number>();
  const starts: { line: number; level: number }[] = [];
  let paragraph: number | undefined;
  let lazy = false;
  let behindTask = false;
  let at = frontMatterLines(lines);
  for (let index = 0; index < at; index++) lines[index]!.kind = 'front';

  while (at < lines.length) {
    const line = lines[at]!;
    const body = line.text.replace(re('^~W+'), '');
    if (body === '') {
      line.kind = 'blank';
      paragraph = undefined;
      lazy = false;
      at++;
      continue;
    }
    const open = openContents(lines, at);
    const owner = ownerOf(lines, at);
    const atx = re('^(#{1,6})(?:~W+(.*))?$').exec(body);
    const worktree = atx?.[1] === '##' && re('^git[ \\t\\u00a0]{1,8}worktree(?:[ \\t\\u00a0:]|$)', 'i').test(atx[2] ?? '');
    if (atx && line.indent <= 3 && ((open.length === 0 && owner === undefined) || worktree)) {
      line.kind = 'heading';
      line.level = atx[1]!.length;
      starts.push({ line: at, level: line.level });
      paragraph = undefined;
      lazy = false;
      at++;
      continue;
    }
    const underline = re('^(=+|-+)~W*$').exec(body);
    if (underline && line.indent <= 3 && paragraph !== undefined) {
      line.kind = 'heading';
      line.level = underline[1]!.startsWith('=') ? 1 : 2;
      starts.push({ line: paragraph, level: line.level });
      for (let index = paragraph; index < at; index++) oddLines.delete(index);
      paragraph = undefined;
      lazy = false;
      at++;
      continue;
    }
    const rule = re('^(?:(?:-~W*){3,}|(?:\\*~W*){3,}|(?:_~W*){3,})$').test(body);
    let rest = body;
    let column = line.indent;
    const bulletOf = (words: string) => (rule ? null : re('^([-*+]|\\d{1,9}[.)])(~W+|$)').exec(words));
    for (let bullet = bulletOf(rest); bullet; bullet = bulletOf(rest)) {
      const after = column + bullet[1]!.length;
      const content = widthFrom(bullet[2]!, after);
      rest = rest.slice(bullet[0].length);
      line.contents.push(rest === '' || content - after > 4 ? after + 1 : content);
      column = content;
    }
    const inItem = open.length > 0 || line.contents.length > 0;
    const bracket = bracketOf(rest);
    if (bracket === 'odd') oddLines.add(at);
    if (bracket && bracket !== 'odd' && !rule) {
      line.kind = 'task';
      line.marker = { ...bracket, column: line.text.length - rest.length + 1 };
      paragraph = undefined;
      if (owner === undefined) behindTask = inItem;
      lazy = behindTask;
      at = skipComment(lines, at, at);
      continue;
    }
    if (!rule && rest.startsWith('>')) {
      line.kind = 'quote';
      line.owner = owner;
      paragraph = undefined;
      lazy = owner === undefined ? true : behindTask;
      at++;
      continue;
    }
    const hider = rule ? undefined : hiderOf(rest, line, open, owner === undefined ? undefined : lines[owner]!, line.contents);
    if (hider) {
      line.kind = hider.kind;
      line.owner = owner;
      paragraph = undefined;
      lazy = owner !== undefined && behindTask;
      at = skipHidden(lines, at, owner, hider);
      continue;
    }
    line.owner = owner;
    if (rule) {
      paragraph = undefined;
      lazy = owner !== undefined && behindTask;
      at++;
      continue;
    }
    if (owner !== undefined || inItem) paragraph = undefined;
    if (owner !== undefined) {
      // Details are no paragraph.
    } else if (paragraph === undefined && ((rest.startsWith('<') && rest === body) || (rest === body && /^\[[^\]]+\]:/.test(body.slice(0, 200))))) lazy = true;
    else if (!inItem && !lazy && line.indent <= 3) paragraph ??= at;
    if (owner !== undefined) lazy = behindTask;
    else if (inItem) lazy = true;
    at = skipComment(lines, at, owner);
  }
  return gather(lines, starts, oddLines);
}

// ── looking back ─────────────────────────────────────────────────────────────────────────────────

/** Nearest task above that this line is indented deeper than, with nothing in between that is not. */
function ownerOf(lines: readonly Line[], at: number): number | undefined {
  let least = lines[at]!.indent;
  for (let index = at - 1; index >= 0; index--) {
    const line = lines[index]!;
    if (line.kind === 'heading' || line.kind === 'front') return undefined;
    if (line.kind === 'blank' || line.inside) continue;
    if (line.kind === 'task' && line.indent < least) return index;
    least = Math.min(least, line.indent);
  }
  return undefined;
}

/** Content columns of the list items above whose content all lines since have been indented to. */
function openContents(lines: readonly Line[], at: number): number[] {
  const open: number[] = [];
  let least = lines[at]!.indent;
  for (let index = at - 1; index >= 0; index--) {
    const line = lines[index]!;
    if (line.kind === 'heading' || line.kind === 'front') break;
    if (line.kind === 'blank' || line.inside) continue;
    open.push(...line.contents.filter((content) => content <= least));
    least = Math.min(least, line.indent);
  }
  return open;
}

// ── what hides ───────────────────────────────────────────────────────────────────────────────────

type Hider = { readonly kind: 'fence' | 'comment'; readonly container: number; readonly ends: (line: Line) => boolean; readonly oneLine: boolean };

function hiderOf(rest: string, line: Line, open: readonly number[], owner: Line | undefined, contents: readonly number[]): Hider | undefined {
  const item = contents.length > 0 ? contents.at(-1)! : Math.max(0, ...open);
  const column = contents.length > 0 ? item : line.indent;
  const deep = column - item > 3;
  const container = deep && owner ? Math.max(item, owner.indent + 1) : item;
  const fence = /^(`{3,})[^`]*$/.exec(rest) ?? /^(~{3,})/.exec(rest);
  if (fence) {
    const columnMax = (column - container <= 3 ? container : column) + 3;
    const closing = re(`^~W*${fence[1]![0]}{${fence[1]!.length},}~W*$`.replace(/^\^~W\*~/, '^~W*[~]'));
    return { kind: 'fence', container, oneLine: false, ends: ({ text, indent }) => indent <= columnMax && closing.test(text) };
  }
  const html: [RegExp, RegExp][] = [
    [/^<!--/, /-->/],
    [/^<\?/, /\?>/],
    [/^<!\[CDATA\[/, /\]\]>/i],
    [/^<(script|pre|style|textarea)(\s|>|$)/i, /<\/(script|pre|style|textarea)>/i],
  ];
  const found = html.find(([opening]) => opening.test(rest));
  return found && { kind: 'comment', container, oneLine: found[1].test(rest.slice(2)), ends: ({ text }) => found[1].test(text) };
}

function skipHidden(lines: Line[], at: number, owner: number | undefined, hider: Hider): number {
  if (hider.oneLine) return at + 1;
  for (let index = at + 1; index < lines.length; index++) {
    const line = lines[index]!;
    const blank = re('^~W*$').test(line.text);
    if (!blank && line.indent < hider.container) return index;
    line.kind = blank ? 'blank' : hider.kind;
    line.inside = true;
    line.owner = owner;
    if (!blank && hider.ends(line)) return index + 1;
  }
  return lines.length;
}

/** After a line of text: past the lines of a comment that goes on below it in the same paragraph. */
function skipComment(lines: Line[], at: number, owner: number | undefined): number {
  const line = lines[at]!;
  if (!opensComment(line.text.replace(re('^~W+'), ''))) return at + 1;
  for (let index = at + 1; index < lines.length; index++) {
    const { text } = lines[index]!;
    if (interrupts(text)) return at + 1;
    if (!text.includes('-->')) continue;
    for (let inner = at + 1; inner <= index; inner++) Object.assign(lines[inner]!, { kind: 'comment', inside: true, owner });
    return index + 1;
  }
  return at + 1;
}

function opensComment(body: string): boolean {
  let rest = body;
  for (;;) {
    const found = /(?<!`)(`+)(?!`)|(?<!(?<!\\)(?:\\\\)*\\)<!--/.exec(rest);
    if (!found) return false;
    if (found[0] === '<!--') {
      const close = /^<!--(?:-?>|[^]*?-->)/.exec(rest.slice(found.index));
      if (!close) return true;
      rest = rest.slice(found.index + close[0].length);
      continue;
    }
    const before = /\\*$/.exec(rest.slice(0, found.index))![0].length % 2 === 1 ? 1 : 0;
    const length = found[1]!.length - before;
    const after = rest.slice(found.index + found[1]!.length);
    const close = length === 0 ? null : new RegExp(`(?<!\`)\`{${length}}(?!\`)`).exec(after);
    rest = close ? after.slice(close.index + length) : after;
  }
}

function interrupts(text: string): boolean {
  const body = text.replace(re('^~W+'), '');
  if (body === '' || /^[>#]/.test(body)) return true;
  if (re('^(?:[-*+]|\\d{1,9}[.)])(?:~W|$)').test(body)) return true;
  if (re('^(?:=+|-+)~W*$').test(body) || re('^(?:(?:-~W*){3,}|(?:\\*~W*){3,}|(?:_~W*){3,})$').test(body)) return true;
  if (/^(```|~~~)/.test(body)) return true;
  return /^(<!--|<\?|<!\[CDATA\[|<(script|pre|style|textarea)(\s|>|$))/i.test(body);
}

// ── small things ─────────────────────────────────────────────────────────────────────────────────

function indentOf(text: string): number {
  return widthFrom(re('^~W*').exec(text)![0], 0);
}

function widthFrom(white: string, from: number): number {
  return white.split('').reduce((column, character) => (character === '\t' ? column + 4 - (column % 4) : column + 1), from);
}

function frontMatterLines(lines: readonly Line[]): number {
  if (lines.length === 0 || !re('^---~W*$').test(lines[0]!.text)) return 0;
  const close = lines.findIndex(({ text }, index) => index > 0 && index < 400 && re('^(---|\\.\\.\\.)~W*$').test(text));
  return close < 0 ? 0 : close + 1;
}

function bracketOf(rest: string): 'odd' | { state: MarkerState; id?: string; hash?: string; note?: string } | undefined {
  const match = /^(\\?)\[([^[\]]*)\]([^]?)/.exec(rest);
  if (!match || match[2]!.length >= 998 || /[([:]/.test(match[3]!)) return undefined;
  const apart = match[3] === '' || re('^~W$').test(match[3]!);
  const inside = (match[1] ? match[2]!.replace(/\\$/, '') : match[2]!).replace(/[\ufe0e\ufe0f]/g, '').replace(re('^~W+|~W+$', 'g'), '');
  const plain: Record<string, MarkerState> = { '': 'open', x: 'done', X: 'done', '-': 'cancelled' };
  if (inside in plain) return apart ? { state: plain[inside]! } : 'odd';
  const sign = /^(⏰|🟡|✅|❌)([^]*)$/u.exec(inside);
  if (!sign) return [...new Intl.Segmenter('en').segment(inside)].length <= 3 && inside.length <= 60 ? 'odd' : undefined;
  const words = sign[2]!.replace(re('^~W+', ''), '');
  if (sign[1] === '⏰') {
    const note = words.replace(re('^,~W*'), '');
    return note === '' ? { state: 'blocked' } : { state: 'blocked', note };
  }
  const states: Record<string, MarkerState> = { '🟡': 'in_progress', '✅': 'done', '❌': 'failed' };
  const state = states[sign[1]!]!;
  const tokens = words.split(/[,\s]/).filter(Boolean);
  const hash = state === 'done' && /^(-|[0-9a-f]{4,64})$/.test(tokens[0] ?? '') ? tokens.shift() : undefined;
  const id = /^[g-z][0-9a-z]{7}$/.test(tokens[0] ?? '') ? tokens.shift() : undefined;
  return { state, ...(hash && { hash }), ...(id && { id }), ...(tokens.length > 0 && { note: words }) };
}

function gather(lines: readonly Line[], starts: readonly { line: number; level: number }[], oddLines: ReadonlySet<number>): Reference {
  const sections = starts.filter(({ level }) => level <= 2).map(({ line }) => line);
  const tasks = lines.flatMap((line, index): ReferenceTask[] => {
    if (!line.marker) return [];
    const { column, state, id, hash, note } = line.marker;
    const sectionLine = sections.findLast((start) => start <= index);
    const phaseLine = starts.findLast((start) => start.line <= index && start.level > 2 && start.line >= (sectionLine ?? 0))?.line;
    const details = lines.flatMap((other, at) => (other.owner === index && other.kind !== 'blank' ? [`${at}:${other.kind}`] : []));
    return [{ line: index, column, state, id, hash, note, parentLine: ownerOf(lines, index), phaseLine, sectionLine, details }];
  });
  return { tasks, oddLines: [...oddLines].sort((one, other) => one - other), sectionLines: sections };
}
