/**
 * What an agent said and did, as lines for people. One entry at a time, so that a log can be followed.
 */
import type { LogEntry } from './app.ts';
import { type Look, oneLine, paint, shorten } from './layout.ts';
import { timeOfDay, usageWords } from './words.ts';

/** Lines of a tool's output that are shown. */
const OUTPUT_LINES_MAX = 12;
const INPUT_COLUMNS_MAX = 200;

const CHANGE_SIGNS = { added: '+', changed: '~', removed: '-' } as const;

/** The lines of one entry; `before` = the entry that was shown last. */
export function renderEntry(entry: LogEntry, before: LogEntry | undefined, look: Look): string {
  const heading = before?.step === entry.step ? [] : [...(before ? [''] : []), paint(look, 'strong', `── ${entry.step}  ${timeOfDay(entry.at)}`)];
  return [...heading, ...lines(entry, look)].map((line) => `${line.trimEnd()}\n`).join('');
}

function lines(entry: LogEntry, look: Look): string[] {
  switch (entry.kind) {
    case 'text':
      return entry.text.trimEnd().split('\n');
    case 'tool':
      return tool(entry, look);
    case 'file':
      return [`${paint(look, 'name', CHANGE_SIGNS[entry.change])} ${entry.path}`];
    case 'usage': {
      const used = usageWords(entry.usage);
      return used === '' ? [] : [paint(look, 'faint', `${entry.cumulative ? 'used so far' : 'used'}: ${used}`)];
    }
    case 'limit':
      return [paint(look, 'warn', `limit: ${entry.message}${entry.resetAt === undefined ? '' : ` (goes on at ${timeOfDay(entry.resetAt)})`}`)];
    case 'session':
      return [paint(look, 'faint', `session ${entry.id}`)];
    case 'error':
      return [paint(look, 'bad', `error (${entry.class}): ${entry.message}`)];
  }
}

function tool(entry: Extract<LogEntry, { kind: 'tool' }>, look: Look): string[] {
  const input = entry.input === undefined ? '' : ` ${shorten(oneLine(entry.input), INPUT_COLUMNS_MAX)}`;
  const head = `${paint(look, entry.failed ? 'bad' : 'name', `${entry.failed ? '✗' : '→'} ${entry.name}`)}${input}`;
  const output = entry.output === undefined || entry.output.trim() === '' ? [] : entry.output.trimEnd().split('\n');
  const more = output.length - OUTPUT_LINES_MAX;
  return [
    head,
    ...output.slice(0, OUTPUT_LINES_MAX).map((line) => paint(look, 'faint', `  ${line}`)),
    ...(more > 0 ? [paint(look, 'faint', `  … ${more} more lines`)] : []),
  ];
}
