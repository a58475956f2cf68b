/** The faults that the chaos campaigns have to find can still be planted: each is there exactly once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLANTED } from './planted.ts';

it.each(PLANTED)('12-R1 (test of the test) can still be planted: $name', ({ file, from }) => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8').split(from)).toHaveLength(2);
});
