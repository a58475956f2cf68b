/**
 * The one door for long processes, tried with programs that behave badly: the right end each time, nothing left, memory bounded.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { launch, LATE_BYTES_MAX, LINE_BYTES_MAX, sweep, TAIL_BYTES_MAX } from '../../src/adapters/process.ts';
import { changedSince } from '../../src/adapters/stall.ts';
import { alive, newMark, program, PROGRAMS, started, tempFolder, until } from './process-kit.ts';

it('5.3-R3 tells exit status, output of both streams, and that nothing was left', async () => {
  const run = started('', ['-c', 'echo out; echo err >&2; exit 7'], { program: 'sh' });
  const exit = await run.ended;
  expect(exit).toMatchObject({ code: 7, ended: 'itself', trouble: undefined, swept: 0 });
  expect(run.lines.toSorted()).toEqual(['err', 'out']);
  expect(exit.tail.split('\n').toSorted()).toEqual(['', 'err', 'out']);
});

it('5.3-R3 says what signal ended a program that somebody else killed', async () => {
  const run = started('', ['-c', 'kill -KILL $$'], { program: 'sh' });
  expect(await run.ended).toMatchObject({ code: undefined, killedBy: 'SIGKILL', ended: 'itself' });
});

it('5.3-R3 stops politely where that is enough', async () => {
  const run = started('forever.sh', [], { graceMs: 30_000 });
  await until(() => run.lines.includes('started'));
  run.stop();
  expect(await run.ended).toMatchObject({ ended: 'stop', killedBy: 'SIGTERM' });
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R3 kills what ignores a polite signal, with its children', async () => {
  const run = started('deaf.sh');
  await until(() => run.lines.includes('started'));
  run.stop();
  expect(await run.ended).toMatchObject({ ended: 'stop', killedBy: 'SIGKILL' });
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R3 reaches children in sessions of their own', async () => {
  const run = started('waits-with-escaped.sh');
  await until(async () => run.lines.includes('started') && (await alive(run.mark)).length >= 4);
  run.stop();
  expect((await run.ended).ended).toBe('stop');
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R3 sweeps after a normal end too, without waiting for a pipe that a grandchild holds', async () => {
  const run = started('escapes.sh');
  const exit = await run.ended;
  expect(exit).toMatchObject({ code: 0, ended: 'itself' });
  expect(exit.swept).toBeGreaterThanOrEqual(2);
  expect(run.lines[0]).toMatch(/left$/);
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R3 ends what wiped its own environment but stayed in the group or the family', async () => {
  const run = started('', ['-c', 'env -i sleep 61 & env -i sh -c "sleep 62 & sleep 63" & sleep 0.1; exit 0'], { program: 'sh' });
  await run.ended;
  const left = started('', ['-c', 'ps -A -o args= 2>/dev/null | grep -E "^sleep 6[123]$" || true'], { program: 'sh' });
  await left.ended;
  expect(left.lines).toEqual([]);
});

it('5.3-R3 ends what wiped its own environment and left the group, while its parent lives', async () => {
  const run = started('', ['-c', 'trap "" TERM; setsid env -i sleep 64 & echo started; while :; do sleep 0.1; done'], { program: 'sh' });
  await until(async () => run.lines.includes('started') && (await named('sleep 64')).length > 0);
  run.stop();
  await run.ended;
  expect(await named('sleep 64')).toEqual([]);
});

/** Processes whose whole command line is this. */
async function named(command: string): Promise<string[]> {
  const ps = started('', ['-c', 'ps -A -o args='], { program: 'sh' });
  await ps.ended;
  return ps.lines.filter((line) => line === command);
}

it('5.3-R3 sweeps one run and not its neighbour whose number only begins the same', async () => {
  const mark = newMark();
  const short = started('forever.sh', [], { mark });
  const long = started('forever.sh', [], { mark: `${mark}2` });
  await until(() => short.lines.length > 0 && long.lines.length > 0);
  short.stop();
  await short.ended;
  expect(await alive(`${mark}2`)).not.toEqual([]);
  expect(await sweep(mark)).toBeGreaterThan(0);
  expect(await long.ended).toMatchObject({ killedBy: 'SIGKILL', ended: 'itself' });
});

it('5.3-R4 ends at its time limit', async () => {
  const run = started('forever.sh', [], { limitMs: 300 });
  expect(await run.ended).toMatchObject({ ended: 'limit' });
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R4 ends a program that closed its output and lives on', async () => {
  const run = started('closes-output.sh', [], { limitMs: 500 });
  expect(await run.ended).toMatchObject({ ended: 'limit' });
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R4 sees a stall: no output, no CPU, no changed file', async () => {
  const run = started('', ['-c', 'echo started; sleep 60'], { program: 'sh', stallMs: 500 });
  expect(await run.ended).toMatchObject({ ended: 'stall' });
  expect(await alive(run.mark)).toEqual([]);
});

it('5.3-R4 sees a stall of a program that was stopped, and wakes it to end it politely', async () => {
  const run = started('stops-itself.sh', [], { stallMs: 500, graceMs: 30_000 });
  expect(await run.ended).toMatchObject({ ended: 'stall', killedBy: 'SIGTERM' });
});

it('5.3-R4 takes CPU for work, in children too', async () => {
  const run = started('', ['-c', `"${process.execPath}" "${program('busy.mjs')}" 2500`], { program: 'sh', stallMs: 1000 });
  expect(await run.ended).toMatchObject({ ended: 'itself', code: 0 });
});

it('5.3-R4 takes a changed file for work', async () => {
  const cwd = tempFolder();
  mkdirSync(join(cwd, 'sub'));
  const run = started('writes-files.sh', [], { cwd, stallMs: 1500, changed: (since) => changedSince(cwd, since) });
  expect(await run.ended).toMatchObject({ ended: 'itself', code: 0 });
});

it('5.3-R4 looks for changed files below, and not into git or node_modules', async () => {
  const cwd = tempFolder();
  mkdirSync(join(cwd, 'a', 'b'), { recursive: true });
  mkdirSync(join(cwd, 'node_modules', 'x'), { recursive: true });
  await sleep(20);
  const since = Date.now();
  await sleep(20);
  writeFileSync(join(cwd, 'node_modules', 'x', 'y'), '1');
  expect(await changedSince(cwd, since)).toBe(false);
  writeFileSync(join(cwd, 'a', 'b', 'c'), '1');
  expect(await changedSince(cwd, since)).toBe(true);
  expect(await changedSince(join(cwd, 'gone'), since)).toBe(false);
});

const BYTES = Number(process.env['TODONE_TEST_BYTES'] ?? 50 * 1024 * 1024);

it.each(['lines', 'one', 'junk'])('5.3-R3 takes any amount of output (%s) in bounded memory and keeps its end', async (kind) => {
  const before = process.memoryUsage().rss;
  let longest = 0;
  let taken = 0;
  let last = '';
  const run = started('prints.mjs', [String(BYTES), kind], {
    maxBytes: 4 * 1024 * 1024,
    limitMs: 300_000,
    onLine: (line) => {
      longest = Math.max(longest, line.length);
      taken += line.length;
      last = line;
    },
  });
  const exit = await run.ended;
  expect(exit).toMatchObject({ code: 0, ended: 'itself', truncated: true });
  expect(exit.bytes).toBeGreaterThanOrEqual(BYTES);
  expect(longest).toBeLessThanOrEqual(LINE_BYTES_MAX + 100);
  expect(taken).toBeLessThanOrEqual(4 * 1024 * 1024 + LATE_BYTES_MAX + 1000);
  expect(exit.tail.length).toBeLessThanOrEqual(TAIL_BYTES_MAX);
  expect(kind === 'lines' ? last : 'the last line').toBe('the last line');
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
});

it('5.3-R3 gives a file as input, ended, so that no program waits for more', async () => {
  const input = join(tempFolder(), 'prompt.md');
  writeFileSync(input, 'the prompt\nin two lines');
  const run = started('', ['-c', 'cat; echo; read -r more || echo ended'], { program: 'sh', inputFile: input });
  await run.ended;
  expect(run.lines).toEqual(['the prompt', 'in two lines', 'ended']);
  const without = started('', ['-c', 'cat; echo ended'], { program: 'sh' });
  await without.ended;
  expect(without.lines).toEqual(['ended']);
});

it.each([
  ['ENOENT', { program: 'no-such-program-here' }],
  ['EACCES', { program: PROGRAMS }],
  ['NOCWD', { program: 'sh', cwd: '/no/such/folder' }],
  ['ENOENT', { program: 'sh', inputFile: '/no/such/file' }],
  ['E2BIG', { program: 'sh', args: ['-c', 'true', 'x'.repeat(3 * 1024 * 1024)] }],
])('5.3-R6 says why a program could not be started: %s', async (trouble, given) => {
  expect(await started('', [], { args: ['-c', 'true'], ...given }).ended).toMatchObject({ ended: 'unstarted', trouble, code: undefined });
});

it('5.3-R6 says that an argument with NUL cannot be, without throwing', async () => {
  const exit = await started('', ['-c', 'true\0'], { program: 'sh' }).ended;
  expect(exit.ended).toBe('unstarted');
  expect(exit.trouble).toMatch(/null/i);
});

it('5.3-R3 starts nothing once it is to stop', async () => {
  const stopped = AbortSignal.abort();
  expect(await launch({ program: 'sh', args: ['-c', 'true'], cwd: '/', env: {}, mark: newMark(), limitMs: 0, graceMs: 0, signal: stopped })).toMatchObject({
    ended: 'stop',
    code: undefined,
  });
});

it('4-R11 hands no variable over that it was not given', async () => {
  const run = started('', ['-c', 'env | cut -d= -f1 | sort | tr "\\n" " "'], { program: '/bin/sh', env: { ONLY: '1', PATH: process.env['PATH'] ?? '' } });
  await run.ended;
  expect(
    run.lines[0]
      ?.trim()
      .split(' ')
      .filter((name) => !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(name)),
  ).toEqual(['ONLY', 'PATH', 'TODONE_LIFE', 'TODONE_RUN']);
});
