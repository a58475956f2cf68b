import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from '../../src/adapters/log.ts';
import type { LogOptions } from '../../src/adapters/log.ts';

let dir = '';
let screen = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'todone-log-'));
  screen = '';
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const AT = new Date(2026, 10, 21, 12, 4, 7).getTime();
const open = (more: Partial<LogOptions> = {}) =>
  openLog({
    stateDir: join(dir, 'state'),
    screen: { write: (text) => (screen += text) },
    style: 'human',
    color: false,
    level: 'info',
    now: () => AT,
    redact: (text) => text.replaceAll(/sk-\w+/g, '[redacted]'),
    plain: (text) => text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ''),
    ...more,
  });
const file = () => join(dir, 'state', 'daemon.log');
const stored = () =>
  readFileSync(file(), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('for people', () => {
  it.each([
    ['info', 'claim', { step: 'claim', section: 'auth', title: 'Add login form', id: 'q8f0t6zd' }, '12:04:07 claim    auth  "Add login form"  q8f0t6zd\n'],
    ['info', 'watching tasks.md', {}, '12:04:07 watching tasks.md\n'],
    ['warn', 'the config is not valid', { file: 'a b.yaml', line: 3 }, '12:04:07 warn: the config is not valid  file="a b.yaml" line=3\n'],
    ['error', 'two\nlines', { step: 'land', id: 'x', error: new Error('no space') }, '12:04:07 land     x  error: two ↵ lines  error="no space"\n'],
    ['debug', 'not shown', {}, ''],
  ] as const)('9-R1 shows plain lines elsewhere than on a terminal: %s %s', (level, message, fields, expected) => {
    open().write(level, message, fields);
    expect(screen).toBe(expected);
  });

  it('9-R1 shows nothing but warnings when it is to be quiet, and more with --verbose', () => {
    const quiet = open({ level: 'warn' });
    quiet.write('info', 'a');
    quiet.write('warn', 'b');
    expect(screen).toBe('12:04:07 warn: b\n');
    open({ level: 'debug' }).write('debug', 'c');
    expect(screen).toContain('c');
    open({ level: 'silent' }).write('error', 'd');
    expect(screen).not.toContain('d\n');
    expect(stored().map((line) => line['msg'])).toEqual(['a', 'b', 'c', 'd']);
  });

  it('9-R1 has colours where it is told so', () => {
    open({ color: true }).write('error', 'bad', { id: 'x' });
    expect(screen).toMatch(/\u001b\[31merror: bad\u001b\[39m/);
  });
});

describe('for programs', () => {
  it('7-R1 writes JSON lines to the screen with --json, the same as in the file', () => {
    open({ style: 'json' }).write('warn', 'hm', { step: 'land', id: 'x', time: 5 });
    expect(JSON.parse(screen)).toEqual({ level: 'warn', time: new Date(AT).toISOString(), step: 'land', id: 'x', time_: 5, msg: 'hm' });
    expect(readFileSync(file(), 'utf8')).toBe(screen);
  });

  it('13-R2 has no secret and no control character anywhere', () => {
    const log = open();
    log.write('info', 'used sk-abc123 \u001b[31mred\u0007', {
      title: 'sk-abc123',
      deep: [{ env: { MY_API_KEY: 'hunter2', Password: 'p', note: 'with sk-abc123', tokens: 12 } }],
      error: new Error('sk-abc123 refused'),
      'sk-abc123': 1,
    });
    const text = screen + readFileSync(file(), 'utf8');
    expect(text).not.toMatch(/sk-abc|hunter2/);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]|\\u001b/);
    expect(stored()[0]).toMatchObject({ deep: [{ env: { MY_API_KEY: '[redacted]', Password: '[redacted]', note: 'with [redacted]', tokens: 12 } }] });
  });

  it('12-R1 writes whatever it is given: loops, giants, bigints, no stateDir', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const log = open();
    log.write('info', `${'x'.repeat(8190)}sk-abcdef${'x'.repeat(100_000)}`, {
      loop,
      big: 10n,
      fn: () => 1,
      map: new Map([['a', 1]]),
      none: undefined,
      list: Array.from({ length: 1000 }, () => 1),
    });
    expect(readFileSync(file(), 'utf8')).not.toContain('sk');
    expect(readFileSync(file(), 'utf8').length).toBeLessThan(12_000);
    expect(stored()[0]).toMatchObject({ big: '10', map: { a: 1 } });
    open({ stateDir: undefined, screen: undefined }).write('info', 'nowhere');
  });
});

describe('the file', () => {
  it('13-R3 is for its user alone', () => {
    open().write('info', 'a');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'state')).mode & 0o777).toBe(0o700);
  });

  it('13-R3 is bounded: full files are moved on, the oldest goes', () => {
    const log = open({ maxBytes: 2000 });
    for (let n = 0; n < 200; n++) log.write('info', `line ${n}`);
    log.close();
    const files = readdirSync(join(dir, 'state')).sort();
    expect(files).toEqual(['daemon.log', 'daemon.log.1', 'daemon.log.2', 'daemon.log.3']);
    for (const name of files) {
      expect(statSync(join(dir, 'state', name)).size).toBeLessThanOrEqual(2000);
      expect(statSync(join(dir, 'state', name)).mode & 0o777).toBe(0o600);
    }
    const numbers = [...files]
      .reverse()
      .flatMap((name) => readFileSync(join(dir, 'state', name), 'utf8').match(/line \d+/g) ?? [])
      .map((line) => Number(line.slice(5)));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => 200 - numbers.length + n));
  });

  it('12-R1 goes on in a new file when a person or another process took it away', () => {
    const log = open();
    log.write('info', 'a');
    renameSync(file(), `${file()}.mine`);
    log.write('info', 'b');
    rmSync(join(dir, 'state'), { recursive: true });
    log.write('info', 'c');
    expect(stored().map((line) => line['msg'])).toEqual(['c']);
    log.close();
  });

  it('12-R1 goes on when it cannot write, and says how much was lost', () => {
    mkdirSync(join(dir, 'state'));
    mkdirSync(file());
    const log = open();
    log.write('info', 'a');
    log.write('info', 'b');
    rmSync(file(), { recursive: true });
    log.write('info', 'c');
    expect(stored().map((line) => line['msg'])).toEqual(['2 lines of the log could not be written', 'c']);
    expect(screen.split('\n')).toHaveLength(4);
  });

  it('12-R1 has every line on disk after kill -9', async () => {
    const program = `
      import { openLog } from '${join(import.meta.dirname, '../../src/adapters/log.ts')}';
      const log = openLog({ stateDir: process.argv[1], style: 'human', color: false, level: 'info', now: Date.now, redact: (t) => t, plain: (t) => t });
      for (let n = 1; n <= 500; n++) log.write('info', 'line ' + n);
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, join(dir, 'state')], { stdio: ['ignore', 'inherit', 'inherit'] });
    const [, signal] = (await once(child, 'close')) as [number, string];
    expect(signal).toBe('SIGKILL');
    expect(stored()).toHaveLength(500);
  });
});
