import { describe, expect, it } from 'vitest';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Task } from '../../src/tasks/task.ts';

const tasksOf = (text: string): Task[] => parse(text, defaultParseOptions).sections.flatMap((section) => [...section.tasks]);

describe('what belongs to a task', () => {
  it('1.1-R4 details are deeper lines up to the next task, heading or unindented line: fields, subtasks, and text', () => {
    const [one, child, two] = tasksOf(
      '## Git Worktree a\n[] one\n  files: a, b\n  Some words.\n  [] child\n    run: x\n\nnot a detail\n[] two\n  last\n### phase\n  not its detail\n',
    );
    expect(one).toMatchObject({ title: 'one', fields: [{ key: 'files', value: 'a, b' }] });
    expect(one?.details).toContain('Some words.');
    expect(one?.details).not.toMatch(/child|not a detail/);
    expect(child).toMatchObject({ title: 'child', parent: 0, fields: [{ key: 'run', value: 'x' }] });
    expect(two).toMatchObject({ title: 'two', details: 'last' });
  });

  it('1.1-R4 the content of a list item is its detail, in whatever list', () => {
    for (const bullet of ['-', '*', '+', '1.', '12)']) {
      const indent = ' '.repeat(bullet.length + 1);
      expect(tasksOf(`## Git Worktree a\n${bullet} [ ] one\n${indent}verify: npm test\n\n${indent}More.\n`)).toMatchObject([
        { title: 'one', fields: [{ key: 'verify', value: 'npm test' }], details: expect.stringContaining('More.') as string },
      ]);
    }
  });

  it('1.1-R5 nothing in a fence, a comment, a quote or front matter is a task', () => {
    const hidden = ['---\n[] x\n---\n', '```\n[] x\n```\n', '~~~md\n[] x\n~~~\n', '<!--\n[] x\n-->\n', '> [] x\n', '<!-- [] x -->\n'];
    for (const text of hidden) expect([text, tasksOf(`${text.startsWith('---') ? '' : '## Git Worktree a\n'}${text}`)]).toEqual([text, []]);
    expect(tasksOf('## Git Worktree a\n> a quote\n[] a task after a quote is one\n')).toHaveLength(1);
  });
});
