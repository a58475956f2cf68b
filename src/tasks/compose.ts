/**
 * New Markdown for the list: a task that a command or an agent adds (1.4-R2). Whatever the words are, they read back as
 * the same title, tags and details, and never as another task, heading, tag or open fence. Never touches text that is there.
 */
import type { Root } from 'mdast';
import remarkParse from 'remark-parse';
import remarkStringify from 'remark-stringify';
import { unified } from 'unified';
import { writeMarker } from './marker.ts';
import { parse } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import type { NewTask, Task } from './task.ts';
import { EMOJI_TAGS } from './vocabulary.ts';
import { linesOf, plainWords, trimWhite } from './white.ts';

/** How the lines around it look: indentation and bullet, and what its details are indented by. */
export type Style = {
  readonly lead: string;
  readonly detailIndent: string;
  /** A comment may be open further up, which `-->` would close. */
  readonly mayCloseComment: boolean;
};

const UNTITLED = 'untitled';
/** Longer words are escaped by hand: remark is not linear. */
const REMARK_UNITS_MAX = 20_000;

const markdown = unified()
  .use(remarkParse)
  .use(remarkStringify, {
    bullet: '-',
    fences: true,
    listItemIndent: 'one',
    resourceLink: true,
    // A brace in text could be read as a tag.
    unsafe: [{ character: '{', inConstruct: 'phrasing' }],
  })
  .freeze();

/** The lines of a new task, without line ends. */
export function newTaskLines(task: NewTask, style: Style, options: ParseOptions): readonly string[] {
  const tags = task.tags.map(tagText).filter((text) => text !== undefined);
  const title = trimWhite(linesOf(task.title).map(plainWords).join(' ').replace(/ {2,}/g, ' ')) || UNTITLED;
  const marker = writeMarker({ state: task.state });
  const headOf = (words: string) => `${style.lead}${[marker, words, ...tags].join(' ')}`;
  const head = firstThat(titleSpellings(title), (words) => readsAs([headOf(words)], style, options, (read) => read.title === title && sameTags(read, tags)));
  const details = linesOf(task.details ?? '').map((line) => plainWords(line).trimEnd());
  while (details.length > 0 && details[0] === '') details.shift();
  while (details.length > 0 && details.at(-1) === '') details.pop();
  const nested = (task.subtasks ?? []).flatMap((subtask) => newTaskLines(subtask, nestedIn(style), options));
  if (details.length === 0) return [headOf(head), ...nested];
  const below = (lines: readonly string[]) => lines.map((line) => (line === '' ? '' : style.detailIndent + line));
  const body = firstThat(detailSpellings(details, style), (lines) => readsAs([headOf(head), ...below(lines)], style, options, () => true));
  return [headOf(head), ...below(body), ...nested];
}

/** A subtask stands where a detail would, with the bullet that its parent has. */
function nestedIn(style: Style): Style {
  const bullet = style.lead.trimStart();
  return { ...style, lead: style.detailIndent + bullet, detailIndent: `${style.detailIndent}${' '.repeat(Math.max(2, bullet.length))}` };
}

/** `{key}` or `{key:value}`, or undefined where the key cannot be one. */
export function tagText(tag: { readonly key: string; readonly value?: string }): string | undefined {
  if (!/^\p{L}[\p{L}\p{N}_.-]{0,63}$/u.test(tag.key)) return undefined;
  if (tag.value === undefined) return `{${tag.key}}`;
  const value = trimWhite(
    linesOf(tag.value)
      .map(plainWords)
      .join(' ')
      .replace(/[{}]/g, ' ')
      .replace(/`/g, "'")
      .replace(/<!--|-->/g, '--'),
  );
  return `{${tag.key}:${value}}`;
}

function firstThat<T>(spellings: readonly (() => T)[], fits: (spelling: T) => boolean): T {
  for (const spelling of spellings.slice(0, -1)) {
    const made = spelling();
    if (fits(made)) return made;
  }
  return spellings.at(-1)!();
}

/** Whether the lines make one task, and leave open nothing that would hide a task on the next line: plain, of the same list, or nested. */
function readsAs(lines: readonly string[], style: Style, options: ParseOptions, fits: (task: Task) => boolean): boolean {
  if (style.mayCloseComment && lines.some((line) => line.includes('-->'))) return false;
  return [...new Set(['', style.lead, style.detailIndent])].every((lead) => {
    // The last line would end a comment that the words leave open.
    const board = parse(['## Git Worktree x', ...lines, `${lead}[] next`, '-->'].join('\n'), options);
    const section = board.sections[0];
    if (board.sections.length !== 1 || !section || section.problems.length > 0) return false;
    const [task, next] = section.tasks;
    return (
      section.tasks.length === 2 && task !== undefined && next?.text === 'next' && next.line === lines.length + 1 && task.phase === next.phase && fits(task)
    );
  });
}

function sameTags(task: Task, tags: readonly string[]): boolean {
  return task.tags.length === tags.length && task.tags.every((tag, index) => `{${tag.text}}` === tags[index]);
}

// ── spellings, the nearest to what was said first ────────────────────────────────────────────────

function titleSpellings(title: string): readonly (() => string)[] {
  return [() => title, () => stringifiedTitle(title), () => escapedTitle(title)];
}

function stringifiedTitle(title: string): string {
  if (title.length > REMARK_UNITS_MAX) return escapedTitle(title);
  // The marker in front makes it a paragraph, whatever the title begins with.
  const lead = '\\[] ';
  const made = trimWhite(markdown.stringify(markdown.parse(lead + title)));
  return made.startsWith(lead) && !made.includes('\n') ? made.slice(lead.length) : escapedTitle(title);
}

function escapedTitle(title: string): string {
  const escaped = title.replace(/[\\`*_{}[\]<>#@()]/g, '\\$&');
  // A sign that Obsidian reads as a field is a picture when it is asked to look like text.
  return EMOJI_TAGS.reduce((text, { emoji }) => text.replaceAll(emoji, `${emoji}\ufe0e`), escaped);
}

/** Fences and HTML below a nested task end with list items further up, which the check here does not see: they stay text. */
function detailSpellings(lines: readonly string[], style: Style): readonly (() => readonly string[])[] {
  const escaped = () => lines.map(escapedLine);
  if (/^\s/.test(style.lead) && lines.some((line) => /```|~~~|</.test(line))) return [escaped];
  return [() => lines, () => stringifiedDetails(lines), escaped];
}

function stringifiedDetails(lines: readonly string[]): readonly string[] {
  const text = lines.join('\n');
  if (text.length > REMARK_UNITS_MAX) return lines.map(escapedLine);
  const tree: Root = markdown.parse(text);
  return linesOf(markdown.stringify(tree).trimEnd());
}

/** The line as text that opens nothing, however it begins. */
function escapedLine(line: string): string {
  return line
    .replace(/</g, '&lt;')
    .replace(/-->/g, '--&gt;')
    .replace(/\[/g, '&#91;')
    .replace(/`/g, '&#96;')
    .replace(/~{3}/g, '&#126;~~')
    .replace(/^(\s*)#/, '$1\\#');
}
