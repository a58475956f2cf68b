/**
 * Who sits in front of this process (7-R9): the person whose machine it is, a worker that names itself or is known by what its tool
 * sets, or an agent inside one of our runs, which cannot pass for a person by another name.
 */
import { insideRun } from '../adapters/inside-run.ts';
import type { Config } from '../config.ts';
import { type Caller, callerName } from '../runs/caller.ts';
import { agentAround, nameOutside, nameSaid, selfName } from './caller-name.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `named` = what `--as` says. A name that cannot stand in the list throws what is wrong with it. */
export function callerOf(options: { readonly named: string | undefined; readonly env: Env; readonly config: Config; readonly via: Caller['via'] }): Caller {
  const { env, config, via } = options;
  const name = nameSaid(options.named, env);
  if (name !== undefined && !callerName.safeParse(name).success) throw new BadName(name);
  const run = insideRun(env, process.pid);
  if (run !== undefined) return { kind: 'run', name: name ?? 'agent', via, ...(run === '' ? {} : { run }) };
  const agent = agentAround(env);
  const person = agent === undefined && (name === undefined || name === selfName() || config.people.includes(name));
  return { kind: person ? 'person' : 'worker', name: nameOutside(options.named, env), via };
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
