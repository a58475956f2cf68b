import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfigList, renderConfig, trust } from '../../src/adapters/git-config.ts';
import { gitEnvironment } from '../../src/adapters/git.ts';
import { land, landingOrder, makeKit, never, orderOf, ready, script, type Kit, type Open } from './git-kit.ts';

let kit: Kit;
beforeEach(() => {
  kit = makeKit({ 'README.md': '# Demo\n', 'a.txt': 'a\n', 'b.txt': '1\n2\n3\n' });
});
afterEach(() => kit.close());

/** Two tasks side by side through every call, so that each kind of git command runs. */
async function everything(open: Open, mark: string): Promise<void> {
  const one = orderOf('feature');
  const two = orderOf('feature', { slot: 2 });
  const first = ready(await open.workspaces.prepare(one, undefined, never));
  const second = ready(await open.workspaces.prepare(two, undefined, never));
  writeFileSync(join(first.workspace, 'a.txt'), `a ${mark} one\n`);
  writeFileSync(join(first.workspace, 'b.txt'), `1 ${mark}\n2\n3\n`);
  writeFileSync(join(second.workspace, 'b.txt'), `1\n2\n3 ${mark}\n`);
  writeFileSync(join(second.workspace, 'c.txt'), `c ${mark}\n`);
  const kept = await open.workspaces.snapshot(one, 'implement', first.workspace, first.start);
  await open.workspaces.diff(first.workspace, first.start, 1000);
  await open.workspaces.reset(one, first.workspace, first.start);
  const again = ready(await open.workspaces.prepare({ ...one, attempt: 2 }, kept, never));
  await land(open, landingOrder(one, again));
  await open.landing.squash(landingOrder(two, second));
  await open.landing.checkout(second.workspace, second.start);
  writeFileSync(join(second.workspace, 'c.txt'), `c ${mark}\n`);
  await land(open, landingOrder(two, second));
  await open.workspaces.release(one, again.workspace, never);
  await open.workspaces.release(two, second.workspace, never);
  await open.landing.proof('feature', 'none', 'abcdef1');
}

/** All that an agent can plant in the shared `.git`. */
function plant(canary: string): void {
  const evil = join(kit.home, 'evil.sh');
  script(evil, `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat\n`);
  const gitDir = join(kit.top, '.git');
  const hooks =
    'applypatch-msg commit-msg fsmonitor-watchman post-checkout post-commit post-index-change post-merge pre-commit pre-push prepare-commit-msg reference-transaction update';
  for (const hook of hooks.split(' ')) script(join(gitDir, 'hooks', hook), `#!/bin/sh\necho ${hook} >> ${canary}\n`);
  const values: Record<string, string> = {
    'core.hooksPath': join(gitDir, 'hooks'),
    'core.fsmonitor': evil,
    'core.pager': evil,
    'core.editor': evil,
    'core.sshCommand': evil,
    'core.alternateRefsCommand': evil,
    'diff.external': evil,
    'filter.evil.clean': evil,
    'filter.evil.smudge': evil,
    'filter.evil.process': evil,
    'filter.evil.required': 'true',
    'diff.evil.command': evil,
    'diff.evil.textconv': evil,
    'merge.evil.driver': `${evil} %A`,
    'gpg.program': evil,
    'gpg.ssh.program': evil,
    'commit.gpgSign': 'true',
    'trailer.x.command': evil,
    'alias.status': `!${evil}`,
    'alias.update-index': `!${evil}`,
    'credential.helper': `!${evil}`,
    'extensions.worktreeConfig': 'true',
    'core.attributesFile': join(kit.home, 'attributes'),
    'submodule.recurse': 'true',
  };
  for (const [key, value] of Object.entries(values)) kit.git(['config', key, value]);
  writeFileSync(join(kit.home, 'included'), `[filter "evil2"]\n\tclean = ${evil}\n\tsmudge = ${evil}\n`);
  kit.git(['config', 'include.path', join(kit.home, 'included')]);
  writeFileSync(join(gitDir, 'config.worktree'), `[filter "evil3"]\n\tclean = ${evil}\n[core]\n\tfsmonitor = ${evil}\n`);
  for (const file of [join(kit.home, 'attributes'), join(gitDir, 'info', 'attributes')]) writeFileSync(file, '*.txt filter=evil diff=evil merge=evil\n');
  for (const name of existsSync(join(gitDir, 'worktrees')) ? readdirSync(join(gitDir, 'worktrees')) : []) {
    writeFileSync(join(gitDir, 'worktrees', name, 'config.worktree'), `[filter "evil3"]\n\tclean = ${evil}\n[core]\n\tfsmonitor = ${evil}\n`);
  }
}

/** A filter that keeps text in capitals, in one config file. */
function filter(file: string): void {
  script(join(kit.home, 'up.sh'), '#!/bin/sh\ntr a-z A-Z\n');
  script(join(kit.home, 'down.sh'), '#!/bin/sh\ntr A-Z a-z\n');
  const value = (key: string, text: string): void => void kit.git(['config', '-f', file, key, text]);
  value('filter.case.clean', join(kit.home, 'up.sh'));
  value('filter.case.smudge', join(kit.home, 'down.sh'));
  kit.write('.gitattributes', '*.low filter=case\n');
  kit.git(['add', '-A']);
  kit.git(['commit', '-qm', 'attributes']);
}

describe('code that an agent plants', () => {
  it('4-R11 runs nothing that was planted in the shared config, hooks or attributes while we run', async () => {
    const canary = join(kit.home, 'canary');
    const open = await kit.open();
    await everything(open, 'before');
    plant(canary);
    await everything(open, 'after');
    expect(existsSync(canary)).toBe(false);
  });

  it('4-R11 runs nothing that was planted before a later start', async () => {
    const canary = join(kit.home, 'canary');
    (await kit.open()).git.close();
    plant(canary);
    await everything(await kit.open(), 'later');
    expect(existsSync(canary)).toBe(false);
    expect(kit.logged.join('\n')).toContain('filter.evil.clean');
  });

  it('4-R11 runs nothing that was planted in a workspace: attributes, a .git of its own, a submodule', async () => {
    const canary = join(kit.home, 'canary');
    const evil = join(kit.home, 'evil.sh');
    script(evil, `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat\n`);
    kit.git(['init', '-q', join(kit.home, 'other')]);
    kit.git(['commit', '-q', '--allow-empty', '-m', 'x'], join(kit.home, 'other'));
    kit.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', join(kit.home, 'other'), 'sub']);
    kit.git(['commit', '-qm', 'with a submodule']);
    const open = await kit.open();
    const order = orderOf('feature');
    const prepared = ready(await open.workspaces.prepare(order, undefined, never));
    const at = (path: string): string => join(prepared.workspace, path);
    writeFileSync(at('a.txt'), 'changed\n');
    rmSync(at('.git'));
    for (const place of [prepared.workspace, at('sub')]) {
      kit.git(['init', '-q'], place);
      writeFileSync(join(place, 'file.txt'), 'w\n');
      kit.git(['add', 'file.txt'], place);
      kit.git(['commit', '-qm', 'own'], place);
      kit.git(['config', 'filter.evil.clean', evil], place);
      kit.git(['config', 'core.fsmonitor', evil], place);
      writeFileSync(join(place, '.gitattributes'), '* filter=evil\n');
      writeFileSync(join(place, 'file.txt'), 'x\n');
    }
    await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    const { commit } = await land(open, landingOrder(order, prepared));
    await open.landing.checkout(prepared.workspace, commit);
    await open.workspaces.release(order, prepared.workspace, never);
    expect(existsSync(canary)).toBe(false);
    expect(kit.git(['ls-tree', commit, 'sub'])).toBe(kit.git(['ls-tree', 'main', 'sub']));
  });

  it('4-R11 does not take a git from inside the repository', () => {
    const env = gitEnvironment(
      { PATH: `${kit.top}/node_modules/.bin:.:relative::/usr/bin`, GIT_DIR: '/x', GIT_INDEX_FILE: '/y', EDITOR: 'vi', HOME: '/h' },
      kit.top,
    );
    expect(env).toEqual({ PATH: '/usr/bin', HOME: '/h', LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' });
  });

  it('4-R11 works on the right repository with GIT_DIR and its like in the environment', async () => {
    const other = join(kit.home, 'other');
    kit.git(['init', '-q', other]);
    const leaks = Object.fromEntries(
      kit
        .git(['rev-parse', '--local-env-vars'])
        .split('\n')
        .map((name) => [name, join(other, '.git')]),
    );
    const open = await kit.open({ env: { ...kit.env, ...leaks } });
    await everything(open, 'leaked');
    expect(kit.git(['rev-list', '--count', 'main..todone/feature'])).toBe('2');
    expect(kit.git(['for-each-ref'], other)).toBe('');
  });
});

describe('config that is the person’s', () => {
  for (const [name, file] of [
    ['global', () => join(kit.home, '.gitconfig')],
    ['repository’s own, set before the first start,', () => join(kit.top, '.git', 'config')],
  ] as const) {
    it(`4-R12 uses a filter of the ${name} config`, async () => {
      filter(file());
      (await kit.open()).git.close();
      const open = await kit.open();
      const order = orderOf('feature');
      const prepared = ready(await open.workspaces.prepare(order, undefined, never));
      writeFileSync(join(prepared.workspace, 'x.low'), 'hello\n');
      const { commit } = await land(open, landingOrder(order, prepared));
      expect(kit.git(['cat-file', 'blob', `${commit}:x.low`])).toBe('HELLO');
      const next = ready(await open.workspaces.prepare(orderOf('feature', { slot: 2 }), undefined, never));
      expect(kit.git(['status', '--porcelain'], next.workspace)).toBe('');
    });
  }

  it('4-R12 keeps line ends and file modes as the config says', async () => {
    kit.git(['config', 'core.autocrlf', 'true']);
    kit.write('.gitattributes', '*.bat text eol=crlf\n');
    kit.write('run.bat', 'echo\r\n');
    script(join(kit.top, 'run.sh'), '#!/bin/sh\n');
    kit.git(['add', '-A']);
    kit.git(['commit', '-qm', 'modes']);
    const open = await kit.open();
    const order = orderOf('feature');
    const prepared = ready(await open.workspaces.prepare(order, undefined, never));
    expect((await open.landing.squash(landingOrder(order, prepared))).kind).toBe('empty');
    appendFileSync(join(prepared.workspace, 'run.bat'), 'more\r\n');
    script(join(prepared.workspace, 'new.sh'), '#!/bin/sh\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['cat-file', 'blob', `${commit}:run.bat`])).toBe('echo\nmore');
    expect(kit.git(['ls-tree', commit, 'new.sh', 'run.sh']).match(/100755/g)).toHaveLength(2);
  });

  it('4-R11 writes a config that git reads back the same', () => {
    const file = join(kit.home, 'odd');
    const odd: [string, string][] = [
      ['user.name', ' "Ada" \\ Lovelace; # x '],
      ['filter.a.b "c\\d.clean', 'run "%f" | tee\tx'],
      ['url.ssh://git@host/.insteadof', 'https://host/'],
      ['x.y', 'two\nlines'],
      ['x.cr', 'end\r'],
    ];
    for (const [key, value] of odd) kit.git(['config', '-f', file, '--add', key, value]);
    appendFileSync(file, '[x]\n\talone\n');
    const list = (path: string) => parseConfigList(Buffer.from(kit.git(['config', '-f', path, '--list', '-z', '--show-scope'])));
    const before = list(file);
    writeFileSync(`${file}2`, renderConfig(before));
    expect(list(`${file}2`)).toEqual(before);
    expect(before).toHaveLength(odd.length + 1);
  });

  it('4-R11 believes the global config always, the repository’s programs only from first sight', () => {
    const entries = [
      { scope: 'global', key: 'filter.lfs.clean', value: 'git-lfs clean' },
      { scope: 'local', key: 'user.email', value: 'new@example.org' },
      { scope: 'local', key: 'filter.x.clean', value: 'evil' },
      { scope: 'local', key: 'filter.y.clean', value: 'known' },
    ] as const;
    const config = trust(entries, ['filter.y.clean=known']);
    expect(config.entries.map((entry) => entry.key)).toEqual(['filter.lfs.clean', 'user.email', 'filter.y.clean']);
    expect(config.untrusted).toEqual(['filter.x.clean']);
  });

  it('4-R11 never writes the shared config, and adds nothing to the repository but what it says', async () => {
    const before = kit.git(['config', '--local', '--list']);
    const open = await kit.open();
    await everything(open, 'x');
    expect(kit.git(['config', '--local', '--list'])).toBe(before);
    expect(kit.git(['status', '--porcelain'])).toBe('');
    mkdirSync(join(kit.top, 'x'));
    expect(
      kit
        .git(['for-each-ref', '--format=%(refname)'])
        .split('\n')
        .filter((ref) => !/^refs\/(heads\/(main|todone\/feature)|todone\/)/.test(ref)),
    ).toEqual([]);
  });
});
