import { describe, expect, it } from 'vitest';
import { hasConflictMarkers, looksTorn } from '../../src/tasks/compare.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';

const read = (text: string) => parse(text, defaultParseOptions);
const body = (count: number) => Array.from({ length: count }, (_, index) => `[] task ${index}\n`).join('');
const list = (count: number) => `## Git Worktree a\n${body(count)}`;
const torn = (before: string, after: string) => {
  const board = read(before);
  return [looksTorn(board, read(after)), looksTorn(board, parse(after, defaultParseOptions, board))];
};

describe('torn lists', () => {
  it('1.4-R6 sees an empty list, and one that is cut off inside a line', () => {
    expect(torn(list(1), '')).toEqual([true, true]);
    expect(torn(list(1), ' \n')).toEqual([true, true]);
    expect(torn(list(10), list(10).slice(0, -4))).toEqual([true, true]);
    expect(torn('Hello\n', '')).toEqual([false, false]);
  });

  it('1.4-R6 sees more than a fifth of at least five known tasks gone', () => {
    expect(torn(list(10), list(8))).toEqual([false, false]);
    expect(torn(list(10), list(7))).toEqual([true, true]);
    expect(torn(list(9), list(7))).toEqual([true, true]);
    expect(torn(list(5), list(3))).toEqual([true, true]);
    expect(torn(list(4), list(1))).toEqual([false, false]);
    expect(torn(`${list(10)}## Git Worktree b\n${body(10)}`, `## Git Worktree b\n${body(10)}`)).toEqual([true, true]);
  });

  it('1.4-R6 counts a task as there when its id or its words are, whatever its marker and place', () => {
    const before = '## Git Worktree a\n[🟡 q8f0t6zd] a\n[🟡 k3v9x2m1] b\n[] c\n[] c\n[] d {p1}\n[] e\n';
    expect(torn(before, '## Git Worktree b\n[❌ q8f0t6zd] other words\n[] y {id:k3v9x2m1}\n## Git Worktree a\n[x] d {p0}\n[-] c\n[] c\n[] e\n')).toEqual([
      false,
      false,
    ]);
    expect(torn(before, '## Git Worktree a\n[🟡 q8f0t6zd] a\n[🟡 k3v9x2m1] b\n[] c\n[] d\n')).toEqual([true, true]);
    expect(torn(before, before)).toEqual([false, false]);
    expect(torn(before, `${before}[] f\n`)).toEqual([false, false]);
  });

  it('1.4-R7 sees the lines that git writes into a conflict, and no others', () => {
    const conflicted = (text: string) => hasConflictMarkers(parse(text, defaultParseOptions));
    expect(conflicted('a\n<<<<<<< HEAD\n[] a\n=======\n[] b\n>>>>>>> other\n')).toBe(true);
    expect(conflicted('>>>>>>> other\r\n')).toBe(true);
    expect(conflicted('<<<<<<<')).toBe(true);
    expect(conflicted('## Git Worktree a\n[] a\n<<<<<<< HEAD\n## Git Worktree b\n=======\n>>>>>>> other\n')).toBe(true);
    expect(conflicted('Title\n=======\n> > > > > > > x\n a <<<<<<< b\n<<<<<<<<\n')).toBe(false);
  });
});
