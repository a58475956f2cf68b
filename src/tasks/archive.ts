/**
 * The archive of a list (6.5-R1): Markdown in which each task stands byte for byte as it stood on the list, below a comment that says
 * where that was. What a person writes in between, or moves there by hand, stays. Text in, text out.
 */
import { z } from 'zod';
import { hashText } from './hash.ts';
import { idsOf } from './ids.ts';
import { type ParseOptions, parse } from './parse.ts';
import type { Edit, MarkerState, PutBack } from './task.ts';
import { endOfLine, lineEndAt } from './white.ts';

export type ArchiveEntry = PutBack & {
  /** All that were archived at once have the same. */
  readonly run: string;
  /** Ms since 1970. */
  readonly at: number;
  readonly section: string;
  /** The section's own line. */
  readonly heading: string;
  /** When it was done, where that is known. */
  readonly done?: number;
};

/** An entry with the stretch of the archive that is its own; `edited` = its lines are not those that were archived. */
export type Archived = ArchiveEntry & { readonly start: number; readonly end: number; readonly edited: boolean };

const BEGIN = '<!-- todone:archived ';
const END = ' -->';

export const archiveHead = (listName: string): string =>
  `# Archive of ${listName}\n\nDone tasks that \`todone archive\` took off the list; \`todone archive --undo\` brings them back. Leave the comments: they say where each one stood.\n`;

/** The archive with these at its end. */
export function withEntries(archive: string, entries: readonly ArchiveEntry[]): string {
  let text = archive === '' || archive.endsWith('\n') ? archive : `${archive}\n`;
  let section: string | undefined;
  for (const entry of entries) {
    if (entry.section !== section) text += `\n${headingOf(entry.section)}\n`;
    ({ section } = entry);
    text += `\n${frameOf(entry)}\n${entry.text}${entry.text.endsWith('\n') ? '' : '\n'}`;
  }
  return text;
}

/** The archive without these, and without headings that have nothing below them any more. */
export function withoutEntries(archive: string, entries: readonly Archived[]): string {
  let text = archive;
  for (const { start, end, section } of entries.toSorted((one, other) => other.start - one.start)) {
    // The blank line in front of it was put there with it.
    const from = /[\r\n]\n$/.test(text.slice(Math.max(0, start - 2), start)) ? start - 1 : start;
    text = withoutHeading(text.slice(0, from), headingOf(section), text.slice(end));
  }
  return text;
}

function withoutHeading(before: string, heading: string, after: string): string {
  const lead = `\n${heading}\n`;
  return before.endsWith(lead) && /^(?:\s*$|\n## )/.test(after) ? before.slice(0, -lead.length) + after : before + after;
}

const headingOf = (section: string): string => `## Git Worktree ${section}`;

/** No `>` within, so that nothing ends the comment early. */
function frameOf({ text, ...rest }: ArchiveEntry): string {
  const said = { v: 1, length: text.length, hash: hashText(text), ...rest };
  return `${BEGIN}${JSON.stringify(said).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e')}${END}`;
}

/** Every entry, in order. Comments that are none of ours, or that somebody made unreadable, are text. */
export function readArchive(archive: string): readonly Archived[] {
  const found: Archived[] = [];
  for (let at = archive.indexOf(BEGIN); at >= 0; at = archive.indexOf(BEGIN, at + 1)) {
    const lineEnd = endOfLine(archive, at);
    const line = archive.slice(at, lineEnd);
    const frame = line.endsWith(END) ? readFrame(line.slice(BEGIN.length, -END.length)) : undefined;
    if (!frame) continue;
    const body = lineEnd + lineEndAt(archive, lineEnd).length;
    const { length, hash, ...entry } = frame;
    const text = archive.slice(body, body + length);
    if (hashText(text) === hash) {
      const end = body + length;
      found.push({ ...entry, text, start: at, end: text.endsWith('\n') || archive[end] !== '\n' ? end : end + 1, edited: false });
    } else {
      const now = editedText(archive, body);
      found.push({ ...entry, text: now, start: at, end: body + now.length, edited: true });
    }
  }
  return found;
}

/** Up to the next comment of ours or heading of a section, without blank lines in front of that. */
function editedText(archive: string, body: number): string {
  const next = /\n(?=<!-- todone:archived |## )/.exec(archive.slice(body));
  const text = next ? archive.slice(body, body + next.index + 1) : archive.slice(body);
  const own = text.trimEnd();
  const end = endOfLine(text, own.length);
  return text.slice(0, end + lineEndAt(text, end).length);
}

const texts = z.array(z.string());
const frameSchema = z.object({
  v: z.literal(1),
  run: z.string(),
  at: z.number(),
  section: z.string(),
  heading: z.string(),
  done: z.number().optional(),
  phase: z.string().optional(),
  ids: texts,
  rest: z.string(),
  offset: z.number(),
  above: texts,
  below: texts,
  length: z.number(),
  hash: z.string(),
});

function readFrame(json: string): Omit<z.output<typeof frameSchema>, 'v'> | undefined {
  try {
    const { v: _version, ...frame } = frameSchema.parse(JSON.parse(json));
    return frame;
  } catch {
    return undefined;
  }
}

/** The last ones first, so that each finds the section as it left it. */
export function backEdits(entries: readonly Archived[]): Edit[] {
  const groups = new Map<string, Archived[]>();
  for (const entry of entries) groups.set(`${entry.run} ${entry.section}`, [...(groups.get(`${entry.run} ${entry.section}`) ?? []), entry]);
  return [...groups.values()].toReversed().map((blocks): Edit => {
    const { section, heading } = blocks[0]!;
    return {
      kind: 'putBack',
      section,
      heading,
      blocks: blocks.map(({ text, ids, rest, offset, above, below, phase }) => ({
        text,
        ids,
        rest,
        offset,
        above,
        below,
        ...(phase !== undefined && { phase }),
      })),
    };
  });
}

/** The ids and names that the archive has, with their states: of its entries, and of tasks that a person moved there. */
export function archivedIds(archive: string, options: ParseOptions): ReadonlyMap<string, MarkerState> {
  const states = new Map<string, MarkerState>();
  for (const { ids } of readArchive(archive)) for (const id of ids) states.set(id, 'done');
  for (const section of parse(archive, options).sections) for (const task of section.tasks) for (const id of idsOf(task)) states.set(id, task.marker.state);
  return states;
}
