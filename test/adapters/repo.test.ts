import { chownSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { excludeInInfo, openRepo } from '../../src/adapters/repo.ts';
import { makeKit, repoOf, type Kit } from './git-kit.ts';

let kit: Kit;
beforeEach(() => {
  kit = makeKit();
});
afterEach(() => kit.close());

describe('the repository', () => {
  it('4-R1 is found from any folder in it, and through a link', async () => {
    mkdirSync(join(kit.top, 'deep/er'), { recursive: true });
    symlinkSync(kit.top, join(kit.home, 'link'));
    for (const from of [kit.top, join(kit.top, 'deep/er'), join(kit.home, 'link')]) {
      expect(await repoOf(from, kit.home)).toMatchObject({
        top: kit.top,
        here: kit.top,
        commonDir: join(kit.top, '.git'),
        linked: false,
        branch: 'main',
        head: kit.git(['rev-parse', 'HEAD']),
        identity: { name: 'Ada', email: 'ada@example.org', fallback: false },
        signs: false,
        objectFormat: 'sha1',
      });
    }
  });

  it('7-R4 is known as linked inside a worktree', async () => {
    kit.git(['worktree', 'add', '-q', '--detach', join(kit.home, 'linked')]);
    expect(await repoOf(join(kit.home, 'linked'), kit.home)).toMatchObject({ top: kit.top, here: join(kit.home, 'linked'), linked: true });
  });

  it('4-R1 may have a detached HEAD, and a slash in its branch', async () => {
    kit.git(['switch', '-qc', 'a/b']);
    expect((await repoOf(kit.top, kit.home)).branch).toBe('a/b');
    kit.git(['checkout', '-q', '--detach']);
    expect((await repoOf(kit.top, kit.home)).branch).toBeUndefined();
  });

  it('4-R8 signs only where the global config says so', async () => {
    kit.git(['config', 'commit.gpgSign', 'true']);
    expect((await repoOf(kit.top, kit.home)).signs).toBe(false);
    kit.git(['config', '--global', 'commit.gpgSign', 'true']);
    expect((await repoOf(kit.top, kit.home)).signs).toBe(true);
  });
});

describe('a repository that cannot be used', () => {
  it('4-R1 has no commit: the remedy makes one', async () => {
    const empty = join(kit.home, 'empty');
    kit.git(['init', '-q', empty]);
    expect(await openRepo(empty)).toMatchObject({ problem: 'no_commit', remedy: expect.stringContaining('git commit --allow-empty') });
  });

  it('4-R1 is bare, or its main worktree is', async () => {
    const bare = join(kit.home, 'bare.git');
    kit.git(['clone', '-q', '--bare', kit.top, bare]);
    expect(await openRepo(bare)).toMatchObject({ problem: 'bare' });
    kit.git(['worktree', 'add', '-q', join(kit.home, 'of-bare')], bare);
    expect(await openRepo(join(kit.home, 'of-bare'))).toMatchObject({ problem: 'bare' });
  });

  it('4-R1 is none, is inside .git, or the folder is not there', async () => {
    expect(await openRepo(kit.home)).toMatchObject({ problem: 'no_repo', remedy: expect.stringContaining('git init') });
    expect(await openRepo(join(kit.top, '.git'))).toMatchObject({ problem: 'no_repo' });
    expect(await openRepo(join(kit.home, 'nowhere'))).toMatchObject({ problem: 'no_repo' });
  });

  it('4-R1 keeps its refs in a way that we do not support', async () => {
    kit.git(['config', 'core.repositoryFormatVersion', '1']);
    kit.git(['config', 'extensions.noop', 'true']);
    expect('problem' in (await openRepo(kit.top))).toBe(false);
    kit.git(['config', 'extensions.refStorage', 'reftable']);
    const problem = await openRepo(kit.top);
    expect(['unsupported', 'unreadable']).toContain('problem' in problem ? problem.problem : '');
  });

  it.runIf(process.getuid?.() === 0)('8-R3 belongs to another user', async () => {
    chownSync(kit.top, 12_345, 12_345);
    chownSync(join(kit.top, '.git'), 12_345, 12_345);
    expect(await openRepo(kit.top)).toMatchObject({
      problem: 'foreign',
      message: expect.stringContaining('dubious ownership'),
      remedy: expect.stringContaining('safe.directory'),
    });
  });
});

it('4-R1 adds lines to .git/info/exclude once, after what is there', () => {
  const file = join(kit.top, '.git/info/exclude');
  rmSync(join(kit.top, '.git/info'), { recursive: true });
  excludeInInfo(join(kit.top, '.git'), ['/trees/', 'tasks.md']);
  excludeInInfo(join(kit.top, '.git'), ['/trees/', '/other']);
  expect(readFileSync(file, 'utf8')).toBe('/trees/\ntasks.md\n/other\n');
  kit.write('.git/info/exclude', '*.log');
  excludeInInfo(join(kit.top, '.git'), ['/trees/']);
  expect(readFileSync(file, 'utf8')).toBe('*.log\n/trees/\n');
});
