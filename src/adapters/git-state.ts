/**
 * Where git stands, read from its files without starting a process (1.4-R7): HEAD, its commit, the stash, an operation in
 * progress; and whether the list is what git has. git itself is asked only when HEAD or the index moved, and in a
 * repository that keeps its refs in another format than files. Never writes, takes no lock, and refreshes no index.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { GitState } from '../engine/ports.ts';
import { exec } from './exec.ts';
import { gitEnvironment } from './git.ts';

export type GitStateOptions = {
  /** Of the main worktree. */
  readonly gitDir: string;
  readonly commonDir: string;
  readonly top: string;
  /** The list's path from `top`. */
  readonly listName: string;
};

/** What git keeps while it is in the midst of something, the most telling first. */
const OPERATIONS: readonly (readonly [file: string, operation: string])[] = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply/applying', 'am'],
  ['rebase-apply', 'rebase'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['sequencer', 'cherry-pick or revert'],
  ['BISECT_LOG', 'bisect'],
  ['index.lock', 'index.lock'],
];

const GIT_MS_MAX = 10_000;
/** fsmonitor would be a program of the repository's choice. */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '--literal-pathspecs'];

/** The returned function looks; `bytes` = the list as it was just read. */
export function openGitState(options: GitStateOptions): (bytes: Buffer | undefined) => Promise<GitState> {
  const git = async (args: readonly string[]): Promise<string | undefined> => {
    const done = await exec('git', [...SAFE, ...args], { cwd: options.top, env: gitEnvironment(process.env, options.top), timeoutMs: GIT_MS_MAX });
    return done.code === 0 ? done.stdout.toString('utf8') : undefined;
  };
  const refs = openRefs(options, git);
  const blobs = openBlobs(options, git);

  return async (bytes) => {
    const position = await refs();
    const operation = OPERATIONS.find(([file]) => existsSync(join(options.gitDir, file)))?.[1];
    const index = stampOf(join(options.gitDir, 'index'));
    return { position, operation, listIsCommitted: bytes !== undefined && (await blobs(position, bytes)), index };
  };
}

type Git = (args: readonly string[]) => Promise<string | undefined>;

// ── position ─────────────────────────────────────────────────────────────────────────────────────

/** HEAD, the commit that it is at, and the stash's tip. */
function openRefs({ gitDir, commonDir }: GitStateOptions, git: Git): () => Promise<string> {
  let tables: { readonly stamp: string; readonly position: string } | undefined;
  let packed: { readonly stamp: string; readonly text: string } | undefined;

  const packedRefs = (): string => {
    const file = join(commonDir, 'packed-refs');
    const stamp = stampOf(file);
    if (packed?.stamp !== stamp) packed = { stamp, text: readText(file) };
    return packed.text;
  };

  /** A loose ref, a packed one, or a symbolic one (one step at a time). */
  const resolve = (name: string, depth = 0): string => {
    const loose = readText(join(commonDir, name)).trim() || readText(join(gitDir, name)).trim();
    if (loose.startsWith('ref: ')) return depth < SYMBOLIC_MAX ? resolve(loose.slice('ref: '.length), depth + 1) : '';
    if (loose !== '') return loose;
    const at = packedRefs().indexOf(` ${name}\n`);
    return at < 0 ? '' : packedRefs().slice(packedRefs().lastIndexOf('\n', at) + 1, at);
  };

  const fromTables = async (): Promise<string> => {
    const stamp = `${stampOf(join(commonDir, 'reftable', 'tables.list'))} ${stampOf(join(gitDir, 'reftable', 'tables.list'))}`;
    if (tables?.stamp === stamp) return tables.position;
    const [name, commit, stash] = [
      await git(['symbolic-ref', '-q', 'HEAD']),
      await git(['rev-parse', '-q', '--verify', 'HEAD']),
      await git(['rev-parse', '-q', '--verify', 'refs/stash']),
    ];
    const position = [name, commit, stash].map((word) => word?.trim() ?? '').join(' ');
    tables = { stamp, position };
    return position;
  };

  return async () => {
    if (existsSync(join(commonDir, 'reftable'))) return fromTables();
    const head = readText(join(gitDir, 'HEAD')).trim();
    const commit = head.startsWith('ref: ') ? resolve(head.slice('ref: '.length)) : '';
    return `${head} ${commit} ${resolve('refs/stash')}`;
  };
}

const SYMBOLIC_MAX = 5;

// ── the list in git ──────────────────────────────────────────────────────────────────────────────

/** Whether these bytes are the list's in the index or in HEAD, also where git would change the line ends. */
function openBlobs(options: GitStateOptions, git: Git): (position: string, bytes: Buffer) => Promise<boolean> {
  let asked: { readonly key: string; readonly blobs: Blobs } | undefined;
  let answered: { readonly bytes: Buffer; readonly blobs: Blobs; readonly answer: boolean } | undefined;

  const blobsAt = async (key: string): Promise<Blobs> => {
    if (asked?.key === key) return asked.blobs;
    const name = nameInRepo(options);
    if (name === undefined) return new Map();
    const [index, head] = [await git(['ls-files', '-s', '-z', '--', name]), await git(['ls-tree', '-z', '--full-tree', 'HEAD', '--', name])];
    const ids = new Set([...idsIn(index, /^\d+ ([0-9a-f]+) 0\t/), ...idsIn(head, /^\d+ blob ([0-9a-f]+)\t/)]);
    const blobs = new Map<string, number | undefined>();
    for (const id of ids) blobs.set(id, sizeIn(await git(['cat-file', '-s', id])));
    // An answer that did not come is not remembered: the next look asks again.
    if (index !== undefined) asked = { key, blobs };
    return blobs;
  };

  return async (position, bytes) => {
    const blobs = await blobsAt(`${position} ${stampOf(join(options.gitDir, 'index'))}`);
    if (answered?.bytes === bytes && answered.blobs === blobs) return answered.answer;
    const answer = [...blobs].some(([id, size]) => isBlob(bytes, id, size));
    answered = { bytes, blobs, answer };
    return answer;
  };
}

/** Ids with their sizes, as far as git says: bytes of another number need not be hashed. */
type Blobs = ReadonlyMap<string, number | undefined>;

/** Where the list really is, from the top; undefined where that is outside. */
function nameInRepo({ top, listName }: GitStateOptions): string | undefined {
  try {
    const name = relative(realpathSync(top), realpathSync(join(top, listName)));
    return name === '..' || name.startsWith(`..${sep}`) || isAbsolute(name) ? undefined : name;
  } catch {
    return listName;
  }
}

function idsIn(listing: string | undefined, pattern: RegExp): string[] {
  return (listing ?? '').split('\0').flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

function sizeIn(answer: string | undefined): number | undefined {
  return answer !== undefined && /^\d+\n?$/.test(answer) ? Number(answer) : undefined;
}

function isBlob(bytes: Buffer, id: string, size: number | undefined): boolean {
  if ((size === undefined || size === bytes.length) && blobId(bytes, id) === id) return true;
  if (!bytes.includes('\r\n') || (size !== undefined && size >= bytes.length)) return false;
  return blobId(Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'), id) === id;
}

const SHA1_CHARS = 40;

function blobId(bytes: Buffer, like: string): string {
  return createHash(like.length > SHA1_CHARS ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────

function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : '-';
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
