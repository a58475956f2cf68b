/**
 * `task ready --json` on 20,000 tasks against the bare start of Node, Backlog.md and Taskwarrior on the same tasks, in turns. Asked again,
 * asked when the list has just changed, and both with a daemon beside it: what is printed is checked each time, for a fast answer
 * that is old is wrong.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Figure, median, plain, shown } from './figures.ts';
import { mixedList } from './lists.ts';
import { backlogMd, type Peer, type PeerTask, removePeers, taskwarrior } from './peers.ts';
import { makeRepo, ROOT, startDaemon, timed, wrong } from './scene.ts';

const TASKS = 20_000;
const SECTIONS = 200;
/** The aim of 11-R1: a blink. */
const BARE_MAX = 2;
const DAEMON_MS = 60_000;
const SLOW_MS = 2000;

export async function ready(quick: boolean): Promise<Figure[]> {
  const cache = mkdtempSync(join(tmpdir(), 'bench-cache-'));
  process.env['XDG_CACHE_HOME'] = cache;
  try {
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { cwd: ROOT, stdio: 'ignore' });
    return await measured(quick ? 3 : 9);
  } finally {
    delete process.env['XDG_CACHE_HOME'];
    rmSync(cache, { recursive: true, force: true });
    removePeers();
  }
}

async function measured(rounds: number): Promise<Figure[]> {
  const list = mixedList(TASKS, SECTIONS);
  const top = makeRepo({ 'tasks.md': list });
  const question = questionOf(top, list);
  const tasks = [...list.matchAll(/^\[(.*?)\] (.*)$/gm)].map(([, marker = '', title = '']): PeerTask => ({ title: titleOf(title), isDone: marker !== '' }));
  if (tasks.length !== TASKS) wrong(`the list has ${tasks.length} tasks`);
  const peers: readonly Peer[] = [backlogMd(tasks), taskwarrior(tasks)];
  const bare: number[] = [];
  const theirs = new Map<string, number[]>();
  const alone = samples();
  for (let round = 0; round < rounds; round++) {
    bare.push(timed(process.execPath, ['-e', '0'], top));
    alone.changed.push(question.changed());
    await sleep(STILL_MS);
    question.again();
    alone.again.push(question.again());
    // One that takes many seconds need not be asked often.
    for (const peer of peers)
      if ('ready' in peer && (theirs.get(peer.name) ?? []).every((ms) => ms < SLOW_MS)) theirs.set(peer.name, [...(theirs.get(peer.name) ?? []), peer.ready()]);
  }
  return figures(median(bare), { alone, minded: await mindedBy(rounds, bare) }, theirs, peers);
}

/** A daemon that only minds the list: one that began its tasks would have its marks taken back by each save here. */
async function mindedBy(rounds: number, bare: number[]): Promise<Samples> {
  const list = mixedList(TASKS, SECTIONS).replace('{script}', '{nobody}');
  const top = makeRepo({ 'tasks.md': list, 'todone.config.json': MINDED_CONFIG });
  const question = questionOf(top, list);
  const minded = samples();
  const daemon = startDaemon(top, '--quiet');
  try {
    await until(() => ownerOf(top));
    question.again();
    for (let round = 0; round < rounds; round++) {
      bare.push(timed(process.execPath, ['-e', '0'], top));
      minded.changed.push(question.changed());
      minded.again.push(question.again());
    }
  } finally {
    await daemon.end();
  }
  return minded;
}

/** What is saved may be taken at once, as it is without a daemon; the agent is none that could be installed. */
const MINDED_CONFIG = '{ "claimAfter": "0s", "agents": { "nobody": { "command": ["todone-bench-nobody"] } } }';

type Samples = { readonly changed: number[]; readonly again: number[] };
const samples = (): Samples => ({ changed: [], again: [] });

/** Without a daemon an answer is kept when the list is older than a tick of the clock. */
const STILL_MS = 150;

/** Asks, and looks at the answer; `changed` saves the list first, with another first task. */
function questionOf(top: string, list: string): { changed(): number; again(): number } {
  const args = [join(ROOT, 'dist', 'todone.js'), 'task', 'ready', '--json'];
  const path = join(top, 'tasks.md');
  let edits = 0;
  const again = (): number => {
    const before = performance.now();
    const out = execFileSync(process.execPath, args, { cwd: top, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
    const ms = performance.now() - before;
    const { tasks } = JSON.parse(out) as { tasks: { title: string }[] };
    if (tasks.length !== 5 || (edits > 0 && tasks[0]?.title !== `Edited ${edits} times`))
      wrong(`task ready says: ${tasks.map(({ title }) => title).join(', ')}`);
    return ms;
  };
  return {
    again,
    changed() {
      edits += 1;
      writeFileSync(path, list.replace(/^\[\] .*$/m, `[] Edited ${edits} times {p0}`));
      return again();
    },
  };
}

const titleOf = (text: string): string => text.replaceAll(/ \{[^}]*\}/g, '');

function figures(
  bare: number,
  { alone, minded }: { readonly alone: Samples; readonly minded: Samples },
  theirs: ReadonlyMap<string, readonly number[]>,
  peers: readonly Peer[],
): Figure[] {
  const rows: readonly (readonly [string, readonly number[]])[] = [
    ['asked again', alone.again],
    ['the list just changed', alone.changed],
    ['with a daemon, asked again', minded.again],
    ['with a daemon, the list just changed', minded.changed],
  ];
  const what = `task ready --json, ${TASKS.toLocaleString('en')} tasks`;
  return [
    plain('node -e 0', shown(bare, 'ms')),
    ...peers.map((peer) => {
      const values = theirs.get(peer.name);
      return plain(
        `${peer.name}, its ready tasks of the same, to node`,
        values ? `${shown(median(values) / bare, '×')} (${shown(median(values), 'ms')})` : notHad(peer),
      );
    }),
    ...rows.flatMap(([name, values]) => [
      atMost(`${what}, ${name}: to node`, median(values) / bare, BARE_MAX, '×', ` (${shown(median(values), 'ms')})`),
      ...[...theirs].map(([peer, others]) => atMost(`${what}, ${name}: to ${peer}`, median(values) / median(others), 1, '×')),
    ]),
  ];
}

const notHad = (peer: Peer): string => `not measured: ${'problem' in peer ? peer.problem : ''}`;

function ownerOf(top: string): boolean {
  try {
    return readFileSync(join(top, '.git', 'todone', 'owner.json'), 'utf8') !== '';
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + DAEMON_MS; !condition(); await sleep(50)) if (Date.now() > end) wrong('the daemon does not begin');
}
