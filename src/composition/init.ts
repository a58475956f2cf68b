/**
 * `todone init`: a list to begin with, what git is to ignore, and the formatters that would rewrite markers told to keep off. Twice
 * is once; nothing that is there is changed.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../adapters/exec.ts';
import { gitEnvironment } from '../adapters/git.ts';
import { excludeInInfo } from '../adapters/repo.ts';
import type { InitDone, InitStep } from '../surfaces/cli/app.ts';
import { keepFormattersOff } from './formatters.ts';
import { makeWorkflow } from './github-workflow.ts';
import { makeStateDir, type Place } from './place.ts';

export async function initPlace(place: Place, { github }: { readonly github: boolean }): Promise<InitDone> {
  const steps = [
    await makeList(place),
    ignoreInGit(place),
    ...keepFormattersOff(place.repo.top, place.listName),
    ...(github ? [makeWorkflow(place.repo.top)] : []),
  ];
  makeStateDir(place);
  const next = 'commit the workflow, set publish: true in the config, and the variable TODONE_PACKAGE of the repository to what npm installs ToDone from';
  if (github) return { steps, next };
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

const STARTER = `# Tasks

\`[]\` may start now · \`[⏰]\` waits for all above · \`[🟡 id]\` in progress · \`[✅ hash, id]\` done · \`[❌ id]\` failed

## Git Worktree first {script} {hold:an example; delete this tag to run it}
[] Say hello
  run: echo hello > hello.txt
  verify: test -s hello.txt
`;
