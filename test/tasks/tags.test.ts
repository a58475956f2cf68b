import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkTree, opaqueSpans, spansByRemark } from '../../src/tasks/chunk.ts';
import { afterOf, allTasks, laneOf, priorityOf, tagsOf, tagValue } from '../../src/tasks/find.ts';
import { lineComments } from '../../src/tasks/inline.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { readTags } from '../../src/tasks/tags.ts';

const keys = (text: string) => readTags(text, defaultParseOptions).tags.map((tag) => tag.text);
const task = (text: string, heading = '## Git Worktree a') => [...allTasks(parse(`${heading}\n[] ${text}\n`, defaultParseOptions))][0]!.task;

describe('tags', () => {
  it('1.1-R3 knows the same code spans as remark', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('`', '`', '``', '\\', 'a', ' ', '{p0}', '*', '[', ']', '(', ')', '_', '!', '<', '<!--', '-->') }),
        (text) => {
          const line = text.trim();
          expect(opaqueSpans(line)).toEqual(spansByRemark(line));
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('1.1-R3 knows the comments on a line', () => {
    expect(lineComments('a <!-- b --> c <!--> d <!---> `<!--` \\<!-- e <!-- f')).toEqual({
      spans: [
        { start: 2, end: 12 },
        { start: 15, end: 20 },
        { start: 23, end: 29 },
      ],
      unclosed: 45,
    });
  });

  it('1.1-R3 reads a tag only between white space and outside code', () => {
    expect(keys('{p0} /users/{id} x{p1} {codex}. {opus}')).toEqual(['p0', 'opus']);
    expect(keys('`{p0}` ``a ` {p1} `` <b title="`"> {p2} `')).toEqual(['p2']);
    expect(keys('a ` {p0}')).toEqual(['p0']);
    expect(keys('<!-- {p0} --> {p1}')).toEqual(['p1']);
    expect(keys('{hold:until the 3rd, says Bob} {every:0 9 * * 1-5} {after: a, b}')).toEqual([
      'hold:until the 3rd, says Bob',
      'every:0 9 * * 1-5',
      'after: a, b',
    ]);
    expect(keys('{} {:x} {1} { p0 } {p0 {p1}} \\{p2}')).toEqual([]);
  });

  it('1.1-R3 keeps unknown tags, and shows the text without tags as title', () => {
    expect(task('{p0} Fix  it {team:core} now {x}')).toMatchObject({ title: 'Fix  it now', text: '{p0} Fix  it {team:core} now {x}' });
    expect(tagsOf(task('a {team:core}', '## Git Worktree a {team:web} {y}')).map((tag) => tag.text)).toEqual(['team:core', 'y']);
  });

  it('1.2 gives priority, lane, dependencies and values with the nearest winning', () => {
    expect(priorityOf(task('a'))).toBe(2);
    expect(priorityOf(task('a {p0}', '## Git Worktree a {p3}'))).toBe(0);
    expect(priorityOf(task('a', '## Git Worktree a {p3}'))).toBe(3);
    expect(laneOf(task('a'))).toBe('safe');
    expect(laneOf(task('a {requires_decision} {autonomous_safe}'))).toBe('decision');
    expect(laneOf(task('a {safe}', '## Git Worktree a {triage}'))).toBe('safe');
    expect(afterOf(task('a {after:x, y} {after:y,z}'))).toEqual(['x', 'y', 'z']);
    expect(afterOf(task('a {id:x}', '## Git Worktree a {after:x,y}'))).toEqual(['y']);
    expect(tagValue(task('a {decision}'), 'requires_decision')).toBe(true);
    expect(tagValue(task('a {owner:anna}', '## Git Worktree a {owner:bob}'), 'owner')).toBe('anna');
    expect(tagValue(task('a'), 'owner')).toBeUndefined();
  });

  it('1.4-R1 gives the tree of one task, and none for a page that is too long', () => {
    expect(chunkTree('[] Fix `a`\n\n  - b')?.children.map((node) => node.type)).toEqual(['paragraph', 'list']);
    expect(chunkTree('x'.repeat(200_000))).toBeUndefined();
  });
});
