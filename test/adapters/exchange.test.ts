import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realDisk } from '../../src/adapters/disk.ts';
import { exchange } from '../../src/adapters/exchange.ts';
import { libc } from '../../src/adapters/libc.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'exchange-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('exchange', () => {
  it('1.4-R3 two files change places, each staying the file that it is', () => {
    const [a, b] = [join(folder, 'a ü.md'), join(folder, 'b.md')];
    writeFileSync(a, 'A');
    writeFileSync(b, 'B', { mode: 0o600 });
    const inode = statSync(a).ino;
    expect(exchange(a, b)).toEqual({ kind: 'exchanged' });
    expect([readFileSync(a, 'utf8'), readFileSync(b, 'utf8')]).toEqual(['B', 'A']);
    expect(statSync(b).ino).toBe(inode);
    expect(statSync(a).mode & 0o777).toBe(0o600);
  });

  it('1.4-R3 neither changes where one is missing', () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(a, 'A');
    expect(exchange(a, b)).toEqual({ kind: 'failed', code: 'ENOENT' });
    expect(readFileSync(a, 'utf8')).toBe('A');
  });

  it('1.4-R4 what the file system cannot do is told from what failed', () => {
    // A file system without the call, or another one.
    writeFileSync(join(folder, 'a'), 'A');
    const done = exchange(join(folder, 'a'), '/proc/self/comm');
    expect(done).toMatchObject({ kind: 'unsupported', why: expect.stringContaining('EXDEV') as string });
  });
});

describe('who writes a file', () => {
  it('1.4-R3 sees a writer, and none once it has closed the file', async ({ skip }) => {
    if (process.platform !== 'linux') skip();
    const path = join(folder, 'list');
    writeFileSync(path, 'text');
    const file = await realDisk.open(path);
    expect(await file.isBeingWritten()).toBe(false);
    const reader = openSync(path, 'r');
    expect(await file.isBeingWritten()).toBe(false);
    const writer = openSync(path, 'r+');
    expect(await file.isBeingWritten()).toBe(true);
    closeSync(writer);
    expect(await file.isBeingWritten()).toBe(false);
    closeSync(reader);
    await file.close();
  });

  it('1.4-R3 asking over and over hurts no writer and not us', async ({ skip }) => {
    if (process.platform !== 'linux') skip();
    const path = join(folder, 'list');
    writeFileSync(path, '');
    const child = spawn(process.execPath, ['-e', `for (let i = 0; i < 3000; i++) require('fs').writeFileSync(process.argv[1], 'x'.repeat(i % 50))`, path]);
    let running = true;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve)).finally(() => (running = false));
    const file = await realDisk.open(path);
    while (running) {
      for (let ask = 0; ask < 100; ask++) await file.isBeingWritten();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await file.close();
    expect(await ended).toBe(0);
  });
});

describe('the disk', () => {
  it('1.4-R3 finds all that it needs of the C library', async ({ skip }) => {
    if (process.platform !== 'linux') skip();
    expect(Object.keys(libc()).toSorted()).toEqual(['copyAttributes', 'isBeingWritten', 'swap']);
  });

  it('1.4-R3 a new file takes on the attributes of the old one', async ({ skip }) => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(from, 'text');
    const set = spawnSync('python3', ['-c', 'import os, sys; os.setxattr(sys.argv[1], "user.colour", b"re\\0d")', from]);
    if (set.status !== 0) skip();
    const file = await realDisk.create(to);
    await file.imitate(await realDisk.facts(from), from);
    await file.close();
    const got = spawnSync('python3', ['-c', 'import os, sys; sys.stdout.buffer.write(os.getxattr(sys.argv[1], "user.colour"))', to]);
    expect(got.stdout.toString()).toBe('re\0d');
  });

  it('1.4-R4 tells files, folders and others apart, and follows links only where told', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'file'), 'text');
    symlinkSync('file', join(folder, 'link'));
    expect(await realDisk.facts(join(folder, 'sub'))).toMatchObject({ kind: 'folder' });
    expect(await realDisk.facts(join(folder, 'link'))).toMatchObject({ kind: 'file', size: 4, links: 1 });
    expect(await realDisk.realpath(join(folder, 'link'))).toBe(await realDisk.realpath(join(folder, 'file')));
  });

  it('1.1-R6 reads and writes large files whole', async () => {
    const bytes = Buffer.alloc(5 * 1024 * 1024, 'abc\n');
    const file = await realDisk.create(join(folder, 'large'));
    await file.write(bytes);
    await file.sync();
    await file.close();
    const again = await realDisk.open(join(folder, 'large'));
    expect((await again.read()).equals(bytes)).toBe(true);
    await again.close();
    await expect(realDisk.create(join(folder, 'large'))).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
