/**
 * Bytes into lines and into a tail, with hard limits.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { lastBytes, lineCutter } from '../../src/adapters/output.ts';

function cut(chunks: readonly (string | Buffer)[], maxBytes = 100): string[] {
  const lines: string[] = [];
  const cutter = lineCutter(maxBytes, (line) => void lines.push(line));
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.end();
  return lines;
}

const left = (bytes: number): string => `… [${bytes} bytes of this line left out]`;

it('5.3-R2 cuts lines wherever the chunks end, with either line end, and the last one without', () => {
  expect(cut(['a\r\nb', 'c\n\nd', '\r', '\ne'])).toEqual(['a', 'bc', '', 'd', 'e']);
});

it('5.3-R2 keeps a character whole that comes in two chunks, and lets bad bytes spoil only themselves', () => {
  const euro = Buffer.from('€');
  expect(cut([Buffer.concat([Buffer.from('a'), euro.subarray(0, 1)]), euro.subarray(1), '\n', Buffer.from([0xff, 0x0a]), 'ok'])).toEqual([
    'a€',
    '\uFFFD',
    'ok',
  ]);
});

it('5.3-R3 hands the beginning of a line over that is too long, and says how much is missing', () => {
  expect(cut(['x'.repeat(12), 'y'.repeat(5), '\nz'], 10)).toEqual([`${'x'.repeat(10)}${left(7)}`, 'z']);
  expect(cut([`${'x'.repeat(11)}\n`], 10)).toEqual([`${'x'.repeat(10)}${left(1)}`]);
  expect(cut(['x'.repeat(10), '\n'], 10)).toEqual(['x'.repeat(10)]);
});

it('5.3-R2 gives the same lines however the text is cut into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'bb', '\n', '\r\n', 'ü', 'xxxxxxxxxxxx'), { maxLength: 40 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const at = [0, ...cuts.filter((each) => each <= bytes.length).toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(cut(chunks, 16)).toEqual(cut([bytes], 16));
      },
    ),
    { numRuns: 300 },
  );
});

it('5.3-R3 keeps exactly the last bytes, from a whole line on', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^a-z]/g, 'x')),
        { maxLength: 20 },
      ),
      (chunks) => {
        const last = lastBytes(16);
        for (const chunk of chunks) last.push(Buffer.from(chunk));
        expect(last.text()).toBe(chunks.join('').slice(-16));
      },
    ),
    { numRuns: 300 },
  );
  const lines = lastBytes(10);
  for (const text of ['one\n', 'two\n', 'three\n']) lines.push(Buffer.from(text));
  expect(lines.text()).toBe('three\n');
});
