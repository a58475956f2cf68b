/**
 * remark on one chunk: a task's head line, or a task as a whole for whoever wants its tree (1.4-R1).
 * Never sees the whole list: that would be slow, and Markdown's own rules swallow tasks.
 */
import type { Nodes, Root } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { codeSpans, lineComments } from './inline.ts';
import type { Span } from './task.ts';

/** Longer lines are left to the linear scanner: some Markdown is quadratic to parse. */
const REMARK_UNITS_MAX = 2000;
const TREE_UNITS_MAX = 100_000;

const markdown = unified().use(remarkParse).freeze();

/** The mdast of one task's text (head and details), or undefined where it is too long to parse in good time. */
export function chunkTree(taskText: string): Root | undefined {
  return taskText.length > TREE_UNITS_MAX ? undefined : markdown.parse(taskText);
}

/**
 * Code spans and HTML comments of a head's text: what looks like a tag in them is none (1.1-R3). Only HTML and a
 * link's target compete with a code span, so only where one may be remark is asked.
 */
export function opaqueSpans(headText: string): readonly Span[] {
  if (!headText.includes('<') && !headText.includes('](')) return codeSpans(headText);
  return headText.length > REMARK_UNITS_MAX ? [...codeSpans(headText), ...lineComments(headText).spans] : spansByRemark(headText);
}

/** The same by remark's own rules, whatever the text. */
export function spansByRemark(headText: string): readonly Span[] {
  // A marker in front makes it a paragraph, whatever the text begins with.
  const lead = '\\[] ';
  const spans: Span[] = [];
  collect(markdown.parse(lead + headText), (start, end) => spans.push({ start: start - lead.length, end: end - lead.length }));
  return spans;
}

function collect(node: Nodes, found: (start: number, end: number) => void): void {
  if (node.type === 'inlineCode' || (node.type === 'html' && node.value.startsWith('<!--'))) {
    const { position } = node;
    if (position?.start.offset !== undefined && position.end.offset !== undefined) found(position.start.offset, position.end.offset);
  }
  if ('children' in node) for (const child of node.children) collect(child, found);
}
