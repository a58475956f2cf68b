/**
 * `task ready --json` asked again (11-R1): while list, journal and config are as they were, the answer is, too, and is given from the
 * user's own cache before anything else is loaded. Knows nothing of tasks; what it cannot be sure of goes the whole way.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The list is old enough by then for nothing in it to be half typed. */
const STILL_MS = 10_000;
const AGE_MS_MAX = 24 * 3_600_000;
const SIMPLE = /^(?:--json|--quiet|--limit(?:=\d+)?|--owner(?:=.+)?|--as(?:=.+)?|\d+|[\w.@][\w.@-]*)$/;
const FILES = ['tasks.md', '.git/HEAD', '.git/todone/journal.db', '.git/todone/journal.db-wal'];

type Stored = { readonly facts: string; readonly until: number; readonly out: string };

/** What was answered to the same words when everything was as it is now; undefined = go the whole way. */
export function quickAnswer(argv: readonly string[], now: number): string | undefined {
  const place = placeOf(argv);
  if (!place) return undefined;
  try {
    const stored = JSON.parse(readFileSync(place.file, 'utf8')) as Stored;
    return stored.facts === factsOf(place.top) && now < stored.until ? stored.out : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps an answer, where nothing but a change of a file or the end of a day could change it. `before` = `factsBefore`. */
export function keepAnswer(argv: readonly string[], out: string, before: string | undefined, now: number): void {
  const place = placeOf(argv);
  if (!place || before === undefined || before !== factsOf(place.top)) return;
  try {
    const list = join(place.top, 'tasks.md');
    const text = readFileSync(list, 'utf8');
    // Somebody holds a task, and the hold may run out by itself; or the list is being typed.
    // A config may name another list.
    if (configsOf(place.top).some((path) => readText(path).includes('tasks'))) return;
    if (text.includes('🟡') || now - statSync(list).mtimeMs < STILL_MS) return;
    const until = Math.min(now + AGE_MS_MAX, ...futureDates(text, now));
    mkdirSync(dirname(place.file), { recursive: true, mode: 0o700 });
    writeFileSync(`${place.file}.${process.pid}`, JSON.stringify({ facts: before, until, out } satisfies Stored), { mode: 0o600 });
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
function futureDates(text: string, now: number): number[] {
  return [...text.matchAll(/\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?/g)]
    .map(([date]) => Date.parse(date.length === 10 ? `${date}T00:00` : date))
    .filter((at) => at > now);
}

function placeOf(argv: readonly string[]): { readonly top: string; readonly file: string } | undefined {
  if (argv[0] !== 'task' || argv[1] !== 'ready' || !argv.includes('--json') || !argv.slice(2).every((word) => SIMPLE.test(word))) return undefined;
  // Only the plain case: a repository of one's own, with the list where it is by default.
  const { env } = process;
  if (env['GIT_DIR'] !== undefined || env['TODONE_CONFIG'] !== undefined) return undefined;
  const top = topOf(process.cwd());
  if (top === undefined) return undefined;
  const words = JSON.stringify([top, argv, env['TODONE_INSTANCE'], env['USER'], env['TZ'], process.getuid?.(), import.meta.url]);
  const name = createHash('sha256').update(words).digest('hex').slice(0, 32);
  return { top, file: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'todone', 'ready', `${name}.json`) };
}

function topOf(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const git = statSync(join(at, '.git'), { throwIfNoEntry: false });
    if (git) return git.isDirectory() ? at : undefined;
    if (at === dirname(at)) return undefined;
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
function factsOf(top: string): string {
  return [...FILES.map((name) => join(top, name)), ...configsOf(top), fileURLToPath(import.meta.url)]
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : '-';
    })
    .join('\n');
}
