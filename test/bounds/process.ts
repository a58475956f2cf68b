/** One `todone` in a repository of its own, looked at from outside. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Subject = { readonly top: string; readonly daemon: ChildProcess; readonly ended: Promise<void>; end(): Promise<void> };

export const MB = 1024 * 1024;

export function makeRepo(list: string, config: object): string {
  const top = mkdtempSync(join(tmpdir(), 'bounds-'));
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: top, stdio: 'ignore' });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Engineer');
  git('config', 'user.email', 'engineer@example.org');
  writeFileSync(join(top, 'README.md'), '# x\n');
  writeFileSync(join(top, 'todone.config.json'), JSON.stringify({ claimAfter: '0s', interval: '500ms', ...config }));
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  writeFileSync(join(top, 'tasks.md'), list);
  return top;
}

export function startDaemon(root: string, top: string, args: readonly string[] = []): Subject {
  const daemon = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'start', '--quiet', ...args], { cwd: top, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  return {
    top,
    daemon,
    ended,
    async end() {
      daemon.kill('SIGKILL');
      await ended;
      await sleep(300);
      rmSync(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Resident memory in MB, open files, CPU seconds; zeros once it is gone. */
export function lookAt(pid: number | undefined): { readonly rss: number; readonly fds: number; readonly cpu: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const rss = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    return { rss, fds: readdirSync(`/proc/${pid}/fd`).length, cpu: (Number(stat[11]) + Number(stat[12])) / 100 };
  } catch {
    return { rss: 0, fds: 0, cpu: 0 };
  }
}

/** Bytes of all files below a folder. */
export function bytesBelow(path: string): number {
  try {
    const stats = statSync(path);
    if (!stats.isDirectory()) return stats.size;
    return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
  } catch {
    return 0;
  }
}

/** Until it uses no CPU any more, or `ms` are over. */
export async function untilQuiet(pid: number | undefined, ms: number): Promise<void> {
  const until = performance.now() + ms;
  let last = -1;
  for (let quiet = 0; quiet < 3 && performance.now() < until;) {
    await sleep(400);
    const { cpu } = lookAt(pid);
    quiet = cpu - last < 0.06 && last >= 0 ? quiet + 1 : 0;
    last = cpu;
  }
}
