/**
 * The life of a run (SPEC 2): one total state machine. `advance` answers every end of every step; the tables say what
 * follows which reason. It never looks at the list: what a person wants is `steer.ts`.
 */
import type { Config } from '../config.ts';
import type { End, Ending, Found, Reason, Run, Step, Usage } from './run.ts';
import { STEPS } from './run.ts';

/** What follows a final end (2-R6). */
type Rule = {
  /** `attempt`: the next attempt, from `from`, if the agent can learn from the evidence. `never`: a person decides. */
  readonly retry: 'attempt' | 'always' | 'never';
  readonly from: Step;
  /** Waits the backoff before it goes on. */
  readonly waits: boolean;
};

export const ENDS: Readonly<Record<Reason, Rule>> = {
  landed: { retry: 'never', from: 'settle', waits: false },
  no_change: { retry: 'attempt', from: 'implement', waits: false },
  agent_failed: { retry: 'attempt', from: 'implement', waits: false },
  verify_failed: { retry: 'attempt', from: 'implement', waits: false },
  conflict: { retry: 'never', from: 'prepare', waits: false },
  timeout: { retry: 'attempt', from: 'implement', waits: false },
  stalled: { retry: 'attempt', from: 'implement', waits: false },
  no_progress: { retry: 'never', from: 'implement', waits: false },
  limit: { retry: 'always', from: 'implement', waits: true },
  budget: { retry: 'never', from: 'implement', waits: false },
  cancelled: { retry: 'never', from: 'prepare', waits: false },
  closed: { retry: 'never', from: 'settle', waits: false },
  setup_failed: { retry: 'always', from: 'prepare', waits: true },
  refused: { retry: 'attempt', from: 'implement', waits: false },
  lost: { retry: 'always', from: 'prepare', waits: false },
};

/** A conflict or a red check goes back to the agent at most this often in one attempt (4-R7). */
export const REWORKS_MAX = 2;

export type Policy = {
  readonly attempts: Config['attempts'];
  readonly backoff: Config['backoff'];
  /** Whether the agent reads the evidence of its last attempt. */
  readonly learns: boolean;
  readonly now: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
};

/** The run after one of its steps ended. A run at `settle` has its `outcome`. */
export function advance(run: Run, end: End, policy: Policy): Run {
  switch (end.kind) {
    case 'done':
      return afterDone(withFound(run, end.found));
    case 'refused':
      return settle(run, { state: 'keep', reason: 'lost', message: end.message });
    case 'transient':
      return end.patient || run.tries + 1 < policy.attempts
        ? again(run, end, policy)
        : settle(withFound(run, end.found), failed(end.reason, `failed in ${run.step}: ${end.message} (${run.tries + 1} tries)`));
    case 'rework':
      return run.reworks < REWORKS_MAX && (policy.learns || end.reason === 'conflict')
        ? sentBack(withFound(run, end.found), end, policy)
        : nextAttempt(withFound(run, end.found), end.reason, end.message, end.evidence, policy);
    case 'final':
      return end.person
        ? settle(withFound(run, end.found), failed(end.reason, `failed in ${run.step}: ${end.message}`))
        : nextAttempt(withFound(run, end.found), end.reason, end.message, end.evidence, policy);
  }
}

/** The run at a step, begun anew: a new ticket, so that nothing late can answer for it. */
export const begin = (run: Run, step: Step): Run => ({ ...run, step, ticket: run.ticket + 1, tries: 0, waitUntil: undefined });

/** The run at its last step. */
export const settle = (run: Run, outcome: Ending): Run => ({ ...run, step: 'settle', outcome, waitUntil: undefined });

/** The steps of a workflow, ours around the agent's. */
export function stepsOf(phases: readonly Step[]): readonly Step[] {
  return STEPS.filter((step) => !isPhase(step) || phases.includes(step));
}

export const isPhase = (step: Step): step is 'plan' | 'implement' | 'update' => step === 'plan' || step === 'implement' || step === 'update';

function afterDone(run: Run): Run {
  // A commit found while preparing: an earlier run had landed it, and only its journal is lost.
  const landed = run.step === 'land' || (run.step === 'prepare' && run.found.commit !== undefined);
  if (landed) return settle(run, { state: 'done', reason: 'landed', message: '' });
  if (run.looks && run.step === 'plan')
    return settle(run, { state: 'open', reason: 'refused', message: run.looks === 'breakdown' ? 'broken down' : 'needs_decision' });
  const asked = run.found.outcome;
  if (isPhase(run.step) && (asked === 'needs_prerequisite' || asked === 'needs_decision')) {
    return settle(run, { state: 'open', reason: 'refused', message: asked });
  }
  const next = run.steps[run.steps.indexOf(run.step) + 1];
  return { ...run, step: next ?? 'settle', tries: 0, waitUntil: undefined };
}

/** To the same session with both sides; an agent without a mind does its work again on what landed first. */
function sentBack(run: Run, end: Extract<End, { kind: 'rework' }>, policy: Policy): Run {
  const back = { ...run, reworks: run.reworks + 1, evidence: end.evidence, sentBack: end.reason };
  return policy.learns ? begin(back, 'implement') : begin({ ...back, found: { ...run.found, kept: undefined, start: undefined } }, 'prepare');
}

function again(run: Run, end: Extract<End, { kind: 'transient' }>, policy: Policy): Run {
  const waitUntil = end.retryAt ?? policy.now + backoffMs(run.tries, policy);
  return { ...withFound(run, end.found), ticket: run.ticket + 1, tries: run.tries + 1, waitUntil, waitFrom: policy.now, evidence: end.message };
}

function nextAttempt(run: Run, reason: Reason, message: string, evidence: string | undefined, policy: Policy): Run {
  const rule = ENDS[reason];
  const may = rule.retry === 'always' || (rule.retry === 'attempt' && policy.learns);
  const at = run.step;
  if (!may || run.attempt >= policy.attempts) return settle(run, failed(reason, describe(at, message, run.attempt, may ? policy.attempts : run.attempt)));
  const from = run.steps.includes(rule.from) ? rule.from : 'prepare';
  const next = { ...begin(run, from), attempt: run.attempt + 1, reworks: 0, sentBack: undefined, evidence: evidence ?? message };
  return rule.waits ? { ...next, waitUntil: policy.now + backoffMs(run.attempt - 1, policy), waitFrom: policy.now } : next;
}

const failed = (reason: Reason, message: string): Ending => ({ state: 'failed', reason, message });

const describe = (step: Step, message: string, attempt: number, attempts: number): string =>
  `failed in ${step}: ${message} (attempt ${attempt} of ${attempts})`;

/** Doubled each time, with full jitter above half of it. */
function backoffMs(tries: number, policy: Policy): number {
  const whole = Math.min(policy.backoff.max, policy.backoff.first * 2 ** Math.min(tries, 30));
  return Math.round(whole / 2 + (whole / 2) * policy.random());
}

function withFound(run: Run, found: Found | undefined): Run {
  if (!found) return run;
  const notes = [...(run.found.notes ?? []), ...(found.notes ?? [])].slice(-NOTES_MAX);
  const usage = found.usage ? added(run.found.usage, found.usage) : run.found.usage;
  return { ...run, found: { ...run.found, ...found, ...(notes.length > 0 ? { notes } : {}), ...(usage ? { usage } : {}) } };
}

const added = (before: Usage | undefined, more: Usage): Usage => ({
  inputTokens: (before?.inputTokens ?? 0) + more.inputTokens,
  outputTokens: (before?.outputTokens ?? 0) + more.outputTokens,
  costUsd: (before?.costUsd ?? 0) + more.costUsd,
});

const NOTES_MAX = 20;
