import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { usage } from '../../../src/surfaces/cli/failure.ts';
import { COMMANDS } from '../../../src/surfaces/cli/commands.ts';
import { busyScene, type Given, todone } from './host.ts';

const complete = async (words: readonly string[], given: Given = {}): Promise<string[]> =>
  (await todone(['complete', '--', ...words], given)).out.split('\n').filter((line) => line !== '');
const values = async (...words: readonly string[]): Promise<string[]> => (await complete(words)).map((line) => line.split('\t')[0] ?? '');

describe('completion', () => {
  it('7 of command names, each with what it does', async () => {
    expect(await complete(['st'])).toEqual([
      'start\twork on the list: claim, run agents, land commits',
      'status\twhat runs, failed, comes next, and waits for you',
      'stop\tstop a task that is being worked on; its work is kept',
    ]);
    expect(await values('')).toEqual([...new Set(COMMANDS.filter((row) => !row.hidden).map((row) => row.name.split(' ')[0]))]);
    expect(await values('task', '')).toEqual(expect.arrayContaining(['list', 'ready', 'show', 'history', 'create', 'claim', 'dep']));
    expect(await values('task', 'l')).toEqual(['list']);
    expect(await values('nothing', '')).toEqual([]);
  });

  it('7-R6 of tasks by id or handle, with their titles', async () => {
    expect(await complete(['why', ''])).toContain('k3v9x2m1\tAdd login form');
    expect(await complete(['why', 'l'])).toEqual(['lcxv8o4\tSend invoices']);
    expect(await values('logs', '-f', 'q')).toEqual(['q8f0t6zd']);
    expect(await values('-C', '/r', '--json', 'task', 'show', 'm')).toEqual(['m2c7r4ya']);
    expect(await values('why', 'q8f0t6zd', '')).toEqual([]);
  });

  it('7 of sections, agents, states and shells', async () => {
    expect(await values('status', '')).toEqual(['auth', 'billing']);
    expect(await values('task', 'list', '--section', 'b')).toEqual(['billing']);
    expect(await values('start', '--agent', '')).toEqual(['claude', 'fake', 'script']);
    expect(await values('task', 'list', '--status', '')).toEqual(['open', 'pending', 'blocked', 'in_progress', 'done', 'closed', 'failed', 'cancelled']);
    expect(await values('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('7 of options, those of the command and those of all', async () => {
    expect(await values('start', '--o')).toEqual(['--once']);
    expect(await values('start', '-')).toEqual(expect.arrayContaining(['--once', '--dry-run', '--json', '--repo', '--help']));
    expect(await values('--no')).toEqual(['--no-color']);
  });

  it('7 asks the list that was named', async () => {
    const said = await todone(['complete', '--', '-C', '/other', '--tasks', 'x.md', 'why', '']);
    expect(said.globals).toMatchObject([{ repo: '/other', tasks: 'x.md' }]);
  });

  it('7 is silent where there is no list', async () => {
    expect(await todone(['complete', '--', 'why', ''], { open: usage('no repository', 'git init') })).toMatchObject({ code: 0, out: '', err: '' });
  });

  it('13-R2 titles with ugly characters are one plain line', async () => {
    const scene = busyScene('## Git Worktree a\n[] a\u001b[31m\ttab \u202ex\n');
    expect(await complete(['why', ''], { scene })).toEqual([expect.stringMatching(/^[a-z0-9]{7}\ta tab <U\+202E>x$/)]);
  });

  it('7 the script works in bash', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'todone-completion-'));
    try {
      const { out: script } = await todone('completion bash');
      writeFileSync(join(folder, 'completion.bash'), script);
      writeFileSync(
        join(folder, 'todone'),
        '#!/bin/sh\nprintf \'%s\\n\' "$*" >> "$0.asked"\nprintf \'k3v9x2m1\\tAdd login form\\nrotate\\tRotate $(touch x) `refresh`\\n\'\n',
        { mode: 0o755 },
      );
      const test = `set -eu
source ./completion.bash
COMP_WORDS=(todone -C "a b" why "") COMP_CWORD=4
_todone_complete
printf '%s\\n' "\${COMPREPLY[@]}"
complete -p todone
cat todone.asked`;
      const { stdout } = await execa('bash', ['--norc', '-c', test], { cwd: folder, env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } });
      expect(stdout.split('\n')).toEqual(['k3v9x2m1', 'rotate', 'complete -F _todone_complete todone', 'complete -- -C a b why ']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each(['bash', 'zsh', 'fish'])('7 the script for %s asks todone complete', async (shell) => {
    expect((await todone(`completion ${shell}`)).out).toContain('todone complete -- ');
  });
});
