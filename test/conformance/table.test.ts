import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { conformance, printed, rulesOf, rulesSchema, totals } from './table.ts';

const report = (tests: readonly (readonly [string, string])[]) => ({
  testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: tests.map(([title, status]) => ({ title, status })) }],
});
const RULES = [
  { rule: '1.4-R3', text: 'a' },
  { rule: '2-R1', text: 'b', later: 'backlog' },
  { rule: '9-R1', text: 'c' },
];

it.each([
  ['1.4-R3 keeps a save', ['1.4-R3']],
  ['1.4-R3, 2-R2 and 12-R1 keep a save of 3-R7', ['1.4-R3', '2-R2', '12-R1']],
  ['keeps 1.4-R3', []],
  ['the house', []],
])('the table reads the rules of "%s"', (title, rules) => {
  expect(rulesOf(title)).toEqual(rules);
});

it('the table shows what passed, failed, is missing or comes later', () => {
  const found = conformance(
    RULES,
    report([
      ['1.4-R3 a', 'passed'],
      ['1.4-R3 b', 'failed'],
      ['9-R1 x', 'passed'],
    ]),
  );
  expect(found.rows.map((row) => row.result)).toEqual(['failed', 'later', 'passed']);
  expect(found.ok).toBe(false);
  expect(printed(found)).toMatch(/1\.4-R3 \| a .*\| 2 +\| FAILED\n2-R1 .* open: backlog/);
});

it('the table wants a test for every rule of the first parts that is not for later', () => {
  expect(conformance(RULES, report([['9-R1 x', 'passed']])).ok).toBe(false);
  expect(conformance(RULES, report([['1.4-R3 x', 'skipped']])).ok).toBe(false);
  expect(conformance(RULES, report([['1.4-R3 x', 'passed']])).ok).toBe(true);
  for (const rule of ['1.1-R1', '2-R1', '3-R1', '4-R1', '5.1-R1', '5.2-R1', '7-R1', '8-R1'])
    expect(conformance([{ rule, text: '' }], report([])).ok).toBe(false);
  for (const rule of ['5.3-R1', '6.1-R1', '9-R1', '10-R1', '11-R1', '12-R1', '13-R1']) expect(conformance([{ rule, text: '' }], report([])).ok).toBe(true);
});

it('the table notices a test of a rule that is none', () => {
  const found = conformance(
    RULES,
    report([
      ['1.4-R3 x', 'passed'],
      ['1.4-R33 x', 'passed'],
    ]),
  );
  expect(found).toMatchObject({ unknown: ['1.4-R33'], ok: false });
});

it('the table counts a file that could not be loaded as a failure', () => {
  const broken = {
    testResults: [
      ...report([
        ['a', 'passed'],
        ['b', 'skipped'],
      ]).testResults,
      { name: 'b', status: 'failed', message: 'SyntaxError', assertionResults: [] },
    ],
  };
  expect(totals(broken)).toEqual({ passed: 1, failed: 1, skipped: 1 });
});

it('the list of rules is readable and names each rule once', () => {
  const rules = rulesSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'rules.json'), 'utf8')));
  expect(new Set(rules.map(({ rule }) => rule)).size).toBe(rules.length);
});
