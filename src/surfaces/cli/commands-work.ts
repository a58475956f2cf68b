/**
 * `start`: the daemon, `--once`, and the dry run. What happens in it is told by the log; this shows the plan before and the summary
 * after.
 */
import { z } from 'zod';
import { durationMs } from '../../config.ts';
import { plannedGroups, taskViews } from '../../runs/view.ts';
import type { App, FleetEnd, Trouble } from './app.ts';
import { command, type CommandRow, type Context, type Result, show, withApp } from './command.ts';
import { type CliFailure, EXIT, isFailure, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { nearest } from './nearest.ts';
import { onePlace } from './projects.ts';
import { planOf, renderPlan } from './plan.ts';
import { closedName, renderSummary, summaryOf } from './render-status.ts';
import { nameOf } from './status.ts';

/** The shortest wait between two dry runs. */
const WATCH_MS_MIN = 200;

const startInput = z.object({
  all: z.boolean().default(false),
  once: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  watch: z.boolean().default(false),
  wait: z.boolean().default(false),
  demo: z.boolean().default(false),
  interval: z
    .string()
    .refine((value) => durationMs(value) !== undefined, 'that is no time: write 500ms, 5s or 2m')
    .optional(),
  agent: z.string().min(1).optional(),
  parallel: z.coerce.number('write a number').int('write a whole number').min(1, 'at least 1').max(1000, 'at most 1000').optional(),
});
type StartInput = z.output<typeof startInput>;

export const WORK_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'start',
    group: 'Work',
    summary: 'work on the list: claim, run agents, land commits',
    details:
      'Watches the list until it is told to stop. Ctrl-C lets running phases end; a second one stops at once, and what was begun goes on at the next start.\n' +
      'One ToDone works on a list: another one stands by and takes over.\n' +
      'With --dry-run --json: an array of {worktree_name, tasks_to_start: [{description, tags}]}.',
    arguments: [],
    options: [
      { flags: '--all', says: "work on every project that the user's own config lists, under its caps" },
      { flags: '--once', says: 'stop when nothing can start and nothing is running' },
      { flags: '--wait', says: 'with --once: also wait for limits, dates and people' },
      { flags: '--dry-run', says: 'show what would be done; change nothing' },
      { flags: '--watch', says: 'with --dry-run: show it again and again' },
      { flags: '--interval <time>', says: 'how often to look at the list, whatever the watcher says (default: the config, 5s)' },
      { flags: '--agent <name>', says: 'the agent for tasks that name none', completes: 'agent' },
      { flags: '--parallel <n>', says: 'runs at once (default: maxAgents of the config, 4)' },
      { flags: '--demo', says: 'work in a throw-away repository, to see what it does' },
    ],
    examples: [
      { line: 'todone start --dry-run', says: 'see what would happen first' },
      { line: 'todone start --once --parallel 2', says: 'work through the list, two tasks at a time, and stop' },
    ],
    json: 'summary',
    quiet: 'prints the ids of the tasks that it finished or failed; with --dry-run those that would start',
    input: startInput,
    overrides: ({ interval, agent, parallel }) => ({
      ...(interval === undefined ? {} : { interval }),
      ...(agent === undefined ? {} : { agent }),
      ...(parallel === undefined ? {} : { maxAgents: parallel }),
    }),
    demo: ({ demo }) => demo,
    run: async (context, input) => {
      if (input.watch && !input.dryRun) return usage('--watch repeats a dry run', 'add --dry-run, or leave --watch out: start watches the list by itself');
      if (input.wait && !input.once) return usage('--wait is for --once', 'add --once, or leave --wait out: without --once it waits anyway');
      if (input.all) return startAll(context, input);
      return withApp<StartInput>(start)(context, input);
    },
  }),
];

/** One project's options say nothing of all. */
async function startAll(context: Context, input: StartInput): Promise<Result> {
  const { host, globals } = context;
  const one = onePlace(context, {});
  if (one) return one;
  if (input.demo) return usage('--demo makes a project of its own', 'leave --all out, or --demo');
  if (input.dryRun) return usage('--all works on projects', 'add -C <project> in place of --all for a dry run, or see todone status --all');
  const end = await host.startAll(globals, { once: input.once, wait: input.wait });
  if (isFailure(end)) return end;
  const isFailed = end.projects.some(({ failed, problem }) => failed.length > 0 || problem !== null);
  return show({
    code: end.interrupted ? EXIT.interrupted : input.once && isFailed ? EXIT.failed : EXIT.fine,
    view: end,
    text: renderFleetEnd,
    json: documentOf,
    quiet: ({ projects }) => projects.flatMap(({ failed }) => failed),
  });
}

function renderFleetEnd({ projects }: FleetEnd): string {
  const lines = projects.flatMap(({ project, failed, problem }) => [
    ...(failed.length > 0 ? [`${project}: ${failed.length} failed (${failed.join(', ')})`] : []),
    ...(problem ? [`${project}: ${problem.message}`, `  ${problem.remedy}`] : []),
  ]);
  return `${[`${projects.length} ${projects.length === 1 ? 'project' : 'projects'}`, ...lines].join('\n')}\n`;
}

async function start(app: App, input: StartInput, context: Context): Promise<Result> {
  const names = app.agents().map(({ name }) => name);
  if (input.agent !== undefined && !names.includes(input.agent)) {
    const meant = nearest(input.agent, names);
    return usage(
      `no agent is called ${input.agent}`,
      `${meant === undefined ? '' : `did you mean ${meant}? `}define it under agents in the config, or use one of: ${names.join(', ')}`,
    );
  }
  return input.dryRun ? dryRun(app, input, context) : work(app, input);
}

async function dryRun(app: App, input: StartInput, context: Context): Promise<Result> {
  for (;;) {
    const scene = await app.scene();
    const outcome = show({
      view: planOf(scene, { list: app.paths.listName, preview: app.preview }),
      text: renderPlan,
      json: () => plannedGroups(scene),
      quiet: (plan) => plan.starts.flatMap((section) => section.tasks.map(nameOf)),
    });
    if (!input.watch) return outcome;
    context.print(outcome);
    await context.host.wait(Math.max(WATCH_MS_MIN, durationMs(input.interval ?? '') ?? app.config.interval));
    if (context.host.signal.aborted) return EXIT.interrupted;
  }
}

const cutShort = ({ message, remedy }: Trouble): CliFailure => ({
  kind: 'failure',
  code: EXIT.failed,
  message: `it ended before everything was done: ${message}`,
  remedy: `${remedy}; then start again: what has ended is written on its line`,
});

async function work(app: App, input: StartInput): Promise<Result> {
  const before = new Set(taskViews(await app.scene()).map(closedName));
  const end = await app.start({ once: input.once, wait: input.wait });
  if (isFailure(end)) return end;
  if (end.trouble) return end.interrupted ? EXIT.interrupted : cutShort(end.trouble);
  return show({
    code: end.interrupted ? EXIT.interrupted : input.once && end.failed.length > 0 ? EXIT.failed : EXIT.fine,
    view: { ...summaryOf(await app.scene(), before, end.failed), interrupted: end.interrupted },
    text: renderSummary,
    json: documentOf,
    quiet: ({ done, failed }) => [...done, ...failed].map(nameOf),
  });
}
