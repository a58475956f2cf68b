/**
 * The story of a task, one function per step in the order of the line (DESIGN). Each looks first whether it has already
 * happened, and answers with an end; what follows an end is not decided here. `claim` and `settle` are list edits.
 */
import { isPhase } from '../runs/lifecycle.ts';
import { newId } from '../runs/new-id.ts';
import type { End, Found, FoundTask, Run, Step } from '../runs/run.ts';
import { type Doing, orderOf, verifyOf } from './doing.ts';
import { landingOrder } from './land.ts';
import type { PhaseEnd, PromptName } from './ports.ts';
import { shortageIn } from '../runs/shortage.ts';

/** How often a person's work in the way is looked at again. */
const BUSY_RETRY_MS = 5000;
/** Most of a diff that an agent is shown. */
const DIFF_CHARS_MAX = 100_000;

/** Performs the step that a run stands at. Never throws for what the outside does. */
export async function perform(run: Run, doing: Doing): Promise<End> {
  try {
    if (run.step === 'prepare') return await prepare(run, doing);
    if (run.step === 'land') return await doing.queue.land(run, doing);
    if (isPhase(run.step)) return await phase(run, run.step, doing);
    throw new Error(`a run cannot be performed at ${run.step}`);
  } catch (error) {
    // No task is to blame for a full disk: it waits for as long as that lasts.
    const patient = shortageIn(error) !== undefined;
    return { kind: 'transient', reason: 'setup_failed', message: `${run.step}: ${error instanceof Error ? error.message : String(error)}`, patient };
  }
}

async function prepare(run: Run, doing: Doing): Promise<End> {
  const proof = run.from === 'in_progress' ? await doing.landing.proof(run.section, run.id) : undefined;
  if (proof) return { kind: 'done', found: proof };
  const prepared = await doing.workspaces.prepare(orderOf(run), run.found.kept, doing.signal);
  switch (prepared.kind) {
    case 'ready':
      return { kind: 'done', found: { workspace: prepared.workspace, start: prepared.start, port: prepared.port, notes: prepared.notes } };
    case 'busy':
      return {
        kind: 'transient',
        reason: 'setup_failed',
        message: prepared.message,
        retryAt: doing.clock.now() + BUSY_RETRY_MS,
        patient: true,
        workspaceBusy: true,
      };
    case 'failed':
      return prepared.transient
        ? { kind: 'transient', reason: 'setup_failed', message: prepared.message, patient: shortageIn(prepared.message) !== undefined }
        : { kind: 'final', reason: 'setup_failed', message: prepared.message };
  }
}

async function phase(run: Run, step: 'plan' | 'implement' | 'update', doing: Doing): Promise<End> {
  const { workspace, start } = run.found;
  if (workspace === undefined || start === undefined) return { kind: 'final', reason: 'lost', message: 'the run has no workspace' };
  const readOnly = step === 'plan';
  if (hasWork(run)) await doing.workspaces.snapshot(orderOf(run), `before-${step}`, workspace, start);
  const done = await doing.agents.run(
    {
      ...orderOf(run),
      step,
      workspace,
      start,
      port: run.found.port ?? 0,
      agent: run.agent,
      model: run.model,
      prompt: await promptFor(run, step, workspace, start, doing),
      task: run.task,
      session: run.found.session,
      sessionUsage: run.found.sessionUsage,
      readOnly,
      plan: run.found.plan,
      allowance: doing.allowance,
      limitMs: doing.prompts.limitMs(run.looks ?? step) ?? doing.config.limits.phase,
    },
    doing.activity,
    doing.signal,
  );
  if (doing.signal.aborted) return stopped(run, step, workspace, start, doing);
  if (done.end.kind !== 'done') return keepWork(run, step, done, workspace, start, doing);
  if (readOnly) return undoPlanChanges(run, done, workspace, start, doing);
  const end = judge(run, step, done, doing);
  return (step === 'implement' ? await earlyConflict(run, end, doing) : undefined) ?? end;
}

/** What others have landed meanwhile is met now, and not after the rest of the phases and `verify`. */
async function earlyConflict(run: Run, end: End, doing: Doing): Promise<End | undefined> {
  const outcome = end.kind === 'done' ? end.found?.outcome : 'failed';
  const order = run.steps.includes('update') && (outcome === 'done' || outcome === undefined) ? landingOrder(run) : undefined;
  const conflict = order && (await doing.landing.preflight(order));
  if (!conflict || end.kind !== 'done') return undefined;
  const { message, evidence, start, kept } = conflict;
  return { kind: 'rework', reason: 'conflict', message, evidence, found: { ...end.found, start, kept } };
}

/** Whether the workspace may hold something of this run already. */
const hasWork = (run: Run): boolean => run.attempt > 1 || run.reworks > 0 || run.tries > 0 || run.step === 'update' || run.found.kept !== undefined;

function promptOf(run: Run, step: Step & PromptName): PromptName {
  if (run.looks) return run.looks;
  return step === 'implement' && run.sentBack === 'conflict' ? 'resolve' : step;
}

async function promptFor(run: Run, step: Step & PromptName, workspace: string, start: string, doing: Doing): Promise<string> {
  const diff = step === 'update' ? await doing.workspaces.diff(workspace, start, DIFF_CHARS_MAX) : undefined;
  const { task, found } = run;
  return doing.prompts.fill(promptOf(run, step), {
    id: run.id,
    section: run.section,
    title: task.title,
    task: [task.text, task.details, ...task.notes.map((note) => `> ${note}`)].filter((part) => part !== '').join('\n'),
    tags: task.tags.join(' '),
    plan: found.plan ?? '',
    diff: diff?.text ?? '',
    evidence: run.evidence ?? '',
    attempt: String(run.attempt),
    attempts: String(doing.config.attempts),
    worktree: workspace,
    verify: verifyOf(run, doing.config) ?? '',
  });
}

/** Plans change nothing: what one did is kept in a snapshot, undone and noted (5.1-R2). */
async function undoPlanChanges(run: Run, done: PhaseEnd, workspace: string, start: string, doing: Doing): Promise<End> {
  const kept = await doing.workspaces.snapshot(orderOf(run), 'plan', workspace, start);
  if (kept === undefined) return judge(run, 'plan', done, doing);
  await doing.workspaces.reset(orderOf(run), workspace, start);
  return judge(run, 'plan', { ...done, found: { ...done.found, notes: [...(done.found.notes ?? []), 'changes made while planning were undone'] } }, doing);
}

/** What the agent says of itself counts only where it says less than done. */
function judge(run: Run, step: Step, done: PhaseEnd, doing: Doing): End {
  const found = withPlan(step, done);
  switch (found.outcome) {
    case 'failed':
      return {
        kind: 'final',
        reason: 'agent_failed',
        message: found.summary ?? 'the agent says that it failed',
        evidence: `${found.summary ?? ''}\n${done.tail}`,
        found,
      };
    case 'needs_prerequisite':
    case 'needs_decision':
      return { kind: 'done', found: { ...found, asks: namedAsk(found, doing) } };
    case 'done':
    case 'no_change':
    case undefined:
      return { kind: 'done', found: run.looks === 'breakdown' ? { ...found, proposes: withIds(found.proposes ?? [], doing) } : found };
  }
}

/** The line of the task that waits has to name what it waits for. */
function namedAsk({ asks }: Found, doing: Doing): Found['asks'] {
  if (asks?.kind !== 'prerequisite') return asks;
  return { ...asks, tasks: withIds(asks.tasks, doing) };
}

function withIds(tasks: readonly FoundTask[], doing: Doing): readonly FoundTask[] {
  const taken = new Set<string>();
  return tasks.map((task) => {
    const id = newId(doing.random, (each) => taken.has(each));
    taken.add(id);
    return { ...task, id };
  });
}

/** A plan is what the agent wrote as its plan, else what it printed. */
function withPlan(step: Step, done: PhaseEnd): Found {
  return step === 'plan' && done.found.plan === undefined ? { ...done.found, plan: done.tail } : done.found;
}

async function keepWork(run: Run, step: Step, done: PhaseEnd, workspace: string, start: string, doing: Doing): Promise<End> {
  const kept = await doing.workspaces.snapshot(orderOf(run), step, workspace, start);
  const { end } = done;
  const found = { ...done.found, kept: kept ?? run.found.kept };
  if (end.kind === 'final') return { ...end, evidence: end.evidence ?? done.tail, found: { ...end.found, ...found } };
  return end.kind === 'rework' || end.kind === 'transient' ? { ...end, found: { ...end.found, ...found } } : end;
}

async function stopped(run: Run, step: Step, workspace: string, start: string, doing: Doing): Promise<End> {
  await doing.agents.sweep(run.id);
  const kept = await doing.workspaces.snapshot(orderOf(run), step, workspace, start);
  return { kind: 'final', reason: 'cancelled', message: 'stopped', found: { kept: kept ?? run.found.kept } };
}
