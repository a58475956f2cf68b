/** Whole processes on real repositories: `todone` as a person starts it. Nothing here knows the inside. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'src', 'main.ts');

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

const made: string[] = [];

/** A repository with a list and one commit. */
export function makeRepo(list: string | Buffer, files: Readonly<Record<string, string>> = {}): string {
  const top = mkdtempSync(join(tmpdir(), 'e2e-'));
  made.push(top);
  git(top, 'init', '-q', '-b', 'main');
  git(top, 'config', 'user.name', 'Engineer');
  git(top, 'config', 'user.email', 'engineer@example.org');
  writeFileSync(join(top, 'tasks.md'), list);
  for (const [name, text] of Object.entries({ 'README.md': '# x\n', ...files })) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), text);
  }
  git(top, 'add', '-A');
  git(top, 'commit', '-q', '-m', 'First');
  return top;
}

export function removeRepos(): void {
  for (const top of made.splice(0)) {
    try {
      execFileSync('chmod', ['-R', 'u+rwX', top]);
    } catch {
      // gone already
    }
    rmSync(top, { recursive: true, force: true, maxRetries: 3 });
  }
}

export const git = (top: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });

export function start(top: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess & { readonly ended: Promise<Ran> } {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: top, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const ended = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  return Object.assign(child, { ended });
}

export const todone = (top: string, ...args: string[]): Promise<Ran> => start(top, args).ended;

export const listOf = (top: string): string => readFileSync(join(top, 'tasks.md'), 'utf8');

/** The marker of the line with this text. */
export function markerOf(top: string, text: string): string {
  const line = listOf(top)
    .split('\n')
    .find((each) => each.includes(`] ${text}`));
  return line === undefined ? '(gone)' : (/\[[^\]]*\]/.exec(line)?.[0] ?? '(none)');
}

/** How many commits each task has landed, on all section branches. */
export function landed(top: string): Map<string, number> {
  const counts = new Map<string, number>();
  const log = git(top, 'log', '--branches=todone/*', '--format=%(trailers:key=ToDone-Task,valueonly)');
  for (const id of log.split('\n').filter((each) => each.trim() !== '')) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Everything below a folder with its bytes and modes, for "changes nothing on disk". */
export function bytesOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (at: string): void => {
    for (const name of readdirSync(join(folder, at))) {
      const path = join(at, name);
      const stats = statSync(join(folder, path));
      if (stats.isDirectory()) {
        found.set(path, `folder ${stats.mode}`);
        walk(path);
      } else found.set(path, `${stats.mode} ${stats.mtimeMs} ${readFileSync(join(folder, path)).toString('base64')}`);
    }
  };
  walk('.');
  return found;
}

/** Living processes whose command line has this in it. */
export const processesWith = (words: string): string[] =>
  execFileSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(words) && !/^\s*\d+ Z/.test(line));

/** `sections` sections of `tasks` script tasks, each writing a file of its own. */
export function scriptList(sections: number, tasks: number, command = 'true'): string {
  let list = '# Work {script}\n\n';
  for (let section = 0; section < sections; section++) {
    list += `## Git Worktree s${section}\n`;
    for (let task = 0; task < tasks; task++) list += `[] task ${section}-${task}.\n  run: ${command}; echo ${section}-${task} > f${task}.txt\n`;
    list += '\n';
  }
  return list;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
