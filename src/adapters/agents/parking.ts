/**
 * Agents that are not to be bothered for a while: those that need a person first, and those whose client waits out a limit by itself.
 */
import type { Config } from '../../config.ts';
import type { AgentEvent, AgentInfo, Clock } from '../../engine/ports.ts';
import { isProgress } from './seen.ts';

/** How long an agent that needs a person is left alone. */
const PARKED_MS = 10 * 60_000;

/** Agents that cannot be used until a person has done something: no other task is spent on them, until some time has passed or the config changed. */
export function parking(clock: Clock) {
  const parked = new Map<string, { readonly message: string; readonly until: number; readonly agents: string }>();
  return {
    park: (name: string, message: string, config: Config): void =>
      void parked.set(name, { message, until: clock.ticks() + PARKED_MS, agents: JSON.stringify(config.agents) }),
    seen(agent: AgentInfo, config: Config): AgentInfo {
      const found = parked.get(agent.name);
      if (!found || found.until <= clock.ticks() || found.agents !== JSON.stringify(config.agents)) return agent;
      return { ...agent, installed: false, waitsForPerson: true, problem: found.message };
    },
  };
}

/** A client that waits out a limit by itself, for an hour if it must, holds a place that others could use. */
export function patienceWithLimits(clock: Clock, limitWaitMs: number, over: () => void): { see(event: AgentEvent): void; end(): void } {
  let cancel: (() => void) | undefined;
  const end = (): void => {
    cancel?.();
    cancel = undefined;
  };
  return {
    see(event) {
      if (event.kind === 'limit' && limitWaitMs > 0) cancel ??= clock.after(limitWaitMs, over);
      else if (isProgress(event)) end();
    },
    end,
  };
}
