import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Life } from './life.ts';
import { PLANTED } from './planted.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** TODONE_LIVES and TODONE_SEED make it longer, or another one. */
const LIVES = Number(process.env['TODONE_LIVES'] ?? 1000);
const FIRST = Number(process.env['TODONE_SEED'] ?? 1);
/** The most seldom faults are seen once in some 2,000 lives; a search ends at the first. */
const PLANTED_LIVES = 6000;
const LIMIT_MS = 900_000;
const FAILED_ONCE = [66, 516, 107_769, 111_177, 116_037];

type Report = { readonly lives: number; readonly crashes: number; readonly commits: number; readonly broken: readonly Life[]; readonly brokenCount: number };

const folder = mkdtempSync(join(tmpdir(), 'planted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the simulation', () => {
  it(
    '12-R1 2-R2 1.4-R7 whole lives with crashes, people and git: nothing lost, doubled or untrue, and everything comes to rest',
    async () => {
      const report = await live(ROOT, ['--lives', String(LIVES), '--first', String(FIRST)]);
      expect(report.broken).toEqual([]);
      expect(report.lives).toBe(LIVES);
      expect(report.crashes).toBeGreaterThan(LIVES);
      expect(report.commits).toBeGreaterThan(LIVES);
    },
    LIMIT_MS,
  );

  it('12-R1 4-R10 lives in which branches are synced after each landing and pushed when a section is done', async () => {
    const report = await live(ROOT, ['--errands', '--lives', String(Math.ceil(LIVES / 10)), '--first', String(FIRST)]);
    expect(report).toMatchObject({ broken: [], lives: Math.ceil(LIVES / 10) });
  });

  it('12-R1 1.4-R7 lives in which old buffers are saved over what came after, and agents hand tasks back', async () => {
    const count = Math.ceil(LIVES / 2);
    const report = await live(ROOT, ['--kind', 'old buffers', '--lives', String(count), '--first', String(FIRST)]);
    expect(report).toMatchObject({ broken: [], lives: count });
  });

  it(
    '12-R1 lives that once went wrong: a halt beside a rollback, a crash between a landing and its row',
    async () => {
      for (const seed of FAILED_ONCE) expect((await live(ROOT, ['--kind', 'narrow', '--lives', '1', '--first', String(seed)])).broken).toEqual([]);
    },
    LIMIT_MS,
  );

  // `npm run test:simulation` plants them all.
  const planted = process.env['TODONE_LIVES'] === undefined ? PLANTED.filter((_, at) => at % 5 === 0) : PLANTED;
  for (const [index, fault] of planted.entries()) {
    it(
      `12-R1 (test of the test) sees that ${fault.name}`,
      async () => {
        const copy = join(folder, String(index));
        for (const part of ['src', 'test/simulation', 'test/twins', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
        symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
        const file = join(copy, fault.file);
        const text = readFileSync(file, 'utf8');
        expect(text.split(fault.from)).toHaveLength(2);
        writeFileSync(
          file,
          text.replace(fault.from, () => fault.to),
        );
        const report = await live(copy, ['--lives', String(PLANTED_LIVES), '--first', String(fault.first ?? 1), '--kind', fault.kind ?? 'wide', '--stop']);
        expect(report.brokenCount).toBeGreaterThan(0);
      },
      LIMIT_MS,
    );
  }
});

/** In a process of its own, with the rooms of `root`; a copy that cannot even run counts as seen. */
function live(root: string, args: readonly string[]): Promise<Report> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'test', 'simulation', 'run.ts'), ...args],
      { cwd: root, timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        resolve(line.startsWith('{') ? (JSON.parse(line) as Report) : { lives: 0, crashes: 0, commits: 0, broken: [], brokenCount: error ? 1 : 0 });
      },
    );
  });
}
