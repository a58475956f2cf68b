/**
 * Text to board: sections and tasks as values, with everything that a heading hands down. Sections that did not change
 * are the same objects as in the board before, and in a changed one the tasks that did not change are not read again.
 * Never throws, whatever the text.
 */
import { shareIds } from './ids.ts';
import { overlapOf, sameSection } from './overlap.ts';
import type { Overlap } from './overlap.ts';
import { buildSection, initiativeOf, NO_INITIATIVE } from './read-section.ts';
import type { Initiative } from './read-section.ts';
import { frontMatterEnd, scanSection } from './scan.ts';
import { cursorOf } from './scan-state.ts';
import type { Board, Section, Tag } from './task.ts';
import { tasksByText } from './wording.ts';

export type ParseOptions = {
  /** Spellings of tags that the config turns on (1.2-R1). */
  readonly labels: { readonly hash: boolean; readonly at: boolean; readonly todotxt: boolean };
  /** The names that `@name` may use. */
  readonly workers: readonly string[];
};

export const defaultParseOptions: ParseOptions = { labels: { hash: false, at: false, todotxt: false }, workers: [] };

/** How a board was read: needed to know what of it can be used again. */
type Reading = { readonly options: string; readonly frontMatter: number };
const readings = new WeakMap<Board, Reading>();

export function parse(text: string, options: ParseOptions, previous?: Board): Board {
  const reading: Reading = {
    options: JSON.stringify([options.labels.hash, options.labels.at, options.labels.todotxt, options.workers]),
    frontMatter: frontMatterEnd(text),
  };
  const before = previous && readings.get(previous);
  const usable = previous && before && before.options === reading.options && before.frontMatter === reading.frontMatter ? previous : undefined;
  if (usable && usable.text === text) return remember({ ...usable, fresh: new Set<string>() }, reading, usable);
  const known = usable ? overlapOf(usable, text) : undefined;
  const parts = readSections(text, options, reading.frontMatter, usable, known);
  return remember({ text, ...parts, fresh: freshIn(parts.sections, previous) }, reading, previous);
}

/** The same board with other news: for whoever made several steps since the caller's board. */
export function withFresh(board: Board, fresh: ReadonlySet<string>): Board {
  const reading = readings.get(board);
  const same = { ...board, fresh };
  return reading ? remember(same, reading, board) : same;
}

function remember(board: Board, reading: Reading, previous: Board | undefined): Board {
  readings.set(board, reading);
  if (previous) shareIds(previous, board);
  return board;
}

// ── which sections to read ───────────────────────────────────────────────────────────────────────

type Parts = { readonly sections: Section[]; readonly starts: number[]; readonly lines: number[] };

function readSections(text: string, options: ParseOptions, frontMatter: number, previous: Board | undefined, overlap: Overlap | undefined): Parts {
  const parts: Parts = previous && overlap ? firstSections(previous, overlap.head) : { sections: [], starts: [], lines: [] };
  const cursor = cursorOf(text);
  const reusable = previous && overlap ? tasksByText(previous, overlap) : undefined;
  let at = previous && overlap && overlap.head > 0 ? (previous.starts[overlap.head] ?? 0) : 0;
  let line = previous && overlap && overlap.head > 0 ? (previous.lines[overlap.head] ?? 0) : 0;
  while (at < text.length || parts.sections.length === 0) {
    const same = previous && overlap ? sameSection(previous, overlap, at) : -1;
    const last = parts.sections.at(-1);
    const initiative = last ? initiativeOf(last) : NO_INITIATIVE;
    if (previous && same >= 0 && fits(previous, same, initiative)) {
      const section = previous.sections[same]!;
      push(parts, section, at, line);
      at += section.length;
      line += section.lines;
      continue;
    }
    const scanned = scanSection(text, at, cursor, at === 0 ? frontMatter : at);
    const section = buildSection({ text, options, scanned, initiative, reusable, copy: previous !== undefined });
    push(parts, section, at, line);
    at = scanned.end;
    line += scanned.lines;
  }
  return parts;
}

function push(parts: Parts, section: Section, start: number, line: number): void {
  parts.sections.push(section);
  parts.starts.push(start);
  parts.lines.push(line);
}

function firstSections(previous: Board, count: number): Parts {
  return { sections: previous.sections.slice(0, count), starts: previous.starts.slice(0, count), lines: previous.lines.slice(0, count) };
}

/** A section is the same only under the same initiative. */
function fits(previous: Board, index: number, initiative: Initiative): boolean {
  const before = index === 0 ? NO_INITIATIVE : initiativeOf(previous.sections[index - 1]!);
  return before === initiative || (before.title === initiative.title && sameTags(before.tags, initiative.tags));
}

function sameTags(one: readonly Tag[], other: readonly Tag[]): boolean {
  return (
    one === other ||
    (one.length === other.length &&
      one.every((tag, index) => tag.text === other[index]!.text && tag.key === other[index]!.key && tag.span.start === other[index]!.span.start))
  );
}

/** Fingerprints in the sections that are new, without those that the board before had. */
function freshIn(sections: readonly Section[], previous: Board | undefined): ReadonlySet<string> {
  const fresh = new Set<string>();
  const shared = new Set<Section>(previous?.sections);
  const changed = sections.filter((section) => !shared.has(section));
  for (const section of changed) for (const task of section.tasks) fresh.add(task.fingerprint);
  if (!previous || fresh.size === 0) return fresh;
  const names = new Set(changed.map((section) => section.name));
  for (const section of previous.sections) {
    if (!names.has(section.name)) continue;
    for (const task of section.tasks) fresh.delete(task.fingerprint);
  }
  return fresh;
}
