/**
 * The few calls of the C library that Node lacks, through koffi, loaded at first use: swapping two files in one
 * step, and asking the kernel whether anybody has a file open for writing. Never throws because it cannot be loaded:
 * without it there is `undefined`, and its callers have a weaker way.
 */
import type * as Koffi from 'koffi';
import { createRequire } from 'node:module';
import { constants } from 'node:os';

type Call = (...values: readonly (number | string | Buffer | null)[]) => number;

/** 0, or the errno by its name: `EXDEV`. */
export type Errno = string;

export type Libc = {
  /** Swaps two paths in one step; undefined where this system has no such call. */
  readonly swap?: (a: string, b: string) => 0 | Errno;
  /**
   * Whether anybody (a mapping included) has the file behind this read-only descriptor open for writing;
   * undefined where the file system does not say.
   */
  readonly isBeingWritten?: (fd: number) => boolean | undefined;
  /** Extended attributes (access lists among them), as far as the system lets us. */
  readonly copyAttributes?: (from: string, to: number) => void;
};

/** Why it could not be loaded, for the log. */
export type LibcTrouble = { readonly trouble: string };

let loaded: Libc | LibcTrouble | undefined;

export function libc(): Libc | LibcTrouble {
  loaded ??= load();
  return loaded;
}

function load(): Libc | LibcTrouble {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const errno = (): Errno => nameOf(koffi.errno());
    const library = koffi.load(null);
    const find = (prototype: string): Call | undefined => {
      try {
        return library.func(prototype);
      } catch {
        return undefined;
      }
    };
    if (process.platform === 'linux') return linux(find, errno);
    if (process.platform === 'darwin') return darwin(find, errno);
    return {};
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) };
  }
}

/** Some numbers have two names: then the first one. */
function nameOf(number: number): Errno {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
}

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
/** Ignored by default. A lease that is broken in the instant that we hold it sends this instead of SIGIO, which would end the process. */
const SIGURG = 23;

function linux(find: (prototype: string) => Call | undefined, errno: () => Errno): Libc {
  const renameat2 = find('int renameat2(int, const char *, int, const char *, unsigned int)');
  const fcntl = find('int fcntl(int, int, int)');
  return {
    ...(renameat2 && { swap: (a, b) => (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) === 0 ? 0 : errno()) }),
    ...(fcntl && { isBeingWritten: (fd) => leaseRefused(fcntl, fd, errno) }),
    ...attributes(find),
  };
}

/** Names and values of a file's attributes are small; what is larger is left out. */
const ATTRIBUTE_BYTES_MAX = 64 * 1024;

function attributes(find: (prototype: string) => Call | undefined): Pick<Libc, 'copyAttributes'> {
  const list = find('long listxattr(const char *, void *, size_t)');
  const get = find('long getxattr(const char *, const char *, void *, size_t)');
  const set = find('int fsetxattr(int, const char *, void *, size_t, int)');
  if (!list || !get || !set) return {};
  return {
    copyAttributes(from, to) {
      if (list(from, null, 0) <= 0) return;
      const buffer = Buffer.alloc(ATTRIBUTE_BYTES_MAX);
      const length = list(from, buffer, buffer.length);
      const names = length > 0 ? buffer.toString('utf8', 0, length).split('\0').filter(Boolean) : [];
      for (const name of names) {
        const size = get(from, name, buffer, buffer.length);
        if (size >= 0) set(to, name, buffer, size, 0);
      }
    },
  };
}

/** A read lease is granted only while nobody has the file open for writing; it is given back at once. */
function leaseRefused(fcntl: Call, fd: number, errno: () => Errno): boolean | undefined {
  if (fcntl(fd, F_SETSIG, SIGURG) !== 0) return undefined;
  if (fcntl(fd, F_SETLEASE, F_RDLCK) === 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
  }
  // One number, two names.
  return ['EAGAIN', 'EWOULDBLOCK'].includes(errno()) ? true : undefined;
}

const RENAME_SWAP = 2;

/** Not tried on a Mac: written after its manual page. */
function darwin(find: (prototype: string) => Call | undefined, errno: () => Errno): Libc {
  const renamex = find('int renamex_np(const char *, const char *, unsigned int)');
  return { ...(renamex && { swap: (a, b) => (renamex(a, b, RENAME_SWAP) === 0 ? 0 : errno()) }) };
}
