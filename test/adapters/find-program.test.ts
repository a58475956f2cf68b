import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../src/adapters/find-program.ts';
import { tempFolder } from './process-kit.ts';

function place(): string {
  const folder = tempFolder();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'tool'), '', { mode: 0o755 });
  writeFileSync(join(folder, 'sub', 'tool'), '', { mode: 0o755 });
  writeFileSync(join(folder, 'plain'), '', { mode: 0o644 });
  return folder;
}

it('5.3-R1 finds the first program of the PATH, and neither a folder nor a file that may not be run', () => {
  const folder = place();
  const PATH = `/no/such/folder:${join(folder, 'sub')}:${folder}`;
  expect(findProgram('tool', { PATH })).toBe(join(folder, 'sub', 'tool'));
  expect(findProgram('plain', { PATH })).toBeUndefined();
  expect(findProgram('sub', { PATH })).toBeUndefined();
  expect(findProgram('', { PATH })).toBeUndefined();
  expect(findProgram('tool', {})).toBeUndefined();
});

it('5.3-R9 looks in no relative folder of the PATH, and for a relative name only where it is told to', () => {
  const folder = place();
  expect(findProgram('tool', { PATH: `${relative(process.cwd(), folder)}::.` })).toBeUndefined();
  expect(findProgram('./tool', {})).toBeUndefined();
  expect(findProgram('./tool', {}, folder)).toBe(join(folder, 'tool'));
  expect(findProgram('sub/tool', {}, folder)).toBe(join(folder, 'sub', 'tool'));
});
