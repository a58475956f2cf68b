/**
 * Claims of workers that ToDone did not start (6.1-R1, 2-R3): taken, kept alive, given back, ended with a result. A claim is a
 * run like any other, with the same states and tickets; only that its end is told by a request, and that it runs out by itself.
 * Total: every request of every caller has an answer at every step.
 */
import { afterOf, handleOf, tagValue } from '../tasks/find.ts';
import { idsOf } from '../tasks/ids.ts';
import type { Edit, Located, Task } from '../tasks/task.ts';
import { CLAIM_LET_GO, CLAIM_RAN_OUT } from './audit.ts';
import { type Asked, type Asking, dependentsOf, done, refused } from './asking.ts';
import { wordsFor } from './caller.ts';
import { idOf, notClaimable } from './choose.ts';
import { claimEdit, type EditItem } from './list-edits.ts';
import { settle } from './lifecycle.ts';
import { freshId } from './filing.ts';
import { firstReady } from './read-request.ts';
import { claimOf } from './claim-row.ts';
import { freshKnown } from './recover.ts';
import { LEASE_SECONDS, type RequestInput } from './requests.ts';
import type { Ending, Found, FoundTask, Known, Outside, Run } from './run.ts';
import { type Draft, knownIn, note, putKnown, putRun, runIn } from './world.ts';

/** `<epoch>.<number>`: a number alone would come back with a new journal. */
export const ticketOf = (draft: Draft, run: Run): string => `${draft.world.epoch.slice(0, EPOCH_CHARS)}.${run.ticket}`;
const EPOCH_CHARS = 8;

export function claimTask(asking: Asking, input: RequestInput<'task.claim'>, named: Located | undefined): Asked {
  const { caller, scene } = asking;
  const located = named ?? firstReady(scene, caller.name);
  if (!located)
    return refused(asking, 'not_ready', 'no task is ready', 'todone task list says what each one waits for; one that was typed just now is ready in a moment');
  const { task } = located;
  const id = idOf(scene, task);
  const run = id === undefined ? undefined : runIn(asking.draft, id);
  if (run && run.step !== 'settle') return refused(asking, 'claimed', heldBy(run), 'take another one: todone task ready', id);
  const why = notClaimable({ ...scene, instance: caller.name }, located);
  if (why) return refused(asking, why.code === 'person' ? 'claimed' : 'not_ready', `it cannot be claimed: ${why.message}`, why.remedy, id ?? task);
  const claimed = newRun(asking, task, id, input.lease);
  const item = run ? overPending(claimEdit(claimed)) : claimEdit(claimed);
  return {
    halts: [],
    goes: [],
    edits: [{ ...item, reply: { number: asking.number, message: `claimed ${claimed.id}`, shape: 'claim', ids: [claimed.id] } }],
  };
}

/** The claim before it is not yet off the line: by then the line may say that it is open, with its id. */
function overPending(item: EditItem): EditItem {
  const edits = item.edits.map((edit): Edit => (edit.kind === 'mark' ? { ...edit, expect: ['open', 'blocked', 'in_progress'], fingerprint: undefined } : edit));
  return { ...item, edits };
}

const heldBy = (run: Run): string => (run.outside ? `${run.outside.worker} has claimed it` : `it is being worked on by ${run.agent} (${run.step})`);

/** The row of a claim; what it says is written down before the line is. */
function newRun(asking: Asking, task: Task, wanted: string | undefined, lease: number | undefined): Run {
  const { draft, caller, now } = asking;
  const id = wanted ?? freshId(asking);
  const known = knownIn(draft, id) ?? freshKnown(task, id, now);
  const run: Run = {
    ...claimOf(task, known, now),
    agent: caller.name,
    model: caller.model,
    steps: ['claim', 'implement', 'settle'],
    workspaceSlot: 0,
    found: {},
    outside: { worker: caller.name, via: caller.via, ...leaseOf(asking, lease) },
  };
  putKnown(draft, { ...known, ...whereIs(task), state: 'in_progress', held: undefined, ticket: run.ticket, updatedAt: now }, wordsFor(caller), caller.via);
  note(draft, { id, field: 'claim', old: null, new: `${caller.name} (ticket ${ticketOf(draft, run)})`, by: wordsFor(caller), via: caller.via });
  return putRun(draft, run);
}

const whereIs = (task: Task): Pick<Known, 'section' | 'text' | 'occurrence'> => ({ section: task.section, text: task.text, occurrence: task.occurrence });

/** A person keeps what they took until they let go. */
function leaseOf({ caller, now }: Asking, seconds: number | undefined): Pick<Outside, 'leaseMs' | 'until'> {
  if (caller.kind === 'person' && seconds === undefined) return {};
  const leaseMs = (seconds ?? LEASE_SECONDS) * 1000;
  return { leaseMs, until: now + leaseMs };
}

export function heartbeat(asking: Asking, input: RequestInput<'task.heartbeat'>, located: Located | undefined): Asked {
  const held = heldRun(asking, located, input.task, input.ticket);
  if ('refusal' in held) return held.refusal;
  const { run, outside } = held;
  const leaseMs = input.lease === undefined ? outside.leaseMs : input.lease * 1000;
  const until = leaseMs === undefined ? undefined : asking.now + leaseMs;
  putRun(asking.draft, { ...run, outside: { ...outside, ...(leaseMs === undefined ? {} : { leaseMs, until }) } });
  return done({ lease_until: until ?? null, changed: run.changed });
}

export function release(asking: Asking, input: RequestInput<'task.release'>, located: Located | undefined): Asked {
  const held = heldRun(asking, located, input.task, input.ticket);
  if ('refusal' in held) return held.refusal;
  const silent = asking.caller.kind === 'worker' && input.reason === undefined;
  const message = input.reason ?? `released by ${asking.caller.name}`;
  return end(asking, held.run, { state: 'open', reason: 'closed', message }, {}, 'released', {}, silent ? CLAIM_LET_GO : null);
}

export function report(asking: Asking, input: RequestInput<'task.report'>, located: Located | undefined): Asked {
  const held = heldRun(asking, located, input.task, input.ticket);
  if ('refusal' in held) return held.refusal;
  const { run } = held;
  const said = input.summary ?? '';
  const found: Found = { outcome: input.outcome, summary: input.summary };
  switch (input.outcome) {
    case 'done':
    case 'no_change': {
      const proof = proofOf(asking, input.hash, located?.task);
      return 'refusal' in proof ? proof.refusal : end(asking, run, { state: 'done', reason: 'closed', message: said }, { ...found, ...proof.found }, 'done');
    }
    case 'failed':
      return end(
        asking,
        run,
        { state: 'failed', reason: 'agent_failed', message: `failed: ${said === '' ? `${asking.caller.name} gave no reason` : said}` },
        found,
        'failed',
      );
    case 'needs_decision':
      return end(
        asking,
        run,
        { state: 'open', reason: 'refused', message: 'needs_decision' },
        { ...found, asks: { kind: 'decision', question: input.question ?? input.summary ?? 'a decision is needed' } },
        'handed back: it waits for a decision',
      );
    case 'needs_prerequisite': {
      const wanted = input.tasks === undefined || input.tasks.length === 0 ? [{ title: said === '' ? 'a prerequisite' : said }] : input.tasks;
      const tasks = wanted.map((task): FoundTask => ({
        id: freshId(asking),
        title: task.title,
        ...('description' in task ? { details: task.description } : {}),
      }));
      return end(
        asking,
        run,
        { state: 'open', reason: 'refused', message: 'needs_prerequisite' },
        { ...found, asks: { kind: 'prerequisite', tasks } },
        `handed back: it waits for ${tasks.map(({ id }) => id).join(', ')}`,
      );
    }
  }
}

export function close(asking: Asking, input: RequestInput<'task.close'>, located: Located | undefined): Asked {
  const { caller, draft } = asking;
  const known = located ? idOf(asking.scene, located.task) : input.task;
  const run = known === undefined ? undefined : runIn(draft, known);
  if (run && !run.outside && run.step !== 'settle') return refused(asking, 'claimed', heldBy(run), `stop it first: todone stop ${run.id}`, run.id);
  if (!located) return refused(asking, 'unknown', `${input.task} is not on the list any more`, 'there is no line to close', known);
  const { state } = located.task.marker;
  if ((state === 'done' && !input.cancel) || state === 'cancelled')
    return refused(asking, 'not_ready', `it is ${state} already`, 'nothing is left to do', known ?? located.task);
  if (caller.kind !== 'person') {
    if (input.cancel) return refused(asking, 'forbidden', 'only a person can cancel a task', 'release it and say why', known ?? located.task);
    const mine = holds(asking, run, input.ticket);
    const why = run || input.ticket !== undefined ? undefined : notClaimable({ ...asking.scene, instance: caller.name }, located);
    if (!mine && (run || input.ticket !== undefined)) return stale(asking, run, input.ticket, known ?? located.task, input.hash);
    if (why) return refused(asking, 'not_claimed', `it is not yours to close: ${why.message}`, why.remedy, known ?? located.task);
  }
  const proof = input.cancel ? { found: {} } : proofOf(asking, input.hash, located.task, input.reason);
  if ('refusal' in proof) return proof.refusal;
  // A person overtakes a worker: the new ticket makes the worker's answer an echo.
  const own = run ?? newRun(asking, located.task, known, undefined);
  const taken = { ...own, ticket: caller.kind === 'person' && run ? own.ticket + 1 : own.ticket, agent: caller.name, model: caller.model };
  const ending: Ending = input.cancel
    ? { state: 'cancelled', reason: 'cancelled', message: input.reason ?? `cancelled by ${caller.name}` }
    : { state: 'done', reason: 'closed', message: input.reason ?? '' };
  const holding = input.cancel ? dependents(asking, located) : [];
  return end(asking, taken, ending, proof.found, input.cancel ? 'cancelled' : 'closed', { holds: holding });
}

/** 6.3-R3: a worker shows a commit that git can reach, or the task asks for none; a person says why. */
function proofOf(asking: Asking, hash: string | undefined, task: Task | undefined, reason?: string): { readonly found: Found } | { readonly refusal: Asked } {
  const { caller, facts } = asking;
  const about = task && (idOf(asking.scene, task) ?? task);
  if (hash !== undefined) {
    if (facts.commit !== undefined) return { found: { hash: facts.hash ?? hash, commit: facts.commit } };
    return { refusal: refused(asking, 'unproven', `${hash} is no commit that a branch can reach`, 'commit, and name the commit; git log shows it', about) };
  }
  if (task && tagValue(task, 'no-commit') !== undefined) return { found: { hash: '-' } };
  if (caller.kind === 'person' && reason !== undefined) return { found: { hash: '-' } };
  return caller.kind === 'person'
    ? { refusal: refused(asking, 'unproven', 'a task that is closed without a commit needs a reason', 'add --reason "…", or --hash <commit>', about) }
    : {
        refusal: refused(
          asking,
          'unproven',
          'a worker closes a task with the commit that did it',
          'commit, then close with --hash <commit>; only {no-commit} on the task spares it',
          about,
        ),
      };
}

/** Whom the end of a task holds back. */
function dependents({ scene }: Asking, { task }: Located): string[] {
  const names = new Set([...idsOf(task), ...[idOf(scene, task)].filter((id) => id !== undefined)]);
  return [...dependentsOf(scene, names, afterOf)].map((located) => idOf(scene, located.task) ?? handleOf(located.task));
}

/** The end of a claim: its row first, its line after it. */
function end(
  asking: Asking,
  run: Run,
  ending: Ending,
  found: Found,
  word: string,
  more: Readonly<Record<string, unknown>> = {},
  told: string | null = null,
): Asked {
  const { caller, draft } = asking;
  note(draft, { id: run.id, field: 'claim', old: run.outside?.worker ?? run.agent, new: told, by: wordsFor(caller), via: caller.via });
  const outside: Outside = { worker: run.outside?.worker ?? caller.name, via: caller.via };
  const settled = settle({ ...run, outside, found: { ...run.found, ...found } }, ending);
  return { halts: [], edits: [], goes: [settled], reply: { number: asking.number, message: `${word} ${run.id}`, shape: 'task', ids: [run.id], more } };
}

/** The run that the caller holds, or why it does not. */
function heldRun(
  asking: Asking,
  located: Located | undefined,
  name: string,
  ticket: string | undefined,
): { readonly run: Run; readonly outside: Outside } | { readonly refusal: Asked } {
  const id = (located && idOf(asking.scene, located.task)) ?? name;
  const run = runIn(asking.draft, id);
  if (run?.outside && run.step !== 'settle' && (holds(asking, run, ticket) || (asking.caller.kind === 'person' && ticket === undefined)))
    return { run, outside: run.outside };
  return { refusal: stale(asking, run, ticket, knownIn(asking.draft, id) || run ? id : (located?.task ?? id)) };
}

/** Its own name, and its own ticket where it shows one. */
function holds(asking: Asking, run: Run | undefined, ticket: string | undefined): boolean {
  if (!run?.outside || run.step === 'settle' || run.outside.worker !== asking.caller.name) return false;
  return ticket === undefined || ticket === ticketOf(asking.draft, run);
}

function stale(asking: Asking, run: Run | undefined, ticket: string | undefined, about: string | Task, hash?: string): Asked {
  const kept = hash === undefined ? '' : ` (commit ${hash})`;
  if (run && run.step !== 'settle' && run.outside?.worker !== asking.caller.name)
    return refused(asking, 'claimed', `${heldBy(run)}${kept}`, 'it is not yours any more: take another one with todone task ready', about);
  if (ticket !== undefined)
    return refused(asking, 'stale_ticket', `ticket ${ticket} is over: the claim ended or ran out${kept}`, 'claim it again, then report', about);
  return refused(asking, 'not_claimed', `${asking.caller.name} has not claimed it, or its lease ran out${kept}`, 'todone task claim first', about);
}

/** A claim that was not kept alive: its task is open again (2-R3). */
export function expired(draft: Draft, run: Run): Run {
  const worker = run.outside?.worker ?? run.agent;
  note(draft, { id: run.id, field: 'claim', old: worker, new: CLAIM_RAN_OUT, by: 'todone', via: 'engine' });
  return settle({ ...run, ticket: run.ticket }, { state: 'open', reason: 'lost', message: `the lease of ${worker} ran out` });
}
