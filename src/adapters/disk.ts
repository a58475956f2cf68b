/**
 * The few things that the write protocol asks of a file system, one small step each, so that a simulated disk can
 * drive the protocol through every interleaving and every crash. The real one is here. Never decides anything; a
 * failure is thrown as the system gave it, with its `code`.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  write,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { promisify } from 'node:util';
import { exchange } from './exchange.ts';
import { libc } from './libc.ts';
import type { Libc } from './libc.ts';

export type FileFacts = {
  readonly kind: 'file' | 'folder' | 'other';
  /** Device and inode: one file as long as it lives. */
  readonly inode: string;
  readonly size: number;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
};

export interface DiskFile {
  facts(): Promise<FileFacts>;
  /** From the start to where it ends now. */
  read(): Promise<Buffer>;
  /** From the start; all of it. */
  write(bytes: Buffer): Promise<void>;
  /** Takes on the permissions, owner, group and extended attributes of the file at `path`, which has these facts. */
  imitate(facts: FileFacts, path: string): Promise<void>;
  sync(): Promise<void>;
  /** Whether anybody has this file open for writing; undefined where nobody can tell. Only of a file opened for reading. */
  isBeingWritten(): Promise<boolean | undefined>;
  close(): Promise<void>;
}

export interface Disk {
  /** Through all symbolic links. */
  realpath(path: string): Promise<string>;
  facts(path: string): Promise<FileFacts>;
  open(path: string): Promise<DiskFile>;
  /** A new file: fails where there is one. */
  create(path: string): Promise<DiskFile>;
  /** Undefined when done; a reason where this file system cannot. */
  exchange(a: string, b: string): Promise<{ readonly unsupported: string } | undefined>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  names(folder: string): Promise<readonly string[]>;
  /** With what is missing above it, for its owner alone; one that is there stays as it is. */
  makeFolder(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}

/** All of a file. */
export async function bytesOf(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path);
  try {
    return await file.read();
  } finally {
    await file.close();
  }
}

/** All of a file; undefined where there is none. */
export async function contentOf(disk: Disk, path: string): Promise<Buffer | undefined> {
  try {
    return await bytesOf(disk, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const readAsync = promisify(read);
const writeAsync = promisify(write);
const fsyncAsync = promisify(fsync);

/** Up to here a read is done at once: the detour through the thread pool costs more. */
const AT_ONCE_BYTES = 1024 * 1024;

export const realDisk: Disk = {
  realpath: async (path) => realpathSync.native(path),
  facts: async (path) => factsOf(statSync(path, { bigint: true })),
  // A FIFO in the list's place must not make us wait for its other end.
  open: async (path) => fileOn(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)),
  create: async (path) => fileOn(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)),
  async exchange(a, b) {
    const done = exchange(a, b);
    if (done.kind === 'failed') throw Object.assign(new Error(`${done.code}: exchange '${a}' <-> '${b}'`), { code: done.code });
    return done.kind === 'unsupported' ? { unsupported: done.why } : undefined;
  },
  link: async (from, to) => linkSync(from, to),
  rename: async (from, to) => renameSync(from, to),
  unlink: async (path) => unlinkSync(path),
  names: async (folder) => readdirSync(folder),
  makeFolder: async (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  async syncFolder(folder) {
    const fd = openSync(folder, constants.O_RDONLY);
    try {
      await fsyncAsync(fd);
    } finally {
      closeSync(fd);
    }
  },
};

function fileOn(fd: number): DiskFile {
  return {
    facts: async () => factsOf(fstatSync(fd, { bigint: true })),
    read: async () => readWhole(fd),
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += (await writeAsync(fd, bytes, at, bytes.length - at, at)).bytesWritten;
    },
    async imitate(facts, path) {
      const own = fstatSync(fd);
      // Owner first: a change of owner clears set-id bits.
      if (own.uid !== facts.uid || own.gid !== facts.gid) fchownSync(fd, facts.uid, facts.gid);
      calls().copyAttributes?.(path, fd);
      fchmodSync(fd, facts.mode);
    },
    sync: () => fsyncAsync(fd),
    isBeingWritten: async () => calls().isBeingWritten?.(fd),
    close: async () => closeSync(fd),
  };
}

async function readWhole(fd: number): Promise<Buffer> {
  const size = fstatSync(fd).size;
  // One byte more than there should be, so that growth is seen.
  let bytes = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length)]);
    const left = bytes.length - length;
    const got = size <= AT_ONCE_BYTES ? readSync(fd, bytes, length, left, length) : (await readAsync(fd, bytes, length, left, length)).bytesRead;
    if (got === 0) return bytes.subarray(0, length);
    length += got;
  }
}

function calls(): Libc {
  const library = libc();
  return 'trouble' in library ? {} : library;
}

function factsOf(stat: BigIntStats): FileFacts {
  return {
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other',
    inode: `${stat.dev}:${stat.ino}`,
    size: Number(stat.size),
    modifiedNs: stat.mtimeNs,
    changedNs: stat.ctimeNs,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    links: Number(stat.nlink),
  };
}
