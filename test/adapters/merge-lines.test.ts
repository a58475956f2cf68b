import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeLines } from '../../src/adapters/merge-lines.ts';

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((all) => lines(...all));

/** A text, and the words that were put in and are in nobody else's. */
type Changed = { readonly text: string; readonly words: readonly string[] };

function change(base: string, tag: string, ops: readonly { readonly at: number; readonly remove: boolean }[]): Changed {
  const all = base.split('\n').slice(0, -1);
  ops.forEach(({ at, remove }, index) => {
    if (remove && all.length > 0) all.splice(at % all.length, 1);
    else all.splice(at % (all.length + 1), 0, `${tag}${index}`);
  });
  return { text: lines(...all), words: all.filter((line) => line.startsWith(tag)) };
}

const ops = fc.array(fc.record({ at: fc.nat(20), remove: fc.boolean() }), { maxLength: 6 });

describe('two changes of one text', () => {
  it('1.4-R3 stand together where they touch different lines', () => {
    expect(mergeLines(lines('a', 'b', 'c', 'd'), lines('a', 'X', 'b', 'c', 'd'), lines('a', 'b', 'c', 'Y'))).toEqual({
      text: lines('a', 'X', 'b', 'c', 'Y'),
      conflicts: 0,
    });
    expect(mergeLines(lines('a', 'b', 'c'), lines('b', 'c'), lines('a', 'b', 'C'))).toEqual({ text: lines('b', 'C'), conflicts: 0 });
  });

  it('1.4-R3 both additions at one place stand, what they share once', () => {
    expect(mergeLines(lines('a', 'END'), lines('a', 'x', 'y', 'END'), lines('a', 'x', 'z', 'END'))).toEqual({
      text: lines('a', 'x', 'y', 'z', 'END'),
      conflicts: 0,
    });
  });

  it('1.4-R3 what both added is there once, also beside a line that only one of them changed or took away', () => {
    const once = { text: lines('a', 'y', 'x', '[] task'), conflicts: 0 };
    expect(mergeLines(lines('a', '[🟡 q8f0t6zd] task'), lines('a', 'x', '[🟡 q8f0t6zd] task'), lines('a', 'y', 'x', '[] task'))).toEqual(once);
    expect(mergeLines(lines('a', 'b'), lines('a', 'x', 'b'), lines('a', 'x')).text).toBe(lines('a', 'x'));
    expect(mergeLines(lines('a', 'b'), lines('a', 'x'), lines('a', 'x', 'b')).text).toBe(lines('a', 'x'));
    expect(mergeLines(lines('a', 'b'), lines('a', 'b', 'x'), lines('a', 'x')).text).toBe(lines('a', 'x'));
  });

  it('1.4-R3 what one side put in the place of a line that the other took away stands, and a line taken away stays away', () => {
    expect(mergeLines(lines('a', 'b', 'c'), lines('a', 'x', 'c'), lines('a', 'c'))).toEqual({ text: lines('a', 'x', 'c'), conflicts: 0 });
    expect(mergeLines(lines('a', '[] task', 'c'), lines('a', '[🟡 q8f0t6zd] task', 'c'), lines('a', 'c'))).toEqual({ text: lines('a', 'c'), conflicts: 0 });
    expect(mergeLines(lines('a', 'b', 'c', 'd'), lines('a', 'b', 'x', 'd'), lines('a', 'd'))).toEqual({ text: lines('a', 'x', 'd'), conflicts: 0 });
  });

  it('1.4-R3 a task that both added is one task, with the newer marker', () => {
    expect(mergeLines(lines('a'), lines('a', '- [] task'), lines('a', '- [✅ a1b2c3d, q8f0t6zd] task', 'x')).text).toBe(
      lines('a', '- [✅ a1b2c3d, q8f0t6zd] task', 'x'),
    );
  });

  it('1.4-R3 an added line stays where the line below it is marked by one side and edited by the other', () => {
    const merged = mergeLines(lines('a', '[] task'), lines('a', 'x', '[🟡 q8f0t6zd] task'), lines('a', '[x] task'));
    expect(merged).toEqual({ text: lines('a', 'x', '[x] task'), conflicts: 1 });
  });

  it('1.4-R3 the newer stands where both changed the same lines, and that is counted', () => {
    expect(mergeLines(lines('a', 'b', 'c'), lines('a', 'old', 'c'), lines('a', 'new', 'c'))).toEqual({ text: lines('a', 'new', 'c'), conflicts: 1 });
  });

  it('1.1-R6 line ends are kept, and a last line without one never runs into the next', () => {
    expect(mergeLines('a\r\nb\r\n', 'x\r\na\r\nb\r\n', 'a\r\nb\r\ny\r\n').text).toBe('x\r\na\r\nb\r\ny\r\n');
    expect(mergeLines('a\nEND', 'x\na\nEND', 'a\nEND\nmore').text).toBe('x\na\nEND\nmore');
  });

  it('1.4-R3 (property) one side alone is that side; the same twice is once', () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        expect(mergeLines(base, other, base)).toEqual({ text: other, conflicts: 0 });
        expect(mergeLines(base, base, other)).toEqual({ text: other, conflicts: 0 });
        expect(mergeLines(base, other, other)).toEqual({ text: other, conflicts: 0 });
      }),
    );
  });

  it('1.4-R3 (property) every added line of the newer side is there, and of the older one where nothing is in conflict', () => {
    fc.assert(
      fc.property(text, ops, ops, (base, left, right) => {
        const [older, newer] = [change(base, 'old', left), change(base, 'new', right)];
        const merged = mergeLines(base, older.text, newer.text);
        const found = new Set(merged.text.split('\n'));
        expect(newer.words.filter((word) => !found.has(word))).toEqual([]);
        if (merged.conflicts === 0) expect(older.words.filter((word) => !found.has(word))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('1.4-R3 texts that have little in common end as well', () => {
    const one = lines(...Array.from({ length: 5000 }, (_, index) => `one ${index}`));
    const two = lines(...Array.from({ length: 5000 }, (_, index) => `two ${index}`));
    expect(mergeLines(lines('a', 'b'), one, two)).toEqual({ text: two, conflicts: 1 });
    expect(mergeLines(one, two, one)).toEqual({ text: two, conflicts: 0 });
  });
});
