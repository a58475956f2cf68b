/**
 * From what a person typed to a task or section that is there, or a failure that says what was probably meant (7-R6).
 */
import { idOf, type Scene, whyNot } from '../../runs/choose.ts';
import { resolve } from '../../runs/resolve.ts';
import { taskView, type TaskView } from '../../runs/view.ts';
import { knownIn } from '../../runs/world.ts';
import { allTasks } from '../../tasks/find.ts';
import type { Located } from '../../tasks/task.ts';
import { type CliFailure, usage } from './failure.ts';
import { nearest } from './nearest.ts';
import { sectionNames } from './status.ts';

export type FoundTask = { readonly kind: 'found'; readonly located: Located; readonly view: TaskView };

export function findTask(scene: Scene, name: string): FoundTask | CliFailure {
  const located = resolve(scene, name);
  if (!located) return unknownTask(scene, name);
  return { kind: 'found', located, view: taskView(scene, located, whyNot(scene, located)) };
}

/** The id of a task that was claimed at some time, also one whose line is gone; undefined = it never was. */
export function findId(scene: Scene, name: string): { readonly kind: 'id'; readonly id: string | undefined } | CliFailure {
  const located = resolve(scene, name);
  if (located) return { kind: 'id', id: idOf(scene, located.task) };
  return knownIn(scene.draft, name) ? { kind: 'id', id: name } : unknownTask(scene, name);
}

function unknownTask(scene: Scene, name: string): CliFailure {
  const ids = new Set<string>();
  for (const { task } of allTasks(scene.board)) for (const id of [idOf(scene, task), task.name]) if (id !== undefined) ids.add(id);
  const meant = nearest(name, [...ids]);
  return usage(`no task is called ${name}`, `${meant === undefined ? '' : `did you mean ${meant}? `}todone task list shows every task with its id or handle`, {
    why: 'a task is named by its id, its {id:…}, <file>:<line>, or its handle',
  });
}

/** Undefined where there is such a section. */
export function missingSection(scene: Pick<Scene, 'board'>, name: string): CliFailure | undefined {
  const names = sectionNames(scene);
  if (names.includes(name)) return undefined;
  const meant = nearest(name, names);
  const known =
    names.length === 0
      ? 'the list has no section yet'
      : `its sections are: ${names.slice(0, NAMES_SHOWN).join(', ')}${names.length > NAMES_SHOWN ? ', …' : ''}`;
  return usage(`no section is called ${name}`, meant === undefined ? 'a section begins with a line "## Git Worktree <name>"' : `did you mean ${meant}?`, {
    why: known,
  });
}

const NAMES_SHOWN = 10;
