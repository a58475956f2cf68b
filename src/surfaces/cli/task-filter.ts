/**
 * Which tasks `task list` and `task ready` show: filters over views, in the words of 7-R7. Never changes what a view says.
 */
import { laneOf } from '../../tasks/find.ts';
import type { MarkerState } from '../../tasks/task.ts';
import { reasons, type Scene, type WhyCode } from '../../runs/choose.ts';
import { taskView, taskViews, type TaskView } from '../../runs/view.ts';

/** The words of `--status` and the states that each means. */
export const STATUS_WORDS: Readonly<Record<string, readonly MarkerState[]>> = {
  open: ['open'],
  pending: ['open'],
  blocked: ['blocked'],
  in_progress: ['in_progress'],
  done: ['done'],
  closed: ['done', 'cancelled'],
  failed: ['failed'],
  cancelled: ['cancelled'],
};

export type ListFilter = {
  readonly status?: string;
  readonly section?: string;
  readonly owner?: string;
  readonly label?: string;
  readonly lane?: string;
  readonly text?: string;
};

/** Every task that passes all that was asked for, in file order. */
export function listTasks(scene: Scene, filter: ListFilter): TaskView[] {
  const states = filter.status === undefined ? undefined : STATUS_WORDS[filter.status];
  const text = filter.text?.toLowerCase();
  const views = [...reasons(scene)]
    .filter(({ located }) => filter.lane === undefined || laneOf(located.task) === filter.lane)
    .map(({ located, why }) => taskView(scene, located, why));
  return views.filter(
    (view) =>
      (!states || states.includes(view.status)) &&
      (filter.section === undefined || view.section === filter.section) &&
      (filter.owner === undefined || view.owner === filter.owner || view.assigned_to === filter.owner) &&
      (filter.label === undefined || view.tags.some((tag) => hasLabel(tag, filter.label ?? ''))) &&
      (text === undefined || `${view.title}\n${view.description}`.toLowerCase().includes(text)),
  );
}

/** What only this machine's daemon waits for: another worker may start such a task. */
const OURS: ReadonlySet<WhyCode> = new Set<WhyCode>(['cap', 'agent', 'section']);

/** What `owner` may take now: its own and the unassigned, by priority, then file order (6.1-R1). */
export function readyTasks(scene: Scene, owner: string, limit: number): TaskView[] {
  const views = taskViews({ ...scene, instance: owner }).filter((view) => view.reason === null || OURS.has(view.reason.code));
  return views.sort((a, b) => a.priority - b.priority).slice(0, limit);
}

/** `label` is a tag as typed, its key, or `#label`. */
function hasLabel(tag: string, label: string): boolean {
  const bare = label.replace(/^[#{]/, '').replace(/\}$/, '').toLowerCase();
  const typed = tag.replace(/^#/, '').toLowerCase();
  return typed === bare || typed.startsWith(`${bare}:`);
}
