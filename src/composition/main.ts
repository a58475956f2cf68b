/**
 * The command line's surroundings: streams, signals, the clock, and how a list is opened. Catches what is thrown, which is a bug or a
 * refusal that knows its remedy.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { text as allOf } from 'node:stream/consumers';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { factsBefore, keepAnswer } from './quick.ts';
import { openPlace, versionOf } from './place.ts';
import { serveBacklog, serveRun } from './mcp.ts';
import { openApp, openToRead, type Signals, usableList } from './app.ts';
import { lookAtAll } from './all-projects.ts';
import { findProject } from './projects.ts';
import type { Globals, Host } from '../surfaces/cli/app.ts';
import { runCli } from '../surfaces/cli/cli.ts';

/** "Please report": apart from every code of 7-R1. */
const BUG = 70;
/** After the second signal this long is left for what has to be written. */
const STOP_MS = 15_000;

export async function main(argv: readonly string[]): Promise<number> {
  const signals = listenForSignals();
  const host = hostOf(signals);
  try {
    const facts = factsBefore(argv);
    let said = '';
    const code = await runCli([...argv], facts === undefined ? host : { ...host, out: (text) => (host.out(text), void (said += text)) });
    await flush();
    if (code === 0) keepAnswer(argv, said, facts, host.now(), leaseEnds);
    return code;
  } catch (error) {
    return tellThrown(error, host, argv.includes('--verbose'));
  }
}

/** When the claims of workers run out, in ms since 1970. */
function leaseEnds(stateDir: string): readonly number[] {
  const journal = openJournalReadOnly({ stateDir });
  try {
    return journal.load().runs.flatMap(({ outside }) => outside?.until ?? []);
  } finally {
    journal.close();
  }
}

function hostOf(signals: Signals): Host {
  const host: Host = {
    version: versionOf(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTTY: process.stdout.isTTY,
    width: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
    env: process.env,
    now: () => Date.now(),
    signal: signals.drain,
    wait: (ms) => wait(ms, signals.drain),
    read: readSource,
    ...(process.stdin.isTTY && process.stdout.isTTY ? { question: (words: string) => question(words, signals.drain) } : {}),
    async open(globals, listless = false) {
      const place = await openPlace(await placeOptions(globals, host));
      if ('kind' in place) return place;
      const unusable = usableList(place);
      return unusable && !listless ? unusable : openApp(place, globals, host, signals, unusable && '');
    },
    async auditPublished(globals, remote, issue) {
      const place = await openPlace(await placeOptions(globals, host));
      if ('kind' in place) return place;
      const { auditRemote } = await import('./audit-published.ts');
      return auditRemote({ place, remote, issue, now: Date.now() }, signals.drain);
    },
    async init(globals, options) {
      const place = await openPlace(await placeOptions(globals, host));
      if ('kind' in place) return place;
      const { initPlace } = await import('./init.ts');
      return initPlace(place, options);
    },
    async mcp(globals) {
      const { TODONE_SOCKET: socket, TODONE_TOKEN: token } = process.env;
      if (socket !== undefined && token !== undefined) {
        await serveRun({ socket, token });
        return undefined;
      }
      const app = await host.open(globals);
      return 'kind' in app ? app : serveBacklog(app, globals, host);
    },
    async serve(globals, options, onListening) {
      const app = await host.open(globals);
      if ('kind' in app) return app;
      const { serve } = await import('./serve.ts');
      return serve(app, globals, host, options, onListening);
    },
    lookAtAll: (globals, look) => lookAtAll(globals, (one) => openToRead(one, host, signals), look),
    async inProject(globals, word) {
      const found = await findProject(word, process.cwd(), process.env);
      return 'kind' in found ? found : { project: found.name, globals: { ...globals, repo: found.path } };
    },
    async startAll(globals, options) {
      const { startFleet } = await import('./fleet.ts');
      return startFleet({ globals, host, signals, ...options });
    },
    async doctor(globals, options) {
      const { doctor } = await import('./doctor.ts');
      return doctor(globals, process.cwd(), options.fix);
    },
  };
  return host;
}

async function placeOptions(globals: Globals, host: Host) {
  const { repo, tasks, config, overrides } = globals;
  if (!globals.demo) return { cwd: process.cwd(), env: process.env, repo, tasks, config, overrides };
  const { makeDemo } = await import('./demo.ts');
  const top = await makeDemo();
  host.err(`a throw-away repository: ${top}\n`);
  return { cwd: top, env: process.env, overrides };
}

async function question(words: string, signal: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const over = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    return await Promise.race([lines.question(words, { signal }), over]);
  } catch {
    // Ctrl-C: the signal is heard elsewhere.
    return undefined;
  } finally {
    lines.close();
  }
}

async function readSource(path: string): Promise<string | undefined> {
  try {
    return path === '-' ? await allOf(process.stdin) : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The first signal drains, the second stops, the third ends it here. */
function listenForSignals(): Signals {
  const drain = new AbortController();
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    if (!drain.signal.aborted) return drain.abort();
    stop.abort();
    setTimeout(() => process.exit(130), STOP_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A reader that went away (`| head`) is no fault.
  process.stdout.on('error', () => process.exit(0));
  process.stderr.on('error', () => undefined);
  return { drain: drain.signal, stop: stop.signal };
}

function tellThrown(error: unknown, host: Host, verbose: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof Error && 'remedy' in error ? String(error.remedy) : undefined;
  if (verbose && error instanceof Error) host.err(`${error.stack ?? ''}\n`);
  if (remedy !== undefined) {
    host.err(`error: ${message}\n  do: ${remedy}\n`);
    return 3;
  }
  const system = systemCodeOf(error);
  const known = system === undefined ? undefined : SYSTEM_REMEDIES[system];
  if (known !== undefined) {
    host.err(`error: ${message}\n  do: ${known}\n`);
    return 3;
  }
  host.err(`error: this is a bug in ToDone: ${message}\n  do: please report it, with what --verbose adds; the list and the repository are as they were\n`);
  return BUG;
}

/** The system's word for what went wrong, also where SQLite says it in its own. */
function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return SQLITE_CODES[error.errcode & 0xff];
  return 'syscall' in error && 'code' in error ? String(error.code) : undefined;
}

/** SQLITE_READONLY, _IOERR, _FULL, _CANTOPEN. */
const SQLITE_CODES: Readonly<Record<number, string>> = { 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES' };

const SYSTEM_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk and start again: nothing is half done',
  EDQUOT: 'make room in your quota and start again: nothing is half done',
  EROFS: 'the file system is read-only: mount it writable',
  EACCES: 'give yourself the right to it',
  EPERM: 'give yourself the right to it',
  EIO: 'the disk does not answer as it should: see what the system log says of it',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** What was written to a pipe may still be on its way. */
async function flush(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await new Promise((resolve) => stream.once('drain', resolve));
}
