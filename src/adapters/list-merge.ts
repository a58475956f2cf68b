/**
 * What the list shall say when a person's save was displaced by a write of ours: their text with ours made again on it,
 * and with what has happened to the list since. Pure. Never takes lines away that only a person touched.
 */
import type { Board, Edit, Edited } from '../tasks/task.ts';
import { decode, encode, hashOf } from './list-look.ts';
import { mergeLines } from './merge-lines.ts';

/** `known`: a board of which the text is likely to have most. */
export type Apply = (
  text: string,
  edits: readonly Edit[],
  known?: Board,
) => { readonly text: string; readonly results: readonly Edited[]; readonly board?: Board };

export type Wrote = {
  readonly edits: readonly Edit[];
  readonly plannedHash: string;
  readonly base?: Buffer;
  readonly planned?: Buffer;
};

type Text = { readonly text: string; readonly bom: boolean };

export type SaveMerged = Text & {
  /** Places where the save's lines gave way to newer ones. */
  readonly conflicts: number;
  readonly results?: readonly Edited[];
};

/** A file is short of this many lines before half of them missing says anything. */
const LINES_MIN = 4;

/**
 * An editor that died, or whose disk was full, between emptying the list and writing it: what it left in the displaced file must
 * not take the person's lines out of the list (1.4-R6).
 */
export function isCutOff(wrote: Wrote, save: Text): boolean {
  const base = wrote.base && decode(wrote.base);
  if (!base) return save.text.trim() === '';
  const before = linesIn(base.text);
  return before >= LINES_MIN ? linesIn(save.text) * 2 < before : before > 0 && linesIn(save.text) === 0;
}

/** Whether the write that merged a save took in all that is in it by now: who held the file open may have written once more since. */
export function isMergedIn(merger: Pick<Wrote, 'planned'> | undefined, base: Buffer | undefined, save: string): boolean {
  if (!merger?.planned || !base) return true;
  const there = new Set(`${base.toString('utf8')}\n${merger.planned.toString('utf8')}`.split(/\r?\n/));
  return save.split(/\r?\n/).every((line) => there.has(line));
}

const linesIn = (text: string): number => text.match(/^.*\S/gm)?.length ?? 0;

/** Undefined where too little is known of the texts in between. */
export function mergeSave(wrote: Wrote, save: Text, list: Text & { readonly hash: string }, apply: Apply): SaveMerged | undefined {
  const untouched = list.hash === wrote.plannedHash;
  return wrote.edits.length > 0 ? onEdits(wrote, save, list, untouched, apply) : onMerge(wrote, save, list, untouched);
}

/** We had only edited: the edits are values, and are made again on the save. */
function onEdits(wrote: Wrote, save: Text, list: Text, untouched: boolean, apply: Apply): SaveMerged | undefined {
  const again = apply(save.text, wrote.edits);
  if (untouched) return { text: again.text, bom: save.bom, conflicts: 0, results: again.results };
  const base = wrote.base && decode(wrote.base);
  if (!base) return undefined;
  const planned = apply(base.text, wrote.edits).text;
  if (hashOf(encode(planned, base.bom)) !== wrote.plannedHash) return undefined;
  return { ...mergeLines(planned, again.text, list.text), bom: list.bom };
}

/** What we had written was a merge itself. */
function onMerge(wrote: Wrote, save: Text, list: Text, untouched: boolean): SaveMerged | undefined {
  const base = wrote.base && decode(wrote.base);
  const planned = untouched ? list : wrote.planned && decode(wrote.planned);
  if (!base || !planned) return undefined;
  const both = mergeLines(base.text, planned.text, save.text);
  if (untouched) return { ...both, bom: save.bom };
  const all = mergeLines(planned.text, both.text, list.text);
  return { text: all.text, bom: list.bom, conflicts: both.conflicts + all.conflicts };
}
