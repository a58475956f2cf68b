/**
 * One look at the list on disk: which file it really is, whether it can be used (1.4-R4, 1.1-R6), and its text. A
 * file that is in the midst of being written is looked at again. Never writes, and never judges what the text says.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../engine/ports.ts';
import type { Disk, DiskFile, FileFacts } from './disk.ts';

export type Content = {
  /** The file itself, symbolic links resolved. */
  readonly real: string;
  readonly bytes: Buffer;
  readonly hash: string;
  /** Without the BOM. */
  readonly text: string;
  readonly bom: boolean;
  readonly facts: FileFacts;
};

export type Looked =
  | { readonly kind: 'content'; readonly content: Content }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly remedy: string };

export type LookOptions = {
  readonly path: string;
  readonly maxListBytes: number;
  readonly disk: Disk;
  readonly clock: Clock;
};

/** For how long a list that is being written, or that changes under our reading, is looked at again before it is taken as it is. */
const UNSETTLED_MS_MAX = 1000;
/** A text that has stood still for so long is taken although somebody has the file open for writing. */
const STILL_MS = 250;
/** A second link may be an editor's backup, or a write of ours without exchange: there for an instant. */
const LINKED_MS_MAX = 200;
const PAUSE_MS_MIN = 2;
const PAUSE_MS_MAX = 20;
/** A file that was changed less than this before it was read can change again without showing it in its times. */
const FRESH_MS = 1500;

const BOM_BYTES = Buffer.from([0xef, 0xbb, 0xbf]);

export type Looker = {
  look(): Promise<Looked>;
  /** What was just written: a look that finds the same bytes has nothing to make of them. */
  expect(content: Content): void;
};

/** Keeps what it read last, so that a look at a list that nobody touched reads nothing, and the same bytes are made into text once. */
export function listLooker(options: LookOptions): Looker {
  const { disk, clock } = options;
  let last: { readonly content: Content; readonly readAt: number } | undefined;
  let expected: Content | undefined;

  const remembered = (real: string, facts: FileFacts): Content | undefined => {
    if (!last || last.content.real !== real || !sameFile(last.content.facts, facts)) return undefined;
    const quietMs = last.readAt - Number(facts.modifiedNs / 1_000_000n);
    return quietMs > FRESH_MS ? last.content : undefined;
  };

  /** Undefined: it is being written; look again. When patience is at its end it is taken as it is. */
  const lookAt = async (real: string, waitedMs: number, stillMs: (facts: FileFacts) => number): Promise<Looked | undefined> => {
    const file = await disk.open(real);
    try {
      const facts = await file.facts();
      const patient = waitedMs < UNSETTLED_MS_MAX && (facts.size === 0 || stillMs(facts) < STILL_MS);
      const wrong = refusalOf(options, facts);
      if (wrong) return facts.links > 1 && waitedMs < LINKED_MS_MAX ? undefined : wrong;
      const known = remembered(real, facts);
      if (known) return { kind: 'content', content: known };
      if (patient && (await file.isBeingWritten())) return undefined;
      const bytes = await file.read();
      if (patient && !(await isStill(file, facts, bytes))) return undefined;
      const same = [expected, last?.content].find((content) => content?.bytes.equals(bytes));
      const looked: Looked = same ? { kind: 'content', content: { ...same, real, facts } } : contentOf(options, real, bytes, facts);
      if (looked.kind === 'content') last = { content: looked.content, readAt: clock.now() };
      expected = undefined;
      return looked;
    } finally {
      await file.close();
    }
  };

  return {
    async look() {
      const since = clock.ticks();
      const stillMs = stillness(clock);
      for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
        try {
          const looked = await lookAt(await realFile(options), clock.ticks() - since, stillMs);
          if (looked) return looked;
        } catch (error) {
          return unreadable(options.path, error);
        }
        await pause(clock, pauseMs);
      }
    },
    expect(content) {
      expected = content;
    },
  };
}

/** For how long a file has looked the same, from one look to the next. */
function stillness(clock: Clock): (facts: FileFacts) => number {
  let seen: { readonly facts: FileFacts; readonly since: number } | undefined;
  return (facts) => {
    if (!seen || !sameFile(seen.facts, facts)) seen = { facts, since: clock.ticks() };
    return clock.ticks() - seen.since;
  };
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** The same file with the same bytes, as far as its facts tell. */
export function sameFile(a: FileFacts, b: FileFacts): boolean {
  return a.inode === b.inode && a.size === b.size && a.modifiedNs === b.modifiedNs && a.changedNs === b.changedNs;
}

export function hashOf(bytes: Buffer): string {
  return hash('sha1', bytes);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text without its BOM; undefined where it is no UTF-8 text. */
export function decode(bytes: Buffer): { readonly text: string; readonly bom: boolean } | undefined {
  if (bytes.includes(0)) return undefined;
  const bom = bytes.subarray(0, BOM_BYTES.length).equals(BOM_BYTES);
  try {
    return { text: utf8.decode(bom ? bytes.subarray(BOM_BYTES.length) : bytes), bom };
  } catch {
    return undefined;
  }
}

export function encode(text: string, bom: boolean): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return bom ? Buffer.concat([BOM_BYTES, bytes]) : bytes;
}

export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** Also refuses what a symbolic link in the list's place makes dangerous: it is resolved at each look. */
async function realFile({ path, disk }: LookOptions): Promise<string> {
  const real = await disk.realpath(path);
  const facts = await disk.facts(real);
  if (facts.kind !== 'file') throw Object.assign(new Error(`${path} is no file`), { code: facts.kind === 'folder' ? 'EISDIR' : 'ENOTFILE' });
  return real;
}

async function isStill(file: DiskFile, before: FileFacts, bytes: Buffer): Promise<boolean> {
  const facts = await file.facts();
  return bytes.length === facts.size && sameFile(before, facts) && !(await file.isBeingWritten());
}

function refusalOf(options: LookOptions, facts: FileFacts): Looked | undefined {
  const { path, maxListBytes } = options;
  if (facts.size > maxListBytes) {
    return refused(
      'EFBIG',
      `${path} has ${facts.size} bytes, more than maxListBytes (${maxListBytes}).`,
      'Archive old tasks (`todone archive`), or raise maxListBytes.',
    );
  }
  if (facts.links > 1) {
    return refused(
      'EMLINK',
      `${path} is hard-linked ${facts.links} times: writing it would part the links.`,
      'Use a symbolic link instead, or copy the file over itself.',
    );
  }
  const uid = process.geteuid?.();
  if (uid !== undefined && uid !== 0 && facts.uid !== uid) {
    return refused('EPERM', `${path} belongs to another user (uid ${facts.uid}).`, 'Use a list of your own, or have its owner run ToDone.');
  }
  if ((facts.mode & 0o222) === 0 || (uid !== 0 && (facts.mode & 0o200) === 0)) {
    return refused('EACCES', `${path} is read-only.`, `Make it writable: chmod u+w '${path}'`);
  }
  return undefined;
}

function contentOf({ path }: LookOptions, real: string, bytes: Buffer, facts: FileFacts): Looked {
  const decoded = decode(bytes);
  if (!decoded) return refused('EILSEQ', `${path} is not UTF-8 text${guess(bytes)}.`, 'Save it as UTF-8. Nothing was changed.');
  return { kind: 'content', content: { real, bytes, hash: hashOf(bytes), ...decoded, facts } };
}

function guess(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return ' (it looks like UTF-16)';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return ' (it looks like UTF-16)';
  return bytes.includes(0) ? ' (it holds NUL bytes)' : '';
}

function unreadable(path: string, error: unknown): Looked {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return { kind: 'missing' };
    case 'EISDIR':
      return refused(code, `${path} is a folder.`, 'Name a Markdown file: --tasks tasks.md');
    case 'ENOTFILE':
    case 'ENXIO':
      return refused(code, `${path} is not a regular file.`, 'Name a Markdown file: --tasks tasks.md');
    case 'ELOOP':
      return refused(code, `${path} is a symbolic link that leads to itself.`, 'Point it at a file.');
    case 'EACCES':
    case 'EPERM':
      return refused(code, `${path} cannot be read: permission denied.`, 'Check the permissions of the file and of its folders.');
    case '':
      throw error;
    default:
      return refused(code, `${path} cannot be read (${code}).`, 'Check the disk; it is tried again.');
  }
}

function refused(code: string, message: string, remedy: string): Extract<Looked, { kind: 'refused' }> {
  return { kind: 'refused', code, message, remedy };
}
