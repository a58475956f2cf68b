import { describe, expect, it } from 'vitest';
import { attributeOf, GROUPS } from '../../../src/surfaces/cli/command.ts';
import { COMMANDS } from '../../../src/surfaces/cli/commands.ts';
import { documents } from '../../../src/surfaces/cli/json.ts';
import { todone } from './host.ts';

/** Every command that the command line has so far (7), and whether it has the two forms for programs. */
const VISIBLE = COMMANDS.filter((row) => !row.hidden);

describe('the table of commands', () => {
  it('7-R1 has the commands of the page, each once', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        'start',
        'init',
        'doctor',
        'status',
        'why',
        'logs',
        'stop',
        'retry',
        'restore',
        'pause',
        'resume',
        'task list',
        'task show',
        'task ready',
        'task history',
        'completion',
        'reconcile',
        'history',
        'clean',
      ]),
    );
  });

  it.each(COMMANDS.map((row) => [row.name, row] as const))('7-R2 %s says what it is, with two examples that it understands', async (name, row) => {
    expect(row.summary).toMatch(/^[a-z].*[^.]$/);
    expect(row.summary.length).toBeLessThanOrEqual(60);
    expect(GROUPS).toContain(row.group);
    expect(row.examples.length).toBeGreaterThanOrEqual(2);
    for (const { line, says } of row.examples) {
      expect(line).toContain(`todone ${name}`);
      expect(says).not.toBe('');
    }
    for (const option of row.options) expect(option.flags).toMatch(/^(?:-\w, )?--[a-z-]+(?: <[a-z]+>)?$/);
    const page = await todone([...name.split(' '), '--help']);
    expect(page.code).toBe(0);
    expect(page.err).toBe('');
    for (const { line } of row.examples) expect(page.out).toContain(line);
    for (const option of row.options) expect(page.out).toContain(option.flags);
    for (const choice of row.options.flatMap((option) => option.choices ?? [])) expect(page.out).toContain(choice);
    expect(page.out).toContain('--no-color');
  });

  it.each(VISIBLE.filter(({ name, group }) => name !== 'completion' && group !== 'Serve').map((row) => [row.name, row] as const))(
    '7-R1 %s has JSON, and says what --quiet prints',
    (_name, row) => {
      expect(row.json === undefined ? undefined : documents[row.json]).toBeDefined();
      // A log has no ids to print.
      expect(row.name === 'logs' || row.quiet?.startsWith('prints ')).toBe(true);
    },
  );

  it('7-R1 knows no option under two names, and none that every command has', () => {
    const everywhere = ['repo', 'tasks', 'config', 'as', 'json', 'quiet', 'verbose', 'color', 'help', 'version'];
    for (const row of COMMANDS) {
      const names = row.options.map(({ flags }) => attributeOf(flags));
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(everywhere).not.toContain(name);
    }
  });

  it('7 takes the options of every command before and after its name', async () => {
    for (const argv of [
      '-C /r --tasks t.md --config c.json --as bob --json task list',
      'task list -C /r --tasks t.md --config c.json --as bob --json',
      'task --as bob -C /r list --json --tasks t.md --config=c.json',
    ]) {
      const { globals, code } = await todone(argv);
      expect(code).toBe(0);
      expect(globals).toMatchObject([
        { repo: '/r', tasks: 't.md', config: 'c.json', as: 'bob', json: true, quiet: false, color: true, overrides: {}, demo: false },
      ]);
    }
    expect((await todone('status --quiet --verbose --no-color')).globals).toMatchObject([{ quiet: true, verbose: true, color: false }]);
  });

  it('7 hands what start sets to the config, above every file', async () => {
    expect((await todone('start --dry-run --interval 500ms --agent fake --parallel 2')).globals).toMatchObject([
      { overrides: { interval: '500ms', agent: 'fake', maxAgents: 2 }, demo: false },
    ]);
    expect((await todone('start --demo --once')).globals).toMatchObject([{ overrides: {}, demo: true }]);
  });
});
