import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldedName, isSafeName, unsafeReason } from '../../src/tasks/name.ts';

const git = (name: string) => {
  try {
    execFileSync('git', ['check-ref-format', `refs/heads/todone/${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('names', () => {
  it.each(['feature-auth', 'feat/x', 'v1.2', 'a_b', 'ünïcode', '日本', 'a+b', 'A', '1'])('4-R2 allows %s', (name) => {
    expect(unsafeReason(name)).toBeUndefined();
  });

  it.each([
    '',
    '../x',
    'a/../b',
    '-rf',
    'a/-b',
    '.git',
    'a/.git',
    'HEAD',
    'head',
    'refs',
    'a/refs',
    'x.lock',
    'a.LOCK/b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a b',
    ' a',
    'a\tb',
    'a\u0000',
    'a\u00a0b',
    'a\u202eb',
    'a\u200bb',
    '@',
    'a@{1}',
    'a//b',
    '/a',
    'a/',
    'a.',
    '.a',
    'a..b',
    '$(id)',
    'a;b',
    'a`b',
    'CON',
    '~',
    'a~2',
    'x'.repeat(101),
    '日'.repeat(80),
    '\u0301a',
    "a'b",
    '"',
    '<x>',
    'a|b',
    '%41',
    '#x',
    '!x',
    '\ud800',
  ])('4-R2 refuses %j with a reason', (name) => {
    expect(isSafeName(name)).toBe(false);
    expect(unsafeReason(name)).toMatch(/^(is|has) /);
  });

  it('4-R2 allows nothing that git refuses', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'B', '1', '-', '_', '.', '/', '~', '^', ':', '@', '{', '\\', ' ', 'lock', '.lock', '..', 'é', 'HEAD', '日'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(part.filter(isSafeName), (name) => {
        expect(git(name)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('4-R2 sees through case and Unicode forms', () => {
    expect(foldedName('FEAT')).toBe(foldedName('feat'));
    expect(foldedName('caf\u00e9')).toBe(foldedName('cafe\u0301'));
    expect(foldedName('\ufb01x')).toBe(foldedName('fix'));
  });
});
