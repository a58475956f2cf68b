/**
 * The list checked against what is known beside it: which ids exist, which agents, models and workflows there are. One place for
 * the engine and for every surface that reads.
 */
import type { Config } from '../config.ts';
import { check } from '../tasks/check.ts';
import type { Board, Problem } from '../tasks/task.ts';
import { AGENT_NAMES } from './pick-agent.ts';
import { stateElsewhere, type World } from './world.ts';

export function problemsOf(board: Board, world: World, config: Config): readonly Problem[] {
  return check(board, {
    stateOf: (id) => stateElsewhere({ world }, id),
    owns: (id, task) => world.known.get(id)?.text === task.text,
    agents: [...new Set([...AGENT_NAMES, ...Object.keys(config.agents)])],
    models: Object.keys(config.models),
    workflows: ['default', 'quick', 'breakdown', ...Object.keys(config.workflows)],
    granularity: config.granularity,
    workers: config.workers,
  });
}
