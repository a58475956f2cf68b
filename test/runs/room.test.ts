import { describe, expect, it } from 'vitest';
import { choose, reasons, type Scene } from '../../src/runs/choose.ts';
import type { Config } from '../../src/config.ts';
import { waves } from '../../src/runs/view.ts';
import { sceneOf } from './scene.ts';

const starts = (scene: Scene): string =>
  choose(scene)
    .start.map((choice) => choice.task.title)
    .join(' ');
const whyOf = (scene: Scene, title: string): string | undefined => [...reasons(scene)].find(({ located }) => located.task.title === title)?.why?.message;
const caps = (more: Partial<Config['caps']>): Partial<Config> => ({ caps: { agents: {}, models: {}, accounts: {}, owners: {}, ...more } });

describe('room for runs', () => {
  it('3-R3 {parallel:n} on a heading, else parallel of the config, holds a section to that many; others are free', () => {
    const text = '## Git Worktree a {parallel:2}\n[] a1\n[] a2\n[] a3\n\n## Git Worktree b\n[] b1\n[] b2\n[] b3\n';
    expect(starts(sceneOf(text))).toBe('a1 a2 b1 b2 b3');
    const scene = sceneOf(text, { config: { parallel: 1 } });
    expect(starts(scene)).toBe('a1 a2 b1');
    expect([whyOf(scene, 'a3'), whyOf(scene, 'b2')]).toEqual(['all 2 places of section a are taken', 'all 1 places of section b are taken']);
    expect(waves(scene).map((wave) => wave.map((task) => task.title).join(' '))).toEqual(['a1 a2 b1', 'a3 b2', 'b3']);
  });

  it('3-R3 caps by agent, model, account and worker hold back what they name, with the key that says so', () => {
    const text = '## Git Worktree a\n[] s1 {script}\n  run: x\n[] s2 {script}\n  run: x\n[] f1 {fake} {opus}\n[] f2 {fake} {model:claude-opus}\n[] mine\n';
    const models = { opus: 'claude-opus' };
    expect(starts(sceneOf(text, { config: { models } }))).toBe('s1 s2 f1 f2 mine');
    const cases: readonly [Partial<Config>, string, string, string][] = [
      [caps({ agents: { script: 1 } }), 's1 f1 f2 mine', 's2', 'all 1 places of agent script are taken'],
      [caps({ models: { opus: 1 } }), 's1 s2 f1 mine', 'f2', 'all 1 places of model claude-opus are taken'],
      [caps({ accounts: { fake: 2 } }), 's1 s2 f1 f2', 'mine', 'all 2 places of account fake are taken'],
      [caps({ owners: { me: 3 } }), 's1 s2 f1', 'mine', 'all 3 places of worker me are taken'],
    ];
    for (const [config, expected, held, reason] of cases) {
      const scene = sceneOf(text, { config: { models, ...config } });
      expect([starts(scene), whyOf(scene, held)]).toEqual([expected, reason]);
    }
  });
});
