/** A wall clock that is set back must not make anything wait for the time that it went back by. */
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { turn } from '../../src/runs/turn.ts';
import { apply, emptyWorld } from '../../src/runs/world.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { AGENTS } from './scene.ts';

const DAY_MS = 86_400_000;
const LIST = '## Git Worktree a\n[] x {script}\n  run: true\n';
const facts = (modifiedAt: number) => ({ gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: 'v', modifiedAt });

function worldAt(claimAfter: number) {
  const world = emptyWorld();
  world.agents = AGENTS;
  const board = parse(LIST, defaultParseOptions);
  const take = (event: Parameters<typeof turn>[1], now: number) => {
    const given = { board, problems: [], config: { ...defaultConfig, claimAfter }, instance: 'me', waits: false, now, random: () => 0.5 };
    const turned = turn(world, event, given);
    apply(turned.draft);
    return turned;
  };
  const read = (now: number, modifiedAt = now) => take({ kind: 'read', board, facts: facts(modifiedAt), torn: false, conflict: false, own: false }, now);
  return { world, take, read };
}

describe('a clock that goes back', () => {
  it('12-R1 a wait that had begun is counted from now, after a restart too', () => {
    const { world, take, read } = worldAt(0);
    const now = 10 * DAY_MS;
    read(now);
    const [claimed] = world.runs.values();
    if (!claimed) throw new Error('nothing was claimed');
    world.runs.set(claimed.id, { ...claimed, step: 'prepare' });
    take(
      {
        kind: 'ended',
        id: claimed.id,
        ticket: claimed.ticket,
        step: 'prepare',
        end: { kind: 'transient', reason: 'setup_failed', message: 'busy', retryAt: now + 5000, patient: true },
      },
      now,
    );
    expect(world.runs.get(claimed.id)?.waitUntil).toBe(now + 5000);
    const back = now - 2 * DAY_MS;
    expect(take({ kind: 'woke' }, back).wakeAt).toBe(back + 5000);
    expect(world.runs.get(claimed.id)?.waitUntil).toBe(back + 5000);
    expect(take({ kind: 'woke' }, back + 5000).effects.map(({ kind }) => kind)).toEqual(['perform']);
  });

  it('1.4-R10 a text that was typed before it is claimed after the same while; one of a file from the future, too', () => {
    const { world, take, read } = worldAt(2000);
    const now = 10 * DAY_MS;
    expect(read(now, now + DAY_MS).wakeAt).toBe(now + 2000);
    const back = now - DAY_MS;
    expect(take({ kind: 'woke' }, back).wakeAt).toBe(back + 2000);
    take({ kind: 'woke' }, back + 2000);
    expect(world.runs.size).toBe(1);
  });

  it('1.4-R7 what holds the list is counted from now', () => {
    const { world, take } = worldAt(0);
    world.list = { kind: 'rollback', since: 10 * DAY_MS, position: 'p' };
    expect(take({ kind: 'woke' }, DAY_MS).wakeAt).toBeLessThan(DAY_MS + 10_000);
  });
});
