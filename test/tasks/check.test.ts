import { describe, expect, it } from 'vitest';
import { check } from '../../src/tasks/check.ts';
import type { CheckContext } from '../../src/tasks/check.ts';
import { contextShare } from '../../src/tasks/check-rules.ts';
import { isDate, isEstimate, isRecurrence } from '../../src/tasks/dates.ts';
import { allTasks } from '../../src/tasks/find.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';

const context: CheckContext = {
  stateOf: () => undefined,
  agents: ['codex', 'claude'],
  models: ['opus'],
  workflows: ['default', 'quick'],
  granularity: 'off',
  workers: [],
};

/** Each problem as `line:column rule severity [held titles]`. */
function found(text: string, more: Partial<CheckContext> = {}): string[] {
  return check(parse(text, defaultParseOptions), { ...context, ...more }).map(
    ({ place, rule, severity, holds }) =>
      `${place.line}:${place.column} ${rule} ${severity}${holds ? ` [${holds.map(({ task }) => task.title).join(', ')}]` : ''}`,
  );
}
const inSection = (body: string, more: Partial<CheckContext> = {}) => found(`## Git Worktree a\n${body}`, more);
const messages = (text: string, more: Partial<CheckContext> = {}) => check(parse(text, defaultParseOptions), { ...context, ...more });

describe('check', () => {
  it('1.1-R1 reports tasks outside a section once, and not those that are over', () => {
    expect(found('[] a\n[x] b\n# T\n[x] c\n## Other\n- [] d\n[⏰] e\n## Git Worktree ok\n[] f\n')).toEqual(['1:1 1.1-R1 error [a]', '6:3 1.1-R1 error [d, e]']);
  });

  it('1.1-R2 1.1-R4 what a formatter made of tasks holds them, and names the files that keep it off', () => {
    expect(inSection('Intro [🟡 q8f0t6zd] a\n[] b\n')).toEqual(['2:1 1.1-R2 error [b]']);
    expect(inSection('[] b\n\n> failed in implement\n> [⏰ ] c\n')).toEqual([]);
    expect(inSection('[] b\n\n> failed in implement\n> [🟡 q8f0t6zd] c\n')).toEqual(['5:1 1.1-R2 error [b]']);
    expect(inSection('> [] a list in a quote\n[] b\n')).toEqual([]);
    expect(inSection('[] b\nrun: true\n[] c\n')).toEqual(['3:1 1.1-R4 error [b]']);
    expect(inSection('[] b\n\nrun: true\n')).toEqual([]);
    expect(inSection('[] b files: a run: true\n')).toEqual(['2:1 1.1-R2 error [b files: a run: true]']);
    expect(inSection('[] b `files: a run: true`\n[] c done: a\n')).toEqual(['3:1 1.1-R2 warning']);
    for (const { remedy } of messages('## Git Worktree a\n[] a [] b\n[] c\nrun: true\n')) expect(remedy).toMatch(/\.prettierignore.*todone init/u);
  });

  it('1.1-R2 reports odd brackets, joined lines and words in a bracket', () => {
    expect(inSection('[?] a\n[] b [] c\n- [x] [] d\nx [] y [x] z\n[✅ soon] e\n[]f\n')).toEqual([
      '2:1 1.1-R2 warning',
      '3:1 1.1-R2 error [b [] c, [] d, e]',
      '4:3 1.1-R2 error [b [] c, [] d, e]',
      '5:1 1.1-R2 error [b [] c, [] d, e]',
      '6:1 1.1-R2 warning',
      '7:1 1.1-R2 warning',
    ]);
  });

  it('1.1-R3 reports what was surely meant as a tag', () => {
    expect(inSection('[] a {p1}, b\n[] c {p1}{codex}\n[] d /users/{id} `{p1},` ({p0})\n[] e {after:x}.\n')).toEqual([
      '2:1 1.1-R3 warning',
      '3:1 1.1-R3 warning',
      '5:1 1.1-R3 warning',
    ]);
  });

  it.each([
    ['{owner:all}', 'error'],
    ['{owner:Everyone}', 'error'],
    ['{owner:}', 'error'],
    ['{owner:anna}', undefined],
    ['{every:daily}', undefined],
    ['{every:0 9 * * 1-5}', undefined],
    ['{every:*/5 * * * *}', undefined],
    ['{every:2 weeks}', undefined],
    ['{every:}', 'error'],
    ['{every}', 'error'],
    ['{every:now and then}', 'error'],
    ['{every:61 * * * *}', 'error'],
    ['{not-before:2026-12-01T09:00}', undefined],
    ['{not-before:2026-13-01}', 'error'],
    ['{not-before:tomorrow}', 'error'],
    ['{due:2026-02-29}', 'warning'],
    ['{due:2028-02-29}', undefined],
    ['{created:x}', 'warning'],
    ['{est:2h}', undefined],
    ['{est:soon}', 'warning'],
    ['{workflow:quick}', undefined],
    ['{workflow:other}', 'error'],
    ['{id:a b}', 'warning'],
    ['{id:a-b_c.d1}', undefined],
    ['{after:}', 'error'],
    ['{after:,}', 'error'],
    ['{codex} {claude}', 'error'],
    ['{codex} {codex}', undefined],
    ['{p0} {p1}', 'warning'],
    ['{p4}', 'warning'],
    ['{unknown:x}', undefined],
    ['{hold}', undefined],
  ])('1.2 judges %s', (tags, severity) => {
    const wanted = { error: ['1.2 error [x]'], warning: ['1.2 warning'] };
    expect(inSection(`[] x ${tags}\n`).map((words) => words.replace(/^2:\d+ /, ''))).toEqual(severity === undefined ? [] : wanted[severity as 'error']);
  });

  it('1.2 reports a heading’s tag once, at the heading, holding those it is handed down to', () => {
    expect(
      found(
        '# T {owner:all}\n## Git Worktree a {every:x} {codex}\n[] a\n[] b {owner:anna}\n### P {workflow:y}\n[] c {every:daily}\n## Git Worktree b {codex} {claude}\n[] d {owner:bob}\n[] e {opus}\n',
        { workers: ['anna', 'bob'] },
      ),
    ).toEqual(['1:5 1.2 error []', '2:1 1.2 error [a, c]', '2:19 1.2 error [a, b]', '5:7 1.2 error [c]', '7:1 1.2 error [e]', '7:27 1.2 error [d, e]']);
    expect(found('# T {claude}          \n## Git Worktree a {codex}\n[] a\n')).toEqual([]);
  });

  it('1.2 warns of a worker that nobody configured', () => {
    expect(inSection('[] a {owner:eve}\n', { workers: ['anna'] })).toEqual(['2:6 1.2 warning']);
  });

  it('1.3-R1 warns of missing components, and holds only where the config is strict', () => {
    const body = '[] one line\n[] two\n  files: a\n  done: b\n[] full\n  files: a\n  action: b\n  verify: c\n  done: d\n[x] over\n[] all {epic}\n';
    expect(inSection(body)).toEqual([]);
    expect(inSection(body, { granularity: 'warn' })).toEqual(['2:1 1.3-R1 warning', '3:1 1.3-R1 warning']);
    expect(inSection(body, { granularity: 'strict' })).toEqual(['2:1 1.3-R1 error [one line]', '3:1 1.3-R1 error [two]']);
    expect(messages(`## Git Worktree a\n${body}`, { granularity: 'warn' })[1]!.message).toBe('This task does not say action and verify.');
  });

  it('1.3-R1 warns of vague words and of a task that is too large', () => {
    expect(inSection('[] Clean up the parser etc.\n[] Fix the retcode\n[] x\n  handle errors as needed\n')).toEqual([
      '2:1 1.3-R1 warning',
      '4:1 1.3-R1 warning',
    ]);
    const files = Array.from({ length: 30 }, (_, index) => `src/${index}/**`).join(', ');
    expect(inSection(`[] big\n  files: ${files}\n[] small\n  files: a.ts, b.ts\n`)).toEqual(['2:1 1.3-R1 warning']);
    expect(messages(`## Git Worktree a\n[] big\n  files: ${files}\n`)[0]!.message).toMatch(
      /^This task takes about \d+ % of an agent's context: split required\.$/,
    );
    expect(contextShare([...allTasks(parse('## Git Worktree a\n[] a\n  files: a.ts\n', defaultParseOptions))][0]!.task)).toBeLessThan(0.2);
  });

  it('1.4-R9 holds all but one of the tasks with a doubled id: the one that the journal knows, else the one with it in its bracket', () => {
    const body = '[] a {id:q8f0t6zd}\n[🟡 q8f0t6zd] b\n[🟡 q8f0t6zd] c\n[] d {id:n}\n[] e {id:n}\n';
    expect(inSection(body)).toEqual(['2:1 1.4-R9 error [a]', '4:1 1.4-R9 error [c]', '6:1 1.4-R9 error [e]']);
    expect(inSection(body, { owns: (id, task) => id === 'q8f0t6zd' && task.title === 'c' })).toEqual([
      '2:1 1.4-R9 error [a]',
      '3:1 1.4-R9 error [b]',
      '6:1 1.4-R9 error [e]',
    ]);
    expect(inSection('[🟡 q8f0t6zd] a {id:q8f0t6zd}\n')).toEqual([]);
  });

  it('1.4-R9 holds a task that waits for an id that nobody has, here or elsewhere', () => {
    const body = '[] a {after:b,gone0000,k3v9x2m1}\n[] b {id:b}\n[x] c {after:nobody}\n';
    expect(inSection(body)).toEqual(['2:1 1.4-R9 error [a]']);
    expect(messages(`## Git Worktree a\n${body}`)[0]!.message).toContain('"gone0000" and "k3v9x2m1"');
    expect(inSection(body, { stateOf: (id) => (id === 'nobody' ? undefined : 'done') })).toEqual([]);
  });

  it('6.3-R1 holds the tasks of a cycle and prints the path', () => {
    const text =
      '## Git Worktree a\n[] a {id:a} {after:b}\n[] b {id:b} {after:c,x}\n## Git Worktree b\n[] c {id:c} {after:a}\n[] d {after:a}\n[] x {id:x}\n[] e {id:e} {after:e}\n[x] f {id:f} {after:g}\n[] g {id:g} {after:f}\n';
    expect(found(text)).toEqual(['2:1 6.3-R1 error [a, b, c]', '8:1 6.3-R1 error [e]']);
    expect(messages(text).map(({ message }) => message.split(': ')[1])).toEqual(['a → b → c → a.', 'e → e.']);
    expect(found('## Git Worktree a\n[] parent {id:p}\n  [] child {after:p}\n')).toEqual(['2:1 6.3-R1 error [parent, child]']);
  });

  it('6.3-R1 follows a chain of any length', () => {
    const chain = Array.from({ length: 30_000 }, (_, index) => `[] t {id:t${index}} {after:t${(index + 1) % 30_000}}\n`).join('');
    const problems = messages(`## Git Worktree a\n${chain}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.holds).toHaveLength(30_000);
    expect(problems[0]!.message.length).toBeLessThan(500);
  });

  it('4-R2 holds sections whose names cannot be, or clash with one further up', () => {
    const names = ['ok', '../x', 'OK', 'ok', 'feat', 'feat/x', 'a/b', 'a', 'A/c', 'caf\u00e9', 'cafe\u0301', 'HEAD', '-rf'];
    expect(found(names.map((name, index) => `## Git Worktree ${name}\n[] ${index}\n`).join(''))).toEqual(
      [1, 2, 3, 5, 7, 10, 11, 12].map((index) => `${index * 2 + 1}:1 4-R2 error [${index}]`),
    );
    expect(found('## Git Worktree\n[] a\n')).toEqual(['1:1 4-R2 error [a]']);
  });

  it('1.4-R9 gives every problem a place, a sentence and a remedy, in the order of the list', () => {
    const text = '## Git Worktree ../x\n[?] a\n[] b {every:x} {after:y}\n```\n';
    const problems = messages(text, { granularity: 'strict' });
    expect(problems.length).toBeGreaterThan(4);
    for (const { message, remedy, place } of problems) {
      expect(message).toMatch(/^[^\n]+\.$/);
      expect(remedy).toMatch(/^[^\n]+\.$/);
      expect(place.column).toBeGreaterThan(0);
    }
    expect(problems.map(({ place }) => place.line)).toEqual(problems.map(({ place }) => place.line).toSorted((one, other) => one - other));
  });

  it('1.4-R9 finds the same with what it remembers as without', () => {
    const text = '# T {p0}\n## Git Worktree a {owner:all}\n[] a {after:z}\n## Git Worktree b\n[] b\n[?] c\n';
    const before = parse(text, defaultParseOptions);
    check(before, context);
    const after = parse(text.replace('[] b', '[] b\n[] z {id:z}'), defaultParseOptions, before);
    const places = (board: typeof before) => check(board, context).map(({ place, rule }) => [place, rule]);
    expect(places(after)).toEqual(places(parse(after.text, defaultParseOptions)));
    expect(check(after, { ...context, granularity: 'strict' }).length).toBeGreaterThan(check(after, context).length);
  });
});

describe('dates', () => {
  it('1.2 reads dates, estimates and recurrences, and nothing else', () => {
    expect(['2026-12-01', '2026-12-01T09:00', '2026-12-01 09:00:30', '2026-12-01T09:00Z', '2026-12-01T09:00+02:00'].every(isDate)).toBe(true);
    expect(['2026-1-1', '2026-02-30', '2026-12-01T25:00', '', 'x', '2026-12-01T'].some(isDate)).toBe(false);
    expect(['30m', '2h', '1.5d', '1d 4h', '2w', '90min'].every(isEstimate)).toBe(true);
    expect(['', '2', 'h', '2 hours', '-1h'].some(isEstimate)).toBe(false);
    expect(
      ['daily', 'Weekly', 'every day', '3 months', 'monday', '0 9 * * MON-FRI', '*/10 * * * *', '0 0 1,15 * *', '30 0 9 * * *', '2h'].every(isRecurrence),
    ).toBe(true);
    expect(['', 'sometimes', '0 weeks', '* * *', '60 * * * *', '0 9 * * 8', '* * * * * * *', '0 9 * * x'].some(isRecurrence)).toBe(false);
  });
});
