import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { openTaskFile } from '../../src/adapters/task-file.ts';
import type { TaskFile } from '../../src/engine/ports.ts';
import type { Edit } from '../../src/tasks/task.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions } from '../../src/tasks/parse.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'list-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const openAt = (path: string): TaskFile =>
  openTaskFile({
    path,
    stateDir: join(folder, 'state'),
    maxListBytes: 1_000_000,
    apply: (text, edits) => applyEdits(text, edits, defaultParseOptions),
    gitState: async () => ({ position: '', listIsCommitted: false }),
    clock: systemClock(),
    log: { write: () => undefined },
    random: Math.random,
  });

const mark = (text: string, state: 'in_progress' | 'failed', expect: readonly ['open' | 'in_progress' | 'failed'], id = 'q8f0t6zd'): Edit => ({
  kind: 'mark',
  target: { section: 'a', text, occurrence: 0 },
  expect,
  marker: { state, id },
});

const list = (): string => join(folder, 'tasks.md');
const versions = (): string =>
  readdirSync(join(folder, 'state', 'versions'))
    .map((name) => readFileSync(join(folder, 'state', 'versions', name), 'utf8'))
    .join('\n');

describe('the list on disk', () => {
  it('1.4-R3 changes only the marker, and keeps BOM, CRLF, mode and the missing final newline', async () => {
    const before = '\uFEFF# x\r\n\r\n## Git Worktree a\r\n[] do  it\t{p1}  \r\n\r\nlast line';
    writeFileSync(list(), before);
    chmodSync(list(), 0o640);
    const written = await openAt(list()).edit([mark('do  it\t{p1}', 'in_progress', ['open'])]);
    expect(written.results).toEqual([{ kind: 'applied' }]);
    expect(readFileSync(list(), 'utf8')).toBe(before.replace('[]', '[🟡 q8f0t6zd]'));
    expect(statSync(list()).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).toSorted()).toEqual(['state', 'tasks.md']);
    expect(versions()).toBe(before);
  });

  it('1.4-R4 resolves a symbolic link and refuses a hard link, a folder and what is no UTF-8', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'l.md'), '## Git Worktree a\n[] x\n');
    symlinkSync(join('real', 'l.md'), list());
    await openAt(list()).edit([mark('x', 'in_progress', ['open'])]);
    expect(readFileSync(join(folder, 'real', 'l.md'), 'utf8')).toContain('[🟡 q8f0t6zd] x');
    linkSync(join(folder, 'real', 'l.md'), join(folder, 'real', 'second.md'));
    await expect(openAt(list()).edit([mark('x', 'failed', ['in_progress'])])).rejects.toMatchObject({ name: 'ListRefused', code: 'EMLINK' });
    expect(await openAt(folder).read()).toMatchObject({ kind: 'refused' });
    writeFileSync(join(folder, 'latin.md'), Buffer.from([0x5b, 0x5d, 0x20, 0xe9, 0x0a]));
    expect(await openAt(join(folder, 'latin.md')).read()).toMatchObject({ kind: 'refused', message: expect.stringContaining('not UTF-8') as string });
    expect(await openAt(join(folder, 'none.md')).read()).toMatchObject({ kind: 'missing' });
  });

  it('1.4-R3 a save into the displaced file after the exchange is merged', async () => {
    writeFileSync(list(), '## Git Worktree a\n[] x\nEND\n');
    const editor = spawn(process.execPath, [
      '-e',
      `const fs=require('fs');const fd=fs.openSync(process.argv[1],'r+');console.log('open');process.stdin.once('data',()=>{fs.ftruncateSync(fd,0);setTimeout(()=>{fs.writeSync(fd,'## Git Worktree a\\n[] x\\nlate word\\nEND\\n',0);fs.closeSync(fd);process.exit()},50)})`,
      list(),
    ]);
    await new Promise((resolve) => editor.stdout.once('data', resolve));
    const file = openAt(list());
    await file.edit([mark('x', 'in_progress', ['open'])]);
    editor.stdin.write('now\n');
    await new Promise((resolve) => editor.once('exit', resolve));
    await expect.poll(() => readFileSync(list(), 'utf8'), { timeout: 5000 }).toBe('## Git Worktree a\n[🟡 q8f0t6zd] x\nlate word\nEND\n');
  });

  for (const style of ['truncate', 'vim', 'rename', 'jetbrains'] as const) {
    it(`1.4-R3 loses no save of an editor that saves by ${style} while the list is written flat out`, async () => {
      const saved = await race(style, async (file) => {
        const read = await file.read();
        if (read.kind !== 'read') return;
        const running = read.text.includes('🟡');
        await file
          .edit([running ? mark('x', 'failed', ['in_progress']) : mark('x', 'in_progress', [read.text.includes('❌') ? 'failed' : 'open'])])
          .catch(() => undefined);
      });
      expect(saved.words.length).toBeGreaterThan(50);
      expect(saved.words.filter((word) => !saved.text.includes(word))).toEqual([]);
      expect(saved.writes).toBeGreaterThan(20);
    });
  }

  it('1.4-R3 (test of the test) the usual temp file and rename is seen losing saves', async () => {
    let lost = 0;
    for (let round = 0; round < 5 && lost === 0; round++) {
      const saved = await race('rename', async () => {
        const text = await import('node:fs/promises').then((fs) => fs.readFile(list(), 'utf8'));
        await new Promise((resolve) => setImmediate(resolve));
        writeFileSync(join(folder, 'loser.tmp'), text.includes('🟡') ? text.replace('[🟡 q8f0t6zd]', '[]') : text.replace('[]', '[🟡 q8f0t6zd]'));
        renameSync(join(folder, 'loser.tmp'), list());
      });
      lost += saved.words.filter((word) => !saved.text.includes(word)).length;
    }
    expect(lost).toBeGreaterThan(0);
  });
});

/** A real editor process against `write`, until it has saved 150 times; gives what it saved and where that could be found. */
async function race(style: string, write: (file: TaskFile) => Promise<void>): Promise<{ words: string[]; text: string; writes: number }> {
  writeFileSync(list(), '## Git Worktree a\n[] x\nEND\n');
  const log = join(folder, 'saved.log');
  rmSync(log, { force: true });
  const file = openAt(list());
  const editor: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'editor.mjs'), list(), style, '150', log], { stdio: 'inherit' });
  let running = true;
  editor.once('exit', () => (running = false));
  let writes = 0;
  while (running) {
    await write(file);
    writes++;
  }
  // What came late is merged within a second.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const words = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return { words, text: readFileSync(list(), 'utf8'), writes };
}
