import { describe, expect, it } from 'vitest';
import { allTasks, allWithId, findByHandle, findById, handleOf, idOf, locate, placeOf, targetOf, taskAt } from '../../src/tasks/find.ts';
import { hash53, hashText } from '../../src/tasks/hash.ts';
import { idsOf, idsOn } from '../../src/tasks/ids.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';

const list = `# Top
## Git Worktree a
[🟡 q8f0t6zd] one
  detail
  - [] inner
    deep

[] same
[] same {id:rotate}
[] same
## Git Worktree b
[✅ a1b2c3d, k3v9x2m1] one
[] back {id:m2c7r4ya} {id:name}
`;
const board = parse(list, defaultParseOptions);
const textAt = (line: number) => taskAt(board, line)?.task.text;
const found = (id: string) => findById(board, id)?.task.text;

describe('find', () => {
  it('7-R6 finds a task by id, by name, by file line and by handle', () => {
    expect(found('q8f0t6zd')).toBe('one');
    expect(found('rotate')).toBe('same {id:rotate}');
    expect(found('m2c7r4ya')).toBe('back {id:m2c7r4ya} {id:name}');
    expect(found('name')).toBe('back {id:m2c7r4ya} {id:name}');
    expect(found('nobody')).toBeUndefined();
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99].map(textAt)).toEqual([
      undefined,
      undefined,
      'one',
      'one',
      'inner',
      'inner',
      undefined,
      'same',
      'same {id:rotate}',
      'same',
      undefined,
      'one',
      'back {id:m2c7r4ya} {id:name}',
      undefined,
    ]);
    for (const located of allTasks(board)) {
      expect(taskAt(board, placeOf(board, located).line)).toEqual(located);
      expect(findByHandle(board, handleOf(located.task))).toEqual([located]);
      expect(handleOf(located.task)).toMatch(/^[0-9a-z]{7}$/);
    }
  });

  it('7-R6 keeps a handle while lines move, and gives equal tasks different ones', () => {
    const moved = parse(list.replace('## Git Worktree a\n', '## Git Worktree a {p1}\n\n\n'), defaultParseOptions, board);
    const handles = (some: typeof board) => [...allTasks(some)].map(({ task }) => handleOf(task));
    expect(handles(moved)).toEqual(handles(board));
    expect(new Set(handles(board)).size).toBe(handles(board).length);
  });

  it('2-R1 finds a target by its id wherever it went, else by its words, never a line with another id', () => {
    const target = targetOf(findById(board, 'q8f0t6zd')!.task);
    expect(target).toEqual({ section: 'a', id: 'q8f0t6zd', text: 'one', occurrence: 0 });
    expect(locate(parse('## Git Worktree z\n[🟡 q8f0t6zd] renamed\n', defaultParseOptions), target)?.task.text).toBe('renamed');
    expect(locate(parse('## Git Worktree a\n[] one\n', defaultParseOptions), target)?.task.text).toBe('one');
    expect(locate(parse('## Git Worktree a\n[🟡 zzzzzzzz] one\n', defaultParseOptions), target)).toBeUndefined();
    expect(locate(board, { section: 'a', text: 'same', occurrence: 1 })?.task.line).toBe(8);
    expect(locate(board, { section: 'a', text: 'same', occurrence: 2 })).toBeUndefined();
    expect(locate(board, { section: 'b', text: 'same', occurrence: 0 })).toBeUndefined();
  });

  it('2-R1 tells ToDone’s id from a person’s name on a line that has both', () => {
    const task = findById(board, 'name')!.task;
    expect([task.name, idOf(task), idsOf(task)]).toEqual(['name', 'm2c7r4ya', ['m2c7r4ya', 'name']]);
    expect(idOf(findById(board, 'rotate')!.task)).toBeUndefined();
  });

  it('1.4-R1 finds the same by id on a board that was made from others as on one read anew', () => {
    const other = '## Git Worktree c\n[🟡 q8f0t6zd] a copy\n[] x {id:x1}\n[] x {id:x1} {id:x1}\n';
    const steps = [list, `${other}${list}`, `${other}\n${list}`, list.replace('[🟡 q8f0t6zd]', '[]'), `${list}${other}`, other, `${other}${other}`, '', list];
    let last = parse('', defaultParseOptions);
    for (const text of steps) {
      last = parse(text, defaultParseOptions, last);
      const anew = parse(text, defaultParseOptions);
      for (const id of ['q8f0t6zd', 'rotate', 'k3v9x2m1', 'm2c7r4ya', 'name', 'x1']) expect(allWithId(last, id)).toEqual(allWithId(anew, id));
      expect(new Set(idsOn(last).doubled)).toEqual(new Set(idsOn(anew).doubled));
    }
  });

  it('7-R6 hashes apart what differs', () => {
    expect(hashText('')).toMatch(/^[0-9a-z]{11}$/);
    expect(new Set(Array.from({ length: 20_000 }, (_, index) => hash53(`task ${index}`))).size).toBe(20_000);
  });
});
