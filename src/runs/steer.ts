/**
 * The file as the steering wheel (2-R4, 1.4-R7, R8): what a person or git changed about tasks that we know, as decisions.
 * Looks only at sections that changed. Never takes a marker that went back as a wish without asking whether git moved it.
 */
import type { Board, Located, MarkerState, Task } from '../tasks/task.ts';
import { findById, handleOf, idOf, tagsOf, tagValue } from '../tasks/find.ts';
import type { Halt, Known, Run, TaskText } from './run.ts';
import { authorOf, changeOfText } from './notice.ts';
import type { Draft } from './world.ts';
import { knownByText, knownIn, note, putFound, putKnown, putRun, runIn } from './world.ts';

type Look = { readonly board: Board; readonly draft: Draft; readonly now: number; readonly before?: Board | undefined };

export type Seen = Look & {
  readonly before: Board | undefined;
  /** HEAD, stash or an operation moved since the list was last believed. */
  readonly gitMoved: boolean;
  /** The list is, byte for byte, what git has. */
  readonly listIsCommitted: boolean;
};

export type Steered = {
  /** Runs to be stopped. */
  readonly halts: readonly Run[];
  /** Markers that git, or the save of an old buffer, took back: nothing else was taken over. */
  readonly rollback: boolean;
};

/** Takes over what the list says of known tasks, or finds that it is a rollback and takes over nothing. */
export function steer(seen: Seen): Steered {
  const changes = [...changesIn(seen)];
  if (isRollback(changes, seen)) return { halts: [], rollback: true };
  return { halts: take(seen, changes), rollback: false };
}

/** What else was changed while markers went back: taken over once they are right again. A line that went with them is no word of a person. */
export function steerAfterRollback(seen: Look): readonly Run[] {
  const changes = [...changesIn({ ...seen, before: undefined, gitMoved: false })];
  return take(
    seen,
    changes.filter(({ task }) => task),
  );
}

const take = (seen: Look, changes: readonly Change[]): Run[] =>
  changes.flatMap((change) => [...(change.run ? takeRun(seen, change, change.run) : takeKnown(seen, change))]);

/** The same for one task, after its claim or its outcome was written: the line may have been changed again by then. */
export function steerOne(seen: Look, id: string): readonly Run[] {
  const known = knownIn(seen.draft, id);
  if (!known) return [];
  const run = runIn(seen.draft, id);
  const task = locateKnown(seen.board, seen.draft, known)?.task;
  const change = { known, run, task, expected: expected(seen.draft, known) };
  return run ? takeRun(seen, change, run) : takeKnown(seen, change);
}

/** Every known task whose marker the list shows further back than it is: what a rollback is mended from. */
export function wentBack(board: Board, draft: Draft): { readonly id: string; readonly located: Located }[] {
  const back = [];
  for (const id of draft.world.known.keys()) {
    const known = knownIn(draft, id);
    const located = known && locateKnown(board, draft, known);
    if (!known || !located || known.held !== undefined || runIn(draft, id)?.halt) continue;
    if (goesBack(isBeingWritten(draft, known) ? known.state : expected(draft, known), located.task) || isOutlived(known, runIn(draft, id), located.task))
      back.push({ id, located });
  }
  return back;
}

/** The line of a known task: by id, else by its text, or one that it had, where the line carries no other id. */
export function locateKnown(board: Board, draft: Draft, known: Known): Located | undefined {
  const byId = findById(board, known.id);
  if (byId || known.archived) return byId;
  for (const [sectionIndex, section] of board.sections.entries()) {
    if (section.name !== known.section) continue;
    const isNow = (task: Task): boolean => task.text === known.text && task.occurrence === known.occurrence && idOf(task) === undefined;
    const wasOnce = (task: Task): boolean => (known.was?.includes(task.text) ?? false) && idOf(task) === undefined && !knownByText(draft, task);
    const byText = section.tasks.findIndex(isNow);
    const taskIndex = byText < 0 && known.was ? section.tasks.findIndex(wasOnce) : byText;
    const task = section.tasks[taskIndex];
    if (task) return { task, sectionIndex, taskIndex };
  }
  return undefined;
}

/** A task's words as a run keeps them. */
export function textOf(task: Task, id: string): TaskText {
  return {
    id,
    section: task.section,
    title: task.title,
    text: task.text,
    details: task.details,
    notes: task.notes,
    fields: task.fields,
    tags: tagsOf(task).map((tag) => tag.text),
  };
}

type Change = { readonly known: Known; readonly run: Run | undefined; readonly task: Task | undefined; readonly expected: MarkerState };

function* changesIn(seen: Pick<Seen, 'board' | 'draft' | 'before' | 'gitMoved'>): Generator<Change> {
  const same = new Set(seen.before?.sections ?? []);
  const present = new Set<string>();
  const touched = new Set<string>();
  // Nearly every task stands where it stood: no search through the other sections for those.
  const here = new Map<string, Task>();
  for (const section of seen.board.sections) {
    if (section.name === undefined) continue;
    present.add(section.name);
    if (same.has(section)) continue;
    touched.add(section.name);
    for (const task of section.tasks) {
      const id = idOf(task);
      if (id !== undefined) here.set(id, task);
    }
  }
  for (const name of seen.draft.world.bySection.keys()) if (!present.has(name)) touched.add(name);
  for (const name of touched) {
    for (const id of seen.draft.world.bySection.get(name) ?? []) {
      const known = knownIn(seen.draft, id);
      if (!known) continue;
      const task = here.get(id) ?? locateKnown(seen.board, seen.draft, known)?.task;
      const run = runIn(seen.draft, id);
      // While a claim or an outcome is being written, the line may already show it; only git takes it back before that.
      if (run && (run.step === 'claim' || run.halt || (run.step === 'settle' && !seen.gitMoved && !isEnding(run)))) continue;
      yield { known, run, task, expected: expected(seen.draft, known) };
    }
  }
}

/** Its line shows 🟡 or the outcome: going back to [] is one marker of those that tell an old buffer, and no word about the run. */
const isEnding = (run: Run): boolean => run.outcome?.state === 'done' || run.outcome?.state === 'failed';

const expected = (draft: Draft, known: Known): MarkerState => (runIn(draft, known.id) ? 'in_progress' : known.state);

/** What its run came to is a row, and is to stand on the list. */
const isBeingWritten = (draft: Draft, known: Known): boolean => runIn(draft, known.id)?.step === 'settle';

/** Back = towards not done, by a marker alone; with {redo} it is a wish. */
function goesBack(from: MarkerState, task: Task): boolean {
  const to = task.marker.state;
  if (to !== 'open' && to !== 'blocked') return false;
  return from === 'in_progress' || from === 'failed' || (from === 'done' && tagValue(task, 'redo') === undefined);
}

/** `[🟡 id]` of a run that is over: only git, or an editor with an old text, brings that back. */
function isOutlived(known: Known, run: Run | undefined, task: Task): boolean {
  return !run && known.state !== 'in_progress' && task.marker.state === 'in_progress' && task.marker.id === known.id;
}

function isRollback(changes: readonly Change[], seen: Seen): boolean {
  if (changes.some(({ known, run, task }) => task && isOutlived(known, run, task))) return true;
  const back = changes.filter((change) => change.task && change.known.held === undefined && goesBack(change.expected, change.task));
  // A failed task set to [] is how a person asks for another attempt: only git's own bytes make it a rollback.
  const certain = back.filter((change) => change.expected !== 'failed' || seen.listIsCommitted);
  const vanished = changes.filter((change) => change.run && !change.task);
  if (seen.gitMoved) return certain.length + vanished.length > 0;
  // A 🟡 of somebody else is no word of ours that could be taken back.
  const ours = back.filter((change) => change.run || change.expected !== 'in_progress');
  return (ours.length > 1 && ours.some((change) => change.expected !== 'failed')) || ours.some(({ run }) => run && isUnread(run, seen.now));
}

/** Nobody reads a claim and answers it within this time: an editor saved the text that it had before. */
const REFLEX_MS = 1500;

const isUnread = ({ startedAt }: Run, now: number): boolean => now >= startedAt && now - startedAt < REFLEX_MS;

const HALT_FOR: Readonly<Record<MarkerState, Omit<Halt, 'by'> | undefined>> = {
  in_progress: undefined,
  failed: { then: 'failed', message: 'stopped by a person' },
  open: { then: 'again', message: 'set back by a person' },
  blocked: { then: 'again', message: 'set back by a person' },
  done: { then: 'keep', message: 'marked as done by a person' },
  cancelled: { then: 'keep', message: 'cancelled by a person' },
};

function takeRun(seen: Look, change: Change, run: Run): readonly Run[] {
  const { task } = change;
  if (run.step === 'settle') return [];
  if (!task) return [halted(seen.draft, run, { by: 'list', then: 'keep', message: 'its line was deleted' })];
  const halt = HALT_FOR[task.marker.state];
  if (halt) return [halted(seen.draft, run, { by: 'list', ...halt })];
  if (task.fingerprint === run.fingerprint && task.text === run.text && task.section === run.section) return [];
  return textChanged(seen, run, task);
}

/** 2-R5: before implement the plan starts again; later the new text goes to the next phase or attempt. */
function textChanged(seen: Look, run: Run, task: Task): readonly Run[] {
  const wish = task.fingerprint !== run.fingerprint;
  const early = run.step === 'prepare' || run.step === 'plan';
  const next = {
    ...run,
    text: task.text,
    occurrence: task.occurrence,
    task: textOf(task, run.id),
    fingerprint: task.fingerprint,
    changed: run.changed || (wish && !early),
  };
  putRun(seen.draft, next);
  remember(seen, run.id, task, 'in_progress');
  return wish && run.step === 'plan' ? [halted(seen.draft, next, { by: 'text', then: 'replan', message: 'its text was changed' })] : [];
}

function takeKnown(seen: Look, change: Change): readonly Run[] {
  const { known, task } = change;
  if (!task) return lineGone(seen, known);
  const to = task.marker.state;
  if (known.state === 'done' && (to === 'open' || to === 'blocked')) {
    if (tagValue(task, 'redo') !== undefined) remember(seen, known.id, task, to, { held: undefined, attempts: 0, spent: undefined, kept: undefined });
    else if (known.held === undefined) remember(seen, known.id, task, 'done', { held: 'done' });
  } else if (known.state !== to) {
    remember(seen, known.id, task, to, {
      held: undefined,
      ...(to === 'open' || to === 'blocked' ? { attempts: 0, spent: undefined } : {}),
      ...(to === 'done' ? { hash: task.marker.hash } : {}),
    });
  } else if (known.text !== task.text || known.section !== task.section || known.occurrence !== task.occurrence || known.held || known.gone) {
    remember(seen, known.id, task, known.state, { held: undefined });
  }
  return [];
}

/** Noted once, so that a later start does not take a line that a person deleted for a part of the list that is missing. */
function lineGone(seen: Look, known: Known): readonly Run[] {
  if (!known.gone) putKnown(seen.draft, { ...known, gone: true }, 'person', 'list');
  return [];
}

function remember(seen: Look, id: string, task: Task, state: MarkerState, more: Partial<Known> = {}): void {
  const known = knownIn(seen.draft, id);
  if (!known) return;
  const author = authorOf(seen.draft, known, id);
  const next = {
    ...known,
    gone: undefined,
    archived: undefined,
    resume: undefined,
    ...more,
    state,
    section: task.section,
    text: task.text,
    ...(known.text !== task.text && { was: [known.text, ...(known.was ?? []).filter((text) => text !== task.text)].slice(0, WAS_MAX) }),
    occurrence: task.occurrence,
    updatedAt: seen.now,
  };
  if (known.text !== task.text) note(seen.draft, { id, field: 'was', old: handleOf(known), new: null, by: author.by, via: author.via });
  // With a board before this one the two are compared as they stood.
  if (known.text !== task.text && !seen.before) changeOfText(seen.draft, known, task, author);
  putFound(seen.draft, next, author.by, author.via);
}

const WAS_MAX = 4;

function halted(draft: Draft, run: Run, halt: Halt): Run {
  return putRun(draft, { ...run, halt });
}
