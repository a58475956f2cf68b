/**
 * Requests that only look: which tasks, which one, what it waits for. From a scene; the history is handed in. Never changes
 * anything, so it is answered by whoever has the list before him, owner or not.
 */
import { afterOf, allTasks, handleOf, laneOf, priorityOf, tagsOf, tagValue } from '../tasks/find.ts';
import type { Located, Section, Task } from '../tasks/task.ts';
import { estimateMs } from './dates.ts';
import { claimable, idOf, notClaimable, reasons, type Scene, stateOf, whyNot } from './choose.ts';
import { type Refusal, refusal, type RequestInput, type RequestOutput, STATUS_WORDS, type TaskTree } from './requests.ts';
import { resolve } from './resolve.ts';
import { relatesOf, taskView, type TaskView } from './view.ts';
import { knownIn, runIn, runsIn, stateElsewhere } from './world.ts';

type HistoryRows = RequestOutput<'task.history'>['history'];

/** What `owner` may take now: its own and the unassigned, by priority, then file order (6.1-R1). */
export function readyTasks(scene: Scene, owner: string, limit: number): TaskView[] {
  return readyFor(scene, owner)
    .slice(0, limit)
    .map((located) => taskView(scene, located, undefined));
}

/** One that no journal knows yet is the newest. */
const seenAt = (view: TaskView): number => view.created_at ?? Number.MAX_SAFE_INTEGER;

/** Over several lists: by priority, then by when they were first seen (6.1-R1). Each list is in its own order. */
export function readyOverAll(lists: readonly (readonly TaskView[])[], limit: number): TaskView[] {
  return lists
    .flat()
    .toSorted((one, other) => one.priority - other.priority || seenAt(one) - seenAt(other))
    .slice(0, limit);
}

/** The first of these. Once there is one, only what goes before it is looked at. */
export function firstReady(scene: Scene, owner: string): Located | undefined {
  let first: Located | undefined;
  let before = Number.POSITIVE_INFINITY;
  for (const located of claimable({ ...scene, instance: owner }, (task) => priorityOf(task) < before)) {
    first = located;
    before = priorityOf(located.task);
  }
  return first;
}

function readyFor(scene: Scene, owner: string): Located[] {
  const byPriority: Located[][] = [[], [], [], []];
  for (const located of claimable({ ...scene, instance: owner })) byPriority[priorityOf(located.task)]?.push(located);
  return byPriority.flat();
}

/** Every task that passes all that was asked for, in file order. */
export function listTasks(scene: Scene, filter: RequestInput<'task.list'>): TaskView[] {
  const states: readonly string[] | undefined = filter.status === undefined ? undefined : STATUS_WORDS[filter.status];
  const words = filter.text?.toLowerCase();
  const label = filter.label;
  const fits = ({ task }: Located): boolean =>
    (filter.section === undefined || task.section === filter.section) &&
    (filter.lane === undefined || laneOf(task) === filter.lane) &&
    (!states || states.includes(stateOf(scene, task))) &&
    (label === undefined || tagsOf(task).some((tag) => hasLabel(tag.text, label))) &&
    (words === undefined || `${task.title}\n${task.details}`.toLowerCase().includes(words)) &&
    (filter.owner === undefined || isOf(scene, task, filter.owner));
  const views: TaskView[] = [];
  for (const { located, why } of reasons(scene)) {
    if (!fits(located)) continue;
    views.push(taskView(scene, located, why));
    if (views.length === filter.limit) break;
  }
  return views;
}

/** Reserved for it, or being worked on by it. */
function isOf(scene: Scene, task: Task, owner: string): boolean {
  if (tagValue(task, 'owner') === owner) return true;
  const id = idOf(scene, task);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  return run?.agent === owner && run.step !== 'settle';
}

export function mineTasks(scene: Scene, owner: string): TaskView[] {
  return listTasks(scene, { owner }).filter(({ status }) => status !== 'done' && status !== 'cancelled');
}

/** What only a person can bring on (6.2). */
const PEOPLE: ReadonlySet<string> = new Set(['lane', 'approval', 'hold', 'held', 'failed', 'problem']);

export const waitingTasks = (scene: Scene): TaskView[] =>
  [...reasons(scene)].filter(({ why }) => why && PEOPLE.has(why.code)).map(({ located, why }) => taskView(scene, located, why));

export function getTask(scene: Scene, name: string, history: (id: string) => HistoryRows): RequestOutput<'task.get'> | Refusal {
  const located = resolve(scene, name);
  if (!located) return unknownTask(name);
  const { task } = located;
  const id = idOf(scene, task);
  const known = id === undefined ? undefined : knownIn(scene.draft, id);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  const found = run?.found;
  const usage = found?.usage;
  const estimate = tagValue(task, 'est');
  const due = tagValue(task, 'due');
  return {
    task: taskView(scene, located, whyNot(scene, located)) as RequestOutput<'task.get'>['task'],
    lane: laneOf(task),
    estimate_ms: typeof estimate === 'string' ? (estimateMs(estimate) ?? null) : null,
    due: typeof due === 'string' ? due : null,
    attempts: known?.attempts ?? null,
    plan: found?.plan ?? known?.plan ?? null,
    summary: found?.summary ?? known?.summary ?? null,
    evidence: run?.evidence ?? known?.evidence ?? null,
    kept: known?.kept ?? null,
    notes: [...task.notes],
    claim: run?.outside ? { worker: run.outside.worker, since: run.startedAt, lease_until: run.outside.until ?? null } : null,
    usage: usage ? { tokens: usage.inputTokens + usage.outputTokens, cost_usd: usage.costUsd } : null,
    history: historyOf(scene, located, history),
  };
}

/** The rows of a task under its id, and under the handles that it had before it got one. */
export function historyOf(scene: Scene, { task }: Pick<Located, 'task'>, history: (id: string) => HistoryRows): HistoryRows {
  const id = idOf(scene, task);
  const rows = [...(id === undefined ? [] : history(id)), ...history(handleOf(task))];
  const seen = new Set([id, handleOf(task)]);
  for (let at = 0; at < rows.length && seen.size < WAS_MAX; at++) {
    const row = rows[at];
    if (row?.field !== 'was' || row.old === null || seen.has(row.old)) continue;
    seen.add(row.old);
    rows.push(...history(row.old));
  }
  return rows.filter((row) => row.field !== 'was').sort((one, other) => one.at - other.at);
}

const WAS_MAX = 100;

export const unknownTask = (name: string): Refusal =>
  refusal('unknown', `no task is called ${name}`, 'todone task list shows every task with its id or handle');

// ── dependencies ─────────────────────────────────────────────────────────────────────────────────

/** What a task waits for, as a tree; without a name, of every unfinished task that waits for something and that nothing waits for. */
export function depTrees(scene: Scene, name: string | undefined): RequestOutput<'task.depTree'> | Refusal {
  if (name !== undefined) {
    const located = resolve(scene, name);
    return located ? { trees: [treeOf(scene, located, 'task', new Set())] } : unknownTask(name);
  }
  const waited = new Set<Task>();
  const roots: Located[] = [];
  for (const located of allTasks(scene.board)) {
    const state = stateOf(scene, located.task);
    if (state === 'done' || state === 'cancelled') continue;
    const below = [...needs(scene, located)];
    for (const need of below) if (need.located) waited.add(need.located.task);
    if (below.length > 0) roots.push(located);
  }
  const drawn = new Set<Task>();
  const trees = roots.filter(({ task }) => !waited.has(task)).map((located) => treeOf(scene, located, 'task', drawn));
  return { trees };
}

type Need = { readonly name: string; readonly kind: TaskTree['kind']; readonly located: Located | undefined };

function* needs(scene: Scene, located: Located): Generator<Need> {
  for (const name of afterOf(located.task)) yield { name, kind: 'after', located: resolve(scene, name) };
  const section = scene.board.sections[located.sectionIndex];
  if (section)
    for (const child of childrenOf(section, located.taskIndex)) yield { name: '', kind: 'subtask', located: { ...child, sectionIndex: located.sectionIndex } };
  for (const name of relatesOf(located.task)) yield { name, kind: 'relates', located: resolve(scene, name) };
}

export function* childrenOf(section: Section, parent: number): Generator<{ readonly task: Task; readonly taskIndex: number }> {
  for (let taskIndex = parent + 1; taskIndex < section.tasks.length; taskIndex++) {
    const task = section.tasks[taskIndex];
    if (!task || task.parent === undefined || task.parent < parent) return;
    if (task.parent === parent) yield { task, taskIndex };
  }
}

const DEPTH_MAX = 50;

function treeOf(scene: Scene, located: Located, kind: TaskTree['kind'], drawn: Set<Task>, depth = 0): TaskTree {
  const { task } = located;
  const again = drawn.has(task);
  drawn.add(task);
  const below = again || kind === 'relates' || depth >= DEPTH_MAX ? [] : [...needs(scene, located)];
  return {
    name: nameOf(scene, task),
    title: task.title,
    status: stateOf(scene, task),
    kind,
    waits_for: below.map((need) =>
      need.located
        ? treeOf(scene, need.located, need.kind, drawn, depth + 1)
        : { name: need.name, title: '', status: stateElsewhere(scene.draft, need.name) ?? null, kind: need.kind, waits_for: [], again: false },
    ),
    again,
  };
}

export const nameOf = (scene: Pick<Scene, 'draft'>, task: Task): string => idOf(scene, task) ?? task.name ?? handleOf(task);

/** The reason that a view shows after a request. */
export function viewOf(scene: Scene, located: Located): TaskView {
  return taskView(scene, located, notClaimable(scene, located));
}

/** `label` is a tag as typed, its key, or `#label`. */
function hasLabel(tag: string, label: string): boolean {
  const bare = label.replace(/^[#{]/, '').replace(/\}$/, '').toLowerCase();
  const typed = tag.replace(/^#/, '').toLowerCase();
  return typed === bare || typed.startsWith(`${bare}:`);
}

/** Claims that ran out count as given back, also before an owner has written it down. */
export function withoutDeadClaims(scene: Scene): Scene {
  for (const run of runsIn(scene.draft))
    if (run.outside?.until !== undefined && run.outside.until <= scene.now && run.step !== 'settle')
      scene.draft.runs.set(run.id, { ...run, step: 'settle', outcome: { state: 'open', reason: 'lost', message: 'its lease ran out' } });
  return scene;
}
