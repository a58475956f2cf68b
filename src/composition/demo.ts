/**
 * A throw-away repository to try it in (\`start --demo\`): a list with every kind of outcome, and nothing of the person's.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../adapters/exec.ts';
import { gitEnvironment } from '../adapters/git.ts';

/** The folder of a new repository with a list. */
export async function makeDemo(): Promise<string> {
  const top = mkdtempSync(join(tmpdir(), 'todone-demo-'));
  writeFileSync(join(top, 'README.md'), '# A shop that does not exist\n');
  writeFileSync(join(top, 'tasks.md'), LIST);
  const commands: readonly (readonly string[])[] = [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--', 'README.md', 'tasks.md'],
    [
      '-c',
      'user.name=Demo',
      '-c',
      'user.email=demo@localhost',
      '-c',
      'commit.gpgSign=false',
      'commit',
      '--quiet',
      '--no-verify',
      '-m',
      'A shop that does not exist',
    ],
  ];
  for (const args of commands) {
    const done = await exec('git', args, { cwd: top, env: gitEnvironment(process.env, top) });
    if (done.code !== 0) throw new Error(`the demo repository could not be made: ${done.stderr.trim()}`);
  }
  return top;
}

const LIST = `# A demo

## Git Worktree login {script}
[] Add a login page
  run: mkdir -p pages && echo '<form>login</form>' > pages/login.html
[] Add a logout page {p0}
  run: mkdir -p pages && echo '<form>logout</form>' > pages/logout.html
  verify: test -s pages/logout.html
[⏰] List the pages, once both are there
  run: ls pages > PAGES

## Git Worktree search {script}
[] Add a search index
  run: sleep 1 && echo '{}' > index.json
[] Break something, to see what happens
  run: echo 'not found' && exit 3
[⏰] This one waits for the task above
  run: echo never > never.txt
`;
