/** The production way of writing the list on a simulated disk: lives with editors, deaths and power cuts, and planted faults. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Lived } from './life.ts';
import { PLANTED } from './planted.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIVES = 10;
const PLANTED_LIVES = 1500;
const LIMIT_MS = 600_000;

type Report = { readonly lives: number; readonly broken: readonly (Lived & { readonly case: string })[]; readonly brokenCount: number };

const folder = mkdtempSync(join(tmpdir(), 'planted-list-'));
const found: { fault: string; lives: number; 'seen in': string; first: string }[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  console.table(found);
});

describe('the list on a simulated disk', () => {
  it(
    '12-R1 1.4-R3 saves in six styles at any call, deaths, power cuts, failing calls: nothing lost, doubled, untrue or left',
    async () => {
      const report = await live(ROOT, ['--lives', String(LIVES)]);
      expect(report.broken).toEqual([]);
      expect(report.lives).toBeGreaterThan(LIVES * 10);
    },
    LIMIT_MS,
  );

  for (const [index, fault] of PLANTED.entries()) {
    it(
      `12-R1 (test of the test) sees that ${fault.name}`,
      async () => {
        const copy = join(folder, String(index));
        for (const part of ['src', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
        symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
        const file = join(copy, fault.file);
        const text = readFileSync(file, 'utf8');
        expect(text.split(fault.from)).toHaveLength(2);
        writeFileSync(
          file,
          text.replace(fault.from, () => fault.to),
        );
        const report = await live(ROOT, [
          '--lives',
          String(PLANTED_LIVES),
          '--first',
          String(fault.first ?? 1),
          '--stop',
          '--case',
          fault.within,
          '--source',
          copy,
        ]);
        expect(report.brokenCount).toBeGreaterThan(0);
        const [first] = report.broken;
        found.push({ fault: fault.name, lives: report.lives, 'seen in': `${first?.case} (seed ${first?.seed})`, first: first?.faults[0]?.slice(0, 60) ?? '' });
      },
      LIMIT_MS,
    );
  }
});

/** In a process of its own; a copy that cannot even run counts as nothing seen. */
function live(root: string, args: readonly string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(root, 'test', 'protocol', 'run.ts'), '--quiet', ...args],
      { cwd: root, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        if (line.startsWith('{')) resolve(JSON.parse(line) as Report);
        else reject(new Error(stderr));
      },
    );
  });
}
