/**
 * Changes of headings: a tag taken off one (an approval, 6.2-R3), a new phase at the end of a section (5.1-R3). Never touches the
 * tasks below it.
 */
import { newTaskLines, tagText } from './compose.ts';
import type { ParseOptions } from './parse.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Board, Edit, Section, Tag } from './task.ts';
import { canonicalKey } from './vocabulary.ts';
import { endOfLine, lineEndFor, skipWhiteBack } from './white.ts';

type HeadingEdit = Extract<Edit, { kind: 'untagHeading' | 'addHeading' }>;

/** The section that the heading stands in, or is itself. */
export function headingSection(board: Board, edit: HeadingEdit): number | undefined {
  const index = board.sections.findIndex((section) => (edit.kind === 'addHeading' ? section.name === edit.section : has(section, edit)));
  return index < 0 ? undefined : index;
}

const has = (section: Section, edit: Extract<HeadingEdit, { kind: 'untagHeading' }>): boolean =>
  section.title === edit.sectionTitle && tagsOn(section, edit).some((tag) => canonicalKey(tag.key) === edit.key);

const tagsOn = (section: Section, edit: Extract<HeadingEdit, { kind: 'untagHeading' }>): readonly Tag[] =>
  edit.phase === undefined ? section.tags : section.phases.filter(({ title }) => title === edit.phase).flatMap(({ tags }) => tags);

export function planHeading(board: Board, sectionIndex: number, edit: HeadingEdit, options: ParseOptions): Plan {
  const section = board.sections[sectionIndex]!;
  const base = board.starts[sectionIndex]!;
  if (edit.kind === 'addHeading') return addHeading(board.text, section, base, edit, options);
  return applied(
    tagsOn(section, edit)
      .filter((tag) => canonicalKey(tag.key) === edit.key)
      .map(({ span }) => ({ start: skipWhiteBack(board.text, base + span.start, base), end: base + span.end, text: '' })),
  );
}

function addHeading(text: string, section: Section, base: number, edit: Extract<HeadingEdit, { kind: 'addHeading' }>, options: ParseOptions): Plan {
  if (section.phases.some(({ title }) => title === edit.title)) return ALREADY;
  const body = text.slice(base, base + section.length).trimEnd();
  const at = endOfLine(text, base + body.length);
  const end = lineEndFor(text, base);
  // As a task's title it reads back as the same words.
  const [line = ''] = newTaskLines({ state: 'open', title: edit.title, tags: [] }, { lead: '', detailIndent: '  ', mayCloseComment: false }, options);
  const tags = edit.tags.map(tagText).filter((tag) => tag !== undefined);
  const style = { lead: '', detailIndent: '  ', mayCloseComment: false };
  const lines = ['', `### ${[line.slice('[] '.length), ...tags].join(' ')}`, ...edit.tasks.flatMap((task) => newTaskLines(task, style, options))];
  return applied([{ start: at, end: at, text: lines.map((each) => end + each).join('') }]);
}
