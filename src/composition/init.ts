/**
 * `todone init`: a list to begin with, what git is to ignore, and the formatters that would rewrite markers told to keep off. Twice
 * is once; nothing that is there is changed.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../adapters/exec.ts';
import { gitEnvironment } from '../adapters/git.ts';
import { excludeInInfo } from '../adapters/repo.ts';
import type { InitDone, InitStep } from '../surfaces/cli/app.ts';
import { makeStateDir, type Place } from './place.ts';

/** Formatters that write `\[]`, or join the lines of a section. */
const FORMATTER_IGNORES: readonly string[] = ['.prettierignore', '.remarkignore', '.markdownlintignore'];

export async function initPlace(place: Place): Promise<InitDone> {
  const steps = [await makeList(place), ignoreInGit(place), ...ignoreInFormatters(place)];
  makeStateDir(place);
  return { steps, next: `write a task under "## Git Worktree <name>" in ${place.listName}, then: todone start` };
}

async function makeList(place: Place): Promise<InitStep> {
  const what = `the list ${place.listName}`;
  if (existsSync(place.listPath)) return { what, path: place.listPath, done: 'skipped' };
  writeFileSync(place.listPath, STARTER, { flag: 'wx' });
  const tracked = await exec('git', ['ls-files', '--error-unmatch', '--', place.listName], {
    cwd: place.repo.top,
    env: gitEnvironment(process.env, place.repo.top),
  });
  // A list that git follows stays so; a new one is the person's own.
  if (tracked.code !== 0) excludeInInfo(place.repo.commonDir, [`/${place.listName}`]);
  return { what, path: place.listPath, done: 'done' };
}

function ignoreInGit(place: Place): InitStep {
  const file = join(place.repo.commonDir, 'info', 'exclude');
  const lines = [`/${place.config.trees}/`, `/${place.listName}.lock`, '.todone-*'];
  const present = existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : [];
  if (lines.every((line) => present.includes(line))) return { what: 'git ignores what ToDone adds', path: file, done: 'skipped' };
  excludeInInfo(place.repo.commonDir, lines);
  return { what: 'git ignores what ToDone adds', path: file, done: 'done' };
}

function ignoreInFormatters(place: Place): InitStep[] {
  return FORMATTER_IGNORES.map((name) => join(place.repo.top, name))
    .filter((file) => existsSync(file))
    .map((file): InitStep => {
      const what = 'a formatter leaves the list alone';
      const text = readFileSync(file, 'utf8');
      if (text.split(/\r?\n/).includes(place.listName)) return { what, path: file, done: 'skipped' };
      appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${place.listName}\n`);
      return { what, path: file, done: 'done' };
    });
}

const STARTER = `# Tasks

\`[]\` may start now · \`[⏰]\` waits for all above · \`[🟡 id]\` in progress · \`[✅ hash, id]\` done · \`[❌ id]\` failed

## Git Worktree first {script} {hold:an example; delete this tag to run it}
[] Say hello
  run: echo hello > hello.txt
  verify: test -s hello.txt
`;
