/**
 * The log of the wheel: the one place where lines about tasks come from, after each turn, from its event and its effects.
 * Never says what did not happen.
 */
import type { Run } from '../runs/run.ts';
import type { Event, Turned } from '../runs/turn.ts';
import type { Log } from './ports.ts';

export function tell(log: Log, event: Event, turned: Turned): void {
  if (event.kind === 'ended') tellEnd(log, event, turned);
  for (const effect of turned.effects) {
    if (effect.kind === 'perform') log.write('info', effect.run.step, fieldsOf(effect.run));
    if (effect.kind === 'halt') log.write('info', 'halt', { id: effect.id });
    if (effect.kind === 'edit' && effect.item.purpose === 'claim') tellRun(log, 'claim', turned.draft.runs.get(effect.item.id));
    if (effect.kind === 'edit' && effect.item.purpose === 'settle') tellOutcome(log, turned.draft.runs.get(effect.item.id) ?? turned.draft.world.runs.get(effect.item.id));
    if (effect.kind === 'edit' && effect.item.purpose === 'mend') log.write('warn', 'marker put right: git had taken it back', { id: effect.item.id });
  }
  if (event.kind === 'unreadable') log.write('warn', event.message);
  if (event.kind === 'read' && turned.draft.world.list.kind !== 'fine') log.write('warn', `list: ${turned.draft.world.list.kind}, nothing new starts`);
}

function tellEnd(log: Log, event: Extract<Event, { kind: 'ended' }>, turned: Turned): void {
  const { end } = event;
  if (end.kind === 'done') return;
  const run = turned.draft.runs.get(event.id);
  log.write(end.kind === 'final' ? 'warn' : 'info', `${event.step} ended: ${end.message}`, { id: event.id, step: event.step, reason: 'reason' in end ? end.reason : undefined, next: run?.step });
}

function tellOutcome(log: Log, run: Run | null | undefined): void {
  if (!run?.outcome) return;
  log.write(run.outcome.state === 'failed' ? 'error' : 'info', run.outcome.state, { ...fieldsOf(run), reason: run.outcome.reason, hash: run.found.hash, message: run.outcome.message || undefined });
}

function tellRun(log: Log, word: string, run: Run | null | undefined): void {
  if (run) log.write('info', word, fieldsOf(run));
}

const fieldsOf = (run: Run): Record<string, unknown> => ({ id: run.id, section: run.section, title: run.task.title, agent: run.agent, attempt: run.attempt > 1 ? run.attempt : undefined });
