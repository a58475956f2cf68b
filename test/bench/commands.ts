/**
 * Commands that only look, on a long list, against the bare start of Node; from source and bundled.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Figure, median, plain, shown } from './figures.ts';
import { mixedList } from './lists.ts';
import { makeRepo, ROOT, SOURCE, timed, wrong } from './scene.ts';

const TASKS = 20_000;
const SHOWN = 1000;

export function commands(quick: boolean): Figure[] {
  const top = makeRepo({ 'tasks.md': mixedList(TASKS, 200) });
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { cwd: ROOT, stdio: 'ignore' });
  const bundle = join(ROOT, 'dist', 'todone.js');
  checkReady(top, bundle);
  const rounds = quick ? 3 : 7;
  const of = (...args: readonly string[]): number => median(Array.from({ length: rounds }, () => timed(process.execPath, args, top)));
  const bare = of('-e', '0');
  const row = (name: string, ...args: readonly string[]): Figure => {
    const ms = of(...args);
    return plain(name, `${shown(ms / bare, '×')} (${shown(ms, 'ms')})`);
  };
  return [
    plain('node -e 0', shown(bare, 'ms')),
    row('--version, source, to node', SOURCE, '--version'),
    row('--version, bundled, to node', bundle, '--version'),
    row('task ready, 20,000 tasks, source, to node', SOURCE, 'task', 'ready', '--json'),
    row('task ready, 20,000 tasks, bundled, to node', bundle, 'task', 'ready', '--json'),
    row('task list, 20,000 tasks, source, to node', SOURCE, 'task', 'list'),
    row('task list, 20,000 tasks, bundled, to node', bundle, 'task', 'list'),
  ];
}

function checkReady(top: string, bundle: string): void {
  const out = execFileSync(process.execPath, [bundle, 'task', 'ready', '--json', '--limit', String(SHOWN)], {
    cwd: top,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const found = out.match(/"status": ?"open"/g)?.length ?? 0;
  if (found !== SHOWN) wrong(`task ready shows ${found} free tasks of ${SHOWN}`);
}
