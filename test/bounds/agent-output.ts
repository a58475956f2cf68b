/** An agent that prints as much as one does in many hours: what of it is kept, and what it does to the daemon's memory. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lateGrowth, type Measured, type Sample } from './curve.ts';
import { bytesBelow, lookAt, makeRepo, MB, startDaemon } from './process.ts';

const KEPT_BYTES = 4 * MB;
/** The log's last part, and a line that says what is missing. */
const KEPT_MORE = MB;
const GROWTH_MB_MAX = 64;
const LIMIT_MS_PER_MB = 400;

export async function agentOutput(root: string, megabytes: number): Promise<Measured> {
  // Lines of many kinds: short ones, long ones, one without an end, bytes that are no text.
  const print = [
    `i=0; while [ $i -lt ${megabytes} ]`,
    `do head -c 700000 /dev/zero | tr '\\0' 'x' | fold -w 200; head -c 200000 /dev/urandom; head -c 100000 /dev/zero | tr '\\0' 'y'`,
    'i=$((i+1)); echo $i > progress; done; echo x > done.txt',
  ].join('; ');
  const list = `## Git Worktree a {script}\n[] prints\n  run: ${print}\n`;
  const subject = startDaemon(root, makeRepo(list, { limits: { outputBytes: KEPT_BYTES } }));
  const samples: Sample[] = [];
  try {
    const { top } = subject;
    const state = join(top, '.git', 'todone');
    const until = performance.now() + megabytes * LIMIT_MS_PER_MB + 30_000;
    let last = -1;
    while (performance.now() < until) {
      await sleep(150);
      const at = progressOf(join(top, 'trees', 'a', 'progress'));
      const { rss, fds } = lookAt(subject.daemon.pid);
      if (at > last) samples.push({ at, values: { 'RSS MB': rss, 'open files': fds, 'log KB': Math.round(bytesBelow(join(state, 'runs')) / 1024) } });
      last = at;
      if (existsSync(join(top, 'trees', 'a', 'done.txt'))) break;
    }
    const broken: string[] = [];
    if (last < megabytes) broken.push(`the agent had printed ${last} of ${megabytes} MB when the time was over`);
    const growth = lateGrowth(samples, 'RSS MB');
    if (growth > GROWTH_MB_MAX) broken.push(`memory grew by ${growth} MB while it printed`);
    const kept = Math.max(0, ...samples.map(({ values }) => values['log KB'] ?? 0)) * 1024;
    if (kept > KEPT_BYTES + KEPT_MORE) broken.push(`${kept} bytes of its log are kept`);
    if (lateGrowth(samples, 'open files') > 2) broken.push('more and more files are open');
    return { name: 'an agent that prints', unit: 'MB', samples, broken };
  } finally {
    await subject.end();
  }
}

function progressOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
