/**
 * Which files a task is about, and whether two tasks may meet in one (3-R5). Globs are compared as texts first; where both are
 * open, the files of the branch's tip decide: a common match meets, and so does a glob that matches nothing yet. Errs on the
 * side of meeting. Never reads a file: the tip's list is handed in.
 */
import picomatch from 'picomatch';
import type { Field } from '../tasks/task.ts';
import type { Run } from './run.ts';

/** The paths in a branch's tip; the same array for the same tip. */
export type TipFiles = readonly string[];

export type Meeting = 'apart' | 'meet' /** The tip's files would tell. */ | 'unsure';

/** What a `files:` field names; undefined where there is none. */
export function filesField(fields: readonly Field[]): readonly string[] | undefined {
  const values = fields.filter(({ key, value }) => key === 'files' && value.trim() !== '');
  return values.length === 0 ? undefined : values.flatMap(({ value }) => globsIn(value));
}

/** What a run is about: its task's field, else what its plan named, else unknown. */
export function filesOfRun(run: Run): readonly string[] | undefined {
  const named = filesField(run.task.fields) ?? run.found.files?.flatMap(globsIn);
  return named !== undefined && named.length > 0 ? named : undefined;
}

/** Whether work on the one may touch a file of the other; unknown files are taken as free. */
export function meeting(one: readonly string[] | undefined, other: readonly string[] | undefined, tip: TipFiles | undefined): Meeting {
  let found: Meeting = 'apart';
  for (const a of one ?? []) {
    for (const b of other ?? []) {
      const pair = pairMeets(a, b, tip);
      if (pair === 'meet') return 'meet';
      if (pair === 'unsure') found = 'unsure';
    }
  }
  return found;
}

/** The globs in a line: between commas, and word by word where somebody left the commas out. */
function globsIn(text: string): string[] {
  const parts = text.split(/[,\n]/).map(bare);
  const words = parts.flatMap((part) => (/\s/.test(part) ? part.split(/\s+/).map(bare) : []));
  return [...new Set([...parts, ...words])].filter((part) => part !== '');
}

const bare = (text: string): string =>
  text
    .trim()
    .replace(/^[`"'(]+|[`"')]+$/g, '')
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '');

const OPEN = /[*?[\]{}()!+@]/;
const isOpen = (glob: string): boolean => OPEN.test(glob);

function pairMeets(a: string, b: string, tip: TipFiles | undefined): Meeting {
  if (!textsMeet(partsOf(a), partsOf(b))) return 'apart';
  // A path that is named stands for itself, whether it is there already or not.
  if (!isOpen(a) || !isOpen(b)) return 'meet';
  if (!tip) return 'unsure';
  const [inA, inB] = [matches(tip, a), matches(tip, b)];
  // A glob that matches nothing is about files to come: nobody knows which.
  if (inA.size === 0 || inB.size === 0) return 'meet';
  const [few, many] = inA.size < inB.size ? [inA, inB] : [inB, inA];
  for (const at of few) if (many.has(at)) return 'meet';
  return 'apart';
}

const found = new WeakMap<TipFiles, Map<string, ReadonlySet<number>>>();

/** Indices of the files that a glob matches; worked out once for each tip. */
function matches(tip: TipFiles, glob: string): ReadonlySet<number> {
  const known = found.get(tip) ?? new Map<string, ReadonlySet<number>>();
  found.set(tip, known);
  const before = known.get(glob);
  if (before) return before;
  const test = picomatch([glob, `${glob}/**`], { dot: true, nocase: true });
  const at = new Set<number>();
  tip.forEach((path, index) => {
    if (test(path)) at.add(index);
  });
  known.set(glob, at);
  return at;
}

// ── as texts ─────────────────────────────────────────────────────────────────────────────────────

/** A part of a path: a name, a pattern with what surely stands at its start and end, or any number of parts. */
type Part =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'open'; readonly head: string; readonly tail: string }
  | { readonly kind: 'any' };

function partsOf(glob: string): Part[] {
  const parts: Part[] = [];
  // Letters' case differs from one file system to the next.
  for (const text of glob.toLowerCase().split('/')) {
    const depth = text.split('{').length - text.split('}').length + text.split('(').length - text.split(')').length;
    // An alternative that goes over several parts, or `**`: anything may follow.
    if (text.includes('**') || depth !== 0) {
      parts.push({ kind: 'any' });
      if (depth !== 0) return parts;
    } else if (isOpen(text)) {
      const tail = /[^*?[\]{}()!+@]*$/.exec(text)?.[0] ?? '';
      // After a bracket or a group what comes at the end is still the end; before one, `a+` is no `a`.
      parts.push({ kind: 'open', head: /^[^*?[\]{}()!+@]*(?=[*?])/.exec(text)?.[0] ?? '', tail });
    } else parts.push({ kind: 'name', text });
  }
  return parts;
}

/** Whether any path could be one of both; a path stands for all below it. */
function textsMeet(a: readonly Part[], b: readonly Part[]): boolean {
  const [first, second] = [a[0], b[0]];
  if (!first || !second) return true;
  if (first.kind === 'any') return textsMeet(a.slice(1), b) || (b.length > 0 && textsMeet(a, b.slice(1)));
  if (second.kind === 'any') return textsMeet(b, a);
  return partsMeet(first, second) && textsMeet(a.slice(1), b.slice(1));
}

function partsMeet(a: Exclude<Part, { kind: 'any' }>, b: Exclude<Part, { kind: 'any' }>): boolean {
  if (a.kind === 'name' && b.kind === 'name') return a.text === b.text;
  if (a.kind === 'name') return b.kind === 'open' && a.text.startsWith(b.head) && a.text.endsWith(b.tail);
  if (b.kind === 'name') return partsMeet(b, a);
  return (a.head.startsWith(b.head) || b.head.startsWith(a.head)) && (a.tail.endsWith(b.tail) || b.tail.endsWith(a.tail));
}
