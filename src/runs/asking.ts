/**
 * What a request is answered from and with: the words that `claims.ts` and `filing.ts` share. A refusal about a task goes into its
 * history, so that indiscipline can be seen later.
 */
import { handleOf } from '../tasks/find.ts';
import type { Located, Task } from '../tasks/task.ts';
import type { Answer } from './ask.ts';
import { type Caller, wordsFor } from './caller.ts';
import type { Scene } from './choose.ts';
import type { EditItem, Reply } from './list-edits.ts';
import { type RefusalCode, REFUSALS, type RequestName } from './requests.ts';
import type { Run } from './run.ts';
import { type Draft, note } from './world.ts';

/** What git says of the commit that a request names; looked up before it is asked. */
export type AskedFacts = { readonly commit?: string; readonly hash?: string };

export type Asking = {
  readonly number: number;
  readonly request: RequestName;
  readonly caller: Caller;
  readonly facts: AskedFacts;
  readonly draft: Draft;
  readonly scene: Scene;
  readonly now: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
};

export type Asked = {
  /** Absent where it is known only when an edit has been written; the edit carries the reply then. */
  readonly answer?: Answer;
  /** Answered once what `goes` came to stands on the list, or cannot be written now. */
  readonly reply?: Reply;
  readonly halts: readonly Run[];
  readonly edits: readonly EditItem[];
  readonly goes: readonly Run[];
};

export const answeredWith = (answer: Answer): Asked => ({ answer, halts: [], edits: [], goes: [] });

export const done = (output: Readonly<Record<string, unknown>>): Asked => answeredWith({ kind: 'ok', message: '', output });

/** A refusal; `about` = the task that it is recorded with, by its id or its handle. */
export function refused(asking: Asking, code: RefusalCode, message: string, remedy: string, about?: string | Task): Asked {
  const id = typeof about === 'object' ? handleOf(about) : about;
  if (id !== undefined && REFUSALS[code] === 3)
    note(asking.draft, { id, field: 'refused', old: null, new: `${asking.request}: ${message}`, by: wordsFor(asking.caller), via: asking.caller.via });
  return answeredWith({ kind: REFUSALS[code] === 2 ? 'unknown' : 'refused', code, message, remedy });
}

/** The tasks that wait for this one by name. */
export function* dependentsOf(scene: Pick<Scene, 'board'>, names: ReadonlySet<string>, afterOf: (task: Task) => readonly string[]): Generator<Located> {
  for (const [sectionIndex, section] of scene.board.sections.entries())
    for (const [taskIndex, task] of section.tasks.entries()) if (afterOf(task).some((name) => names.has(name))) yield { task, sectionIndex, taskIndex };
}
