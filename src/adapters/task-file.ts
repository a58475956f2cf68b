/**
 * The list on disk: read it whole or not at all, and the one write path (1.4-R3). The person's bytes win every race: what
 * comes out of the exchange is compared with what was read, a save in between is taken as the new text and our change is
 * made again on it, and every displaced file is watched for late writes and kept. Never creates the list.
 */
import { hash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { link, lstat, open, readdir, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { watch as watchFolder } from 'chokidar';
import { type Clock, type GitState, ListRefused, type Log, type Reading, type TaskFile, type Written } from '../engine/ports.ts';
import type { Edit, Edited } from '../tasks/task.ts';
import { exchange } from './exchange.ts';
import { intentStore, type IntentStore } from './list-intents.ts';
import { withListLock } from './list-lock.ts';
import { displacedFiles, type Displaced, type DisplacedRecord } from './displaced.ts';
import { replayLines } from './replay-lines.ts';

export type TaskFileOptions = {
  readonly path: string;
  readonly stateDir: string;
  readonly maxListBytes: number;
  /** The pure edits: text → text, with what became of each. */
  readonly apply: (text: string, edits: readonly Edit[]) => { readonly text: string; readonly results: readonly Edited[] };
  readonly gitState: (bytes: Buffer | undefined) => Promise<GitState>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
};

/** How often a write starts over because an editor saved in between. */
const RACES_MAX = 50;
const BOM = '\uFEFF';
const TEMP = /^\.todone-[0-9a-f]{16}(?:-old)?$/;
/** A file that changes under our reading is read again. */
const READS_MAX = 20;

type Content = { readonly real: string; readonly bytes: Buffer; readonly text: string; readonly bom: boolean; readonly mode: number; readonly uid: number; readonly gid: number; readonly modifiedAt: number };
type Looked = { readonly kind: 'content'; readonly content: Content } | { readonly kind: 'missing' } | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly remedy: string };

export function openTaskFile(options: TaskFileOptions): TaskFile {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const intents = intentStore(options.stateDir);
  const displaced: Displaced = displacedFiles({ stateDir: options.stateDir, clock: options.clock, log: options.log, merge: (late, record) => mergeLate(options, intents, displaced, late, record) });
  return {
    path: options.path,
    read: async () => readingOf(options, await look(options)),
    edit: (edits) => withListLock({ stateDir: options.stateDir, listPath: options.path, random: options.random }, () => write(options, intents, displaced, (text) => options.apply(text, edits))),
    watch: (hint) => watch(options, hint),
    recover: () => withListLock({ stateDir: options.stateDir, listPath: options.path, random: options.random }, () => recover(options, intents, displaced)),
  };
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

async function readingOf(options: TaskFileOptions, looked: Looked): Promise<Reading> {
  const git = await options.gitState(looked.kind === 'content' ? looked.content.bytes : undefined);
  if (looked.kind === 'missing') return { kind: 'missing', git };
  if (looked.kind === 'refused') return { kind: 'refused', message: looked.message, remedy: looked.remedy, git };
  return { kind: 'read', text: looked.content.text, version: hash('sha1', looked.content.bytes), modifiedAt: looked.content.modifiedAt, git };
}

async function look(options: TaskFileOptions): Promise<Looked> {
  let real: string;
  try {
    real = await realpath(options.path);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? { kind: 'missing' } : refused(codeOf(error), `${options.path} cannot be reached`, 'check the link and its folders');
  }
  for (let reads = 0; reads < READS_MAX; reads++) {
    const once = await lookOnce(options, real);
    if (once !== 'changed') return once;
  }
  return refused('EBUSY', `${options.path} changes all the time`, 'wait until it is still');
}

async function lookOnce(options: TaskFileOptions, real: string): Promise<Looked | 'changed'> {
  let handle: FileHandle;
  try {
    const link = await lstat(real);
    if (!link.isFile()) return refused('EISDIR', `${options.path} is not a file`, 'name a Markdown file with --tasks');
    handle = await open(real, 'r');
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? { kind: 'missing' } : refused(code, `${options.path} cannot be read (${code})`, 'check its permissions');
  }
  try {
    const before = await handle.stat();
    const wrong = refuseFile(options, before);
    if (wrong) return wrong;
    const bytes = await handle.readFile();
    const after = await handle.stat();
    if (after.size !== bytes.length || after.mtimeMs !== before.mtimeMs) return 'changed';
    return decode(options, real, bytes, after);
  } finally {
    await handle.close();
  }
}

type Stats = { readonly size: number; readonly nlink: number; readonly mode: number; readonly uid: number; readonly gid: number; readonly mtimeMs: number };

function refuseFile(options: TaskFileOptions, stats: Stats): Looked | undefined {
  if (stats.size > options.maxListBytes) return refused('EFBIG', `${options.path} has ${stats.size} bytes, more than maxListBytes (${options.maxListBytes})`, 'archive old tasks, or raise maxListBytes');
  if (stats.nlink > 1) return refused('EMLINK', `${options.path} is hard-linked ${stats.nlink} times: an exchange would part the links`, 'copy it over itself, or use a symbolic link');
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && stats.uid !== uid) return refused('EPERM', `${options.path} belongs to another user`, 'use a list of your own');
  return undefined;
}

function decode(options: TaskFileOptions, real: string, bytes: Buffer, stats: Stats): Looked {
  if (bytes.includes(0)) return refused('EILSEQ', `${options.path} is no text: it holds NUL bytes`, 'save it as UTF-8');
  try {
    const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const bom = whole.startsWith(BOM);
    return {
      kind: 'content',
      content: { real, bytes, text: bom ? whole.slice(1) : whole, bom, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, modifiedAt: stats.mtimeMs },
    };
  } catch {
    return refused('EILSEQ', `${options.path} is not UTF-8`, 'save it as UTF-8; nothing was changed');
  }
}

const refused = (code: string, message: string, remedy: string): Extract<Looked, { kind: 'refused' }> => ({ kind: 'refused', code, message, remedy });

// ── writing ──────────────────────────────────────────────────────────────────────────────────────

type Change = (text: string) => { readonly text: string; readonly results: readonly Edited[] };

/** Inside the lock. */
async function write(options: TaskFileOptions, intents: IntentStore, displaced: Displaced, change: Change): Promise<Written> {
  for (let races = 0; races < RACES_MAX; races++) {
    const looked = await look(options);
    if (looked.kind === 'missing') throw new ListRefused('ENOENT', `${options.path} is not there`, 'bring it back');
    if (looked.kind === 'refused') throw new ListRefused(looked.code, looked.message, looked.remedy);
    const { content } = looked;
    const { text, results } = change(content.text);
    if (text === content.text) return { results, reading: await readingOf(options, looked), wrote: false };
    const planned = Buffer.from((content.bom ? BOM : '') + text, 'utf8');
    if (await swap(options, intents, displaced, content, planned, change)) {
      const reading = await readingOf(options, { kind: 'content', content: { ...content, bytes: planned, text, modifiedAt: options.clock.now() } });
      return { results, reading, wrote: true };
    }
  }
  throw new ListRefused('EBUSY', `${options.path} was saved ${RACES_MAX} times while it was being written`, 'wait until it is still');
}

/** True where the list now holds `planned` and what it held before was exactly what had been read. */
async function swap(options: TaskFileOptions, intents: IntentStore, displaced: Displaced, base: Content, planned: Buffer, change: Change): Promise<boolean> {
  const temp = join(dirname(base.real), `.todone-${randomBytes(8).toString('hex')}`);
  const intent = intents.begin({ temp, list: base.real, base: hash('sha1', base.bytes), planned: hash('sha1', planned) });
  try {
    await writeBeside(temp, planned, base);
    const now = await look(options);
    if (now.kind !== 'content' || !now.content.bytes.equals(base.bytes)) return await giveUp(temp, intents, intent);
    await exchangeOrFallBack(options, temp, base.real);
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    intents.end(intent);
    throw asRefusal(error, options.path);
  }
  const out = await readAll(temp);
  const clean = out.equals(base.bytes);
  // An editor saved between the look and the exchange: its text goes back, ours is made again on it.
  if (!clean) await exchangeOrFallBack(options, temp, base.real);
  await syncFolder(dirname(base.real));
  if (clean) await displaced.keep(temp, { base: base.bytes, planned, change });
  else await afterReturn(options, displaced, temp, planned);
  intents.end(intent);
  return clean;
}

/** After a save went back to its place the temp holds our text, or again a person's newer one. */
async function afterReturn(options: TaskFileOptions, displaced: Displaced, temp: string, planned: Buffer): Promise<void> {
  const out = await readAll(temp);
  if (out.equals(planned)) return unlink(temp);
  options.log.write('warn', 'the list was saved twice while it was written: the version in between is kept', {});
  await displaced.keep(temp, { base: out, planned, change: undefined });
}

async function giveUp(temp: string, intents: IntentStore, intent: number): Promise<false> {
  await unlink(temp);
  intents.end(intent);
  return false;
}

async function writeBeside(temp: string, bytes: Buffer, like: Content): Promise<void> {
  const handle = await open(temp, 'wx', like.mode);
  try {
    await handle.writeFile(bytes);
    await handle.chmod(like.mode);
    const own = await handle.stat();
    if (own.uid !== like.uid || own.gid !== like.gid) await handle.chown(like.uid, like.gid).catch(() => undefined);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

let saidWeaker = false;

async function exchangeOrFallBack(options: TaskFileOptions, temp: string, list: string): Promise<void> {
  const done = exchange(temp, list);
  if (done.kind === 'exchanged') return;
  if (done.kind === 'failed') throw Object.assign(new Error(`the exchange failed: ${done.code}`), { code: done.code });
  if (!saidWeaker) {
    saidWeaker = true;
    options.log.write('warn', `this file system cannot exchange files (${done.why}): a save in the very moment of a write goes to the archive instead of the list`);
  }
  const kept = `${temp}-old`;
  await link(list, kept);
  await rename(temp, list);
  await rename(kept, temp);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readAll(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk; it is tried again',
  EDQUOT: 'make room in your quota; it is tried again',
  EROFS: 'the file system is read-only: mount it writable',
  EACCES: 'make the list and its folder writable',
  EPERM: 'make the list and its folder writable',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};

function asRefusal(error: unknown, path: string): Error {
  const code = codeOf(error);
  const remedy = REMEDIES[code];
  if (remedy === undefined) return error instanceof Error ? error : new Error(String(error));
  return new ListRefused(code, `${path} cannot be written (${code})`, remedy);
}

// ── what came late, and what a crash left ────────────────────────────────────────────────────────

/** An editor that had the displaced file open wrote into it after the exchange: that is a person's save too. */
async function mergeLate(options: TaskFileOptions, intents: IntentStore, displaced: Displaced, late: Buffer, record: DisplacedRecord): Promise<boolean> {
  return withListLock({ stateDir: options.stateDir, listPath: options.path, random: options.random }, async () => {
    const looked = await look(options);
    if (looked.kind !== 'content') return false;
    const current = looked.content;
    const text = textOf(late);
    if (text === undefined) return false;
    const merged = current.bytes.equals(record.planned) && record.change ? record.change(text).text : replayLines(textOf(record.base) ?? '', text, current.text);
    if (merged === undefined) return false;
    await write(options, intents, displaced, (now) => ({ text: now === current.text ? merged : (replayLines(current.text, merged, now) ?? now), results: [] }));
    return true;
  });
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith(BOM) ? text.slice(1) : text;
  } catch {
    return undefined;
  }
}

/** Finishes what a crash interrupted: every temporary file beside the list is a plan that never was, or a displaced version. */
async function recover(options: TaskFileOptions, intents: IntentStore, displaced: Displaced): Promise<void> {
  const open = intents.open();
  for (const intent of open) {
    await recoverOne(intent.temp, intent.planned, intent.list, displaced, options);
    intents.end(intent.id);
  }
  const folder = await realpath(options.path).then(dirname, () => dirname(options.path));
  for (const name of await readdir(folder).catch(() => [])) {
    if (TEMP.test(name)) await recoverOne(join(folder, name), undefined, options.path, displaced, options);
  }
  await displaced.prune();
}

async function recoverOne(temp: string, planned: string | undefined, list: string, displaced: Displaced, options: TaskFileOptions): Promise<void> {
  const bytes = await readAll(temp).catch(() => undefined);
  if (!bytes) return;
  const exists = await lstat(list).then(() => true, () => false);
  if (!exists && temp.endsWith('-old')) return rename(temp, list);
  // Our own text that never came into the list: it is made again from the rows.
  if (planned !== undefined && hash('sha1', bytes) === planned) return unlink(temp);
  options.log.write('info', `a version of the list that a crash left beside it is kept: ${basename(temp)}`);
  const current = await readAll(list).catch(() => Buffer.alloc(0));
  await displaced.keep(temp, { base: bytes, planned: current, change: undefined });
}

// ── watching ─────────────────────────────────────────────────────────────────────────────────────

async function watch(options: TaskFileOptions, hint: () => void): Promise<() => Promise<void>> {
  const real = await realpath(options.path).catch(() => options.path);
  const watcher = watchFolder(dirname(real), { depth: 0, ignoreInitial: true, ignored: (path) => path !== dirname(real) && path !== real });
  watcher.on('all', () => hint());
  let said = false;
  watcher.on('error', (error) => {
    if (!said) options.log.write('warn', `watching does not work here (${error instanceof Error ? error.message : String(error)}): the list is looked at every interval`);
    said = true;
  });
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
    watcher.once('error', () => resolve());
  });
  return () => watcher.close();
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
