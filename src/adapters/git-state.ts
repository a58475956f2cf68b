/**
 * Where git stands, read from its files without starting a process (1.4-R7): HEAD, its commit, the stash, an operation in
 * progress; and whether the list is byte for byte what git has. A call of git is made only when one of those moved.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GitState } from '../engine/ports.ts';
import { exec } from './exec.ts';

export type GitStateOptions = { readonly gitDir: string; readonly commonDir: string; readonly top: string; readonly listName: string };

const OPERATIONS: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['BISECT_LOG', 'bisect'],
  ['index.lock', 'index.lock'],
];

/** The returned function looks; `bytes` = the list as it was just read. */
export function openGitState(options: GitStateOptions): (bytes: Buffer | undefined) => Promise<GitState> {
  let asked: { readonly key: string; readonly blobs: ReadonlySet<string> } | undefined;
  return async (bytes) => {
    const position = positionOf(options);
    const operation = OPERATIONS.find(([name]) => existsSync(join(options.gitDir, name)))?.[1];
    const key = `${position} ${stampOf(join(options.gitDir, 'index'))}`;
    if (asked?.key !== key) asked = { key, blobs: await blobsOf(options) };
    const listIsCommitted = bytes !== undefined && asked.blobs.size > 0 && [...asked.blobs].some((blob) => blob === blobId(bytes, blob.length));
    return { position, operation, listIsCommitted };
  };
}

function positionOf({ gitDir, commonDir }: GitStateOptions): string {
  const head = readText(join(gitDir, 'HEAD'));
  const ref = /^ref: (.+)$/m.exec(head)?.[1];
  const commit = ref === undefined ? '' : refOf(commonDir, ref);
  return `${head.trim()} ${commit} ${refOf(commonDir, 'refs/stash')}`;
}

function refOf(commonDir: string, ref: string): string {
  const loose = readText(join(commonDir, ref)).trim();
  if (loose !== '') return loose;
  const line = readText(join(commonDir, 'packed-refs'))
    .split('\n')
    .find((each) => each.endsWith(` ${ref}`));
  return line?.split(' ')[0] ?? '';
}

/** The list's blob in the index and in HEAD. */
async function blobsOf({ top, listName }: GitStateOptions): Promise<ReadonlySet<string>> {
  const git = (args: readonly string[]): ReturnType<typeof exec> =>
    exec('git', [...args], {
      cwd: top,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
      timeoutMs: 10_000,
    });
  const index = await git(['ls-files', '-s', '--', listName]);
  const head = await git(['rev-parse', '-q', '--verify', `HEAD:${listName}`]);
  const words = [String(index.stdout).split(/\s/)[1], String(head.stdout).trim()];
  return new Set(words.filter((word): word is string => word !== undefined && /^[0-9a-f]{40,64}$/.test(word)));
}

function blobId(bytes: Buffer, length: number): string {
  return createHash(length > 40 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}:${size}:${ino}`;
  } catch {
    return '-';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
