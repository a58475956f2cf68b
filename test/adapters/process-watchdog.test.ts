/**
 * Nothing survives its daemon (2-R7, 5.3-R3), not even its SIGKILL; and what the next owner starts is spared.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { kill, marked } from '../../src/adapters/sweep.ts';
import { LIFE } from '../../src/adapters/watchdog.ts';
import { alive, newMark, program, started, until } from './process-kit.ts';

const daemons: ChildProcess[] = [];

afterEach(() => {
  for (const each of daemons.splice(0)) each.kill('SIGKILL');
});

/** A daemon with the mark of an outer run, as when ToDone is tried by an agent of ToDone. */
function daemon(name: string, mark: string): ChildProcess {
  const child = spawn(process.execPath, [program('daemon.mjs'), program(name), mark], { stdio: ['ignore', 'pipe', 'inherit'] });
  daemons.push(child);
  return child;
}

const watchdogsOf = async (pid: number): Promise<number[]> => (await marked(`OF=${pid}-`)).filter((each) => each !== pid);

it('2-R7 leaves no agent when the daemon is killed, sessions of their own included', async () => {
  const mark = newMark();
  const child = daemon('waits-with-escaped.sh', mark);
  await until(async () => (await alive(mark)).length >= 4);
  child.kill('SIGKILL');
  await until(async () => (await alive(mark)).length === 0);
  await until(async () => (await watchdogsOf(child.pid ?? 0)).length === 0);
  expect(await alive(mark)).toEqual([]);
});

it('2-R7 spares what the next owner of the same journal runs by then', async () => {
  const mark = newMark();
  const child = daemon('forever.sh', mark);
  const next = started('forever.sh', [], { mark: mark.replace('.1-', '.2-') });
  await until(async () => (await alive(mark)).length > 0 && next.lines.length > 0);
  child.kill('SIGKILL');
  await until(async () => (await watchdogsOf(child.pid ?? 0)).length === 0);
  expect(await alive(mark)).toEqual([]);
  expect(await alive(next.mark)).not.toEqual([]);
  next.stop();
  await next.ended;
});

it('2-R7 starts another watchdog where somebody ended it', async () => {
  const mark = newMark();
  const child = daemon('waits-with-escaped.sh', mark);
  await until(async () => (await alive(mark)).length >= 4 && (await watchdogsOf(child.pid ?? 0)).length > 0);
  const first = await watchdogsOf(child.pid ?? 0);
  for (const pid of first) kill(pid, 'SIGKILL');
  await until(async () => (await watchdogsOf(child.pid ?? 0)).some((pid) => !first.includes(pid)));
  child.kill('SIGKILL');
  await until(async () => (await alive(mark)).length === 0);
  expect(first).toHaveLength(1);
});

it('2-R7 gives the watchdog neither the mark nor the life that it looks for', async () => {
  const run = started('forever.sh');
  await until(() => run.lines.length > 0);
  const dogs = await watchdogsOf(process.pid);
  expect(dogs).not.toEqual([]);
  const ours = new Set([...(await marked(`${LIFE}=${process.pid}-`)), ...(await alive(run.mark))]);
  expect(dogs.filter((pid) => ours.has(pid))).toEqual([]);
  run.stop();
  await run.ended;
});
