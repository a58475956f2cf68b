import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awaitOwnership, isOwned, ownerInfo, takeOwnership } from '../../src/adapters/owner.ts';

let folder: string;
let children: ChildProcess[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'owner-'))));
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

const log = (): string[] => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trim().split('\n') : []);

function contend(turns: number, holdMs: number): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'contender.ts'), folder, join(folder, 'log'), String(turns), String(holdMs)], {
    stdio: 'inherit',
  });
  children.push(child);
  return child;
}

const gone = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve));
async function forLines(count: number): Promise<void> {
  await expect.poll(() => log().length, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(count);
}

describe('the owner of a list', () => {
  it('2-R3 is one, knows its term, and is known to others', () => {
    const first = takeOwnership(folder);
    expect(first?.term).toBe(1);
    expect(takeOwnership(folder)).toBeUndefined();
    expect(ownerInfo(folder)).toMatchObject({ pid: process.pid, host: hostname(), term: 1 });
    expect(isOwned(folder)).toBe(true);
    first?.release();
    first?.release();
    expect(isOwned(folder)).toBe(false);
    expect(ownerInfo(folder)).toBeUndefined();
    expect(takeOwnership(folder)?.term).toBe(2);
  });

  it('2-R3 the term grows even where owner.db was lost', () => {
    const first = takeOwnership(folder);
    writeFileSync(join(folder, 'owner.json'), readFileSync(join(folder, 'owner.json'), 'utf8').replace('"term":1', '"term":41'));
    const info = readFileSync(join(folder, 'owner.json'));
    first?.release();
    rmSync(join(folder, 'owner.db'));
    writeFileSync(join(folder, 'owner.json'), info);
    expect(takeOwnership(folder)?.term).toBe(42);
  });

  it('13-R3 its files are for the owner alone', () => {
    takeOwnership(folder);
    for (const name of ['owner.db', 'owner.json']) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
  });

  it('2-R3 asking who owns it takes nothing from the owner', async () => {
    const child = contend(1, 60_000);
    await forLines(1);
    for (let ask = 0; ask < 50; ask++) {
      expect(ownerInfo(folder)?.pid).toBe(child.pid);
      expect(takeOwnership(folder)).toBeUndefined();
    }
  });

  it('2-R3 of 16 contenders never two own it, and terms only grow', async () => {
    const all = Array.from({ length: 16 }, () => contend(3, 2));
    await Promise.all(all.map(gone));
    const lines = log().map((line) => line.split(' '));
    expect(lines).toHaveLength(16 * 3 * 2);
    for (let at = 0; at < lines.length; at += 2) {
      expect([lines[at]?.[0], lines[at + 1]?.[0]]).toEqual(['begin', 'end']);
      expect(lines[at]?.slice(1)).toEqual(lines[at + 1]?.slice(1));
      expect(Number(lines[at]?.[2])).toBe(at / 2 + 1);
    }
  });

  it('2-R3 a killed owner is followed by one that stands by, without anything stale to wait for', async () => {
    const first = contend(1, 60_000);
    await forLines(1);
    const waiting = awaitOwnership(folder, AbortSignal.timeout(30_000));
    first.kill('SIGKILL');
    const next = await waiting;
    expect(next.term).toBe(2);
    next.release();
  });

  it('2-R3 a stopped owner stays the owner', async () => {
    const first = contend(1, 200);
    await forLines(1);
    first.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(takeOwnership(folder)).toBeUndefined();
    expect(ownerInfo(folder)?.pid).toBe(first.pid);
    first.kill('SIGCONT');
    await gone(first);
    expect(takeOwnership(folder)?.term).toBe(2);
  });

  it('2-R3 waiting ends with its signal, and leaves nothing held', async () => {
    const first = takeOwnership(folder);
    const stop = new AbortController();
    const waiting = awaitOwnership(folder, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    first?.release();
    expect(takeOwnership(folder)?.term).toBe(2);
  });

  it('12-R1 what a dead owner said of itself is not believed, nor is another process with its number', () => {
    const said = { pid: process.pid, host: hostname(), since: 1, started: 'some-boot:12345', term: 7 };
    writeFileSync(join(folder, 'owner.json'), JSON.stringify(said));
    expect(ownerInfo(folder)).toBeUndefined();
    writeFileSync(join(folder, 'owner.json'), 'not json');
    expect(ownerInfo(folder)).toBeUndefined();
  });
});
