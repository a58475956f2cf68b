/** What a daemon publishes for an audit elsewhere, with real remotes: one that takes it, one that is not there, one that hangs (6.4-R4). */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, listOf, makeRepo, markerOf, removeRepos, start, todone } from './kit.ts';

/** It has to wait for time limits. */
const LONG = process.env['TODONE_LONG'] !== undefined;

const folders: string[] = [];
afterEach(() => {
  removeRepos();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeRemote(): string {
  const remote = mkdtempSync(join(tmpdir(), 'todone-remote-'));
  folders.push(remote);
  git(remote, 'init', '-q', '--bare', '-b', 'main');
  return remote;
}

function makeClone(remote: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'todone-clone-'));
  folders.push(folder);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'remote', 'add', 'origin', remote);
  git(folder, '-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '-q', '--allow-empty', '-m', 'x');
  return folder;
}

const configOf = (more: object): Record<string, string> => ({
  'todone.config.json': JSON.stringify({ claimAfter: '0s', interval: '300ms', sandbox: 'none', publish: true, ...more }),
});
const state = (remote: string): { at: number; runs: { id: string }[] } => JSON.parse(git(remote, 'show', 'refs/todone/state:state.json')) as never;
const published = (remote: string): string => {
  try {
    return git(remote, 'show', 'refs/todone/state:list.md');
  } catch {
    return '';
  }
};

describe('publish', () => {
  it('6.4-R4 the daemon pushes list and state at each change, without secrets, and an audit elsewhere finds what is stale', async () => {
    const remote = makeRemote();
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt\n[] two {triage} {created:2020-01-01}\n', configOf({}));
    git(top, 'remote', 'add', 'origin', remote);
    writeFileSync(join(top, '.env'), 'API_TOKEN=s3cr3t-value-of-this-test\n');
    const clone = makeClone(remote);
    const missing = await todone(clone, 'audit', '--published');
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('has no refs/todone/state')]);
    const daemon = start(top, ['start']);
    await expect.poll(() => published(remote), { timeout: 60_000 }).toMatch(/\[✅ \w+, \w+\] one/);
    writeFileSync(join(top, 'tasks.md'), `${listOf(top)}[] three {hold:x}\n  Use s3cr3t-value-of-this-test\n`);
    await expect.poll(() => published(remote), { timeout: 60_000 }).toContain('three');
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(published(remote)).not.toContain('s3cr3t-value');
    expect(git(remote, 'rev-list', '--count', 'refs/todone/state').trim()).toBe('1');
    const found = await todone(clone, 'audit', '--published', '--json');
    expect([found.code, (JSON.parse(found.out) as { findings: { code: string; line: number }[] }).findings.map(({ code, line }) => [code, line])]).toEqual([
      1,
      [['triage', 4]],
    ]);
    // As it is when the daemon has been dead for two days.
    const old = JSON.stringify({ ...state(remote), at: Date.now() - 49 * 3_600_000 });
    writeFileSync(join(clone, 'state.json'), old);
    writeFileSync(join(clone, 'list.md'), published(remote));
    git(clone, 'add', 'state.json', 'list.md');
    const commit = git(clone, '-c', 'user.name=x', '-c', 'user.email=x@x', 'commit-tree', git(clone, 'write-tree').trim(), '-m', 'x').trim();
    git(clone, 'push', '-q', '-f', 'origin', `${commit}:refs/todone/state`);
    const late = await todone(clone, 'audit', '--published', remote);
    expect([late.code, late.out]).toEqual([1, expect.stringMatching(/it is 2 days old: no daemon of .* publishes it any more \(unpublished\)/)]);
  });

  it.runIf(LONG)('6.4-R4 a remote that fails or hangs holds nothing up, is shown, and is tried again', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'todone-ssh-'));
    folders.push(bin);
    writeFileSync(join(bin, 'ssh'), '#!/bin/sh\nsleep 600\n');
    chmodSync(join(bin, 'ssh'), 0o755);
    const top = makeRepo(
      '## Git Worktree a {script}\n[] one {no-commit}\n  run: sleep 1\n',
      configOf({ remote: 'ssh://host.invalid/repo.git', limits: { remote: '4s' } }),
    );
    const daemon = start(top, ['start'], { GIT_SSH_COMMAND: join(bin, 'ssh') });
    await expect.poll(() => markerOf(top, 'one'), { timeout: 60_000 }).toContain('✅');
    await expect
      .poll(async () => (await todone(top, 'status')).out, { timeout: 60_000 })
      .toMatch(/not published \(it never was\): .*did not (?:end|answer)|not published \(it never was\)/);
    const remote = makeRemote();
    writeFileSync(join(top, 'todone.config.json'), configOf({ remote })['todone.config.json'] ?? '');
    await expect.poll(() => published(remote), { timeout: 120_000 }).toContain('one');
    await expect.poll(async () => (await todone(top, 'status')).out, { timeout: 60_000 }).not.toContain('not published');
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it('6.4-R4 --once publishes what it came to; without publish nothing leaves the machine', async () => {
    const remote = makeRemote();
    const top = makeRepo('## Git Worktree a {script}\n[] one {no-commit}\n  run: true\n', configOf({ publish: false }));
    git(top, 'remote', 'add', 'origin', remote);
    await start(top, ['start', '--once']).ended;
    expect(git(remote, 'for-each-ref').trim()).toBe('');
    writeFileSync(join(top, 'todone.config.json'), configOf({})['todone.config.json'] ?? '');
    expect((await start(top, ['start', '--once']).ended).code).toBe(0);
    expect(published(remote)).toContain('✅');
  });

  it('6.4-R4 init --github writes the workflow once, and leaves one that was changed by hand', async () => {
    const top = makeRepo('## Git Worktree a\n');
    const file = join(top, '.github', 'workflows', 'todone-audit.yml');
    const init = async (): Promise<string> => (await todone(top, 'init', '--github')).out;
    expect(await init()).toMatch(/done .*workflow/);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('todone audit --published origin --issue');
    expect(await init()).toMatch(/as it was .*workflow/);
    writeFileSync(file, text.replace('*/6', '*/2'));
    expect(await init()).toContain('changed by hand');
    expect(readFileSync(file, 'utf8')).toContain('*/2');
  });
});

describe('sessions', () => {
  it('6.4-R2 a session whose hooks ran and that never looked at its queue is found, one that looked is not', async () => {
    const top = makeRepo('## Git Worktree a\n[] one\n', { 'todone.config.json': '{"sandbox":"none"}' });
    mkdirSync(join(top, '.git', 'todone'), { mode: 0o700 });
    const hook = async (session: string, ...args: string[]): Promise<string> => {
      const child = start(top, ['rules', ...args], { CLAUDE_ENV_FILE: join(top, '.git', 'env') });
      const ended = child.ended;
      return (await Promise.race([ended, ended])).out || session;
    };
    const log = (rows: object[]): void => {
      const file = join(top, '.git', 'todone', 'sessions.ndjson');
      writeFileSync(file, rows.map((row) => `${JSON.stringify({ v: 1, agent: 'claude', ...row })}\n`).join(''));
    };
    const at = Date.now() - 3_600_000;
    log([
      { at, what: 'start', session: 'blind' },
      { at: at + 1, what: 'prompt', session: 'blind' },
      { at: at - 5 * 3_600_000, what: 'start', session: 'looked' },
      { at: at - 5 * 3_600_000, what: 'prompt', session: 'looked' },
    ]);
    // What a hook shows is no look of the session's; nothing comes in here, and nothing is written down.
    expect(await hook('blind')).toContain('read your queue');
    await start(top, ['task', 'ready'], { CLAUDECODE: '1', TODONE_SESSION: 'looked' }).ended;
    const found = JSON.parse((await todone(top, 'audit', '--json')).out) as { findings: { code: string; title: string }[] };
    expect(found.findings.map(({ code, title }) => [code, title])).toEqual([['session', 'session blind of claude']]);
  });
});
