/**
 * What a section's own text shows to be wrong: brackets that are no markers, joined lines, what nothing closes. Needs no config;
 * the other rules are in `check.ts`.
 */
import { codeSpans } from './inline.ts';
import { readBracket } from './marker.ts';
import type { ScannedHead, ScannedSection } from './scan-state.ts';
import type { SectionProblem, Span, Task } from './task.ts';
import { isWhite } from './white.ts';

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
function markersIn(line: string, escaped = false): readonly Span[] {
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
