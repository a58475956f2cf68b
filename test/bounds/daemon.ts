/** A daemon on long lists, and through many runs: what it holds at rest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lateGrowth, type Measured, type Sample } from './curve.ts';
import { bytesBelow, lookAt, makeRepo, MB, startDaemon, untilQuiet } from './process.ts';

/** Of memory per task over what an empty list takes; a task's line is some 60 bytes. */
const KB_PER_TASK_MAX = 12;
const FDS_MAX = 64;
const START_MS = 60_000;
const ROW_BYTES_MIN = 100;

/** Lists of finished tasks, with one that waits for a person. */
export async function manyTasks(root: string, counts: readonly number[]): Promise<Measured> {
  const samples: Sample[] = [];
  const broken: string[] = [];
  for (const count of counts) {
    const sections = Math.max(1, Math.round(count / 200));
    let list = '# Long {script}\n\n';
    for (let section = 0; section < sections; section++) {
      list += `## Git Worktree s${section}\n`;
      for (let task = 0; task < Math.ceil(count / sections); task++)
        list += `[✅ -, g${(section * 1000 + task).toString(36).padStart(7, '0')}] task ${section} ${task}\n`;
      list += '\n';
    }
    const subject = startDaemon(root, makeRepo(`${list}## Git Worktree last\n[] waits {hold:me}\n`, {}));
    try {
      // Every task has a row in the journal by then.
      const state = join(subject.top, '.git', 'todone');
      const stored = (): number => bytesBelow(join(state, 'journal.db')) + bytesBelow(join(state, 'journal.db-wal'));
      const until = performance.now() + START_MS;
      while (stored() < count * ROW_BYTES_MIN && performance.now() < until) await sleep(200);
      if (stored() < count * ROW_BYTES_MIN) broken.push(`a list of ${count} tasks was not taken in within ${START_MS / 1000} s`);
      await untilQuiet(subject.daemon.pid, START_MS);
      const { rss, fds, cpu } = lookAt(subject.daemon.pid);
      await sleep(1500);
      const idle = Math.round(((lookAt(subject.daemon.pid).cpu - cpu) / 1.5) * 100);
      const journal = Math.round(stored() / MB);
      samples.push({ at: count, values: { 'RSS MB': rss, 'open files': fds, 'journal MB': journal, 'idle CPU %': idle } });
    } finally {
      await subject.end();
    }
  }
  const [first, last] = [samples[0], samples.at(-1)];
  const perTask = first && last ? (((last.values['RSS MB'] ?? 0) - (first.values['RSS MB'] ?? 0)) * 1024) / (last.at - first.at) : 0;
  if (perTask > KB_PER_TASK_MAX) broken.push(`a task takes ${perTask.toFixed(1)} KB of memory, more than ${KB_PER_TASK_MAX}`);
  if (samples.some(({ values }) => (values['RSS MB'] ?? 0) === 0)) broken.push('a daemon was gone');
  if (samples.some(({ values }) => (values['open files'] ?? 0) > FDS_MAX)) broken.push(`more than ${FDS_MAX} files are open`);
  return { name: 'tasks on the list', unit: 'tasks', samples, broken };
}

const GROWTH_MB_MAX = 48;
const FD_GROWTH_MAX = 4;

/** Task after task through one daemon. */
export async function manyRuns(root: string, runs: number): Promise<Measured> {
  let list = '# Work {script}\n\n';
  for (let section = 0; section < 4; section++) {
    list += `## Git Worktree s${section}\n`;
    for (let task = 0; task < Math.ceil(runs / 4); task++) list += `[] task ${section} ${task}.\n  run: echo ${task} > f${task}.txt\n`;
    list += '\n';
  }
  const subject = startDaemon(root, makeRepo(list, { keep: { every: '1s', logBytes: 200_000, versionBytes: 200_000 } }));
  const samples: Sample[] = [];
  try {
    const state = join(subject.top, '.git', 'todone');
    const until = performance.now() + runs * 2500 + 30_000;
    for (let done = -1; done < runs && performance.now() < until;) {
      await sleep(200);
      const now = readFileSync(join(subject.top, 'tasks.md'), 'utf8').match(/^\[✅/gmu)?.length ?? 0;
      if (now === done) continue;
      done = now;
      const { rss, fds } = lookAt(subject.daemon.pid);
      samples.push({ at: done, values: { 'RSS MB': rss, 'open files': fds, 'logs KB': Math.round(bytesBelow(join(state, 'runs')) / 1024) } });
    }
    const broken: string[] = [];
    if ((samples.at(-1)?.at ?? 0) < runs) broken.push(`only ${samples.at(-1)?.at} of ${runs} tasks were done in time`);
    const growth = lateGrowth(samples, 'RSS MB');
    if (growth > GROWTH_MB_MAX) broken.push(`memory grew by ${growth} MB in the later runs`);
    const files = lateGrowth(samples, 'open files');
    if (files > FD_GROWTH_MAX) broken.push(`${files} more files are open in the later runs`);
    return { name: 'runs, one after another', unit: 'done', samples, broken };
  } finally {
    await subject.end();
  }
}
