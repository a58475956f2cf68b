/**
 * What the machine is short of when something fails for that alone (a full disk, no file handles): it passes, no task is to blame,
 * and whatever was about to happen is tried again. Knows the words of the system, of SQLite and of git; looks at nothing else.
 */

const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EIO: 'the disk does not answer as it should',
  EMFILE: 'no file handle is left',
  ENFILE: 'no file handle is left',
  ENOMEM: 'no memory is left',
  EAGAIN: 'no process can be started',
};

/** SQLITE_BUSY, _NOMEM, _READONLY, _IOERR, _FULL, _CANTOPEN. */
const SQLITE: Readonly<Record<number, string>> = {
  5: 'another process keeps the file',
  7: 'no memory is left',
  8: 'the file cannot be written',
  10: 'the disk does not answer as it should',
  13: 'the disk is full',
  14: 'the file cannot be opened',
};

/** As git and programs around it put it. */
const SAID: readonly (readonly [RegExp, string])[] = [
  [/no space left on device|\bENOSPC\b|database or disk is full/i, 'the disk is full'],
  [/disk quota exceeded|\bEDQUOT\b/i, 'the quota is used up'],
  [/read-only file system|\bEROFS\b/i, 'the file system is read-only'],
  [/input\/output error|\bEIO\b/i, 'the disk does not answer as it should'],
  [/too many open files|\bE[MN]FILE\b/i, 'no file handle is left'],
  [/cannot allocate memory|out of memory|\bENOMEM\b/i, 'no memory is left'],
  [/resource temporarily unavailable|\bEAGAIN\b/i, 'no process can be started'],
];

/** The shortage in words; undefined where it is something else. */
export function shortageIn(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string' && SYSTEM[error.code] !== undefined) return SYSTEM[error.code];
    if ('errcode' in error && typeof error.errcode === 'number') return SQLITE[error.errcode & 0xff];
  }
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
  return SAID.find(([pattern]) => pattern.test(text))?.[1];
}
