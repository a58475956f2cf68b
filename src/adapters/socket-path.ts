/**
 * Where the owner's socket is: in the state folder, or in a short folder of the user's where that path is too long for a
 * socket. Never a folder that another user can enter (13-R3).
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** macOS has room for 104 bytes. */
const MAX_PATH_BYTES = 100;

/** `socket` is the person's, who may ask for anything; `agents` hears only what a run's token allows. */
export type SocketName = 'socket' | 'agents';

/** The place of one of the list's sockets; in a short folder of the user's where the state folder's own path is too long. */
export function socketPath(stateDir: string, env: Readonly<Record<string, string | undefined>> = process.env, which: SocketName = 'socket'): string {
  const real = existsSync(stateDir) ? realpathSync(stateDir) : stateDir;
  const own = join(real, which);
  if (Buffer.byteLength(own) <= MAX_PATH_BYTES) return own;
  const name = `${createHash('sha256').update(real).digest('hex').slice(0, 20)}.${which}`;
  const bases = [env['XDG_RUNTIME_DIR'], tmpdir(), '/tmp'].filter((base): base is string => base !== undefined && base !== '' && existsSync(base));
  const paths = bases.map((base) => join(base, `todone-${process.getuid?.() ?? 'user'}`, name));
  const path = paths.find((candidate) => Buffer.byteLength(candidate) <= MAX_PATH_BYTES);
  if (path === undefined) throw new Error(`no folder is short enough for a socket: ${paths.join(', ')}`);
  return path;
}

/** Another user's folder of that name could hold another user's socket. */
export function assertOursAlone(folder: string): void {
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || (process.getuid && stat.uid !== process.getuid()) || (stat.mode & 0o077) !== 0) {
    throw new Error(`${folder} is not a folder of yours alone (0700): remove it, or see who made it`);
  }
}
