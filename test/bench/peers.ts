/**
 * What others make of the same tasks: Backlog.md (npm, in a folder that git ignores) and Taskwarrior (Debian). Installed when missing;
 * what cannot be had is said, never passed over.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, timed, wrong } from './scene.ts';

/** `isDone`: done or cancelled. */
export type PeerTask = { readonly title: string; readonly isDone: boolean };

/** `ready` = the wall time of its command in ms. */
export type Peer = { readonly name: string; ready(): number } | { readonly name: string; readonly problem: string };

const BACKLOG = { name: 'backlog.md', version: '1.52.0' };
const CACHE = join(ROOT, '.cache', 'peers');
const INSTALL_MS = 300_000;
const SHOWN = 5;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

const made: string[] = [];

export function removePeers(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-peer-'));
  made.push(folder);
  return folder;
}

/** One file for each task, as its own `task create` writes them. */
export function backlogMd(tasks: readonly PeerTask[]): Peer {
  const program = join(CACHE, 'node_modules', `backlog.md-${process.platform}-${process.arch}`, 'backlog');
  const name = `Backlog.md ${BACKLOG.version}`;
  try {
    if (!existsSync(program)) {
      mkdirSync(CACHE, { recursive: true });
      writeFileSync(join(CACHE, 'package.json'), '{"private":true}\n');
      const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `${BACKLOG.name}@${BACKLOG.version}`];
      execFileSync('npm', args, { cwd: CACHE, timeout: INSTALL_MS, stdio: ['ignore', 'ignore', 'pipe'] });
    }
    const top = newFolder();
    execFileSync('git', ['init', '-q'], { cwd: top });
    execFileSync(program, ['init', 'bench', '--defaults', '--no-git'], { cwd: top, stdio: ['ignore', 'ignore', 'pipe'] });
    const folder = join(top, 'backlog', 'tasks');
    for (const [at, { title, isDone }] of tasks.entries())
      writeFileSync(
        join(folder, `task-${at + 1} - Task-${at + 1}.md`),
        `---\nid: TASK-${at + 1}\ntitle: ${title}\nstatus: ${isDone ? 'Done' : 'To Do'}\nassignee: []\ncreated_date: '2026-11-21 12:00'\nlabels: []\ndependencies: []\npriority: medium\n---\n`,
      );
    const args = ['task', 'list', '--ready', '--limit', String(SHOWN), '--json'];
    return {
      name,
      ready() {
        const before = performance.now();
        const out = execFileSync(program, args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        const ms = performance.now() - before;
        if ((JSON.parse(out) as { tasks: unknown[] }).tasks.length !== SHOWN) wrong(`${name} shows other than ${SHOWN} tasks`);
        return ms;
      },
    };
  } catch (error) {
    return { name, problem: wordsOf(error) };
  }
}

export function taskwarrior(tasks: readonly PeerTask[]): Peer {
  const name = 'Taskwarrior';
  try {
    if (!hasTaskwarrior()) execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'taskwarrior'], { timeout: INSTALL_MS, stdio: 'pipe' });
    const top = newFolder();
    writeFileSync(join(top, 'rc'), `data.location=${top}\nconfirmation=off\nverbose=nothing\n`);
    const rows = tasks.map(({ title, isDone }, at) =>
      JSON.stringify({
        description: title,
        uuid: `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`,
        entry: '20261121T110000Z',
        ...(isDone ? { status: 'completed', end: '20261121T120000Z' } : { status: 'pending' }),
      }),
    );
    writeFileSync(join(top, 'tasks.json'), `${rows.join('\n')}\n`);
    const rc = `rc:${join(top, 'rc')}`;
    // It says a line for each task.
    execFileSync('task', [rc, 'import', join(top, 'tasks.json')], { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: OUTPUT_BYTES_MAX });
    const args = [rc, 'ready', `limit:${SHOWN}`];
    const out = execFileSync('task', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (out.split('\n').filter((line) => line.includes('Teach part')).length !== SHOWN) wrong(`${name} shows other than ${SHOWN} tasks:\n${out}`);
    return { name: `${name} ${execFileSync('task', ['--version'], { encoding: 'utf8' }).trim()}`, ready: () => timed('task', args, top) };
  } catch (error) {
    return { name, problem: wordsOf(error) };
  }
}

function hasTaskwarrior(): boolean {
  try {
    execFileSync('task', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function wordsOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : '';
  return said || (error instanceof Error ? error.message : String(error));
}
