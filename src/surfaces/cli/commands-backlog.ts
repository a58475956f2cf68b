/**
 * The backlog by command (7-R8, 7-R9): filing, changing, claiming and closing tasks, what they wait for, and who may start. Each is
 * one request of the table; the answer is the core's.
 */
import { z } from 'zod';
import type { TaskView } from '../../runs/view.ts';
import type { Called, RequestName } from '../../runs/requests.ts';
import type { App, Host } from './app.ts';
import { command, type CommandRow, type Context, type OptionRow, type Outcome, type Result, show, withApp } from './command.ts';
import { TASK_ARGUMENT } from './commands-look.ts';
import { type CliFailure, failureOf, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { PROJECT_OPTION, withProject } from './projects.ts';
import { renderList } from './render-tasks.ts';
import { renderTrees } from './render-tree.ts';
import { nameOf } from './status.ts';

const QUIET_NAMES = 'prints ids (or handles, where a task has no id), one a line';
const TICKET: OptionRow = { flags: '--ticket <t>', says: 'the ticket that the claim was answered with' };
const HASH: OptionRow = { flags: '--hash <commit>', says: 'the commit that did it; it has to exist and be reachable' };
const LEASE: OptionRow = { flags: '--lease <seconds>', says: 'how long the claim lives without a heartbeat (default: 60; a person keeps it)' };
const MANY_TASKS = { ...TASK_ARGUMENT, name: 'tasks', many: true } as const;

const text = z.string().trim().min(1, 'it is empty').optional();
const priority = z
  .string()
  .regex(/^p?[0-3]$/, 'write 0, 1, 2 or 3')
  .transform((word) => Number(word.replace('p', '')) as 0 | 1 | 2 | 3)
  .optional();
const seconds = z.coerce.number('write a number of seconds').positive('more than 0').optional();
const names = z
  .union([z.string().transform((word) => [word]), z.array(z.string())])
  .transform((words) => words.flatMap((word) => word.split(',').map((one) => one.trim())).filter((word) => word !== ''))
  .optional();
const many = z.union([z.string().transform((word) => [word]), z.array(z.string())]);

export const BACKLOG_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'task create',
    group: 'Tasks',
    summary: 'file a task, or many from a file, all or none',
    details: 'It goes to the end of its section. {tags} in the title count. What a worker files waits for triage.',
    arguments: [{ name: 'title', says: 'what is to be done', optional: true }],
    options: [
      { flags: '--section <name>', says: 'where it belongs (needed where the list has several)', completes: 'section' },
      { flags: '-p, --priority <level>', says: '0 (critical) to 3; 2 is as usual' },
      { flags: '-d, --description <text>', says: 'more about it; "verify: npm test" and the like are lines of it' },
      { flags: '--after <tasks>', says: 'what has to be done first, with commas between', completes: 'task' },
      { flags: '--owner <name>', says: 'reserve it for this worker' },
      { flags: '--above <task>', says: 'put it in front of this one', completes: 'task' },
      { flags: '--below <task>', says: 'put it behind this one', completes: 'task' },
      { flags: '--from <file>', says: 'a file with tasks as Markdown or JSON, - for stdin', completes: 'path' },
      PROJECT_OPTION,
    ],
    examples: [
      { line: 'todone task create "Add login form" --section auth -p 1', says: 'one task' },
      { line: 'todone task create --from plan.md --section auth', says: 'all tasks of a file, in one write' },
    ],
    json: 'filed',
    quiet: QUIET_NAMES,
    input: z.object({
      title: text,
      section: text,
      priority,
      description: text,
      after: names,
      owner: text,
      above: text,
      below: text,
      from: text,
      project: text,
    }),
    run: withProject(create),
  }),
  command({
    name: 'task update',
    group: 'Tasks',
    minor: true,
    summary: 'change status, priority, title, owner or links',
    details:
      '--status in_progress claims it, closed closes it, open releases it or opens it again, blocked with --reason holds it. --owner "" and --after "" take them away.',
    arguments: [TASK_ARGUMENT],
    options: [
      { flags: '--status <state>', says: 'what it shall be', choices: ['open', 'pending', 'in_progress', 'blocked', 'done', 'closed', 'cancelled'] },
      { flags: '-p, --priority <level>', says: '0 (critical) to 3' },
      { flags: '--title <text>', says: 'other words; its tags stay' },
      { flags: '--owner <name>', says: 'reserve it for this worker' },
      { flags: '--after <tasks>', says: 'what has to be done first, in place of what it says now', completes: 'task' },
      { flags: '--reason <text>', says: 'why it is held or closed' },
      HASH,
      TICKET,
    ],
    examples: [
      { line: 'todone task update k3v9x2m1 -p 0', says: 'first of all' },
      { line: 'todone task update k3v9x2m1 --status blocked --reason "waits for the key"', says: 'hold it' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({
      task: z.string(),
      status: z.enum(['open', 'pending', 'in_progress', 'blocked', 'done', 'closed', 'cancelled']).optional(),
      priority,
      title: text,
      owner: z.string().optional(),
      after: z.string().optional(),
      reason: text,
      hash: text,
      ticket: text,
    }),
    run: withApp((app, { owner, after, ...input }) =>
      changed(app, 'task.update', {
        ...input,
        ...(owner === undefined ? {} : { owner: owner === '' ? null : owner }),
        ...(after === undefined ? {} : { after: names.parse(after) }),
      }),
    ),
  }),
  command({
    name: 'task close',
    group: 'Tasks',
    summary: 'say that a task is done, or not to be done',
    details: 'A worker shows the commit that did it, unless the task says {no-commit}. A person may give a reason instead.',
    arguments: [TASK_ARGUMENT],
    options: [HASH, { flags: '--reason <text>', says: 'why; it is kept' }, { flags: '--cancel', says: 'it is not to be done: [-]' }, TICKET],
    examples: [
      { line: 'todone task close k3v9x2m1 --hash a1b2c3d', says: 'done in this commit' },
      { line: 'todone task close k3v9x2m1 --cancel --reason "no longer needed"', says: 'leave it' },
    ],
    json: 'closed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string(), hash: text, reason: text, cancel: z.boolean().default(false), ticket: text }),
    run: withApp((app, input) => changed(app, 'task.close', input)),
  }),
  command({
    name: 'task assign',
    group: 'Tasks',
    minor: true,
    summary: 'reserve a task for a worker',
    arguments: [TASK_ARGUMENT, { name: 'owner', says: 'who; without it, you', optional: true }],
    options: [],
    examples: [
      { line: 'todone task assign k3v9x2m1 ci-1', says: 'only ci-1 may take it' },
      { line: 'todone task assign k3v9x2m1 --as anna', says: 'for anna herself' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string(), owner: text }),
    run: withApp((app, { task, owner }) => changed(app, 'task.assign', { task, owner: owner ?? app.caller.name })),
  }),
  command({
    name: 'task unassign',
    group: 'Tasks',
    minor: true,
    summary: 'let anyone take a task',
    arguments: [TASK_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone task unassign k3v9x2m1', says: 'removes {owner:…}' },
      { line: 'todone task unassign tasks.md:7', says: 'the one on line 7' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string() }),
    run: withApp((app, input) => changed(app, 'task.unassign', input)),
  }),
  command({
    name: 'task mine',
    group: 'Tasks',
    minor: true,
    summary: 'what is assigned to you, or claimed by you',
    arguments: [],
    options: [],
    examples: [
      { line: 'todone task mine', says: 'yours' },
      { line: 'todone task mine --as ci-1 --json', says: 'for a program' },
    ],
    json: 'tasks',
    quiet: QUIET_NAMES,
    input: z.object({}),
    run: withApp(async (app) => listed(await app.door.call('task.mine', {}, app.caller), 'nothing is yours')),
  }),
  command({
    name: 'task approve',
    group: 'Tasks',
    summary: 'let tasks start that wait for a person',
    details: 'Deletes {triage}, {decision} or {investigation}, and {approval} of a group; doing that in the list is the same. Only a person can.',
    arguments: [{ ...MANY_TASKS, optional: true }],
    options: [
      { flags: '--section <name>', says: 'all that waits for triage in it, and its headings', completes: 'section' },
      { flags: '--lane <lane>', says: 'all in this lane', choices: ['triage', 'decision', 'investigation'] },
      { flags: '--group <heading>', says: 'the heading with {approval}, by its title' },
      { flags: '--answer <text>', says: 'written under the task, as your decision' },
    ],
    examples: [
      { line: 'todone task approve k3v9x2m1 q8f0t6zd', says: 'these two' },
      { line: 'todone task approve --section auth --lane triage', says: 'everything filed there' },
    ],
    json: 'filed',
    quiet: QUIET_NAMES,
    input: z.object({ tasks: many.optional(), section: text, lane: text, group: text, answer: text }),
    run: withApp((app, { tasks, ...input }) => several(app, 'task.approve', { ...input, ...(tasks === undefined || tasks.length === 0 ? {} : { tasks }) })),
  }),
  command({
    name: 'task claim',
    group: 'Tasks',
    summary: 'take a task: nobody else gets it while your claim lives',
    details: 'Without a task, the first that is ready. A claim of a worker lives for 60 s after its last heartbeat.',
    arguments: [{ ...TASK_ARGUMENT, optional: true }],
    options: [LEASE],
    examples: [
      { line: 'todone task claim --as ci-1 --json', says: 'the next one, with its ticket' },
      { line: 'todone task claim k3v9x2m1 --as ci-1 --lease 300', says: 'this one, for five minutes' },
    ],
    json: 'claim',
    quiet: 'prints the id',
    input: z.object({ task: z.string().optional(), lease: seconds }),
    run: withApp(claim),
  }),
  command({
    name: 'task heartbeat',
    group: 'Tasks',
    minor: true,
    summary: 'keep a claim alive',
    arguments: [TASK_ARGUMENT],
    options: [TICKET, LEASE],
    examples: [
      { line: 'todone task heartbeat k3v9x2m1 --as ci-1', says: 'another 60 s' },
      { line: 'todone task heartbeat k3v9x2m1 --as ci-1 --ticket 3f2a91bc.4', says: 'and be sure that it is still yours' },
    ],
    json: 'heartbeat',
    quiet: 'prints nothing',
    input: z.object({ task: z.string(), ticket: text, lease: seconds }),
    run: withApp(heartbeat),
  }),
  command({
    name: 'task release',
    group: 'Tasks',
    minor: true,
    summary: 'let go of a claim: the task is open again',
    arguments: [TASK_ARGUMENT],
    options: [TICKET, { flags: '--reason <text>', says: 'why; it is kept' }],
    examples: [
      { line: 'todone task release k3v9x2m1 --as ci-1', says: 'somebody else may take it' },
      { line: 'todone task release k3v9x2m1 --reason "needs a newer node"', says: 'and say why' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string(), ticket: text, reason: text }),
    run: withApp((app, input) => changed(app, 'task.release', input)),
  }),
  command({
    name: 'task report',
    group: 'Tasks',
    minor: true,
    summary: 'end a claim with its result',
    details: 'needs_prerequisite files what has to be done first and hands the task back; needs_decision asks a person.',
    arguments: [TASK_ARGUMENT],
    options: [
      { ...TICKET },
      { flags: '--outcome <word>', says: 'how it ended', choices: ['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change'] },
      { flags: '--summary <text>', says: 'what was done or found' },
      HASH,
      { flags: '--prerequisite <title>', says: 'what has to be done first' },
      { flags: '--question <text>', says: 'what a person has to decide' },
    ],
    examples: [
      { line: 'todone task report k3v9x2m1 --as ci-1 --ticket 3f2a91bc.4 --outcome done --hash a1b2c3d', says: 'done' },
      { line: 'todone task report k3v9x2m1 --as ci-1 --ticket 3f2a91bc.4 --outcome needs_prerequisite --prerequisite "Add the schema"', says: 'hand it back' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({
      task: z.string(),
      ticket: z.string('name the ticket that the claim was answered with').min(1),
      outcome: z.enum(['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change'], 'say how it ended'),
      summary: text,
      hash: text,
      prerequisite: text,
      question: text,
    }),
    run: withApp((app, { prerequisite, ...input }) =>
      changed(app, 'task.report', { ...input, ...(prerequisite === undefined ? {} : { tasks: [{ title: prerequisite }] }) }),
    ),
  }),
  command({
    name: 'task dep add',
    group: 'Tasks',
    minor: true,
    summary: 'have a task wait for others',
    details: 'Writes {after:…}, and an id on those that have no name. A cycle is refused with its path.',
    arguments: [TASK_ARGUMENT, { ...MANY_TASKS, name: 'after', says: 'what has to be done first' }],
    options: [],
    examples: [
      { line: 'todone task dep add tasks.md:9 k3v9x2m1', says: 'line 9 waits for k3v9x2m1' },
      { line: 'todone task dep add q8f0t6zd k3v9x2m1 m2c7r4ya', says: 'for both' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string(), after: many }),
    run: withApp((app, input) => changed(app, 'task.depAdd', input)),
  }),
  command({
    name: 'task dep rm',
    group: 'Tasks',
    minor: true,
    summary: 'have a task no longer wait for others',
    arguments: [TASK_ARGUMENT, { ...MANY_TASKS, name: 'after', says: 'what it shall not wait for' }],
    options: [],
    examples: [
      { line: 'todone task dep rm q8f0t6zd k3v9x2m1', says: 'one of them' },
      { line: 'todone task dep rm tasks.md:9 rotate', says: 'by its name' },
    ],
    json: 'changed',
    quiet: QUIET_NAMES,
    input: z.object({ task: z.string(), after: many }),
    run: withApp((app, input) => changed(app, 'task.depRemove', input)),
  }),
  command({
    name: 'task dep tree',
    group: 'Tasks',
    minor: true,
    summary: 'draw what a task waits for',
    arguments: [{ ...TASK_ARGUMENT, optional: true }],
    options: [],
    examples: [
      { line: 'todone task dep tree q8f0t6zd', says: 'one task' },
      { line: 'todone task dep tree', says: 'every task that waits for another' },
    ],
    json: 'trees',
    quiet: 'prints the names of the tasks at the top',
    input: z.object({ task: z.string().optional() }),
    run: withApp(tree),
  }),
];

export async function changed(app: App, request: RequestName, input: object): Promise<Result> {
  const called = await app.door.call(request, clean(input), app.caller);
  if (!called.ok) return failureOf(called);
  const view = called.output as { message: string; task: TaskView; holds?: readonly string[] };
  return show({
    view,
    text: ({ message, task, holds }) =>
      `${message}: ${task.title}\n${holds === undefined || holds.length === 0 ? '' : `it holds back: ${holds.join(', ')} (remove it from their {after})\n`}`,
    json: documentOf,
    quiet: ({ task }) => [nameOf(task)],
  });
}

async function several(app: App, request: RequestName, input: object): Promise<Result> {
  const called = await app.door.call(request, clean(input), app.caller);
  if (!called.ok) return failureOf(called);
  return show({
    view: called.output as { message: string; tasks: readonly TaskView[] },
    text: ({ message, tasks }, look) => `${message}\n${tasks.length === 0 ? '' : renderList(tasks, look, '')}`,
    json: documentOf,
    quiet: ({ tasks }) => tasks.map(nameOf),
  });
}

export function listed(called: Called, empty: string): Result {
  if (!called.ok) return failureOf(called);
  return tasksShown((called.output as unknown as { tasks: readonly TaskView[] }).tasks, empty);
}

export const tasksShown = (views: readonly TaskView[], empty: string): Outcome =>
  show({
    view: views,
    text: (shown, look) => renderList(shown, look, empty),
    json: (view) => documentOf({ tasks: view }),
    quiet: (shown) => shown.map(nameOf),
  });

/** Options that were not given are not asked for. */
const clean = (input: object): object => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

type CreateInput = {
  readonly title?: string;
  readonly section?: string;
  readonly above?: string;
  readonly below?: string;
  readonly from?: string;
  readonly project?: string | undefined;
};

async function create(app: App, input: CreateInput & { readonly [key: string]: unknown }, context: Context): Promise<Result> {
  const { title, section, above, below, from, project, ...rest } = input;
  if ((title === undefined) === (from === undefined)) return usage('name a title, or a file with --from', 'todone task create --help shows both');
  const place = { section, above, below, project };
  if (from === undefined) return several(app, 'task.create', { ...place, tasks: [clean({ title, ...rest })] });
  const extra = Object.keys(clean(rest))[0];
  if (extra !== undefined) return usage(`--${extra} is for one task`, 'say it in the file, as a tag of each task');
  const words = await readSource(context.host, from);
  if (typeof words !== 'string') return words;
  const format = from.endsWith('.json') || /^\s*(?:\{\s*"|\[\s*\{)/.test(words) ? 'json' : 'markdown';
  return several(app, 'task.create', { ...place, from: { format, text: words } });
}

async function readSource(host: Host, from: string): Promise<string | CliFailure> {
  const words = await host.read(from);
  return words ?? usage(`${from} cannot be read`, 'name a text file, or - for stdin');
}

async function claim(app: App, input: object): Promise<Result> {
  const called = await app.door.call('task.claim', clean(input), app.caller);
  if (!called.ok) return failureOf(called);
  return show({
    view: called.output,
    text: ({ task, ticket, worker, lease_until }, look) =>
      `${worker} has ${task.id ?? task.handle}: ${task.title}\nticket ${ticket}${lease_until === null ? '' : `, for ${Math.round((lease_until - look.now) / 1000)} s without a heartbeat`}\n`,
    json: documentOf,
    quiet: ({ task }) => [task.id ?? task.handle],
  });
}

async function heartbeat(app: App, input: object): Promise<Result> {
  const called = await app.door.call('task.heartbeat', clean(input), app.caller);
  if (!called.ok) return failureOf(called);
  return show({
    view: called.output,
    text: ({ lease_until, changed: isChanged }, look) =>
      `${lease_until === null ? 'it is yours until you let go' : `it is yours for another ${Math.round((lease_until - look.now) / 1000)} s`}${isChanged ? '; its text was changed: read it again' : ''}\n`,
    json: documentOf,
    quiet: () => [],
  });
}

async function tree(app: App, input: object): Promise<Result> {
  const called = await app.door.call('task.depTree', clean(input), app.caller);
  if (!called.ok) return failureOf(called);
  return show({
    view: called.output.trees,
    text: renderTrees,
    json: (trees) => documentOf({ trees }),
    quiet: (trees) => trees.map(({ name }) => name),
  });
}
