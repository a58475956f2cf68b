/**
 * What a step is performed with, and what every step needs of its run. Performs nothing itself.
 */
import type { Config } from '../config.ts';
import type { Run } from '../runs/run.ts';
import type { AgentEvent, Agents, Clock, Landing, Prompts, Verify, WorkOrder, Workspaces } from './ports.ts';

export type Doing = {
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  readonly landing: Landing;
  readonly agents: Agents;
  readonly verify: Verify;
  readonly prompts: Prompts;
  readonly config: Config;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly activity: (event: AgentEvent) => void;
};

export const orderOf = (run: Run): WorkOrder => ({ id: run.id, ticket: run.ticket, attempt: run.attempt, section: run.section, slot: run.workspaceSlot });

export const fieldOf = (run: Run, key: string): string | undefined => run.task.fields.find((field) => field.key === key)?.value;
