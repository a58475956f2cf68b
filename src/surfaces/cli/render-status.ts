/**
 * `status` as text and as Markdown, and the closing summary of `start`. Pure: values in, text out.
 */
import type { Scene } from '../../runs/choose.ts';
import { taskViews, type TaskView } from '../../runs/view.ts';
import { type Cell, type Column, type Look, oneLine, paint, table, wrap } from './layout.ts';
import { errandLines, errandWords } from './render-errand.ts';
import { nameOf, type ProblemLine, type RunLine, type SectionStatus, type Status, taskLine, type TaskLine } from './status.ts';
import { count, countWords, dateAndTime, elapsed, STATE_TONES, usageWords } from './words.ts';

/** Rows of one kind shown per section where all sections are shown. */
const ROWS_MAX = 5;
const COMMITS_SHOWN = 10;

const COLUMNS: readonly Column[] = [{}, {}, { shrinksTo: 24 }, { shrinksTo: 16, dropOrder: 1 }];

export function renderStatus(status: Status, look: Look, only?: string): string {
  const lines = [
    paint(look, 'strong', status.list),
    countWords(status.counts),
    ownerWords(status, look),
    ...heldLines(status, look),
    ...publishedLines(status, look),
    ...spentLines(status, look),
  ];
  if (status.sections.length === 0) lines.push('', 'There is no section yet: begin one with a line "## Git Worktree <name>".');
  for (const section of status.sections) lines.push('', ...sectionLines(section, look, only !== undefined));
  lines.push(...problemText(status.list, status.problems, look));
  return `${lines.join('\n')}\n`;
}

function ownerWords(status: Status, look: Look): string {
  const { owner } = status;
  if (!owner) return paint(look, 'faint', 'nobody works on it: todone start');
  const running = status.sections.reduce((sum, section) => sum + section.running.length, 0);
  return `${paint(look, 'good', 'ToDone works on it')} ${paint(look, 'faint', `(process ${owner.pid}, for ${elapsed(look.now - owner.since)}); ${running} of ${count(status.max_agents, 'agent')}`)}`;
}

const heldLines = (status: Status, look: Look): string[] =>
  status.held ? [paint(look, 'warn', `nothing new starts: ${status.held.message}`), `  ${status.held.remedy}`] : [];

function publishedLines({ published }: Status, look: Look): string[] {
  if (!published?.problem) return [];
  const since = published.at === null ? 'never was' : `last was ${dateAndTime(published.at)}`;
  return [paint(look, 'warn', `not published (it ${since}): ${published.problem.message}`), `  ${published.problem.remedy}`];
}

function spentLines({ limits, stuck, spent_today: { tokens, cost_usd: costUsd, ms } }: Status, look: Look): string[] {
  const waits = [
    ...limits.map(({ account, until, message }) => paint(look, 'warn', `${account} waits until ${dateAndTime(until)}: ${message}`)),
    ...stuck.map(({ agent, task, message }) => paint(look, 'warn', `${agent} waits for you (todone retry ${task}): ${message}`)),
  ];
  if (tokens + costUsd + ms === 0) return waits;
  const used = [elapsed(ms), ...(tokens > 0 ? [`${tokens.toLocaleString('en')} tokens`] : []), ...(costUsd > 0 ? [`${costUsd.toFixed(2)} USD`] : [])];
  return [...waits, paint(look, 'faint', `agents today: ${used.join(', ')}`)];
}

function sectionLines(section: SectionStatus, look: Look, whole: boolean): string[] {
  const max = whole ? Number.POSITIVE_INFINITY : ROWS_MAX;
  const groups: readonly (readonly [readonly TaskLine[], (line: TaskLine) => readonly Cell[]])[] = [
    [section.failed, (line) => row('failed', 'bad', line)],
    [section.needs_you, (line) => row('needs you', 'warn', line)],
    [section.next, (line) => row('next', 'plain', line)],
    [section.waiting, (line) => row('waits', 'faint', line)],
    [whole ? section.done : [], (line) => row('done', 'good', line)],
  ];
  const rows = [...section.running.map((run) => runRow(run, look)), ...groups.flatMap(([lines, cells]) => limited(lines, max, cells))];
  const commits = section.commits.slice(0, COMMITS_SHOWN);
  return [
    `${paint(look, 'strong', section.name)}  ${paint(look, 'faint', `${section.branch} in ${section.tree}`)}  ${countWords(section.counts)}`,
    ...table(COLUMNS, rows, look, '  '),
    ...section.errands.filter((errand) => whole || errand.state !== 'done' || errand.url !== null).flatMap((errand) => errandLines(errand, look)),
    ...(commits.length > 0
      ? [
          '',
          'Last commits',
          ...table(
            [{}, {}, { shrinksTo: 24 }],
            commits.map((commit) => commitRow(commit)),
            look,
            '  ',
          ),
        ]
      : []),
  ];
}

function limited(lines: readonly TaskLine[], max: number, cells: (line: TaskLine) => readonly Cell[]): (readonly Cell[])[] {
  const more = lines.length - max;
  const shown = lines.slice(0, max).map(cells);
  return more > 0 ? [...shown, [{ text: '' }, { text: '' }, { text: `… and ${more} more`, tone: 'faint' }]] : shown;
}

function row(word: string, tone: Cell['tone'], line: TaskLine): readonly Cell[] {
  const why = line.status === 'done' ? (line.hash ?? '') : (line.reason?.message ?? '');
  return [{ text: word, tone }, { text: nameOf(line), tone: 'name' }, { text: line.title }, { text: why, tone: 'faint' }];
}

function runRow(run: RunLine, look: Look): readonly Cell[] {
  const usage = usageWords({ inputTokens: run.tokens ?? 0, outputTokens: 0, costUsd: run.cost_usd ?? 0 });
  return [
    { text: 'running', tone: 'busy' },
    { text: run.id, tone: 'name' },
    { text: run.title },
    { text: [runWords(run, look), usage, run.last ?? ''].filter((part) => part !== '').join(', '), tone: 'faint' },
  ];
}

/** `implement 3m 12s, claude/opus, attempt 2`. */
export function runWords(run: RunLine, look: Pick<Look, 'now'>): string {
  const waits = run.wait_until !== null && run.wait_until > look.now ? ` again in ${elapsed(run.wait_until - look.now)}` : '';
  return [
    `${run.step}${waits}`,
    elapsed(look.now - run.started_at),
    run.model === null ? run.agent : `${run.agent}/${run.model}`,
    ...(run.attempt > 1 ? [`attempt ${run.attempt}`] : []),
    ...(run.changed ? ['text changed after start'] : []),
  ].join(', ');
}

const commitRow = (commit: { readonly hash: string; readonly at: number; readonly subject: string }): readonly Cell[] => [
  { text: commit.hash, tone: 'name' },
  { text: dateAndTime(commit.at), tone: 'faint' },
  { text: commit.subject },
];

/** `what` = the word for one of them. */
export function problemText(list: string, problems: readonly ProblemLine[], look: Look, what = 'problem'): string[] {
  if (problems.length === 0) return [];
  const shown = problems.slice(0, ROWS_MAX * 2);
  const lines = shown.flatMap((problem) => [
    ...wrap(`${list}:${problem.line}:${problem.column}  ${problem.severity} ${problem.rule}  ${problem.message}`, look, '  ', '    '),
    ...wrap(problem.remedy, look, '    '),
  ]);
  const more = problems.length - shown.length;
  return ['', paint(look, 'warn', `${count(problems.length, what)} in the list`), ...lines, ...(more > 0 ? [`  … and ${more} more (--json shows all)`] : [])];
}

// ── Markdown ─────────────────────────────────────────────────────────────────────────────────────

/** The same, for a pull request or a note. */
export function renderStatusMarkdown(status: Status, look: Pick<Look, 'now'>): string {
  const lines = [`# ${md(status.list)}`, '', `${countWords(status.counts)}.`];
  if (status.held) lines.push('', `Nothing new starts: ${md(status.held.message)}.`);
  for (const section of status.sections) lines.push('', ...sectionMarkdown(section, look));
  return `${lines.join('\n')}\n`;
}

function sectionMarkdown(section: SectionStatus, look: Pick<Look, 'now'>): string[] {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['Running', section.running.map((run) => `${md(run.title)} (\`${run.id}\`: ${md(runWords(run, look))})`)],
    ['Failed', section.failed.map(bullet)],
    ['Needs you', section.needs_you.map(bullet)],
    ['Next', section.next.map(bullet)],
    ['Held', section.waiting.map(bullet)],
    ['Done', section.done.map(bullet)],
    ['Branch', section.errands.map((errand) => md(errandWords(errand, look)))],
    ['Last commits', section.commits.slice(0, COMMITS_SHOWN).map((commit) => `\`${commit.hash}\` ${md(commit.subject)}`)],
  ];
  const shown = lists.filter(([, items]) => items.length > 0);
  return [
    `## ${md(section.name)}`,
    '',
    `Branch \`${section.branch}\`: ${countWords(section.counts)}.`,
    ...shown.flatMap(([title, items]) => ['', `### ${title}`, '', ...items.map((item) => `- ${item}`)]),
  ];
}

function bullet(line: TaskLine): string {
  const why = line.status === 'done' ? (line.hash === null ? '' : `, \`${line.hash}\``) : line.reason ? `: ${md(line.reason.message)}` : '';
  return `${md(line.title)} (\`${nameOf(line)}\`)${why}`;
}

/** Text that Markdown shows as it is. */
const md = (text: string): string => oneLine(text).replaceAll(/[\\`*_[\]<>|#~]/g, '\\$&');

// ── the end of `start` ───────────────────────────────────────────────────────────────────────────

/** What one `start` did: what became done or failed since it began, and what still waits. */
export type Summary = {
  readonly done: readonly TaskLine[];
  readonly failed: readonly TaskLine[];
  readonly running: readonly TaskLine[];
  readonly waiting: readonly TaskLine[];
  /** Open ones that belong to no section, and are never started. */
  readonly outside: readonly TaskLine[];
};

/** `before` = the tasks that were closed when it began, by name. */
export function summaryOf(scene: Scene, before: ReadonlySet<string>, failed: readonly string[]): Summary {
  const all = taskViews(scene);
  const views = all.filter((view) => view.section !== '');
  const failedIds = new Set(failed);
  const pick = (wanted: (view: TaskView) => boolean): TaskLine[] => views.filter(wanted).map(taskLine);
  return {
    done: pick((view) => view.status === 'done' && !before.has(closedName(view))),
    failed: pick((view) => view.status === 'failed' && (failedIds.has(view.id ?? '') || !before.has(closedName(view)))),
    running: pick((view) => view.status === 'in_progress'),
    waiting: pick((view) => view.status === 'open' || view.status === 'blocked'),
    outside: all.filter((view) => view.section === '' && view.status === 'open').map(taskLine),
  };
}

/** How a closed task is recognised later: by its id and state, else by its text. */
export const closedName = (view: Pick<TaskView, 'id' | 'handle' | 'status'>): string => `${view.status} ${view.id ?? view.handle}`;

export function renderSummary(summary: Summary, look: Look): string {
  const parts = (
    [
      ['done', summary.done],
      ['failed', summary.failed],
      ['running', summary.running],
      ['waiting', summary.waiting],
    ] as const
  ).filter(([, lines]) => lines.length > 0);
  const last = outsideLines(summary.outside, look);
  if (parts.length === 0) return `${['nothing to do', ...last].join('\n')}\n`;
  const rows = [...summary.done, ...summary.failed, ...summary.running, ...summary.waiting].slice(0, SUMMARY_ROWS_MAX).map((line) => summaryRow(line));
  const more = summary.done.length + summary.failed.length + summary.running.length + summary.waiting.length - rows.length;
  const head = parts.map(([word, lines]) => `${lines.length} ${word}`).join(', ');
  return `${[paint(look, 'strong', head), ...table(COLUMNS, rows, look, '  '), ...(more > 0 ? [`  … and ${more} more: todone task list`] : []), ...last].join('\n')}\n`;
}

function outsideLines([first, ...more]: readonly TaskLine[], look: Look): string[] {
  if (!first) return [];
  const what = more.length === 0 ? `the task of line ${first.line} stands` : `${more.length + 1} tasks stand`;
  const where = more.length === 0 ? '' : `, the first in line ${first.line}`;
  return [paint(look, 'warn', `${what} outside any section and will not start${where}: a section is a line "## Git Worktree <name>"`)];
}

const SUMMARY_ROWS_MAX = 20;

function summaryRow(line: TaskLine): readonly Cell[] {
  const word = line.status === 'in_progress' ? 'running' : line.status === 'done' || line.status === 'failed' ? line.status : 'waits';
  return row(word, word === 'waits' ? 'faint' : STATE_TONES[line.status], line);
}
