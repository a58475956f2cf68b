import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allTasks } from '../../src/tasks/find.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { ParseOptions } from '../../src/tasks/parse.ts';
import type { Board } from '../../src/tasks/task.ts';
import { tidyList, uglyLines } from './ugly-text.ts';

const options = defaultParseOptions;
const everything: ParseOptions = { labels: { hash: true, at: true, todotxt: true }, workers: ['anna'] };
const withoutNews = (board: Board) => ({ ...board, fresh: 0 });
const fingerprints = (board: Board) => new Set([...allTasks(board)].map(({ task }) => task.fingerprint));

/** Some text, and the same after one change somewhere. */
const twoVersions = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(text, fc.nat(), fc.nat(30), fc.oneof(uglyLines(4), fc.constantFrom('', '\n', '# X\n', '---\n', '```\n', 'x', '{p0}', '-->')))
    .map(([before, at, cut, put]) => {
      const from = before.length === 0 ? 0 : at % (before.length + 1);
      return [before, before.slice(0, from) + put + before.slice(from + cut)] as const;
    });

const manySections = fc
  .array(fc.oneof(tidyList, uglyLines(6), fc.constantFrom('# Top {p0}\n', '# Other\n', '### Phase\n')), { minLength: 2, maxLength: 8 })
  .map((parts) => parts.join(''));

const fingerprintOf = (text: string) => [...allTasks(parse(`## Git Worktree a\n${text}\n`, options))][0]!.task.fingerprint;

describe('parse', () => {
  it('1.4-R1 reads a changed text with the board before exactly as without it', () => {
    fc.assert(
      fc.property(twoVersions(fc.oneof(uglyLines(), tidyList, manySections)), ([before, after]) => {
        const old = parse(before, everything);
        const board = parse(after, everything, old);
        expect(withoutNews(board)).toEqual(withoutNews(parse(after, everything)));
        expect(board.fresh).toEqual(fingerprints(board).difference(fingerprints(old)));
      }),
      { numRuns: 1500 },
    );
  });

  it('1.4-R1 goes on being right over a chain of changes', () => {
    fc.assert(
      fc.property(manySections, fc.array(fc.tuple(fc.nat(), fc.nat(20), uglyLines(2)), { minLength: 1, maxLength: 8 }), (start, changes) => {
        let text = start;
        let board = parse(text, options);
        for (const [at, cut, put] of changes) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + put + text.slice(from + cut);
          board = parse(text, options, board);
        }
        expect(withoutNews(board)).toEqual(withoutNews(parse(text, options)));
      }),
      { numRuns: 300 },
    );
  });

  it('1.4-R1 gives unchanged sections as the same objects, and reads only those around the change', () => {
    const sections = Array.from({ length: 50 }, (_, index) => `## Git Worktree s${index}\n[] task ${index}\n`);
    const before = parse(sections.join(''), options);
    const after = parse(sections.with(25, `## Git Worktree s25\n[] task 25 edited\n[] one more\n`).join(''), options, before);
    const shared = after.sections.filter((section, index) => section === before.sections[index]).length;
    expect(shared).toBeGreaterThanOrEqual(46);
    expect([...after.fresh]).toHaveLength(2);
  });

  it.each([
    ['## Git Worktree a\n[] x\n##', '## Git Worktree a\n[] x\n##y'],
    ['## Git Worktree a\n[] x\n# b\nc\n--', '## Git Worktree a\n[] x\n# b\nc\n--d'],
    ['## Git Worktree a\n- [] a\n   ```\n     ```\n   files: x\n', '## Git Worktree a\n [] a\n   ```\n     ```\n   files: x\n'],
    ['---\n[] x\n## a\n## b\n## c\n## d\n[] y\n', '---\n[] x\n## a\n## b\n## c\n## d\n---\n[] y\n'],
  ])('1.4-R1 reads again what a change further down gives another meaning: %j', (before, after) => {
    expect(withoutNews(parse(after, options, parse(before, options)))).toEqual(withoutNews(parse(after, options)));
  });

  it('1.4-R1 reads sections again when the initiative above them changes', () => {
    const text = '# A {p1}\n## Git Worktree a\n[] x\n## Git Worktree b\n[] y\n# B\n## Git Worktree c\n[] z\n## Git Worktree d\n[] w\n';
    const before = parse(text, options);
    const after = parse(text.replace('# A {p1}', '# A {p0}'), options, before);
    expect([...allTasks(after)].map(({ task }) => task.inherited.map((tag) => tag.key))).toEqual([['p0'], ['p0'], [], []]);
    expect(after.sections[5]).toBe(before.sections[5]);
  });

  it('1.4-R1 reads everything again when the config turns on other spellings', () => {
    const text = '## Git Worktree a\n[] x #quick @anna\n';
    const before = parse(text, options);
    const after = parse(text, everything, before);
    expect([...allTasks(after)][0]!.task.tags.map((tag) => tag.key)).toEqual(['quick', 'owner']);
  });

  it('1.4-R1 never throws and keeps every line, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom('[', ']', '`', '{', '}', '\\', '\n', '#', '-', ' ', '<', '!', '>', '✅', '\ud83d', '\r') }),
        ),
        (text) => {
          const board = parse(text, everything);
          expect(board.sections.reduce((sum, section) => sum + section.length, 0)).toBe(text.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('1.4-R10 keeps the fingerprint when only marker, id or notes change, and changes it with the wish', () => {
    const wish = fingerprintOf('[] Do it {p1}\n  files: x');
    expect(fingerprintOf('[🟡 q8f0t6zd] Do it {p1}\n  files: x')).toBe(wish);
    expect(fingerprintOf('[] Do it {p1} {id:q8f0t6zd}\n  > failed\n  files: x')).toBe(wish);
    expect(fingerprintOf('- [❌ q8f0t6zd] Do it {p1}\n    files: x\n    > one\n    > two')).toBe(wish);
    for (const other of ['[] Do that {p1}\n  files: x', '[] Do it {p0}\n  files: x', '[] Do it {p1}\n  files: y', '[] Do it {p1}'])
      expect(fingerprintOf(other)).not.toBe(wish);
  });

  it('1.1-R3 lets the nearest heading win, and never hands down an id', () => {
    const board = parse(
      '# T {p3} {codex} {owner:bob}\n## Git Worktree a {p2} {id:s}\n### P {p1} {approval}\n#### Q {owner:eve}\n[] x {p0}\n### R\n[] y\n',
      options,
    );
    const tags = [...allTasks(board)].map(({ task }) => task.inherited.map((tag) => tag.text));
    expect(tags).toEqual([
      ['owner:eve', 'approval', 'codex'],
      ['p2', 'codex', 'owner:bob'],
    ]);
  });
});

describe('size', () => {
  const shapes: Record<string, (size: number) => string> = {
    'one long line of open brackets': (size) => `[] ${'['.repeat(size)}`,
    'one long line of open braces': (size) => `[] ${'{a:'.repeat(size / 3)}`,
    'one long line of backticks of all lengths': (size) =>
      `[] {p0} ${Array.from({ length: Math.sqrt(2 * size) }, (_, index) => '`'.repeat(index + 1)).join(' ')} {p1}`,
    'one long line of single backticks and braces': (size) => `[] ${'`a` {x} '.repeat(size / 8)}`,
    'one long line of escaped backticks': (size) => `[] ${'\\`` '.repeat(size / 4)}{p0} \``,
    'one long line of comment openers': (size) => `[] ${'<!-- '.repeat(size / 5)}`,
    'lines of comment openers that nothing closes': (size) => 'a <!--\n'.repeat(size / 7),
    'tasks with comment openers that nothing closes': (size) => '[] a <!--\n'.repeat(size / 10),
    'lines of fences of growing length': (size) => Array.from({ length: Math.sqrt(2 * size) }, (_, index) => '`'.repeat(index + 3)).join('\n'),
    'bullets in bullets': (size) => '- '.repeat(size / 2),
    'ever deeper tasks': (size) => Array.from({ length: Math.sqrt(2 * size) }, (_, index) => `${' '.repeat(index)}[] x`).join('\n'),
    backslashes: (size) => `[] ${'\\'.repeat(size)} {p0}`,
    'white space': (size) => `[]${' '.repeat(size)}x`,
    'paragraphs with an underline': (size) => 'a\n-\n'.repeat(size / 4),
    'one paragraph with an underline at last': (size) => `${'a\n'.repeat(size / 2)}---\n`,
    'markers on one line': (size) => `[] ${'[] '.repeat(size / 3)}`,
    'todo labels': (size) => `[] ${'#a '.repeat(size / 3)}`,
    'dates with emoji': (size) => `[] ${'📅 2026-01-01 '.repeat(size / 14)}`,
    'ids with commas': (size) => `[] ${'⛔ a, '.repeat(size / 5)}`,
    notes: (size) => `[] a\n${'  > x\n'.repeat(size / 6)}`,
    fields: (size) => `[] a\n${'  files: x\n'.repeat(size / 11)}`,
    'equal tasks': (size) => '[] a\n'.repeat(size / 5),
    phases: (size) => '### a {p0}\n'.repeat(size / 11),
    'carriage returns': (size) => '[] a\r'.repeat(size / 5),
  };

  it.each(Object.entries(shapes))('1.4-R1 takes time in proportion to the text: %s', (_, shape) => {
    const time = (size: number) => {
      const text = `## Git Worktree a\n${shape(size)}`;
      const times = Array.from({ length: 2 }, () => {
        const start = performance.now();
        parse(text, everything);
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    time(10_000);
    const small = time(25_000);
    const large = time(400_000);
    // Sixteen times the text: quadratic would be 256 times the time. The floor keeps noise on tiny times out.
    expect(large).toBeLessThan(Math.max(small, 1.5) * 16 * 6);
  });
});
