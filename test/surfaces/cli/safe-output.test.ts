import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../src/surfaces/cli/app.ts';
import { usage } from '../../../src/surfaces/cli/failure.ts';
import { sceneOf } from '../../runs/scene.ts';
import { busyWorld, NOW, todone } from './host.ts';

const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** The colours that we write ourselves. */
const OURS = /\u001b\[\d{1,2}m/g;

const nasty = fc
  .array(
    fc.constantFrom(
      '\u001b[2J',
      '\u001b]0;x\u0007',
      '\u009b1m',
      '\u202e',
      '\u0007',
      '\u0000',
      '\u007f',
      '\u0085',
      '\u001b',
      'a',
      ' ',
      '{p0}',
      '`',
      '\u2066',
      '[31m',
      '日',
      '⏰',
      '\u200f',
      '\u001bP',
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Every command that shows what others wrote. */
const CALLS = [
  'status',
  'status auth',
  'status auth --md',
  'task list',
  'task ready',
  'task show m2c7r4ya',
  'task history m2c7r4ya',
  'why q8f0t6zd',
  'why m2c7r4ya',
  'start --dry-run',
  'start --once',
  'logs q8f0t6zd',
  'stop q8f0t6zd',
  'doctor',
  'init',
  'why nobody',
  'complete -- why ""',
  'restore m2c7r4ya',
];

const coloured = async (argv: string, isTTY: boolean, env: Record<string, string> = {}): Promise<boolean> =>
  (await todone(argv, { isTTY, env })).out.includes('\u001b[');

describe('what reaches a terminal', () => {
  it.each(CALLS)('13-R2 `todone %s` shows no control character of a task, an agent or a path', async (call) => {
    await fc.assert(
      fc.asyncProperty(
        nasty,
        fc.constantFrom('', ' --quiet', ' --json'),
        fc.boolean(),
        fc.constantFrom(undefined, 40, 80),
        async (words, form, isTTY, width) => {
          const list = `# I ${words}\n## Git Worktree auth {p1}\n[❌ m2c7r4ya] Remember ${words}\n  Details ${words}\n[🟡 q8f0t6zd] Log ${words}\n[⏰] Other ${words} {after:${words.replaceAll(/[\s{}]/g, '')}}\n## Git Worktree b ${words}\n[] B ${words} {fake}\n`;
          const scene = sceneOf(list, {
            now: NOW,
            world: (world) => {
              busyWorld(world);
              for (const [id, known] of world.known)
                world.known.set(id, { ...known, message: words, evidence: words, plan: words, summary: words, kept: words });
              for (const [id, run] of world.runs)
                world.runs.set(id, { ...run, task: { ...run.task, title: words }, agent: words, model: words, found: { workspace: words } });
            },
          });
          const entries: LogEntry[] = [
            { at: NOW, step: words, kind: 'text', text: words },
            { at: NOW, step: words, kind: 'tool', name: words, input: words, output: words },
            { at: NOW, step: words, kind: 'error', message: words, class: 'real' },
          ];
          const said = await todone(
            call
              .split(' ')
              .map((word) => (word === '""' ? '' : word))
              .concat(form === '' || call.startsWith('complete') ? [] : [form.trim()]),
            {
              scene,
              isTTY,
              width,
              entries,
              activity: new Map([['q8f0t6zd', { at: NOW, last: words, inputTokens: 0, outputTokens: 0, costUsd: 0 }]]),
              history: [{ at: NOW, id: words, field: words, old: words, new: words, by: words, via: words }],
              answer: { kind: 'ok', message: words, id: words },
              doctor: { checks: [{ name: words, ok: false, found: words, remedy: words }], config: [{ key: words, value: { [words]: words }, source: words }] },
              init: { steps: [{ what: words, path: words, done: 'done' }], next: words },
              restored: { id: words, ref: words, path: words, files: [words], done: false },
            },
          );
          const shown = isTTY ? `${said.out}${said.err}`.replaceAll(OURS, '') : `${said.out}${said.err}`;
          expect(shown).not.toMatch(OBEYED);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('13-R2 a failure shows none either', async () => {
    const said = await todone('status', { open: usage('bad \u001b[2J', 'do \u202e', { where: '/x\u0007', why: '\u009b1m' }) });
    expect(said.err).not.toMatch(OBEYED);
  });

  it('7 colours only on a terminal, not with NO_COLOR, TERM=dumb or --no-color', async () => {
    expect(await coloured('status', true)).toBe(true);
    expect(await coloured('--help', true)).toBe(true);
    expect(await coloured('status', true, { NO_COLOR: '' })).toBe(true);
    expect(await coloured('status', false)).toBe(false);
    expect(await coloured('status --no-color', true)).toBe(false);
    expect(await coloured('--no-color --help', true)).toBe(false);
    expect(await coloured('status', true, { NO_COLOR: '1' })).toBe(false);
    expect(await coloured('status', true, { TERM: 'dumb' })).toBe(false);
    expect(await coloured('status --json', true)).toBe(false);
    expect(await coloured('status --quiet', true)).toBe(false);
  });
});
