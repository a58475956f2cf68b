/**
 * Requests to the owner of a list: over its socket where a daemon runs, else by owning the list for one turn. The same
 * request, the same turn, the same answer.
 */
import { existsSync } from 'node:fs';
import type { Clock, Door, HistoryRow, Log } from '../engine/ports.ts';
import type { Answer, Ask } from '../runs/ask.ts';
import type { Caller } from '../runs/caller.ts';
import type { Scene } from '../runs/choose.ts';
import { withoutDeadClaims } from '../runs/read-request.ts';
import { admitted, type Refusal, refusal, REQUESTS } from '../runs/requests.ts';
import { isOwned, type Ownership, takeOwnership } from '../adapters/owner.ts';
import { callSocket, NobodyListens } from '../adapters/socket-call.ts';
import { RemoteError } from '../adapters/socket-wire.ts';
import { socketPath } from '../adapters/socket-path.ts';
import { calledOf, isRefusal, look } from './door.ts';
import { makeStateDir, type Place } from './place.ts';
import type { Work } from './work.ts';

/** How long a request waits for an owner that is neither there nor gone; many callers without a daemon own the list in turn. */
const WAIT_MS_MAX = 60_000;
const TRIES_MIN = 20;
const TRY_MS = 40;

type Sender = {
  readonly place: Place;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** What is asked for may run commands. */ readonly runsCommands?: boolean;
};

export async function sendAsk(options: Sender & { readonly ask: Ask; readonly by: string }): Promise<Answer> {
  const { ask, by } = options;
  const sender = { ...options, runsCommands: ask.kind === 'branch' };
  const answer = await toOwner(sender, by, { kind: 'ask', ask, by, via: 'cli' }, ({ engine }) => engine.ask(ask, by, 'cli'));
  return (answer ?? { kind: 'refused', ...SILENT }) as Answer;
}

/** The door for whoever does not own the list: MCP over stdio, the command line. */
export function outsideDoor(sender: Sender, local: (caller: Caller) => Promise<LocalLook | Refusal>): Door {
  return {
    async call(request, input, caller) {
      const read = admitted(request, input, caller);
      const wire = { kind: 'call', name: request, input, caller };
      if (!('refusal' in read) && REQUESTS[request].readOnly) {
        const answer = await fromOwner(sender, wire);
        if (answer !== undefined) return calledOf(answer);
        const found = await local(caller);
        if (isRefusal(found)) return { ok: false, refusal: found };
        return look(request, read.input, caller, withoutDeadClaims(found.scene), found.history);
      }
      // What is refused goes to the owner too, where it is written down.
      const answer = await toOwner(sender, caller.name, wire, ({ door }) => door.call(request, input, caller));
      return answer === undefined ? { ok: false, refusal: refusal('unavailable', SILENT.message, SILENT.remedy) } : calledOf(answer);
    },
  };
}

export type LocalLook = { readonly scene: Scene; readonly history: (id: string) => readonly HistoryRow[] };

const SILENT = { message: 'the ToDone that owns this list does not answer', remedy: 'todone doctor shows its process' };

/** Undefined where no owner answers. */
async function fromOwner({ place, signal }: Sender, request: unknown): Promise<unknown> {
  if (!isOwned(place.stateDir)) return undefined;
  try {
    return await callSocket(socketPath(place.stateDir), request, signal);
  } catch (error) {
    // Looking needs no owner: one that is busy, going or older is no reason not to.
    if (error instanceof NobodyListens || error instanceof RemoteError) return undefined;
    throw error;
  }
}

/** The owner's answer; where there is none, as its owner for one turn. Undefined where neither could be had in time. */
async function toOwner(sender: Sender, by: string, request: unknown, here: (work: Work) => Promise<unknown>): Promise<unknown> {
  const { place, clock, signal } = sender;
  makeStateDir(place);
  const end = clock.ticks() + WAIT_MS_MAX;
  // Where a socket lies its owner is asked at once; whether there is one is looked at where nobody listens.
  let asksFirst = existsSync(socketPath(place.stateDir));
  for (let tries = 0; tries < TRIES_MIN || clock.ticks() < end; tries++) {
    const ownership = asksFirst ? undefined : takeOwnership(place.stateDir);
    asksFirst = false;
    if (ownership) {
      try {
        return await askOnce(sender, by, ownership, here);
      } finally {
        ownership.release();
      }
    }
    try {
      return await callSocket(socketPath(place.stateDir), request, signal);
    } catch (error) {
      // Between two owners: look again.
      if (!(error instanceof NobodyListens)) throw error;
    }
    // Many that wait for one another do not all look at the same moment.
    await new Promise((resolve) => clock.after(TRY_MS * (0.5 + Math.random()), () => resolve(undefined)));
  }
  return undefined;
}

async function askOnce(sender: Sender, by: string, ownership: Ownership, here: (work: Work) => Promise<unknown>): Promise<unknown> {
  const { place, clock, log, signal, runsCommands } = sender;
  const { openWork } = await import('./work.ts');
  const opened = await openWork({
    place,
    term: ownership.term,
    owns: () => ownership.holds(),
    clock,
    log,
    config: () => ({ ...place.config, claimAfter: 0 }),
    instance: by,
    works: false,
    runsCommands,
    waits: false,
    patienceMs: 0,
  });
  try {
    // An errand may take long, and is stopped with the command.
    signal?.addEventListener('abort', () => void opened.engine.stop(), { once: true });
    await opened.engine.start();
    const answer = await here(opened);
    await opened.engine.drain();
    return answer;
  } finally {
    await opened.close();
  }
}
