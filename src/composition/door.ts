/**
 * The one door of every interface (CLI, MCP, HTTP, tRPC): a request of the table in, its output or a refusal out. In the owner's
 * process it goes to the engine; in any other to the owner over its socket, or, where there is none, to an engine that lives for
 * this one request. The same request, the same turn, the same answer.
 */
import { z } from 'zod';
import type { Engine, Snapshot } from '../engine/engine.ts';
import type { Clock, Door, HistoryRow } from '../engine/ports.ts';
import type { ChangeName } from '../runs/answer-request.ts';
import type { Answer, Ask } from '../runs/ask.ts';
import { type Caller, callerSchema } from '../runs/caller.ts';
import type { Scene } from '../runs/choose.ts';
import { depTrees, getTask, historyOf, listTasks, mineTasks, readyTasks, unknownTask, waitingTasks } from '../runs/read-request.ts';
import { admitted, type Called, isRequest, REFUSALS, refusal, type Refusal, type RequestInput, type RequestName, REQUESTS } from '../runs/requests.ts';
import { resolve } from '../runs/resolve.ts';
import { draftOf, knownIn } from '../runs/world.ts';
import type { Config } from '../config.ts';

/** What the owner's process has at hand. */
export type OwnersPlace = {
  readonly engine: Engine;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly history: (id: string) => readonly HistoryRow[];
  /** The commit that a hash means, if a branch can reach it. */
  readonly reachable: (hash: string) => Promise<{ readonly commit: string; readonly hash: string } | undefined>;
};

/** The door in the process that owns the list. */
export function ownersDoor(place: OwnersPlace): Door {
  return {
    async call(request, input, caller) {
      const read = admitted(request, input, caller);
      if ('refusal' in read) return no(read.refusal);
      if (REQUESTS[request].readOnly) {
        // A person may have saved it a moment ago; the watcher is only a hint.
        await place.engine.look();
        const scene = sceneOfNow(place, caller);
        return scene ? look(request, read.input, caller, scene, place.history) : no(refusal('unavailable', 'the list has not been read', 'see todone doctor'));
      }
      const ask = await askOf(request, read.input, caller, place);
      return answered(await place.engine.ask(ask, caller.name, caller.via));
    },
  };
}

function sceneOfNow({ engine, config, clock }: OwnersPlace, caller: Caller): Scene | undefined {
  const { board, world, problems }: Snapshot = engine.now();
  return board && { board, draft: draftOf(world), config: config(), now: clock.now(), problems, instance: caller.name, common: engine.common() };
}

type Words = { readonly task?: string; readonly fresh?: boolean; readonly section?: string; readonly hash?: string };

/** Requests that were there before the table. */
const RUN_ASKS: Readonly<Record<string, (words: Words) => Ask>> = {
  'run.stop': ({ task = '' }) => ({ kind: 'stop', task }),
  'run.retry': ({ task = '', fresh = false }) => ({ kind: 'retry', task, fresh }),
  'run.pause': ({ section }) => ({ kind: 'pause', section }),
  'run.resume': ({ section }) => ({ kind: 'resume', section }),
};

async function askOf<N extends RequestName>(request: N, input: RequestInput<N>, caller: Caller, place: OwnersPlace): Promise<Ask> {
  const words: Words & Readonly<Record<string, unknown>> = input;
  const made = RUN_ASKS[request];
  if (made) return made(words);
  const facts = words.hash === undefined ? undefined : await place.reachable(words.hash);
  return { kind: 'request', request: request as ChangeName, input: words, caller, facts: facts ?? {} };
}

function answered<N extends RequestName>(answer: Answer): Called<N> {
  if (answer.kind !== 'ok') return no(refusal(answer.code ?? (answer.kind === 'unknown' ? 'unknown' : 'not_ready'), answer.message, answer.remedy));
  return { ok: true, output: (answer.output ?? { message: answer.message, id: answer.id ?? null }) as never };
}

const no = <N extends RequestName>(refused: Refusal): Called<N> => ({ ok: false, refusal: refused });

/** A request that only looks, from a scene. */
export function look<N extends RequestName>(
  request: N,
  input: RequestInput<N>,
  caller: Caller,
  scene: Scene,
  history: (id: string) => readonly HistoryRow[],
): Called<N> {
  const found = LOOKS[request as LookName](input as never, { caller, scene, history: (id) => [...history(id)] });
  return isRefusal(found) ? no(found) : { ok: true, output: found as never };
}

export const isRefusal = (found: object): found is Refusal => 'exit' in found;

type LookName = 'task.ready' | 'task.list' | 'task.get' | 'task.mine' | 'task.history' | 'task.depTree' | 'task.waiting';
type Looking = { readonly caller: Caller; readonly scene: Scene; readonly history: (id: string) => HistoryRow[] };

const LOOKS: { readonly [N in LookName]: (input: RequestInput<N>, looking: Looking) => object | Refusal } = {
  'task.ready': ({ owner, limit }, { scene, caller }) => ({ tasks: readyTasks(scene, owner ?? caller.name, limit) }),
  'task.list': (input, { scene }) => ({ tasks: listTasks(scene, input) }),
  'task.mine': ({ owner }, { scene, caller }) => ({ tasks: mineTasks(scene, owner ?? caller.name) }),
  'task.waiting': (_input, { scene }) => ({ tasks: waitingTasks(scene) }),
  'task.get': ({ task }, { scene, history }) => getTask(scene, task, history),
  'task.depTree': ({ task }, { scene }) => depTrees(scene, task),
  'task.history': ({ task }, { scene, history }) => {
    const located = resolve(scene, task);
    if (located) return { id: task, history: historyOf(scene, located, history) };
    return knownIn(scene.draft, task) ? { id: task, history: history(task) } : unknownTask(task);
  },
};

/** A request as it goes over the owner's socket. */
export const callRequestSchema = z.strictObject({
  kind: z.literal('call'),
  name: z.string().refine(isRequest, 'there is no such request'),
  input: z.unknown(),
  caller: callerSchema,
});

const calledSchema = z.union([
  z.object({ ok: z.literal(true), output: z.unknown() }),
  z.object({
    ok: z.literal(false),
    refusal: z.object({
      code: z.enum(Object.keys(REFUSALS) as (keyof typeof REFUSALS)[]),
      message: z.string(),
      remedy: z.string(),
      exit: z.union([z.literal(2), z.literal(3)]),
    }),
  }),
]);

/** What the owner answered, read again on this side. */
export const calledOf = <N extends RequestName>(answer: unknown): Called<N> => calledSchema.parse(answer) as Called<N>;
