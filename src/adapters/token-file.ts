/**
 * The token of `todone serve`: in a file that only its user can read, made at the first start (9-R5). Whoever can read it may speak.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'serve.token';
const FORM = /^[A-Za-z0-9_-]{43}$/;

export class BadTokenFile extends Error {
  override name = 'BadTokenFile';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

export const tokenPath = (stateDir: string): string => join(stateDir, NAME);

/** The state folder has to be there. Throws `BadTokenFile` for one that others could read, or that is no token. */
export function serveToken(stateDir: string): string {
  const path = tokenPath(stateDir);
  make(stateDir, path);
  const found = lstatSync(path);
  if (!found.isFile() || found.uid !== process.getuid?.()) throw new BadTokenFile(`${path} is no file of yours`, 'delete it: the next start makes a new one');
  if ((found.mode & 0o077) !== 0) throw new BadTokenFile(`${path} can be read by others`, 'delete it, for it may be known: the next start makes a new one');
  const token = readFileSync(path, 'utf8').trim();
  if (!FORM.test(token)) throw new BadTokenFile(`${path} holds no token`, 'delete it: the next start makes a new one');
  return token;
}

/** Whole or not at all, and never over one that is there. */
function make(stateDir: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  const fresh = join(stateDir, `.${NAME}-${randomUUID()}`);
  writeFileSync(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}
