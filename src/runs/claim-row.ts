/**
 * What every claim's row begins with, whoever makes it: the daemon's choice or a worker outside.
 */
import type { Task } from '../tasks/task.ts';
import type { Known, Run } from './run.ts';
import { textOf } from './steer.ts';

type Begun =
  | 'id'
  | 'ticket'
  | 'attempt'
  | 'step'
  | 'section'
  | 'text'
  | 'occurrence'
  | 'task'
  | 'fingerprint'
  | 'changed'
  | 'from'
  | 'tries'
  | 'reworks'
  | 'startedAt';

/** The next ticket of a task, with its words as the list has them. `now`: ms since 1970. */
export function claimOf(task: Task, known: Known, now: number): Pick<Run, Begun> {
  return {
    id: known.id,
    ticket: known.ticket + 1,
    attempt: 1,
    step: 'claim',
    section: task.section,
    text: task.text,
    occurrence: task.occurrence,
    task: textOf(task, known.id),
    fingerprint: task.fingerprint,
    changed: false,
    from: task.marker.state,
    tries: 0,
    reworks: 0,
    startedAt: now,
  };
}
