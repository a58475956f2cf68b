/**
 * Commands that look: `status`, `why`, `logs`. They read; nothing is locked, started or written.
 */
import { z } from 'zod';
import { errandViews } from '../../runs/view.ts';
import type { App, LogEntry } from './app.ts';
import { command, type CommandRow, type Context, plain, type Result, show, withApp, withoutList } from './command.ts';
import { EXIT, isFailure, usage } from './failure.ts';
import { findId, findTask, missingSection } from './find-task.ts';
import { documentOf } from './json.ts';
import { ALL_OPTION, onePlace, statusOfAll } from './projects.ts';
import { renderEntry } from './render-log.ts';
import { renderStatus, renderStatusMarkdown } from './render-status.ts';
import { renderWhy, whyWord } from './render-why.ts';
import { placeOfSection, runLines, type Status, statusOf } from './status.ts';

const COMMITS_MAX = 10;

const statusInput = z.object({ section: z.string().optional(), all: z.boolean().default(false), md: z.boolean().default(false) });
const taskInput = z.object({ task: z.string() });
const logsInput = z.object({ task: z.string(), follow: z.boolean().default(false) });

export const TASK_ARGUMENT = { name: 'task', says: 'its id, its {id:…}, <file>:<line>, or the handle that task list shows', completes: 'task' } as const;

export const LOOK_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'status',
    group: 'Look',
    summary: 'what runs, failed, comes next, and waits for you',
    arguments: [{ name: 'section', says: 'show only this section, whole: with its done tasks and last commits', optional: true, completes: 'section' }],
    options: [{ flags: '--md', says: 'as Markdown, for a note or a pull request' }, ALL_OPTION],
    examples: [
      { line: 'todone status', says: 'the whole list at a glance' },
      { line: 'todone status auth --md', says: 'the state of one section, as Markdown' },
    ],
    json: 'status',
    quiet: 'prints the ids of the tasks that are being worked on',
    input: statusInput,
    run: async (context, input) => {
      if (!input.all) return withApp<z.output<typeof statusInput>>(status)(context, input);
      if (input.section !== undefined || input.md) return usage('--all shows projects as a whole, as text or JSON', 'leave the section and --md out, or --all');
      return onePlace(context, {}) ?? statusOfAll(context);
    },
  }),
  command({
    name: 'why',
    group: 'Look',
    summary: 'why a task does not start, and what would free it',
    arguments: [TASK_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone why tasks.md:12', says: 'the task on line 12' },
      { line: 'todone why k3v9x2m1', says: 'the task with this id: for a done one, the proof' },
    ],
    json: 'why',
    quiet: 'prints one word: ready, running, done, or the reason',
    input: taskInput,
    run: withApp(why),
  }),
  command({
    name: 'logs',
    group: 'Look',
    summary: 'what the agent of a task says and does',
    details: 'With --json one document, with --json --follow one line of JSON per entry.',
    arguments: [TASK_ARGUMENT],
    options: [{ flags: '-f, --follow', says: 'go on until the run ends' }],
    examples: [
      { line: 'todone logs -f q8f0t6zd', says: 'watch it work' },
      { line: 'todone logs tasks.md:7', says: 'read what it did' },
    ],
    json: 'logs',
    quiet: undefined,
    input: logsInput,
    run: withoutList(logs),
  }),
];

async function status(app: App, input: z.output<typeof statusInput>): Promise<Result> {
  const { section } = input;
  const scene = await app.scene();
  const missing = section === undefined ? undefined : missingSection(scene, section);
  if (missing) return missing;
  const [owner, activity, published, commits] = await Promise.all([
    app.owner(),
    app.activity(),
    app.publishing(),
    section === undefined ? [] : app.commits(section, COMMITS_MAX),
  ]);
  const view = statusOf(scene, { list: app.paths.listName, owner, activity, published, commits }, section);
  return show<Status>({
    view,
    text: (shown, look) => (input.md ? renderStatusMarkdown(shown, look) : renderStatus(shown, look, section)),
    json: documentOf,
    quiet: (shown) => shown.sections.flatMap(({ running }) => running.map(({ id }) => id)),
  });
}

async function why(app: App, input: z.output<typeof taskInput>): Promise<Result> {
  const scene = await app.scene();
  const found = findTask(scene, input.task);
  if (isFailure(found)) return found;
  const { view: task } = found;
  const activity = await app.activity();
  const proof = task.status === 'done' && task.id !== null ? await app.proof(task.section, task.id, task.hash ?? undefined) : undefined;
  const run = runLines(scene, activity).find(({ id }) => id === task.id) ?? null;
  const view = {
    list: app.paths.listName,
    task,
    run,
    attempts_max: scene.config.attempts,
    proof: proof ?? null,
    branch: placeOfSection(scene.config, task.section).branch,
    owned: (await app.owner()) !== undefined,
    errands: errandViews(scene, task.section),
  };
  return show({
    view,
    text: renderWhy,
    json: () => documentOf({ task, run, reason: task.reason, proof: view.proof, errands: view.errands }),
    quiet: (shown) => [whyWord(shown)],
  });
}

async function logs(app: App, input: z.output<typeof logsInput>, context: Context): Promise<Result> {
  const found = findId(await app.scene(), input.task);
  if (isFailure(found)) return found;
  const { id } = found;
  const entries = id === undefined ? nothing() : app.runLog(id, { follow: input.follow, signal: context.host.signal });
  const name = id ?? input.task;
  if (context.globals.json && !input.follow)
    return show({ view: { task: name, entries: await Array.fromAsync(entries) }, text: () => '', json: documentOf, quiet: () => [] });
  let before: LogEntry | undefined;
  for await (const entry of entries) {
    const last = before;
    context.print(
      show({ view: entry, text: (shown, look) => renderEntry(shown, last, look), json: () => documentOf({ task: name, entry }), quiet: () => [] }),
      0,
    );
    before = entry;
  }
  if (context.host.signal.aborted) return EXIT.interrupted;
  if (!before) context.host.err(plain(`nothing has been said yet: todone why ${input.task}\n`));
  return EXIT.fine;
}

// oxlint-disable-next-line require-yield -- a task that never ran has said nothing
async function* nothing(): AsyncGenerator<LogEntry> {}
