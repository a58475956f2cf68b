/** Workers that ToDone did not start, as whole processes: they take, keep, lose and finish tasks, with a daemon and without one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { git, listOf, makeRepo, markerOf, type Ran, removeRepos, sleep, start } from './kit.ts';

afterAll(removeRepos);

// Many processes one after another: on a machine with other work each may take seconds.
vi.setConfig({ testTimeout: 240_000 });

const LIST = `# Checkout

## Git Worktree auth {claude}
[] Add login form
[] Add logout {id:logout}
[] Reserved {owner:ci-1}
[] Filed by a machine {id:filed} {triage} {by:bot}
`;

/** As the worker `name`; '' is the person. */
const as = (top: string, name: string, ...args: string[]): Promise<Ran> => {
  return start(top, [...args, ...(name === '' ? [] : ['--as', name])], { CLAUDECODE: '', GEMINI_CLI: '', TODONE_INSTANCE: '' }).ended;
};

type Claimed = { readonly ticket: string; readonly task: { readonly id: string }; readonly lease_until: number };

async function claimed(top: string, name: string, ...args: string[]): Promise<Claimed> {
  const ran = await as(top, name, 'task', 'claim', ...args, '--json');
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
  return JSON.parse(ran.out) as Claimed;
}

const history = async (top: string, task: string): Promise<readonly { field: string; old: string | null; new: string | null; by: string; via: string }[]> =>
  (JSON.parse((await as(top, '', 'task', 'history', task, '--json')).out) as { history: [] }).history;

/** A daemon for the time of the test; the list's agent is not installed, so it only minds the list. */
async function withDaemon(top: string, work: () => Promise<void>): Promise<void> {
  const daemon = start(top, ['start']);
  try {
    for (let tries = 0; tries < 600; tries++) {
      const status = await as(top, '', 'status', '--json');
      if ((JSON.parse(status.out) as { owner: unknown }).owner !== null) break;
      await sleep(50);
    }
    await work();
  } finally {
    daemon.kill('SIGTERM');
    await daemon.ended;
  }
}

const onlyList = async (_top: string, work: () => Promise<void>): Promise<void> => work();

describe.each([
  ['without a daemon', onlyList],
  ['with a daemon', withDaemon],
] as const)('workers %s', (name, within) => {
  it('6.1-R1 2-R2 of two that claim one task one wins, and the other gets 3 and a sentence', async () => {
    const top = makeRepo(LIST);
    await within(top, async () => {
      const both = await Promise.all(['w1', 'w2'].map((worker) => as(top, worker, 'task', 'claim', 'tasks.md:4')));
      expect(new Set(both.map(({ code }) => code))).toEqual(new Set([0, 3]));
      const lost = both.find(({ code }) => code === 3);
      expect(lost?.err).toMatch(/^error: w[12] has claimed it\n {2}do: /);
      expect(markerOf(top, 'Add login form')).toMatch(/^\[🟡 [g-z][0-9a-z]{7}\]$/);
    });
  });

  it('6.1-R1 2-R3 a claim without a heartbeat is freed within one lease, and its history says so', async () => {
    const top = makeRepo(LIST);
    await within(top, async () => {
      const first = await claimed(top, 'w1', 'logout', '--lease', '1');
      await sleep(1100);
      const ready = await as(top, 'w2', 'task', 'ready', '--json');
      expect(ready.out).toContain('Add logout');
      const second = await claimed(top, 'w2', 'logout');
      expect(second.ticket).not.toBe(first.ticket);
      const late = await as(top, 'w1', 'task', 'close', 'logout', '--hash', git(top, 'rev-parse', 'HEAD').trim(), '--ticket', first.ticket);
      expect(late.code).toBe(3);
      expect(late.err).toContain('w2 has claimed it');
      const rows = await history(top, 'logout');
      expect(rows).toContainEqual(expect.objectContaining({ field: 'claim', old: 'w1', new: 'ran out: no heartbeat', by: 'todone' }));
      expect(rows).toContainEqual(
        expect.objectContaining({ field: 'refused', new: expect.stringContaining('task.close: w2 has claimed it (commit'), by: 'w1' }),
      );
    });
  });

  // Each call is a process: the rest of it goes with a daemon in the long form.
  if (name === 'with a daemon' && process.env['TODONE_LONG'] === undefined) return;

  it('6.1-R1 a heartbeat keeps a claim alive, a release gives it back, a commit closes it', async () => {
    const top = makeRepo(LIST);
    await within(top, async () => {
      const claim = await claimed(top, 'w1', 'logout', '--lease', '60');
      const beat = await as(top, 'w1', 'task', 'heartbeat', claim.task.id, '--ticket', claim.ticket, '--lease', '600', '--json');
      expect((JSON.parse(beat.out) as { lease_until: number }).lease_until).toBeGreaterThan(claim.lease_until);
      expect((await as(top, 'w1', 'task', 'mine', '--quiet')).out).toBe(`${claim.task.id}\n`);
      expect((await as(top, 'w1', 'task', 'release', claim.task.id, '--reason', 'too hard')).code).toBe(0);
      const again = await claimed(top, 'w2', 'logout');
      const hash = git(top, 'rev-parse', 'HEAD').trim();
      expect((await as(top, 'w2', 'task', 'close', 'logout', '--hash', hash, '--ticket', again.ticket)).code).toBe(0);
      expect(markerOf(top, 'Add logout')).toBe(`[✅ ${git(top, 'rev-parse', '--short', 'HEAD').trim()}, ${claim.task.id}]`);
    });
  });

  it('6.2-R2 6.3-R3 13-R1 what an agent may not is refused with 3, and recorded', async () => {
    const top = makeRepo(LIST);
    await within(top, async () => {
      const refusals: readonly (readonly [readonly string[], string])[] = [
        [['task', 'approve', 'filed'], 'only a person'],
        [['task', 'close', 'logout'], 'a worker closes a task with the commit that did it'],
        [['task', 'close', 'logout', '--hash', 'deadbeefdeadbeef'], 'no commit that a branch can reach'],
        [['task', 'claim', 'tasks.md:6'], 'reserved for ci-1'],
        [['task', 'claim', 'filed'], 'waits for triage'],
        [['task', 'update', 'logout', '--title', 'Something else'], 'only what it has claimed or filed itself'],
        [['task', 'close', 'logout', '--cancel'], 'only a person can cancel'],
        [['task', 'report', 'logout', '--ticket', 'abc.1', '--outcome', 'done'], 'is over'],
      ];
      const before = listOf(top);
      for (const [args, words] of refusals) {
        const ran = await as(top, 'w1', ...args);
        expect([args.join(' '), ran.code]).toEqual([args.join(' '), 3]);
        expect(ran.err).toContain(words);
      }
      expect(listOf(top)).toBe(before);
      const told = [...(await history(top, 'logout')), ...(await history(top, 'filed')), ...(await history(top, 'tasks.md:6'))].filter(
        ({ field }) => field === 'refused',
      );
      const names = ['approve', 'claim', 'claim', 'close', 'close', 'close', 'report', 'update'];
      expect(told.map(({ new: words }) => words?.split(':')[0]).toSorted((one = '', other = '') => one.localeCompare(other))).toEqual(
        names.map((word) => `task.${word}`),
      );
      expect(new Set(told.map(({ by, via }) => `${by} ${via}`))).toEqual(new Set(['w1 cli']));
    });
  });
});

it('6.2-R2 nobody inside a run can approve, whatever it calls itself', async () => {
  const top = makeRepo(LIST, { 'todone.config.json': '{ "sandbox": "none" }' });
  const inside = start(top, ['task', 'approve', 'filed'], { TODONE_ID: 'q8f0t6zd' });
  expect(await inside.ended).toMatchObject({ code: 3, err: expect.stringContaining('inside a run') });
  // A shell that the agent started, with the marks taken out again.
  const shell = `env -u TODONE_RUN -u TODONE_ID -u TODONE_INSTANCE ${process.execPath} ${join(import.meta.dirname, '..', '..', 'src', 'main.ts')} task approve filed; echo "exit $?"`;
  const agent = start(top, ['start', '--once'], {});
  await agent.ended;
  writeFileSync(
    join(top, 'tasks.md'),
    `${LIST}\n## Git Worktree run {script}\n[] Approve it {no-commit}\n  run: cd ${top} && ${shell} > ${top}/said.txt 2>&1; exit 0\n`,
  );
  const ran = await start(top, ['start', '--once']).ended;
  expect(ran.err).not.toContain('bug');
  expect(git(top, 'hash-object', 'said.txt')).not.toBe('');
  expect(listOf(top)).toContain('{triage}');
});

it('6.2-R3 approval is recorded with who, when and a hash of the text; a change by a worker voids it', async () => {
  const top = makeRepo(LIST);
  expect((await as(top, '', 'task', 'approve', 'filed')).code).toBe(0);
  expect(listOf(top)).toContain('[] Filed by a machine {id:filed} {by:bot}\n');
  const approved = (await history(top, 'filed')).find(({ field }) => field === 'approved');
  expect(approved).toMatchObject({ old: null, new: expect.stringMatching(/^[0-9a-z]{6,}$/), via: 'cli' });
  const claim = await claimed(top, 'w1', 'filed');
  expect((await as(top, 'w1', 'task', 'update', 'filed', '--title', 'Something more')).code).toBe(0);
  expect((await as(top, 'w1', 'task', 'release', claim.task.id)).code).toBe(0);
  expect(listOf(top)).toMatch(/^\[\] Something more \{id:filed\} \{by:bot\} .*\{triage\}/m);
  expect(await as(top, 'w2', 'task', 'claim', 'filed')).toMatchObject({ code: 3, err: expect.stringContaining('triage') });
  expect(await history(top, 'filed')).toContainEqual(expect.objectContaining({ field: 'lane', old: 'safe', new: 'triage', by: 'w1' }));
});

it('5.2-R3 6.2-R3 impossible → prerequisite filed → approved → done by another → the original finished', async () => {
  const top = makeRepo('## Git Worktree auth {claude}\n[] Rotate tokens\n');
  await withDaemon(top, async () => {
    const first = await claimed(top, 'w1', 'tasks.md:2');
    const said = ['--outcome', 'needs_prerequisite', '--prerequisite', 'Add the schema', '--summary', 'no table'];
    const handed = await as(top, 'w1', 'task', 'report', first.task.id, '--ticket', first.ticket, ...said);
    expect({ code: handed.code, err: handed.err }).toEqual({ code: 0, err: '' });
    const [, id = ''] = /^\[\] Add the schema \{id:(\w+)\} \{triage\} \{by:w1\}$/m.exec(listOf(top)) ?? [];
    expect(listOf(top)).toMatch(new RegExp(`Add the schema .*\\n\\[\\] Rotate tokens \\{id:${first.task.id}\\} \\{after:${id}\\}\\n`));
    expect((await as(top, 'w2', 'task', 'claim')).code).toBe(3);
    expect((await as(top, '', 'task', 'approve', id)).code).toBe(0);
    const second = await claimed(top, 'w2', id);
    expect(second.task.id).toBe(id);
    git(top, 'commit', '-q', '--allow-empty', '-m', 'schema');
    const hash = git(top, 'rev-parse', '--short', 'HEAD').trim();
    expect((await as(top, 'w2', 'task', 'report', id, '--ticket', second.ticket, '--outcome', 'done', '--hash', hash)).code).toBe(0);
    const third = await claimed(top, 'w1', first.task.id);
    expect(third.task.id).toBe(first.task.id);
    expect((await as(top, 'w1', 'task', 'close', third.task.id, '--hash', hash)).code).toBe(0);
    expect(listOf(top).match(/^\[✅ [0-9a-f]+, \w+\]/gm)).toHaveLength(2);
  });
});
