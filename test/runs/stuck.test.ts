/** Agents that wait for a person: which tasks they are kept from, and when that is over. */
import { expect, it } from 'vitest';
import { defaultAgent } from '../../src/config.ts';
import { pickAgent } from '../../src/runs/pick-agent.ts';
import type { End, Run } from '../../src/runs/run.ts';
import { allStuck, noteStuck } from '../../src/runs/stuck.ts';
import { AGENTS, sceneOf } from './scene.ts';

const NOT_LOGGED_IN: End = { kind: 'final', reason: 'setup_failed', message: 'not logged in', person: true };
const runOf = (step: Run['step']): Run => ({ id: 'm2c7r4ya', agent: 'fake', step }) as Run;

function scene(settings = defaultAgent) {
  const made = sceneOf('## Git Worktree a\n[] One\n', { config: { agents: { fake: settings } } });
  const [task] = made.board.sections[0]?.tasks ?? [];
  if (!task) throw new Error('no task');
  return { ...made, task };
}

it('5.3-R6 keeps an agent that waits for a person from every task but the one that found it out', () => {
  const at = scene();
  noteStuck(at.draft, runOf('implement'), NOT_LOGGED_IN, at.config, at.now);
  expect(pickAgent(at, at.task, undefined)).toMatchObject({ kind: 'none', message: expect.stringMatching(/fake waits for you: not logged in/) as string });
  expect(pickAgent(at, at.task, 'g1234567').kind).toBe('none');
  expect(pickAgent(at, at.task, 'm2c7r4ya')).toMatchObject({ kind: 'picked', agent: 'fake' });
});

it('5.3-R6 takes the next installed agent instead, where none is named', () => {
  const at = scene();
  at.draft.world.agents = [...AGENTS, { ...(AGENTS[1] as (typeof AGENTS)[number]), name: 'other' }];
  noteStuck(at.draft, runOf('plan'), NOT_LOGGED_IN, at.config, at.now);
  expect(pickAgent(at, at.task, undefined)).toMatchObject({ kind: 'picked', agent: 'other' });
});

it('5.3-R6 is over when the agent gets through, its config changes, or time has passed; and no setting is stored', () => {
  const at = scene({ ...defaultAgent, env: { KEY: 'hunter2hunter2' } });
  noteStuck(at.draft, runOf('implement'), NOT_LOGGED_IN, at.config, at.now);
  expect(allStuck(at.draft, at.config, at.now)).toMatchObject([{ agent: 'fake', task: 'm2c7r4ya', message: 'not logged in' }]);
  expect([...at.draft.meta.values()].join(' ')).not.toContain('hunter2');
  expect(allStuck(at.draft, { ...at.config, agents: { fake: defaultAgent } }, at.now)).toEqual([]);
  expect(allStuck(at.draft, at.config, at.now + 3_600_000)).toEqual([]);
  // Not what a step of ours came to.
  noteStuck(at.draft, runOf('prepare'), { kind: 'done' }, at.config, at.now);
  expect(allStuck(at.draft, at.config, at.now)).toHaveLength(1);
  noteStuck(at.draft, runOf('implement'), { kind: 'done' }, at.config, at.now);
  expect(allStuck(at.draft, at.config, at.now)).toEqual([]);
});

it('5.3-R6 says nothing of what failed without a person being needed', () => {
  const at = scene();
  noteStuck(at.draft, runOf('implement'), { kind: 'final', reason: 'agent_failed', message: 'it failed' }, at.config, at.now);
  expect(allStuck(at.draft, at.config, at.now)).toEqual([]);
});
