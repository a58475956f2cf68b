/**
 * Many workers that ToDone did not start, at one list: each task done once and in order, though some die with it in their hands and
 * a person edits all the while. TODONE_LONG=1 drains 1,000 tasks with 100 workers.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { callSocket } from '../../src/adapters/socket-call.ts';
import { RemoteError } from '../../src/adapters/socket-wire.ts';
import { socketPath } from '../../src/adapters/socket-path.ts';
import type { Called } from '../../src/runs/requests.ts';
import { git, listOf, makeRepo, removeRepos, sleep, start } from './kit.ts';

afterAll(removeRepos);

const LONG = process.env['TODONE_LONG'] !== undefined;
const SECTIONS = LONG ? 20 : 5;
const TASKS = LONG ? 50 : 12;
const WORKERS = LONG ? 100 : 12;
/** Of these workers every one is a process of its own for each request. */
const BY_PROCESS = LONG ? 4 : 2;
/** Of a worker that dies, in seconds; the others are never so slow, whatever else the machine does. */
const LEASE_S = LONG ? 20 : 4;
const LIVING_S = 600;

const nameOf = (section: number, task: number): string => `t${section}-${task}`;

/** Chains within a section, and every tenth task waits for one of the section before. */
function makeList(): string {
  let list = '# Work {claude}\n\n';
  for (let section = 0; section < SECTIONS; section++) {
    list += `## Git Worktree s${section}\n`;
    for (let task = 0; task < TASKS; task++) {
      const after = [...(task % 3 === 0 ? [] : [nameOf(section, task - 1)]), ...(task % 10 === 0 && section > 0 ? [nameOf(section - 1, task)] : [])];
      list += `[] Task ${section}-${task} {id:${nameOf(section, task)}}${after.length > 0 ? ` {after:${after.join(',')}}` : ''}\n`;
    }
    list += '\n';
  }
  return list;
}

type Claim = { readonly id: string; readonly after: readonly string[]; readonly name: string; readonly ticket: string };
type Told = { readonly at: number; readonly what: 'claimed' | 'closing' | 'closed'; readonly name: string };

it(
  '6.1-R1 6.3-R1 many workers drain a list: each task once and in order, though every tenth of them dies and a person edits',
  { timeout: 1_200_000 },
  async () => {
    const top = makeRepo(makeList(), { 'todone.config.json': '{ "claimAfter": "0s" }' });
    const hash = git(top, 'rev-parse', 'HEAD').trim();
    const socket = socketPath(join(top, '.git', 'todone'));
    const daemon = start(top, ['start', '--quiet']);
    const told: Told[] = [];
    const lags: number[] = [];
    let editing = true;
    try {
      const call = async (worker: string, request: string, input: object): Promise<Called> => {
        const caller = { kind: 'worker', name: worker, via: 'socket' };
        for (let tries = 1; ; tries++) {
          try {
            return (await callSocket(socket, { kind: 'call', name: request, input, caller }, AbortSignal.timeout(60_000))) as Called;
          } catch (error) {
            // On a machine that is busy with other things nobody may have said hello in time; nothing was asked then.
            if (tries === 10 || !(error instanceof RemoteError) || !error.message.startsWith('waited')) throw error;
          }
        }
      };
      const byProcess = async (worker: string, request: string, input: Readonly<Record<string, unknown>>): Promise<Called> => {
        const args =
          request === 'task.claim'
            ? ['task', 'claim', '--lease', String(input['lease'])]
            : ['task', 'close', String(input['task']), '--hash', hash, '--ticket', String(input['ticket'])];
        const ran = await start(top, [...args, '--as', worker, '--json'], { CLAUDECODE: '', TODONE_INSTANCE: '' }).ended;
        const output = JSON.parse(ran.out) as { error?: { message: string; remedy: string } };
        return (
          output.error
            ? { ok: false, refusal: { code: 'not_ready', exit: 3, message: output.error.message, remedy: output.error.remedy } }
            : { ok: true, output }
        ) as never;
      };
      await listening(() => call('w', 'task.ready', {}));

      const finished = (): boolean => told.filter(({ what }) => what === 'closed').length >= SECTIONS * TASKS;
      const shown = async (name: string, since: number): Promise<void> => {
        for (let tries = 0; tries < 2000 && !new RegExp(`^\\[✅ [^\\]]*\\] [^\\n]*\\{id:${name}\\}`, 'm').test(listOf(top)); tries++) await sleep(20);
        lags.push(Date.now() - since);
      };
      const work = async (index: number): Promise<void> => {
        const worker = `w${index}`;
        const ask = index < BY_PROCESS ? byProcess : call;
        // Every tenth dies with its first task in its hands.
        const dies = index % 10 === 9;
        while (!finished()) {
          const claimed = await ask(worker, 'task.claim', { lease: dies ? LEASE_S : LIVING_S });
          if (!claimed.ok) {
            // A person's old buffer takes markers back for a moment: the list is not believed then.
            expect(['not_ready', 'unavailable', 'conflict']).toContain(claimed.refusal.code);
            await sleep((LONG ? 400 : 50) + index * 5);
            continue;
          }
          const claim = claimOf(claimed);
          told.push({ at: told.length, what: 'claimed', name: claim.name });
          for (const name of claim.after) expect(told.some((one) => one.what === 'closing' && one.name === name)).toBe(true);
          if (dies) return;
          // Its answer may come later here than the next claim there.
          told.push({ at: told.length, what: 'closing', name: claim.name });
          const closed = await ask(worker, 'task.close', { task: claim.id, hash, ticket: claim.ticket });
          expect(closed).toMatchObject({ ok: true });
          told.push({ at: told.length, what: 'closed', name: claim.name });
          if (index % 7 === 0) await shown(claim.name, Date.now());
        }
      };
      const person = async (): Promise<number> => {
        let edits = 0;
        for (; editing; edits++) {
          const list = listOf(top);
          const at = list.indexOf('## Git Worktree s1');
          writeFileSync(join(top, 'tasks.md.new'), `${list.slice(0, at)}a word of a person ${edits}\n\n${list.slice(at)}`);
          renameSync(join(top, 'tasks.md.new'), join(top, 'tasks.md'));
          await sleep(LONG ? 1000 : 300);
        }
        return edits;
      };
      const editor = person();
      await Promise.all(Array.from({ length: WORKERS }, (_, index) => work(index)));
      editing = false;
      const edits = await editor;
      await settled(top);

      const list = listOf(top);
      expect(list.match(/^\[✅ /gm)).toHaveLength(SECTIONS * TASKS);
      expect(list.match(/^a word of a person \d+$/gm)).toHaveLength(edits);
      const closed = told.filter(({ what }) => what === 'closed').map(({ name }) => name);
      expect(new Set(closed).size).toBe(closed.length);
      const journal = new DatabaseSync(join(top, '.git', 'todone', 'journal.db'), { readOnly: true });
      const done = journal.prepare(`SELECT id, count(*) AS n FROM history WHERE field = 'state' AND new = 'done' GROUP BY id`).all();
      const freed = journal.prepare(`SELECT count(*) AS n FROM history WHERE field = 'claim' AND new = 'ran out: no heartbeat'`).get();
      journal.close();
      expect(done).toHaveLength(SECTIONS * TASKS);
      expect(done.every(({ n }) => n === 1)).toBe(true);
      expect(Number(freed?.['n'])).toBe(Math.floor(WORKERS / 10));
      lags.sort((one, other) => one - other);
      process.stderr.write(
        `${closed.length} tasks, ${WORKERS} workers, ${edits} edits: from close to list ${lags[lags.length >> 1] ?? 0} ms at the median of ${lags.length}\n`,
      );
    } finally {
      editing = false;
      daemon.kill('SIGTERM');
      await daemon.ended;
    }
  },
);

function claimOf(called: Called): Claim {
  const { task, ticket } = (called as unknown as { output: { task: { id: string; after: string[]; title: string }; ticket: string } }).output;
  return { id: task.id, after: task.after, name: `t${task.title.replace('Task ', '')}`, ticket };
}

async function listening(probe: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await probe();
      return;
    } catch (error) {
      if (tries > 600) throw error;
      await sleep(50);
    }
  }
}

async function settled(top: string): Promise<void> {
  for (let tries = 0; tries < 600 && /^\[(?:🟡|\])/m.test(listOf(top)); tries++) await sleep(50);
}
