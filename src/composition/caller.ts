/**
 * Who sits in front of this process (7-R9): the person whose machine it is, a worker that names itself or is known by what its tool
 * sets, or an agent inside one of our runs, which cannot pass for a person by another name.
 */
import { hostname, userInfo } from 'node:os';
import { insideRun } from '../adapters/inside-run.ts';
import type { Config } from '../config.ts';
import { type Caller, callerName } from '../runs/caller.ts';

/** Variables that coding agents set for the commands that they run. */
const AGENT_MARKS: Readonly<Record<string, string>> = {
  CLAUDECODE: 'claude',
  GEMINI_CLI: 'gemini',
  CODEX_SANDBOX: 'codex',
  CODEX_SANDBOX_NETWORK_DISABLED: 'codex',
  OPENCODE: 'opencode',
  CURSOR_AGENT: 'cursor',
};

type Env = Readonly<Record<string, string | undefined>>;

/** `named` = what `--as` says. A name that cannot stand in the list throws what is wrong with it. */
export function callerOf(options: { readonly named: string | undefined; readonly env: Env; readonly config: Config; readonly via: Caller['via'] }): Caller {
  const { env, config, via } = options;
  const self = `${userInfo().username}@${hostname()}`.replaceAll(/[^\p{L}\p{N}@._-]/gu, '-');
  const name = options.named ?? (env['TODONE_INSTANCE'] || undefined);
  if (name !== undefined && !callerName.safeParse(name).success) throw new BadName(name);
  const run = insideRun(env, process.pid);
  if (run !== undefined) return { kind: 'run', name: name ?? 'agent', via, ...(run === '' ? {} : { run }) };
  const mark = Object.keys(AGENT_MARKS).find((key) => (env[key] ?? '') !== '');
  if (name === undefined && mark !== undefined) return { kind: 'worker', name: `${AGENT_MARKS[mark]}-${self}`, via };
  const person = name === undefined || name === self || config.people.includes(name);
  return { kind: person && mark === undefined ? 'person' : 'worker', name: name ?? self, via };
}

/** Behind a door for programs sits no person (13-R1), and what stands there under a person's name does not get that person's claims. */
export const workerOf = (caller: Caller): Caller => (caller.kind === 'person' ? { ...caller, kind: 'worker', name: `${caller.via}-${caller.name}` } : caller);

class BadName extends Error {
  override name = 'BadName';
  readonly remedy = 'a name has no white space, commas, brackets or backticks: --as ci-1';
  constructor(name: string) {
    super(`"${name}" cannot be the name of a worker`);
  }
}
