import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, listOf, makeRepo, type Ran, removeRepos, start } from './kit.ts';

const homes: string[] = [];
afterEach(() => {
  removeRepos();
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

const CONFIG = { 'todone.config.json': '{"claimAfter":"0s","interval":"300ms","sandbox":"none"}' };

/** gh as far as issues go: writes down what it was called with, and keeps them in a file. */
function issueGh(): {
  readonly env: Record<string, string>;
  readonly calls: () => string[];
  readonly issues: () => { state: string; body: string }[];
} {
  // Programs inside the repository are not taken.
  const home = mkdtempSync(join(tmpdir(), 'todone-gh-'));
  homes.push(home);
  const file = join(home, 'issues.json');
  writeFileSync(
    join(home, 'gh'),
    `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const [, , ...args] = process.argv;
const file = ${JSON.stringify(file)};
appendFileSync(${JSON.stringify(join(home, 'gh.log'))}, args.slice(0, 2).join(' ') + '\\n');
const value = (name) => args[args.indexOf(name) + 1];
const issues = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [{ number: 1, url: 'https://forge.example/o/r/issues/1', state: 'OPEN', body: 'ToDone audit, says a person' }];
const issue = issues.find(({ number }) => String(number) === args[2]);
if (args[1] === 'list') process.stdout.write(JSON.stringify(issues));
if (args[1] === 'create') {
  const number = issues.length + 1;
  issues.push({ number, url: 'https://forge.example/o/r/issues/' + number, state: 'OPEN', body: readFileSync(value('--body-file'), 'utf8') });
  process.stdout.write(issues.at(-1).url + '\\n');
}
if (args[1] === 'edit') issue.body = readFileSync(value('--body-file'), 'utf8');
if (args[1] === 'close') issue.state = 'CLOSED';
if (args[1] === 'reopen') issue.state = 'OPEN';
writeFileSync(file, JSON.stringify(issues));
`,
  );
  chmodSync(join(home, 'gh'), 0o755);
  return {
    env: { PATH: `${home}:${process.env['PATH']}` },
    calls: () => (existsSync(join(home, 'gh.log')) ? readFileSync(join(home, 'gh.log'), 'utf8').trim().split('\n') : []),
    issues: () => JSON.parse(readFileSync(file, 'utf8')) as { state: string; body: string }[],
  };
}

type Found = { readonly ok: boolean; readonly findings: readonly { readonly code: string }[]; readonly issue: { readonly done: string } | null };

describe('audit', () => {
  it('6.4-R2 a daemon looks by itself, and says what it found', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one {triage} {created:2020-01-01}\n', {
      'todone.config.json': '{"interval":"300ms","sandbox":"none","audit":{"every":"1s"}}',
    });
    const daemon = start(top, ['start']);
    let said = '';
    daemon.stderr?.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')));
    await expect.poll(() => said, { timeout: 60_000 }).toContain('audit: 1 to look at: waits for triage');
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it('6.4-R2 finds what git does not prove and commits without a task, and keeps one issue of it', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] one\n  run: echo 1 > one.txt\n', CONFIG);
    const gh = issueGh();
    const audit = async (...args: string[]): Promise<Found & Pick<Ran, 'code'>> => {
      const ran = await start(top, ['audit', '--json', ...args], gh.env).ended;
      if (!ran.out.includes('findings')) throw new Error(ran.out + ran.err);
      return { ...(JSON.parse(ran.out) as Found), code: ran.code };
    };
    git(top, 'remote', 'add', 'origin', 'https://forge.example/o/r.git');
    await start(top, ['start', '--once']).ended;
    expect(await audit('--issue')).toMatchObject({ code: 0, findings: [], issue: { done: 'none' } });
    const right = listOf(top);
    writeFileSync(join(top, 'tasks.md'), `${right}[✅ abcdef1, g1111111] two\n`);
    git(top, 'commit', '-q', '--allow-empty', '-m', 'Fix it', '-m', 'Co-Authored-By: Claude <noreply@anthropic.com>');
    git(top, 'commit', '-q', '--allow-empty', '-m', 'By a person, about claude');
    const found = await audit('--issue');
    expect([found.code, found.findings.map(({ code }) => code).toSorted(), found.issue?.done]).toEqual([1, ['taskless', 'unproven'], 'created']);
    expect((await audit('--issue')).issue).toMatchObject({ done: 'current' });
    writeFileSync(join(top, 'tasks.md'), right);
    expect((await audit('--issue')).issue).toMatchObject({ done: 'updated' });
    expect(gh.issues()[1]?.body).not.toContain('unproven');
    git(top, 'reset', '-q', '--hard', 'HEAD~2');
    writeFileSync(join(top, 'tasks.md'), right);
    expect(await audit('--issue')).toMatchObject({ code: 0, issue: { done: 'closed' } });
    expect((await audit('--issue')).issue).toMatchObject({ done: 'none' });
    writeFileSync(join(top, 'tasks.md'), `${right}[✅ abcdef1, g1111111] two\n`);
    expect((await audit('--issue')).issue).toMatchObject({ done: 'updated' });
    expect(gh.issues().map(({ state }) => state)).toEqual(['OPEN', 'OPEN']);
    expect(gh.issues()[0]?.body).toBe('ToDone audit, says a person');
    expect(gh.calls().filter((call) => call === 'issue create')).toHaveLength(1);
  });
});
