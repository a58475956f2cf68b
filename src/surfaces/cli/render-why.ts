/**
 * Why a task does not start, or what it is doing (3-R6): the rule, what holds it, what would free it. Pure.
 */
import type { ErrandView, TaskView } from '../../runs/view.ts';
import { errandLines } from './render-errand.ts';
import { type Look, paint, wrap } from './layout.ts';
import { nameOf, type RunLine } from './status.ts';
import { elapsed, timeOfDay, usageWords } from './words.ts';

export type WhyFacts = {
  readonly list: string;
  readonly task: TaskView;
  readonly run: RunLine | null;
  /** Attempts that a task has before it fails. */
  readonly attempts_max: number;
  /** Where git shows that it is done; null = it does not, or it is not done. */
  readonly proof: { readonly commit: string; readonly hash: string } | null;
  readonly branch: string;
  readonly owned: boolean;
  /** What was done for its section's branch, or waits to be. */
  readonly errands: readonly ErrandView[];
};

export function renderWhy(facts: WhyFacts, look: Look): string {
  const { task } = facts;
  const head = [
    ...wrap(task.title, look).map((line) => paint(look, 'strong', line)),
    paint(look, 'faint', `${nameOf(task)}  ${facts.list}:${task.line}  section ${task.section === '' ? '(none)' : task.section}`),
    '',
  ];
  const unfinished = facts.errands.filter(({ state }) => state !== 'done').flatMap((errand) => ['', ...errandLines(errand, look, '')]);
  return `${[...head, ...verdict(facts, look), ...unfinished].join('\n')}\n`;
}

function verdict(facts: WhyFacts, look: Look): string[] {
  if (facts.run) return running(facts.run, facts, look);
  if (facts.task.status === 'done') return done(facts, look);
  const { reason } = facts.task;
  if (!reason) return [paint(look, 'good', facts.owned ? 'It may start now: ToDone takes it at its next look.' : 'It may start now: todone start takes it.')];
  const tone = facts.task.status === 'failed' ? 'bad' : 'warn';
  const until =
    reason.until === undefined || reason.until <= look.now ? [] : [`by itself   in ${elapsed(reason.until - look.now)}, at ${timeOfDay(reason.until)}`];
  return [...labelled('because', reason.message, look, tone), ...labelled('rule', reason.rule, look), ...labelled('to free it', reason.remedy, look), ...until];
}

function running(run: RunLine, facts: WhyFacts, look: Look): string[] {
  const usage = usageWords({ inputTokens: run.tokens ?? 0, outputTokens: 0, costUsd: run.cost_usd ?? 0 });
  const waits = facts.owned && run.wait_until !== null && run.wait_until > look.now;
  return [
    ...labelled('because', facts.task.reason?.message ?? 'it is being worked on', look, 'busy'),
    ...labelled('step', waits ? `${run.step}, again in ${elapsed((run.wait_until ?? 0) - look.now)}` : run.step, look),
    ...labelled('agent', run.model === null ? run.agent : `${run.agent}/${run.model}`, look),
    ...labelled('elapsed', elapsed(look.now - run.started_at), look),
    ...labelled('attempt', `${run.attempt} of ${facts.attempts_max}`, look),
    ...(run.last === null ? [] : labelled('last', run.last.split('\n')[0] ?? '', look)),
    ...(usage === '' ? [] : labelled('used', usage, look)),
    ...(run.changed ? labelled('note', 'its text was changed after it started: the next phase gets the new one', look) : []),
    ...(run.workspace === null ? [] : labelled('workspace', run.workspace, look)),
    ...(facts.owned ? [] : labelled('to free it', facts.task.reason?.remedy ?? 'todone start', look)),
    ...labelled('to stop it', `todone stop ${run.id}, or set [❌] on its line`, look),
  ];
}

function done({ task, proof, branch }: WhyFacts, look: Look): string[] {
  const hash = task.hash !== null && task.hash !== '-' ? task.hash : undefined;
  const shown = proof
    ? labelled('proof', `commit ${proof.commit}${hash !== undefined && !proof.commit.startsWith(hash) ? `, which took the place of ${hash}` : ''}`, look)
    : labelled(
        'proof',
        hash === undefined ? 'none: it was marked as done by hand' : `none: git does not show ${hash} on ${branch} or on the base`,
        look,
        'warn',
      );
  return [...labelled('because', 'it is done', look, 'good'), ...shown, ...labelled('to redo it', 'add {redo} and set [] on its line', look)];
}

const LABEL_WIDTH = 12;

function labelled(label: string, text: string, look: Look, tone: Parameters<typeof paint>[1] = 'plain'): string[] {
  const [first = '', ...rest] = wrap(text, look, ' '.repeat(LABEL_WIDTH));
  return [
    `${label.padEnd(LABEL_WIDTH)}${paint(look, tone, first.trimStart())}`,
    ...rest.map((line) => `${' '.repeat(LABEL_WIDTH)}${paint(look, tone, line.trimStart())}`),
  ];
}

/** For --quiet: one word. */
export const whyWord = (facts: WhyFacts): string => (facts.run ? 'running' : facts.task.status === 'done' ? 'done' : (facts.task.reason?.code ?? 'ready'));
