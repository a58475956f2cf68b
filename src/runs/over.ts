/**
 * When a section is over: nothing in it is open, blocked or being worked on. What failed is over too: its work is kept, and a worktree
 * is made again when it is asked for.
 */
import type { Board } from '../tasks/task.ts';
import type { Run } from './run.ts';

export type SectionState = { readonly board: Board; readonly runs: Iterable<Run> };

/** Why a section is not over; undefined = it is, or it is not on the list any more. */
export function notOver({ board, runs }: SectionState, name: string): string | undefined {
  for (const run of runs) if (run.section === name) return `"${run.task.title}" is being worked on`;
  for (const section of board.sections) {
    if (section.name !== name) continue;
    const left = section.tasks.find(({ marker }) => marker.state === 'open' || marker.state === 'blocked' || marker.state === 'in_progress');
    if (left) return `"${left.title}" is ${left.marker.state.replace('_', ' ')}`;
  }
  return undefined;
}
