/**
 * The message of a landed commit: a summary of at most 72 characters, the body, ToDone's trailers (4-R8). Never lets a
 * message from an agent carry trailers of ToDone's, with which it could pass for another task.
 */
export type Trailers = { readonly id: string; readonly agent: string; readonly model?: string; readonly attempt: number };

const SUMMARY_CHARS = 72;
const MAX_CHARS = 100_000;
const OUR_TRAILER = /^\s*todone-[a-z-]+\s*:/i;
const ANY_TRAILER = /^([A-Za-z0-9-]+)\s*: \S|^\s+\S/;

export function commitMessage(message: string, title: string, trailers: Trailers): string {
  const [first = '', ...rest] = wordsOf(message).length > 0 ? wordsOf(message) : wordsOf(title);
  const { summary, overflow } = cutSummary(first.trim() || trailers.id);
  const body = [...(overflow === undefined ? [] : [overflow, '']), ...trimBlank(rest)];
  const ours = [
    `ToDone-Task: ${oneLine(trailers.id)}`,
    `ToDone-Agent: ${oneLine(trailers.agent)}${trailers.model === undefined ? '' : `/${oneLine(trailers.model)}`}`,
    `ToDone-Attempt: ${trailers.attempt}`,
  ];
  const text = trimBlank(body);
  const joined = endsInTrailers(text) ? [...text, ...ours] : [...text, ...(text.length > 0 ? [''] : []), ...ours];
  return `${[summary, '', ...joined].join('\n')}\n`;
}

/** The task that a commit landed, by the trailer in its last paragraph. */
export function taskOf(message: string): string | undefined {
  const last =
    message
      .trimEnd()
      .split(/\n[ \t]*\n/)
      .at(-1) ?? '';
  return last
    .split('\n')
    .flatMap((line) => /^ToDone-Task: (\S+)$/.exec(line.trimEnd())?.[1] ?? [])
    .at(-1);
}

function wordsOf(text: string): string[] {
  const clean = text
    .slice(0, MAX_CHARS)
    .replaceAll(/\r\n?/g, '\n')
    // Control characters, which a terminal that shows the log would obey.
    .replaceAll(/\p{Cc}/gu, (char) => (char === '\n' || char === '\t' ? char : ''));
  return trimBlank(
    clean
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => !OUR_TRAILER.test(line)),
  );
}

function trimBlank(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return first < 0 ? [] : lines.slice(first, last + 1);
}

/** Cut at a word, with the whole line kept for the body. */
function cutSummary(line: string): { summary: string; overflow: string | undefined } {
  const characters = Array.from(line);
  if (characters.length <= SUMMARY_CHARS) return { summary: line, overflow: undefined };
  const room = characters.slice(0, SUMMARY_CHARS - 1).join('');
  const space = room.lastIndexOf(' ');
  return { summary: `${space > SUMMARY_CHARS / 2 ? room.slice(0, space) : room}…`, overflow: line };
}

/** A last paragraph of trailers only, such as `Co-Authored-By:`, takes ours in. */
function endsInTrailers(lines: readonly string[]): boolean {
  const last = lines.slice(lines.findLastIndex((line) => line === '') + 1);
  return last.length > 0 && last.every((line) => ANY_TRAILER.test(line)) && !/^\s/.test(last[0]!);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
