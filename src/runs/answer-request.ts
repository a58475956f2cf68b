/**
 * The requests of the table that change something, answered within a turn: who may, about which task, and what follows. One row for
 * each; the answer is given when its edits stand on the list.
 */
import { findById, idOf as idOnLine } from '../tasks/find.ts';
import type { Located } from '../tasks/task.ts';
import type { Answer } from './ask.ts';
import { type Asked, type Asking, refused } from './asking.ts';
import { idOf, standstill, type Scene } from './choose.ts';
import { claimTask, close, heartbeat, release, report, ticketOf } from './claims.ts';
import { approve, assign, change, depAdd, depRemove, replyAbout, unassign, written } from './filing.ts';
import { create } from './filing-new.ts';
import type { Reply } from './list-edits.ts';
import { viewOf } from './read-request.ts';
import { forbidden, mayAsk, type RequestInput, type RequestName } from './requests.ts';
import { resolve } from './resolve.ts';
import { knownIn, runIn } from './world.ts';

/** Requests that can change something, without those that have an `Ask` of their own. */
export type ChangeName = Exclude<
  RequestName,
  `run.${string}` | 'task.ready' | 'task.list' | 'task.get' | 'task.mine' | 'task.history' | 'task.depTree' | 'task.waiting'
>;

type Handler<N extends ChangeName> = (asking: Asking, input: RequestInput<N>) => Asked;

const CHANGES: { readonly [N in ChangeName]: Handler<N> } = {
  'task.create': create,
  'task.update': update,
  'task.close': (asking, input) => close(asking, input, resolve(asking.scene, input.task)),
  'task.assign': (asking, input) => withTask(asking, input.task, (located) => assign(asking, input.owner, located)),
  'task.unassign': (asking, input) => withTask(asking, input.task, (located) => unassign(asking, located)),
  'task.approve': approve,
  'task.claim': (asking, input) =>
    input.task === undefined ? claimTask(asking, input, undefined) : withTask(asking, input.task, (located) => claimTask(asking, input, located)),
  'task.heartbeat': (asking, input) => aboutClaim(asking, input.task, (located) => heartbeat(asking, input, located)),
  'task.release': (asking, input) => aboutClaim(asking, input.task, (located) => freed(asking, input, located)),
  'task.report': (asking, input) => aboutClaim(asking, input.task, (located) => report(asking, input, located)),
  'task.depAdd': (asking, input) => withTask(asking, input.task, (located) => depAdd(asking, input.after, located)),
  'task.depRemove': (asking, input) => withTask(asking, input.task, (located) => depRemove(asking, input.after, located)),
};

export function answerRequest<N extends ChangeName>(asking: Asking & { readonly request: N }, input: RequestInput<N>): Asked {
  if (!mayAsk(asking.request, asking.caller)) return turnedAway(asking, input);
  // A list that cannot be believed now is not written; a claim may still be kept alive and ended.
  const stop = standstill(asking.scene);
  if (stop?.code === 'list' && !ENDS.has(asking.request)) return refused(asking, 'unavailable', stop.message, stop.remedy);
  return CHANGES[asking.request](named(asking), input);
}

function turnedAway(asking: Asking, input: { readonly task?: string; readonly tasks?: readonly unknown[] }): Asked {
  const { message, remedy } = forbidden(asking.request, asking.caller);
  const name = input.task ?? input.tasks?.find((each) => typeof each === 'string');
  const located = typeof name === 'string' ? resolve(asking.scene, name) : undefined;
  return refused(asking, 'forbidden', message, remedy, located && (idOf(asking.scene, located.task) ?? located.task));
}

/** An agent of ours is called by the name that its run has. */
function named(asking: Asking): Asking {
  const { caller } = asking;
  const run = caller.kind === 'run' && caller.run !== undefined ? runIn(asking.draft, caller.run) : undefined;
  return run ? { ...asking, caller: { ...caller, name: run.agent, ...(run.model === undefined ? {} : { model: run.model }) } } : asking;
}

const ENDS: ReadonlySet<RequestName> = new Set<RequestName>(['task.heartbeat', 'task.release', 'task.report', 'task.close']);

function withTask(asking: Asking, name: string, then: (located: Located) => Asked): Asked {
  const located = resolve(asking.scene, name);
  return located ? then(located) : unknown(asking, name);
}

/** A claim lives on when its line is gone: it is found by its id too. */
function aboutClaim(asking: Asking, name: string, then: (located: Located | undefined) => Asked): Asked {
  const located = resolve(asking.scene, name);
  return located || knownIn(asking.draft, name) ? then(located) : unknown(asking, name);
}

const unknown = (asking: Asking, name: string): Asked =>
  refused(asking, 'unknown', `no task is called ${name}`, 'todone task list shows every task with its id or handle');

/** A person may also take back what they marked as theirs by hand. */
function freed(asking: Asking, input: RequestInput<'task.release'>, located: Located | undefined): Asked {
  const id = located && idOnLine(located.task);
  const known = id === undefined ? undefined : runIn(asking.draft, id);
  if (asking.caller.kind !== 'person' || known || located?.task.marker.state !== 'in_progress') return release(asking, input, located);
  const { section, text, occurrence } = located.task;
  const target = { section, text, occurrence, ...(id === undefined ? {} : { id }) };
  const edit = { kind: 'mark', target, expect: ['in_progress'], marker: { state: 'open', ...(id === undefined ? {} : { id }) } } as const;
  return written(asking, [edit], replyAbout(asking.scene, located, 'released'), located);
}

/** 7-R8: a status is what one does with it. */
function update(asking: Asking, input: RequestInput<'task.update'>): Asked {
  return withTask(asking, input.task, (located) => {
    const { task, status, ticket, reason, hash } = input;
    const run = runIn(asking.draft, idOnLine(located.task) ?? '');
    switch (status) {
      case 'in_progress':
        return claimTask(asking, { task }, located);
      case 'done':
      case 'closed':
        return close(asking, { task, cancel: false, ticket, reason, hash }, located);
      case 'cancelled':
        return close(asking, { task, cancel: true, ticket, reason, hash }, located);
      case 'failed':
        return ticket === undefined
          ? refused(asking, 'invalid', 'a task fails by a report of whoever holds it', 'todone task report <task> --ticket <t> --outcome failed')
          : report(asking, { task, ticket, outcome: 'failed', summary: reason }, located);
      case 'open':
      case 'pending':
        if (run?.outside) return release(asking, { task, ticket, reason }, located);
        return located.task.marker.state === 'done'
          ? refused(asking, 'not_ready', 'it is done', 'add {redo} to its line and set [] to have it done again', idOnLine(located.task) ?? located.task)
          : change(asking, input, located);
      case 'blocked':
      case undefined:
        return change(asking, input, located);
    }
  });
}

// ── answers ──────────────────────────────────────────────────────────────────────────────────────

/** The answer once everything stands: the tasks as they are now. */
export function replyTo(reply: Reply, scene: Scene): Answer {
  const { message, more } = reply;
  const tasks = [...(reply.ids ?? []).flatMap((id) => byId(scene, id)), ...(reply.titles ?? []).flatMap((wanted) => byTitle(scene, wanted))].map((located) =>
    viewOf(scene, located),
  );
  const [task] = tasks;
  if (reply.shape === 'tasks') return { kind: 'ok', message, output: { message, tasks, ...more } };
  if (!task) return { kind: 'refused', code: 'conflict', message: 'its line was changed meanwhile', remedy: 'look at the list and ask again' };
  const run = runIn(scene.draft, task.id ?? '');
  if (reply.shape === 'claim')
    return run?.outside && run.step !== 'settle'
      ? {
          kind: 'ok',
          message,
          id: run.id,
          output: { task, ticket: ticketOf(scene.draft, run), worker: run.outside.worker, lease_until: run.outside.until ?? null },
        }
      : { kind: 'refused', code: 'conflict', message: 'its line was changed meanwhile', remedy: 'look at the list and ask again' };
  return { kind: 'ok', message, ...(task.id === null ? {} : { id: task.id }), output: { message, task, ...more } };
}

function byId(scene: Scene, id: string): Located[] {
  const located = findById(scene.board, id) ?? resolveKnown(scene, id);
  return located ? [located] : [];
}

/** A line that carries no id yet, by what the journal knows of it. */
function resolveKnown(scene: Scene, id: string): Located | undefined {
  const known = knownIn(scene.draft, id);
  return known && byText(scene, known.section, (task) => task.text === known.text && task.occurrence === known.occurrence);
}

/** The last one of these words: a new task stands behind its twins. */
const byTitle = (scene: Scene, { section, title }: { readonly section: string; readonly title: string }): Located[] => {
  const located = byText(scene, section, (task) => task.title === title);
  return located ? [located] : [];
};

function byText(scene: Scene, name: string, fits: (task: Located['task']) => boolean): Located | undefined {
  for (const [sectionIndex, section] of scene.board.sections.entries()) {
    if ((section.name ?? '') !== name) continue;
    const taskIndex = section.tasks.findLastIndex(fits);
    const task = section.tasks[taskIndex];
    if (task) return { task, sectionIndex, taskIndex };
  }
  return undefined;
}

export const notWritten = (message: string): Answer => ({ kind: 'refused', code: 'unavailable', message, remedy: 'see todone doctor' });
export const overtaken: Answer = {
  kind: 'refused',
  code: 'conflict',
  message: 'the task was changed in the list meanwhile: nothing was written',
  remedy: 'look at it and ask again',
};
