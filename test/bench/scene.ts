/**
 * Repositories, lists and processes to measure: whole `todone` processes on real files. Nothing here knows the inside.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const SOURCE = join(ROOT, 'src', 'main.ts');

const made: string[] = [];
const started: ChildProcess[] = [];

/**
 * A repository with these files and one commit, packed and on the disk: git's own `gc --auto`, which so many new objects call for, and
 * what is still to be written would be measured with whoever comes first.
 */
export function makeRepo(files: Readonly<Record<string, string>>): string {
  const top = mkdtempSync(join(tmpdir(), 'bench-'));
  made.push(top);
  git(top, 'init', '-q', '-b', 'main');
  git(top, 'config', 'user.name', 'Engineer');
  git(top, 'config', 'user.email', 'engineer@example.org');
  for (const [name, text] of Object.entries({ 'README.md': '# x\n', ...files })) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), text);
  }
  git(top, 'add', '-A');
  git(top, 'config', 'gc.auto', '0');
  git(top, 'commit', '-q', '-m', 'First');
  git(top, 'repack', '-a', '-d', '-q');
  settled(top);
  return top;
}

/** Others may keep the disk busy for longer than anyone wants to wait. */
function settled(top: string): void {
  try {
    execFileSync('sync', ['-f', top], { timeout: SYNC_MS });
  } catch {
    progress('the disk is busy: times that wait for it say little');
  }
}

const SYNC_MS = 20_000;

/** `count` small files in folders of 50. */
export function manyFiles(count: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let at = 0; at < count; at++) files[`src/part${Math.floor(at / 50)}/file${at}.txt`] = `line of file ${at}\n`.repeat(20);
  return files;
}

export const git = (top: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });

export type Daemon = { readonly pid: number; end(): Promise<void>; said(): string };

/** A daemon that runs until `end`. */
export function startDaemon(top: string, ...args: readonly string[]): Daemon {
  const child = spawn(process.execPath, [SOURCE, 'start', ...args], { cwd: top, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  started.push(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    pid: child.pid ?? 0,
    said: () => said,
    end: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** The wall time of a process that has to end well. */
export function timed(command: string, args: readonly string[], cwd: string): number {
  const before = performance.now();
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 256 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1' } });
  return performance.now() - before;
}

/** Says how far it is, on stderr: the table comes at the end. */
export const progress = (words: string): boolean => process.stderr.write(`  ${words}\n`);

export function cleanUp(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  // Millions of files take a disk longer to remove than to make and to measure: nobody waits for that.
  if (made.length > 0) spawn('nice', ['-n', '19', 'rm', '-rf', '--', ...made.splice(0)], { detached: true, stdio: 'ignore' }).unref();
}

export function wrong(message: string): never {
  throw new Error(message);
}
