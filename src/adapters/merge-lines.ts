/**
 * Two people's changes of one text, line by line, put together (diff3). Where both changed the same lines the newer
 * one stands and the count says so; where both only added, both additions stand. A task's line is the same line whatever
 * its marker says. Never drops a line that only one side touched, and never has one twice that both added.
 */

export type Merged = {
  readonly text: string;
  /** Places where the older side's lines gave way. */
  readonly conflicts: number;
};

/** Lines `[start, end)` of the base became `lines`. */
type Hunk = { readonly start: number; readonly end: number; readonly lines: readonly string[] };

/** Most lines inserted and deleted that are looked for; beyond it the whole middle counts as changed. */
const DISTANCE_MAX = 1000;

export function mergeLines(base: string, older: string, newer: string): Merged {
  if (older === newer || base === older) return { text: newer, conflicts: 0 };
  if (base === newer) return { text: older, conflicts: 0 };
  const lines = linesOf(base);
  const left = diff(lines, linesOf(older));
  const right = diff(lines, linesOf(newer));
  const own = left.map((hunk) => withoutShared(hunk, right));
  const out: string[] = [];
  let conflicts = 0;
  let at = 0;
  for (const region of regionsOf(own, right)) {
    out.push(...lines.slice(at, region.start));
    const ours = after(lines, region, region.left);
    const theirs = after(lines, region, region.right);
    const merged = mergeRegion(lines.slice(region.start, region.end), ours, theirs);
    out.push(...merged.lines);
    if (merged.conflict) conflicts++;
    at = region.end;
  }
  out.push(...lines.slice(at));
  return { text: joinLines(out), conflicts };
}

/** What the older side added right beside a change of the newer one that has the same lines is there already. */
function withoutShared(hunk: Hunk, others: readonly Hunk[]): Hunk {
  let { lines } = hunk;
  for (const other of others) {
    const touches = (hunk.start === hunk.end) !== (other.start === other.end) && (other.start === hunk.end || other.end === hunk.start);
    if (touches) lines = notIn(lines, other.lines);
  }
  return { ...hunk, lines };
}

function notIn(lines: readonly string[], others: readonly string[]): readonly string[] {
  return diff(lines, others).flatMap((hunk) => (isRemark(lines, hunk) ? [] : lines.slice(hunk.start, hunk.end)));
}

/** One task's line with another marker. */
function isRemark(lines: readonly string[], { start, end, lines: [line, ...more] }: Hunk): boolean {
  return end === start + 1 && line !== undefined && more.length === 0 && keyOf(lines[start] ?? '') === keyOf(line);
}

function mergeRegion(
  base: readonly string[],
  older: readonly string[],
  newer: readonly string[],
): { readonly lines: readonly string[]; readonly conflict: boolean } {
  if (same(older, newer) || same(base, older)) return { lines: newer, conflict: false };
  if (same(base, newer)) return { lines: older, conflict: false };
  if (base.length === 0) return { lines: union(older, newer), conflict: false };
  const took = diff(base, newer);
  if (took.every(({ lines }) => lines.length === 0)) return { lines: without(base, older, took), conflict: false };
  return { lines: newer, conflict: true };
}

/** The newer side only took lines away: what the older one put beside them stands; another marker on such a line goes with it. */
function without(base: readonly string[], older: readonly string[], took: readonly Hunk[]): string[] {
  const isTaken = (index: number): boolean => took.some(({ start, end }) => start <= index && index < end);
  const out: string[] = [];
  let at = 0;
  const keep = (end: number): void => {
    for (; at < end; at++) if (!isTaken(at)) out.push(base[at] ?? '');
  };
  for (const hunk of diff(base, older)) {
    keep(hunk.start);
    if (!isRemark(base, hunk) || !isTaken(hunk.start)) out.push(...hunk.lines);
    at = hunk.end;
  }
  keep(base.length);
  return out;
}

/** Both additions at one place: what they share once, the rest of each in its order, the older first. */
function union(older: readonly string[], newer: readonly string[]): string[] {
  const out: string[] = [];
  let at = 0;
  for (const hunk of diff(older, newer)) {
    out.push(...older.slice(at, isRemark(older, hunk) ? hunk.start : hunk.end), ...hunk.lines);
    at = hunk.end;
  }
  return [...out, ...older.slice(at)];
}

type Region = { readonly start: number; readonly end: number; readonly left: readonly Hunk[]; readonly right: readonly Hunk[] };

/** Changes of both sides that touch the same lines, together. */
function regionsOf(left: readonly Hunk[], right: readonly Hunk[]): Region[] {
  const regions: { start: number; end: number; left: Hunk[]; right: Hunk[] }[] = [];
  const all = [...left.map((hunk) => ({ hunk, side: 'left' as const })), ...right.map((hunk) => ({ hunk, side: 'right' as const }))];
  all.sort((a, b) => a.hunk.start - b.hunk.start || a.hunk.end - b.hunk.end);
  for (const { hunk, side } of all) {
    const last = regions.at(-1);
    const joins = last && (hunk.start < last.end || (last.start === last.end && hunk.start === last.start && hunk.end === last.end));
    const region = joins ? last : { start: hunk.start, end: hunk.end, left: [], right: [] };
    if (!joins) regions.push(region);
    region.end = Math.max(region.end, hunk.end);
    region[side].push(hunk);
  }
  return regions;
}

/** What one side made of a region. */
function after(lines: readonly string[], region: Region, hunks: readonly Hunk[]): string[] {
  const out: string[] = [];
  let at = region.start;
  for (const hunk of hunks) {
    out.push(...lines.slice(at, hunk.start), ...hunk.lines);
    at = hunk.end;
  }
  return [...out, ...lines.slice(at, region.end)];
}

/** Each line with its line end, so that a change of line ends is a change. */
function linesOf(text: string): string[] {
  const lines = text.split(/(?<=\n)/);
  return lines.length === 1 && lines[0] === '' ? [] : lines;
}

/** A line that was the last one and had no line end gets one where another follows. */
function joinLines(lines: readonly string[]): string {
  const ending = lines.find((line) => line.endsWith('\n'))?.endsWith('\r\n') ? '\r\n' : '\n';
  return lines.map((line, index) => (index < lines.length - 1 && !line.endsWith('\n') ? line + ending : line)).join('');
}

function diff(from: readonly string[], to: readonly string[]): Hunk[] {
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < from.length - head && tail < to.length - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  const a = from.slice(head, from.length - tail);
  const b = to.slice(head, to.length - tail);
  if (a.length === 0 && b.length === 0) return [];
  const steps = a.length === 0 || b.length === 0 ? undefined : shortest(a.map(keyOf), b.map(keyOf));
  if (!steps) return [{ start: head, end: head + a.length, lines: b }];
  return hunksOf(steps, a, b, head);
}

/** A line as what it is about: tasks without what their markers say. */
function keyOf(line: string): string {
  return line.replace(/^([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)\\?\[[^\]\n]{0,1000}\](?=[ \t])/u, '$1[]');
}

/** Pairs of equal lines, in order, by Myers' greedy algorithm; undefined where the texts are further apart than we look. */
function shortest(a: readonly string[], b: readonly string[]): (readonly [number, number])[] | undefined {
  const max = Math.min(a.length + b.length, DISTANCE_MAX);
  const offset = max + 1;
  const reach = new Int32Array(2 * max + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= max; d++) {
    trace.push(reach.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[offset + k - 1] ?? 0) < (reach[offset + k + 1] ?? 0));
      let x = down ? (reach[offset + k + 1] ?? 0) : (reach[offset + k - 1] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return undefined;
}

function walkBack(trace: readonly Int32Array[], aLength: number, bLength: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let x = aLength;
  let y = bLength;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d] ?? new Int32Array();
    const at = (k: number): number => reach[k + d + 1] ?? 0;
    const k = x - y;
    const before = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : at(before);
    const fromY = d === 0 ? 0 : fromX - before;
    while (x > fromX && y > fromY) pairs.push([--x, --y]);
    x = fromX;
    y = fromY;
  }
  return pairs.toReversed();
}

function hunksOf(pairs: readonly (readonly [number, number])[], a: readonly string[], b: readonly string[], shift: number): Hunk[] {
  const hunks: Hunk[] = [];
  let x = 0;
  let y = 0;
  for (const [nextX, nextY] of [...pairs, [a.length, b.length] as const]) {
    if (nextX > x || nextY > y) hunks.push({ start: shift + x, end: shift + nextX, lines: b.slice(y, nextY) });
    const line = b[nextY];
    if (line !== undefined && line !== a[nextX]) hunks.push({ start: shift + nextX, end: shift + nextX + 1, lines: [line] });
    x = nextX + 1;
    y = nextY + 1;
  }
  return hunks;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
