/**
 * Which agent and model a task goes to (5.3-R1): its tag, its section's, the config's, else the first one installed
 * that can take it. Never looks whether a program exists; that is a fact handed in.
 */
import type { Config } from '../config.ts';
import type { Task } from '../tasks/task.ts';
import { laneOf, tagsOf, tagValue } from '../tasks/find.ts';
import type { Run, Step } from './run.ts';
import { runnableOf } from './runnable.ts';
import type { AgentChoice } from './settings.ts';
import { type Stuck, stuckFor } from './stuck.ts';
import type { Draft } from './world.ts';

type Setting = { readonly draft: Draft; readonly config: Config; readonly now: number };

export type Picked = {
  readonly kind: 'picked';
  readonly agent: string;
  readonly model: string | undefined;
  readonly steps: readonly Step[];
  readonly looks?: Run['looks'];
};
/** `until` = when it is looked at again by itself. */
export type NotPicked = { readonly kind: 'none'; readonly message: string; readonly remedy: string; readonly until?: number };

/** Names that mean an agent also where none of that name is configured. */
export const AGENT_NAMES: readonly string[] = ['claude', 'codex', 'gemini', 'opencode', 'acp', 'script'];
const MODEL_TAGS: readonly string[] = ['opus', 'sonnet', 'haiku'];
const WORKFLOWS: Readonly<Record<string, readonly Step[]>> = { default: ['plan', 'implement', 'update'], quick: ['implement'] };

/** `id` = the task's, if it is known by one. */
export function pickAgent(scene: Setting, task: Task, id: string | undefined): Picked | NotPicked {
  const { agents } = scene.draft.world;
  const stuck = (agent: AgentChoice): Stuck | undefined => stuckFor(scene.draft, scene.config, agent.name, id, scene.now);
  const wanted = namedAgent(scene, task) ?? scene.config.agent;
  const able = wanted === undefined ? agents.filter((agent) => agent.installed && canTake(agent, task)) : agents.filter((agent) => agent.name === wanted);
  const found = able.find((agent) => !stuck(agent)) ?? able[0];
  if (!found)
    return wanted === undefined
      ? NO_AGENT
      : none(`agent ${wanted} is not known`, `define it under agents in the config, or use one of: ${agents.map((agent) => agent.name).join(', ')}`);
  if (!found.installed) return none(`agent ${found.name} is not installed`, found.problem ?? `install ${found.name}, or name another agent`);
  const waits = stuck(found);
  if (waits) return { ...none(`agent ${found.name} waits for you: ${waits.message}`, `put that right, then: todone retry ${waits.task}`), until: waits.until };
  if (!canTake(found, task))
    return none(`agent ${found.name} has nothing to run for this task`, 'add a field "run: <command>" or a sh block under the task, or name another agent');
  const looks = looksOf(task);
  if (looks && !found.steps.includes('plan'))
    return none(`agent ${found.name} cannot only look`, 'name an agent that plans, or delete the tag that asks for it');
  const steps = looks ? LOOKING : phasesOf(scene.config, task, found);
  return { kind: 'picked', agent: found.name, model: modelOf(scene.config, task), steps, ...(looks && { looks }) };
}

const LOOKING: readonly Step[] = ['plan'];

/** Whether a run of the task would only look: at a question (6.2-R1), or for the tasks that it is made of (5.1-R3). */
export function looksOf(task: Task): Run['looks'] {
  if (laneOf(task) === 'investigation') return 'investigate';
  return task.tags.some(({ key, value }) => key === 'workflow' && value === 'breakdown') ? 'breakdown' : undefined;
}

function namedAgent(scene: { readonly draft: Draft; readonly config: Config }, task: Task): string | undefined {
  const names = new Set([...AGENT_NAMES, ...Object.keys(scene.config.agents)]);
  return tagsOf(task).find((tag) => tag.value === undefined && names.has(tag.key))?.key;
}

function modelOf(config: Config, task: Task): string | undefined {
  for (const tag of tagsOf(task)) {
    if (tag.key === 'model' && tag.value !== undefined) return config.models[tag.value] ?? tag.value;
    if (tag.value === undefined && Object.hasOwn(config.models, tag.key)) return config.models[tag.key];
    if (tag.value === undefined && MODEL_TAGS.includes(tag.key)) return tag.key;
  }
  return undefined;
}

function phasesOf(config: Config, task: Task, agent: AgentChoice): readonly Step[] {
  const named = tagValue(task, 'workflow');
  const name = tagValue(task, 'quick') !== undefined ? 'quick' : typeof named === 'string' ? named : config.workflow;
  const phases = config.workflows[name] ?? WORKFLOWS[name] ?? WORKFLOWS['default'] ?? [];
  return phases.filter((phase) => agent.steps.includes(phase));
}

const canTake = (agent: AgentChoice, task: Task): boolean => agent.takes === 'anything' || runnableOf(task) !== undefined;

const none = (message: string, remedy: string): NotPicked => ({ kind: 'none', message, remedy });

const NO_AGENT = none('no agent: install one or set `agent`', 'install a coding agent, set agent in the config, or give the task something to run');
