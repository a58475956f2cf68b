/**
 * Forty tasks in eight sections, two at a time, against the floor: the same commands and the same git commands in a bare
 * shell loop. In turns on fresh repositories, so that a slow minute of the machine hits both.
 */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { atMost, type Figure, median, plain, shown } from './figures.ts';
import { git, makeRepo, manyFiles, progress, remove, ROOT, SOURCE, timed, wrong } from './scene.ts';

const SECTIONS = 8;
const TASKS = 5;
const ALL = SECTIONS * TASKS;
const LOOP = join(ROOT, 'test', 'bench', 'floor.sh');

export function batch(quick: boolean): Figure[] {
  return [100, 10_000].flatMap((files) => onFiles(files, quick ? 1 : 3));
}

function onFiles(files: number, rounds: number): Figure[] {
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(run(files, 'bench/', (top) => timed('sh', [LOOP, String(SECTIONS), String(TASKS)], top)));
    ours.push(run(files, 'todone/', (top) => timed(process.execPath, [SOURCE, 'start', '--once', '--parallel', '2', '--quiet'], top)));
    progress(`${files} files: ${shown(ours.at(-1) ?? 0, 'ms')}, the loop ${shown(floor.at(-1) ?? 0, 'ms')}`);
  }
  const ratio = median(ours) / median(floor);
  const onTop = (median(ours) - median(floor)) / ALL;
  const what = `${ALL} tasks, ${files.toLocaleString('en')} files`;
  const both = ` (${shown(median(ours), 'ms')} to ${shown(median(floor), 'ms')})`;
  return files >= 10_000
    ? [atMost(`${what}: to a shell loop`, ratio, 1.15, '×', both), plain(`${what}: on top of it, a task`, shown(onTop, 'ms'))]
    : [plain(`${what}: to a shell loop`, `${shown(ratio, '×')}${both}`), atMost(`${what}: on top of it, a task`, onTop, 40, 'ms')];
}

function run(files: number, prefix: string, measure: (top: string) => number): number {
  // As in the loop: one task of a section at a time, in its one worktree.
  const top = makeRepo({ ...manyFiles(files), 'todone.config.json': '{ "parallel": 1 }' });
  writeFileSync(join(top, 'tasks.md'), list());
  const ms = measure(top);
  for (let section = 0; section < SECTIONS; section++) {
    const names = git(top, 'ls-tree', '--name-only', `${prefix}s${section}`)
      .split('\n')
      .filter((name) => name.startsWith('made'));
    const commits = git(top, 'rev-list', '--count', `main..${prefix}s${section}`).trim();
    if (names.length !== TASKS || commits !== String(TASKS)) wrong(`section s${section} has ${names.length} files and ${commits} commits of ${TASKS}`);
  }
  remove(top);
  return ms;
}

function list(): string {
  let text = '# Work {script}\n';
  for (let section = 0; section < SECTIONS; section++) {
    text += `\n## Git Worktree s${section}\n`;
    for (let task = 0; task < TASKS; task++) text += `[] Make ${task} of ${section}\n  run: echo ${section}-${task} > made${task}.txt\n`;
  }
  return text;
}
