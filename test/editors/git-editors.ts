/**
 * A person whose list is tracked, and who uses git on it between the edits: stash and pop, checkout, reset, merge. Each ends with
 * every word back in the list; what git does to the markers in between is for ToDone to put right (1.4-R7).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Editing, type EditorCase, sleep, withLines } from './editing.ts';

type Git = (...args: readonly string[]) => boolean;
type Deed = (at: {
  readonly git: Git;
  readonly top: string;
  readonly list: string;
  readonly random: () => number;
  readonly section: string;
  readonly lines: readonly string[];
}) => Promise<void>;

const TRIES_MAX = 60;

function gitIn(top: string): Git {
  return (...args) => spawnSync('git', ['-c', 'advice.detachedHead=false', ...args], { cwd: top, stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** Until git does it: the list may have been written again in between. */
async function insist(what: string, attempt: () => boolean): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (attempt()) return;
    await sleep(50);
  }
  throw new Error(`git does not ${what}`);
}

/** Beside and renamed, on what stands there now. */
function type(list: string, section: string, lines: readonly string[]): void {
  const beside = `${list}.mine`;
  writeFileSync(beside, withLines(readFileSync(list, 'utf8'), section, lines));
  renameSync(beside, list);
}

const commit = (git: Git): Promise<void> =>
  insist('commit', () => git('commit', '-q', '-m', 'The list', '--', 'tasks.md') || git('diff', '--quiet', 'HEAD', '--', 'tasks.md'));

const stash: Deed = async ({ git, list, random, section, lines }) => {
  type(list, section, lines);
  await sleep(random() * 800);
  await insist('stash', () => git('stash', 'push', '-q', '--', 'tasks.md'));
  await sleep(random() * 2500);
  await insist('pop', () => git('stash', 'pop', '-q') || (git('checkout', '-q', '--', 'tasks.md') && git('stash', 'pop', '-q')));
};

const checkout: Deed = async ({ git, list, random, section, lines }) => {
  type(list, section, lines);
  await commit(git);
  await sleep(random() * 2000);
  await insist('check out', () => git('checkout', '-q', '--', 'tasks.md'));
  await sleep(random() * 500);
  // Another branch without this edit, and back.
  await insist('leave', () => git('checkout', '-q', '-f', 'HEAD~1'));
  await sleep(random() * 1500);
  await insist('come back', () => git('checkout', '-q', '-f', 'main'));
};

const reset: Deed = async ({ git, list, random, section, lines }) => {
  type(list, section, lines);
  await commit(git);
  await sleep(random() * 2000);
  await insist('reset', () => git('reset', '-q', '--hard', 'HEAD~1'));
  await sleep(random() * 1500);
  await insist('reset back', () => git('reset', '-q', '--hard', 'HEAD@{1}'));
};

const merge: Deed = async ({ git, top, list, random, section, lines }) => {
  await commit(git);
  const text = spawnSync('git', ['show', 'HEAD:tasks.md'], { cwd: top, encoding: 'utf8' }).stdout;
  const env = { ...process.env, GIT_INDEX_FILE: join(top, '.git', 'side-index') };
  const ask = (args: readonly string[], input = ''): string => spawnSync('git', [...args], { cwd: top, env, encoding: 'utf8', input }).stdout.trim();
  ask(['read-tree', 'HEAD']);
  ask(['update-index', '--cacheinfo', `100644,${ask(['hash-object', '-w', '--stdin'], withLines(text, section, lines))},tasks.md`]);
  const side = ask(['commit-tree', ask(['write-tree']), '-p', 'HEAD', '-m', 'Side']);
  await sleep(random() * 2500);
  await insist('merge', () => {
    git('commit', '-q', '-m', 'The list', '--', 'tasks.md');
    return git('merge', '-q', '--no-edit', side) || /^<{7}/m.test(readFileSync(list, 'utf8'));
  });
  await sleep(random() * 1500);
  if (!/^<{7}/m.test(readFileSync(list, 'utf8'))) return;
  writeFileSync(list, resolved(readFileSync(list, 'utf8')));
  await insist('end the merge', () => git('add', 'tasks.md') && git('commit', '-q', '--no-edit'));
};

/** As a person resolves it: both sides' lines, each task once, with the marker that it has here. */
function resolved(text: string): string {
  return text.replaceAll(/^<{7}.*\n([^]*?)^={7}\n([^]*?)^>{7}.*\n/gm, (_all, ours: string, theirs: string) => {
    const words = (block: string): string =>
      block
        .split('\n')
        .map((line) => line.replace(/^\\?\[[^\]]*\] /u, ''))
        .join('\n');
    const here = words(ours);
    const more = theirs.split(/^(?=\[)/mu).filter((block) => !here.includes(words(block).split('\n')[0] ?? ''));
    return ours + more.join('');
  });
}

const withGit =
  (deed: Deed): EditorCase['open'] =>
  async ({ top, list, random }): Promise<Editing> => ({
    add: (section, lines) => deed({ git: gitIn(top), top, list, random, section, lines }),
    end: async () => undefined,
  });

export const GIT_EDITORS: readonly EditorCase[] = Object.entries({ stash, checkout, reset, merge }).map(([name, deed]) => ({
  name: `git ${name}`,
  manners: ['anyway'],
  needs: [],
  open: withGit(deed),
}));
