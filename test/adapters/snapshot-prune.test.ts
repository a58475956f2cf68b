import { afterEach, expect, it } from 'vitest';
import { openGit } from '../../src/adapters/git.ts';
import { pruneSnapshots } from '../../src/adapters/snapshot-prune.ts';
import { git as run, makeRepo, removeRepos } from '../e2e/kit.ts';

afterEach(removeRepos);

it('4-R5 takes away snapshots of tasks that landed long ago, and no other', async () => {
  const top = makeRepo('## Git Worktree a\n');
  for (const ref of ['refs/todone/g0000001/1/implement', 'refs/todone/g0000001/2/left', 'refs/todone/g0000002/1/implement', 'refs/todone/landed/g0000001'])
    run(top, 'update-ref', ref, 'HEAD');
  const git = await openGit({ commonDir: `${top}/.git`, top, stateDir: `${top}/.git/todone`, env: process.env, log: { write: () => undefined } });
  try {
    expect(await pruneSnapshots(git, new Set(['g0000001']))).toBe(2);
    expect(run(top, 'for-each-ref', '--format=%(refname)', 'refs/todone/').trim().split('\n')).toEqual([
      'refs/todone/g0000002/1/implement',
      'refs/todone/landed/g0000001',
    ]);
  } finally {
    git.close();
  }
});
