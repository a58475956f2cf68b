/**
 * Repositories, lists and processes to measure: whole `todone` processes on real files. Nothing here knows the inside.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  execFileSync('sync', ['-f', top]);
  return top;
}

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

/** Files that are not on the disk yet go in a tenth of the time: at once, and not at the end. */
export function remove(top: string): void {
  rmSync(top, { recursive: true, force: true, maxRetries: 3 });
  made.splice(made.indexOf(top), 1);
}

export function cleanUp(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const top of made.splice(0)) rmSync(top, { recursive: true, force: true, maxRetries: 3 });
}

export function wrong(message: string): never {
  throw new Error(message);
}
