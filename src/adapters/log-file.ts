/**
 * A file that lines are appended to, moved to `.1`, `.2`, … when it is full. Never throws: where the disk is full the
 * lines are lost and counted, and the count is the next line that fits.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export type RotatingFile = { readonly write: (line: string) => void; readonly close: () => void };

export function rotatingFile(path: string, maxBytes: number, kept: number): RotatingFile {
  let file: { readonly fd: number; readonly ino: number; size: number } | undefined;
  let lost = 0;

  function close(): void {
    if (!file) return;
    try {
      closeSync(file.fd);
    } catch {
      // It is given up either way.
    }
    file = undefined;
  }

  function open(): NonNullable<typeof file> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fd = openSync(path, 'a', 0o600);
    const stat = fstatSync(fd);
    return { fd, ino: stat.ino, size: stat.size };
  }

  /** Another process may have rotated it, a person may have removed it. */
  function isThere(): boolean {
    return file !== undefined && statSync(path, { throwIfNoEntry: false })?.ino === file.ino;
  }

  function rotate(): void {
    close();
    rmSync(`${path}.${kept}`, { force: true });
    for (let n = kept - 1; n >= 0; n--) {
      const from = n === 0 ? path : `${path}.${n}`;
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${n + 1}`);
    }
  }

  function append(text: string): void {
    const bytes = Buffer.from(text);
    if (!isThere()) close();
    file ??= open();
    if (file.size > 0 && file.size + bytes.length > maxBytes) {
      rotate();
      file = open();
    }
    for (let done = 0; done < bytes.length;) {
      const wrote = writeSync(file.fd, bytes, done);
      done += wrote;
      file.size += wrote;
    }
  }

  return {
    write(line) {
      try {
        if (lost > 0) append(`${JSON.stringify({ level: 'error', msg: `${lost} lines of the log could not be written` })}\n`);
        lost = 0;
        append(line);
      } catch {
        lost += 1;
        close();
      }
    },
    close,
  };
}
