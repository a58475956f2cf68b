import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, type Look, shorten, table, wrap } from '../../../src/surfaces/cli/layout.ts';
import { nearest } from '../../../src/surfaces/cli/nearest.ts';
import { countWords, elapsed, tagWords, usageWords } from '../../../src/surfaces/cli/words.ts';

const look = (width?: number): Look => ({ width, color: false, now: 0 });

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['', 0],
    ['日本', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['⏰', 2],
    ['🟡', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['✅\ufe0f', 2],
    ['ｱ', 1],
    ['Ａ', 2],
    ['\u001b[31mred\u001b[39m', 3],
  ])('9-R1 %j takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('9-R1 a shortened text is never wider than it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 20 }), (text, width) => {
        expect(displayWidth(shorten(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('tables', () => {
  const columns = [{ header: 'A' }, { header: 'B', shrinksTo: 5 }, { header: 'C', dropOrder: 1 }];
  const rows = [
    [{ text: 'one' }, { text: 'a rather long text' }, { text: 'last' }],
    [{ text: '日本' }, { text: 'short' }, { text: '' }],
  ];

  it('9-R1 as wide as it needs to be where there is room', () => {
    expect(table(columns, rows, look())).toEqual(['A     B                   C', 'one   a rather long text  last', '日本  short']);
  });

  it('9-R1 shrinks what may shrink, then drops what may be dropped, then shrinks further', () => {
    expect(table(columns, rows, look(22))).toEqual(
      ['A     B           C', 'one   a rather…   last', '日本  short'].map((line) => expect.stringContaining(line.slice(0, 12)) as string),
    );
    for (const width of [40, 22, 18, 14, 11]) for (const line of table(columns, rows, look(width))) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    expect(table(columns, rows, look(14))[0]).toBe('A     B');
  });

  it('9-R1 leaves out a column in which nothing stands', () => {
    expect(table(columns, [[{ text: 'x' }, { text: '' }, { text: 'y' }]], look())).toEqual(['A  C', 'x  y']);
    expect(table(columns, [], look())).toEqual([]);
  });

  it('9-R1 a cell is one line whatever is in it', () => {
    expect(table([{}, {}], [[{ text: 'a\nb\tc' }, { text: 'd' }]], look())).toEqual(['a b c  d']);
  });
});

describe('wrapping', () => {
  it('9-R1 breaks at spaces, indents what follows, keeps paragraphs', () => {
    expect(wrap('one two three\nfour', look(9), '- ', '  ')).toEqual(['- one two', '  three', '  four']);
    expect(wrap('one two', look())).toEqual(['one two']);
    expect(wrap('averylongword x', look(5))).toEqual(['averylongword', 'x']);
  });

  it('9-R1 loses no word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/)), fc.integer({ min: 1, max: 30 }), (words, width) => {
        expect(
          wrap(words.join(' '), look(width))
            .join(' ')
            .split(' ')
            .filter((word) => word !== ''),
        ).toEqual(words);
      }),
    );
  });
});

describe('words', () => {
  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [60_000, '1m 00s'],
    [192_000, '3m 12s'],
    [3_600_000, '1h 00m'],
    [7_500_000, '2h 05m'],
    [86_400_000 * 3 + 4 * 3_600_000, '3d 4h'],
    [-5, '0s'],
  ])('9-R1 %i ms are %s', (ms, words) => {
    expect(elapsed(ms)).toBe(words);
  });

  it('9-R1 amounts and counts', () => {
    expect(usageWords({ inputTokens: 999, outputTokens: 0, costUsd: 0 })).toBe('999 tokens');
    expect(usageWords({ inputTokens: 1500, outputTokens: 500, costUsd: 0.126 })).toBe('2.0k tokens, $0.13');
    expect(usageWords({ inputTokens: 0, outputTokens: 0, costUsd: 0 })).toBe('');
    expect(countWords({ done: 2, failed: 0, open: 1 })).toBe('2 done, 1 open');
    expect(countWords({})).toBe('no tasks');
  });

  it('1.2-R1 tags as they may be typed', () => {
    expect(['p0', 'after:x', 'due:: 2026-12-01', '#back', '📅 2026-12-01', '(A)'].map(tagWords)).toEqual([
      '{p0}',
      '{after:x}',
      '[due:: 2026-12-01]',
      '#back',
      '📅 2026-12-01',
      '(A)',
    ]);
  });

  it.each([
    ['strat', 'start'],
    ['satus', 'status'],
    ['STATUS', 'status'],
    ['dcotor', 'doctor'],
    ['zzzz', undefined],
    ['', undefined],
    ['x'.repeat(100), undefined],
  ])('7-R2 %j is near to %j', (typed, name) => {
    expect(nearest(typed, ['start', 'status', 'doctor', 'stop'])).toBe(name);
  });
});
