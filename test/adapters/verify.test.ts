/**
 * `verify` and hooks, run for real: exit status, limits, what is left of them, and what is a check in words.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { readEvidence } from '../../src/adapters/evidence.ts';
import { openRedaction } from '../../src/adapters/redact.ts';
import { openHooks, openVerify } from '../../src/adapters/verify.ts';
import type { WrittenConfig } from '../../src/config.ts';
import { configOf, IDENTITY } from './agents-kit.ts';
import { alive, program, tempFolder } from './process-kit.ts';
import { openTo } from '../../src/adapters/sandbox/sandbox.ts';

const ORDER = { id: 'g1234567', ticket: 3, attempt: 1, section: 'feature', slot: 1 };
const never = new AbortController().signal;

function shell(limits: WrittenConfig['limits'] = {}) {
  const workspace = tempFolder();
  const epoch = `t${randomBytes(6).toString('hex')}`;
  const config = configOf({ limits: { stopGrace: '200ms', ...limits } });
  const stateDir = tempFolder();
  const options = {
    config: () => config,
    stateDir,
    epoch,
    term: 1,
    clock: systemClock(),
    redaction: openRedaction({ MY_TOKEN: 'hunter2hunter2' }, []),
    env: process.env,
    identity: IDENTITY,
    sandbox: openTo('a test'),
  };
  return {
    workspace,
    stateDir,
    epoch,
    verify: (command: string, signal = never) => openVerify(options).run(ORDER, command, workspace, signal),
    hook: openHooks(options),
  };
}

it('4-R9 tells whether a check passed, with the end of its output', async () => {
  const { verify } = shell();
  expect(await verify('echo fine')).toEqual({ ok: true, command: 'echo fine', output: 'fine', code: 0, timedOut: false });
  expect(await verify('echo "\\033[31mred\\033[0m hunter2hunter2" >&2; exit 3')).toMatchObject({ ok: false, code: 3, output: 'red [secret]', timedOut: false });
});

it('4-R9 keeps what a check printed, out of the workspace, and finds the last of it again', async () => {
  const { verify, stateDir, workspace } = shell();
  expect(readEvidence(stateDir, ORDER.id)).toBeUndefined();
  await verify('seq 100; echo hunter2hunter2; exit 3');
  const evidence = readEvidence(stateDir, ORDER.id);
  expect(evidence).toMatchObject({
    command: 'seq 100; echo hunter2hunter2; exit 3'.replaceAll('hunter2hunter2', '[secret]'),
    ok: false,
    code: 3,
    timed_out: false,
    where: workspace,
  });
  expect(evidence?.lines.slice(-2)).toEqual(['100', '[secret]']);
  expect(evidence?.lines).toHaveLength(20);
  expect(readFileSync(evidence!.path, 'utf8').split('\n').length).toBeGreaterThan(100);
});

it('4-R9 runs in the workspace, with the environment of a run', async () => {
  const { verify, workspace } = shell();
  expect((await verify('pwd; echo "$TODONE_PHASE $TODONE_ID $TODONE_WORKTREE $GIT_AUTHOR_NAME"'))?.output).toBe(
    `${workspace}\nverify g1234567 ${workspace} Ada`,
  );
});

it('4-R9 ends a check at its limit, and leaves nothing of it', async () => {
  const { verify, epoch } = shell({ verify: '300ms' });
  expect(await verify(`'${program('waits-with-escaped.sh')}'`)).toMatchObject({ ok: false, timedOut: true });
  expect(await alive(`${epoch}.`)).toEqual([]);
});

it('4-R9 keeps the last of a long output', async () => {
  const { verify } = shell({ outputBytes: 2000 });
  const verified = await verify('i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done; exit 1');
  expect(verified?.output.endsWith('line 19999')).toBe(true);
  expect(verified?.output.length).toBeLessThanOrEqual(8000);
});

it('4-R9 stops when told to', async () => {
  const { verify, epoch } = shell();
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  expect(await verify('sleep 60', stop.signal)).toMatchObject({ ok: false, timedOut: false });
  expect(await alive(`${epoch}.`)).toEqual([]);
});

it.each([
  'true',
  '! false',
  'FOO=1 BAR="a b" true',
  '(true)',
  '{ true; }',
  'if true; then true; fi',
  '[ 1 = 1 ]',
  './check.sh',
  'sub/check.sh',
  'sh -c true',
  '"sh" -c true',
  'A=1',
  '$(echo true)',
  'true;true',
])('4-R9 runs what begins with a command: %s', async (command) => {
  const { verify, workspace } = shell();
  mkdirSync(join(workspace, 'sub'));
  for (const name of ['check.sh', 'sub/check.sh']) writeFileSync(join(workspace, name), '#!/bin/sh\n', { mode: 0o755 });
  expect(await verify(command)).toMatchObject({ ok: true });
});

it.each(['an expired token gets 401', 'The page loads', '"the page" loads', 'src/auth works', '', '   ', 'näher prüfen', '401 is returned'])(
  '4-R9 takes other checks for words and runs nothing: "%s"',
  async (words) => {
    expect(await shell().verify(words)).toBeUndefined();
  },
);

it('4-R9 fails a check by a path that is not there, instead of taking it for words', async () => {
  expect(await shell().verify('./missing.sh --all')).toMatchObject({ ok: false, code: 127 });
});

it('4-R4 runs hooks with their own variables and limits', async () => {
  const { hook, workspace, epoch } = shell();
  const env = { TODONE_ID: 'g7654321', TODONE_PORT: '43000', EXTRA: 'x' };
  expect(await hook('echo "$TODONE_ID $TODONE_PORT $EXTRA $TODONE_WORKTREE"', workspace, env, 5000, never)).toEqual({
    code: 0,
    output: `g7654321 43000 x ${workspace}`,
    timedOut: false,
  });
  expect(await hook('sleep 60', workspace, env, 200, never)).toMatchObject({ timedOut: true });
  expect(await hook('setsid sleep 60 & exit 4', workspace, env, 5000, never)).toMatchObject({ code: 4, timedOut: false });
  expect(await alive(`${epoch}.`)).toEqual([]);
});

it('4-R4 lets two hooks run side by side: the end of one does not sweep the other', async () => {
  const { hook, workspace } = shell();
  const long = hook('sleep 0.6; echo survived', workspace, {}, 10_000, never);
  await hook('true', workspace, {}, 10_000, never);
  expect(await long).toMatchObject({ code: 0, output: 'survived' });
});
