/**
 * What ToDone writes into the list for a run: its claim, its outcome, a marker put right. As values; nothing is written here.
 */
import type { Config } from '../config.ts';
import type { Edit, Marker, MarkerState, NewTask, Target, Task } from '../tasks/task.ts';
import { targetOf } from '../tasks/find.ts';
import type { Ending, FoundTask, Known, Run } from './run.ts';
import { type Draft, knownIn, runIn } from './world.ts';

/** How a request is answered once its edits stand on the list. */
export type Reply = {
  readonly number: number;
  readonly message: string;
  readonly shape: 'task' | 'tasks' | 'claim';
  /** The tasks that it speaks of, as they are then: by id, or by title where they have none. */
  readonly ids?: readonly string[];
  readonly titles?: readonly { readonly section: string; readonly title: string }[];
  readonly more?: Readonly<Record<string, unknown>>;
};

/** Edits that belong together, for one task. */
export type EditItem = {
  readonly purpose: 'claim' | 'settle' | 'mend' | 'ask' | 'upkeep';
  readonly id: string;
  readonly ticket: number;
  /** The first one decides what became of it. */
  readonly edits: readonly Edit[];
  /** Somebody waits for it: not held back to be written together with others. */
  readonly urgent: boolean;
  /** Somebody waits for an answer. */
  readonly reply?: Reply;
};

/** `[🟡 id]` on a line that still says what was chosen. */
export function claimEdit(run: Run): EditItem {
  const expect: MarkerState[] = [run.from];
  const claim: Edit = { kind: 'mark', target: targetFor(run), expect, fingerprint: run.fingerprint, marker: { state: 'in_progress', id: run.id } };
  return { purpose: 'claim', id: run.id, ticket: run.ticket, edits: [claim], urgent: true };
}

/** The outcome of a run, or undefined where the line stays as the person left it. */
export function settleEdits(run: Run, known: Known | undefined, config: Config): EditItem | undefined {
  const { outcome } = run;
  if (!outcome || outcome.state === 'keep') return undefined;
  const target = targetFor(run);
  const item = (edits: readonly Edit[]): EditItem => ({ purpose: 'settle', id: run.id, ticket: run.ticket, edits, urgent: false });
  if (run.outside) return item([outsideMark(run, target, outcome.state), ...outsideWords(run, target, outcome, known, config)]);
  if (outcome.state === 'done') return item([mark(target, { state: 'done', hash: run.found.hash ?? '-', id: run.id }), ...proposals(run)]);
  if (outcome.state === 'failed') return item([mark(target, { state: 'failed', id: run.id }), { kind: 'note', target, text: outcome.message }]);
  return item([mark(target, { state: 'open', id: run.id }), ...handBack(run, target, known, config)]);
}

/** Of a claim from outside the line may still be as it was: its claim was never written, or a person closes what nobody had. */
function outsideMark(run: Run, target: Target, state: MarkerState): Edit {
  const marker: Marker = state === 'done' ? { state, hash: run.found.hash ?? '-', id: run.id } : { state, id: run.id };
  return { kind: 'mark', target, expect: [run.from, 'in_progress', 'failed', 'open', 'blocked'], marker };
}

function outsideWords(run: Run, target: Target, outcome: Ending, known: Known | undefined, config: Config): Edit[] {
  if (outcome.state === 'failed') return [{ kind: 'note', target, text: outcome.message }];
  return outcome.state === 'open' ? handBack(run, target, known, config) : [];
}

/** A marker that git took back, as it has to be (1.4-R7). */
export function mendEdit(draft: Draft, id: string, task: Task): EditItem | undefined {
  const known = knownIn(draft, id);
  if (!known) return undefined;
  const marker = markerOf(known, runIn(draft, id));
  const target = targetOf(task);
  const edit: Edit = { kind: 'mark', target, expect: [task.marker.state], marker };
  // The reason stood below it, and went with the marker.
  const note: Edit[] = marker.state === 'failed' && known.message ? [{ kind: 'note', target, text: known.message }] : [];
  return { purpose: 'mend', id, ticket: known.ticket, edits: [edit, ...note], urgent: false };
}

function markerOf(known: Known, run: Run | undefined): Marker {
  if (run && run.step !== 'settle') return { state: 'in_progress', id: known.id };
  return { state: known.state, id: known.id, ...(known.state === 'done' && known.hash !== undefined ? { hash: known.hash } : {}) };
}

/** What the agent asked for instead of finishing (5.2-R3, R4). */
function handBack(run: Run, target: Target, known: Known | undefined, config: Config): Edit[] {
  const { asks } = run.found;
  if (run.looks === 'breakdown' && asks?.kind !== 'decision') return brokenDown(run, target);
  if (run.looks === 'investigate') return investigated(run, target);
  if (!asks) return [];
  if (asks.kind === 'decision')
    return [
      { kind: 'note', target, text: `question: ${asks.question}` },
      { kind: 'addTag', target, key: 'decision' },
    ];
  // An agent that asks for something else each time is not let round for ever.
  const isAuto = config.handoff === 'auto' && (known?.attempts ?? 0) < config.attempts;
  const lane = isAuto ? [] : [{ key: 'triage' }];
  return asks.tasks.flatMap((task): Edit[] => [
    { kind: 'insert', where: { at: 'above', target }, task: filed(task, run, lane), once: true },
    { kind: 'addTag', target, key: 'after', value: task.id ?? '' },
  ]);
}

/** Findings are written under the task, and a person decides (6.2-R1). */
function investigated(run: Run, target: Target): Edit[] {
  const { asks, summary, plan } = run.found;
  const question = asks?.kind === 'decision' ? asks.question : undefined;
  const said = [summary, plan].map((words) => words?.trim() ?? '').find((words) => words !== '');
  const findings = (said ?? 'nothing was written down').slice(0, FINDINGS_CHARS_MAX);
  return [
    { kind: 'note', target, text: `findings: ${findings}${question === undefined || question === summary ? '' : `\nquestion: ${question}`}` },
    { kind: 'addTag', target, key: 'decision' },
  ];
}

const FINDINGS_CHARS_MAX = 10_000;

/** What it is made of is filed under one heading that a person approves (5.1-R3); it is done when those are. */
function brokenDown(run: Run, target: Target): Edit[] {
  const tasks = run.found.proposes ?? [];
  const off: Edit = { kind: 'removeTag', target, key: 'workflow' };
  if (tasks.length === 0)
    return [off, { kind: 'note', target, text: `no tasks were found in it: ${run.found.summary ?? ''}` }, { kind: 'addTag', target, key: 'decision' }];
  const ids = tasks.flatMap(({ id }) => id ?? []);
  return [
    off,
    { kind: 'addTag', target, key: 'epic' },
    { kind: 'addTag', target, key: 'after', value: ids.join(',') },
    {
      kind: 'addHeading',
      section: run.section,
      title: run.task.title,
      tags: [{ key: 'approval' }],
      tasks: tasks.map((task) => filed(task, run, [{ key: 'triage' }])),
    },
  ];
}

/** What an agent found besides its task waits for a person, at the end of its section (6.2-R2). */
const proposals = (run: Run): Edit[] =>
  (run.found.proposes ?? []).map((task): Edit => ({
    kind: 'insert',
    where: { at: 'end', section: run.section },
    task: filed(task, run, [{ key: 'triage' }]),
    once: true,
  }));

const filed = (task: FoundTask, run: Run, lane: NewTask['tags']): NewTask => ({
  state: 'open',
  title: task.title,
  tags: [...(task.id === undefined ? [] : [{ key: 'id', value: task.id }]), ...lane, { key: 'by', value: run.agent }],
  details: task.details,
});

function mark(target: Target, marker: Marker): Edit {
  // A person who set [❌] to stop it may have been overtaken by the end itself; where [] stands already, the line gets its id.
  const expect: MarkerState[] = marker.state === 'open' ? ['in_progress', 'failed', 'open'] : ['in_progress', 'failed'];
  return { kind: 'mark', target, expect, marker };
}

const targetFor = (run: Run): Target => ({ section: run.section, id: run.id, text: run.text, occurrence: run.occurrence });
