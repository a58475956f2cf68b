import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import type { Doing } from '../../src/engine/doing.ts';
import { landingQueue } from '../../src/engine/landing-queue.ts';
import type { Landing, Verified, Verify } from '../../src/engine/ports.ts';
import type { End, Run } from '../../src/runs/run.ts';
import { memoryLanding } from '../twins/landing.ts';
import { memoryRepo } from '../twins/repo.ts';
import { memoryWorkspaces } from '../twins/workspaces.ts';

type Check = { readonly workspace: string; readonly end: (ok: boolean) => void };

/** Runs with work in their workspaces, a line before their branches, and checks that end when the test says so. */
function table(landBatch = 1, faults: Parameters<typeof memoryLanding>[1] = {}) {
  const repo = memoryRepo();
  const workspaces = memoryWorkspaces(repo);
  const landing: Landing = memoryLanding(repo, faults);
  const queue = landingQueue();
  const checks: Check[] = [];
  const passed = new Set<string>();
  const verify: Verify = {
    run: (_order, command, workspace) =>
      new Promise<Verified>((resolve) => {
        checks.push({ workspace, end: (ok) => resolve({ ok, command, output: 'said', code: ok ? 0 : 1, timedOut: false }) });
      }),
    hasPassed: (tree) => passed.has(tree),
    passed: (tree) => void passed.add(tree),
  };
  const ends = new Map<string, End>();
  let slots = 0;
  const come = async (id: string, more: { readonly section?: string; readonly verify?: string; readonly file?: string } = {}): Promise<AbortController> => {
    const section = more.section ?? 'one';
    const order = { id, ticket: 1, attempt: 1, section, slot: ++slots };
    const prepared = await workspaces.prepare(order, undefined, new AbortController().signal);
    if (prepared.kind !== 'ready') throw new Error(prepared.message);
    workspaces.filesOf(prepared.workspace).set(more.file ?? `${id}.txt`, `${id}\n`);
    const abort = new AbortController();
    const run = {
      ...order,
      workspaceSlot: order.slot,
      found: { workspace: prepared.workspace, start: prepared.start },
      task: { id, section, title: id, text: id, details: '', notes: [], tags: [], fields: [{ key: 'verify', value: more.verify ?? 'check', line: 0 }] },
    } as unknown as Run;
    const doing = { clock: { now: () => 0 }, landing, workspaces, verify, config: { ...defaultConfig, landBatch }, signal: abort.signal } as unknown as Doing;
    void queue.land(run, doing).then((end) => ends.set(id, end));
    await still();
    return abort;
  };
  const end = async (ok: boolean): Promise<void> => {
    checks.shift()?.end(ok);
    await still();
  };
  const landed = (section = 'one'): string =>
    (repo.branches.get(section) ?? [])
      .slice(1)
      .map((commit) => repo.commits.get(commit)?.task)
      .join(' ');
  return { come, end, landed, ends, checks, repo, workspaces };
}

const still = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the line before a branch', () => {
  it('4-R6 one at a time, first come first served; another section does not wait', async () => {
    const line = table();
    for (const id of ['a', 'b', 'c']) await line.come(id);
    await line.come('x', { section: 'two' });
    expect(line.checks.map((check) => check.workspace)).toEqual(['/trees/one', '/trees/two~4']);
    for (let at = 0; at < 4; at++) await line.end(true);
    expect([line.landed(), line.landed('two')]).toEqual(['a b c', 'x']);
  });

  it('4-R6 one that has to wait for something keeps its place', async () => {
    let busy = true;
    const line = table(1, { advance: (order) => (busy && order.id === 'a' ? { kind: 'busy', message: 'branch in use' } : undefined) });
    for (const id of ['a', 'b', 'c']) await line.come(id);
    await line.end(true);
    expect(line.ends.get('a')).toMatchObject({ kind: 'transient', patient: true });
    busy = false;
    await line.come('a');
    await line.end(true);
    await line.end(true);
    expect(line.landed()).toBe('b a');
  });

  it('2-R4 4-R6 one that is stopped leaves the line with its work kept, and lets the others go on', async () => {
    const line = table();
    await line.come('a');
    const stop = await line.come('b');
    await line.come('c');
    stop.abort();
    await still();
    expect(line.ends.get('b')).toMatchObject({ kind: 'final', reason: 'cancelled', found: { kept: 'refs/todone/b/1/land' } });
    await line.end(true);
    await line.end(true);
    expect(line.landed()).toBe('a c');
  });

  it('4-R9 what has passed on a tree is not verified again', async () => {
    let moved = 1;
    const line = table(1, { advance: () => (moved-- > 0 ? { kind: 'moved' } : undefined) });
    await line.come('a');
    await line.end(true);
    expect([line.landed(), line.checks]).toEqual(['a', []]);
  });

  it('4-R6 gives up for now when the branch moves again and again', async () => {
    const line = table(1, { advance: () => ({ kind: 'moved' }) });
    await line.come('a');
    await line.end(true);
    expect(line.ends.get('a')).toMatchObject({ kind: 'transient', reason: 'conflict', message: expect.stringContaining('moved 5 times') });
  });

  it('4-R6 with landBatch those with the same check go together, verified once', async () => {
    const line = table(8);
    await line.come('first');
    for (const id of ['a', 'b']) await line.come(id);
    await line.come('other', { verify: 'another check' });
    await line.come('c');
    await line.end(true);
    expect([line.landed(), line.checks.length]).toEqual(['first', 1]);
    await line.end(true);
    expect(line.landed()).toBe('first a b c');
    await line.end(true);
    expect(line.landed()).toBe('first a b c other');
  });

  it('4-R6 where a batch fails the one at fault is found by halves and goes back alone, with its work on what landed', async () => {
    const line = table(8);
    await line.come('first');
    for (const id of ['a', 'b', 'bad', 'd', 'e']) await line.come(id);
    await line.end(true);
    let runs = 0;
    while (line.checks.length > 0 && runs++ < 20) await line.end(!line.workspaces.filesOf(line.checks[0]?.workspace ?? '').has('bad.txt'));
    expect([line.landed(), runs]).toEqual(['first a b d e', 4]);
    const bad = line.ends.get('bad');
    expect(bad).toMatchObject({ kind: 'final', reason: 'verify_failed', evidence: expect.stringContaining('said') });
    const start = bad?.kind === 'final' ? bad.found?.start : undefined;
    expect(line.repo.commits.get(start ?? '')?.task).toBe('b');
    expect([...line.ends].filter(([, each]) => each.kind === 'done').map(([id]) => id)).toEqual(['first', 'a', 'b', 'd', 'e']);
  });

  it('4-R7 one that conflicts with another of its batch is landed by itself, and meets what has landed', async () => {
    const line = table(8);
    await line.come('first');
    await line.come('left', { file: 'same.txt' });
    await line.come('right', { file: 'same.txt' });
    await line.come('free');
    for (let at = 0; at < 4; at++) await line.end(true);
    expect(line.landed()).toBe('first left free');
    expect(line.ends.get('right')).toMatchObject({ kind: 'rework', reason: 'conflict', found: { kept: 'refs/todone/right/1/conflict' } });
  });
});
