/**
 * Many agents at once in one section, against the floor: the same commands, worktrees, rebases and checks in a shell loop with
 * as many at once. And what 50 workspaces cost on the disk and in time, and what the next 50 tasks save by them.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, median, plain, shown } from './figures.ts';
import { git, makeRepo, manyFiles, progress, remove, ROOT, SOURCE, timed, wrong } from './scene.ts';

const FILES = 10_000;
const VERIFY = 'test -s README.md';
const LOOP = join(ROOT, 'test', 'bench', 'lanes.sh');

export function lanes(quick: boolean): Figure[] {
  const figures = [...against(12, quick ? 1 : 3), ...(quick ? [] : against(50, 1))];
  return [...figures, ...workspaces(quick ? 12 : 50)];
}

function against(agents: number, rounds: number): Figure[] {
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(on(agents, 'bench/all', (top) => timed('env', [`VERIFY=${VERIFY}`, 'sh', LOOP, String(agents)], top)));
    ours.push(on(agents, 'todone/all', (top) => start(top, agents)));
    progress(`${agents} agents: ${shown(ours.at(-1) ?? 0, 'ms')}, the loop ${shown(floor.at(-1) ?? 0, 'ms')}`);
  }
  const what = `${agents} agents at once in one section, ${FILES.toLocaleString('en')} files: to a shell loop`;
  return [plain(what, `${shown(median(ours) / median(floor), '×')} (${shown(median(ours), 'ms')} to ${shown(median(floor), 'ms')})`)];
}

function on(agents: number, branch: string, measure: (top: string) => number): number {
  const top = makeRepo({ ...manyFiles(FILES), 'todone.config.json': JSON.stringify({ verify: VERIFY, claimAfter: 0 }) });
  writeFileSync(join(top, 'tasks.md'), `# Work {script}\n\n## Git Worktree all\n${tasks(0, agents)}`);
  const ms = measure(top);
  hasAll(top, branch, agents);
  remove(top);
  return ms;
}

function workspaces(count: number): Figure[] {
  const top = makeRepo({ ...manyFiles(FILES), 'todone.config.json': JSON.stringify({ claimAfter: 0 }) });
  const list = join(top, 'tasks.md');
  writeFileSync(list, `# Work {script}\n\n## Git Worktree all\n${tasks(0, count)}`);
  const first = start(top, count);
  progress(`${count} new workspaces: ${shown(first, 'ms')}`);
  const kilobytes = Number(execFileSync('du', ['-sk', join(top, 'trees')], { encoding: 'utf8' }).split('\t')[0]);
  const made = git(top, 'worktree', 'list').trim().split('\n').length - 1;
  writeFileSync(list, `${readFileSync(list, 'utf8')}${tasks(count, count)}`);
  const again = start(top, count);
  progress(`and again in them: ${shown(again, 'ms')}`);
  hasAll(top, 'todone/all', 2 * count);
  remove(top);
  const what = `${count} tasks at once on ${FILES.toLocaleString('en')} files`;
  return [
    plain(`${what}: ${made} workspaces on the disk`, `${Math.round(kilobytes / 1024)} MB, ${(kilobytes / 1024 / made).toFixed(1)} MB each`),
    plain(`${what}: with new workspaces`, `${shown(first, 'ms')}, ${shown(first / count, 'ms')} a task`),
    plain(
      `${what}: with those that are there`,
      `${shown(again, 'ms')}, ${shown(again / count, 'ms')} a task: ${Math.round((1 - again / first) * 100)} % saved`,
    ),
  ];
}

const start = (top: string, agents: number): number => timed(process.execPath, [SOURCE, 'start', '--once', '--parallel', String(agents), '--quiet'], top);

const tasks = (first: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `[] Make ${first + at}\n  run: echo ${first + at} > made${first + at}.txt\n`).join('');

function hasAll(top: string, branch: string, count: number): void {
  const commits = git(top, 'rev-list', '--count', '--no-merges', `main..${branch}`).trim();
  const names = git(top, 'ls-tree', '--name-only', branch)
    .split('\n')
    .filter((name) => name.startsWith('made'));
  if (commits !== String(count) || names.length !== count) wrong(`${branch} has ${commits} commits and ${names.length} files of ${count}`);
}
