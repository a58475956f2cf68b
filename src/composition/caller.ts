/**
 * Who sits in front of this process (7-R9): the person whose machine it is, a worker that names itself or is known by what its tool
 * sets, or an agent inside one of our runs, which cannot pass for a person by another name.
 */
import { insideRun } from '../adapters/inside-run.ts';
import type { Config } from '../config.ts';
import { type Caller, callerName } from '../runs/caller.ts';
import { agentAround, nameOutside, nameSaid, selfName } from './caller-name.ts';

type Env = Readonly<Record<string, string | undefined>>;

type Asker = { readonly named: string | undefined; readonly env: Env; readonly config: Config; readonly via: Caller['via'] };

/** `named` = what `--as` says. A name that cannot stand in the list throws what is wrong with it. */
export function callerOf(asker: Asker): Caller {
  const outside = callerOutside(asker);
  const run = insideRun(asker.env, process.pid);
  if (run === undefined) return outside;
  return { kind: 'run', name: nameSaid(asker.named, asker.env) ?? 'agent', via: asker.via, ...(run === '' ? {} : { run }) };
}

/** The same in a process that is known to be part of no run, which it can never become: without looking at those above it again. */
export function callerOutside({ named, env, config, via }: Asker): Caller {
  const name = nameSaid(named, env);
  if (name !== undefined && !callerName.safeParse(name).success) throw new BadName(name);
  const person = agentAround(env) === undefined && (name === undefined || name === selfName() || config.people.includes(name));
  return { kind: person ? 'person' : 'worker', name: nameOutside(named, env), via };
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
