/**
 * Agents that cannot go on before a person has done something (5.3-R6): a login, a model that there is not. What one task found out is kept in
 * the journal, so that no other task is spent on it, and every process can say so. Over when that task, tried again, gets through, when the
 * agent's config changes, or after a while.
 */
import type { Config } from '../config.ts';
import { hashText } from '../tasks/hash.ts';
import { isPhase } from './lifecycle.ts';
import type { End, Run } from './run.ts';
import { type Draft, metaIn } from './world.ts';

/** `task` = the id of the task that found it out. `until` = ms since 1970. */
export type Stuck = { readonly agent: string; readonly task: string; readonly message: string; readonly until: number };

/** After so long another task may find out whether it works again. */
const STUCK_MS = 30 * 60_000;
const STUCK = 'stuck:';

/** By the end of an agent's phase: it waits for a person, or it got through. */
export function noteStuck(draft: Draft, run: Run, end: End, config: Config, now: number): void {
  if (!isPhase(run.step)) return;
  const key = STUCK + run.agent;
  if (end.kind === 'final' && end.person)
    draft.meta.set(key, JSON.stringify({ task: run.id, message: end.message, until: now + STUCK_MS, config: settingsOf(config, run.agent) }));
  else if (end.kind === 'done' && metaIn(draft, key) !== undefined) draft.meta.set(key, null);
}

/** Undefined for the task that found it out: where that one may start again, a person has said so. */
export function stuckFor(draft: Draft, config: Config, agent: string, task: string | undefined, now: number): Stuck | undefined {
  const found = readStuck(draft, config, agent, now);
  return found?.task === task ? undefined : found;
}

/** Every agent that waits for a person. */
export function allStuck(draft: Draft, config: Config, now: number): Stuck[] {
  const keys = new Set([...draft.world.meta.keys(), ...draft.meta.keys()].filter((key) => key.startsWith(STUCK)));
  return [...keys].flatMap((key) => readStuck(draft, config, key.slice(STUCK.length), now) ?? []);
}

function readStuck(draft: Draft, config: Config, agent: string, now: number): Stuck | undefined {
  const row = metaIn(draft, STUCK + agent);
  if (row === undefined) return undefined;
  const { task, message, until, config: settings } = JSON.parse(row) as Stuck & { readonly config: string };
  return until > now && settings === settingsOf(config, agent) ? { agent, task, message, until } : undefined;
}

/** Told apart, and never written down: they may hold keys. */
const settingsOf = (config: Config, agent: string): string => hashText(JSON.stringify(Object.hasOwn(config.agents, agent) ? config.agents[agent] : {}));
