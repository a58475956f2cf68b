/**
 * Where the journal does not know what the list or git does: a new journal, one that was deleted by hand, a list from elsewhere
 * (2-R4, 4-R9). What landed is done whatever its line says, work of ours that was interrupted goes on, and the rest is as the
 * list has it. Decides from values only; a person's wish ({redo}) is never overruled.
 */
import { idOf, tagValue } from '../tasks/find.ts';
import type { Board, MarkerState, Task } from '../tasks/task.ts';
import type { Evidence, LandedFact } from './evidence.ts';
import type { Known, Run } from './run.ts';
import { type Draft, knownIn, putFound, putRun } from './world.ts';
import { textOf } from './steer.ts';

/** Rows for every task that the list or the evidence names and the journal does not. */
export function adopt(draft: Draft, board: Board, now: number): void {
  const { evidence } = draft.world;
  const listed = new Set<string>();
  const nameless: Task[] = [];
  for (const section of board.sections) {
    if (section.name === undefined) continue;
    for (const task of section.tasks) {
      const id = idOf(task);
      if (id === undefined) {
        if (isOpen(task.marker.state)) nameless.push(task);
        continue;
      }
      listed.add(id);
      if (!knownIn(draft, id) && (task.marker.id !== undefined || isTold(evidence, id))) adoptLine(draft, task, id, now);
    }
  }
  for (const [id, landed] of evidence.landed) {
    if (!listed.has(id) && !knownIn(draft, id))
      putFound(draft, isArchived(draft, id) ? archivedRow(evidence, id, landed, now) : withoutLine(evidence, id, landed, nameless, now), 'git', 'engine');
  }
}

export function freshKnown(task: Task, id: string, now: number): Known {
  return {
    id,
    section: task.section,
    text: task.text,
    occurrence: task.occurrence,
    state: task.marker.state,
    ticket: 0,
    attempts: 0,
    createdAt: now,
    updatedAt: now,
  };
}

function adoptLine(draft: Draft, task: Task, id: string, now: number): void {
  const { evidence } = draft.world;
  const { state, hash } = task.marker;
  const landed = evidence.landed.get(id);
  const known: Known = {
    ...freshKnown(task, id, now),
    ...(hash === undefined ? {} : { hash }),
    // Above every ticket that was given before, so that no answer or phase end of then counts now.
    ticket: evidence.tickets.get(id) ?? 0,
    kept: evidence.kept.get(id),
  };
  if (landed && state === 'in_progress') {
    putRun(draft, settledRun(task, id, known.ticket + 1, landed, now));
    return putFound(draft, doneIn(known, landed, known.ticket + 1), 'git', 'engine');
  }
  // Git or a person took the marker back: which of the two, and what follows, is decided where every such change is.
  if (landed && isOpen(state) && tagValue(task, 'redo') === undefined) return putFound(draft, doneIn(known, landed, known.ticket), 'git', 'engine');
  const ours = state === 'in_progress' && (evidence.kept.has(id) || evidence.tickets.has(id));
  putFound(draft, { ...known, ...(landed && { commit: landed.commit }), ...(ours && { resume: true }) }, 'list', 'list');
}

/** A task that landed and whose line carries no id any more, or is gone. */
function withoutLine(evidence: Evidence, id: string, landed: LandedFact, nameless: readonly Task[], now: number): Known {
  const line = evidence.lines.get(id);
  const row = { id, ticket: evidence.tickets.get(id) ?? 0, attempts: 0, createdAt: now, updatedAt: now, state: 'done', hash: landed.hash } as const;
  const remembered = line && nameless.find((task) => task.section === line.section && task.text === line.text && task.occurrence === line.occurrence);
  if (remembered && line) return { ...row, ...line, commit: landed.commit };
  // By its title it may be another task: it is held, with the way out, and its line is left as typed.
  const alike = nameless.filter((task) => isTitled(task.title, landed.subject) && (landed.section ?? task.section) === task.section);
  const [first] = alike;
  if (first && alike.length === 1)
    return { ...row, section: first.section, text: first.text, occurrence: first.occurrence, commit: landed.commit, held: 'alike' };
  return { ...row, section: landed.section ?? '', text: landed.subject, occurrence: 0, ...line, commit: landed.commit, gone: true };
}

const isArchived = (draft: Draft, id: string): boolean => draft.world.archived.has(id);

/** No line of the list is its own, whatever it is called. */
const archivedRow = (evidence: Evidence, id: string, landed: LandedFact, now: number): Known => ({
  ...withoutLine(evidence, id, landed, [], now),
  archived: true,
});

/** The outcome is known and only its line is to be written. */
function settledRun(task: Task, id: string, ticket: number, landed: LandedFact, now: number): Run {
  return {
    id,
    ticket,
    attempt: 1,
    step: 'settle',
    section: task.section,
    text: task.text,
    occurrence: task.occurrence,
    task: textOf(task, id),
    fingerprint: task.fingerprint,
    changed: false,
    from: 'in_progress',
    agent: '',
    steps: ['settle'],
    workspaceSlot: 1,
    found: { commit: landed.commit, hash: landed.hash },
    tries: 0,
    reworks: 0,
    outcome: { state: 'done', reason: 'landed', message: '' },
    startedAt: now,
  };
}

const doneIn = (known: Known, landed: LandedFact, ticket: number): Known => ({
  ...known,
  state: 'done',
  hash: landed.hash,
  commit: landed.commit,
  reason: 'landed',
  kept: undefined,
  ticket,
});

const isOpen = (state: MarkerState): boolean => state === 'open' || state === 'blocked';

const isTold = (evidence: Evidence, id: string): boolean => evidence.landed.has(id) || evidence.kept.has(id) || evidence.tickets.has(id);

/** A summary that was too long for a commit ends in `…`. */
export const isTitled = (title: string, subject: string): boolean =>
  subject.endsWith('…') ? title.startsWith(subject.slice(0, -1)) : title === subject && subject !== '';
