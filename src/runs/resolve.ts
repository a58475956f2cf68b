/**
 * The names of a task on the command line (7-R6): its id, its `{id:}`, `file:line`, or its handle. Never guesses.
 */
import { allTasks, findById, handleOf, taskAt } from '../tasks/find.ts';
import type { Located } from '../tasks/task.ts';
import type { Scene } from './choose.ts';
import { locateKnown } from './steer.ts';
import { knownIn } from './world.ts';

/** The task that is meant, or undefined; two tasks with one handle are none. */
export function resolve({ board, draft }: Pick<Scene, 'board' | 'draft'>, name: string): Located | undefined {
  const byId = findById(board, name);
  if (byId) return byId;
  const line = /:(\d{1,9})$/.exec(name)?.[1];
  if (line !== undefined) return taskAt(board, Number(line));
  if (!/^[a-z0-9]{4,12}$/.test(name)) return undefined;
  // An old buffer may just have been saved over its id, which is written back in a moment.
  const known = knownIn(draft, name);
  if (known) return locateKnown(board, draft, known);
  const found = [...allTasks(board)].filter((located) => handleOf(located.task) === name);
  return found.length === 1 ? found[0] : undefined;
}
