/**
 * Which tasks `todone archive` takes off the list (6.5-R1), and why others stay; as edits of the list and entries of the archive.
 * Tried on the board first: nothing goes that would change what the lines around it say. Pure.
 */
import type { ArchiveEntry } from '../tasks/archive.ts';
import { blockOf, placeOfBlock } from '../tasks/edit-block.ts';
import { endsHidden } from '../tasks/edit-insert.ts';
import { applyEdits } from '../tasks/edit.ts';
import { idsOf } from '../tasks/ids.ts';
import { allWithId, targetOf } from '../tasks/find.ts';
import type { Board, Edit, Located, Section, Task } from '../tasks/task.ts';
import { endOfLine } from '../tasks/white.ts';
import { idOf, type Scene, stateOf } from './choose.ts';
import { runIn } from './world.ts';

export type ArchiveWish = {
  /** Ms since it was done. */
  readonly olderThan: number;
  readonly section?: string | undefined;
  /** Just these, however old. */
  readonly only?: readonly Located[] | undefined;
  /** When a task was done; undefined where nobody knows. */
  readonly doneAt: (task: Task, id: string | undefined) => number | undefined;
  readonly run: string;
};

export type Leaving = {
  readonly located: Located;
  readonly id: string | undefined;
  readonly entry: ArchiveEntry;
  readonly edit: Extract<Edit, { kind: 'remove' }>;
};
export type Staying = { readonly located: Located; readonly why: string };
export type ArchivePlan = { readonly leaving: readonly Leaving[]; readonly staying: readonly Staying[] };

const DAY_MS = 86_400_000;

export function planArchive(scene: Scene, wish: ArchiveWish): ArchivePlan {
  const chosen: Located[] = [];
  const staying: Staying[] = [];
  const names = new Map<string, number>();
  for (const { name } of scene.board.sections) if (name !== undefined) names.set(name, (names.get(name) ?? 0) + 1);
  for (const located of wish.only ? new Set(wish.only) : doneTasks(scene, wish.section)) {
    const why = (names.get(located.task.section) ?? 0) > 1 ? 'its section is on the list twice' : whyStays(scene, wish, located);
    if (why === undefined) chosen.push(located);
    else staying.push({ located, why });
  }
  chosen.sort((one, other) => one.sectionIndex - other.sectionIndex || one.taskIndex - other.taskIndex);
  const safe = new Set(withoutHarm(scene, chosen));
  for (const located of chosen) if (!safe.has(located)) staying.push({ located, why: 'without its lines those around it would say something else' });
  return { leaving: leavingOf(scene, wish, [...safe]), staying };
}

function* doneTasks({ board }: Scene, only: string | undefined): Generator<Located> {
  for (const [sectionIndex, section] of board.sections.entries()) {
    if (section.name === undefined || (only !== undefined && section.name !== only)) continue;
    for (const [taskIndex, task] of section.tasks.entries())
      if (task.parent === undefined && task.marker.state === 'done') yield { task, sectionIndex, taskIndex };
  }
}

function whyStays(scene: Scene, wish: ArchiveWish, { task, sectionIndex, taskIndex }: Located): string | undefined {
  const section = scene.board.sections[sectionIndex]!;
  const id = idOf(scene, task);
  if (section.name === undefined) return 'it stands outside any section';
  if (task.parent !== undefined) return `it goes with "${section.tasks[task.parent]?.title ?? ''}", which it is nested under`;
  if (task.marker.state !== 'done' || stateOf(scene, task) !== 'done' || (id !== undefined && runIn(scene.draft, id))) return 'it is not done';
  const open = [...below(section, taskIndex)].find((each) => each.marker.state !== 'done' && each.marker.state !== 'cancelled');
  const twice = [task, ...below(section, taskIndex)].flatMap((each) => idsOf(each)).find((name) => allWithId(scene.board, name).length > 1);
  if (twice !== undefined) return `the id ${twice} is on the list twice`;
  if (endsHidden(scene.board.text, scene.board.starts[sectionIndex]!, task)) return 'a fence or comment in it is not closed';
  if (open) return `"${open.title}", nested under it, is not done`;
  if (wish.only) return undefined;
  const at = wish.doneAt(task, id);
  if (at === undefined) return 'nobody knows when it was done: name it, to have it archived';
  return scene.now - at < wish.olderThan ? `it was done ${days(scene.now - at)} ago` : undefined;
}

const days = (ms: number): string => (ms < DAY_MS ? 'less than a day' : ms < 2 * DAY_MS ? 'a day' : `${Math.floor(ms / DAY_MS)} days`);

/** The tasks nested under one, at any depth. */
function* below(section: Section, taskIndex: number): Generator<Task> {
  for (let at = taskIndex + 1; at < section.tasks.length; at++) {
    const task = section.tasks[at]!;
    if (task.parent === undefined || task.parent < taskIndex) return;
    yield task;
  }
}

// ── without harm ─────────────────────────────────────────────────────────────────────────────────

/** Those that can go together, without those that cannot go. */
function withoutHarm(scene: Scene, chosen: readonly Located[]): readonly Located[] {
  return withMore(scene, [], chosen);
}

/** By halves, so that one that cannot go costs little. */
function withMore(scene: Scene, kept: readonly Located[], more: readonly Located[]): readonly Located[] {
  if (leavesRest(scene, [...kept, ...more])) return [...kept, ...more];
  if (more.length === 1) return kept;
  const half = Math.ceil(more.length / 2);
  return withMore(scene, withMore(scene, kept, more.slice(0, half)), more.slice(half));
}

function leavesRest(scene: Scene, chosen: readonly Located[]): boolean {
  if (chosen.length === 0) return true;
  const { board } = scene;
  const { after, results } = without(scene, chosen);
  if (results.some(({ kind }) => kind !== 'applied')) return false;
  const gone = nestedIn(board, chosen);
  const left = board.sections.flatMap((section) => section.tasks.filter((task) => !gone.has(task)).map(wordsOf));
  const now = after.sections.flatMap((section) => section.tasks.map(wordsOf));
  return left.length === now.length && left.every((words, index) => words === now[index]);
}

const wordsOf = (task: Task): string => JSON.stringify([task.section, task.phase, task.marker, task.fingerprint, task.notes]);

function without(scene: Scene, chosen: readonly Located[]): { readonly after: Board; readonly results: ReturnType<typeof applyEdits>['results'] } {
  const { labels, workers } = scene.config;
  const { board: after, results } = applyEdits(
    scene.board.text,
    chosen.map((located) => removal(scene.board, located)),
    { labels, workers },
    scene.board,
  );
  return { after, results };
}

const removal = (board: Board, located: Located): Extract<Edit, { kind: 'remove' }> => ({
  kind: 'remove',
  target: targetOf(located.task),
  text: blockOf(board, located).text,
});

function nestedIn(board: Board, chosen: readonly Located[]): ReadonlySet<Task> {
  return new Set(chosen.flatMap(({ task, sectionIndex, taskIndex }) => [task, ...below(board.sections[sectionIndex]!, taskIndex)]));
}

function leavingOf(scene: Scene, wish: ArchiveWish, chosen: readonly Located[]): readonly Leaving[] {
  const { board, now } = scene;
  const { after } = without(scene, chosen);
  const gone = nestedIn(board, chosen);
  return chosen.flatMap((located): Leaving[] => {
    const { task, sectionIndex, taskIndex } = located;
    const place = placeOfBlock(board, after, located, gone);
    if (!place) return [];
    const id = idOf(scene, task);
    const done = wish.doneAt(task, id);
    const edit = removal(board, located);
    const names = [task, ...below(board.sections[sectionIndex]!, taskIndex)].flatMap((each) => idsOf(each));
    const ids = [...new Set(names)];
    const start = board.starts[sectionIndex]!;
    const line = board.text.slice(start, endOfLine(board.text, start));
    const heading = /^ {0,3}#/.test(line) ? line : `## Git Worktree ${task.section}`;
    const entry = { run: wish.run, at: now, section: task.section, heading, ids, text: edit.text, ...place, ...(done !== undefined && { done }) };
    return [{ located, id, entry, edit }];
  });
}
