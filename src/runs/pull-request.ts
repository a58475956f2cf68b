/**
 * The words of a section's pull request: what ToDone says stands between two markers, everything around them is a person's and
 * stays as it is (4-R10). Pure.
 */
import type { DoneTask } from './errand.ts';

const BEGIN = '<!-- todone:begin -->';
const END = '<!-- todone:end -->';
/** GitHub takes 65,536. */
const CHARS_MAX = 60_000;
const SUMMARY_CHARS = 600;
const TITLE_CHARS = 200;

/** ToDone's part: each task with its commit and what its agent said of it. */
export function pullRequestBlock(tasks: readonly DoneTask[]): string {
  const lines: string[] = [];
  let left = CHARS_MAX;
  for (const [index, task] of tasks.entries()) {
    const line = taskLine(task);
    left -= line.length + 1;
    if (left < 0) {
      lines.push(`- … and ${tasks.length - index} more`);
      break;
    }
    lines.push(line);
  }
  return `${BEGIN}\n${lines.join('\n')}\n${END}`;
}

/** The body with ToDone's part put in the place of the last one; a body without one gets it at its end. */
export function withBlock(body: string, block: string): string {
  const text = body.replaceAll('\r\n', '\n');
  // The last one: an earlier one without its end is a person's by now.
  const from = text.lastIndexOf(BEGIN);
  const to = from < 0 ? -1 : text.indexOf(END, from);
  if (to >= 0) return text.slice(0, from) + block + text.slice(to + END.length);
  return text.trim() === '' ? block : `${text.trimEnd()}\n\n${block}`;
}

export const pullRequestTitle = (title: string): string => oneLine(title).slice(0, TITLE_CHARS);

function taskLine(task: DoneTask): string {
  const commit = task.hash === '-' ? 'no commit' : task.hash;
  const summary = task.summary === undefined ? '' : cut(safe(task.summary));
  const head = `- ${commit} ${safe(oneLine(task.title))}${task.id === '' ? '' : ` (\`${task.id}\`)`}`;
  return summary === '' ? head : [head, ...summary.split('\n').map((line) => `  ${line}`.trimEnd())].join('\n');
}

/** An agent's words open no comment, so that they can neither end our part nor hide what follows. */
const safe = (text: string): string => text.replaceAll('<!--', '&lt;!--').trim();
const cut = (text: string): string => (text.length > SUMMARY_CHARS ? `${text.slice(0, SUMMARY_CHARS)}…` : text);
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
