import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openListLock } from '../../src/adapters/list-lock.ts';
import type { ListLock } from '../../src/adapters/list-lock.ts';

let folder: string;
let list: string;
let opened: ListLock[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  list = join(folder, 'tasks.md');
  writeFileSync(list, 'text');
});
afterEach(() => {
  for (const lock of opened) lock.close();
  opened = [];
  rmSync(folder, { recursive: true, force: true });
});

function open(waitMs?: number): ListLock {
  const lock = openListLock({ stateDir: join(folder, 'state'), log: { write: () => undefined }, random: Math.random, waitMs });
  opened.push(lock);
  return lock;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A process that holds the lock until it is ended. */
async function holder(): Promise<{ kill(signal: NodeJS.Signals): void; gone: Promise<unknown> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'lock-holder.ts'), list, join(folder, 'state')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { kill: (signal) => void child.kill(signal), gone };
}

describe('the lock around a write', () => {
  it('1.4-R3 holds one at a time, over several openers and within one', async () => {
    let inside = 0;
    let most = 0;
    const locks = [open(), open(), open()];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await wait(3);
      inside--;
    };
    await Promise.all(Array.from({ length: 15 }, (_, index) => (locks[index % 3] ?? open()).hold(list, work)));
    expect(most).toBe(1);
    expect(readdirSync(folder).toSorted()).toEqual(['state', 'tasks.md']);
  });

  it('1.4-R3 is given back where the work throws', async () => {
    const lock = open();
    await expect(lock.hold(list, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lock.hold(list, async () => 'yes')).toBe('yes');
  });

  it('1.4-R3 an outsider with proper-lockfile is waited for, and waits for us', async () => {
    const lock = open();
    const release = await lockfile.lock(list);
    let held = false;
    const holding = lock.hold(list, async () => {
      held = true;
      await expect(lockfile.lock(list)).rejects.toMatchObject({ code: 'ELOCKED' });
    });
    await wait(60);
    expect(held).toBe(false);
    await release();
    await holding;
    expect(held).toBe(true);
  });

  it('1.4-R3 `git clean` takes the folder away and not the lock', async () => {
    const [one, two] = [open(), open()];
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      rmSync(`${list}.lock`, { recursive: true, force: true });
      await wait(30);
      inside--;
    };
    await Promise.all([one.hold(list, work), two.hold(list, work)]);
    expect(most).toBe(1);
  });

  it('12-R1 a killed holder is followed at once, its folder with it', { timeout: 12_000 }, async () => {
    const dead = await holder();
    expect(existsSync(`${list}.lock`)).toBe(true);
    dead.kill('SIGKILL');
    await dead.gone;
    // Left alone, the folder would be in the way for 15 s: longer than this test may take.
    expect(await open(5000).hold(list, async () => 'ours')).toBe('ours');
    expect(existsSync(`${list}.lock`)).toBe(false);
  });

  it('1.4-R3 a stopped holder keeps it: the wait ends in a refusal with words', async () => {
    const stopped = await holder();
    stopped.kill('SIGSTOP');
    await expect(open(200).hold(list, async () => undefined)).rejects.toMatchObject({ name: 'ListRefused', code: 'EBUSY' });
    stopped.kill('SIGKILL');
    await stopped.gone;
  });

  it('12-R1 a state folder that is removed and made again has one lock all the same', async () => {
    const lock = open();
    await lock.hold(list, async () => undefined);
    rmSync(join(folder, 'state'), { recursive: true });
    mkdirSync(join(folder, 'state'));
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await wait(20);
      inside--;
    };
    await Promise.all([lock.hold(list, work), open().hold(list, work)]);
    expect(most).toBe(1);
  });
});
