/**
 * `todone report`: the figures of the core, laid out.
 */
import { z } from 'zod';
import { durationMs } from '../../config.ts';
import type { Report, SpentFigures, Spread } from '../../runs/report.ts';
import { command, type CommandRow, show, withoutList } from './command.ts';
import { documentOf } from './json.ts';
import { type Look, paint, table, wrap } from './layout.ts';
import { count, dateAndTime, elapsed } from './words.ts';

const since = z
  .string()
  .default('30d')
  .transform((written, context) => {
    const ms = /[a-z]$/.test(written) ? durationMs(written) : undefined;
    if (ms === undefined) context.addIssue({ code: 'custom', message: `"${written}" is not a time: write 12h, 7d or 30d` });
    return ms ?? 0;
  });

export const REPORT_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'report',
    group: 'Upkeep',
    summary: 'what was done, how fast, by whom, at what cost',
    details:
      'From the rows of the journal, which it keeps as long as keep.history says; what they do not tell is named. First attempt: done without a second ' +
      'attempt since a person last set it open. Days of the cost are UTC.',
    arguments: [],
    options: [{ flags: '--since <time>', says: 'how far back: 12h, 7d, 30d', default: '30d' }],
    examples: [
      { line: 'todone report', says: 'the last 30 days' },
      { line: 'todone report --since 7d --json', says: 'the last week, for a program' },
    ],
    json: 'report',
    quiet: 'prints how many tasks were done',
    input: z.object({ since }),
    run: withoutList(async (app, input, { host }) =>
      show({
        view: await app.upkeep.report(host.now() - input.since),
        text: render,
        json: documentOf,
        quiet: (view) => [String(view.done)],
      }),
    ),
  }),
];

function render(view: Report, look: Look): string {
  const { people } = view;
  const lines = [
    paint(look, 'strong', `${dateAndTime(view.from)} to ${dateAndTime(view.to)}`),
    `${count(view.done, 'task')} done (${view.done_per_week} a week), ${view.failed} failed, ${view.cancelled} cancelled`,
    `open to done: ${spreadWords(view.open_to_done)}`,
    `ready to done: ${spreadWords(view.ready_to_done)}`,
    `claim to done: ${spreadWords(view.claim_to_done)}`,
    ...(view.lag.count > 0 ? [`from what happens to the list: ${lagWords(view.lag)}`] : []),
    ...(view.first_attempt_rate === null ? [] : [`at the first attempt: ${percent(view.first_attempt_rate)}`]),
    `used by agents: ${spentWords(view.spent)}`,
    `people: ${count(people.edits, 'save')} of the list, ${count(people.approvals, 'approval')}, ${count(people.answers, 'answer')}, ` +
      `${people.retries} tried again (${people.touches_per_week} a week); ${count(view.refused, 'request')} refused`,
    ...waitedLines(people),
    `filed: ${count(view.duplicates.filed, 'task')}, ${view.duplicates.doubled} with words that were there already`,
  ];
  const agents = table(
    [
      { header: 'agent', shrinksTo: 10 },
      { header: 'done', align: 'right' },
      { header: 'failed', align: 'right' },
      { header: 'given back', align: 'right' },
      { header: 'at first', align: 'right' },
      { header: 'inferred', align: 'right' },
      { header: 'median', align: 'right' },
      { header: 'used' },
    ],
    view.agents.map((each) => [
      { text: each.agent, tone: 'name' },
      { text: String(each.done), tone: 'good' },
      { text: String(each.failed) },
      { text: String(each.returned) },
      { text: percent(each.first_attempt_rate) },
      { text: percent(each.inferred_rate) },
      { text: timeWords(each.claim_to_done.median_ms) },
      { text: spentWords(each.spent) },
    ]),
    look,
  );
  const estimates = table(
    [
      { header: 'task' },
      { header: 'title', shrinksTo: 20 },
      { header: 'estimate', align: 'right' },
      { header: 'took', align: 'right' },
      { header: 'agents', align: 'right' },
    ],
    view.estimates.map((each) => [
      { text: each.id, tone: 'name' },
      { text: each.title },
      { text: timeWords(each.estimate_ms) },
      { text: timeWords(each.claim_to_done_ms) },
      { text: timeWords(each.agent_ms) },
    ]),
    look,
  );
  const parts = [
    lines,
    ...(view.agents.length > 0 ? [agents] : []),
    ...(view.estimates.length > 0 ? [estimates] : []),
    ['Not known:', ...view.not_known.flatMap((each) => wrap(each, look, '- ', '  '))].map((line) => paint(look, 'faint', line)),
  ];
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

const WAITS = [
  ['approvals', 'approval_waited'],
  ['answers', 'answer_waited'],
  ['failed tasks', 'retry_waited'],
] as const;

const waitedLines = (people: Report['people']): string[] =>
  WAITS.flatMap(([what, key]) => (people[key].count > 0 ? [`  ${what} were waited for: ${spreadWords(people[key])}`] : []));

const percent = (rate: number | null): string => (rate === null ? '-' : `${Math.round(rate * 100)} %`);
const lagWords = ({ median_ms: median, p90_ms: p90, count: of }: Spread): string => `${median} ms at the median, ${p90} ms for nine of ten (of ${of})`;
const timeWords = (ms: number | null): string => (ms === null ? '-' : elapsed(ms));
const spreadWords = ({ count: of, median_ms: median, p90_ms: p90 }: Spread): string =>
  of === 0 ? 'not known of any' : `${timeWords(median)} at the median, ${timeWords(p90)} for nine of ten (of ${of})`;
const spentWords = ({ tokens, cost_usd: cost, ms }: SpentFigures): string =>
  [`${tokens} tokens`, ...(cost > 0 ? [`$${cost.toFixed(2)}`] : []), elapsed(ms)].join(', ');
