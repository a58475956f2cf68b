/**
 * Many workers that ToDone did not start, at one list, each a process of its own: by command line, MCP over stdio, MCP over HTTP and
 * tRPC. Each task is done once and in order, though every tenth worker is killed with a claim in its hands and a person edits all the
 * while. TODONE_LONG=1 drains 1,000 tasks with 100 workers.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { QUIET_ENV } from './doors-kit.ts';
import { type Kind, KINDS, type Told, work } from './drain-workers.ts';
import { git, listOf, makeRepo, removeRepos, sleep, start } from './kit.ts';

afterAll(removeRepos);

const LONG = process.env['TODONE_LONG'] !== undefined;
const SECTIONS = LONG ? 20 : 4;
const TASKS = LONG ? 50 : 9;
/** How many of each kind, and how many of these are killed. */
const COUNTS: Readonly<Record<Kind, readonly [all: number, killed: number]>> = LONG
  ? { cli: [4, 1], mcp: [16, 2], 'mcp-http': [36, 3], trpc: [44, 4] }
  : { cli: [2, 1], mcp: [2, 0], 'mcp-http': [2, 0], trpc: [3, 1] };
type Place = { readonly kind: Kind; readonly index: number };
const WORKERS: readonly Place[] = KINDS.flatMap((kind) => Array.from({ length: COUNTS[kind][0] }, (_, index) => ({ kind, index })));
const isKilled = ({ kind, index }: Place): boolean => index < COUNTS[kind][1];
const KILLED = WORKERS.filter(isKilled).length;
/** Of these claims, in seconds, only the one that a worker dies with runs out, whatever else the machine does. */
const LEASES = { living: 3600, held: LONG ? 10 : 3 };
/** They die in the midst of their work. */
const HOLD_AT = LONG ? 3 : 1;

/** So many may be on their way at once. */
const BEGINNING = 4;

const nameOf = (section: number, task: number): string => `t${section}-${task}`;

/** Chains within a section, and every tenth task waits for one of the section before. */
function needsOf(section: number, task: number): string[] {
  return [...(task % 3 === 0 ? [] : [nameOf(section, task - 1)]), ...(task % 10 === 0 && section > 0 ? [nameOf(section - 1, task)] : [])];
}

const PLACES = Array.from({ length: SECTIONS * TASKS }, (_, at) => [Math.floor(at / TASKS), at % TASKS] as const);
const NEEDS = new Map(PLACES.map(([section, task]) => [nameOf(section, task), needsOf(section, task)]));

function makeList(): string {
  const lines = PLACES.map(([section, task]) => {
    const after = needsOf(section, task);
    const heading = task === 0 ? `\n## Git Worktree s${section}\n` : '';
    return `${heading}[] Task ${section}-${task} {id:${nameOf(section, task)}}${after.length > 0 ? ` {after:${after.join(',')}}` : ''}\n`;
  });
  return `# Work {claude}\n${lines.join('')}`;
}

type Event = Told & { readonly kind: Kind; readonly worker: string; readonly name: string };

it(
  '6.1-R1 6.3-R1 2-R3 workers of all kinds drain a list: each task once and in order, though every tenth is killed and a person edits',
  { timeout: 1_200_000 },
  async () => {
    const top = makeRepo(makeList(), { 'todone.config.json': '{ "claimAfter": "0s" }' });
    const stop = join(tmpdir(), `drain-stop-${process.pid}`);
    rmSync(stop, { force: true });
    const begun = Date.now();
    const daemon = start(top, ['start', '--quiet'], QUIET_ENV);
    const server = start(top, ['serve', '--port', '0', '--json'], QUIET_ENV);
    const events: Event[] = [];
    const seen = new Map<string, number>();
    let isOver = false;
    try {
      const { url, token_file: tokenFile } = await firstLine(server);
      const field = { top, url, token: readFileSync(tokenFile, 'utf8').trim(), hash: git(top, 'rev-parse', 'HEAD').trim(), stop, leases: LEASES };
      const watcher = watch(top, seen, () => isOver);
      const editor = person(top, () => isOver);
      const begin = ({ kind, index }: Place): Promise<void> => {
        const worker = `${kind}-${index}`;
        const tell = (told: Told): void => void events.push({ ...told, kind, worker, name: `t${told.title?.replace('Task ', '') ?? ''}` });
        const holdAt = isKilled({ kind, index }) ? (kind === 'cli' ? 1 : HOLD_AT) : 0;
        return work(field, { kind, name: worker, holdAt, pauseMs: (LONG ? 400 : 100) + index * 10, tell });
      };
      // Those that are slow to begin have a task in their hands before the others take them all.
      const early = WORKERS.filter((place) => place.kind === 'cli' || (!LONG && isKilled(place)));
      const working = early.map(begin);
      await until(() => new Set(of(events, 'claimed').map(({ worker }) => worker)).size >= early.length);
      // A hundred programs that begin at the same moment would be a test of the machine.
      const heard = (): number => new Set(events.map(({ worker }) => worker)).size;
      for (const place of WORKERS) {
        if (early.includes(place)) continue;
        working.push(begin(place));
        await until(() => heard() >= working.length - BEGINNING);
      }
      const all = Promise.all(working);
      const ended = await Promise.race([until(() => of(events, 'closed').length >= PLACES.length), all.then(() => 'workers')]);
      writeFileSync(stop, '');
      await all;
      expect(ended).toBe('closed');
      await until(() => seen.size >= PLACES.length);
      isOver = true;
      const edits = await editor;
      await watcher;
      await until(() => !/^\[(?:🟡|\])/m.test(listOf(top)));

      const list = listOf(top);
      expect(list.match(/^\[✅ /gm)).toHaveLength(PLACES.length);
      expect(list.match(/^a word of a person \d+$/gm)).toHaveLength(edits);
      const told = toldIn(top);
      // What the workers saw, and what the journal says: no end twice, no begin before what it waits for.
      const duplicates = of(events, 'closed').length - new Set(of(events, 'closed').map(({ name }) => name)).size + told.duplicates;
      const disorder = outOfOrder(events) + told.disorder;
      const lags = of(events, 'closing').map(({ name, at, kind }) => ({ kind, ms: Math.max(0, (seen.get(name) ?? Number.NaN) - at) }));
      process.stderr.write(
        `${PLACES.length} tasks, ${WORKERS.length} workers (${KINDS.map((kind) => `${COUNTS[kind][0]} ${kind}`).join(', ')}), ${KILLED} killed, ${edits} edits, ` +
          `${((Date.now() - begun) / 1000).toFixed(0)} s: duplicates ${duplicates}, order violations ${disorder}; from a worker's close to the list: ${figures(lags.map(({ ms }) => ms))}; ` +
          `${KINDS.map((kind) => `${kind} ${figures(lags.filter((lag) => lag.kind === kind).map(({ ms }) => ms))}`).join('; ')}\n`,
      );
      expect({ duplicates, disorder, lost: of(events, 'lost') }).toEqual({ duplicates: 0, disorder: 0, lost: [] });
      expect(of(events, 'holds')).toHaveLength(KILLED);
      expect(told).toMatchObject({ done: PLACES.length, freed: KILLED });
      // Every kind did some of it, and what a killed worker held was done by another.
      expect(new Set(of(events, 'closed').map(({ kind }) => kind)).size).toBe(KINDS.length);
      for (const held of of(events, 'holds')) expect(of(events, 'closed').find(({ name }) => name === held.name)?.worker).not.toBe(held.worker);
    } finally {
      isOver = true;
      writeFileSync(stop, '');
      daemon.kill('SIGTERM');
      server.kill('SIGTERM');
      await Promise.all([daemon.ended, server.ended]);
      rmSync(stop, { force: true });
    }
  },
);

const of = (events: readonly Event[], wanted: Told['what']): Event[] => events.filter(({ what }) => what === wanted);

/** Claims that were answered before the last of what they wait for was even about to be closed. One machine has one clock. */
function outOfOrder(events: readonly Event[]): number {
  const closing = new Map(of(events, 'closing').map(({ name, at }) => [name, at]));
  return of(events, 'claimed').filter(({ name, at }) => (NEEDS.get(name) ?? ['?']).some((need) => (closing.get(need) ?? Infinity) > at)).length;
}

/** The same by the history, in the order of its rows. */
function toldIn(top: string): { readonly done: number; readonly duplicates: number; readonly disorder: number; readonly freed: number } {
  const journal = new DatabaseSync(join(top, '.git', 'todone', 'journal.db'), { readOnly: true });
  try {
    const names = new Map([...listOf(top).matchAll(/^\[✅ [^,]*, (\w+)\] Task ([\d-]+)/gm)].map(([, id, place]) => [String(id), `t${place}`]));
    const rows = journal.prepare('SELECT id, field, old, new FROM history ORDER BY seq').all();
    const done = new Set<string>();
    const counts = { duplicates: 0, disorder: 0, freed: 0 };
    for (const row of rows) {
      const name = names.get(String(row['id'])) ?? String(row['id']);
      if (row['field'] === 'state' && row['new'] === 'done') {
        if (done.has(name)) counts.duplicates += 1;
        done.add(name);
      }
      if (row['field'] === 'claim' && row['old'] === null && (NEEDS.get(name) ?? ['?']).some((need) => !done.has(need))) counts.disorder += 1;
      if (row['field'] === 'claim' && row['new'] === 'ran out: no heartbeat') counts.freed += 1;
    }
    return { done: done.size, ...counts };
  } finally {
    journal.close();
  }
}

/** When each task was first seen as done on the list, by whoever only reads it. */
async function watch(top: string, seen: Map<string, number>, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const list = listOf(top);
    const at = Date.now();
    for (const [, place] of list.matchAll(/^\[✅ [^\]]*\] Task ([\d-]+)/gm)) if (!seen.has(`t${place}`)) seen.set(`t${place}`, at);
    await sleep(10);
  }
}

/** Edits like an editor: the whole buffer, read a moment ago, in place of the file. */
async function person(top: string, isOver: () => boolean): Promise<number> {
  let edits = 0;
  for (; !isOver(); edits++) {
    const list = listOf(top);
    const at = list.indexOf('## Git Worktree s1');
    writeFileSync(join(top, 'tasks.md.new'), `${list.slice(0, at)}a word of a person ${edits}\n\n${list.slice(at)}`);
    renameSync(join(top, 'tasks.md.new'), join(top, 'tasks.md'));
    await sleep(LONG ? 1000 : 300);
  }
  return edits;
}

function figures(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms (${sorted.length})`;
}

function firstLine(server: ReturnType<typeof start>): Promise<{ readonly url: string; readonly token_file: string }> {
  return new Promise((resolve, reject) => {
    let out = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out) as { url: string; token_file: string });
    });
    void server.ended.then(({ err }) => reject(new Error(err)));
  });
}

async function until(condition: () => boolean): Promise<'closed'> {
  while (!condition()) await sleep(50);
  return 'closed';
}
