/**
 * Finds and reads the config: the repository's file over the user's over the defaults, every trouble with its file and
 * line (8-R1). While running, an invalid file leaves the last good config in force. Never writes a config.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { configSchema, defaultConfig, readConfig } from '../config.ts';
import type { Config, WrittenConfig } from '../config.ts';
import { lineOf, readLayer } from './config-text.ts';
import type { Layer } from './config-text.ts';

export type ConfigPlaces = {
  /** The top of the main worktree; undefined for the user's own config alone. */
  readonly repo: string | undefined;
  /** `--config`, as typed. */
  readonly named?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line sets for this process: `--agent`, `--interval`…; wins over every file. */
  readonly overrides?: WrittenConfig;
};

export type ConfigSource = { readonly kind: 'default' } | { readonly kind: 'option' } | { readonly kind: 'file'; readonly file: string; readonly line: number };

export type ConfigFileProblem = {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The key, dots between; empty where the file as a whole is meant. */
  readonly key: string;
  readonly message: string;
  readonly remedy: string;
};

export type LoadedConfig = {
  /** Undefined where there are problems. */
  readonly config?: Config;
  /** The files read, the strongest first. */
  readonly files: readonly string[];
  /** For every value of the config, by its key with dots, where it comes from. */
  readonly sources: ReadonlyMap<string, ConfigSource>;
  readonly problems: readonly ConfigFileProblem[];
};

const REPO_NAMES = ['todone.config.json', 'todone.config.yaml', 'todone.config.yml'];
const USER_NAMES = ['config.yaml', 'config.yml', 'config.json'];
const MAX_TYPOS = 2;

export function loadConfig(places: ConfigPlaces): LoadedConfig {
  return evaluate(places, readAll(places));
}

export type ConfigReload = {
  /** The config in force: the newest good one. */
  readonly config: Config;
  /** True where the config in force is another one than before. */
  readonly changed: boolean;
  /** What is wrong with the files as they are now; while there is anything, the last good config stays. */
  readonly problems: readonly ConfigFileProblem[];
  /** True where `problems` are not those of the look before. */
  readonly news: boolean;
};

export type ConfigWatch = { readonly current: () => Config; readonly reload: () => ConfigReload };

/** Looks at the files at each `reload`; `first` is a good config loaded from the same places. */
export function watchConfig(places: ConfigPlaces, first: Config): ConfigWatch {
  let config = first;
  let seen = fingerprint(readAll(places));
  let pending: string | undefined;
  let problems: readonly ConfigFileProblem[] = [];

  const reload = (): ConfigReload => {
    const texts = readAll(places);
    const now = fingerprint(texts);
    if (now === seen) {
      pending = undefined;
      return { config, changed: false, problems, news: false };
    }
    // An editor may have emptied the file only to write it the next moment: believed at the second look.
    if (isHollow(texts, places.repo === undefined ? 'user' : 'repo') && pending !== now) {
      pending = now;
      return { config, changed: false, problems, news: false };
    }
    seen = now;
    pending = undefined;
    const loaded = evaluate(places, texts);
    const news = JSON.stringify(loaded.problems) !== JSON.stringify(problems);
    problems = loaded.problems;
    const next = loaded.config;
    const changed = next !== undefined && JSON.stringify(next) !== JSON.stringify(config);
    if (changed) config = next;
    return { config, changed, problems, news };
  };
  return { current: () => config, reload };
}

/** The JSON schema of what a person writes, for editors (`todone.schema.json`). */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'The configuration of ToDone' }, null, 2)}\n`;
}

/** `todone.config.yaml:3:5: agents.x.command: … Fix: …`, one line. */
export function describeConfigProblem(problem: ConfigFileProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const key = problem.key === '' ? '' : `${problem.key}: `;
  return `${place === '' ? '' : `${place}: `}${key}${problem.message} (${problem.remedy})`;
}

// ── finding and reading ──────────────────────────────────────────────────────────────────────────

type Text = {
  readonly file: string;
  readonly bytes?: Buffer;
  readonly error?: NodeJS.ErrnoException;
  readonly mustExist: boolean;
  readonly scope: 'repo' | 'user';
};

/** Every file that could speak, the strongest first; those that are missing and may be are left out. */
function readAll(places: ConfigPlaces): readonly Text[] {
  const texts = [...readOfRepo(places), ...USER_NAMES.map((name) => readText(join(userFolder(places.env), name), false, 'user'))];
  return texts.filter((text) => text.mustExist || text.error?.code !== 'ENOENT');
}

function readOfRepo({ repo, named, cwd, env }: ConfigPlaces): Text[] {
  if (repo === undefined) return [];
  const chosen = named ?? (env['TODONE_CONFIG'] || undefined);
  return chosen === undefined ? REPO_NAMES.map((name) => readText(join(repo, name), false, 'repo')) : [readText(resolve(cwd, chosen), true, 'repo')];
}

/** Where the user's own config is. */
export function userFolder(env: ConfigPlaces['env']): string {
  const base = env['XDG_CONFIG_HOME'];
  // The XDG rule: a relative one is ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(env['HOME'] ?? homedir(), '.config'), 'todone');
}

function readText(file: string, mustExist: boolean, scope: Text['scope']): Text {
  try {
    return { file, bytes: readFileSync(file), mustExist, scope };
  } catch (error) {
    return { file, error: error as NodeJS.ErrnoException, mustExist, scope };
  }
}

const fingerprint = (texts: readonly Text[]): string =>
  JSON.stringify(texts.map((text) => [text.file, text.bytes?.toString('base64') ?? text.error?.code ?? 'unreadable']));

/** The config is away or empty: as an editor leaves it for a moment while saving. */
const isHollow = (texts: readonly Text[], scope: Text['scope']): boolean =>
  !texts.some((text) => text.scope === scope && text.bytes !== undefined && text.bytes.length > 0);

// ── judging ──────────────────────────────────────────────────────────────────────────────────────

function evaluate(places: ConfigPlaces, texts: readonly Text[]): LoadedConfig {
  const problems: ConfigFileProblem[] = [];
  const layers: Layer[] = [];
  for (const scope of ['repo', 'user'] as const) {
    const several = texts.filter((text) => text.scope === scope);
    if (several.length < 2) continue;
    const names = several.map((text) => text.file).join(' and ');
    problems.push({
      ...(several[1] && { file: several[1].file }),
      key: '',
      message: `there are two configs: ${names}`,
      remedy: 'keep one of them and move its keys together',
    });
  }
  for (const text of texts) {
    if (text.bytes === undefined) problems.push(unreadable(text));
    else {
      const read = readLayer(text.file, text.bytes);
      problems.push(...read.problems);
      if (read.layer) layers.push(read.layer);
      if (read.layer && text.scope === 'repo' && 'projects' in read.layer.value) {
        const { line, column } = lineOf(read.layer, 'projects');
        const remedy = `move it to ${join(userFolder(places.env), USER_NAMES[0] ?? '')}`;
        problems.push({ file: text.file, line, column, key: 'projects', message: "a repository's config cannot name others", remedy });
      }
    }
  }
  const files = texts.map((text) => text.file);
  if (problems.length > 0) return { files, sources: new Map(), problems };

  const written = [places.overrides ?? {}, ...layers.map((layer) => layer.value)].reduceRight((under, over) => merge(under, over), {});
  const result = readConfig(written);
  if ('problems' in result) {
    return { files, sources: new Map(), problems: result.problems.map(({ key, message }) => placed(layers, key, message)) };
  }
  return { config: result.config, files, sources: sourcesOf(result.config, places.overrides ?? {}, layers), problems: [] };
}

function unreadable(text: Text): ConfigFileProblem {
  const missing = text.error?.code === 'ENOENT';
  return {
    file: text.file,
    key: '',
    message: missing ? 'there is no such file' : `cannot be read (${text.error?.code ?? 'unknown error'})`,
    remedy: missing ? 'check --config or TODONE_CONFIG' : 'make it a readable file, or remove it',
  };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps are merged key by key; anything else of `over` wins whole. */
function merge(under: object, over: object): object {
  const merged = new Map<string, unknown>(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged.get(key);
    merged.set(key, isMap(value) && isMap(below) ? merge(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The problem at the line of its key in the strongest file that has it, or of the nearest key around it. */
function placed(layers: readonly Layer[], key: string, message: string): ConfigFileProblem {
  const near = nearestKey(key);
  const remedy = near === undefined ? 'see todone.schema.json for every key, or remove this one to get the default' : `did you mean "${near}"?`;
  const found = layers.map((layer) => ({ layer, at: lineOf(layer, key) })).sort((a, b) => b.at.depth - a.at.depth)[0];
  if (!found || found.at.depth === 0) return { ...(layers[0] && { file: layers[0].file }), key, message, remedy };
  return { file: found.layer.file, line: found.at.line, column: found.at.column, key, message, remedy };
}

/** For a mistyped key, the one that was meant: at most two characters away, among the keys at its place. */
function nearestKey(key: string): string | undefined {
  const path = key.split('.');
  const last = path.pop() ?? '';
  const around = path.reduce<unknown>((at, part) => (isMap(at) ? at[part] : undefined), defaultConfig);
  const names = path.length === 0 ? Object.keys(configSchema.shape) : isMap(around) ? Object.keys(around) : [];
  if (names.includes(last)) return undefined;
  return names
    .map((name) => ({ name, far: distance(name.toLowerCase(), last.toLowerCase()) }))
    .filter(({ far }) => far <= MAX_TYPOS)
    .sort((a, b) => a.far - b.far)[0]?.name;
}

/** Levenshtein's, for short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function sourcesOf(config: Config, overrides: object, layers: readonly Layer[]): Map<string, ConfigSource> {
  const sources = new Map<string, ConfigSource>();
  for (const path of leaves(config, [])) {
    sources.set(path.join('.'), sourceOf(path, overrides, layers));
  }
  return sources;
}

function sourceOf(path: readonly string[], overrides: object, layers: readonly Layer[]): ConfigSource {
  if (has(overrides, path)) return { kind: 'option' };
  for (const layer of layers) {
    if (has(layer.value, path)) return { kind: 'file', file: layer.file, line: lineOf(layer, path.join('.')).line };
  }
  return { kind: 'default' };
}

function has(value: unknown, path: readonly string[]): boolean {
  let at = value;
  for (const key of path) {
    if (!isMap(at) || !Object.hasOwn(at, key) || at[key] === undefined) return false;
    at = at[key];
  }
  return true;
}

function leaves(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (value === undefined) return [];
  if (!isMap(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
