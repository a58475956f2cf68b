/**
 * What a section's own text shows to be wrong: brackets that are no markers, joined lines, what nothing closes. Needs no config;
 * the other rules are in `check.ts`.
 */
import { fieldsInside, isFieldLine } from './details.ts';
import { markersIn } from './loose-markers.ts';
import type { ScannedHead, ScannedSection } from './scan-state.ts';
import type { SectionProblem, Task } from './task.ts';

export function sectionProblems(text: string, scanned: ScannedSection, tasks: readonly Task[], nameless: boolean): readonly SectionProblem[] {
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
  const all = tasks.map((_, index) => index);
  for (const line of scanned.bracketLines) {
    const inside = markersIn(text.slice(line.start, line.end), true);
    // A quote may well show what a list looks like; ToDone's own ids do not get there by themselves.
    if (!inside.some(({ marker }) => marker.id !== undefined) && (line.quote || inside.length < 2)) continue;
    problems.push({
      line: line.line,
      column: 1,
      rule: '1.1-R2',
      severity: 'error',
      message: line.quote
        ? 'A task of this section stands in a quote, as after a formatter took it for more of the note above, so it is not clear what the tasks are.'
        : 'Several markers stand inside this line of text, as after a formatter joined lines, so it is not clear what the tasks are.',
      remedy: APART,
      holdsTasks: all,
    });
  }
  scanned.heads.forEach((head, index) => {
    const joined = isJoined(text, head);
    const fields = joined ? [] : fieldsInside(text.slice(head.markerEnd, Math.min(head.end, head.markerEnd + JOINED_UNITS_MAX)));
    const isSure = joined || fields.length > 1 || fields.some((key) => COMMANDING.has(key));
    if (joined || fields.length > 0) {
      problems.push({
        line: head.line,
        column: head.markerStart - head.start + 1,
        rule: '1.1-R2',
        severity: isSure ? 'error' : 'warning',
        message: joined
          ? 'Several markers stand on this line, as after a formatter joined tasks, so it is not clear what the tasks of this section are.'
          : 'A field stands in the midst of this line, as after a formatter joined it to the task, so it is read as words.',
        remedy: joined ? APART : 'Put each field on a line of its own, indented below the task, or in backticks if it is words.',
        ...(isSure && { holdsTasks: joined ? all : [index] }),
      });
    }
    const below = (head.details.at(-1) ?? head).next;
    if (below >= scanned.end || !isFieldLine(text.slice(below, below + FIELD_UNITS_MAX))) return;
    problems.push({
      line: lineBelow(head),
      column: 1,
      rule: '1.1-R4',
      severity: 'error',
      message: 'This field is not indented, as after a formatter took the indentation away, so it does not belong to the task above.',
      remedy: `Indent it, or put an empty line above it if it is no part of the task. ${KEEP_OFF}`,
      holdsTasks: [index],
    });
  });
  return problems;
}

/** So much of a line tells whether a field begins on it. */
const FIELD_UNITS_MAX = 60;
/** So much of a line is looked at for fields that were joined to it. */
const JOINED_UNITS_MAX = 2000;
/** Without these a task would do something else; the others are words as well. */
const COMMANDING: ReadonlySet<string> = new Set(['files', 'action', 'run', 'verify']);
const KEEP_OFF = 'Keep formatters off this file (.prettierignore, .remarkignore, .markdownlintignore; `todone init` writes them).';
const APART = `Put each task on a line of its own, or a bracket that is text in backticks. ${KEEP_OFF}`;

const lineBelow = (head: ScannedHead): number => (head.details.at(-1) ?? head).line + 1;

function isJoined(text: string, head: ScannedHead): boolean {
  const second = text.indexOf('[', head.markerEnd);
  if (second < 0 || second >= head.end) return false;
  const escaped = text.charCodeAt(head.markerStart) === 0x5c;
  return markersIn(text.slice(head.markerEnd, head.end), escaped).length > 0;
}
