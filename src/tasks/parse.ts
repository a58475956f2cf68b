/**
 * Text to board: sections and tasks as values, with everything that a heading hands down. Sections that did not change
 * are the same objects as in the board before, and in a changed one the tasks that did not change are not read again.
 * Never throws, whatever the text.
 */
import { codeSpans } from './inline.ts';
import { NO_DETAILS, readDetails } from './details.ts';
import { hashText } from './hash.ts';
import { cursorOf, frontMatterEnd, scanSection, WORKTREE_TITLE } from './scan.ts';
import type { ScannedHead, ScannedHeading, ScannedSection } from './scan.ts';
import { inherit, readTags, withoutTags } from './tags.ts';
import type { Board, PhaseHeading, Section, SectionProblem, Span, Tag, Task } from './task.ts';
import { isId, readBracket } from './marker.ts';
import { isWhite, skipWhite, skipWhiteBack, trimWhite } from './white.ts';

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

/** What an H1 hands down. */
type Initiative = { readonly title: string | undefined; readonly tags: readonly Tag[] };
const initiativeAfter = new WeakMap<Section, Initiative>();

const NO_TAGS: readonly Tag[] = [];
const NO_PHASES: readonly PhaseHeading[] = [];
const NO_INITIATIVE: Initiative = { title: undefined, tags: NO_TAGS };

export function parse(text: string, options: ParseOptions, previous?: Board): Board {
  const reading: Reading = {
    options: JSON.stringify([options.labels.hash, options.labels.at, options.labels.todotxt, options.workers]),
    frontMatter: frontMatterEnd(text),
  };
  const before = previous && readings.get(previous);
  const usable = previous && before && before.options === reading.options && before.frontMatter === reading.frontMatter ? previous : undefined;
  if (usable && usable.text === text) return remember({ ...usable, fresh: new Set<string>() }, reading);
  const known = usable ? overlapOf(usable, text) : undefined;
  const parts = readSections(text, options, reading.frontMatter, usable, known);
  return remember({ text, ...parts, fresh: freshIn(parts.sections, previous) }, reading);
}

/** The same board with other news: for whoever made several steps since the caller's board. */
export function withFresh(board: Board, fresh: ReadonlySet<string>): Board {
  const reading = readings.get(board);
  const same = { ...board, fresh };
  return reading ? remember(same, reading) : same;
}

function remember(board: Board, reading: Reading): Board {
  readings.set(board, reading);
  return board;
}

// ── which sections to read ───────────────────────────────────────────────────────────────────────

/** How much of the board before is in the new text: whole sections from its start, and from its end. */
type Overlap = {
  /** Sections before this index are used as they are. */
  readonly head: number;
  /** Sections from this index on have the same text, `shift` further down. */
  readonly tail: number;
  readonly shift: number;
};

/** Two sections that look unchanged are read again before the change: a heading may have lost its line end, a paragraph gained an underline. */
const REREAD_SECTIONS = 2;

function overlapOf(previous: Board, text: string): Overlap {
  const prefix = commonPrefix(previous.text, text);
  const suffix = commonSuffix(previous.text, text, Math.min(previous.text.length, text.length) - prefix);
  const { starts, sections } = previous;
  let whole = 0;
  while (whole < sections.length && starts[whole]! + sections[whole]!.length <= prefix) whole++;
  let tail = sections.length;
  while (tail > 0 && starts[tail - 1]! >= previous.text.length - suffix) tail--;
  return { head: Math.max(0, whole - REREAD_SECTIONS), tail, shift: text.length - previous.text.length };
}

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

/** Index of the old section that begins at `at` in the new text and goes on unchanged to the end, or -1. */
function sameSection(previous: Board, overlap: Overlap, at: number): number {
  const old = at - overlap.shift;
  let low = overlap.tail;
  let high = previous.starts.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const start = previous.starts[middle]!;
    if (start === old) return middle;
    if (start < old) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
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

function initiativeOf(section: Section): Initiative {
  return initiativeAfter.get(section) ?? NO_INITIATIVE;
}

const COMPARE_UNITS = 65_536;

function commonPrefix(one: string, other: string): number {
  const limit = Math.min(one.length, other.length);
  let at = 0;
  let step = COMPARE_UNITS;
  while (at < limit && step > 0) {
    const to = Math.min(limit, at + step);
    if (one.slice(at, to) === other.slice(at, to)) at = to;
    else if (to - at === 1) break;
    else step = (to - at) >> 1;
  }
  return at;
}

function commonSuffix(one: string, other: string, limit: number): number {
  let count = 0;
  let step = COMPARE_UNITS;
  while (count < limit && step > 0) {
    const to = Math.min(limit, count + step);
    if (one.slice(one.length - to, one.length - count) === other.slice(other.length - to, other.length - count)) count = to;
    else if (to - count === 1) break;
    else step = (to - count) >> 1;
  }
  return count;
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

// ── one section ──────────────────────────────────────────────────────────────────────────────────

type Material = {
  readonly text: string;
  readonly options: ParseOptions;
  readonly scanned: ScannedSection;
  readonly initiative: Initiative;
  readonly reusable: ReadonlyMap<string, Reusable> | undefined;
  /** Whether strings are copied out of the text, so that a section kept for long does not keep an old text alive. */
  readonly copy: boolean;
};

type Heading = { readonly title: string; readonly tags: readonly Tag[] };

function buildSection(material: Material): Section {
  const { scanned, initiative, text } = material;
  const heading = scanned.heading ? readHeading(material, scanned.heading) : undefined;
  const name = scanned.heading?.level === 2 && heading ? nameIn(heading.title) : undefined;
  const own: Initiative = scanned.heading?.level === 1 && heading ? { title: heading.title, tags: heading.tags } : initiative;
  const handedDown = scanned.heading?.level === 2 ? [...(heading?.tags ?? []), ...inherit(heading?.tags ?? NO_TAGS, initiative.tags)] : own.tags;
  const phases = readPhases(material, handedDown);
  const sectionName = name === undefined || name === '' ? '' : name;
  const tasks = buildTasks(material, { section: sectionName, initiative: own.title, phases, tags: inherit(NO_TAGS, handedDown) });
  const section: Section = {
    ...(sectionName !== '' && { name: sectionName }),
    title: heading?.title ?? '',
    tags: heading?.tags ?? NO_TAGS,
    ...(own.title !== undefined && { initiative: own.title }),
    phases: phases.length === 0 ? NO_PHASES : phases.map(({ heading: own }) => own),
    tasks,
    problems: sectionProblems(text, scanned, tasks, name === ''),
    length: scanned.end - scanned.start,
    lines: scanned.lines,
  };
  initiativeAfter.set(section, own);
  return section;
}

function readHeading(material: Material, heading: ScannedHeading): Heading {
  const { text, scanned, options, copy } = material;
  const raw = text.slice(heading.titleStart, heading.titleEnd).replace(/[\r\n]+[ \t]*/g, ' ');
  const read = readTags(copy ? copied(raw) : raw, options);
  const shift = heading.titleStart - scanned.start;
  return { title: read.title, tags: read.tags.map((tag) => moved(tag, shift)) };
}

/** The name in `Git Worktree <name>`; undefined for another heading, '' where it has none. */
function nameIn(title: string): string | undefined {
  const match = WORKTREE_TITLE.exec(title);
  if (!match) return undefined;
  const words = title.slice('git'.length).trimStart().slice('worktree'.length).trimStart();
  return trimWhite(words.startsWith(':') ? words.slice(1) : words);
}

/** A phase with all that it hands down: its own tags, those of the phases it is in, the section's and the initiative's. */
type Phase = { readonly heading: PhaseHeading; readonly handsDown: readonly Tag[] };

function readPhases(material: Material, handedDown: readonly Tag[]): readonly Phase[] {
  const open: Phase[] = [];
  return material.scanned.phases.map((scanned) => {
    const heading: PhaseHeading = { level: scanned.level, ...readHeading(material, scanned), line: scanned.line };
    while (open.length > 0 && open.at(-1)!.heading.level >= scanned.level) open.pop();
    const above = open.at(-1)?.handsDown ?? handedDown;
    const phase = { heading, handsDown: inherit(NO_TAGS, [...heading.tags, ...inherit(heading.tags, above)]) };
    open.push(phase);
    return phase;
  });
}

// ── tasks ────────────────────────────────────────────────────────────────────────────────────────

type Context = { readonly section: string; readonly initiative: string | undefined; readonly phases: readonly Phase[]; readonly tags: readonly Tag[] };

function buildTasks(material: Material, context: Context): readonly Task[] {
  const { heads } = material.scanned;
  const tasks: Task[] = [];
  const seen = new Map<string, number>();
  for (const head of heads) tasks.push(buildTask(material, context, head, seen));
  return tasks;
}

/** What a task's own text says, wherever it stands. Tag spans relative to the text, field lines to the head's. */
type Wording = Pick<Task, 'text' | 'title' | 'name' | 'tags' | 'fields' | 'details' | 'notes' | 'fingerprint'>;

function buildTask(material: Material, context: Context, head: ScannedHead, seen: Map<string, number>): Task {
  const { text, scanned } = material;
  const base = scanned.start;
  const textStart = skipWhite(text, head.markerEnd, head.end);
  const wording = reused(material, context, head) ?? readWording(material, context.section, head, textStart);
  const phase = context.phases[head.phase];
  const inherited = phase?.handsDown ?? context.tags;
  const occurrence = seen.get(wording.text) ?? 0;
  seen.set(wording.text, occurrence + 1);
  return {
    section: context.section,
    marker: head.marker,
    markerSpan: { start: head.markerStart - base, end: head.markerEnd - base },
    headSpan: { start: head.start - base, end: head.end - base },
    span: { start: head.start - base, end: head.blockEnd - base },
    line: head.line,
    column: head.markerStart - head.start + 1,
    text: wording.text,
    title: wording.title,
    name: wording.name,
    tags: wording.tags.length === 0 ? NO_TAGS : wording.tags.map((tag) => moved(tag, textStart - base)),
    inherited: wording.tags.length === 0 ? inherited : inherit(wording.tags, inherited),
    fields: wording.fields.length === 0 ? wording.fields : wording.fields.map((field) => ({ ...field, line: field.line + head.line })),
    details: wording.details,
    notes: wording.notes,
    detailIndent: detailIndent(text, head),
    fingerprint: wording.fingerprint,
    occurrence,
    parent: head.parent < 0 ? undefined : head.parent,
    phase: phase?.heading.title,
    initiative: context.initiative,
  };
}

function readWording(material: Material, section: string, head: ScannedHead, textStart: number): Wording {
  const { options, copy } = material;
  const end = head.details.length > 0 ? head.details.at(-1)!.end : head.end;
  const slice = material.text.slice(textStart, Math.max(end, textStart));
  const body = copy ? copied(slice) : slice;
  const text = body.slice(0, headTextEnd(body, head.end - textStart));
  const { tags, title } = readTags(text, options);
  const below = head.details.length > 0 ? readDetails(body, textStart, head.details) : NO_DETAILS;
  const ids = tags.filter((tag) => tag.key === 'id' && tag.value !== undefined && tag.value !== '');
  const wish = ids.length === 0 ? text : withoutTags(text, ids);
  return {
    text,
    title,
    name: nameOf(ids),
    tags,
    fields: below.fields.map((field) => ({ ...field, line: field.line - head.line })),
    details: below.details,
    notes: below.notes,
    fingerprint: hashText(`${section}\n${wish}\n${below.details}`),
  };
}

/** A person's name for the task rather than ToDone's id, where the line has both. */
function nameOf(ids: readonly Tag[]): string | undefined {
  return (ids.find((tag) => !isId(tag.value ?? '')) ?? ids[0])?.value;
}

/** End of the head's text: without white space and the backslash of a hard line break. */
function headTextEnd(body: string, lineEnd: number): number {
  const end = skipWhiteBack(body, Math.max(0, lineEnd), 0);
  let slashes = 0;
  while (body.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
  const hardBreak = slashes % 2 === 1 && end === lineEnd;
  return hardBreak ? skipWhiteBack(body, end - 1, 0) : end;
}

/** The white space before a detail line: as a person indented the first one, else the list item's content or two spaces. */
function detailIndent(text: string, head: ScannedHead): string {
  const first = head.details.find((line) => line.kind === 'text' || line.kind === 'quote' || line.kind === 'fence');
  if (first && first.column >= head.contentColumn && first.column > head.column) return text.slice(first.start, skipWhite(text, first.start, first.end));
  const lead = text.slice(head.start, skipWhite(text, head.start, head.end));
  const depth = head.contentColumn - head.column;
  return lead + ' '.repeat(depth > 0 ? depth : 2);
}

// ── reading less ─────────────────────────────────────────────────────────────────────────────────

/** `lead` is what stands before the marker: indentation and bullet decide how the lines below are read. */
type Reusable = Wording & { readonly section: string; readonly lead: string };

/** The tasks of the sections to be read again, by their text: those without subtasks, whose text is one stretch. */
function tasksByText(previous: Board, overlap: Overlap): ReadonlyMap<string, Reusable> {
  const found = new Map<string, Reusable>();
  const to = Math.min(overlap.tail, previous.sections.length);
  for (let index = overlap.head; index < to; index++) {
    const section = previous.sections[index]!;
    const base = previous.starts[index]!;
    for (const task of section.tasks) {
      const shift = textStartOf(previous.text, base, task);
      found.set(previous.text.slice(base + task.markerSpan.end, base + task.span.end), {
        text: task.text,
        title: task.title,
        name: task.name,
        tags: task.tags.map((tag) => moved(tag, -shift)),
        fields: task.fields.map((field) => ({ ...field, line: field.line - task.line })),
        details: task.details,
        notes: task.notes,
        fingerprint: task.fingerprint,
        section: task.section,
        lead: previous.text.slice(base + task.headSpan.start, base + task.markerSpan.start),
      });
    }
  }
  return found;
}

function textStartOf(text: string, base: number, task: Task): number {
  return skipWhite(text, base + task.markerSpan.end, base + task.headSpan.end) - base;
}

function reused(material: Material, context: Context, head: ScannedHead): Wording | undefined {
  const { reusable, text } = material;
  if (!reusable) return undefined;
  const end = head.details.length === 0 ? head.next : head.details.at(-1)!.next;
  if (end !== head.blockEnd) return undefined;
  const found = reusable.get(text.slice(head.markerEnd, end));
  if (!found || found.section !== context.section || found.lead !== text.slice(head.start, head.markerStart)) return undefined;
  return found;
}

function moved(tag: Tag, by: number): Tag {
  return by === 0 ? tag : { ...tag, span: { start: tag.span.start + by, end: tag.span.end + by } };
}

/** The same text in memory of its own: a slice would keep the whole list that it was cut from. */
function copied(text: string): string {
  return ` ${text}`.slice(1);
}

// ── what the text itself shows to be wrong ───────────────────────────────────────────────────────

function sectionProblems(text: string, scanned: ScannedSection, tasks: readonly Task[], nameless: boolean): readonly SectionProblem[] {
  const problems: SectionProblem[] = [];
  if (nameless) {
    problems.push({
      line: scanned.heading?.line ?? 0,
      column: 1,
      rule: '4-R2',
      severity: 'error',
      message: 'This section has no name, so its tasks have no branch.',
      remedy: 'Write a name after "Git Worktree", such as ## Git Worktree feature-auth.',
      holdsTasks: tasks.map((_, index) => index),
    });
  }
  for (const odd of scanned.odd) {
    const unspaced = odd.text === '[]' || /^\[[ xX-]\]$/.test(odd.text);
    problems.push({
      line: odd.line,
      column: odd.start - odd.lineStart + 1,
      rule: '1.1-R2',
      severity: 'warning',
      message: unspaced
        ? `${odd.text} has no white space behind it, so this line is not a task.`
        : `${odd.text} is no marker that ToDone knows, so this line is not a task.`,
      remedy: unspaced
        ? 'Put a space behind the bracket if it is meant as a task.'
        : 'Write [] and a space for a task that may start, or put the bracket in backticks if it is text.',
    });
  }
  for (const head of scanned.heads) {
    if (head.marker.note === undefined || head.marker.state === 'blocked') continue;
    problems.push({
      line: head.line,
      column: head.markerStart - head.start + 1,
      rule: '1.1-R2',
      severity: 'warning',
      message: `"${head.marker.note}" in the bracket is neither an id nor a commit, so it is not understood.`,
      remedy: 'Move the words behind the bracket.',
    });
  }
  if (scanned.unclosed) {
    problems.push({
      line: scanned.unclosed.line,
      column: 1,
      rule: '1.1-R5',
      severity: 'warning',
      message: `This ${scanned.unclosed.what === 'fence' ? 'code fence' : scanned.unclosed.what === 'comment' ? 'comment' : 'HTML'} is never closed, so everything below it is hidden and no task in it is seen.`,
      remedy: `Close it where it should end${scanned.unclosed.what === 'comment' ? ' with -->' : ''}.`,
    });
  }
  for (const line of scanned.bracketLines) {
    const joined = markersIn(text.slice(line.start, line.end));
    if (joined.length < 2) continue;
    problems.push({
      line: line.line,
      column: 1,
      rule: '1.1-R2',
      severity: 'warning',
      message: 'Several markers stand inside this line of text, as after a formatter joined lines; none of them is a task.',
      remedy: 'Put each task on a line of its own, and switch off proseWrap for this file.',
    });
  }
  scanned.heads.forEach((head, index) => {
    if (!isJoined(text, head)) return;
    problems.push({
      line: head.line,
      column: head.markerStart - head.start + 1,
      rule: '1.1-R2',
      severity: 'error',
      message: 'Several markers stand on this line, as after a formatter joined tasks, so it is not clear what the task is.',
      remedy: 'Put each task on a line of its own, or a bracket that is text in backticks.',
      holdsTasks: [index],
    });
  });
  return problems;
}

function isJoined(text: string, head: ScannedHead): boolean {
  const second = text.indexOf('[', head.markerEnd);
  if (second < 0 || second >= head.end) return false;
  const escaped = text.charCodeAt(head.markerStart) === 0x5c;
  return markersIn(text.slice(head.markerEnd, head.end), escaped).length > 0;
}

/** Offsets of markers that stand in a line's text as words of their own, outside code. Those with a backslash count if `escaped`. */
export function markersIn(line: string, escaped = false): readonly Span[] {
  const found: Span[] = [];
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
    found.push({ start, end: bracket.end });
  }
  return found;
}
