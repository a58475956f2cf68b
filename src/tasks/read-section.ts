/**
 * A scanned section as a value: its heading, phases, what they hand down, and its tasks. Never looks at other sections
 * but for the initiative above.
 */
import { detailIndent, moved, readWording, reused, copied } from './wording.ts';
import type { Material as TextMaterial } from './wording.ts';
import { WORKTREE_TITLE } from './scan-heading.ts';
import type { ScannedHead, ScannedHeading } from './scan-state.ts';
import { sectionProblems } from './section-problems.ts';
import { inherit, readTags } from './tags.ts';
import type { PhaseHeading, Section, Tag, Task } from './task.ts';
import { skipWhite, trimWhite } from './white.ts';

/** What an H1 hands down. */
export type Initiative = { readonly title: string | undefined; readonly tags: readonly Tag[] };
const initiativeAfter = new WeakMap<Section, Initiative>();

const NO_TAGS: readonly Tag[] = [];
const NO_PHASES: readonly PhaseHeading[] = [];
export const NO_INITIATIVE: Initiative = { title: undefined, tags: NO_TAGS };

export function initiativeOf(section: Section): Initiative {
  return initiativeAfter.get(section) ?? NO_INITIATIVE;
}

type Material = TextMaterial & { readonly initiative: Initiative };

type Heading = { readonly title: string; readonly tags: readonly Tag[] };

export function buildSection(material: Material): Section {
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
    phases: phases.length === 0 ? NO_PHASES : phases.map((phase) => phase.heading),
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

function buildTask(material: Material, context: Context, head: ScannedHead, seen: Map<string, number>): Task {
  const { text, scanned } = material;
  const base = scanned.start;
  const textStart = skipWhite(text, head.markerEnd, head.end);
  const wording = reused(material, context.section, head) ?? readWording(material, context.section, head, textStart);
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
