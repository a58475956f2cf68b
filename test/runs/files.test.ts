import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { filesField, meeting } from '../../src/runs/files.ts';

const globs = (text: string): readonly string[] => filesField([{ key: 'files', value: text, line: 0 }]) ?? [];
const meet = (a: string, b: string, tip?: readonly string[]): string => meeting(globs(a), globs(b), tip);

describe('files of two tasks', () => {
  it.each([
    ['src/auth/**', 'src/billing/**', 'apart'],
    ['src/auth/**', 'src/auth/login.ts', 'meet'],
    ['src/auth', 'src/auth/login.ts', 'meet'],
    ['src/auth/', './src/auth/login.ts', 'meet'],
    ['src/auth', 'src/authors.ts', 'apart'],
    ['src/a.ts', 'src/a.ts', 'meet'],
    ['SRC/A.ts', 'src/a.ts', 'meet'],
    ['README.md', 'readme.md, x', 'meet'],
    ['src/*.ts', 'src/*.css', 'apart'],
    ['src/a*.ts', 'src/b*.ts', 'apart'],
    ['src/*.ts', 'src/deep/x.ts', 'apart'],
    ['src/**/*.ts', 'src/deep/x.ts', 'meet'],
    ['**/*.test.ts', 'src/auth/**', 'unsure'],
    ['{src,test}/auth/**', 'test/auth/x.ts', 'meet'],
    ['{src/auth,test}/x.ts', 'src/billing/y.ts', 'meet'],
    ['src/[ab].ts', 'src/a.ts', 'meet'],
    ['`src/a.ts`, src/b.ts', 'src/b.ts', 'meet'],
    ['src/a.ts src/b.ts', 'src/b.ts', 'meet'],
    ['my file.ts', 'my file.ts', 'meet'],
    ['**', 'anything', 'meet'],
  ])('3-R5 %s and %s: %s', (a, b, expected) => {
    expect([meet(a, b), meet(b, a)]).toEqual([expected, expected]);
  });

  it('3-R5 where both are open the files of the tip decide; a glob that matches nothing yet may meet', () => {
    const tip = ['test/auth/login.test.ts', 'src/auth/login.ts', 'docs/x.md'];
    expect(meet('**/*.test.ts', 'src/**/*.ts', tip)).toBe('apart');
    expect(meet('**/*.test.ts', 'test/**', tip)).toBe('meet');
    expect(meet('**/*.test.ts', 'src/billing/**', tip)).toBe('meet');
    expect(meeting(undefined, globs('src/**'), tip)).toBe('apart');
  });

  it('3-R5 never says apart where one path is matched by both', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '?', '**', '{a,b}', '[ab]', 'a.ts', '*.ts');
    const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'a.ts'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    let both = 0;
    fc.assert(
      fc.property(glob, glob, path, (a, b, each) => {
        if (!picomatch.isMatch(each, a, { dot: true }) || !picomatch.isMatch(each, b, { dot: true })) return;
        both++;
        expect(meeting(globs(a), globs(b), undefined)).not.toBe('apart');
        expect(meeting(globs(a), globs(b), [each])).toBe('meet');
      }),
      { numRuns: 6000 },
    );
    expect(both).toBeGreaterThan(20);
  });

  it('3-R5 11-R1 is cheap on 10,000 files: each glob is looked up once for a tip', () => {
    const tip = Array.from({ length: 10_000 }, (_, at) => `src/part${at % 200}/file${at}.ts`);
    let apart = 0;
    for (let at = 0; at < 5000; at++) if (meet(`src/part${at % 50}/*1*.ts`, `src/*/*${at % 7}2.ts`, tip) === 'apart') apart++;
    expect(apart).toBeGreaterThan(0);
  });
});
