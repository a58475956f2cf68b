/**
 * `todone serve`: the door for programs that speak HTTP. Does not own the list: what it is asked goes to the owner like any command.
 */
import { systemClock } from '../adapters/clock.ts';
import { isOwned } from '../adapters/owner.ts';
import { serveToken, tokenPath } from '../adapters/token-file.ts';
import type { Caller } from '../runs/caller.ts';
import type { App, Globals, Host, Serving } from '../surfaces/cli/app.ts';
import { serveHttp } from '../surfaces/http/server.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import { callerOutside, workerOf } from './caller.ts';
import { changesOf } from './changes.ts';
import { makeStateDir } from './place.ts';

const CONNECTIONS_MAX = 512;
const REQUESTS_MAX = 256;

/** Listens until the signal of `host`; `onListening` is told where. */
export async function serve(
  app: App,
  globals: Globals,
  host: Host,
  options: { readonly host: string; readonly port: number },
  onListening: (at: Serving) => void,
): Promise<CliFailure | undefined> {
  if (app.caller.kind === 'run') return RUN_REFUSED;
  const { stateDir, list: listPath } = app.paths;
  makeStateDir({ stateDir });
  const token = serveToken(stateDir);
  const callerNamed = (named: string | undefined): Caller =>
    workerOf(callerOutside({ named: named ?? globals.as, env: host.env, config: app.config, via: 'api' }));
  try {
    const listening = await serveHttp({
      ...options,
      version: host.version,
      token,
      door: app.door,
      callerNamed,
      changes: changesOf({ listPath, stateDir, clock: systemClock(), door: app.door, caller: callerNamed(undefined) }),
      isOwned: () => isOwned(stateDir),
      connectionsMax: CONNECTIONS_MAX,
      requestsMax: REQUESTS_MAX,
      onBug: (error) => host.err(`error: ${error instanceof Error ? (globals.verbose ? error.stack : error.message) : String(error)}\n`),
    });
    onListening({ url: listening.url, port: listening.port, token_file: tokenPath(stateDir) });
    if (!host.signal.aborted) await new Promise((resolve) => host.signal.addEventListener('abort', resolve, { once: true }));
    await listening.close();
    return undefined;
  } catch (error) {
    const failure = unheard(error, options);
    if (failure) return failure;
    throw error;
  }
}

const RUN_REFUSED: CliFailure = {
  kind: 'failure',
  code: 3,
  message: 'this is called from inside a run, and a run opens no door for others',
  remedy: 'start it outside',
};

function unheard(error: unknown, { host, port }: { readonly host: string; readonly port: number }): CliFailure | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = `cannot listen on ${host}, port ${port}`;
  if (code === 'EADDRINUSE') return { kind: 'failure', code: 3, message, why: 'another program listens there', remedy: 'name another with --port, 0 for any' };
  if (code === 'EACCES') return { kind: 'failure', code: 3, message, why: 'the port is kept for others', remedy: 'name one above 1023 with --port' };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return { kind: 'failure', code: 3, message, why: 'this machine has no such address', remedy: 'name one that it has with --host' };
  return undefined;
}
