/**
 * Tasks as text: the list, one task whole, its history. Pure: values in, text out.
 */
import type { HistoryRow } from '../../engine/ports.ts';
import type { TaskView } from '../../runs/view.ts';
import type { Evidence } from './app.ts';
import { type Cell, type Column, type Look, paint, table, wrap } from './layout.ts';
import { runWords } from './render-status.ts';
import { nameOf, type RunLine } from './status.ts';
import { dateAndTime, elapsed, STATE_TONES, STATE_WORDS, tagWords } from './words.ts';

const LIST_COLUMNS: readonly Column[] = [
  { header: 'TASK' },
  { header: 'STATE' },
  { header: 'PRIO', dropOrder: 3 },
  { header: 'SECTION', shrinksTo: 8, dropOrder: 2 },
  { header: 'OWNER', shrinksTo: 6, dropOrder: 4 },
  { header: 'TITLE', shrinksTo: 24 },
  { header: 'WHY', shrinksTo: 16, dropOrder: 5 },
];

export function renderList(views: readonly TaskView[], look: Look, empty: string): string {
  if (views.length === 0) return `${empty}\n`;
  if (views.every(({ project }) => project === null)) return `${table(LIST_COLUMNS, views.map(listRow), look).join('\n')}\n`;
  const rows = views.map((view) => [{ text: view.project ?? '', tone: 'name' } as const, ...listRow(view)]);
  return `${table([{ header: 'PROJECT', shrinksTo: 8 }, ...LIST_COLUMNS], rows, look).join('\n')}\n`;
}

function listRow(view: TaskView): readonly Cell[] {
  return [
    { text: nameOf(view), tone: 'name' },
    { text: STATE_WORDS[view.status], tone: STATE_TONES[view.status] },
    { text: `p${view.priority}`, tone: view.priority === 0 ? 'bad' : 'plain' },
    { text: view.section === '' ? '(none)' : view.section },
    { text: view.owner ?? view.assigned_to ?? '' },
    { text: view.parent === null ? view.title : `↳ ${view.title}` },
    { text: view.status === 'done' ? (view.hash ?? '') : (view.reason?.message ?? ''), tone: 'faint' },
  ];
}

/** All that is known of one task (5.1-R2: the plan too). */
export type TaskWhole = {
  readonly list: string;
  readonly task: TaskView;
  readonly run: RunLine | null;
  readonly attempts: number | null;
  readonly plan: string | null;
  readonly summary: string | null;
  readonly evidence: string | null;
  readonly kept: string | null;
  readonly lane: string;
  readonly due: string | null;
  /** Working time. */
  readonly estimate_ms: number | null;
  readonly claim: { readonly worker: string; readonly since: number; readonly lease_until: number | null } | null;
  readonly history: readonly HistoryRow[];
  readonly verify: Evidence | null;
};

export function renderTask(whole: TaskWhole, look: Look): string {
  const { task } = whole;
  const facts: readonly (readonly [string, string])[] = [
    ['task', nameOf(task)],
    ['state', STATE_WORDS[task.status]],
    ['why', task.reason ? `${task.reason.message} (${task.reason.rule})` : ''],
    ['to free it', task.reason && task.status !== 'done' ? task.reason.remedy : ''],
    ['runs', whole.run ? runWords(whole.run, look) : ''],
    ['where', `${whole.list}:${task.line}`],
    ['section', task.section],
    ['initiative', task.initiative ?? ''],
    ['phase', task.phase ?? ''],
    ['parent', task.parent ?? ''],
    ['priority', `p${task.priority}`],
    ['owner', task.owner ?? ''],
    ['lane', whole.lane === 'safe' ? '' : whole.lane],
    ['claimed by', whole.claim ? claimWords(whole.claim, look) : ''],
    ['due', whole.due ?? ''],
    ['estimate', whole.estimate_ms === null ? '' : elapsed(whole.estimate_ms)],
    ['tags', task.tags.map(tagWords).join(' ')],
    ['after', task.after.join(', ')],
    ['relates', task.relates.join(', ')],
    ['commit', task.hash ?? ''],
    ['attempts', whole.attempts === null || whole.attempts === 0 ? '' : String(whole.attempts)],
    ['verify', whole.verify ? verifyWords(whole.verify) : ''],
    ['kept work', whole.kept ? `${whole.kept} (todone restore ${nameOf(task)})` : ''],
    ['first seen', task.created_at === null ? '' : dateAndTime(task.created_at)],
    ['last change', task.updated_at === null ? '' : `${dateAndTime(task.updated_at)}, ${elapsed(look.now - task.updated_at)} ago`],
  ];
  const width = Math.max(...facts.map(([key]) => key.length));
  const texts: readonly (readonly [string, string | null])[] = [
    ['Details', task.description.trim() || null],
    ['Summary', whole.summary],
    ['Plan', whole.plan],
    ['What the last attempt left', whole.evidence],
    ['What verify printed last', whole.verify?.lines.join('\n') || null],
  ];
  const history = whole.history.length === 0 ? '' : `\n${paint(look, 'strong', 'History')}\n${renderHistory(whole.history, look)}`;
  return `${[
    ...wrap(task.title, look).map((line) => paint(look, 'strong', line)),
    '',
    ...facts.filter(([, value]) => value !== '').flatMap(([key, value]) => fact(key, value, width, look)),
    ...texts.flatMap(([title, text]) =>
      text === null
        ? []
        : [
            '',
            paint(look, 'strong', title),
            ...text
              .trimEnd()
              .split('\n')
              .map((line) => `  ${line}`.trimEnd()),
          ],
    ),
  ].join('\n')}\n${history}`;
}

function verifyWords(verify: Evidence): string {
  const how = verify.ok ? 'passed' : verify.timed_out ? 'took too long' : verify.code === null ? 'was ended by a signal' : `exit ${verify.code}`;
  return `${verify.command}: ${how}, ${dateAndTime(verify.at)}; all of its output: ${verify.path}`;
}

function claimWords(claim: NonNullable<TaskWhole['claim']>, look: Look): string {
  const left = claim.lease_until === null ? 'until it lets go' : `for another ${elapsed(Math.max(0, claim.lease_until - look.now))} without a heartbeat`;
  return `${claim.worker}, ${left}`;
}

function fact(key: string, value: string, width: number, look: Look): string[] {
  const [first = '', ...rest] = wrap(value, look, ' '.repeat(width + 2));
  return [`${paint(look, 'faint', key.padEnd(width))}  ${first.trimStart()}`, ...rest];
}

const HISTORY_COLUMNS: readonly Column[] = [
  { header: 'WHEN' },
  { header: 'WHAT' },
  { header: 'FROM', shrinksTo: 8 },
  { header: 'TO', shrinksTo: 12 },
  { header: 'BY', shrinksTo: 8 },
  { header: 'VIA', dropOrder: 1 },
];

export function renderHistory(rows: readonly HistoryRow[], look: Look): string {
  if (rows.length === 0) return 'nothing is known of it yet: its history begins with its first change\n';
  const cells = rows.map((row) => [
    { text: dateAndTime(row.at), tone: 'faint' as const },
    { text: row.field },
    { text: row.old ?? '' },
    { text: row.new ?? '' },
    { text: row.by },
    { text: row.via },
  ]);
  return `${table(HISTORY_COLUMNS, cells, look).join('\n')}\n`;
}
