import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/tasks/edit.ts';
import { allTasks, locate, targetOf } from '../../src/tasks/find.ts';
import { idsOf } from '../../src/tasks/ids.ts';
import { sameMarker, writeMarker } from '../../src/tasks/marker.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { ParseOptions } from '../../src/tasks/parse.ts';
import type { Board, Edit, Located, Marker, MarkerState, NewTask, Task } from '../../src/tasks/task.ts';
import { utf8Length } from '../../src/tasks/utf8.ts';
import { tidyList, uglyLines } from './ugly-text.ts';

const options = defaultParseOptions;
const STATES: readonly MarkerState[] = ['open', 'blocked', 'in_progress', 'done', 'failed', 'cancelled'];
const list = (body: string) => `## Git Worktree a\n${body}`;
const tasksOf = (board: Board): readonly Located[] => [...allTasks(board)];
const taskOf = (text: string, index = 0): Task => tasksOf(parse(text, options))[index]!.task;
const edited = (text: string, ...edits: readonly Edit[]) => applyEdits(text, edits, options);
const markEdit = (task: Task, marker: Marker, expected: readonly MarkerState[] = STATES): Edit => ({
  kind: 'mark',
  target: targetOf(task),
  expect: expected,
  marker,
});

const markers: fc.Arbitrary<Marker> = fc.oneof(
  fc.constantFrom<Marker>(
    { state: 'open' },
    { state: 'blocked' },
    { state: 'open', id: 'q8f0t6zd' },
    { state: 'blocked', id: 'k3v9x2m1' },
    { state: 'cancelled' },
    { state: 'cancelled', id: 'm2c7r4ya' },
  ),
  fc.constantFrom<Marker>(
    { state: 'in_progress', id: 'q8f0t6zd' },
    { state: 'failed', id: 'q8f0t6zd' },
    { state: 'done', id: 'k3v9x2m1', hash: 'a1b2c3d' },
    { state: 'done', id: 'k3v9x2m1' },
    { state: 'in_progress' },
  ),
);

/** A list and one of its tasks. The board shows as nothing, so that a counterexample can be read. */
const listWithTask = fc
  .tuple(fc.oneof(uglyLines(), tidyList), fc.nat())
  .map(([text, at]) => ({ text, board: parse(text, options), at }))
  .filter(({ board }) => tasksOf(board).length > 0)
  .map(({ text, board, at }) => ({ text, board, located: tasksOf(board)[at % tasksOf(board).length]! }))
  // In doubled sections, which are held, a target can mean another one.
  .filter(({ board, located }) => board.sections.filter(({ name }) => (name ?? '') === located.task.section).length === 1)
  .filter(({ board, located }) => locate(board, targetOf(located.task))?.task === located.task);

/** What must not change on tasks that an edit does not name. */
const wishOf = ({ task }: Located) => ({
  section: task.section,
  text: task.text,
  marker: task.marker,
  details: task.details,
  notes: task.notes,
  parent: task.parent,
  phase: task.phase,
});

const othersThan = (one: Located, board: Board) =>
  tasksOf(board)
    .filter((other) => other.taskIndex !== one.taskIndex || other.sectionIndex !== one.sectionIndex)
    .map(wishOf);
const carried = ({ state }: Marker) => ['in_progress', 'done', 'failed'].includes(state);

describe('mark', () => {
  it('1.4-R2 touches only the bytes of the marker, and reads back as asked', () => {
    fc.assert(
      fc.property(listWithTask, markers, ({ text, board, located }, marker) => {
        const { task, sectionIndex, taskIndex } = located;
        const { text: after, results, board: now } = applyEdits(text, [markEdit(task, marker)], options, board);
        const base = board.starts[sectionIndex]!;
        const read = tasksOf(now).find((other) => other.sectionIndex === sectionIndex && other.taskIndex === taskIndex)!.task;
        expect(read.marker.state).toBe(marker.state);
        expect(['none', ...idsOf(read)]).toContain(marker.id ?? task.marker.id ?? 'none');
        expect(after.startsWith(text.slice(0, base + task.markerSpan.start))).toBe(true);
        expect(after.endsWith(text.slice(base + task.headSpan.end))).toBe(true);
        const head = text.slice(base + task.markerSpan.end, base + task.headSpan.end);
        const newHead = after.slice(base + read.markerSpan.end, after.length - (text.length - base - task.headSpan.end));
        const tag = [marker.id, task.marker.id].map((id) => ` {id:${id}}`).find((words) => newHead.includes(words) && !head.includes(words)) ?? '';
        const without = newHead.split(tag === '' ? '\u0000' : tag).join('');
        expect([head, ` ${head}`]).toContain(without);
        expect(othersThan(located, now)).toEqual(othersThan(located, board));
        expect(results[0]!.kind).toBe(after === text ? 'already' : 'applied');
        expect(after === text || utf8Length(after) !== utf8Length(text)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('1.4-R5 changes the length of the file at every change of a marker', () => {
    const spellings = [
      '[]',
      '[ ]',
      '\\[]',
      '[x]',
      '[-]',
      '[ - ]',
      '[⏰]',
      '[⏰ ]',
      '[🟡]',
      '[🟡 ]',
      '[🟡 q8f0t6zd]',
      '[🟡, q8f0t6zd]',
      '[✅]',
      '[✅ ]',
      '[✅ a1b2c3d]',
      '[✅ a1b2c3d, q8f0t6zd]',
      '[✅, a1b2c3d, q8f0t6zd]',
      '[✅ -, q8f0t6zd]',
      '[❌]',
      '[❌ q8f0t6zd]',
      '[❌, q8f0t6zd]',
      '[🟡 z8f0t6zd]',
    ];
    const wanted: Marker[] = [
      ...STATES.map((state): Marker => ({ state })),
      ...STATES.flatMap((state): Marker[] => [
        { state, id: 'q8f0t6zd' },
        { state, id: 'z8f0t6zd' },
      ]),
      { state: 'done', hash: 'a1b2c3d', id: 'q8f0t6zd' },
      { state: 'done', hash: 'b1b2c3d', id: 'q8f0t6zd' },
      { state: 'done', hash: 'b1b2c3d' },
    ];
    for (const spelling of spellings) {
      for (const marker of wanted) {
        const text = list(`${spelling} Do it\n`);
        const { text: after, board } = applyEdits(
          text,
          [{ kind: 'mark', target: { section: 'a', text: 'Do it', occurrence: 0 }, expect: STATES, marker }],
          options,
        );
        if (after === text) continue;
        expect(utf8Length(after), `${spelling} to ${writeMarker(marker)}`).not.toBe(utf8Length(text));
        expect(tasksOf(board)[0]!.task.marker.state).toBe(marker.state);
      }
    }
  });

  it('1.4-R5 changes the length also where several changes in one write make up for each other', () => {
    const text = list('[🟡 q8f0t6zd] a\n[] b\n[⏰] c\n');
    const [a, b, c] = tasksOf(parse(text, options)).map(({ task }) => task);
    const all: Edit[] = [
      markEdit(a!, { state: 'done', hash: 'a1b2c3d', id: 'q8f0t6zd' }),
      markEdit(b!, { state: 'blocked' }),
      { kind: 'note', target: targetOf(c!), text: 'x' },
    ];
    for (let count = 1; count <= all.length; count++) expect(utf8Length(edited(text, ...all.slice(0, count)).text)).not.toBe(utf8Length(text));
    const balanced = list('[🟡] a {p1}\n[ ] b {p10}\n');
    const { text: after } = edited(
      balanced,
      { kind: 'mark', target: targetOf(taskOf(balanced)), expect: STATES, marker: { state: 'done' } },
      { kind: 'removeTag', target: targetOf(taskOf(balanced)), key: 'p1' },
      { kind: 'addTag', target: targetOf(taskOf(balanced, 1)), key: 'abc' },
    );
    expect(utf8Length(after)).not.toBe(utf8Length(balanced));
  });

  it('2-R1 keeps the id as a tag where the new bracket has no place for it, once', () => {
    const text = list('- [🟡 q8f0t6zd] Add logout {opus}  \r\n');
    const open = edited(text, markEdit(taskOf(text), { state: 'open' }));
    expect(open.text).toBe(list('- [] Add logout {opus} {id:q8f0t6zd}  \r\n'));
    const claimed = edited(open.text, markEdit(taskOf(open.text), { state: 'in_progress', id: 'q8f0t6zd' }));
    expect(claimed.text).toBe(list('- [🟡 q8f0t6zd] Add logout {opus} {id:q8f0t6zd}  \r\n'));
    expect(edited(claimed.text, markEdit(taskOf(claimed.text), { state: 'blocked' })).text).toBe(list('- [⏰] Add logout {opus} {id:q8f0t6zd}  \r\n'));
    const named = list('[❌ m2c7r4ya] Rotate {id:rotate}\\\n');
    expect(edited(named, markEdit(taskOf(named), { state: 'open' })).text).toBe(list('[] Rotate {id:rotate} {id:m2c7r4ya}\\\n'));
  });

  it('1.4-R3 gives up a change whose line, state, id or text is not as expected', () => {
    const text = list('[🟡 q8f0t6zd] a\n[] b\n');
    const [a, b] = tasksOf(parse(text, options)).map(({ task }) => task);
    expect(edited(text, markEdit(a!, { state: 'done', id: 'q8f0t6zd', hash: 'a1b2c3d' }, ['open'])).results).toEqual([
      { kind: 'changed', marker: { state: 'in_progress', id: 'q8f0t6zd' } },
    ]);
    expect(edited(text, { ...markEdit(a!, { state: 'failed', id: 'zzzzzzzz' }), target: { ...targetOf(a!), id: 'zzzzzzzz' } } as Edit).results).toEqual([
      { kind: 'gone' },
    ]);
    expect(edited(text, { ...markEdit(b!, { state: 'in_progress', id: 'zzzzzzzz' }), fingerprint: 'other' } as Edit).results).toEqual([
      { kind: 'changed', marker: { state: 'open' } },
    ]);
    expect(edited(text, { ...markEdit(b!, { state: 'done' }), target: { section: 'a', text: 'c', occurrence: 0 } } as Edit).results).toEqual([
      { kind: 'gone' },
    ]);
    expect(edited(text, markEdit(a!, { state: 'in_progress', id: 'q8f0t6zd' }, ['open'])).results).toEqual([{ kind: 'already' }]);
    for (const unchanged of [edited(text, markEdit(b!, { state: 'open' }))]) expect(unchanged.text).toBe(text);
  });

  it('1.1-R2 puts a space behind a bracket that needs one', () => {
    const text = list('[⏰]Later\n');
    expect(edited(text, markEdit(taskOf(text), { state: 'open' })).text).toBe(list('[] Later\n'));
  });

  it('1.1-R2 reads every marker as it was written', () => {
    fc.assert(
      fc.property(markers, fc.option(fc.string({ unit: 'grapheme' })), (marker, note) => {
        const whole: Marker = marker.state === 'blocked' && note !== null ? { state: 'blocked', note } : marker;
        const read = taskOf(list(`${writeMarker(whole)} x\n`)).marker;
        const shown: Marker = whole.state === 'blocked' ? { state: 'blocked', ...(read.note !== undefined && { note: read.note }) } : whole;
        const plain: Marker = carried(whole) ? shown : { state: whole.state, ...(shown.note !== undefined && { note: shown.note }) };
        expect(sameMarker({ ...read, ...(read.hash === '-' && { hash: undefined }) }, plain)).toBe(true);
      }),
    );
  });
});

describe('note', () => {
  it('1.4-R2 adds lines and keeps every other byte, and every other task', () => {
    fc.assert(
      fc.property(
        listWithTask,
        fc.constantFrom('failed', 'one\ntwo', '> quoted\n\n```\n[] x', 'a\u0007b\u202ec\r\nd', '# x', '-->'),
        ({ text, board, located }, words) => {
          const { text: after, board: now, results } = applyEdits(text, [{ kind: 'note', target: targetOf(located.task), text: words }], options, board);
          if (results[0]!.kind === 'already') return;
          let same = 0;
          while (same < text.length && text[same] === after[same]) same++;
          const tail = text.slice(same);
          expect(after.endsWith(tail)).toBe(true);
          const others = (all: Board) => othersThan(located, all);
          expect(others(now)).toEqual(others(board));
          const task = tasksOf(now).find((other) => other.taskIndex === located.taskIndex && other.sectionIndex === located.sectionIndex)!.task;
          expect({ ...task, notes: [] }).toMatchObject({ text: located.task.text, marker: located.task.marker, fingerprint: located.task.fingerprint });
          expect(task.notes.length).toBeGreaterThan(located.task.notes.length);
        },
      ),
      { numRuns: 1200 },
    );
  });

  it('1.4-R2 stands behind the own details and before the subtasks, with the line end of its line', () => {
    const text = list('- [] a\r\n  files: x\r\n\r\n  - [] sub\r\n  more\r\n[] b');
    const note = (index: number): Edit => ({ kind: 'note', target: targetOf(taskOf(text, index)), text: 'one\ntwo' });
    expect(edited(text, note(0)).text).toBe(list('- [] a\r\n  files: x\r\n  > one\r\n  > two\r\n\r\n  - [] sub\r\n  more\r\n[] b'));
    expect(edited(text, note(1)).text).toBe(list('- [] a\r\n  files: x\r\n\r\n  - [] sub\r\n    > one\r\n    > two\r\n  more\r\n[] b'));
    expect(edited(text, note(2)).text).toBe(list('- [] a\r\n  files: x\r\n\r\n  - [] sub\r\n  more\r\n[] b\r\n  > one\r\n  > two'));
  });

  it('1.4-R2 is not hidden by a fence that nothing closed, and not written twice', () => {
    const text = list('- [] a\n  ```\n  code\n- [] b\n');
    const { text: after } = edited(text, { kind: 'note', target: targetOf(taskOf(text)), text: 'failed' });
    expect(after).toBe(list('- [] a\n  > failed\n  ```\n  code\n- [] b\n'));
    expect(edited(after, { kind: 'note', target: targetOf(taskOf(after)), text: 'failed' }).results).toEqual([{ kind: 'already' }]);
  });
});

describe('tags', () => {
  it('1.2-R1 adds and removes a tag, and keeps every other tag and task', () => {
    fc.assert(
      fc.property(
        listWithTask,
        fc.constantFrom<[string, string?]>(['decision'], ['p0'], ['owner', 'anna'], ['after', 'k3v9x2m1'], ['hold', 'wait a bit'], ['x', 'a}b`c']),
        ({ text, board, located }, [key, value]) => {
          const target = targetOf(located.task);
          const {
            text: after,
            board: now,
            results,
          } = applyEdits(text, [{ kind: 'addTag', target, key, ...(value !== undefined && { value }) }], options, board);
          const at = (all: Board) => tasksOf(all).find((other) => other.taskIndex === located.taskIndex && other.sectionIndex === located.sectionIndex)!.task;
          expect(at(now).tags.filter((tag) => tag.key === key).length).toBeGreaterThan(0);
          expect(at(now).marker).toEqual(located.task.marker);
          expect(results[0]!.kind === 'already' || utf8Length(after) !== utf8Length(text)).toBe(true);
          const others = (all: Board) => othersThan(located, all);
          expect(others(now)).toEqual(others(board));
          const removed = applyEdits(after, [{ kind: 'removeTag', target: targetOf(at(now)), key }], options, now);
          expect(at(removed.board).tags.some((tag) => tag.key === key)).toBe(false);
          expect(others(removed.board)).toEqual(others(board));
        },
      ),
      { numRuns: 1200 },
    );
  });

  it('1.2-R1 writes in the spelling that the line uses', () => {
    const spelled: ParseOptions = { labels: { hash: true, at: true, todotxt: true }, workers: ['anna', 'bob'] };
    const added = (head: string, key: string, value?: string) => {
      const text = list(`${head}\n`);
      const task = tasksOf(parse(text, spelled))[0]!.task;
      return applyEdits(text, [{ kind: 'addTag', target: targetOf(task), key, ...(value !== undefined && { value }) }], spelled).text.slice(
        list('').length,
        -1,
      );
    };
    expect(added('[] a 📅 2026-01-01', 'p0')).toBe('[] a 📅 2026-01-01 🔺');
    expect(added('[] a ⏫', 'p0')).toBe('[] a 🔺');
    expect(added('[] a [due:: 2026-01-01]', 'after', 'k3v9x2m1')).toBe('[] a [due:: 2026-01-01] [dependsOn:: k3v9x2m1]');
    expect(added('[] a #ui', 'decision')).toBe('[] a #ui #decision');
    expect(added('[] a @anna', 'owner', 'bob')).toBe('[] a @bob');
    expect(added('[] (B) a', 'p0')).toBe('[]  (A) a');
    expect(added('[] a {p2} b', 'p0')).toBe('[]  a {p0} b');
    expect(added('[]  a {p2} b', 'p0')).toBe('[] a {p0} b');
    expect(added('[] a {after:x}', 'after', 'y')).toBe('[] a {after:x,y}');
    expect(added('[] a {after: y, x} {after:z}', 'after', 'z,y')).toBe('[] a {after: y, x} {after:z}');
    expect(added('[] a 📅 2026-01-01', 'hold', 'x')).toBe('[] a 📅 2026-01-01 {hold:x}');
    expect(added('[]', 'hold', 'x')).toBe('[] {hold:x}');
  });

  it('1.2-R1 takes a tag away with the white space before it, under its other name too', () => {
    const text = list('[] {p0} a {requires_triage}  b {p1}\n');
    const task = taskOf(text);
    expect(edited(text, { kind: 'removeTag', target: targetOf(task), key: 'triage' }).text).toBe(list('[] {p0} a  b {p1}\n'));
    expect(edited(text, { kind: 'removeTag', target: targetOf(task), key: 'p0' }).text).toBe(list('[] a {requires_triage}  b {p1}\n'));
    expect(edited(text, { kind: 'removeTag', target: targetOf(task), key: 'codex' }).results).toEqual([{ kind: 'already' }]);
  });
});

describe('insert', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '[x] done',
      '{safe}',
      'a {safe} b',
      '# x',
      '- x',
      '> x',
      '`{a}` {b}',
      '<!-- x',
      '--> x',
      '[] a [] b',
      '```',
      '1. x',
      '*a* _b_ __c__',
      '\\[x]',
      'a\nb',
      '',
      '  ',
      '{hold:x',
      '(A) x',
      'a \\',
      'https://x.y/z?a=b&c',
      '&amp; <b>',
      'tab\tx',
      '🔺 up',
      '[due:: 2026-01-01]',
      'C:\\[x]',
      '##',
    ),
    fc.string({
      unit: fc.constantFrom('a', ' ', '[', ']', 'x', '{', '}', 'p0', '`', '\\', '*', '#', '<', '>', '!', '-', '✅', '\n', '(', ')', ':', '&', '_', '~'),
    }),
  );
  const newTasks: fc.Arbitrary<NewTask> = fc.record({
    state: fc.constantFrom('open', 'blocked'),
    title: hostile,
    tags: fc.constantFrom([], [{ key: 'p1' }], [{ key: 'by', value: 'claude' }, { key: 'triage' }]),
    details: fc.option(
      fc
        .array(fc.oneof(hostile, fc.constantFrom('files: src/**', '  indented', '    [] x', '## Git Worktree b', '~~~', '<pre>', '> note', '- [ ] sub')), {
          maxLength: 5,
        })
        .map((lines) => lines.join('\n')),
      { nil: undefined },
    ),
  });

  it('1.4-R2 reads back as the same title and tags, whatever they are, and changes nothing else', () => {
    fc.assert(
      fc.property(listWithTask, newTasks, fc.constantFrom('above', 'below', 'end'), ({ text, board, located }, task, at) => {
        const where = at === 'end' ? { at, section: located.task.section } : { at: at, target: targetOf(located.task) };
        const { text: after, board: now, results } = applyEdits(text, [{ kind: 'insert', where, task }], options, board);
        const nowhere = at === 'end' && located.task.section === '';
        expect(results).toEqual([{ kind: nowhere ? 'gone' : 'applied' }]);
        fc.pre(!nowhere);
        let same = 0;
        while (same < text.length && text[same] === after[same]) same++;
        expect(after.endsWith(text.slice(same))).toBe(true);
        expect(tasksOf(now)).toHaveLength(tasksOf(board).length + 1);
        const title =
          task.title
            .split(/\r\n|\n|\r/)
            .map((line) => line.replaceAll('\t', ' '))
            .join(' ')
            .replace(/ {2,}/g, ' ')
            .trim() || 'untitled';
        const made = tasksOf(now).filter((other) => other.task.title.replaceAll('\ufe0e', '') === title && other.task.marker.state === task.state);
        expect(
          made.some(
            (other) =>
              other.task.tags.map((tag) => tag.text).join() ===
              task.tags.map(({ key, value }: { key: string; value?: string }) => (value === undefined ? key : `${key}:${value}`)).join(),
          ),
        ).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('1.4-R2 looks like the tasks around it', () => {
    const task: NewTask = { state: 'open', title: 'New', tags: [{ key: 'p1' }], details: 'files: x' };
    const put = (body: string, where: 'above' | 'below' | 'end', index = 0) => {
      const text = list(body);
      return edited(text, {
        kind: 'insert',
        where: where === 'end' ? { at: 'end', section: 'a' } : { at: where, target: targetOf(taskOf(text, index)) },
        task,
      }).text.slice(list('').length);
    };
    expect(put('[] a\n', 'end')).toBe('[] a\n[] New {p1}\n  files: x\n');
    expect(put('[] a', 'end')).toBe('[] a\n[] New {p1}\n  files: x');
    expect(put('- [ ] a\r\n', 'below')).toBe('- [ ] a\r\n- [] New {p1}\r\n  files: x\r\n');
    expect(put('3. [ ] a\n   d\n\ntext\n', 'below')).toBe('3. [ ] a\n   d\n4. [] New {p1}\n   files: x\n\ntext\n');
    expect(put('[] a\n  - [] s\n    d\n[] b\n', 'above', 1)).toBe('[] a\n  - [] New {p1}\n    files: x\n  - [] s\n    d\n[] b\n');
    expect(put('[] a\n  - [] s\n[] b\n', 'below', 0)).toBe('[] a\n  - [] s\n[] New {p1}\n  files: x\n[] b\n');
    expect(put('\nSome words.\n', 'end')).toBe('\nSome words.\n\n[] New {p1}\n  files: x\n');
    expect(put('', 'end')).toBe('[] New {p1}\n  files: x\n');
    expect(put('\n```\n', 'end')).toBe('[] New {p1}\n  files: x\n\n```\n');
    expect(put('[] a\n  ```\n', 'end')).toBe('[] New {p1}\n  files: x\n[] a\n  ```\n');
  });

  it('1.4-R2 does not close a comment that stands open further up', () => {
    const text = list('text <!-- more\n[] a\n');
    const { board } = edited(text, {
      kind: 'insert',
      where: { at: 'above', target: targetOf(taskOf(text)) },
      task: { state: 'open', title: 'b --> c', tags: [], details: '--> x' },
    });
    expect(tasksOf(board).map(({ task }) => task.title)).toEqual(['b --> c', 'a']);
  });

  it('7-R8 puts many new tasks at the end of a section in their order, in one write', () => {
    const text = list('- [] a\n\n## Git Worktree b\n');
    const edits = Array.from({ length: 300 }, (_, index): Edit => ({
      kind: 'insert',
      where: { at: 'end', section: index % 3 === 0 ? 'b' : 'a' },
      task: { state: 'open', title: `t${index}`, tags: [] },
    }));
    const { board, results } = edited(text, ...edits);
    expect(results.every(({ kind }) => kind === 'applied')).toBe(true);
    const titles = (section: string) =>
      tasksOf(board)
        .filter(({ task }) => task.section === section)
        .map(({ task }) => task.title);
    expect(titles('a')).toEqual([
      'a',
      ...Array.from({ length: 300 }, (_, index) => index)
        .filter((index) => index % 3 !== 0)
        .map((index) => `t${index}`),
    ]);
    expect(titles('b')).toEqual(Array.from({ length: 100 }, (_, index) => `t${index * 3}`));
  });
});

const someEdits = (tasks: readonly Task[]) =>
  fc.array(
    fc.tuple(fc.nat(tasks.length - 1), fc.oneof(markers, fc.constantFrom('note', 'addTag', 'removeTag', 'above', 'below'))).map(([index, what]): Edit => {
      const target = targetOf(tasks[index]!);
      if (what === 'note') return { kind: 'note', target, text: 'noted' };
      if (what === 'addTag') return { kind: 'addTag', target, key: 'hold' };
      if (what === 'removeTag') return { kind: 'removeTag', target, key: 'p1' };
      if (what === 'above' || what === 'below') return { kind: 'insert', where: { at: what, target }, task: { state: 'open', title: 'inserted', tags: [] } };
      return { kind: 'mark', target, expect: STATES, marker: what };
    }),
    { maxLength: 8 },
  );

it('7-R8 makes all inserts that belong together, or none of them', () => {
  const text = '## Git Worktree a\n[] One\n';
  const insert = (section: string, title: string, together: number) =>
    ({ kind: 'insert', where: { at: 'end', section }, task: { state: 'open', title, tags: [] }, together }) as const;
  const made = applyEdits(text, [insert('a', 'Two', 1), insert('gone', 'Three', 1), insert('a', 'Four', 2)], options);
  expect(made.text).toBe(`${text}[] Four\n`);
  expect(made.results.map(({ kind }) => kind)).toEqual(['gone', 'gone', 'applied']);
});

it('6.2-R3 7-R8 changes a heading or a title, and no other byte', () => {
  const text = '## Git Worktree a {approval} {p1}\r\n- [ ] One `{x}` {p0} 🔼  \r\n  more\r\n\r\n### P {approval}\r\n[] Two\r\n';
  const target = { section: 'a', text: 'One `{x}` {p0} 🔼', occurrence: 0 };
  const made = applyEdits(
    text,
    [
      { kind: 'retitle', target, title: 'Uno {braces} *stars*' },
      { kind: 'untagHeading', sectionTitle: 'Git Worktree a', key: 'approval' },
      { kind: 'untagHeading', sectionTitle: 'Git Worktree a', phase: 'P', key: 'approval' },
    ],
    options,
  );
  expect(made.board.sections[0]?.tasks[0]?.title).toBe('Uno {braces} *stars*');
  expect(made.text.replace(/Uno.*stars\*?\\?\*?/, 'Uno')).toBe('## Git Worktree a {p1}\r\n- [ ] Uno {p0} 🔼  \r\n  more\r\n\r\n### P\r\n[] Two\r\n');
});

describe('several edits', () => {
  it('1.4-R2 come to the same as one after another', () => {
    const lists = fc.oneof(tidyList, uglyLines()).filter((text) => {
      const words = tasksOf(parse(text, options)).map(({ task }) => `${task.section} ${task.title}`);
      const ids = tasksOf(parse(text, options)).flatMap(({ task }) => idsOf(task));
      return words.length > 0 && new Set(words).size === words.length && new Set(ids).size === ids.length;
    });
    fc.assert(
      fc.property(
        lists.chain((text) => fc.tuple(fc.constant(text), someEdits(tasksOf(parse(text, options)).map(({ task }) => task)))),
        ([text, edits]) => {
          // Ids that an edit gives to a second task would make the order matter.
          const given = edits.flatMap((edit) => (edit.kind === 'mark' && edit.marker.id ? [edit.marker.id] : []));
          fc.pre(new Set(given).size === given.length && !given.some((id) => text.includes(id)));
          const together = applyEdits(text, edits, options);
          expect(together.board.text).toBe(together.text);
          expect({ ...together.board, fresh: 0 }).toEqual({ ...parse(together.text, options), fresh: 0 });
          const tasks = tasksOf(parse(text, options));
          for (const { task } of tasks) {
            const own = edits.filter((edit) => 'target' in edit && edit.target.text === task.text && edit.target.section === task.section);
            const alone = applyEdits(text, own, options);
            const find = (board: Board) =>
              tasksOf(board).find((other) => other.task.title === task.title && other.task.section === task.section && other.task.details === task.details)
                ?.task;
            expect(find(together.board)?.tags.map((tag) => tag.text)).toEqual(find(alone.board)?.tags.map((tag) => tag.text));
            expect(find(together.board)?.notes).toEqual(find(alone.board)?.notes);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('1.4-R2 do not mix up equal tasks when one of them gets an id', () => {
    const text = list('[] same\n[] same\n[] same\n');
    const tasks = tasksOf(parse(text, options)).map(({ task }) => task);
    const { text: after } = edited(
      text,
      markEdit(tasks[0]!, { state: 'open', id: 'q8f0t6zd' }),
      markEdit(tasks[2]!, { state: 'in_progress', id: 'm2c7r4ya' }),
      { kind: 'note', target: targetOf(tasks[1]!), text: 'second' },
      { kind: 'note', target: targetOf(tasks[0]!), text: 'first' },
    );
    expect(after).toBe(list('[] same {id:q8f0t6zd}\n  > first\n[] same\n  > second\n[🟡 m2c7r4ya] same\n'));
  });

  it('5.2-R3 can name a task that an edit before them made', () => {
    const text = list('[🟡 q8f0t6zd] a\n');
    const { text: after, results } = edited(
      text,
      {
        kind: 'insert',
        where: { at: 'above', target: targetOf(taskOf(text)) },
        task: { state: 'open', title: 'first this', tags: [{ key: 'id', value: 'z0000000' }, { key: 'triage' }] },
      },
      { kind: 'addTag', target: targetOf(taskOf(text)), key: 'after', value: 'z0000000' },
      { kind: 'mark', target: targetOf(taskOf(text)), expect: ['in_progress'], marker: { state: 'open', id: 'q8f0t6zd' } },
      { kind: 'note', target: { section: 'a', id: 'z0000000', text: '', occurrence: 0 }, text: 'why' },
    );
    expect(results.every(({ kind }) => kind === 'applied')).toBe(true);
    expect(after).toBe(list('[] first this {id:z0000000} {triage}\n  > why\n[] a {after:z0000000} {id:q8f0t6zd}\n'));
  });

  it('1.4-R10 says which texts are new since the board that was given', () => {
    const text = list('[] a\n[] b\n');
    const before = parse(text, options);
    const { board } = applyEdits(
      text,
      [
        { kind: 'addTag', target: targetOf(taskOf(text)), key: 'p0' },
        { kind: 'note', target: targetOf(taskOf(text)), text: 'x' },
        { kind: 'addTag', target: targetOf(taskOf(text)), key: 'hold' },
      ],
      options,
      before,
    );
    expect(board.fresh.has(tasksOf(board)[0]!.task.fingerprint)).toBe(true);
    expect(board.fresh.has(tasksOf(board)[1]!.task.fingerprint)).toBe(false);
  });
});
