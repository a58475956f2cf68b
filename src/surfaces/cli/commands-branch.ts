/**
 * Commands of a section's branch as a whole: `diff`, `sync`, `land`, `pr`. What is done, and whether it may be, is the core's.
 */
import { z } from 'zod';
import type { App, BranchDiff, BranchPlan, BranchWork } from './app.ts';
import { command, type CommandRow, type Context, type Result, show, withApp } from './command.ts';
import { EXIT, isFailure } from './failure.ts';
import { missingSection } from './find-task.ts';
import { documentOf } from './json.ts';
import { type Look, paint, table } from './layout.ts';

const SECTION = { name: 'section', says: 'the section, by its name', completes: 'section' } as const;
const DRY_RUN = { flags: '--dry-run', says: 'say what would be done; change nothing' } as const;
const workInput = z.object({ section: z.string(), dryRun: z.boolean().default(false) });
const diffInput = z.object({ section: z.string(), stat: z.boolean().default(false) });
const QUIET = 'prints the URL of the pull request, where there is one';

export const BRANCH_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'diff',
    group: 'Branch',
    summary: "what a section's branch has changed",
    details: 'Since it left the base.',
    arguments: [SECTION],
    options: [{ flags: '--stat', says: 'only the files, with lines added and removed' }],
    examples: [
      { line: 'todone diff auth', says: 'the whole diff' },
      { line: 'todone diff auth --stat', says: 'file by file' },
    ],
    json: 'diff',
    quiet: 'prints the files, one a line',
    input: diffInput,
    run: withApp(diff),
  }),
  command({
    name: 'sync',
    group: 'Branch',
    summary: "merge the base into a section's branch",
    details: 'Takes turns with landings. What has landed is never rebased; on a conflict nothing moves. syncBase in the config does it by itself.',
    arguments: [SECTION],
    options: [DRY_RUN],
    examples: [
      { line: 'todone sync auth', says: 'take in what is new on the base' },
      { line: 'todone sync auth --dry-run', says: 'see whether there would be a conflict' },
    ],
    json: 'branch',
    quiet: QUIET,
    input: workInput,
    run: withApp((app, input, context) => work(app, 'sync', input, context)),
  }),
  command({
    name: 'land',
    group: 'Branch',
    summary: "merge a section's branch into the base",
    details: 'Waits where the base is checked out with uncommitted work. onSectionDone: merge in the config does it when a section is done.',
    arguments: [SECTION],
    options: [DRY_RUN],
    examples: [
      { line: 'todone land auth', says: 'bring the finished section home' },
      { line: 'todone land auth --dry-run', says: 'see what that would move' },
    ],
    json: 'branch',
    quiet: QUIET,
    input: workInput,
    run: withApp((app, input, context) => work(app, 'land', input, context)),
  }),
  command({
    name: 'pr',
    group: 'Branch',
    summary: 'push the branch; make or update its pull request',
    details:
      'One for each section, through gh. Its text stands between two markers; what you write around it stays. Never pushes by force, nor a secret.\n' +
      'onSectionDone: push or pr in the config does it when a section is done.',
    arguments: [SECTION],
    options: [DRY_RUN],
    examples: [
      { line: 'todone pr auth', says: 'open it, or bring it up to date' },
      { line: 'todone pr auth --dry-run', says: 'see what would be pushed where' },
    ],
    json: 'branch',
    quiet: QUIET,
    input: workInput,
    run: withApp((app, input, context) => work(app, 'pr', input, context)),
  }),
];

async function work(app: App, what: BranchWork, input: z.output<typeof workInput>, context: Context): Promise<Result> {
  const { section } = input;
  const missing = missingSection(await app.scene(), section);
  if (missing) return missing;
  if (input.dryRun) return planned(what, section, await app.planErrand(what, section));
  const errand = await app.doErrand(what, section);
  if (errand === undefined || context.host.signal.aborted) return EXIT.interrupted;
  if (isFailure(errand)) return errand;
  if (errand.state === 'done')
    return show({
      view: { what, section, state: errand.state, message: errand.message ?? '', url: errand.url ?? null, would: null, blocked: null },
      text: ({ message }) => `${message}\n`,
      json: documentOf,
      quiet: ({ url }) => (url === null ? [] : [url]),
    });
  const again = errand.state === 'due' ? `; it waits, and is tried again while ToDone works on the list (todone start)` : '';
  return {
    kind: 'failure',
    code: EXIT.failed,
    message: errand.message ?? `${what} of ${section} came to nothing`,
    remedy: `${errand.remedy ?? 'see the log'}${again}`,
  };
}

function planned(what: BranchWork, section: string, plan: BranchPlan): Result {
  return show({
    view: { what, section, state: 'planned' as const, message: plan.nothing ?? '', url: null, would: plan.would, blocked: plan.blocked },
    text: ({ message, would, blocked }, look) => planText(message, would, blocked, look),
    json: documentOf,
    quiet: () => [],
  });
}

function planText(message: string, would: readonly string[], blocked: BranchPlan['blocked'], look: Look): string {
  const lines = [
    ...would.map((line) => `would ${line}`),
    ...(blocked ? [`${paint(look, 'warn', would.length > 0 ? 'but then:' : 'would not begin:')} ${blocked.message}`, `  ${blocked.remedy}`] : []),
  ];
  return `${lines.length > 0 ? lines.join('\n') : `nothing to do: ${message}`}\n`;
}

async function diff(app: App, { section, stat }: z.output<typeof diffInput>): Promise<Result> {
  const missing = missingSection(await app.scene(), section);
  if (missing) return missing;
  const found = await app.diff(section);
  if (isFailure(found)) return found;
  return show<BranchDiff>({
    view: stat ? { ...found, diff: null } : found,
    text: (shown, look) => (shown.diff === null ? statText(shown, look) : shown.diff || `${shown.branch} has changed nothing since it left ${shown.base}\n`),
    json: documentOf,
    quiet: ({ files }) => files.map(({ path }) => path),
  });
}

function statText({ branch, base, files }: BranchDiff, look: Look): string {
  const sum = (key: 'added' | 'removed'): number => files.reduce((total, file) => total + (file[key] ?? 0), 0);
  const rows = files.map((file) => [
    { text: file.from === null ? file.path : `${file.from} → ${file.path}` },
    { text: file.added === null ? 'binary' : `+${file.added}`, tone: 'good' as const },
    { text: file.removed === null ? '' : `-${file.removed}`, tone: 'bad' as const },
  ]);
  const head = `${branch} since it left ${base}: ${files.length} ${files.length === 1 ? 'file' : 'files'}, +${sum('added')} -${sum('removed')}`;
  return `${[head, ...table([{ shrinksTo: 24 }, {}, {}], rows, look, '  ')].join('\n')}\n`;
}
