import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeRepo, removeRepos, todone } from './kit.ts';

afterEach(removeRepos);

const textOf = (top: string, name: string): string => readFileSync(join(top, name), 'utf8');

describe('init', () => {
  it('1.1-R2 tells the formatters that the repository uses to leave the list alone, once, and says so', async () => {
    const top = makeRepo('## Git Worktree a\n', {
      'package.json': '{"devDependencies": {"prettier": "3.0.0"}}',
      '.remarkignore': 'docs',
      '.markdownlint.json': '{}',
      '.markdownlint-cli2.jsonc': '{\n  // by hand\n  "fix": true\n}\n',
    });
    const first = await todone(top, 'init');
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('prettier leaves the list alone') as string });
    const files = ['.prettierignore', '.remarkignore', '.markdownlintignore', '.markdownlint-cli2.jsonc'];
    const texts = files.map((name) => textOf(top, name));
    expect(texts).toEqual(['tasks.md\n', 'docs\ntasks.md\n', 'tasks.md\n', '{\n  "ignores": ["tasks.md"],\n  // by hand\n  "fix": true\n}\n']);
    expect(await todone(top, 'init')).toMatchObject({ code: 0 });
    expect(files.map((name) => textOf(top, name))).toEqual(texts);
  });

  it('1.1-R2 adds to the lists of ignored paths that are there, and makes none for formatters that are not used', async () => {
    const top = makeRepo('## Git Worktree a\n', { '.markdownlint-cli2.yaml': 'fix: true # mine\nignores:\n  - docs\n' });
    await todone(top, 'init');
    expect(textOf(top, '.markdownlint-cli2.yaml')).toBe('fix: true # mine\nignores:\n  - "tasks.md"\n  - docs\n');
    expect(['.prettierignore', '.remarkignore', '.markdownlintignore'].filter((name) => existsSync(join(top, name)))).toEqual([]);
    writeFileSync(join(top, '.prettierrc'), '{}');
    await todone(top, 'init');
    expect(textOf(top, '.prettierignore')).toBe('tasks.md\n');
  });
});
