/**
 * One operation of the production code, to be killed in: `victim.ts <operation> <folder> [<home> [<json>]]`. Opens what it needs,
 * says `ready`, waits for a line, does it, says `done`.
 */
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import type { LandingOrder, WorkOrder } from '../../../src/engine/ports.ts';
import { openJournal } from '../../../src/adapters/sqlite.ts';
import { land, makeKitAt, never } from '../../adapters/git-kit.ts';
import { changes, historyRow, known, run } from '../../adapters/journal-rows.ts';
import { beforeExchange, claimX, openListAt } from '../../adapters/list-scene.ts';

const [operation = '', folder = '', home = '', json = '{}'] = process.argv.slice(2);

const SAVED = 'a word\n';

const OPERATIONS: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> = {
  /** A claim that a save crosses in the very moment: in place, or by renaming. Each save is one call, whole or not at all. */
  appended: () => write(() => appendFileSync(`${folder}/tasks.md`, SAVED)),
  renamed: () => {
    const prepared = join(mkdtempSync(join(tmpdir(), 'save-')), 'tasks.md');
    writeFileSync(prepared, readFileSync(`${folder}/tasks.md`, 'utf8') + SAVED);
    return write(() => renameSync(prepared, `${folder}/tasks.md`));
  },
  recover: async () => {
    const file = openListAt(folder);
    await file.read();
    return () => file.recover().then(() => file.close());
  },
  commit: async () => {
    const journal = openJournal({ stateDir: folder, now: () => 1 });
    return async () => {
      journal.commit(STEP);
      journal.close();
    };
  },
  load: async () => async () => {
    const journal = openJournal({ stateDir: folder, now: () => 1 });
    journal.load();
    journal.close();
  },
  prepare: async () => {
    const open = await makeKitAt(folder, home);
    return () => open.workspaces.prepare(JSON.parse(json) as WorkOrder, undefined, never);
  },
  land: async () => {
    const open = await makeKitAt(folder, home);
    return () => land(open, JSON.parse(json) as LandingOrder);
  },
  /** As a start does it: whatever was done is found. */
  reland: async () => {
    const open = await makeKitAt(folder, home);
    return () => open.landing.squash(JSON.parse(json) as LandingOrder);
  },
};

async function write(save: () => void): Promise<() => Promise<unknown>> {
  const file = openListAt(folder, { disk: beforeExchange(save) });
  await file.read();
  return () => file.edit([claimX]).then(() => file.close());
}

/** A turn with all kinds of rows in it. */
const STEP = changes({
  known: [known('gaaaaaaa', { state: 'done' }), known('gbbbbbbb')],
  runs: [
    ['gaaaaaaa', null],
    ['gbbbbbbb', run('gbbbbbbb')],
  ],
  meta: [['git.position', 'p2']],
  history: [historyRow('gaaaaaaa', 20), historyRow('gbbbbbbb', 20)],
});

/** Where only a parent may trace (Yama), unless one is allowed to: strace is our sibling. */
const PR_SET_PTRACER = 0x59616d61;
koffi.load(null).func('int prctl(int option, long who)')(PR_SET_PTRACER, -1);

const perform = await OPERATIONS[operation]?.();
// A first file call makes the thread for them, so that it can be attached to.
await sleep(1);
await (await import('node:fs/promises')).stat('/');
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const result = await perform?.();
process.stdout.write(`done ${JSON.stringify(result) ?? ''}\n`);
process.exit(0);
