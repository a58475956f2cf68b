/** Scenes for tests of the choice: a list as text, a world, a config. */
import { defaultConfig, type Config } from '../../src/config.ts';
import type { Scene } from '../../src/runs/choose.ts';
import type { AgentChoice } from '../../src/runs/settings.ts';
import { draftOf, emptyWorld, type World } from '../../src/runs/world.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Problem } from '../../src/tasks/task.ts';

export const AGENTS: readonly AgentChoice[] = [
  { name: 'claude', installed: false, problem: 'install Claude Code', takes: 'anything', steps: ['plan', 'implement', 'update'], learns: true },
  { name: 'fake', installed: true, takes: 'anything', steps: ['plan', 'implement', 'update'], learns: true },
  { name: 'script', installed: true, takes: 'runnable', steps: ['implement'], learns: false },
];

export function sceneOf(
  text: string,
  more: { readonly config?: Partial<Config>; readonly world?: (world: World) => void; readonly now?: number; readonly problems?: readonly Problem[] } = {},
): Scene {
  const world = emptyWorld();
  world.agents = AGENTS;
  world.list = { kind: 'fine' };
  more.world?.(world);
  return {
    board: parse(text, defaultParseOptions),
    draft: draftOf(world),
    config: { ...defaultConfig, maxAgents: 100, agents: {}, ...more.config },
    now: more.now ?? 0,
    problems: more.problems ?? [],
    instance: 'me',
  };
}
