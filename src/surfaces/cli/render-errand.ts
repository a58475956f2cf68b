/** What is done for a section's branch as a whole, in a line or two. Pure. */
import type { ErrandView } from '../../runs/view.ts';
import { type Look, paint, wrap } from './layout.ts';
import { elapsed } from './words.ts';

export function errandLines(errand: ErrandView, look: Look, indent = '  '): string[] {
  const tone = errand.state === 'done' ? 'good' : errand.state === 'stopped' ? 'bad' : 'warn';
  const [first = '', ...rest] = wrap(errandWords(errand, look), look, indent, `${indent}  `);
  const remedy = errand.remedy === null || errand.state === 'done' ? [] : wrap(errand.remedy, look, `${indent}  `);
  return [paint(look, tone, first), ...rest, ...remedy];
}

/** `pr waits, again in 4m: gh is not logged in`. */
export function errandWords(errand: ErrandView, look: Pick<Look, 'now'>): string {
  const again = errand.wait_until !== null && errand.wait_until > look.now ? `, again in ${elapsed(errand.wait_until - look.now)}` : '';
  const state = { done: 'done', stopped: 'came to nothing', due: errand.wait_until === null ? 'is under way' : `waits${again}` }[errand.state];
  return `${errand.kind} ${state}${errand.message === null ? '' : `: ${errand.message}`}${errand.url === null || errand.message?.includes(errand.url) ? '' : ` (${errand.url})`}`;
}
