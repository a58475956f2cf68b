/**
 * The ground of one cell: a home that nobody lives in, a repository, a scripted model, and the product as a person starts it. The home is outside
 * the temporary folder, where one client's sandbox would refuse to work.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PhaseEnd } from '../../../src/engine/ports.ts';
import { type Model, type Script, startModel } from '../model/server.ts';
import type { Client } from './clients.ts';
import { CACHE } from './install.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MAIN = join(ROOT, 'src', 'main.ts');

export type Daemon = { readonly pid: number; readonly ended: Promise<{ readonly code: number | null; readonly said: string }>; stop(): void };
export type End = PhaseEnd & { readonly step: string; readonly ticket: number };

export type Ground = {
  readonly top: string;
  readonly home: string;
  readonly model: Model;
  /** `start --once`; with arguments, that command. */
  run(...args: readonly string[]): Daemon;
  list(): string;
  writeList(text: string): void;
  marker(title: string): string;
  git(...args: readonly string[]): string;
  /** The ends of all phases so far, in order. */
  ends(): readonly End[];
  /** Living processes that belong to this cell, the daemon's own left out. */
  processes(): readonly { readonly pid: number; readonly command: string; readonly marked: boolean }[];
  /** Whether a tool sleeps for so many seconds: what stood before that in its shell's command is over. */
  sleeps(seconds: number): boolean;
  close(keep: boolean): Promise<void>;
};

export type GroundOptions = {
  readonly name: string;
  readonly clients: readonly Client[];
  readonly bins: readonly string[];
  readonly list: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly script: Script;
};

export async function makeGround(options: GroundOptions): Promise<Ground> {
  const base = join(CACHE, 'cells', options.name);
  const [home, top] = [join(base, 'home'), join(base, 'repo')];
  rmSync(base, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  mkdirSync(top, { recursive: true });
  const model = await startModel(options.script);
  for (const client of options.clients) for (const [name, text] of Object.entries(client.files(model.url))) put(join(home, name), text);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: top, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home }, stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Engineer');
  git('config', 'user.email', 'engineer@example.org');
  put(join(top, 'README.md'), '# A repository\n');
  put(join(top, '.gitignore'), 'tasks.md\ntodone.config.json\n');
  put(join(top, 'todone.config.json'), JSON.stringify(configOf(options)));
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  put(join(top, 'tasks.md'), options.list);
  const env = Object.assign(
    { PATH: [...options.bins, join(ROOT, 'node_modules', '.bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(':'), HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
    ...options.clients.map((client) => client.env(model.url)),
    options.env,
  ) as Record<string, string>;
  const daemons = new Set<Daemon>();
  return {
    top,
    home,
    model,
    run(...args) {
      const child = spawn(process.execPath, [MAIN, ...(args.length > 0 ? args : ['start', '--once'])], { cwd: top, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      const ended = new Promise<{ code: number | null; said: string }>((resolve) => child.once('close', (code) => resolve({ code, said })));
      const daemon: Daemon = { pid: child.pid ?? 0, ended, stop: () => void child.kill('SIGKILL') };
      daemons.add(daemon);
      void ended.then(() => daemons.delete(daemon));
      return daemon;
    },
    list: () => readFileSync(join(top, 'tasks.md'), 'utf8'),
    writeList: (text) => writeFileSync(join(top, 'tasks.md'), text),
    marker: (title) => markerIn(readFileSync(join(top, 'tasks.md'), 'utf8'), title),
    git,
    ends: () => endsIn(join(top, '.git', 'todone', 'runs')),
    processes: () => processesOf(home, MAIN),
    sleeps: (seconds) => processesOf(home, MAIN).some(({ command }) => new RegExp(`^(?:\\S*/)?sleep ${seconds}$`).test(command)),
    async close(keep) {
      for (const daemon of daemons) daemon.stop();
      await Promise.all([...daemons].map((daemon) => daemon.ended));
      await model.close();
      if (!keep) rmSync(base, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

const configOf = ({ clients, config }: GroundOptions): unknown => ({
  agent: clients[0]?.name,
  agents: Object.fromEntries(clients.map((client) => [client.name, client.agent])),
  claimAfter: 0,
  interval: '300ms',
  attempts: 2,
  backoff: { first: '200ms', max: '1s' },
  ...config,
  limits: { phase: '240s', stopGrace: '4s', limitWait: '2s', stallAfter: '60s', ...(config['limits'] as object | undefined) },
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function markerIn(list: string, title: string): string {
  const line = list.split('\n').find((each) => each.includes(`] ${title}`));
  return line === undefined ? '(gone)' : (/\[[^\]]*\]/.exec(line)?.[0] ?? '(none)');
}

function endsIn(folder: string): End[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name): (End & { at: number })[] => {
    const step = /(?:^|\/)end-(\w+)\.json$/.exec(name)?.[1];
    if (step === undefined) return [];
    const end = JSON.parse(readFileSync(join(folder, name), 'utf8')) as PhaseEnd & { ticket: number };
    return [{ ...end, step, at: ['plan', 'implement', 'update'].indexOf(step) }];
  });
  return found.sort((a, b) => a.ticket - b.ticket || a.at - b.at);
}

function processesOf(home: string, main: string): { pid: number; command: string; marked: boolean }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const environ = readFileSync(`/proc/${name}/environ`, 'latin1');
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const ours = environ.split('\0').includes(`HOME=${home}`);
      const marked = environ.includes('TODONE_RUN=');
      if (!ours || state === 'Z' || (command.includes(`${main} start`) && !marked)) return [];
      return [{ pid: Number(name), command, marked }];
    } catch {
      return [];
    }
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so; throws with what it waited for. */
export async function until(what: string, is: () => boolean, ms = 150_000): Promise<void> {
  const end = Date.now() + ms;
  while (!is()) {
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
    await sleep(50);
  }
}
