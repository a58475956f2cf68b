/**
 * Several projects in one view (6.5-R2): `task list --all`, `task ready --all`, `status --all`; and one that is named from anywhere. Gathers what
 * each says of itself; one that cannot be looked at is shown with its reason, beside the others.
 */
import { readyOverAll } from '../../runs/read-request.ts';
import { countStates, type TaskView } from '../../runs/view.ts';
import type { App, Looked, Owner, ProjectPlace, Trouble } from './app.ts';
import { type Context, type Outcome, type Result, show } from './command.ts';
import { type CliFailure, failureOf, isFailure, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { type Cell, type Column, type Look, paint, table } from './layout.ts';
import { renderList } from './render-tasks.ts';
import { nameOf, type RunLine, type Status, statusOf } from './status.ts';
import { countWords } from './words.ts';

export const PROJECT_OPTION = {
  flags: '--project <name>',
  says: "another project of the user's own config, by its name or path",
  completes: 'nothing',
} as const;
export const ALL_OPTION = { flags: '--all', says: "every project that the user's own config lists" } as const;

/** The handler of a command that may name a project: opened there, wherever it is called. */
export function withProject<I extends { readonly project?: string | undefined }>(
  run: (app: App, input: I, context: Context) => Promise<Result>,
): (context: Context, input: I) => Promise<Result> {
  return async (context, input) => {
    const inside = input.project === undefined ? undefined : await context.host.inProject(context.globals, input.project);
    if (isFailure(inside)) return inside;
    const globals = inside?.globals ?? context.globals;
    const app = await context.host.open(globals);
    return isFailure(app) ? app : run(app, inside ? { ...input, project: inside.project } : input, { ...context, globals });
  };
}

/** What names one place makes no sense beside all. */
export function onePlace({ globals }: Context, input: { readonly project?: string | undefined }): CliFailure | undefined {
  const one = globals.repo ?? globals.tasks ?? globals.config ?? input.project;
  return one === undefined
    ? undefined
    : usage('--all is for the projects of the config, and not for one of them', 'leave --all out, or -C, --tasks, --config and --project');
}

type Tasks = readonly TaskView[];

export async function listOfAll(context: Context, filter: object): Promise<Result> {
  const looked = await context.host.lookAtAll(context.globals, async (app): Promise<Tasks | CliFailure> => {
    const called = await app.door.call('task.list', filter, app.caller);
    return called.ok ? (called.output.tasks as Tasks) : failureOf(called);
  });
  return isFailure(looked) ? looked : allShown(looked, ownTasks(looked).flat(), 'no task fits');
}

export async function readyOfAll(context: Context, wanted: { readonly limit: number; readonly owner?: string | undefined }): Promise<Result> {
  const { limit, owner } = wanted;
  const looked = await context.host.lookAtAll(context.globals, async (app): Promise<Tasks | CliFailure> => {
    const called = await app.door.call('task.ready', { limit, ...(owner === undefined ? {} : { owner }) }, app.caller);
    return called.ok ? (called.output.tasks as Tasks) : failureOf(called);
  });
  return isFailure(looked) ? looked : allShown(looked, readyOverAll(ownTasks(looked), limit), 'no task is ready: todone task list --all says why');
}

const ownTasks = (looked: readonly Looked<Tasks>[]): TaskView[][] =>
  looked.map((one) => (one.problem === null ? one.found.map((task) => ({ ...task, project: one.project })) : []));

const placeOf = ({ project, path, problem }: Looked<unknown>): ProjectPlace & { readonly problem: Trouble | null } => ({ project, path, problem });

function allShown(looked: readonly Looked<Tasks>[], tasks: Tasks, empty: string): Outcome {
  return show({
    view: { tasks, projects: looked.map(placeOf) },
    text: (view, look) => `${renderList(view.tasks, look, empty)}${troubles(view.projects, look)}`,
    json: documentOf,
    quiet: (view) => view.tasks.map((task) => `${task.project ?? ''} ${nameOf(task)}`),
  });
}

function troubles(projects: readonly { readonly project: string; readonly problem: Trouble | null }[], look: Look): string {
  const lines = projects.flatMap(({ project, problem }) =>
    problem ? [`${paint(look, 'bad', project)}: ${problem.message}`, paint(look, 'faint', `  ${problem.remedy}`)] : [],
  );
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
}

// ── status ───────────────────────────────────────────────────────────────────────────────────────

export type ProjectStatus = ProjectPlace & {
  readonly problem: Trouble | null;
  readonly owner: Owner | null;
  readonly held: Status['held'];
  readonly counts: Status['counts'];
  readonly running: readonly RunLine[];
  readonly needs_you: number;
  readonly next: number;
  readonly limits: Status['limits'];
  /** Of the list. */
  readonly problems: number;
};

export async function statusOfAll(context: Context): Promise<Result> {
  const looked = await context.host.lookAtAll(context.globals, async (app): Promise<Omit<ProjectStatus, keyof ProjectPlace | 'problem'>> => {
    const [scene, owner, activity] = await Promise.all([app.scene(), app.owner(), app.activity()]);
    const status = statusOf(scene, { list: app.paths.listName, owner, activity });
    const sum = (count: (section: Status['sections'][number]) => number): number => status.sections.reduce((total, section) => total + count(section), 0);
    return {
      owner: status.owner,
      held: status.held,
      counts: status.counts,
      running: status.sections.flatMap(({ running }) => running),
      needs_you: sum((section) => section.needs_you.length),
      next: sum((section) => section.next.length),
      limits: status.limits,
      problems: status.problems.length,
    };
  });
  if (isFailure(looked)) return looked;
  const projects = looked.map((one): ProjectStatus => ({ ...UNSEEN, ...(one.problem === null ? one.found : {}), ...placeOf(one) }));
  return show({
    view: { projects },
    text: ({ projects: shown }, look) => renderStatusOfAll(shown, look),
    json: documentOf,
    quiet: ({ projects: shown }) => shown.flatMap(({ project, running }) => running.map(({ id }) => `${project} ${id}`)),
  });
}

const UNSEEN = { owner: null, held: null, counts: countStates([]), running: [], needs_you: 0, next: 0, limits: [], problems: 0 } as const;

const COLUMNS: readonly Column[] = [
  { header: 'PROJECT' },
  { header: 'RUNNING' },
  { header: 'NEXT' },
  { header: 'NEEDS YOU' },
  { header: 'TASKS', shrinksTo: 12, dropOrder: 2 },
  { header: '', shrinksTo: 16, dropOrder: 1 },
];

function renderStatusOfAll(projects: readonly ProjectStatus[], look: Look): string {
  const seen = projects.filter(({ problem }) => problem === null);
  const sum = (count: (one: ProjectStatus) => number): number => seen.reduce((total, one) => total + count(one), 0);
  const head = `${projects.length} projects: ${sum(({ running }) => running.length)} running, ${sum(({ next }) => next)} next, ${sum((one) => one.needs_you)} need you, ${sum(({ counts }) => counts.failed)} failed`;
  return `${[paint(look, 'strong', head), ...table(COLUMNS, seen.map(statusRow), look)].join('\n')}\n${troubles(projects, look)}`;
}

function statusRow({ project, running, next, needs_you, counts, owner, held, limits, problems }: ProjectStatus): readonly Cell[] {
  const notes = [
    ...(owner ? [] : ['nobody works on it']),
    ...(held ? [held.message] : []),
    ...limits.map(({ account }) => `${account} waits for a limit`),
    ...(problems > 0 ? [`${problems} ${problems === 1 ? 'problem' : 'problems'} in the list`] : []),
  ];
  return [
    { text: project, tone: 'name' },
    { text: String(running.length), tone: running.length > 0 ? 'busy' : 'faint' },
    { text: String(next) },
    { text: String(needs_you), tone: needs_you > 0 ? 'warn' : 'faint' },
    { text: countWords(counts) },
    { text: notes.join('; '), tone: 'faint' },
  ];
}
