import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { openGit } from '../../src/adapters/git.ts';
import { pruneSnapshots, snapshotBytes } from '../../src/adapters/snapshot-prune.ts';
import { git as run, makeRepo, removeRepos } from '../e2e/kit.ts';

afterEach(removeRepos);

it('4-R5 takes away snapshots of tasks that landed long ago, and no other', async () => {
  const top = makeRepo('## Git Worktree a\n');
  for (const ref of ['refs/todone/g0000001/1/implement', 'refs/todone/g0000001/2/left', 'refs/todone/g0000002/1/implement', 'refs/todone/landed/g0000001'])
    run(top, 'update-ref', ref, 'HEAD');
  const git = await openGit({ commonDir: `${top}/.git`, top, stateDir: `${top}/.git/todone`, env: process.env, log: { write: () => undefined } });
  try {
    expect(await pruneSnapshots(git, [{ id: 'g0000001', at: 5 }], { before: 6, maxBytes: 1e9 })).toBe(2);
    expect(run(top, 'for-each-ref', '--format=%(refname)', 'refs/todone/').trim().split('\n')).toEqual([
      'refs/todone/g0000002/1/implement',
      'refs/todone/landed/g0000001',
    ]);
  } finally {
    git.close();
  }
});

it('4-R5 over their bound the oldest of the landed go, never the only copy of work that did not land', async () => {
  const top = makeRepo('## Git Worktree a\n');
  const ids = ['g0000001', 'g0000002', 'g0000003', 'g0000004'];
  for (const id of ids) {
    writeFileSync(`${top}/big.bin`, randomBytes(200_000));
    run(top, 'add', '-A');
    const commit = run(top, 'commit-tree', run(top, 'write-tree').trim(), '-p', 'HEAD', '-m', id).trim();
    run(top, 'update-ref', `refs/todone/${id}/1/implement`, commit);
    // The last one says that it landed, and git does not.
    if (id !== 'g0000004') run(top, 'update-ref', `refs/todone/landed/${id}`, 'HEAD');
  }
  const git = await openGit({ commonDir: `${top}/.git`, top, stateDir: `${top}/.git/todone`, env: process.env, log: { write: () => undefined } });
  try {
    expect(await snapshotBytes(git)).toMatchObject({ count: 4 });
    const landed = ids.map((id, index) => ({ id, at: 10 - index }));
    expect(await pruneSnapshots(git, landed, { before: 0, maxBytes: 450_000 })).toBe(1);
    const left = run(top, 'for-each-ref', '--format=%(refname)', 'refs/todone/').trim().split('\n');
    expect(left.filter((ref) => ref.startsWith('refs/todone/g'))).toEqual([
      'refs/todone/g0000001/1/implement',
      'refs/todone/g0000002/1/implement',
      'refs/todone/g0000004/1/implement',
    ]);
    expect(await pruneSnapshots(git, landed, { before: 100, maxBytes: 1e9 })).toBe(2);
    expect((await snapshotBytes(git)).bytes).toBeGreaterThan(150_000);
  } finally {
    git.close();
  }
});
