/** Commits through one `hash-object`: byte for byte what `git commit-tree` makes, and nothing that could break out of its line. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { commitText, openCommits } from '../../src/adapters/git-commits.ts';

// A line end in the folder's name: what is asked for must not be read as two.
const top = mkdtempSync(join(tmpdir(), 'commits\n-'));
const env = { PATH: process.env['PATH'], HOME: top, GIT_CONFIG_NOSYSTEM: '1' };
const git = (args: readonly string[], input?: string, more: Record<string, string> = {}): string =>
  execFileSync('git', ['--git-dir', join(top, 'r.git'), ...args], { encoding: 'utf8', input, env: { ...env, ...more } }).trim();
git(['init', '-q', '--bare']);
const commits = openCommits('git', [`--git-dir=${join(top, 'r.git')}`], { cwd: top, env });
afterAll(() => {
  commits.close();
  rmSync(top, { recursive: true, force: true });
});
const tree = git(['hash-object', '-w', '-t', 'tree', '--stdin'], '');

it.each([
  ['Engineer', 'engineer@example.org', 'Add a form\n\nWhy: it was missing.\n'],
  ['Élodie <x> Ω.', '<e@x.org>', 'Ein Wort ohne Zeilenende'],
  [' ,"Dr. J. Doe", ', ' j@x.org;', 'Add\n\n# no comment\n\n\ntrailing   \n'],
])('4-R8 a commit by %s is the one that git commit-tree makes', async (name, email, message) => {
  const parent = await commits.write({ tree, parents: [], message: 'First\n', by: { name: 'A', email: 'a@b' } });
  const made = await commits.write({ tree, parents: [parent], message, by: { name, email } });
  const stamp = git(['log', '-1', '--format=%ad', '--date=raw', made]);
  const who = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const theirs = git(['commit-tree', '-p', parent, '-F', '-', tree], message, { ...who, GIT_AUTHOR_DATE: stamp, GIT_COMMITTER_DATE: stamp });
  expect(git(['cat-file', 'commit', made])).toBe(git(['cat-file', 'commit', theirs]));
  expect(made).toBe(theirs);
});

it('4-R8 no name and no message breaks out of its place in a commit', () => {
  const text = commitText({ tree, parents: [], message: 'a\0b', by: { name: 'x\ntree 0000 <y', email: 'z>\nparent 1' } }, new Date(0));
  expect(text.split('\n\n')[0]?.split('\n')).toHaveLength(3);
  expect(text).not.toContain('\0');
});

it('4-R6 what git does not take is an error, the next commit is written all the same, and no text is left over', async () => {
  const by = { name: 'A', email: 'a@b' };
  await expect(commits.write({ tree: 'none', parents: [], message: 'x', by })).rejects.toThrow(/hash-object/);
  const both = await Promise.all(['one', 'two'].map((message) => commits.write({ tree, parents: [], message, by })));
  expect(both.map((oid) => git(['log', '-1', '--format=%s', oid]))).toEqual(['one', 'two']);
  expect(readdirSync(top).filter((name) => name.startsWith('commit-'))).toEqual([]);
});
