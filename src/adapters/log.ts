/**
 * The log: one JSON line per event in `daemon.log`, on disk at once and rotated by size, and a line for people (or JSON)
 * on stderr. Everything is redacted and free of control characters before it goes anywhere. Never throws: a full disk
 * must not stop the work.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import type { Log, LogLevel } from '../engine/ports.ts';
import { humanLine } from './log-line.ts';
import { rotatingFile } from './log-file.ts';

export type LogOptions = {
  /** Where `daemon.log` is kept; without it nothing is stored. */
  readonly stateDir?: string;
  /** Where lines for whoever watches go; without it nothing is shown. */
  readonly screen?: { readonly write: (text: string) => unknown };
  /** Of several in one process, the one that this is about; said with every line. */
  readonly project?: string;
  /** `json` for `--json`; else lines for people. */
  readonly style: 'human' | 'json';
  readonly color: boolean;
  /** The least level shown on the screen; the file has everything from `debug` with `--verbose`, else from `info`. */
  readonly level: LogLevel | 'silent';
  readonly now: () => number;
  /** Takes secrets out. */
  readonly redact: (text: string) => string;
  /** Takes control characters out. */
  readonly plain: (text: string) => string;
  readonly maxBytes?: number;
};

export type OpenLog = Log & {
  /** The file, where there is one. */
  readonly file?: string;
  close(): void;
};

const LOG_FILE = 'daemon.log';
const MAX_BYTES = 10 * 1024 * 1024;
const KEPT_FILES = 3;
const MAX_TEXT_CHARS = 8192;
/** Redacted before it is cut to size: half a secret would not be recognised. */
const MAX_READ_CHARS = 8 * MAX_TEXT_CHARS;
const MAX_DEPTH = 5;
const MAX_ITEMS = 100;

const RANK: Readonly<Record<LogLevel | 'silent', number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 };
/** Names of values that are secrets whatever they look like; figures (`tokens: 12`) are none. */
const SECRET_NAME = /pass(word|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key/i;
/** What pino writes itself. */
const TAKEN: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

export function openLog(options: LogOptions): OpenLog {
  const path = options.stateDir === undefined ? undefined : join(options.stateDir, LOG_FILE);
  const file = path === undefined ? undefined : rotatingFile(path, options.maxBytes ?? MAX_BYTES, KEPT_FILES);
  const inFile = file && jsonLines(options, Math.min(RANK.info, RANK[options.level]), file.write);
  const onScreen = options.screen && (options.style === 'json' ? jsonLines(options, RANK[options.level], show) : undefined);
  const clean = (text: string): string => shortened(options.plain(options.redact(text.slice(0, MAX_READ_CHARS))));

  function show(line: string): void {
    try {
      options.screen?.write(line);
    } catch {
      // The terminal is gone; the file has it.
    }
  }

  return {
    ...(path !== undefined && { file: path }),
    write(level, message, fields = {}) {
      const said = clean(message);
      const values = cleanFields(fields, clean);
      inFile?.[level](values, said);
      if (!options.screen) return;
      if (onScreen) onScreen[level](values, said);
      else if (RANK[level] >= RANK[options.level])
        show(humanLine({ at: options.now(), level, message: said, fields: values, project: options.project, color: options.color }));
    },
    close: () => file?.close(),
  };
}

function jsonLines(options: LogOptions, least: number, write: (line: string) => void): pino.Logger {
  const label = least >= RANK.silent ? 'silent' : ((Object.keys(RANK) as LogLevel[]).find((level) => RANK[level] === least) ?? 'info');
  return pino(
    {
      base: options.project === undefined ? undefined : { project: options.project },
      level: label,
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      formatters: { level: (name) => ({ level: name }) },
    },
    { write },
  );
}

const shortened = (text: string): string => (text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text);

function cleanFields(fields: Readonly<Record<string, unknown>>, clean: (text: string) => string): Record<string, unknown> {
  const cleaned = cleanValue(fields, clean, 0) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(cleaned).map(([key, value]) => [TAKEN.has(key) ? `${key}_` : key, value]));
}

function cleanValue(value: unknown, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return cleanError(value, clean);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  if (depth >= MAX_DEPTH) return '…';
  if (value instanceof Map) return cleanValue(Object.fromEntries(value), clean, depth);
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, MAX_ITEMS).map((item) => cleanValue(item, clean, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([key, inner]) => [clean(key), isSecret(key, inner) ? '[redacted]' : cleanValue(inner, clean, depth + 1)]));
}

const isSecret = (key: string, value: unknown): boolean => typeof value === 'string' && value !== '' && SECRET_NAME.test(key);

function cleanError(error: Error, clean: (text: string) => string): Record<string, unknown> {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: error.name, message: clean(error.message), ...code, stack: clean(error.stack ?? '') };
}
