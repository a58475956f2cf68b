import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../src/adapters/find-program.ts';
import { repoOfUrl } from '../../src/adapters/github.ts';
import { performErrand } from '../../src/engine/errand.ts';
import { type BranchKit, errandOrder, makeBranchKit, standInGh } from './branch-kit.ts';
import { never, script } from './git-kit.ts';

const made: BranchKit[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const kit of made.splice(0)) kit.close();
  for (const server of servers.splice(0)) server.close();
});

async function scene(remote = true): Promise<BranchKit> {
  const kit = await makeBranchKit({ remote });
  made.push(kit);
  return kit;
}

const there = ({ kit, remote }: BranchKit, ref = 'todone/auth'): string | undefined => {
  try {
    return kit.git(['rev-parse', '--verify', '-q', `refs/heads/${ref}`], remote);
  } catch {
    return undefined;
  }
};
const hook = ({ remote }: BranchKit, text: string): void => script(join(remote, 'hooks', 'pre-receive'), `#!/bin/sh\n${text}\n`);

describe('push', () => {
  it('4-R10 pushes the branch, never by force, and finds it there the next time', async () => {
    const all = await scene();
    const commit = await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({ kind: 'done', message: expect.stringContaining('pushed') });
    expect(there(all)).toBe(commit);
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({ kind: 'done', message: expect.stringContaining('origin has') });
    const next = await all.landed('b.txt', 'b\n');
    await performErrand(errandOrder('push'), branches, never);
    expect(there(all)).toBe(next);
  });

  it('4-R10 says what a hook of the remote has against it, and does not try again by itself', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    hook(all, 'echo "branches need a ticket number" >&2; exit 1');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({
      kind: 'stopped',
      message: expect.stringMatching(/origin refused todone\/auth: .*pre-receive hook declined.*branches need a ticket number/s),
      remedy: expect.stringContaining('todone pr auth'),
    });
    expect(there(all)).toBeUndefined();
  });

  it('4-R10 fetches what a remote that has moved ahead has, says who and what, and overwrites nothing', async () => {
    const all = await scene();
    const { kit } = all;
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    await performErrand(errandOrder('push'), branches, never);
    const clone = join(kit.home, 'clone');
    kit.git(['clone', '-q', '-b', 'todone/auth', all.remote, clone]);
    kit.write('c.txt', 'c\n', clone);
    kit.git(['add', '-A'], clone);
    kit.git(['commit', '-qm', 'A colleague was here'], clone);
    kit.git(['push', '-q'], clone);
    const theirs = there(all);
    await all.landed('b.txt', 'b\n');
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'person',
      message: expect.stringMatching(/moved ahead on todone\/auth by 1 commit that is not here \(\w+ Ada: A colleague was here\): nothing was pushed/),
      remedy: expect.stringContaining('git merge refs/todone/remote/todone/auth'),
    });
    expect(there(all)).toBe(theirs);
    // As the remedy says.
    kit.git(['merge', '-q', '-m', 'Merge', 'refs/todone/remote/todone/auth'], join(kit.top, 'trees', 'auth'));
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({ kind: 'done' });
  });

  it('4-R10 stops a remote that hangs, with its children, and tries again later', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    hook(all, 'sleep 4321.77 & sleep 4321.77');
    const { branches } = await all.open({ limits: { remote: '1s' } });
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'network',
      message: expect.stringContaining('did not end within 1 s'),
    });
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 4321.77');
    expect(there(all)).toBeUndefined();
    rmSync(join(all.remote, 'hooks', 'pre-receive'));
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({ kind: 'done' });
  });

  it('4-R10 asks nobody for a password', async () => {
    const all = await scene(false);
    const server = createServer((_request, response) => response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open({ remote: `http://127.0.0.1:${(server.address() as AddressInfo).port}/o/r.git` });
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'person',
      remedy: expect.stringContaining('credential helper'),
    });
  });

  it.each([
    ['4-R10 says that there is no remote', {}, /there is no remote called origin/],
    ['4-R10 says that a remote is not there', { remote: '/nowhere/at/all.git' }, /git ls-remote .* failed/],
    ['4-R10 waits for the network', { remote: 'http://127.0.0.1:9/o/r.git' }, /git ls-remote .* failed/],
  ] as const)('%s', async (_title, config, words) => {
    const all = await scene(false);
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open(config);
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({
      kind: 'later',
      message: expect.stringMatching(words),
      remedy: expect.stringMatching(/./),
    });
  });

  it('13-R2 shows no password that stands in a URL', async () => {
    const all = await scene(false);
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open({ remote: 'http://me:s3cretW0rd@127.0.0.1:9/o/r.git' });
    expect(JSON.stringify(await performErrand(errandOrder('push'), branches, never))).not.toContain('s3cretW0rd');
  });

  it('13-R2 refuses a range that holds a secret in any of its commits, also one that was taken out again', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    const tree = join(all.kit.top, 'trees', 'auth');
    const token = `ghp_${'Zq3xV7'.repeat(6)}`;
    all.kit.write('config.ts', `export const t = '${token}';\n`, tree);
    all.kit.git(['add', '-A'], tree);
    all.kit.git(['commit', '-qm', 'By hand'], tree);
    all.kit.git(['rm', '-q', 'config.ts'], tree);
    all.kit.git(['commit', '-qm', 'Out again'], tree);
    const { branches } = await all.open();
    const end = await performErrand(errandOrder('push'), branches, never);
    expect(end).toMatchObject({ kind: 'stopped', message: expect.stringMatching(/not pushed.*config\.ts seems to hold a secret: a GitHub token/) });
    expect(JSON.stringify(end)).not.toContain(token);
    expect(there(all)).toBeUndefined();
  });

  it('4-R11 runs no hook, and believes no remote, that came after ToDone first saw the repository', async () => {
    const all = await scene();
    const { kit } = all;
    await all.landed('a.txt', 'a\n');
    await all.open();
    const ran = join(kit.home, 'ran');
    for (const name of ['pre-push', 'reference-transaction', 'post-checkout', 'pre-commit', 'post-index-change'])
      script(join(kit.top, '.git', 'hooks', name), `#!/bin/sh\ntouch ${ran}\n`);
    const evil = join(kit.home, 'evil.git');
    kit.git(['-c', 'core.hooksPath=/dev/null', 'init', '-q', '--bare', evil]);
    script(join(evil, 'hooks', 'pre-receive'), `#!/bin/sh\ntouch ${ran}\n`);
    appendFileSync(
      join(kit.top, '.git', 'config'),
      `[remote "origin"]\n\turl = ${evil}\n\tpushurl = ${evil}\n\treceivepack = touch ${ran}; git-receive-pack\n[core]\n\tsshCommand = touch ${ran}\n[credential]\n\thelper = !touch ${ran}\n[push]\n\tfollowTags = true\n[remote "late"]\n\turl = ${evil}\n`,
    );
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('push'), branches, never)).toMatchObject({ kind: 'done' });
    expect(there(all)).toBe(kit.git(['-c', 'core.hooksPath=/dev/null', 'rev-parse', 'todone/auth']));
    const late = await all.open({ remote: 'late' });
    expect(await performErrand(errandOrder('push'), late.branches, never)).toMatchObject({
      kind: 'later',
      why: 'person',
      message: expect.stringContaining('an agent may have written it'),
    });
    expect(existsSync(ran)).toBe(false);
    // The person says that it is theirs.
    const named = await all.open({ remote: evil });
    expect(await performErrand(errandOrder('push'), named.branches, never)).toMatchObject({ kind: 'done' });
  });
});

describe('the pull request', () => {
  const done = (id: string, summary?: string) => ({ id, title: `Task ${id}`, hash: 'a1b2c3d', summary });

  it('4-R10 is made once, brought up to date after more tasks, and what a person wrote stays', async () => {
    const all = await scene();
    standInGh(all.bin, all.kit.home);
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('pr', { tasks: [done('g1', 'Did it.')] }), branches, never)).toMatchObject({
      kind: 'done',
      url: 'https://forge.example/o/r/pull/1',
    });
    expect(all.pulls()).toMatchObject([{ number: 1, title: 'Checkout: auth' }]);
    expect(await performErrand(errandOrder('pr', { tasks: [done('g1', 'Did it.')] }), branches, never)).toMatchObject({
      kind: 'done',
      message: expect.stringContaining('is up to date'),
    });
    all.setPulls(all.pulls().map((pull) => ({ ...pull, title: 'My title', body: `Dear reviewer\r\n\r\n${pull.body}\n\nThank you` })));
    const next = await all.landed('b.txt', 'b\n');
    await performErrand(errandOrder('pr', { tasks: [done('g1', 'Did it.'), done('g2', 'More <!-- todone:end --> of it.')] }), branches, never);
    expect(there(all)).toBe(next);
    expect(all.pulls()).toHaveLength(1);
    expect(all.pulls()[0]).toMatchObject({
      title: 'My title',
      body: expect.stringMatching(
        /^Dear reviewer\n\n<!-- todone:begin -->\n- a1b2c3d Task g1.*Task g2.*&lt;!-- todone:end.*\n<!-- todone:end -->\n\nThank you$/s,
      ),
    });
    expect(all.ghCalls().filter((call) => call.startsWith('pr create'))).toHaveLength(1);
  });

  it('4-R11 gh sees our trusted config only, and is not run in the repository', async () => {
    const all = await scene();
    standInGh(all.bin, all.kit.home);
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    await performErrand(errandOrder('pr'), branches, never);
    for (const call of all.ghCalls()) expect(call).toMatch(/dir=.*\/todone\/git\/hub repo= cwd=.*\/todone\/git\/hub$/);
  });

  it('4-R10 one that somebody has closed is not made again; after one that was merged there is a new one', async () => {
    const all = await scene();
    standInGh(all.bin, all.kit.home);
    await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    await performErrand(errandOrder('pr'), branches, never);
    all.setPulls(all.pulls().map((pull) => ({ ...pull, state: 'CLOSED' })));
    expect(await performErrand(errandOrder('pr'), branches, never)).toMatchObject({ kind: 'stopped', remedy: expect.stringContaining('gh pr reopen 1') });
    all.setPulls(all.pulls().map((pull) => ({ ...pull, state: 'MERGED' })));
    expect(await performErrand(errandOrder('pr'), branches, never)).toMatchObject({ kind: 'done', url: 'https://forge.example/o/r/pull/2' });
  });

  it.each([
    ['not logged in', { says: 'To get started with GitHub CLI, please run:  gh auth login', code: 4 }, 'person', /not logged in/, 'gh auth login'],
    [
      'a token that is over',
      { says: 'HTTP 401: Bad credentials (https://api.github.com/graphql)', code: 1 },
      'person',
      /gh pr list failed: HTTP 401/,
      'gh auth login',
    ],
    ['a rate limit', { says: 'GraphQL: API rate limit exceeded for user ID 1.', code: 1 }, 'network', /rate limit/, 'pause'],
    ['no network', { says: 'error connecting to api.github.com', code: 1 }, 'network', /error connecting/, 'by itself'],
    ['a failure that nobody knows', { says: 'boom', code: 1 }, 'person', /gh pr list failed: boom/, 'gh pr status'],
  ] as const)('4-R10 gh: %s', async (_title, fails, why, message, remedy) => {
    const all = await scene();
    standInGh(all.bin, all.kit.home, fails);
    const commit = await all.landed('a.txt', 'a\n');
    const { branches } = await all.open();
    expect(await performErrand(errandOrder('pr'), branches, never)).toMatchObject({
      kind: 'later',
      why,
      message: expect.stringMatching(message),
      remedy: expect.stringContaining(remedy),
    });
    // The push went well, and is not for nothing.
    expect(there(all)).toBe(commit);
  });

  it('4-R10 gh that is missing, or hangs', async () => {
    const all = await scene();
    await all.landed('a.txt', 'a\n');
    // A machine may have a gh of its own.
    for (const name of ['git', 'sh', 'sleep']) symlinkSync(findProgram(name, process.env)!, join(all.bin, name));
    const { branches } = await all.open({ limits: { remote: '1500ms' } }, { PATH: all.bin });
    expect(await performErrand(errandOrder('pr'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'person',
      message: expect.stringContaining('gh is not installed'),
    });
    script(join(all.bin, 'gh'), '#!/bin/sh\nsleep 4321.88 & sleep 4321.88\n');
    expect(await performErrand(errandOrder('pr'), branches, never)).toMatchObject({
      kind: 'later',
      why: 'network',
      message: expect.stringContaining('gh pr list did not end'),
    });
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 4321.88');
  });

  it.each([
    ['git@github.com:o/r.git', 'github.com/o/r'],
    ['https://user@github.example/o/r', 'github.example/o/r'],
    ['ssh://git@github.com:2222/o/r.git', 'github.com/o/r'],
    ['/srv/git/r.git', undefined],
    ['file:///srv/o/r.git', undefined],
  ])('4-R10 %s is %s to gh', (url, repo) => {
    expect(repoOfUrl(url)).toBe(repo);
  });
});
