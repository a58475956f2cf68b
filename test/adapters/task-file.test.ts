import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realDisk } from '../../src/adapters/disk.ts';
import type { Disk } from '../../src/adapters/disk.ts';
import { memoryList } from '../twins/task-file.ts';
import { apply, beforeExchange, claimX, diskWith, LIST, mark, scene } from './list-scene.ts';
import type { Scene } from './list-scene.ts';
import { taskFileContract } from './task-file-contract.ts';

const CLAIMED = LIST.replace('[] x', '[🟡 q8f0t6zd] x');
let open: Scene[] = [];
const start = (text?: string | Buffer): Scene => {
  const made = scene(text);
  open.push(made);
  return made;
};
afterEach(async () => {
  const ending = open;
  open = [];
  for (const each of ending) await each.end();
});

describe('the list in memory', () => {
  taskFileContract((text) => {
    const list = memoryList(text, apply);
    return { file: list.file, text: list.text, save: list.save, beforeWrite: list.beforeWrite };
  });
});

describe('the list on disk', () => {
  taskFileContract((text) => {
    const at = start(text ?? LIST);
    if (text === undefined) unlinkSync(at.list);
    let then: () => void = () => undefined;
    return {
      file: at.open({ disk: beforeExchange(() => then()) }),
      text: () => (existsSync(at.list) ? at.text() : undefined),
      save: (saved) => (saved === undefined ? unlinkSync(at.list) : at.save(saved)),
      beforeWrite: (run) => (then = run),
    };
  });
});

describe('what a write leaves as it was', () => {
  it('1.1-R6 keeps BOM, CRLF, tabs, mode, the missing final newline, and the version before', async () => {
    const before = '\uFEFF# x\r\n\r\n## Git Worktree a\r\n[] do  it\t{p1}  \r\n\r\nlast line';
    const at = start(before);
    chmodSync(at.list, 0o640);
    await at.open().edit([mark('do  it\t{p1}', 'in_progress')]);
    expect(at.text()).toBe(before.replace('[]', '[🟡 q8f0t6zd]'));
    expect(statSync(at.list).mode & 0o7777).toBe(0o640);
    await expect.poll(() => at.litter()).toEqual([]);
    expect(at.archived()).toEqual([before]);
  });

  it('1.4-R3 a text that it is given to keep is a version like others', async () => {
    const at = start();
    const file = at.open();
    const name = await file.keep('[] a line that a save took away\n');
    expect(await file.versions()).toMatchObject([{ name, kind: 'replaced' }]);
    expect(String(await file.version(name))).toBe('[] a line that a save took away\n');
    expect(at.text()).toBe(LIST);
  });

  it('1.4-R3 keeps owner and group', async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip();
    const at = start();
    execFileSync('chown', ['12345:23456', at.list]);
    await at.open().edit([claimX]);
    expect(at.text()).toBe(CLAIMED);
    expect(statSync(at.list)).toMatchObject({ uid: 12345, gid: 23456 });
  });

  it('13-R3 its own files are readable for their owner alone', async () => {
    const at = start();
    await at.open().edit([claimX]);
    const modes = readdirSync(at.state).map((name) => [name, (statSync(join(at.state, name)).mode & 0o077).toString(8)]);
    expect(modes.filter(([, mode]) => mode !== '0')).toEqual([]);
    expect(statSync(at.state).mode & 0o777).toBe(0o700);
  });

  it('3-R7 a look leaves no trace', async () => {
    const at = start();
    const file = at.open();
    await file.read();
    expect(await file.versions()).toEqual([]);
    expect(readdirSync(at.folder)).toEqual(['tasks.md']);
  });
});

describe('which lists are taken', () => {
  it('1.4-R4 follows symbolic links at each use, and leaves them links', async () => {
    const at = start();
    mkdirSync(join(at.folder, 'real'));
    renameSync(at.list, join(at.folder, 'real', 'one.md'));
    writeFileSync(join(at.folder, 'real', 'two.md'), LIST);
    symlinkSync(join('real', 'one.md'), join(at.folder, 'via.md'));
    symlinkSync('via.md', at.list);
    const file = at.open();
    await file.edit([claimX]);
    expect(readFileSync(join(at.folder, 'real', 'one.md'), 'utf8')).toBe(CLAIMED);
    expect(readlinkSync(at.list)).toBe('via.md');
    unlinkSync(join(at.folder, 'via.md'));
    symlinkSync(join('real', 'two.md'), join(at.folder, 'via.md'));
    await file.edit([claimX]);
    expect(readFileSync(join(at.folder, 'real', 'two.md'), 'utf8')).toBe(CLAIMED);
    expect(readdirSync(join(at.folder, 'real'))).toEqual(['one.md', 'two.md']);
  });

  const REFUSED: readonly (readonly [what: string, code: string, make: (at: Scene) => void])[] = [
    ['a hard link', 'EMLINK', (at) => linkSync(at.list, join(at.folder, 'second.md'))],
    ['a read-only file', 'EACCES', (at) => chmodSync(at.list, 0o444)],
    ['a folder', 'EISDIR', (at) => [unlinkSync(at.list), mkdirSync(at.list)]],
    ['a pipe', 'ENOTFILE', (at) => [unlinkSync(at.list), execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', at.list])]],
    ['a link to itself', 'ELOOP', (at) => [unlinkSync(at.list), symlinkSync('tasks.md', at.list)]],
    ['Latin-1', 'EILSEQ', (at) => writeFileSync(at.list, Buffer.from([0x5b, 0x5d, 0x20, 0xe9, 0x0a]))],
    ['UTF-16', 'EILSEQ', (at) => writeFileSync(at.list, Buffer.from('\uFEFF[] x\n', 'utf16le'))],
    ['NUL bytes', 'EILSEQ', (at) => writeFileSync(at.list, '[] x\0\n')],
    ['too many bytes', 'EFBIG', (at) => writeFileSync(at.list, 'x'.repeat(2000))],
  ];
  it.for(REFUSED)('1.4-R4 refuses %s (%s), says what to do, and touches nothing', async ([, code, make]) => {
    const at = start();
    make(at);
    const before = statsOf(at.list);
    const file = at.open({ maxListBytes: 1000 });
    const reading = await file.read();
    expect(reading).toMatchObject({ kind: 'refused', message: expect.stringContaining(at.list) as string });
    expect(reading.kind === 'refused' && reading.remedy.length).toBeGreaterThan(10);
    await expect(file.edit([claimX])).rejects.toMatchObject({ name: 'ListRefused', code });
    expect(statsOf(at.list)).toEqual(before);
    expect(at.litter().filter((name) => name.startsWith('.todone'))).toEqual([]);
  });

  it('8-R3 refuses the list of another user', async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip();
    const at = start();
    chmodSync(at.folder, 0o755);
    process.seteuid?.(12345);
    const reading = await at
      .open()
      .read()
      .finally(() => process.seteuid?.(0));
    expect(reading).toMatchObject({ kind: 'refused', message: expect.stringContaining('another user') as string });
  });
});

describe('what the system refuses', () => {
  const FAILING = ['create', 'write', 'imitate', 'sync', 'exchange'] as const;
  it.for(FAILING)('1.4-R3 a full disk at %s: refused with words, the list as it was, nothing beside it', async (step) => {
    const at = start();
    const file = at.open({ disk: failingAt(step, 'ENOSPC') });
    await expect(file.edit([claimX])).rejects.toMatchObject({ name: 'ListRefused', code: 'ENOSPC', remedy: expect.stringContaining('room') as string });
    expect(at.text()).toBe(LIST);
    await expect.poll(() => at.litter()).toEqual([]);
    expect(await at.open().edit([claimX])).toMatchObject({ wrote: true });
  });

  it('1.4-R3 a disk that is full after the exchange: written all the same, tidied up later', async () => {
    const at = start();
    let full = true;
    const disk = diskWith({
      async rename(from, to) {
        if (full && to.includes('versions')) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        return realDisk.rename(from, to);
      },
    });
    const file = at.open({ disk });
    expect(await file.edit([claimX])).toMatchObject({ results: [{ kind: 'applied' }], wrote: true });
    expect(at.text()).toBe(CLAIMED);
    full = false;
    await file.recover();
    expect(at.archived()).toEqual([LIST]);
    await expect.poll(() => at.litter()).toEqual([]);
  });

  it('1.4-R3 `git clean` in the midst of a write takes nothing with it', async () => {
    const at = start();
    const file = at.open({ disk: beforeExchange(() => at.litter().forEach((name) => rmSync(join(at.folder, name), { recursive: true }))) });
    expect(await file.edit([claimX])).toMatchObject({ results: [{ kind: 'applied' }] });
    expect(at.text()).toBe(CLAIMED);
  });
});

describe('without exchange', () => {
  const without = (more: Partial<Disk> = {}): Disk => diskWith({ exchange: async () => ({ unsupported: 'the test says so' }), ...more });

  it('1.4-R4 writes by hard link and rename, and says once what is weaker', async () => {
    const at = start();
    const file = at.open({ disk: without() });
    await file.edit([claimX]);
    await file.edit([mark('y', 'in_progress')]);
    expect(at.text()).toBe(CLAIMED.replace('[] y', '[🟡 q8f0t6zd] y'));
    expect(at.said.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(at.archived('before')).toHaveLength(2);
    await expect.poll(() => at.litter()).toEqual([]);
  });

  it('1.4-R4 a save in place at the last moment is merged', async () => {
    const at = start();
    const disk = without({
      async rename(from, to) {
        if (to === realpathSync(at.list) && !at.text().includes('late')) at.save(LIST.replace('END', 'late\nEND'));
        return realDisk.rename(from, to);
      },
    });
    await at.open({ disk }).edit([claimX]);
    expect(at.text()).toBe(CLAIMED.replace('END', 'late\nEND'));
    await expect.poll(() => at.litter()).toEqual([]);
  });

  it('1.4-R4 a file system without hard links: a copy is kept', async () => {
    const at = start();
    const disk = without({ link: async () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' })) });
    await at.open({ disk }).edit([claimX]);
    expect(at.text()).toBe(CLAIMED);
    expect(at.archived()).toEqual([LIST]);
  });
});

describe('saves that cross a write', () => {
  it('1.4-R3 a save into the displaced file after the write is merged', async () => {
    const at = start();
    const editor = await lateEditor(at.list);
    await at.open().edit([claimX]);
    await editor.save(LIST.replace('END', 'late word\nEND'));
    await expect.poll(() => at.text(), { timeout: 10_000 }).toBe(CLAIMED.replace('END', 'late word\nEND'));
  });

  for (const [what, left] of [
    ['nothing', ''],
    ['a third of it', LIST.slice(0, LIST.length / 3)],
  ] as const) {
    it(`1.4-R6 an editor that dies in its save at the moment of a write and leaves ${what}: the list keeps its lines, the rest is a version`, async () => {
      const at = start();
      await at.open({ disk: beforeExchange(() => at.save(left)) }).edit([claimX]);
      expect(at.text()).toBe(CLAIMED);
      expect(at.archived('kept')).toEqual([left]);
    });
  }

  it('1.4-R3 a late save comes together with the saves that the list has had since', async () => {
    const at = start();
    const file = at.open();
    const editor = await lateEditor(at.list);
    await file.edit([claimX]);
    at.save(at.text().replace('[] y', 'a newer line\n[] y'));
    await file.edit([mark('y', 'in_progress')]);
    await editor.save(LIST.replace('END', 'late word\nEND'));
    await expect.poll(() => at.text(), { timeout: 10_000 }).toContain('late word');
    expect(at.text()).toBe('## Git Worktree a\n[🟡 q8f0t6zd] x\na newer line\n[🟡 q8f0t6zd] y\nlate word\nEND\n');
  });

  it('1.4-R3 a late save of lines that were changed since is kept, and said', async () => {
    const at = start();
    const file = at.open();
    const editor = await lateEditor(at.list);
    await file.edit([claimX]);
    at.save(at.text().replace('END', 'THE NEW END'));
    await editor.save(LIST.replace('END', 'THE LATE END'));
    await expect.poll(() => at.archived('kept'), { timeout: 10_000 }).toEqual([LIST.replace('END', 'THE LATE END')]);
    expect(at.text()).toBe(CLAIMED.replace('END', 'THE NEW END'));
    expect(at.said.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('1.4-R3 a save by an editor that was still opening the file when it was displaced is merged', async () => {
    const at = start();
    await at.open().edit([claimX]);
    // Found without a writer, the displaced file lies in the archive by now; it is looked at once more.
    const [name = ''] = readdirSync(join(at.state, 'versions'));
    writeFileSync(join(at.state, 'versions', name), LIST.replace('END', 'late word\nEND'));
    await expect.poll(() => at.text(), { timeout: 10_000 }).toBe(CLAIMED.replace('END', 'late word\nEND'));
  });

  it('1.4-R3 a save that was late when the process died is merged at the next start', async () => {
    const at = start();
    const file = at.open();
    const editor = await lateEditor(at.list);
    await file.edit([claimX]);
    await file.close();
    await editor.save(LIST.replace('END', 'late word\nEND'));
    await at.open().recover();
    expect(at.text()).toBe(CLAIMED.replace('END', 'late word\nEND'));
  });

  it('1.4-R3 what a program that never closes the file has written is merged once it stands still', async () => {
    const at = start();
    const editor = await lateEditor(at.list);
    await at.open({ settleMs: 300 }).edit([claimX]);
    await editor.append('appended\n');
    await expect.poll(() => at.text(), { timeout: 10_000 }).toBe(`${CLAIMED}appended\n`);
    await editor.append('and more\n');
    await expect.poll(() => at.text(), { timeout: 10_000 }).toBe(`${CLAIMED}appended\nand more\n`);
    await editor.end();
  });

  it('1.4-R3 what a program writes that had the file open for long before it wrote is merged', async () => {
    const at = start();
    const editor = await lateEditor(at.list);
    const file = at.open({ settleMs: 100 });
    await file.edit([claimX]);
    // Longer than the settle time and than the last look.
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await file.edit([mark('y', 'in_progress')]);
    await editor.append('at last\n');
    await editor.end();
    await expect.poll(() => at.text(), { timeout: 10_000 }).toContain('at last\n');
    expect(at.text()).toContain('[🟡 q8f0t6zd] x\n[🟡 q8f0t6zd] y\n');
    await expect.poll(() => at.litter(), { timeout: 10_000 }).toEqual([]);
  });

  it('1.4-R6 a half-written list is not read while its editor is at it', async () => {
    const at = start();
    const editor = await lateEditor(at.list);
    await editor.truncate();
    const reading = at.open().read();
    await editor.save(LIST.replace('x', 'x2'));
    expect(await reading).toMatchObject({ kind: 'read', text: LIST.replace('x', 'x2') });
  });

  it('1.4-R3 two writers on one list lose no edit of each other', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `task ${index}`);
    const at = start(`## Git Worktree a\n${names.map((name) => `[] ${name}\n`).join('')}`);
    const files = [at.open(), at.open()];
    const written = await Promise.all(names.map(async (name, index) => files[index % 2]?.edit([mark(name, 'in_progress')])));
    expect(written.every((each) => each?.results[0]?.kind === 'applied')).toBe(true);
    expect(at.text().match(/🟡/g)).toHaveLength(names.length);
    await expect.poll(() => at.litter()).toEqual([]);
  });

  it('1.4-R3 versions are bounded, listed newest first, and readable', async () => {
    const at = start();
    const file = at.open();
    for (let write = 0; write < 260; write++)
      await file.edit([write % 2 === 0 ? mark('x', 'in_progress', 'open', 'failed') : mark('x', 'failed', 'in_progress')]);
    await file.recover();
    const versions = await file.versions();
    expect(versions.length).toBeLessThanOrEqual(220);
    expect(versions.map(({ name }) => name)).toEqual(
      versions
        .map(({ name }) => name)
        .toSorted()
        .toReversed(),
    );
    expect((await file.version(versions[0]?.name ?? '')).toString()).toContain('[🟡 q8f0t6zd] x');
  });
});

function statsOf(path: string): unknown {
  try {
    const { ino, size, mtimeMs, mode } = statSync(path);
    return { ino, size, mtimeMs, mode };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** The real disk, where one step fails. */
function failingAt(step: 'create' | 'write' | 'imitate' | 'sync' | 'exchange', code: string): Disk {
  const fail = async (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));
  if (step === 'create' || step === 'exchange') return diskWith({ [step]: fail });
  return diskWith({ create: async (path) => ({ ...(await realDisk.create(path)), [step]: fail }) });
}

type LateEditor = { save(text: string): Promise<void>; append(text: string): Promise<void>; truncate(): Promise<void>; end(): Promise<void> };

/** A process that has the file open for writing, as an editor in the midst of a save. */
async function lateEditor(path: string): Promise<LateEditor> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'late-editor.mjs'), path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<void> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    await answers.next();
  };
  await answers.next();
  const end = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    await ended;
  };
  return {
    async save(text) {
      await ask({ truncate: true });
      await ask({ write: text });
      await end();
    },
    append: (text) => ask({ append: text }),
    truncate: () => ask({ truncate: true }),
    end,
  };
}
