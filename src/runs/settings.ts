/**
 * What the choice needs to know of agents: facts handed in, never looked up here.
 */
import type { Step } from './run.ts';

export type AgentChoice = {
  readonly name: string;
  readonly installed: boolean;
  /** Why not, and what to do. */
  readonly problem?: string;
  /** `script` takes only tasks with something to run. */
  readonly takes: 'anything' | 'runnable';
  /** Its phases; an agent without a model only implements. */
  readonly steps: readonly Step[];
  /** Whether another attempt can learn from the evidence of the last one. */
  readonly learns: boolean;
};
