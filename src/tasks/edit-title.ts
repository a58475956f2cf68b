/**
 * Another title for a task (7-R8): the words change, the tags stay as they are typed and stand behind them. Never touches the marker
 * or another line.
 */
import { newTaskLines } from './compose.ts';
import type { ParseOptions } from './parse.ts';
import { ALREADY, applied } from './plan.ts';
import type { Plan } from './plan.ts';
import { textEnd } from './retag.ts';
import type { OnText } from './retag.ts';
import { skipWhite } from './white.ts';

export function planTitle(on: OnText, title: string, options: ParseOptions): Plan {
  const { text, base, task } = on;
  if (title === task.title) return ALREADY;
  const [line = ''] = newTaskLines({ state: 'open', title, tags: [] }, { lead: '', detailIndent: '  ', mayCloseComment: false }, options);
  const words = line.slice('[] '.length);
  const tags = task.tags.map(({ span }) => text.slice(base + span.start, base + span.end));
  const markerEnd = base + task.markerSpan.end;
  const start = task.text === '' ? markerEnd : skipWhite(text, markerEnd, base + task.headSpan.end);
  return applied([{ start, end: textEnd(on), text: `${task.text === '' ? ' ' : ''}${[words, ...tags].join(' ')}` }]);
}
