/**
 * What is wrong with a board, as problems with a place and a remedy; those with severity `error` hold their tasks back, all
 * others run (1.4-R9). What a section shows by itself is worked out once per section. Never changes anything, never throws.
 */
import { links } from './check-links.ts';
import { sectionNames } from './check-names.ts';
import { TAG_RULES, TASK_RULES, VALUE_RULE } from './check-rules.ts';
import type { TagFinding } from './check-rules.ts';
import type { Board, Located, MarkerState, Problem, Section, SectionProblem, Tag, Task } from './task.ts';

/** What the rules have to know beyond the list. */
export type CheckContext = {
  /** The state of an id that the list does not have: from journal, archive and trailers (6.3-R4). */
  stateOf(id: string): MarkerState | undefined;
  /** Whether the journal knows this text under this id: such an occurrence of a doubled id keeps it. */
  owns?(id: string, task: Task): boolean;
  readonly agents: readonly string[];
  readonly models: readonly string[];
  readonly workflows: readonly string[];
  readonly granularity: 'off' | 'warn' | 'strict';
  readonly workers: readonly string[];
};

/** A rule over the whole board. */
export type BoardRule = (board: Board, context: CheckContext) => readonly Problem[];

const BOARD_RULES: readonly BoardRule[] = [sectionNames, links];

/** Everything that is wrong, in the order of the list. */
export function check(board: Board, context: CheckContext): readonly Problem[] {
  const key = keyOf(context);
  const problems: Problem[] = [];
  board.sections.forEach((_section, sectionIndex) => {
    for (const problem of placedProblems(board, sectionIndex, context, key)) problems.push(problem);
  });
  for (const rule of BOARD_RULES) problems.push(...rule(board, context));
  return problems.sort((one, other) => one.place.line - other.place.line || one.place.column - other.place.column);
}

// ── one section ──────────────────────────────────────────────────────────────────────────────────

const known = new WeakMap<Section, { readonly key: string; readonly problems: readonly SectionProblem[] }>();

function keyOf({ agents, models, workflows, granularity, workers }: CheckContext): string {
  return JSON.stringify([agents, models, workflows, granularity, workers]);
}

function sectionProblems(board: Board, sectionIndex: number, context: CheckContext, key: string): readonly SectionProblem[] {
  const section = board.sections[sectionIndex]!;
  const before = known.get(section);
  if (before?.key === key) return before.problems;
  const problems = [...section.problems, ...outsideSection(section), ...taskProblems(section, context), ...headingTagProblems(board, sectionIndex, context)];
  known.set(section, { key, problems });
  return problems;
}

type Placed = { readonly of: readonly SectionProblem[]; readonly sectionIndex: number; readonly line: number; readonly problems: readonly Problem[] };
const lastPlaced = new WeakMap<Section, Placed>();

/** The same values as before where the section stands where it stood. */
function placedProblems(board: Board, sectionIndex: number, context: CheckContext, key: string): readonly Problem[] {
  const section = board.sections[sectionIndex]!;
  const line = board.lines[sectionIndex]!;
  const of = sectionProblems(board, sectionIndex, context, key);
  const before = lastPlaced.get(section);
  if (before?.of === of && before.sectionIndex === sectionIndex && before.line === line) return before.problems;
  const problems = of.map((problem) => placed(section, sectionIndex, line, problem));
  lastPlaced.set(section, { of, sectionIndex, line, problems });
  return problems;
}

function placed(section: Section, sectionIndex: number, start: number, problem: SectionProblem): Problem {
  const { line, column, holdsTasks, ...words } = problem;
  const place = { line: start + line + 1, column };
  if (!holdsTasks) return { ...words, place };
  return { ...words, place, holds: holdsTasks.map((taskIndex): Located => ({ task: section.tasks[taskIndex]!, sectionIndex, taskIndex })) };
}

/** 1.1-R1: one word for all tasks of a stretch, not one for each. */
function outsideSection(section: Section): readonly SectionProblem[] {
  if (section.name !== undefined || section.problems.some(({ rule }) => rule === '4-R2')) return [];
  const waiting = section.tasks.flatMap((task, index) => (isWaiting(task) ? [index] : []));
  const first = section.tasks[waiting[0] ?? -1];
  if (!first) return [];
  return [
    {
      line: first.line,
      column: first.column,
      rule: '1.1-R1',
      severity: 'error',
      message:
        waiting.length === 1
          ? 'This task stands outside a section, so it has no branch and is never started.'
          : `${waiting.length} tasks from here on stand outside a section, so they have no branch and are never started.`,
      remedy: 'Put a heading such as ## Git Worktree my-branch above, or move them below one.',
      holdsTasks: waiting,
    },
  ];
}

function taskProblems(section: Section, context: CheckContext): readonly SectionProblem[] {
  const problems: SectionProblem[] = [];
  section.tasks.forEach((task, index) => {
    if (task.tags.length > 0) {
      for (const rule of TAG_RULES) {
        for (const finding of rule.find(task.tags, context))
          problems.push(tagProblem(rule.rule, finding, task.line, finding.tag.span.start - task.headSpan.start + 1, [index]));
      }
    }
    if (!isWaiting(task)) return;
    for (const rule of TASK_RULES) {
      const found = rule.find(task, context);
      if (!found) continue;
      problems.push({ line: task.line, column: task.column, rule: rule.rule, ...found, ...(found.severity === 'error' && { holdsTasks: [index] }) });
    }
  });
  return problems;
}

/** Tags on headings: told once, at the heading, and holding every task that they are handed down to. */
function headingTagProblems(board: Board, sectionIndex: number, context: CheckContext): readonly SectionProblem[] {
  const section = board.sections[sectionIndex]!;
  const own = [section.tags, ...section.phases.map((phase) => phase.tags)];
  const findings = own.flatMap((tags) => TAG_RULES.flatMap(({ rule, find }) => find(tags, context).map((finding) => ({ rule, finding }))));
  const ownTags = new Set(own.flat().map(nameOfTag));
  const fromAbove = handedDown(section).filter((tag) => !ownTags.has(nameOfTag(tag)));
  findings.push(...VALUE_RULE.find(fromAbove, context).map((finding) => ({ rule: VALUE_RULE.rule, finding })));
  return findings.map(({ rule, finding }) => {
    const place = placeInSection(board, sectionIndex, finding.tag);
    const name = nameOfTag(finding.tag);
    const holds = section.tasks.flatMap((task, index) => (task.inherited.some((tag) => nameOfTag(tag) === name) ? [index] : []));
    return tagProblem(rule, finding, place.line, place.column, holds);
  });
}

/** Every tag that some task of the section gets from a heading. */
function handedDown(section: Section): readonly Tag[] {
  const tags = new Map<string, Tag>();
  for (const list of new Set(section.tasks.map((task) => task.inherited))) for (const tag of list) tags.set(nameOfTag(tag), tag);
  return [...tags.values()];
}

function nameOfTag({ text, span }: Tag): string {
  return `${span.start} ${text}`;
}

function tagProblem(rule: string, { severity, message, remedy }: TagFinding, line: number, column: number, holdsTasks: readonly number[]): SectionProblem {
  return { rule, line, column, severity, message, remedy, ...(severity === 'error' && { holdsTasks }) };
}

/** A tag of the initiative stands in another section: its place here is the heading that hands it on. */
function placeInSection(board: Board, sectionIndex: number, { span, text }: Tag): { readonly line: number; readonly column: number } {
  const start = board.starts[sectionIndex]!;
  const section = board.text.slice(start, start + board.sections[sectionIndex]!.length);
  if (!section.slice(span.start, span.end).includes(text)) return { line: 0, column: 1 };
  const above = section.slice(0, span.start).split(/\r\n|\n|\r/);
  return { line: above.length - 1, column: above.at(-1)!.length + 1 };
}

/** A finished task has nothing left to go wrong. */
function isWaiting({ marker: { state } }: Task): boolean {
  return state === 'open' || state === 'blocked';
}
