import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { projectPaths, traceOf } from '../../src/adapters/project-paths.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'projects-')));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What looks like a repository, with a list where there is a name for one. */
function repo(path: string, list: string | undefined = 'tasks.md', git: 'folder' | 'file' = 'folder'): string {
  mkdirSync(join(home, path), { recursive: true });
  if (git === 'folder') mkdirSync(join(home, path, '.git'));
  else writeFileSync(join(home, path, '.git'), 'gitdir: elsewhere\n');
  if (list !== '') writeFileSync(join(home, path, list), '');
  return join(home, path);
}

for (const name of ['src/shop', 'src/api', 'src/old', 'work/api', 'work/deep/er/web']) repo(name);
repo('src/no-list', '');
repo('src/other-list', 'TODO.md');
repo('src/configured', 'todone.config.yaml');
repo('src/shop/trees/a', 'tasks.md', 'file');
repo('src/shop/node_modules/dep');
mkdirSync(join(home, 'src/folder'));
symlinkSync(join(home, 'src/shop'), join(home, 'link'));

const find = async (...entries: string[]): Promise<string[]> => (await projectPaths(entries, { home, tasks: 'tasks.md' })).map(({ name }) => name);

it('6.5-R2 paths stand for themselves, also where nothing is; globs for what looks like a project', async () => {
  expect(await find('~/src/shop', '~/nowhere', `${home}/src/folder/`)).toEqual(['shop', 'nowhere', 'folder']);
  expect(await find('~/src/*')).toEqual(['api', 'configured', 'old', 'shop']);
  expect(await find('~/{src,work}/api')).toEqual(['src/api', 'work/api']);
  expect(await find('~/work/**')).toEqual(['api', 'web']);
  expect((await projectPaths(['~/src/*'], { home, tasks: 'TODO.md' })).map(({ name }) => name)).toEqual(['configured', 'other-list']);
});

it('6.5-R2 neither a linked worktree nor what is installed in one is a project of its own', async () => {
  expect(await find('~/src/shop/**')).toEqual(['shop']);
});

it('6.5-R2 ! leaves out, a repository is there once however it is named, and names tell apart what is called the same', async () => {
  expect(await find('~/src/*', '!~/src/o*', '~/src/shop', '~/link')).toEqual(['api', 'configured', 'shop']);
  expect(await find('~/src/api', '~/work/api', '~/src/shop')).toEqual(['src/api', 'work/api', 'shop']);
  expect(await find('!~/src/*')).toEqual([]);
});

it('6.5-R2 the trace of a place changes with what could let it be opened, and with nothing else', () => {
  const path = repo('traced');
  const before = traceOf(path, 'tasks.md');
  writeFileSync(join(path, 'tasks.md'), 'more\n');
  const later = traceOf(path, 'tasks.md');
  writeFileSync(join(path, '.git', 'index'), '');
  expect(later).not.toBe(before);
  writeFileSync(join(path, 'todone.config.yaml'), '');
  expect(traceOf(path, 'tasks.md')).not.toBe(later);
});
