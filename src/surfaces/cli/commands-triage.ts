/**
 * `todone triage`: what waits for a person, one after another, so that the person is not what everything waits for (6.2-R3). On a
 * terminal it asks; elsewhere it lists. Each answer is one request of the table.
 */
import { z } from 'zod';
import type { RequestName } from '../../runs/requests.ts';
import type { TaskView } from '../../runs/view.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Context, plain, type Result, withApp } from './command.ts';
import { tasksShown } from './commands-backlog.ts';
import { EXIT, failureOf } from './failure.ts';
import { paint, wrap } from './layout.ts';
import { renderFailure } from './render-failure.ts';
import { nameOf } from './status.ts';

export const TRIAGE_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'triage',
    group: 'Look',
    summary: 'go through what waits for you; without a terminal, list it',
    details: 'Filed by agents, to be decided, approved as a group, held, or failed. Deleting the tags in the list does the same.',
    arguments: [],
    options: [{ flags: '--list', says: 'only list it' }],
    examples: [
      { line: 'todone triage', says: 'one after another' },
      { line: 'todone triage --json', says: 'for a program' },
    ],
    json: 'tasks',
    quiet: 'prints ids (or handles, where a task has no id), one a line',
    input: z.object({ list: z.boolean().default(false) }),
    run: withApp(triage),
  }),
];

async function triage(app: App, input: { readonly list: boolean }, context: Context): Promise<Result> {
  const called = await app.door.call('task.waiting', {}, app.caller);
  if (!called.ok) return failureOf(called);
  const tasks = called.output.tasks as readonly TaskView[];
  const { host, globals } = context;
  if (input.list || globals.json || globals.quiet || !host.question || tasks.length === 0) return tasksShown(tasks, 'nothing waits for you');
  for (const [index, task] of tasks.entries()) {
    host.out(described(task, `${index + 1} of ${tasks.length}`, context));
    const answered = await askAbout(app, task, context);
    if (answered === 'quit') break;
  }
  return EXIT.fine;
}

function described(task: TaskView, place: string, context: Context): string {
  const look = context.look();
  const { title, description, section, reason } = plain(task);
  return `${[
    '',
    `${paint(look, 'faint', place)} ${paint(look, 'strong', title)}`,
    `  ${paint(look, 'name', nameOf(task))} in ${section}: ${paint(look, 'warn', reason?.message ?? '')}`,
    ...description
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, LINES_MAX)
      .flatMap((line) => wrap(line, look, '    ').map((each) => `    ${each.trimStart()}`)),
  ].join('\n')}\n`;
}

const LINES_MAX = 12;

type Choice = {
  readonly key: string;
  readonly says: string;
  readonly request: RequestName;
  readonly input: (task: TaskView, words: string) => object;
  readonly asks?: string;
};

const named = (task: TaskView): string => nameOf(task);
const CANCEL: Choice = { key: 'd', says: 'drop', request: 'task.close', input: (task) => ({ task: named(task), cancel: true, reason: 'not wanted' }) };

/** What one can do about each kind of waiting. */
const CHOICES: Readonly<Record<string, readonly Choice[]>> = {
  lane: [
    { key: 'a', says: 'accept', request: 'task.approve', input: (task) => ({ tasks: [named(task)] }) },
    {
      key: 'r',
      says: 'reply and let it start',
      request: 'task.approve',
      asks: 'your answer',
      input: (task, answer) => ({ tasks: [named(task)], answer }),
    },
    CANCEL,
  ],
  approval: [{ key: 'a', says: 'approve the whole group', request: 'task.approve', input: (task) => ({ group: task.phase ?? task.section }) }],
  failed: [{ key: 't', says: 'try again', request: 'run.retry', input: (task) => ({ task: named(task) }) }, CANCEL],
  hold: [{ key: 'o', says: 'let it go on', request: 'task.update', input: (task) => ({ task: named(task), status: 'open' }) }, CANCEL],
};

async function askAbout(app: App, task: TaskView, { host, look, globals }: Context): Promise<'quit' | 'next'> {
  const choices = CHOICES[task.reason?.code ?? ''] ?? [];
  const words = [...choices.map(({ key, says }) => `${key} ${says}`), 's skip', 'q quit'].join(' · ');
  for (;;) {
    const typed = await host.question?.(`  ${words}: `);
    const key = typed?.trim().toLowerCase();
    if (typed === undefined || key === 'q') return 'quit';
    if (key === 's' || key === '') return 'next';
    const choice = choices.find((each) => each.key === key);
    if (!choice) continue;
    const more = choice.asks === undefined ? '' : await host.question?.(`  ${choice.asks}: `);
    if (more === undefined) return 'quit';
    if (choice.asks !== undefined && more.trim() === '') continue;
    const called = await app.door.call(choice.request, choice.input(task, more), app.caller);
    if (called.ok) {
      host.out(`  ${plain((called.output as { message: string }).message)}\n`);
      return 'next';
    }
    host.out(renderFailure(plain(failureOf(called)), look(), globals.verbose));
  }
}
