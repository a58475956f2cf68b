/**
 * The configuration that git runs with: a private copy, flattened from the person's system, global and repository
 * config at the daemon's start (4-R11). An agent can write `.git/config`; what names a program there counts only if it
 * stood there when ToDone first saw the repository. Never writes a config that is not ToDone's own.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type ConfigEntry = {
  readonly scope: 'system' | 'global' | 'local' | 'worktree' | 'command';
  /** Section and name in lower case, the part between as written. */
  readonly key: string;
  /** Undefined where the key stands alone, which git reads as true. */
  readonly value: string | undefined;
};

export type TrustedConfig = {
  readonly entries: readonly ConfigEntry[];
  /** Keys of the repository's config that name programs, came after the first sight, and are therefore not used. */
  readonly untrusted: readonly string[];
  /** The last value, as git takes it. */
  get(key: string): string | undefined;
  /** The same without the repository's own config. */
  getGlobal(key: string): string | undefined;
};

/** Never taken over: where the work tree is, other files, what would start programs or change how an index is stored. */
const LEFT_OUT = [
  /^include(if\..*)?\./,
  /^alias\./,
  /^trace2\./,
  /^feature\./,
  /^splitindex\./,
  /^core\.(worktree|bare|hookspath|fsmonitor|untrackedcache|splitindex|sparsecheckout|sparsecheckoutcone|ignorestat|pager|editor|alternaterefscommand|gitproxy)$/,
  /^(index\.sparse|extensions\.worktreeconfig|submodule\.recurse|diff\.external)$/,
];

/** Values of the repository's config that only say how bytes and names are treated: taken over fresh at each start. */
const DATA = [
  /^(user|author|committer|i18n|pack)\.[a-z0-9]+$/,
  /^core\.(repositoryformatversion|filemode|autocrlf|eol|safecrlf|ignorecase|precomposeunicode|symlinks|protecthfs|protectntfs|longpaths|quotepath)$/,
  /^core\.(trustctime|checkstat|checkroundtripencoding|abbrev|compression|loosecompression|bigfilethreshold|sharedrepository|logallrefupdates)$/,
  /^core\.(excludesfile|attributesfile|whitespace|preloadindex|commitgraph|multipackindex|createobject|fsync|fsyncmethod)$/,
  /^extensions\.(objectformat|refstorage|compatobjectformat|relativeworktrees|noop)$/,
  /^(merge\.(renames|renamelimit|directoryrenames|conflictstyle)|diff\.(renames|renamelimit|algorithm))$/,
];

/** Keys worth telling a person about when they are not used. */
const TELLING = /^(filter|merge|gpg|lfs)\.|^core\.sshcommand$|^extensions\.partialclone$/;

/** Reads `git config --list -z --show-scope`. */
export function parseConfigList(output: Buffer): ConfigEntry[] {
  const parts = output.toString('utf8').split('\0');
  const entries: ConfigEntry[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const text = parts[i + 1]!;
    const cut = text.indexOf('\n');
    entries.push({ scope: parts[i] as ConfigEntry['scope'], key: cut < 0 ? text : text.slice(0, cut), value: cut < 0 ? undefined : text.slice(cut + 1) });
  }
  return entries;
}

/** What of the config is believed, given what stood in the repository's own at first sight. */
export function trust(all: readonly ConfigEntry[], firstSight: readonly string[] | undefined): TrustedConfig {
  const known = new Set(firstSight);
  const usable = all.filter((entry) => entry.scope !== 'command' && !LEFT_OUT.some((pattern) => pattern.test(entry.key)));
  const believed = (entry: ConfigEntry): boolean => !isLocal(entry) || isData(entry) || firstSight === undefined || known.has(spell(entry));
  const entries = usable.filter(believed);
  const global = entries.filter((entry) => !isLocal(entry));
  const untrusted = usable.filter((entry) => !believed(entry) && TELLING.test(entry.key)).map((entry) => entry.key);
  const last = (from: readonly ConfigEntry[], key: string): string | undefined => {
    const found = from.findLast((entry) => entry.key === key);
    return found && (found.value ?? 'true');
  };
  return { entries, untrusted: [...new Set(untrusted)], get: (key) => last(entries, key), getGlobal: (key) => last(global, key) };
}

/** Which keys the repository's config had when ToDone first saw it. */
export const FIRST_SIGHT = 'first-sight.json';

/** The trusted config at `dir`, from what git says now and what was written there at first sight. */
export function storeTrusted(dir: string, all: readonly ConfigEntry[]): TrustedConfig {
  const sightFile = join(dir, FIRST_SIGHT);
  const firstSight = readFirstSight(sightFile);
  const config = trust(all, firstSight);
  if (firstSight === undefined) {
    const keys = all.filter((entry) => isLocal(entry) && !isData(entry)).map(spell);
    writeWhole(sightFile, `${JSON.stringify({ version: 1, keys }, null, 1)}\n`);
  }
  writeWhole(join(dir, 'config'), renderConfig(config.entries));
  return config;
}

/** True where git would take the value as yes. */
export function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(true|yes|on|[1-9][0-9]*)$/i.test(value);
}

/** Entries as a config file that git reads back as the same. */
export function renderConfig(entries: readonly ConfigEntry[]): string {
  return entries.map(renderEntry).join('');
}

/** Beside, then renamed: a crash leaves the old file or the new one. What stands there already is not written again. */
export function writeWhole(file: string, text: string): void {
  if (holds(file, text)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}

/** Reading costs a tenth of replacing: there the file system waits for its disk. */
function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return false;
  }
}

function renderEntry(entry: ConfigEntry): string {
  const first = entry.key.indexOf('.');
  const last = entry.key.lastIndexOf('.');
  const section = entry.key.slice(0, first);
  const middle = first === last ? '' : ` "${entry.key.slice(first + 1, last).replaceAll(/["\\]/g, '\\$&')}"`;
  const name = entry.key.slice(last + 1);
  return `[${section}${middle}]\n\t${name}${entry.value === undefined ? '' : ` = ${quote(entry.value)}`}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\b': '\\b' };

function quote(value: string): string {
  return `"${value.replaceAll(/[\\"\n\t\b]/g, (char) => ESCAPES[char] ?? char)}"`;
}

function isLocal(entry: ConfigEntry): boolean {
  return entry.scope === 'local' || entry.scope === 'worktree';
}

function isData(entry: ConfigEntry): boolean {
  return DATA.some((pattern) => pattern.test(entry.key));
}

function spell(entry: ConfigEntry): string {
  return entry.value === undefined ? entry.key : `${entry.key}=${entry.value}`;
}

function readFirstSight(file: string): readonly string[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  // A file that is there but cannot be read means: trust nothing.
  try {
    const stored = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(stored.keys) ? stored.keys.filter((key) => typeof key === 'string') : [];
  } catch {
    return [];
  }
}
