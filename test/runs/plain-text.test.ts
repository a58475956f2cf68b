import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/runs/plain-text.ts';

/** All that a terminal would obey, or that makes text read otherwise than it is. */
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('plainText', () => {
  it.each([
    ['words, tabs\tand\nlines stay', 'words, tabs\tand\nlines stay'],
    ['emoji stay: 👩‍👩‍👧 🇩🇪 ⏰ é', 'emoji stay: 👩‍👩‍👧 🇩🇪 ⏰ é'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b[2J\u001b[1;1Hcleared', 'cleared'],
    ['\u009b31mred', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b]52;c;aGk=\u001b\\clip', 'clip'],
    ['\u009d0;title\u009ctext', 'text'],
    ['\u001bPq#0\u001b\\after', 'after'],
    ['\u001b_apc\u001b\\\u001b^pm\u001b\\\u001bXsos\u001b\\end', 'end'],
    ['\u001b(Bset \u001bcreset', 'set reset'],
    ['over\rwritten\u0008\u0007', 'overwritten'],
    ['crlf\r\nline', 'crlf\nline'],
    ['never ended: \u001b]0;words stay', 'never ended: 0;words stay'],
    ['never ended on its line: \u001b]0;a\nb\u0007', 'never ended on its line: 0;a\nb'],
    ['broken \u001b[12;', 'broken '],
    ['ends with \u001b', 'ends with '],
    ['\u202Eevil\u202C', '<U+202E>evil<U+202C>'],
    ['half \ud800 pair \udc00', 'half \ufffd pair \ufffd'],
    ['a\u2028b', 'a\nb'],
  ])('13-R2 %j is shown as %j', (given, shown) => {
    expect(plainText(given)).toBe(shown);
  });

  it('13-R2 leaves nothing that a terminal would obey, whatever it is given', () => {
    const pieces = fc.constantFrom(
      '\u001b',
      '[',
      ']',
      'P',
      '\u0007',
      '\u001b\\',
      '\u009c',
      '\u009b',
      '\u009d',
      '3',
      ';',
      'm',
      'a',
      ' ',
      '\n',
      '\r',
      '\u202e',
      '\ud83d',
      '\ude00',
      '\u0000',
      '(',
      '\u001b[',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(plainText(text)).not.toMatch(OBEYED);
          expect(plainText(text).isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('13-R2 changes no text twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(plainText(text))).toBe(plainText(text));
      }),
    );
  });

  it('1.1-R6 takes time in step with the length, also of text that is all broken sequences', () => {
    const shown = plainText('\u001b]'.repeat(500_000));
    expect(shown).toBe('');
  });
});
