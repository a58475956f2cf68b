import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/runs/reconcile.ts';
import { ListRefused } from '../../../src/engine/ports.ts';
import { command, show } from '../../../src/surfaces/cli/command.ts';
import { usage } from '../../../src/surfaces/cli/failure.ts';
import { z } from 'zod';
import { type Given, todone } from './host.ts';

const FOUND: Finding = {
  code: 'unproven',
  rule: '4-R9',
  severity: 'finding',
  line: 3,
  id: 'k3v9x2m1',
  section: 'auth',
  title: 'Add login form',
  message: 'marked done in a1b2c3d, but nothing proves it',
  remedy: 'if it is done, write [x]',
  fix: null,
};
const aborted = AbortSignal.abort();
const noRepo = usage('this is no git repository', 'git init, or name one with -C', { where: '/tmp/x' });

describe('exit codes', () => {
  const ENDS: readonly (readonly [string, number, Given?])[] = [
    ['', 0],
    ['--help', 0],
    ['help', 0],
    ['help why', 0],
    ['--version', 0],
    ['status', 0],
    ['status auth', 0],
    ['why rotate', 0],
    ['why tasks.md:8', 0],
    ['task ready', 0, { list: '' }],
    ['task list --status cancelled', 0],
    ['start --dry-run', 0],
    ['start --dry-run', 0, { list: '' }],
    ['start --once', 0],
    ['start --once', 1, { start: { failed: ['m2c7r4ya'], interrupted: false } }],
    ['start', 0, { start: { failed: ['m2c7r4ya'], interrupted: false } }],
    ['start', 130, { start: { failed: [], interrupted: true } }],
    ['start --once', 130, { start: { failed: ['m2c7r4ya'], interrupted: true } }],
    ['start', 3, { start: { kind: 'failure', code: 3, message: 'this is a linked worktree', remedy: 'start it in the main one' } }],
    ['start --dry-run --watch', 130, { signal: aborted }],
    ['logs q8f0t6zd', 0],
    ['logs -f q8f0t6zd', 130, { signal: aborted }],
    ['doctor', 0],
    ['doctor', 0, { doctor: { checks: [{ name: 'sandbox', ok: 'warn', found: 'none', remedy: 'install bubblewrap' }], config: [] } }],
    ['doctor', 1, { doctor: { checks: [{ name: 'git', ok: false, found: '2.30', remedy: 'install git 2.39 or newer' }], config: [] } }],
    ['init', 0],
    ['init', 2, { init: noRepo }],
    ['stop q8f0t6zd', 0],
    ['stop rotate', 3, { answer: { kind: 'refused', message: 'the task is not being worked on', remedy: 'todone status shows what runs' } }],
    ['stop nobody', 2, { answer: { kind: 'unknown', message: 'no task is called nobody', remedy: 'todone task list' } }],
    ['pause', 0],
    ['pause auth', 0],
    ['pause nope', 2],
    ['status nope', 2],
    ['task list --section nope', 2],
    ['restore m2c7r4ya', 0],
    ['restore lcxv8o4', 3],
    ['restore nobody', 2],
    ['restore nobody', 0, { kept: [{ id: 'nobody', ref: 'r', commit: 'c', attempt: 1, label: 'l', at: 0 }] }],
    ['restore m2c7r4ya --list', 3],
    ['restore m2c7r4ya --attempt 0', 2],
    ['reconcile', 0],
    ['reconcile --fix', 1, { reconciled: { findings: [FOUND], fixed: [] } }],
    ['reconcile', 0, { reconciled: { findings: [{ ...FOUND, severity: 'note' }], fixed: [FOUND] } }],
    ['history', 0],
    ['history --list --show x', 2],
    ['clean', 0],
    ['clean auth', 3, { cleaned: { kind: 'failure', code: 3, message: 'section auth is not over', remedy: 'wait for it' } }],
    ['why nobody', 2],
    ['task show nobody', 2],
    ['task history nobody', 2],
    ['logs nobody', 2],
    ['status', 2, { open: noRepo }],
    ['strat', 2],
    ['task', 2],
    ['task lst', 2],
    ['why', 2],
    ['why a b', 2],
    ['start --onec', 2],
    ['start --interval soon', 2],
    ['start --parallel 0', 2],
    ['start --parallel two', 2],
    ['start --watch', 2],
    ['start --wait', 2],
    ['start --agent nobody', 2],
    ['task list --status opne', 2],
    ['task ready --limit 0', 2],
    ['completion tcsh', 2],
    ['-C', 2],
  ];

  it.each(ENDS.map(([argv, code, given]) => [argv, code, given ?? {}] as const))('7-R1 `todone %s` ends with %i', async (argv, code, given) => {
    const said = await todone(argv, given);
    expect(said.code).toBe(code);
    const complains = code === 2 || code === 3;
    expect(/^error: .+\n(?:.*\n)*\s+do: .+/.test(said.err)).toBe(complains);
    expect(complains && said.out !== '').toBe(false);
  });

  it('7-R1 starts nothing for a dry run, and nothing after a wrong option', async () => {
    expect((await todone('start --dry-run --once')).starts).toBe(0);
    expect((await todone('start --agent nobody')).starts).toBe(0);
    expect((await todone('start --once')).starts).toBe(1);
  });

  it.each<readonly [string, RegExp]>([
    ['strat', /do: did you mean todone start\?/],
    ['list', /do: did you mean todone task list\?/],
    ['task lst', /do: did you mean todone task list\?/],
    ['start --onec', /do: did you mean --once\?/],
    ['why', /do: for example: todone why tasks\.md:12/],
    ['why rotat', /do: did you mean rotate\?/],
    ['status auht', /do: did you mean auth\?/],
    ['start --agent fkae', /do: did you mean fake\?/],
    ['start --interval soon', /error: --interval: that is no time: write 500ms, 5s or 2m/],
    ['completely-else', /do: todone --help shows every command/],
  ])('7-R2 `todone %s` is told what to do', async (argv, words) => {
    expect((await todone(argv)).err).toMatch(words);
  });

  it('7-R2 a list that cannot be written is refused with its remedy', async () => {
    const row = command({
      name: 'stop',
      group: 'Steer',
      summary: 'x',
      arguments: [],
      options: [],
      examples: [],
      json: 'answer',
      quiet: undefined,
      input: z.object({}),
      run: () => Promise.reject(new ListRefused('EROFS', 'the list is read-only', 'make it writable')),
    });
    const said = await todone('stop', { rows: [row] });
    expect(said).toMatchObject({ code: 3, err: 'error: the list is read-only\n  do: make it writable\n' });
  });

  it('7-R2 a bug is not made a failure: it is left to the door', async () => {
    const row = command({
      name: 'stop',
      group: 'Steer',
      summary: 'x',
      arguments: [],
      options: [],
      examples: [],
      json: 'answer',
      quiet: undefined,
      input: z.object({}),
      run: () => Promise.reject(new TypeError('oh')),
    });
    await expect(todone('stop', { rows: [row] })).rejects.toThrow('oh');
  });

  it('7-R2 shows a stack with --verbose only', async () => {
    const open = { ...noRepo, why: 'there is no .git', stack: 'Error: at line 1' };
    expect((await todone('status', { open })).err).toBe(
      'error: this is no git repository\n  where: /tmp/x\n  why: there is no .git\n  do: git init, or name one with -C\n',
    );
    expect((await todone('status --verbose', { open })).err).toContain('Error: at line 1');
  });

  it('7-R1 a handler may end with any code', async () => {
    const row = command({
      name: 'stop',
      group: 'Steer',
      summary: 'x',
      arguments: [],
      options: [],
      examples: [],
      json: 'answer',
      quiet: undefined,
      input: z.object({}),
      run: async () => show({ code: 1, view: 'x', text: (view) => `${view}\n`, json: () => ({}), quiet: () => [] }),
    });
    expect(await todone('stop', { rows: [row] })).toMatchObject({ code: 1, out: 'x\n' });
  });
});
