import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { verifyOf } from '../../src/engine/doing.ts';
import { landingQueue } from '../../src/engine/landing-queue.ts';
import { textOf } from '../../src/runs/steer.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { run } from '../surfaces/cli/host.ts';

const verifyIn = (list: string, verify?: string): string | undefined => {
  const task = parse(list, defaultParseOptions).sections.flatMap((section) => section.tasks)[0]!;
  return verifyOf(run('g1234567', { task: textOf(task, 'g1234567') }), { ...defaultConfig, verify });
};

describe('the check of a task', () => {
  it.each([
    ['its own', '## Git Worktree a {verify:section}\n[] x\n  verify: own\n', 'own'],
    ['its section’s', '## Git Worktree a {verify:npm test}\n[] x\n', 'npm test'],
    ['its section’s in the other spelling', '## Git Worktree a [verify:: npm test]\n[] x\n', 'npm test'],
    ['its section’s, whatever the case', '## Git Worktree a {Verify: npm test -- a:b}\n[] x\n', 'npm test -- a:b'],
    ['its section’s where its own is empty', '## Git Worktree a {verify:section}\n[] x\n  verify:\n', 'section'],
    ['that of the config', '## Git Worktree a\n[] x\n', 'config'],
    ['that of the config where its section’s is empty', '## Git Worktree a {verify:}\n[] x\n', 'config'],
  ])('4-R9 is %s', (_what, list, command) => {
    expect(verifyIn(list, 'config')).toBe(command);
  });

  it('4-R9 is none where nobody names one', () => {
    expect(verifyIn('## Git Worktree a\n[] x\n')).toBeUndefined();
  });
});

describe('the line before a branch', () => {
  it('4-R10 what else moves the branch is done one after another, and what throws holds nobody up', async () => {
    const queue = landingQueue();
    const order: string[] = [];
    const slow = queue.between('a', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('first');
    });
    const bad = queue.between('a', async () => {
      order.push('second');
      throw new Error('no');
    });
    const last = queue.between('a', async () => order.push('third'));
    await queue.between('b', async () => order.push('another section'));
    await expect(bad).rejects.toThrow('no');
    await Promise.all([slow, last]);
    expect(order).toEqual(['another section', 'first', 'second', 'third']);
  });
});
