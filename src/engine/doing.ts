/**
 * What a step is performed with, and what every step needs of its run. Performs nothing itself.
 */
import type { Config } from '../config.ts';
import type { allowance } from '../runs/govern.ts';
import type { Run } from '../runs/run.ts';
import type { LandingQueue } from './landing-queue.ts';
import type { AgentEvent, Agents, Clock, LandHooks, Landing, Prompts, Verify, WorkOrder, Workspaces } from './ports.ts';

export type Doing = {
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  readonly landing: Landing;
  readonly agents: Agents;
  readonly verify: Verify;
  readonly landHooks: LandHooks;
  readonly prompts: Prompts;
  readonly config: Config;
  readonly queue: LandingQueue;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly activity: (event: AgentEvent) => void;
  /** What its budgets leave to the step. */
  readonly allowance: ReturnType<typeof allowance>;
};

export const orderOf = (run: Run): WorkOrder => ({ id: run.id, ticket: run.ticket, attempt: run.attempt, section: run.section, slot: run.workspaceSlot });

/** The check of a task: its own field, else a tag of its section (`{verify:npm test}`), else the config's (4-R9). */
export function verifyOf(run: Run, config: Config): string | undefined {
  const own = run.task.fields.find((field) => field.key === 'verify')?.value;
  const tag = run.task.tags.flatMap((each) => VERIFY_TAG.exec(each)?.[1] ?? [])[0];
  // One that is empty says nothing.
  return own?.trim() || tag || config.verify;
}

/** As typed, also in the other spelling: `[verify:: npm test]`. */
const VERIFY_TAG = /^verify::?\s*(.*\S)/i;
