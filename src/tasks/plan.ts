/** What one edit comes to on a text: the answer, and the splices that carry it out. Never carries them out. */
import type { Splice } from './retag.ts';
import type { Edited } from './task.ts';

export type Plan = { readonly result: Edited; readonly splices: readonly Splice[] };

export const ALREADY: Plan = { result: { kind: 'already' }, splices: [] };

export function applied(splices: readonly Splice[]): Plan {
  return splices.length === 0 ? ALREADY : { result: { kind: 'applied' }, splices };
}
