/**
 * The one picture that every surface shows: each task with its state and its reason, each run with its step. Derived from the
 * board and the world at each look, never stored, and without powers of its own.
 */
import { afterOf, handleOf, placeOf, priorityOf, tagsOf, tagValue } from '../tasks/find.ts';
import type { Located, MarkerState, Task } from '../tasks/task.ts';
import { choose, idOf, reasons, type Scene, stateOf, type Why } from './choose.ts';
import { type Errand, errandsIn } from './errand.ts';
import { dateMs } from './dates.ts';
import type { Known, Step } from './run.ts';
import { knownIn, runIn, runsIn } from './world.ts';

/** A task as `--json` shows it (7-R7). Times in ms since 1970; absent values are null. */
export type TaskView = {
  readonly id: string | null;
  readonly handle: string;
  readonly parent: string | null;
  readonly initiative: string | null;
  readonly phase: string | null;
  readonly project: string | null;
  readonly section: string;
  readonly title: string;
  readonly description: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly type: 'task' | 'epic' | 'subtask';
  readonly status: MarkerState;
  readonly priority: 0 | 1 | 2 | 3;
  readonly owner: string | null;
  readonly assigned_to: string | null;
  readonly assigned_at: number | null;
  readonly created_at: number | null;
  readonly updated_at: number | null;
  readonly closed_at: number | null;
  readonly closed_reason: string | null;
  readonly hash: string | null;
  readonly after: readonly string[];
  readonly relates: readonly string[];
  readonly line: number;
  /** Why it does not start now; null = it would, or it runs. */
  readonly reason: Why | null;
};

export type RunView = {
  readonly id: string;
  readonly section: string;
  readonly title: string;
  readonly agent: string;
  readonly model: string | null;
  readonly step: Step;
  readonly attempt: number;
  readonly started_at: number;
  readonly wait_until: number | null;
  readonly changed: boolean;
  readonly workspace: string | null;
};

/** What was done for a section's branch as a whole, or waits to be. Times in ms since 1970. */
export type ErrandView = {
  readonly kind: Errand['kind'];
  readonly state: Errand['state'];
  readonly message: string | null;
  readonly remedy: string | null;
  readonly url: string | null;
  readonly at: number;
  readonly wait_until: number | null;
};

export function errandViews(scene: Pick<Scene, 'draft'>, section: string): ErrandView[] {
  return errandsIn(scene.draft, section).map(({ kind, state, message, remedy, url, at, waitUntil }) => ({
    kind,
    state,
    message: message ?? null,
    remedy: remedy ?? null,
    url: url ?? null,
    at,
    wait_until: waitUntil ?? null,
  }));
}

/** Every task of the list, in file order, with its reason. */
export function taskViews(scene: Scene): TaskView[] {
  return [...reasons(scene)].map(({ located, why }) => taskView(scene, located, why));
}

export function runViews(scene: Pick<Scene, 'draft'>): RunView[] {
  return [...runsIn(scene.draft)].map((run) => ({
    id: run.id,
    section: run.section,
    title: run.task.title,
    agent: run.agent,
    model: run.model ?? null,
    step: run.step,
    attempt: run.attempt,
    started_at: run.startedAt,
    wait_until: run.waitUntil ?? null,
    changed: run.changed,
    workspace: run.found.workspace ?? null,
  }));
}

export function taskView(scene: Scene, located: Located, why: Why | undefined): TaskView {
  const { task } = located;
  const id = idOf(scene, task);
  const known = id === undefined ? undefined : knownIn(scene.draft, id);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  const owner = tagValue(task, 'owner');
  return {
    id: id ?? task.name ?? null,
    handle: handleOf(task),
    parent: parentOf(scene, located),
    initiative: task.initiative ?? null,
    phase: task.phase ?? null,
    project: null,
    section: task.section,
    title: task.title,
    description: task.details,
    fields: Object.fromEntries(task.fields.map((field) => [field.key, field.value])),
    tags: tagsOf(task).map((tag) => tag.text),
    type: tagValue(task, 'epic') !== undefined ? 'epic' : task.parent === undefined ? 'task' : 'subtask',
    status: stateOf(scene, task),
    priority: priorityOf(task),
    owner: typeof owner === 'string' ? owner : null,
    assigned_to: run ? run.agent : null,
    assigned_at: run?.startedAt ?? null,
    created_at: dateOf(task, 'created') ?? known?.createdAt ?? null,
    updated_at: known?.updatedAt ?? null,
    closed_at: isClosed(task.marker.state) ? (known?.updatedAt ?? null) : null,
    closed_reason: closedReason(known, task.marker.state),
    hash: task.marker.hash ?? known?.hash ?? null,
    after: afterOf(task),
    relates: relatesOf(task),
    line: placeOf(scene.board, located).line,
    reason: why ?? null,
  };
}

/** One group of the dry run's JSON (3-R7); the field names are the spec's. */
export type PlannedGroup = {
  readonly worktree_name: string;
  readonly tasks_to_start: readonly { readonly description: string; readonly tags: readonly string[] }[];
};

/** What would be started now, grouped by section, everything in file order. */
export function plannedGroups(scene: Scene): PlannedGroup[] {
  const chosen = [...choose(scene).start].sort((a, b) => a.located.sectionIndex - b.located.sectionIndex || a.located.taskIndex - b.located.taskIndex);
  const groups = new Map<string, { description: string; tags: readonly string[] }[]>();
  for (const { task } of chosen) {
    const group = groups.get(task.section) ?? [];
    group.push({ description: task.title, tags: tagsOf(task).map((tag) => tag.text) });
    groups.set(task.section, group);
  }
  return [...groups].map(([worktree_name, tasks_to_start]) => ({ worktree_name, tasks_to_start }));
}

/** The most waves that a dry run looks ahead. */
export const WAVES_MAX = 100;

/** The waves that would follow if everything went well: each a list of titles by section. */
export function waves(scene: Scene, max = WAVES_MAX): readonly (readonly Task[])[] {
  const assumed = new Set<Task>();
  const found: Task[][] = [];
  for (const run of runsIn(scene.draft)) {
    for (const { located } of reasons(scene)) if (idOf(scene, located.task) === run.id) assumed.add(located.task);
  }
  while (found.length < max) {
    const start = choose({ ...scene, assumed })
      .start.map((choice) => choice.task)
      .filter((task) => !assumed.has(task));
    if (start.length === 0) return found;
    found.push(start);
    for (const task of start) assumed.add(task);
  }
  return found;
}

/** The state of a section in numbers. */
export function countStates(views: readonly TaskView[]): Readonly<Record<MarkerState, number>> {
  const counts = { open: 0, blocked: 0, in_progress: 0, done: 0, failed: 0, cancelled: 0 };
  for (const view of views) counts[view.status]++;
  return counts;
}

function dateOf(task: Task, key: string): number | undefined {
  const value = tagValue(task, key);
  return typeof value === 'string' ? dateMs(value) : undefined;
}

function parentOf(scene: Scene, located: Located): string | null {
  const { parent } = located.task;
  const above = parent === undefined ? undefined : scene.board.sections[located.sectionIndex]?.tasks[parent];
  return above ? (idOf(scene, above) ?? handleOf(above)) : null;
}

export function relatesOf(task: Task): readonly string[] {
  const value = tagValue(task, 'relates');
  return typeof value === 'string'
    ? value
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
    : [];
}

const isClosed = (state: MarkerState): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

function closedReason(known: Known | undefined, state: MarkerState): string | null {
  if (!isClosed(state)) return null;
  return known?.message || known?.reason || null;
}
