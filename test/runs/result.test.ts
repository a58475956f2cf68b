import { expect, it } from 'vitest';
import { filesNamed, foundOf, readResult } from '../../src/runs/result.ts';

it('5.2-R2 reads every outcome', () => {
  for (const outcome of ['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change'] as const) {
    expect(readResult(JSON.stringify({ outcome }))).toMatchObject({ found: { outcome } });
  }
});

it.each(['', 'done', '[]', 'null', '{}', '{"outcome":"ok"}', '{"outcome":"done","tasks":[{}]}', '{"outcome":"done","files":"a"}', '{"outcome":"done"'])(
  '5.2-R2 notes a report that is none: %s',
  (text) => {
    expect(readResult(text)).toEqual({ note: expect.stringMatching(/^the report is .*: the outcome is inferred$/) });
  },
);

it('5.2-R3, 5.2-R4 keeps what is asked for, whatever is missing', () => {
  expect(foundOf({ outcome: 'needs_decision', question: 'A or B?' }).asks).toEqual({ kind: 'decision', question: 'A or B?' });
  expect(foundOf({ outcome: 'needs_decision', summary: 'unsure' }).asks).toEqual({ kind: 'decision', question: 'unsure' });
  expect(foundOf({ outcome: 'needs_prerequisite', tasks: [{ title: 'T', details: 'd' }, { title: 'U' }] }).asks).toEqual({
    kind: 'prerequisite',
    tasks: [{ title: 'T', details: 'd' }, { title: 'U' }],
  });
  expect(foundOf({ outcome: 'needs_prerequisite', summary: 'the base first' }).asks).toEqual({ kind: 'prerequisite', tasks: [{ title: 'the base first' }] });
  expect(foundOf({ outcome: 'done', tasks: [{ title: 'V' }] })).toMatchObject({ asks: undefined, proposes: [{ title: 'V' }] });
  expect(foundOf({ outcome: 'done', question: 'A or B?' }).asks).toBeUndefined();
});

it.each([
  ['files: src/a.ts, `src/b/**`\naction: x', ['src/a.ts', 'src/b/**']],
  ['**files:** src/a.ts src/a.ts\n', ['src/a.ts']],
  ['## Files\n\n- `src/a.ts`: the parser\n- src/b.ts - its test\n* src/c.ts\n\naction: y\n- not/this.ts', ['src/a.ts', 'src/b.ts', 'src/c.ts']],
  ['files:\n1. a.ts\n2) b.ts (new)\n', ['a.ts', 'b.ts']],
  ['The files are many.\naction: none', []],
  ['', []],
])('4-R3 finds the files that a plan names: %j', (plan, files) => {
  expect(filesNamed(plan)).toEqual(files);
});
