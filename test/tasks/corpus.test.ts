/**
 * Ugly lists with what they mean, as stored beside them. `UPDATE_CORPUS=1` writes the answers anew; read the difference
 * before you commit it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/tasks/edit.ts';
import { allTasks, placeOf, targetOf } from '../../src/tasks/find.ts';
import { parse } from '../../src/tasks/parse.ts';
import type { ParseOptions } from '../../src/tasks/parse.ts';
import type { Board, Tag } from '../../src/tasks/task.ts';

const folder = new URL('./corpus/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
const options: ParseOptions = { labels: { hash: true, at: true, todotxt: true }, workers: ['anna'] };
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');

/** A board in few words: what a reader of the answers has to judge, and nothing that follows from it. */
function summary(board: Board): unknown {
  return board.sections.map((section, index) => ({
    line: board.lines[index]! + 1,
    ...(section.name !== undefined && { name: section.name }),
    title: section.title,
    ...some('tags', section.tags.map(tagWords)),
    ...(section.initiative !== undefined && { initiative: section.initiative }),
    ...some(
      'problems',
      section.problems.map((problem) => `${board.lines[index]! + problem.line + 1}:${problem.column} ${problem.severity} ${problem.rule} ${problem.message}`),
    ),
    tasks: section.tasks.map((task, taskIndex) => {
      const { line, column } = placeOf(board, { task, sectionIndex: index, taskIndex });
      const { state, id, hash, note } = task.marker;
      return {
        at: `${line}:${column}`,
        is: [state, id, hash, note].filter((word) => word !== undefined).join(' '),
        text: task.text,
        ...(task.title !== task.text && { title: task.title }),
        ...(task.name !== undefined && { name: task.name }),
        ...some('tags', task.tags.map(tagWords)),
        ...some('inherited', task.inherited.map(tagWords)),
        ...(task.parent !== undefined && { parent: section.tasks[task.parent]!.text }),
        ...(task.phase !== undefined && { phase: task.phase }),
        ...some(
          'fields',
          task.fields.map(({ key, value, line: fieldLine }) => `${board.lines[index]! + fieldLine + 1} ${key}: ${value}`),
        ),
        ...(task.details !== '' && { details: task.details }),
        ...some('notes', task.notes),
        ...(task.detailIndent !== '  ' && { detailIndent: task.detailIndent }),
        ...(task.occurrence > 0 && { occurrence: task.occurrence }),
      };
    }),
  }));
}

const some = (key: string, list: readonly unknown[]) => (list.length > 0 ? { [key]: list } : {});
const tagWords = ({ key, value, spelling }: Tag) => `${key}${value === undefined ? '' : `=${value}`}${spelling === 'brace' ? '' : ` (${spelling})`}`;

describe('corpus of ugly lists', () => {
  it.each(files)('1.4-R1 reads %s as its stored answer says', (name) => {
    const answer = new URL(name.replace(/\.md$/, '.json'), folder);
    const read = `${JSON.stringify(summary(parse(textOf(name), options)), null, 1)}\n`;
    if (process.env['UPDATE_CORPUS']) writeFileSync(answer, read);
    expect(JSON.parse(read)).toEqual(JSON.parse(readFileSync(answer, 'utf8')));
  });

  it.each(files)('1.4-R2 changes only the marker of each task in %s', (name) => {
    const text = textOf(name);
    const board = parse(text, options);
    for (const located of allTasks(board)) {
      const { task, sectionIndex } = located;
      if (task.section === '') continue;
      const edit = { kind: 'mark', target: targetOf(task), expect: [task.marker.state], marker: { state: 'in_progress', id: 'z0000000' } } as const;
      const { text: after, results } = applyEdits(text, [{ ...edit, target: { ...edit.target, id: undefined } }], options, board);
      expect(results).toEqual([{ kind: 'applied' }]);
      const start = board.starts[sectionIndex]! + task.markerSpan.start;
      const rest = text.slice(board.starts[sectionIndex]! + task.markerSpan.end);
      expect(after.slice(0, start)).toBe(text.slice(0, start));
      expect(after.slice(after.length - rest.length)).toBe(rest);
      expect(after.slice(start, after.length - rest.length)).toMatch(/^\[🟡,? z0000000\]$/u);
    }
  });
});
