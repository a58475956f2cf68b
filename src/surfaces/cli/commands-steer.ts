/**
 * Commands that steer: requests to the owner of the list, and kept work brought back. The answer is the core's.
 */
import { z } from 'zod';
import type { Ask, Answer } from '../../runs/ask.ts';
import type { KeptFact } from '../../runs/evidence.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Result, show, withApp, withoutList } from './command.ts';
import { TASK_ARGUMENT } from './commands-look.ts';
import { isFailure, refused, usage } from './failure.ts';
import { findId, missingSection } from './find-task.ts';
import { documentOf } from './json.ts';
import { renderKept, renderRestored } from './render-upkeep.ts';
import { sectionNames } from './status.ts';

const sectionInput = z.object({ section: z.string().optional() });
const restoreInput = z.object({
  task: z.string(),
  into: z.string().min(1).optional(),
  attempt: z.coerce.number<string>().int().min(1).optional(),
  list: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

const SECTION_ARGUMENT = { name: 'section', says: 'only this section; without it, everything', optional: true, completes: 'section' } as const;
const QUIET_ID = 'prints the id of the task';

export const STEER_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'stop',
    group: 'Steer',
    summary: 'stop a task that is being worked on; its work is kept',
    details: 'Its line becomes [❌ id] with the reason "cancelled". Setting [❌] on its line does the same.',
    arguments: [TASK_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone stop q8f0t6zd', says: 'stop the run with this id' },
      { line: 'todone stop tasks.md:7', says: 'stop the task on line 7' },
    ],
    json: 'answer',
    quiet: QUIET_ID,
    input: z.object({ task: z.string() }),
    run: withApp((app, { task }) => sent(app, { kind: 'stop', task })),
  }),
  command({
    name: 'retry',
    group: 'Steer',
    summary: 'give a failed task another attempt',
    details: 'It goes on from the work that was kept. Setting [] on its line does the same; with {fresh} it starts clean.',
    arguments: [TASK_ARGUMENT],
    options: [{ flags: '--fresh', says: 'from a clean start, without the kept work' }],
    examples: [
      { line: 'todone retry m2c7r4ya', says: 'go on from where it failed' },
      { line: 'todone retry m2c7r4ya --fresh', says: 'begin again' },
    ],
    json: 'answer',
    quiet: QUIET_ID,
    input: z.object({ task: z.string(), fresh: z.boolean().default(false) }),
    run: withApp((app, { task, fresh }) => sent(app, { kind: 'retry', task, fresh })),
  }),
  command({
    name: 'restore',
    group: 'Steer',
    summary: 'bring back work of a task that did not land',
    details: 'Puts its last snapshot into a folder of its own. Nothing that is there is overwritten.',
    arguments: [TASK_ARGUMENT],
    options: [
      { flags: '--into <dir>', says: 'a folder that does not exist yet (default: one beside the worktrees)', completes: 'path' },
      { flags: '--attempt <n>', says: 'what this attempt left last (default: the newest of all)' },
      { flags: '--list', says: 'say what is kept, and bring nothing back' },
      { flags: '--dry-run', says: 'say what would be put where' },
    ],
    examples: [
      { line: 'todone restore m2c7r4ya', says: 'look at what its last attempt left' },
      { line: 'todone restore m2c7r4ya --list', says: 'what is kept of it, attempt by attempt' },
      { line: 'todone restore m2c7r4ya --attempt 2 --into ../rescue', says: 'put what the second attempt left there' },
    ],
    json: 'restored',
    quiet: 'prints the folder',
    input: restoreInput,
    run: withoutList(restore),
  }),
  command({
    name: 'pause',
    group: 'Steer',
    summary: 'start nothing new; running tasks go on',
    arguments: [SECTION_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone pause', says: 'hold the whole list' },
      { line: 'todone pause auth', says: 'hold one section' },
    ],
    json: 'answer',
    quiet: 'prints nothing',
    input: sectionInput,
    run: withApp((app, { section }) => sectionAsk(app, 'pause', section)),
  }),
  command({
    name: 'resume',
    group: 'Steer',
    summary: 'go on after pause',
    arguments: [SECTION_ARGUMENT],
    options: [],
    examples: [
      { line: 'todone resume', says: 'go on with the whole list' },
      { line: 'todone resume auth', says: 'go on with one section' },
    ],
    json: 'answer',
    quiet: 'prints nothing',
    input: sectionInput,
    run: withApp((app, { section }) => sectionAsk(app, 'resume', section)),
  }),
];

async function sectionAsk(app: App, kind: 'pause' | 'resume', section: string | undefined): Promise<Result> {
  const scene = await app.scene();
  // A list that cannot be read just now has no sections; a pause has to be possible then too.
  const missing = section === undefined || sectionNames(scene).length === 0 ? undefined : missingSection(scene, section);
  return missing ?? sent(app, { kind, section });
}

async function sent(app: App, ask: Ask): Promise<Result> {
  return answered(await app.ask(ask));
}

export function answered(answer: Answer): Result {
  switch (answer.kind) {
    case 'ok':
      return show({
        view: { message: answer.message, id: answer.id ?? null },
        text: ({ message }) => `${message}\n`,
        json: (view) => documentOf({ ok: true, ...view }),
        quiet: ({ id }) => (id === null ? [] : [id]),
      });
    case 'refused':
      return refused(answer.message, answer.remedy);
    case 'unknown':
      return usage(answer.message, answer.remedy);
  }
}

async function restore(app: App, input: z.output<typeof restoreInput>): Promise<Result> {
  const named = findId(await app.scene(), input.task);
  // Neither on the list nor in the journal: git may still have its work.
  const lost = isFailure(named) && (await app.upkeep.kept(input.task)).length > 0;
  if (isFailure(named) && !lost) return named;
  const id = isFailure(named) ? input.task : named.id;
  if (id === undefined) return refused('nothing was kept of this task', `it has never been worked on: todone why ${input.task}`);
  if (input.list) return listKept(id, await app.upkeep.kept(id));
  const restored = await app.upkeep.restore(id, input);
  if (isFailure(restored)) return restored;
  return show({ view: restored, text: renderRestored, json: documentOf, quiet: ({ path }) => [path] });
}

function listKept(id: string, snapshots: readonly KeptFact[]): Result {
  if (snapshots.length === 0) return refused(`nothing is kept of ${id}`, 'what landed is on its branch; snapshots are made of work that did not land');
  return show({
    view: snapshots,
    text: renderKept,
    json: (view) => documentOf({ id, snapshots: view }),
    quiet: (view) => view.map(({ ref }) => ref),
  });
}
