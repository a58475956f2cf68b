/**
 * Wants to own a list and to write it, again and again: `contender.ts <folder> <log>`. While it holds one of both it holds a name of
 * the kernel's, too, that goes with the process: whoever cannot have that name has found a second holder, and says so.
 */
import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openListLock } from '../../../src/adapters/list-lock.ts';
import { takeOwnership } from '../../../src/adapters/owner.ts';

const [folder = '', log = ''] = process.argv.slice(2);
const stateDir = join(folder, 'state');
const lock = openListLock({ stateDir, log: { write: () => undefined }, random: Math.random });
const say = (line: string): void => appendFileSync(log, `${line}\n`);

async function witness(name: 'owner' | 'writer', work: () => Promise<void>): Promise<void> {
  const server = createServer();
  const free = await listening(server, `\0todone-chaos-${name}-${folder}`);
  say(free ? `${name} ${process.pid}` : `two ${name} ${process.pid}`);
  await work();
  if (free) await new Promise((resolve) => server.close(resolve));
}

const listening = (server: Server, name: string): Promise<boolean> =>
  new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(name, () => resolve(true));
  });

async function own(): Promise<void> {
  for (;;) {
    const ownership = takeOwnership(stateDir);
    if (ownership) {
      await witness('owner', () => sleep(Math.random() * 8));
      say(`term ${ownership.term}`);
      ownership.release();
    }
    await sleep(Math.random() * 60);
  }
}

async function write(): Promise<void> {
  for (;;) {
    await lock
      .hold(join(folder, 'tasks.md'), () => witness('writer', () => sleep(Math.random() * 4)))
      .catch((error: unknown) => say(`refused ${String(error)}`));
    await sleep(Math.random() * 60);
  }
}

process.stdout.write('ready\n');
process.stdin.once('data', () => void Promise.all([own(), write()]));
