/**
 * The tasks, for people and for programs: `task list`, `task ready`, `task show`, `task history`. They read only.
 */
import { z } from 'zod';
import { STATUS_WORDS } from '../../runs/requests.ts';
import { knownIn } from '../../runs/world.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Result, show, withApp } from './command.ts';
import { listed } from './commands-backlog.ts';
import { TASK_ARGUMENT } from './commands-look.ts';
import { failureOf, isFailure } from './failure.ts';
import { findId, findTask, missingSection } from './find-task.ts';
import { documentOf } from './json.ts';
import { ALL_OPTION, listOfAll, onePlace, PROJECT_OPTION, readyOfAll, withProject } from './projects.ts';
import { renderHistory, renderTask, type TaskWhole } from './render-tasks.ts';
import { nameOf, runLines } from './status.ts';

const LANE_WORDS = ['triage', 'decision', 'investigation', 'safe'] as const;
/** 6.1-R1. */
const READY_LIMIT = 5;
const QUIET_NAMES = 'prints ids (or handles, where a task has no id yet), one a line';

const text = z.string().min(1).optional();
const listInput = z.object({ all: z.boolean().default(false), project: text, status: text, section: text, owner: text, label: text, lane: text, text });
const readyInput = z.object({
  limit: z.coerce.number('write a number').int('write a whole number').min(1, 'at least 1').max(1000, 'at most 1000'),
  owner: text,
  all: z.boolean().default(false),
  project: text,
});
const taskInput = z.object({ task: z.string() });

export const TASK_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'task list',
    group: 'Tasks',
    summary: 'every task with its state, and why it waits',
    details: 'All filters given have to fit. --status pending is open, closed is done or cancelled.',
    arguments: [],
    options: [
      { flags: '--status <state>', says: 'only tasks in this state', choices: Object.keys(STATUS_WORDS) },
      { flags: '--section <name>', says: 'only this section', completes: 'section' },
      { flags: '--owner <name>', says: 'only tasks reserved for, or being worked on by, this one' },
      { flags: '--label <tag>', says: 'only tasks with this tag, inherited ones too: p1, #backend, model:opus' },
      { flags: '--lane <lane>', says: 'only this lane of approval', choices: LANE_WORDS },
      { flags: '--text <words>', says: 'only tasks with these words in title or details, in any case' },
      PROJECT_OPTION,
      ALL_OPTION,
    ],
    examples: [
      { line: 'todone task list --status failed', says: 'what went wrong' },
      { line: 'todone task list --all --lane triage', says: 'what waits for you, in every project' },
      { line: 'todone task list --section auth --json', says: 'one section, for a program' },
    ],
    json: 'tasks',
    quiet: QUIET_NAMES,
    input: listInput,
    run: (context, { all, ...input }) => {
      if (!all) return withProject(list)(context, input);
      return Promise.resolve(onePlace(context, input)).then((wrong) => wrong ?? listOfAll(context, given(input)));
    },
  }),
  command({
    name: 'task ready',
    group: 'Tasks',
    summary: 'the next tasks that a worker may take',
    details: 'Its own and the unassigned, by priority, then in the order of the list. No task is an empty answer, and fine.',
    arguments: [],
    options: [
      { flags: '--limit <n>', says: 'at most so many', default: READY_LIMIT },
      { flags: '--owner <name>', says: 'the worker that asks (default: --as, TODONE_INSTANCE, or <user>@<host>)' },
      PROJECT_OPTION,
      ALL_OPTION,
    ],
    examples: [
      { line: 'todone task ready', says: 'what comes next' },
      { line: 'todone task ready --owner ci --limit 1 --json', says: 'one task for a worker called ci' },
    ],
    json: 'tasks',
    quiet: QUIET_NAMES,
    input: readyInput,
    run: (context, { all, ...input }) => {
      if (!all) return withProject(ready)(context, input);
      return Promise.resolve(onePlace(context, input)).then((wrong) => wrong ?? readyOfAll(context, input));
    },
  }),
  command({
    name: 'task show',
    group: 'Tasks',
    summary: 'all that is known of one task, its plan too',
    arguments: [TASK_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone task show k3v9x2m1', says: 'by id' },
      { line: 'todone task show tasks.md:12 --json', says: 'the task on line 12, for a program' },
    ],
    json: 'task',
    quiet: QUIET_NAMES,
    input: taskInput,
    run: withApp(showTask),
  }),
  command({
    name: 'task history',
    group: 'Tasks',
    summary: 'what became of a task: what changed, when, by whom',
    arguments: [TASK_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone task history k3v9x2m1', says: 'its life so far' },
      { line: 'todone task history tasks.md:12 --json', says: 'for a program' },
    ],
    json: 'history',
    quiet: QUIET_NAMES,
    input: taskInput,
    run: withApp(history),
  }),
];

type ListInput = Omit<z.output<typeof listInput>, 'all'>;
type ReadyInput = Omit<z.output<typeof readyInput>, 'all'>;

const given = <T extends object>(input: T): T => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as T;

async function list(app: App, input: ListInput): Promise<Result> {
  if (input.section !== undefined) {
    const missing = missingSection(await app.scene(), input.section);
    if (missing) return missing;
  }
  const asked = given(input);
  const called = await app.door.call('task.list', asked, app.caller);
  return listed(called, Object.keys(asked).length > 0 ? 'no task fits' : `there is no task in ${app.paths.listName} yet`);
}

async function ready(app: App, input: ReadyInput): Promise<Result> {
  return listed(await app.door.call('task.ready', given(input), app.caller), 'no task is ready: todone task list says why');
}

async function showTask(app: App, input: z.output<typeof taskInput>): Promise<Result> {
  const scene = await app.scene();
  const found = findTask(scene, input.task);
  if (isFailure(found)) return found;
  const { view: task } = found;
  const known = task.id === null ? undefined : knownIn(scene.draft, task.id);
  const run = runLines(scene, await app.activity()).find(({ id }) => id === task.id) ?? null;
  const stored = task.id === null ? undefined : (scene.draft.runs.get(task.id) ?? scene.draft.world.runs.get(task.id));
  const called = await app.door.call('task.get', { task: input.task }, app.caller);
  const more = called.ok ? called.output : undefined;
  const view: TaskWhole = {
    list: app.paths.listName,
    task,
    run,
    attempts: known?.attempts ?? null,
    plan: stored?.found.plan ?? known?.plan ?? null,
    summary: stored?.found.summary ?? known?.summary ?? null,
    evidence: stored?.evidence ?? known?.evidence ?? null,
    kept: known?.kept ?? null,
    lane: more?.lane ?? 'safe',
    due: more?.due ?? null,
    estimate_ms: more?.estimate_ms ?? null,
    claim: more?.claim ?? null,
    history: more?.history ?? [],
    verify: (task.id === null ? undefined : await app.evidence(task.id)) ?? null,
  };
  return show({ view, text: renderTask, json: ({ list: _list, ...whole }) => documentOf(whole), quiet: (shown) => [nameOf(shown.task)] });
}

async function history(app: App, input: z.output<typeof taskInput>): Promise<Result> {
  const scene = await app.scene();
  const found = findId(scene, input.task);
  if (isFailure(found)) return found;
  const called = await app.door.call('task.history', { task: input.task }, app.caller);
  if (!called.ok) return failureOf(called);
  const { id = input.task } = found;
  return show({
    view: called.output.history,
    text: renderHistory,
    json: (view) => documentOf({ id, history: view }),
    quiet: (rows) => (rows.length === 0 ? [] : [id]),
  });
}
