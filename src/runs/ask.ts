/**
 * Requests of a person or a worker, and their answers: the same whether a daemon runs or not (DESIGN "a command is a request
 * value"). Decides only; who asks and over which wire is the surfaces' matter.
 */
import { z } from 'zod';
import { targetOf } from '../tasks/find.ts';
import type { Located } from '../tasks/task.ts';
import { type ArchiveAsk, archiving } from './archiving.ts';
import { answerRequest, type ChangeName } from './answer-request.ts';
import { answeredWith, type Asked } from './asking.ts';
import { callerSchema } from './caller.ts';
import { idOf, type Scene } from './choose.ts';
import { isRequest, type RefusalCode } from './requests.ts';
import { resolve } from './resolve.ts';
import { type MarkAsk, putRight } from './put-right.ts';
import { type Draft, knownIn, putKnown, putRun, runIn } from './world.ts';

export const askSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stop'), task: z.string() }),
  z.strictObject({ kind: z.literal('retry'), task: z.string(), fresh: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('pause'), section: z.string().optional() }),
  z.strictObject({ kind: z.literal('resume'), section: z.string().optional() }),
  /** One of the table; `input` was read by its schema, `facts` were looked up in git. */
  z.strictObject({
    kind: z.literal('request'),
    request: z.custom<ChangeName>((word) => typeof word === 'string' && isRequest(word)),
    input: z.looseObject({}),
    caller: callerSchema,
    facts: z.strictObject({ commit: z.string().optional(), hash: z.string().optional() }).default({}),
  }),
  z.strictObject({ kind: z.literal('branch'), what: z.enum(['sync', 'land', 'pr']), section: z.string() }),
]);
export type Ask = z.output<typeof askSchema>;

export type Answer =
  | { readonly kind: 'ok'; readonly message: string; readonly id?: string; readonly output?: Readonly<Record<string, unknown>> }
  /** Not allowed or not possible now: exit code 3. */
  | { readonly kind: 'refused'; readonly message: string; readonly remedy: string; readonly code?: RefusalCode }
  /** The request names nothing that is there: exit code 2. */
  | { readonly kind: 'unknown'; readonly message: string; readonly remedy: string; readonly code?: RefusalCode };

/** What concerns tasks and sections; a section's branch is the matter of `errands.ts`. */
type TaskAsk = Exclude<Ask, { readonly kind: 'branch' }>;

type AskedWith = {
  readonly ask: TaskAsk | MarkAsk | ArchiveAsk;
  readonly by: string;
  readonly via: string;
  readonly draft: Draft;
  readonly scene: Scene | undefined;
  readonly now: number;
  readonly number: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
};

export function answerAsk(asking: AskedWith): Asked {
  const { ask } = asking;
  switch (ask.kind) {
    case 'stop':
      return withTask(asking, ask.task, (id) => stop(asking, id));
    case 'retry':
      return withTask(asking, ask.task, (id, located) => retry(asking, id, located, ask.fresh));
    case 'pause':
      return pause(asking, ask.section, true);
    case 'resume':
      return pause(asking, ask.section, false);
    case 'mark':
      return putRight(asking, ask.fixes);
    case 'archive':
      return archiving({ ...asking, ask });
    case 'request': {
      const { scene } = asking;
      if (!scene) return only(UNREAD);
      return answerRequest({ ...asking, scene, request: ask.request, caller: ask.caller, facts: ask.facts }, ask.input as never);
    }
  }
}

const UNREAD: Answer = { kind: 'refused', message: 'the list has not been read', remedy: 'see todone doctor', code: 'unavailable' };

function withTask(asking: AskedWith, name: string, then: (id: string | undefined, located: Located | undefined) => Asked): Asked {
  if (!asking.scene) return only(UNREAD);
  const found = resolve(asking.scene, name);
  const id = found ? idOf(asking.scene, found.task) : knownIn(asking.draft, name)?.id;
  if (!found && id === undefined)
    return only({ kind: 'unknown', message: `no task is called ${name}`, remedy: 'todone task list shows every task with its id or handle' });
  return then(id, found);
}

function stop(asking: AskedWith, id: string | undefined): Asked {
  const run = id === undefined ? undefined : runIn(asking.draft, id);
  if (!run || run.step === 'settle') return only({ kind: 'refused', message: 'the task is not being worked on', remedy: 'todone status shows what runs' });
  const halted = putRun(asking.draft, { ...run, halt: { by: 'command', then: 'failed', message: `stopped by ${asking.by}` } });
  return { ...only({ kind: 'ok', message: `stopping ${run.id}`, id: run.id }), halts: [halted] };
}

function retry(asking: AskedWith, id: string | undefined, located: Located | undefined, fresh: boolean): Asked {
  const known = id === undefined ? undefined : knownIn(asking.draft, id);
  if (!located || located.task.marker.state !== 'failed')
    return only({ kind: 'refused', message: 'only a failed task can be tried again', remedy: 'a done one runs again with {redo} and []' });
  const target = targetOf(located.task);
  const mark = { kind: 'mark', target, expect: ['failed'], marker: { state: 'open', ...(id === undefined ? {} : { id }) } } as const;
  const edits = fresh ? [mark, { kind: 'addTag', target, key: 'fresh' } as const] : [mark];
  if (known) putKnown(asking.draft, { ...known, attempts: 0, spent: undefined, updatedAt: asking.now }, asking.by, asking.via);
  return {
    ...only({ kind: 'ok', message: 'it will be tried again', id }),
    edits: [{ purpose: 'ask', id: id ?? '', ticket: known?.ticket ?? 0, edits, urgent: true }],
  };
}

function pause(asking: AskedWith, section: string | undefined, on: boolean): Asked {
  asking.draft.meta.set(section === undefined ? 'paused' : `paused:${section}`, on ? asking.by : null);
  const what = section === undefined ? 'everything' : `section ${section}`;
  return only({ kind: 'ok', message: on ? `${what} is paused: running work goes on, nothing new starts` : `${what} goes on` });
}

const only = answeredWith;
