/**
 * `task ready --json` in a blink (11-R1). Asked again while list, journal and config are as they were, the answer is the one before,
 * from the user's own cache. Else a daemon that minds the list answers from memory, after a look at the file. Knows nothing of tasks and
 * loads next to nothing; what it cannot be sure of goes the whole way.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { insideRun } from '../adapters/inside-run.ts';
import { nameOutside } from './caller-name.ts';

/** With a daemon, the list is old enough by then for nothing in it to be half typed. */
const STILL_MS = 10_000;
/** Without one, for two changes not to bear the same time; and where a file system keeps only whole seconds, or two of them. */
const TICK_MS = 100;
const COARSE_MS = 2500;
const AGE_MS_MAX = 24 * 3_600_000;
const NAME = /^[A-Za-z0-9_.@][\w.@-]{0,99}$/;
const LIMIT_MAX = 1000;
const LIST = 'tasks.md';
const FILES = [LIST, '.git/HEAD', '.git/todone/journal.db', '.git/todone/journal.db-wal'];

/** `vouched` = what the config and the program were when the whole way was last gone, and nothing was wrong. */
type Stored = { readonly facts: string; readonly vouched: string; readonly until: number; readonly out: string };

export type QuickQuestion = { readonly stateDir: string; readonly name: string; readonly owner: string | undefined; readonly limit: number };

/** What was answered to the same words when everything was as it is now; undefined = go another way. */
export function quickAnswer(argv: readonly string[], now: number): string | undefined {
  const place = placeOf(argv);
  const stored = place && storedAt(place);
  return stored && now < stored.until && stored.facts === factsOf(place.top) ? stored.out : undefined;
}

/** What a daemon may be asked in place of going the whole way: everything that would be checked on it was, and has not changed since. */
export function quickQuestion(argv: readonly string[]): QuickQuestion | undefined {
  const place = placeOf(argv);
  if (!place) return undefined;
  const stateDir = join(place.top, '.git', 'todone');
  if (!existsSync(join(stateDir, 'owner.json')) || !isOurs(place.top)) return undefined;
  if (storedAt(place)?.vouched !== vouchFor(place.top)) return undefined;
  return { stateDir, ...place.question };
}

/**
 * Keeps an answer for as long as nothing but a change of a file or the end of a day could change it. `before` = `factsBefore`; `ends` tells
 * when claims run out by themselves, in ms since 1970.
 */
export function keepAnswer(argv: readonly string[], out: string, before: string | undefined, now: number, ends: (stateDir: string) => readonly number[]): void {
  const place = placeOf(argv);
  if (!place || before === undefined || before !== factsOf(place.top)) return;
  try {
    const list = join(place.top, LIST);
    const configs = configsOf(place.top).map(readText).join('\n');
    // A config may name another list.
    if (configs.includes('tasks')) return;
    const text = readFileSync(list, 'utf8');
    const { mtimeMs, mtimeNs } = statSync(list, { bigint: true });
    const isMinded = existsSync(join(place.top, '.git', 'todone', 'owner.json'));
    const stillMs = isMinded ? STILL_MS : mtimeNs % 1_000_000_000n === 0n ? COARSE_MS : TICK_MS;
    // How long a daemon lets a text rest may be set to more.
    const rests = now - Number(mtimeMs) >= stillMs && !configs.includes('claimAfter');
    const until = rests ? Math.min(now + AGE_MS_MAX, ...[...futureDates(text, now), ...ends(join(place.top, '.git', 'todone'))].filter((at) => at > now)) : 0;
    mkdirSync(dirname(place.file), { recursive: true, mode: 0o700 });
    const stored: Stored = { facts: before, vouched: vouchFor(place.top), until, out: rests ? out : '' };
    writeFileSync(`${place.file}.${process.pid}`, JSON.stringify(stored), { mode: 0o600 });
    renameSync(`${place.file}.${process.pid}`, place.file);
  } catch {
    // A cache that cannot be written is none.
  }
}

/** To be taken before the answer is worked out. */
export function factsBefore(argv: readonly string[]): string | undefined {
  const place = placeOf(argv);
  return place && factsOf(place.top);
}

/** Any date in the list may be one that lets a task start. */
const futureDates = (text: string, now: number): number[] =>
  [...text.matchAll(/\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?/g)]
    .map(([date]) => Date.parse(date.length === 10 ? `${date}T00:00` : date))
    .filter((at) => at > now);

type QuickPlace = { readonly top: string; readonly file: string; readonly question: Omit<QuickQuestion, 'stateDir'> };

/** Only the plain case: a repository of one's own, with the list where it is by default, asked from outside of every run. */
function placeOf(argv: readonly string[]): QuickPlace | undefined {
  const words = wordsOf(argv);
  const { env } = process;
  if (!words || env['GIT_DIR'] !== undefined || env['TODONE_CONFIG'] !== undefined) return undefined;
  const top = topOf(process.cwd());
  if (top === undefined || insideRun(env, process.pid) !== undefined) return undefined;
  const name = nameOutside(words.as, env);
  if (!NAME.test(name)) return undefined;
  const key = JSON.stringify([top, argv, name, env['TZ'], process.getuid?.(), import.meta.url]);
  const file = `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`;
  const folder = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'todone', 'ready');
  return { top, file: join(folder, file), question: { name, owner: words.owner, limit: words.limit } };
}

type Words = { readonly as: string | undefined; readonly owner: string | undefined; readonly limit: number };

function wordsOf(argv: readonly string[]): Words | undefined {
  if (argv[0] !== 'task' || argv[1] !== 'ready') return undefined;
  const said = new Map<string, string>();
  for (let at = 2; at < argv.length; at++) {
    const [option = '', inline] = (argv[at] ?? '').split(/=(.*)/s);
    const value = option === '--json' ? '' : (inline ?? argv[++at] ?? '');
    if (said.has(option) || (option === '--json' && inline !== undefined)) return undefined;
    if (option !== '--json' && !(option === '--limit' ? /^[1-9]\d{0,3}$/.test(value) : (option === '--as' || option === '--owner') && NAME.test(value)))
      return undefined;
    said.set(option, value);
  }
  const limit = Number(said.get('--limit') ?? DEFAULT_LIMIT);
  return said.has('--json') && limit <= LIMIT_MAX ? { as: said.get('--as'), owner: said.get('--owner'), limit } : undefined;
}

const DEFAULT_LIMIT = 5;

function topOf(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const git = statSync(join(at, '.git'), { throwIfNoEntry: false });
    if (git) return git.isDirectory() ? at : undefined;
    if (at === dirname(at)) return undefined;
  }
}

/** What is another user's is refused the whole way. */
function isOurs(top: string): boolean {
  const uid = process.getuid?.();
  return [top, join(top, '.git'), join(top, LIST)].every((path) => statSync(path, { throwIfNoEntry: false })?.uid === uid);
}

function storedAt({ file }: QuickPlace): Stored | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored;
  } catch {
    return undefined;
  }
}

function configsOf(top: string): string[] {
  const user = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return ['json', 'yaml', 'yml'].flatMap((end) => [join(top, `todone.config.${end}`), join(user, 'todone', `config.${end}`)]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What the files are, without reading them: a write changes at least one of these. */
const factsOf = (top: string): string => [...FILES.map((name) => join(top, name)).map(stampOf), vouchFor(top)].join('\n');

const vouchFor = (top: string): string => [join(top, '.git', 'config'), ...configsOf(top), fileURLToPath(import.meta.url)].map(stampOf).join('\n');

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : '-';
}
