/**
 * What the list does by itself (6.3-R1, 1.2): an epic closes when its subtasks are done, a recurring task that is done leaves a fresh
 * copy for its next date, an initiative whose tasks are all done is complete. From what the list says, so that it makes no difference
 * who finished what, or whether anybody was there to see it; each section is looked at once per change.
 */
import { afterOf, handleOf, idOf as idOnLine, tagValue, targetOf } from '../tasks/find.ts';
import type { Edit, Located, NewTask, Section, Task } from '../tasks/task.ts';
import { idOf, type Scene, stateOf } from './choose.ts';
import { dateMs } from './dates.ts';
import type { EditItem } from './list-edits.ts';
import { newId } from './new-id.ts';
import { childrenOf } from './read-request.ts';
import { dateText, nextDate } from './recur.ts';
import { resolve } from './resolve.ts';
import { type Draft, isTaken, metaIn, note, stateElsewhere } from './world.ts';

/** Sections that were looked at as they are. */
const tended = new WeakMap<object, WeakSet<Section>>();

/** What is to be written; the history of what came to its end by itself is in the draft. */
export function upkeep(scene: Scene, random: () => number): readonly EditItem[] {
  const { world } = scene.draft;
  const seen = tended.get(world) ?? new WeakSet<Section>();
  tended.set(world, seen);
  const items: EditItem[] = [];
  let changed = false;
  for (const [sectionIndex, section] of scene.board.sections.entries()) {
    if (seen.has(section)) continue;
    seen.add(section);
    changed = true;
    if (section.name === undefined) {
      const edits = brokenInitiative(scene, section);
      if (edits.length > 0) items.push({ purpose: 'upkeep', id: `initiative:${section.title}`, ticket: 0, edits, urgent: false });
      continue;
    }
    for (const [taskIndex, task] of section.tasks.entries()) {
      const edits = isEpic(task) ? closedEpic(scene, { task, sectionIndex, taskIndex }, random) : comesAgain(scene, section, task);
      if (edits.length > 0) items.push({ purpose: 'upkeep', id: idOf(scene, task) ?? handleOf(task), ticket: 0, edits, urgent: false });
    }
  }
  if (changed) completeInitiatives(scene);
  return items;
}

// ── epics ────────────────────────────────────────────────────────────────────────────────────────

const isEpic = (task: Task): boolean => task.tags.some(({ key }) => key === 'epic');

/** Its subtasks are those nested under it and those that its {after} names. */
function closedEpic(scene: Scene, { task, sectionIndex, taskIndex }: Located, random: () => number): Edit[] {
  const { state } = task.marker;
  if (state !== 'open' && state !== 'blocked') return [];
  const section = scene.board.sections[sectionIndex];
  const states = section ? [...childrenOf(section, taskIndex)].map((child) => stateOf(scene, child.task)) : [];
  for (const name of afterOf(task)) {
    const located = resolve(scene, name);
    states.push(located ? stateOf(scene, located.task) : (stateElsewhere(scene.draft, name) ?? 'open'));
  }
  if (states.length === 0 || states.some((each) => each !== 'done' && each !== 'cancelled')) return [];
  const id = idOf(scene, task) ?? newId(random, (taken) => isTaken(scene.draft, taken));
  return [{ kind: 'mark', target: targetOf(task), expect: [state], marker: { state: 'done', hash: '-', id } }];
}

// ── recurrence ───────────────────────────────────────────────────────────────────────────────────

/** Tags that belong to the one time that is over. */
const ONE_TIME: ReadonlySet<string> = new Set(['id', 'not-before', 'due', 'redo', 'fresh', 'created', 'hold', 'by']);

function comesAgain(scene: Scene, section: Section, task: Task): Edit[] {
  if (task.marker.state !== 'done') return [];
  const rule = task.tags.find(({ key }) => key === 'every')?.value;
  if (rule === undefined) return [];
  const key = `every:${idOnLine(task) ?? handleOf(task)}`;
  // Once for each time that it was done, also when somebody deletes the copy.
  if (metaIn(scene.draft, key) !== undefined || hasCopy(section, task)) return [];
  const at = nextDate(rule, dateOf(task, 'not-before'), scene.now);
  if (at === undefined) return [];
  scene.draft.meta.set(key, dateText(at));
  return [{ kind: 'insert', where: { at: 'below', target: targetOf(task) }, task: copyOf(task, rule, at, scene.now) }];
}

const hasCopy = (section: Section, task: Task): boolean =>
  section.tasks.some(
    (other) =>
      other !== task &&
      other.title === task.title &&
      other.tags.some(({ key }) => key === 'every') &&
      other.marker.state !== 'done' &&
      other.marker.state !== 'cancelled',
  );

function dateOf(task: Task, key: string): number | undefined {
  const value = tagValue(task, key);
  return typeof value === 'string' ? dateMs(value) : undefined;
}

function copyOf(task: Task, rule: string, at: number, now: number): NewTask {
  const due = dateOf(task, 'due');
  const nextDue = due === undefined ? undefined : nextDate(rule, due, Math.max(now, at - 1));
  const tags = task.tags.filter(({ key }) => !ONE_TIME.has(key)).map(({ key, value }) => ({ key, ...(value === undefined ? {} : { value }) }));
  return {
    state: 'open',
    title: task.title,
    tags: [...tags, { key: 'not-before', value: dateText(at) }, ...(nextDue === undefined ? [] : [{ key: 'due', value: dateText(nextDue) }])],
    ...(task.details === '' ? {} : { details: task.details }),
  };
}

// ── initiatives ──────────────────────────────────────────────────────────────────────────────────

/** All tasks of an H1 are done: said once, in the history, and again when it was taken up anew. */
function completeInitiatives(scene: Scene): void {
  const open = new Map<string, boolean>();
  for (const section of scene.board.sections) {
    if (section.name === undefined || section.initiative === undefined || section.tasks.length === 0) continue;
    const left = section.tasks.some((task) => isLeft(scene, task));
    open.set(section.initiative, (open.get(section.initiative) ?? false) || left);
  }
  for (const [title, left] of open) tellInitiative(scene.draft, title, left);
}

/** `# Title {workflow:breakdown}` with prose below it becomes an epic in its first section, which an agent then takes apart (5.1-R3). */
function brokenInitiative(scene: Scene, section: Section): Edit[] {
  if (section.initiative !== section.title || !section.tags.some(({ key, value }) => key === 'workflow' && value === 'breakdown')) return [];
  const first = scene.board.sections.find(({ name, initiative }) => name !== undefined && initiative === section.title);
  if (first?.name === undefined) return [];
  const start = scene.board.starts[scene.board.sections.indexOf(section)] ?? 0;
  const details = scene.board.text
    .slice(start, start + section.length)
    .replace(/^[^\n]*\n/, '')
    .trim();
  const tags = [{ key: 'epic' }, { key: 'workflow', value: 'breakdown' }];
  return [
    { kind: 'untagHeading', sectionTitle: section.title, key: 'workflow' },
    { kind: 'insert', where: { at: 'end', section: first.name }, task: { state: 'open', title: section.title, tags, ...(details === '' ? {} : { details }) } },
  ];
}

/** A copy for a later date leaves nothing to be done now. */
function isLeft(scene: Scene, task: Task): boolean {
  const state = stateOf(scene, task);
  return state !== 'done' && state !== 'cancelled' && !(task.tags.some(({ key }) => key === 'every') && (dateOf(task, 'not-before') ?? 0) > scene.now);
}

function tellInitiative(draft: Draft, title: string, left: boolean): void {
  const key = `initiative:${title}`;
  const was = metaIn(draft, key) === 'complete';
  if (was !== left) return;
  draft.meta.set(key, left ? null : 'complete');
  note(draft, { id: key, field: 'state', old: was ? 'complete' : 'open', new: left ? 'open' : 'complete', by: 'todone', via: 'engine' });
}
