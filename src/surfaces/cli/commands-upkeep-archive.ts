/**
 * `todone archive`: old done tasks off the list, and back. What goes and what stays is the core's.
 */
import { z } from 'zod';
import { durationMs } from '../../config.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Result, show, withApp } from './command.ts';
import { isFailure, refused, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { type Look, paint, wrap } from './layout.ts';
import type { ArchiveDone, ArchivedTask } from './upkeep.ts';
import { count } from './words.ts';

const olderThan = z
  .string()
  .default('14')
  .transform((written, context) => {
    const ms = durationMs(/^\d+(\.\d+)?$/.test(written) ? `${written}d` : written);
    if (ms === undefined) context.addIssue({ code: 'custom', message: `"${written}" is no number of days: write 14, or 12h` });
    return ms ?? 0;
  });

const input = z.object({
  tasks: z.array(z.string()).default([]),
  olderThan,
  section: z.string().optional(),
  summary: z.boolean().default(false),
  undo: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export const ARCHIVE_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'archive',
    group: 'Upkeep',
    summary: 'move old done tasks to a file beside the list, and back',
    details:
      'Each goes as it stands, byte for byte, with its details, notes and subtasks. It still counts as done for what comes after it, and its id is never ' +
      'given again. --undo brings back what went last, or the tasks that you name: to the byte where they stood if their section is as it was then, ' +
      'else beside the tasks that they stood beside.',
    arguments: [{ name: 'tasks', says: 'only these, however old; with --undo by their ids', optional: true, many: true, completes: 'task' }],
    options: [
      { flags: '--older-than <days>', says: 'done so long ago', default: '14' },
      { flags: '--section <name>', says: 'only of this section', completes: 'section' },
      { flags: '--summary', says: 'leave a line in the section that says how many went, and keep it true' },
      { flags: '--undo', says: 'bring them back' },
      { flags: '--dry-run', says: 'say what would go, and change nothing' },
    ],
    examples: [
      { line: 'todone archive --dry-run', says: 'what could go' },
      { line: 'todone archive --older-than 30 --section auth', says: 'what was done a month ago, of one section' },
      { line: 'todone archive --undo', says: 'as it was before' },
    ],
    json: 'archived',
    quiet: 'prints the ids of what went or came back',
    input,
    run: withApp(archive),
  }),
];

async function archive(app: App, { undo, dryRun, ...wish }: z.output<typeof input>): Promise<Result> {
  if (undo && (dryRun || wish.summary)) return usage('--undo goes with neither --dry-run nor --summary', 'todone archive --undo [task…]');
  if (app.caller.kind !== 'person') return refused('only a person takes tasks off the list', 'leave it to a person');
  const found = await app.upkeep.archive(wish, undo ? 'undo' : dryRun ? 'dry' : 'archive');
  if (isFailure(found)) return found;
  const file = app.upkeep.archiveName;
  const named = wish.tasks.length > 0;
  return show({
    view: found,
    text: (view, look) => render(view, file, named, look),
    json: (view) => documentOf({ ...view, file }),
    quiet: ({ tasks }) => tasks.map(nameOf),
  });
}

const nameOf = ({ id, section, title }: ArchivedTask): string => id ?? `${section}: ${title}`;

function render({ what, done, tasks, staying }: ArchiveDone, file: string, named: boolean, look: Look): string {
  const lines = tasks.flatMap((task) => wrap(`${task.section} ${task.id ?? '-'} ${task.title}`, look));
  // Of thousands that are not old enough nobody wants to hear, but for those that were named.
  const kept = staying.filter(({ why }) => named || !why.startsWith('it was done '));
  const more = kept.length === 0 ? [] : [paint(look, 'faint', 'These stay:'), ...kept.flatMap((task) => wrap(`${task.title}: ${task.why}`, look, '  '))];
  const said =
    tasks.length === 0
      ? what === 'archived'
        ? 'Nothing is old enough to be archived.'
        : 'Nothing is in the archive that could come back.'
      : what === 'unarchived'
        ? `${count(tasks.length, 'task')} came back from ${file}.`
        : done
          ? `${count(tasks.length, 'task')} went to ${file}; todone archive --undo brings them back.`
          : `${count(tasks.length, 'task')} would go to ${file}.`;
  return `${[...lines, ...more, paint(look, tasks.length > 0 ? 'good' : 'plain', said)].join('\n')}\n`;
}
