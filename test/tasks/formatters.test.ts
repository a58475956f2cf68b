/** What formatters make of a list (item by item, the real ones): the same tasks, or a refusal that says what to do; never other tasks. */
import * as fc from 'fast-check';
import { applyFixes } from 'markdownlint';
import { lint } from 'markdownlint/sync';
import { format } from 'prettier';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkStringify from 'remark-stringify';
import { unified } from 'unified';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/tasks/check.ts';
import { allTasks, placeOf } from '../../src/tasks/find.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { reflowed } from '../../src/tasks/reflow.ts';
import type { Board, Task } from '../../src/tasks/task.ts';

/** `npm run test:editors` and CI may ask for more. */
const RUNS = Number(process.env['TODONE_FORMATTED'] ?? 120);

const FORMATTERS: Readonly<Record<string, (text: string) => Promise<string>>> = {
  'prettier preserve': (text) => format(text, { parser: 'markdown', proseWrap: 'preserve' }),
  'prettier always': (text) => format(text, { parser: 'markdown', proseWrap: 'always' }),
  'prettier never': (text) => format(text, { parser: 'markdown', proseWrap: 'never' }),
  remark: async (text) => String(await unified().use(remarkParse).use(remarkStringify).process(text)),
  'remark gfm': async (text) => String(await unified().use(remarkParse).use(remarkGfm).use(remarkStringify).process(text)),
  'markdownlint --fix': async (text) => applyFixes(text, lint({ strings: { text } }).text ?? []),
  // mdformat is no npm package: it escapes both brackets.
  'escapes of mdformat': async (text) => text.replaceAll(/^([ ]*(?:[-*+] )?)\[([^\]\n]*)\] /gmu, '$1\\[$2\\] '),
};

// ── lists as people write them ───────────────────────────────────────────────────────────────────

const word = fc.constantFrom(
  'Add',
  'login',
  'form',
  'tests',
  '`npm test`',
  '*soon*',
  '__init__',
  '{p1}',
  '{id:log_in}',
  'https://example.org/a_b',
  'snake_case',
  'A & B',
  '<b>',
  'x*y',
);
const title = fc.tuple(fc.integer({ min: 0, max: 9999 }), fc.array(word, { maxLength: 4 })).map(([number, words]) => [`Task${number}`, ...words].join(' '));
const marker = fc.constantFrom('[]', '[]', '[ ]', '[⏰]', '[🟡 q8f0t6zd]', '[✅ a1b2c3d, k3v9x2m1]', '[❌ m2c7r4ya]', '[x]', '[-]');
const detail = fc.constantFrom(
  'files: src/auth/**',
  'run: sh build.sh a_b',
  'verify: npm test -- auth',
  'Use jose; a cookie of 15 minutes',
  'done: it works',
  '> failed in implement: exit 1',
);
const bullet = fc.constantFrom('', '', '', '- ', '* ', '1. ');
const task = fc.tuple(bullet, marker, title, fc.array(detail, { maxLength: 3 })).map(([lead, mark, text, details]) => {
  const indent = ' '.repeat(Math.max(2, lead.length));
  return [`${lead}${mark} ${text}`, ...details.map((line) => indent + line)];
});
const between = fc.constantFrom([], [], [], [''], ['', 'A remark.', ''], ['### Phase'], ['']);
const list = fc
  .array(fc.tuple(task, between), { minLength: 1, maxLength: 8 })
  .map((parts) => ['# Work', '', '## Git Worktree a', ...parts.flatMap(([lines, more]) => [...lines, ...more]), ''].join('\n'));

// ── the promise ──────────────────────────────────────────────────────────────────────────────────

const plain = (text: string): string => (text.match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
const meaning = (each: Task): string => `${each.marker.state} ${plain(each.text)} | ${plain(each.details)}`;
const tasksOf = (board: Board): Task[] => board.sections.flatMap(({ tasks }) => tasks);

const context = { stateOf: () => undefined, agents: [], models: [], workflows: [], granularity: 'off', workers: [] } as const;

/** What of the new reading says something else than the list did before. */
function other(before: Board, after: Board): string[] {
  const left = tasksOf(before).map(meaning);
  return tasksOf(after).flatMap((each) => {
    const at = left.indexOf(meaning(each));
    if (at >= 0) left.splice(at, 1);
    return at >= 0 ? [] : [meaning(each)];
  });
}

const waiting = (each: Task): boolean => each.marker.state === 'open' || each.marker.state === 'blocked' || each.marker.state === 'in_progress';

describe('a list after a formatter', () => {
  it.for(Object.entries(FORMATTERS))('1.1-R2 1.1-R4 %s: the same tasks, or refused', async ([, formatted]) => {
    await fc.assert(
      fc.asyncProperty(list, async (text) => {
        const before = parse(text, defaultParseOptions);
        const after = parse(await formatted(text), defaultParseOptions, before);
        const gone = tasksOf(before).filter((each) => waiting(each) && !tasksOf(after).some((now) => meaning(now) === meaning(each)));
        if (gone.length > 0 || other(before, after).length > 0)
          expect([reflowed(before, after).length > 0, text, after.text]).toEqual([true, text, after.text]);
      }),
      { numRuns: RUNS, seed: 20261121 },
    );
  });

  it.for(Object.entries(FORMATTERS))('1.1-R2 1.1-R4 %s while nothing looked: no task starts as another one than was written', async ([, formatted]) => {
    await fc.assert(
      fc.asyncProperty(list, async (text) => {
        const before = parse(text, defaultParseOptions);
        const after = parse(await formatted(text), defaultParseOptions);
        const problems = check(after, context);
        const held = new Set(problems.flatMap(({ severity, holds }) => (severity === 'error' ? (holds ?? []).map((located) => located.task) : [])));
        const said = new Set(problems.map(({ place }) => place.line));
        const written = tasksOf(before).map((each) => plain(`${each.text} ${each.details}`));
        // Prose that was drawn into the title is the same words; what was parted from it cannot be told from a remark here.
        const wrong = [...allTasks(after)]
          .filter((located) => waiting(located.task) && !held.has(located.task) && !said.has(placeOf(after, located).line))
          .flatMap(({ task: each }) => (written.some((all) => all.startsWith(plain(each.text))) ? [] : [each]));
        expect([wrong.map(({ text: words }) => words), after.text]).toEqual([[], after.text]);
      }),
      { numRuns: RUNS, seed: 20261121 },
    );
  });
});

describe('a person is no formatter', () => {
  const base = '## Git Worktree a\n[] one\n  run: true\n  more words\n[] two words {p1}\n- [🟡 q8f0t6zd] three\n  files: src\nA remark.\n';
  const CHANGES: readonly (readonly [what: string, from: string, to: string])[] = [
    ['words added', '[] two words', '[] two words and more'],
    ['words taken away', '[] two words', '[] two'],
    ['a task deleted', '[] two words {p1}\n', ''],
    ['a detail deleted', '  run: true\n', ''],
    ['all details deleted', '  run: true\n  more words\n', ''],
    ['a task moved', '[] one\n  run: true\n  more words\n[] two words {p1}\n', '[] two words {p1}\n[] one\n  run: true\n  more words\n'],
    ['a task commented out', '[] two words {p1}\n', '<!-- [] two words {p1} -->\n'],
    ['a task put into a quote', '[] two words {p1}\n', '> [] two words {p1}\n'],
    ['a task in backticks', 'A remark.', 'A remark on `[] two words`.'],
    ['a marker set', '[🟡 q8f0t6zd]', '[❌]'],
    ['a detail added', '[] two words {p1}\n', '[] two words {p1}\n  files: x\n'],
    ['an odd bracket', '- [🟡 q8f0t6zd]', '- [?]'],
    ['words put before', '[] two words', '[] please two words'],
    ['another bullet', '- [🟡', '* [🟡'],
  ];
  it.for(CHANGES)('1.1-R2 %s is taken as it is', ([, from, to]) => {
    expect(base).toContain(from);
    const before = parse(base, defaultParseOptions);
    expect(reflowed(before, parse(base.replace(from, to), defaultParseOptions, before))).toEqual([]);
  });
});
