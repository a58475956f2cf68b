/**
 * The names of a task on the command line (7-R6): its id, its `{id:}`, `file:line`, or its handle. Never guesses.
 */
import { allTasks, findById, handleOf, taskAt } from '../tasks/find.ts';
import type { Board, Located } from '../tasks/task.ts';

/** The task that is meant, or undefined; two tasks with one handle are none. */
export function resolve(board: Board, name: string): Located | undefined {
  const byId = findById(board, name);
  if (byId) return byId;
  const line = /:(\d{1,9})$/.exec(name)?.[1];
  if (line !== undefined) return taskAt(board, Number(line));
  if (!/^[a-z0-9]{4,12}$/.test(name)) return undefined;
  const found = [...allTasks(board)].filter((located) => handleOf(located.task) === name);
  return found.length === 1 ? found[0] : undefined;
}
