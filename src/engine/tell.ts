/**
 * The log of the wheel: the one place where lines about tasks come from, after each turn, from its event and its effects.
 * Never says what did not happen.
 */
import type { Run } from '../runs/run.ts';
import type { Event, Turned } from '../runs/turn.ts';
import type { World } from '../runs/world.ts';
import type { Log } from './ports.ts';
import { tellErrands } from './tell-errands.ts';

/** `before` = how the list stood before this turn. */
export function tell(log: Log, event: Event, turned: Turned, before: string): void {
  if (event.kind === 'unreadable') log.write('warn', event.message);
  const { list } = turned.draft.world;
  if (event.kind === 'read' && list.kind !== before)
    log.write(list.kind === 'fine' ? 'info' : 'warn', list.kind === 'refused' ? list.message : LIST_WORDS[list.kind]);
  if (event.kind === 'ended') tellEnd(log, event, turned);
  tellErrands(log, event, turned);
  for (const effect of turned.effects) {
    if (effect.kind === 'perform') log.write('info', effect.run.step, fieldsOf(effect.run));
    if (effect.kind === 'halt') log.write('info', 'halt', { id: effect.id });
    if (effect.kind === 'edit' && effect.item.purpose === 'claim') tellRun(log, 'claim', turned.draft.runs.get(effect.item.id));
    if (effect.kind === 'edit' && effect.item.purpose === 'settle')
      tellOutcome(log, turned.draft.runs.get(effect.item.id) ?? turned.draft.world.runs.get(effect.item.id));
    if (effect.kind === 'edit' && effect.item.purpose === 'mend')
      log.write('warn', 'marker put right: git or an old buffer had taken it back', { id: effect.item.id });
  }
}

/** A start takes up what an earlier process left in the midst of it. */
export function tellResumed(log: Log, run: Run): void {
  log.write('info', `${run.step}, again: it was interrupted`, fieldsOf(run));
}

function tellEnd(log: Log, event: Extract<Event, { kind: 'ended' }>, turned: Turned): void {
  const { end } = event;
  if (end.kind === 'done') return;
  const run = turned.draft.runs.get(event.id);
  log.write(end.kind === 'final' ? 'warn' : 'info', `${event.step} ended: ${end.message}`, {
    id: event.id,
    step: event.step,
    reason: 'reason' in end ? end.reason : undefined,
    next: run?.step,
  });
}

function tellOutcome(log: Log, run: Run | null | undefined): void {
  if (!run?.outcome) return;
  log.write(run.outcome.state === 'failed' ? 'error' : 'info', run.outcome.state, {
    ...fieldsOf(run),
    reason: run.outcome.reason,
    hash: run.found.hash,
    message: run.outcome.message || undefined,
  });
}

function tellRun(log: Log, word: string, run: Run | null | undefined): void {
  if (run) log.write('info', word, fieldsOf(run));
}

const fieldsOf = (run: Run): Record<string, unknown> => ({
  id: run.id,
  section: run.section,
  title: run.task.title,
  agent: run.agent,
  attempt: run.attempt > 1 ? run.attempt : undefined,
});

const LIST_WORDS: Readonly<Record<World['list']['kind'], string>> = {
  fine: 'the list is read',
  unread: 'the list is not read yet',
  missing: 'the list is not there: running work goes on, nothing new starts',
  refused: 'the list cannot be used: nothing new starts',
  torn: 'the list looks cut off: it is left alone until it stays the same',
  conflict: 'the list holds conflict markers of git: nothing new starts until they are resolved',
  rollback: 'git, or the save of an old buffer, took markers of the list back: nothing runs again, they are put right when it is over',
};
