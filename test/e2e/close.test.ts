/** What a worker was told stands: a close that was answered survives the daemon's death in that very moment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { callSocket } from '../../src/adapters/socket-call.ts';
import { socketPath } from '../../src/adapters/socket-path.ts';
import type { Called } from '../../src/runs/requests.ts';
import { QUIET_ENV } from './doors-kit.ts';
import { git, listOf, makeRepo, markerOf, removeRepos, start } from './kit.ts';

afterAll(removeRepos);

const LIST = '## Git Worktree auth {claude}\n[] Add login form {id:login}\n[] Add logout {id:logout} {after:login}\n';
const WORKER = { kind: 'worker', name: 'w1', via: 'socket' } as const;

/** A conflict that a person is in the midst of: such a list is neither believed nor written. */
const inConflict = (list: string): string => `${list}\n<<<<<<< mine\na word\n=======\nanother word\n>>>>>>> theirs\n`;

it.each([
  ['its marker stands by then', (list: string) => list],
  ['and its marker is yet to be written, as the list cannot be now', inConflict],
])('6.3-R3 12-R1 a close survives kill -9 of the daemon right after its answer: %s', { timeout: 120_000 }, async (_name, meanwhile) => {
  const top = makeRepo(LIST, { 'todone.config.json': '{ "claimAfter": "0s" }' });
  const commit = git(top, 'rev-parse', '--short', 'HEAD').trim();
  const socket = socketPath(join(top, '.git', 'todone'));
  const call = async (name: string, input: object): Promise<Called> =>
    (await callSocket(socket, { kind: 'call', name, input, caller: WORKER }, AbortSignal.timeout(60_000))) as Called;
  const daemon = start(top, ['start'], QUIET_ENV);
  try {
    await expect.poll(() => call('task.claim', { task: 'login' }).catch(() => ({ ok: false })), { timeout: 60_000 }).toMatchObject({ ok: true });
    const before = listOf(top);
    const claimedLine = markerOf(top, 'Add login form');
    writeFileSync(join(top, 'tasks.md'), meanwhile(before));
    if (meanwhile === inConflict)
      await expect.poll(() => call('task.claim', { task: 'logout' }), { timeout: 60_000 }).toMatchObject({ refusal: { code: 'unavailable' } });

    const closed = await call('task.close', { task: 'login', hash: commit });
    daemon.kill('SIGKILL');
    const then = markerOf(top, 'Add login form');
    expect(closed).toMatchObject({ ok: true, output: { task: { status: 'done' } } });
    expect(then).toBe(meanwhile === inConflict ? claimedLine : claimedLine.replace('🟡', `✅ ${commit},`));
    await daemon.ended;
    // The person is done with the conflict.
    if (meanwhile === inConflict) writeFileSync(join(top, 'tasks.md'), before);
  } finally {
    daemon.kill('SIGKILL');
    await daemon.ended;
  }
  const next = start(top, ['start'], QUIET_ENV);
  try {
    await expect.poll(() => markerOf(top, 'Add login form'), { timeout: 60_000 }).toContain(`[✅ ${commit}, `);
    // What waited for it is free, and nobody gets it a second time.
    const again = await start(top, ['task', 'claim', 'login', '--as', 'w2'], QUIET_ENV).ended;
    expect(again.code).toBe(3);
    const ready = await start(top, ['task', 'ready', '--as', 'w2', '--quiet'], QUIET_ENV).ended;
    expect(ready.out).toBe('logout\n');
    const told = await start(top, ['task', 'history', 'login', '--json'], QUIET_ENV).ended;
    const { history } = JSON.parse(told.out) as { history: { field: string; new: string }[] };
    expect(history.filter(({ field, new: word }) => field === 'state' && word === 'done')).toHaveLength(1);
  } finally {
    next.kill('SIGTERM');
    await next.ended;
  }
});
