import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fileSystemOf } from '../../src/adapters/file-system.ts';
import { weaknesses } from '../../src/composition/file-systems.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const folder = (): string => {
  folders.push(mkdtempSync(join(tmpdir(), 'fs-')));
  return folders.at(-1) ?? '';
};

it('1.4-R4 8-R3 knows network file systems, bridges and folders that are synchronised by what the kernel and they themselves say', () => {
  const top = folder();
  const kinds = [0x6969, 0xfe534d42, 0xff534d42, -11317950, 0x01021997, 0x65735546, 0xef53, undefined].map((type) => fileSystemOf(top, () => type)?.name);
  expect(kinds).toEqual(['NFS', 'SMB', 'CIFS', 'CIFS', '9p', 'FUSE', undefined, undefined]);
  expect(fileSystemOf(top)).toBeUndefined();
  // What is not there yet is where its parent is.
  expect(fileSystemOf(join(top, 'not', 'yet'), (path) => (path.startsWith(top) || top.startsWith(path) ? 0x6969 : undefined))?.kind).toBe('remote');
  mkdirSync(join(top, 'Dropbox', 'repo'), { recursive: true });
  mkdirSync(join(top, 'sync', '.stfolder'), { recursive: true });
  mkdirSync(join(top, 'sync', 'a', 'b'), { recursive: true });
  expect([join(top, 'Dropbox', 'repo'), join(top, 'sync', 'a', 'b')].map((path) => fileSystemOf(path))).toEqual([
    { name: 'Dropbox', kind: 'synced' },
    { name: 'Syncthing', kind: 'synced' },
  ]);
});

it('2-R3 a journal on another machine is refused, one behind a bridge or in a synchronised folder is warned of, each with a remedy', () => {
  const place = { stateDir: '/repo/.git/todone', listPath: '/list/tasks.md' };
  const on = (journal: 'remote' | 'bridge' | 'synced' | undefined, list?: 'remote') =>
    weaknesses(place, (path) => {
      const kind = path.startsWith('/repo') ? journal : list;
      return kind && { name: path.startsWith('/repo') ? 'X' : 'Y', kind };
    }).map(({ severity, remedy }) => [severity, remedy !== '']);
  expect(on(undefined)).toEqual([]);
  expect(on('remote')).toEqual([['refused', true]]);
  expect(on('bridge')).toEqual([['warning', true]]);
  expect(on('synced')).toEqual([['warning', true]]);
  expect(on(undefined, 'remote')).toEqual([['warning', true]]);
});
