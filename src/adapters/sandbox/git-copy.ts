/**
 * A git directory for one confined program: its HEAD, index, refs and objects of its own, everything else borrowed. ToDone never asks
 * an agent's HEAD, index, refs or objects, so nothing of it is taken back.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { adminOf } from '../worktree-admin.ts';
import { type GitCopy, OBJECTS_SEEN_AT } from './bubblewrap.ts';

/** Loose ones; the packed are read where they are. Snapshots and stashes are nobody's affair. */
const SHOWN_REFS = ['heads', 'tags', 'remotes'];

/** Undefined where the folder is no worktree of this repository. */
export function copyGit(commonDir: string, workspace: string, into: string): GitCopy | undefined {
  const admin = adminOf(commonDir, workspace);
  if (admin === undefined || !existsSync(admin)) return undefined;
  const copy = {
    admin,
    adminCopy: join(into, 'admin'),
    objectsCopy: join(into, 'objects'),
    configCopy: join(into, 'config'),
    refsCopy: join(into, 'refs'),
    logs: existsSync(join(commonDir, 'logs')),
  };
  mkdirSync(copy.adminCopy, { recursive: true, mode: 0o700 });
  for (const name of ['HEAD', 'index', 'commondir', 'gitdir']) if (existsSync(join(admin, name))) copyFileSync(join(admin, name), join(copy.adminCopy, name));
  for (const kind of SHOWN_REFS.filter((each) => existsSync(join(commonDir, 'refs', each))))
    cpSync(join(commonDir, 'refs', kind), join(copy.refsCopy, kind), { recursive: true, filter: (path) => !path.endsWith('.lock') });
  mkdirSync(join(copy.objectsCopy, 'info'), { recursive: true, mode: 0o700 });
  mkdirSync(join(copy.objectsCopy, 'pack'), { mode: 0o700 });
  writeFileSync(join(copy.objectsCopy, 'info', 'alternates'), [OBJECTS_SEEN_AT, ...borrowed(commonDir)].map((path) => `${path}\n`).join(''));
  writeFileSync(copy.configCopy, withoutSecrets(readFileSync(join(commonDir, 'config'), 'utf8')));
  return copy;
}

/** Where the repository itself borrows objects from, absolute: git follows relative ones only at the first step. */
export function borrowed(commonDir: string): string[] {
  const file = join(commonDir, 'objects', 'info', 'alternates');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (isAbsolute(line) ? line : resolve(commonDir, 'objects', line)));
}

/** Keys that name accounts, and accounts within addresses. */
export function withoutSecrets(config: string): string {
  return config.replaceAll(/^[ \t]*(?:extraheader|helper|cookiefile|password|proxy|token)[ \t]*=.*$/gim, '').replaceAll(/(:\/\/)[^@/\s"]{1,500}@/g, '$1');
}
