/**
 * The turn: (world, event) → changed rows and effects. Everything that ToDone decides is decided here or in what this file
 * calls. It performs nothing, waits for nothing and knows no clock: time and chance are handed in with the event.
 */
import type { ArchiveAsk } from './archiving.ts';
import { claimOf } from './claim-row.ts';
import type { Common } from './sharing.ts';
import type { Config } from '../config.ts';
import type { Board, Edit, Edited, Problem, Task } from '../tasks/task.ts';
import { dropsLines } from '../tasks/dropped.ts';
import { tagValue } from '../tasks/find.ts';
import { notWritten, overtaken, replyTo } from './answer-request.ts';
import { answerAsk, type Answer, type Ask } from './ask.ts';
import { wordsFor } from './caller.ts';
import { freed, heldBack } from './behind.ts';
import { overBudget, parkedOf, settleAccount } from './govern.ts';
import { type Choice, choose, type Scene } from './choose.ts';
import { expired } from './claims.ts';
import { countFromNow } from './clock-back.ts';
import { noteEnd, noteLag } from './figures.ts';
import type { TipFiles } from './files.ts';
import { noteGates } from './gates.ts';
import { claimEdit, type EditItem, mendEdit, type Reply, settleEdits } from './list-edits.ts';
import type { Errand, ErrandOrder } from './errand.ts';
import { afterLanding, askErrand, type ErrandEnded, errandEnded, type ErrandsTurned, turnErrands } from './errands.ts';
import { advance, begin, isPhase, settle, stepsOf } from './lifecycle.ts';
import { newId } from './new-id.ts';
import { notice } from './notice.ts';
import type { MarkAsk } from './put-right.ts';
import { adopt, freshKnown } from './recover.ts';
import { freeSlot, isPersons, slotKey } from './room.ts';
import type { End, Known, Run, Step } from './run.ts';
import type { AgentChoice } from './settings.ts';
import { noteStuck } from './stuck.ts';
import { locateKnown, steer, steerAfterRollback, steerOne, wentBack } from './steer.ts';
import { upkeep } from './upkeep.ts';
import { authorKey, type Draft, draftOf, dropRun, isTaken, knownIn, newKey, putKnown, putRun, runIn, runsIn, type World } from './world.ts';

export type ListFacts = {
  readonly gitPosition: string;
  /** A merge, rebase… in progress. */
  readonly gitOperation: string | undefined;
  readonly listIsCommitted: boolean;
  /** Changes with every write of git's index. */
  readonly gitIndex?: string | undefined;
  readonly version: string;
  readonly modifiedAt: number;
};

export type Event =
  /**
   * The list was read. `torn`: it looks cut off against the board before. `own`: it is what we wrote ourselves. `reflow`: some of the
   * tasks of which a formatter has made something else.
   */
  | {
      readonly kind: 'read';
      readonly board: Board;
      readonly facts: ListFacts;
      readonly torn: boolean;
      readonly conflict: boolean;
      readonly own: boolean;
      readonly reflow?: readonly Task[];
    }
  | { readonly kind: 'unreadable'; readonly missing: boolean; readonly message: string }
  /** What became of list edits. Comes after the `read` of the text that they wrote. */
  | { readonly kind: 'edited'; readonly items: readonly { readonly item: EditItem; readonly result: Edited }[] }
  /** The list could not be written now. */
  | { readonly kind: 'unwritable'; readonly items: readonly EditItem[]; readonly message: string }
  | { readonly kind: 'ended'; readonly id: string; readonly ticket: number; readonly step: Step; readonly end: End }
  | (ErrandEnded & { readonly kind: 'errand-ended' })
  | { readonly kind: 'asked'; readonly number: number; readonly ask: Ask | MarkAsk | ArchiveAsk; readonly by: string; readonly via: string }
  /** The files of a section's tip, asked for by `survey`; undefined where they could not be listed. */
  | { readonly kind: 'surveyed'; readonly section: string; readonly files: TipFiles | undefined }
  | { readonly kind: 'agents'; readonly agents: readonly AgentChoice[] }
  | { readonly kind: 'woke' }
  /** No new claims; running phases end. */
  | { readonly kind: 'drain' }
  /** Everything stops now and goes on at the next start. */
  | { readonly kind: 'stop' };

export type Effect =
  | { readonly kind: 'edit'; readonly item: EditItem }
  | { readonly kind: 'perform'; readonly run: Run }
  | { readonly kind: 'halt'; readonly id: string; readonly ticket: number }
  /** The run has left its workspace. */
  | { readonly kind: 'release'; readonly run: Run }
  /** Which files the tip of this section holds: wanted for the choice. */
  | { readonly kind: 'survey'; readonly section: string }
  | { readonly kind: 'errand'; readonly order: ErrandOrder }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Answer }
  /** The list had this text, of which lines are gone: it goes into the versions. */
  | { readonly kind: 'keep'; readonly text: string };

export type Given = {
  /** The board that counts; undefined until the list was first believed. */
  readonly board: Board | undefined;
  readonly problems: readonly Problem[];
  readonly config: Config;
  readonly instance: string;
  /** Waiting for limits, dates and people counts as something to do (`--wait`, 7-R3). */
  readonly waits: boolean;
  /** Where this is one of several projects in a process. */
  readonly common?: Common | undefined;
  readonly now: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
};

export type Turned = {
  readonly draft: Draft;
  /** The board that counts from now on. */
  readonly board: Board | undefined;
  readonly effects: readonly Effect[];
  /** When to send `woke`, if nothing else happens. */
  readonly wakeAt: number | undefined;
  /** Nothing runs, nothing can start, nothing waits for time alone (a limit or a date aside). */
  readonly idle: boolean;
};

/** A rollback is over when git has stood still for this long. */
export const ROLLBACK_QUIET_MS = 2000;
/** While git goes on, and while the markers are being put right. */
const ROLLBACK_LOOK_MS = 250;

/** One turn. The caller stores `draft` first, then puts it into the world, then performs the effects. */
export function turn(world: World, event: Event, given: Given): Turned {
  const turning: Turning = { draft: draftOf(world), effects: [], replies: [], given, wakeAt: undefined };
  countFromNow(turning.draft, given.now);
  handle(turning, event);
  for (const run of freed(turning.draft)) go(turning, run);
  giveReplies(turning);
  tend(turning);
  const chosen = (opensNothing(event) ? world.chosen : undefined) ?? start(turning);
  world.chosen = chosen;
  const errands = runErrands(turning);
  wakeForWaits(turning);
  return {
    draft: turning.draft,
    board: turning.given.board,
    effects: turning.effects,
    wakeAt: earliest(turning.wakeAt, earliest(chosen.wakeAt, errands.wakeAt)),
    idle: !errands.busy && isIdle(turning, chosen),
  };
}

/** What a start performs: every run goes on where its row says. */
export function resumed(world: World): readonly Effect[] {
  return [...world.runs.values()].flatMap((run): Effect[] => {
    if (run.halt) return [{ kind: 'halt', id: run.id, ticket: run.ticket }];
    if (run.outside) return [];
    return run.step === 'claim' || run.step === 'settle' || run.waitUntil !== undefined ? [] : [{ kind: 'perform', run }];
  });
}

type Turning = {
  readonly draft: Draft;
  readonly effects: Effect[];
  /** Answers that are given at the end of the turn, when everything in it has happened. */
  readonly replies: { readonly reply: Reply; readonly stands: boolean }[];
  given: Given;
  wakeAt: number | undefined;
  asked?: Errand;
};

function handle(turning: Turning, event: Event): void {
  const { world } = turning.draft;
  switch (event.kind) {
    case 'read':
      return read(turning, event);
    case 'unreadable':
      return unreadable(
        turning,
        event.missing ? { kind: 'missing', since: turning.given.now } : { kind: 'refused', since: turning.given.now, message: event.message },
      );
    case 'edited':
      for (const { item, result } of event.items) edited(turning, item, result);
      return;
    case 'unwritable':
      for (const item of event.items) unwritten(turning, item, event.message);
      return unreadable(turning, { kind: 'refused', since: turning.given.now, message: event.message });
    case 'ended':
      return ended(turning, event);
    case 'errand-ended':
      return errandEnded(turning.draft, event, turning.given.config, turning.given.now, turning.given.random);
    case 'asked':
      return asked(turning, event);
    case 'surveyed':
      world.tips.set(event.section, event.files);
      return;
    case 'agents':
      world.agents = event.agents;
      return;
    case 'woke':
      return wake(turning);
    case 'drain':
      world.mode = 'draining';
      return;
    case 'stop':
      world.mode = 'draining';
      for (const run of runsIn(turning.draft)) if (isPerformed(run)) turning.effects.push({ kind: 'halt', id: run.id, ticket: run.ticket });
      return;
  }
}

// ── the list ─────────────────────────────────────────────────────────────────────────────────────

function read(turning: Turning, event: Extract<Event, { kind: 'read' }>): void {
  const { draft, given } = turning;
  const { world } = draft;
  const before = world.list;
  if (event.conflict) return void (world.list = before.kind === 'conflict' ? before : { kind: 'conflict', since: given.now });
  if (event.reflow) return reflowed(turning, event.reflow);
  if (event.torn && !settledTorn(before, event.facts.version, given)) {
    world.list = before.kind === 'torn' && before.version === event.facts.version ? before : { kind: 'torn', since: given.now, version: event.facts.version };
    return;
  }
  noteFresh(turning, event, before.kind === 'unread');
  const gitMoved = hasGitMoved(draft, event.facts);
  noteGates(draft, given.board, event.board, gitMoved || before.kind === 'rollback');
  if (before.kind === 'rollback') return duringRollback(turning, event, before);
  if (before.kind === 'unread') adopt(draft, event.board, given.now);
  const steered = steer({ board: event.board, before: given.board, draft, now: given.now, gitMoved, listIsCommitted: event.facts.listIsCommitted });
  if (steered.rollback) {
    world.list = { kind: 'rollback', since: given.now, position: event.facts.gitPosition };
    accept(turning, event.board);
    return;
  }
  if (given.board && before.kind === 'fine') notice(given.board, event.board, draft);
  believe(turning, event);
  for (const run of steered.halts) halt(turning, run);
}

/** `git checkout -- <list>` moves nothing but the index: then the list is, byte for byte, what git has. */
function hasGitMoved({ world }: Draft, facts: ListFacts): boolean {
  if (world.gitPosition === undefined) return false;
  const index = world.meta.get(INDEX_KEY);
  const indexMoved = facts.listIsCommitted && index !== undefined && facts.gitIndex !== undefined && index !== facts.gitIndex;
  return world.gitPosition !== facts.gitPosition || facts.gitOperation !== undefined || indexMoved;
}

const INDEX_KEY = 'git.index';

/** The list is the truth again: what waited for it is written now. */
function believe(turning: Turning, event: Extract<Event, { kind: 'read' }>): void {
  const { world } = turning.draft;
  const waited = world.list.kind !== 'fine';
  world.list = { kind: 'fine' };
  if (world.gitPosition !== event.facts.gitPosition) {
    world.gitPosition = event.facts.gitPosition;
    turning.draft.meta.set('git.position', event.facts.gitPosition);
  }
  const { gitIndex } = event.facts;
  if (gitIndex !== undefined && world.meta.get(INDEX_KEY) !== gitIndex) turning.draft.meta.set(INDEX_KEY, gitIndex);
  accept(turning, event.board);
  if (waited) for (const run of runsIn(turning.draft)) if (!isPerformed(run) && (run.step === 'claim' || run.step === 'settle')) write(turning, run);
}

/** The list as it was read before stays what counts, until every task stands on its own again or a person says otherwise. */
function reflowed(turning: Turning, tasks: readonly Task[]): void {
  const { world } = turning.draft;
  if (world.list.kind === 'rollback') return void (world.list = { ...world.list, since: turning.given.now });
  const names = tasks.map(({ title }) => `"${title}"`).join(', ');
  unreadable(turning, { kind: 'refused', since: turning.given.now, message: `a formatter joined or moved the lines of ${names}: ${FORMATTER_REMEDY}` });
}

const FORMATTER_REMEDY =
  'undo that, so that each task stands on its own line with its details indented below it, and keep the formatter off the list (.prettierignore, .remarkignore, .markdownlintignore; `todone init` writes them)';

function accept(turning: Turning, board: Board): void {
  const before = turning.given.board;
  if (before && dropsLines(before, board)) turning.effects.push({ kind: 'keep', text: before.text });
  turning.given = { ...turning.given, board };
}

function settledTorn(list: World['list'], version: string, given: Given): boolean {
  return list.kind === 'torn' && list.version === version && given.now >= list.since + given.config.settle;
}

function noteFresh(turning: Turning, event: Extract<Event, { kind: 'read' }>, first: boolean): void {
  const { draft, given } = turning;
  const { recent } = draft.world;
  for (const [fingerprint, at] of recent) if (at + given.config.claimAfter <= given.now) recent.delete(fingerprint);
  if (event.own || given.config.claimAfter === 0) return;
  // A file from another clock may be of a time that is yet to come.
  const at = first ? Math.min(event.facts.modifiedAt, given.now) : given.now;
  if (at + given.config.claimAfter <= given.now) return;
  for (const fingerprint of event.board.fresh) recent.set(fingerprint, at);
}

function duringRollback(turning: Turning, event: Extract<Event, { kind: 'read' }>, list: Extract<World['list'], { kind: 'rollback' }>): void {
  const { draft, given } = turning;
  accept(turning, event.board);
  const still = list.position === event.facts.gitPosition && event.facts.gitOperation === undefined;
  if (!still) return void (draft.world.list = { ...list, since: given.now, position: event.facts.gitPosition });
  if (given.now < list.since + ROLLBACK_QUIET_MS) return;
  const mends = wentBack(event.board, draft).map(({ id, located }) => mendEdit(draft, id, located.task));
  if (mends.length === 0) {
    believe(turning, event);
    for (const run of steerAfterRollback({ board: event.board, draft, now: given.now })) halt(turning, run);
    return;
  }
  for (const item of mends) if (item) turning.effects.push({ kind: 'edit', item });
}

function unreadable(turning: Turning, list: Extract<World['list'], { kind: 'missing' | 'refused' }>): void {
  const { world } = turning.draft;
  world.list = world.list.kind === list.kind ? { ...list, since: world.list.since } : list;
}

// ── answers ──────────────────────────────────────────────────────────────────────────────────────

function edited(turning: Turning, item: EditItem, result: Edited): void {
  answerAfter(turning, item, result);
  for (const edit of item.edits) turning.draft.world.authors.delete(keyOf(edit));
  if (item.purpose === 'mend' || item.purpose === 'ask' || item.purpose === 'upkeep') return;
  const { draft, given } = turning;
  const run = runIn(draft, item.id);
  if (!run || run.ticket !== item.ticket || run.step !== item.purpose) return;
  if (result.kind === 'applied') noteLag(draft, run.step === 'settle' ? (knownIn(draft, run.id)?.updatedAt ?? given.now) : run.startedAt, given.now);
  // While git is moving markers a line that says something else is no word of a person: the outcome is written later.
  if (run.step === 'settle') return isPutOff(turning, item, result) ? undefined : close(turning, run, result);
  if (result.kind === 'applied' || result.kind === 'already') {
    go(turning, advance(run, { kind: 'done' }, policyOf(turning, run)));
    return lookAgain(turning, run.id);
  }
  dropRun(draft, run.id);
  const known = knownIn(draft, run.id);
  if (known) putKnown(draft, { ...known, state: result.kind === 'changed' ? result.marker.state : run.from, updatedAt: given.now }, 'person', 'list');
}

/** Whoever asked is told once the list says it, and not before. */
function answerAfter(turning: Turning, item: EditItem, result: Edited): void {
  const { reply } = item;
  if (!reply) return;
  // A claim's run goes on in this very turn.
  turning.replies.push({ reply, stands: result.kind === 'applied' || result.kind === 'already' || isPutOff(turning, item, result) });
}

/** The end of a claim whose row stands, and whose line git is moving just now. */
const isPutOff = ({ draft }: Turning, { purpose }: EditItem, result: Edited): boolean =>
  purpose === 'settle' && result.kind === 'changed' && draft.world.list.kind !== 'fine';

/** The list could not be written: who waits for an answer gets one, and a claim that was never written is none. */
function unwritten(turning: Turning, item: EditItem, message: string): void {
  if (!item.reply) return;
  // The end of a claim is a row already, and is written as soon as the list can be.
  if (item.purpose === 'settle') return void turning.replies.push({ reply: item.reply, stands: true });
  turning.effects.push({ kind: 'answer', number: item.reply.number, answer: notWritten(message) });
  const run = item.purpose === 'claim' ? runIn(turning.draft, item.id) : undefined;
  if (!run?.outside || run.ticket !== item.ticket || run.step !== 'claim') return;
  dropRun(turning.draft, run.id);
  const known = knownIn(turning.draft, run.id);
  if (known) putKnown(turning.draft, { ...known, state: run.from, updatedAt: turning.given.now }, 'todone', 'engine');
}

/** A person may have changed the line since it was written, and that reading is over. */
function lookAgain(turning: Turning, id: string): void {
  const { draft, given } = turning;
  if (draft.world.list.kind === 'fine' && given.board) for (const run of steerOne({ board: given.board, draft, now: given.now }, id)) halt(turning, run);
}

function ended(turning: Turning, event: Extract<Event, { kind: 'ended' }>): void {
  const { draft, given } = turning;
  const run = runIn(draft, event.id);
  // An answer with an old ticket is an echo of something that is over.
  if (!run || run.ticket !== event.ticket || run.step !== event.step) return;
  const landed = event.step === 'land' && event.end.kind === 'done';
  if (landed) draft.world.tips.delete(run.section);
  if (run.halt && !landed) return halted(turning, { ...run, found: { ...run.found, ...foundOf(event.end) } });
  if (draft.world.mode === 'draining' && event.end.kind === 'final' && event.end.reason === 'cancelled') return;
  if (landed) afterLanding(draft, given.config, run.section, given.now);
  const next = elsewhere(turning, run, event.end) ?? advance({ ...run, halt: undefined }, event.end, policyOf(turning, run));
  settleAccount(draft, run, event.end, next, given.config, given.now);
  noteStuck(draft, run, event.end, given.config, given.now);
  go(turning, next, given);
}

/** A person is at work in the workspace: the run takes the next one (4-R3). */
function elsewhere(turning: Turning, run: Run, end: End): Run | undefined {
  if (end.kind !== 'transient' || !end.workspaceBusy || run.halt) return undefined;
  const { draft, given } = turning;
  draft.world.busySlots.set(slotKey(run.section, run.workspaceSlot), given.now + PERSONS_MS);
  const workspaceSlot = freeSlot(draft, run.section, given.now);
  const passed = Array.from({ length: workspaceSlot }, (_, at) => at + 1).filter((slot) => isPersons(draft, run.section, slot, given.now));
  if (passed.length > PASSED_MAX) return undefined;
  return {
    ...begin(run, 'prepare'),
    workspaceSlot,
    found: { ...run.found, notes: [...(run.found.notes ?? []), `taken instead: workspace ${workspaceSlot}. ${end.message}`] },
  };
}

/** How long a workspace is passed by in which a person was found at work. */
const PERSONS_MS = 60_000;
/** With more of them something else is wrong: the run waits. */
const PASSED_MAX = 8;

const foundOf = (end: End): Run['found'] => ('found' in end && end.found ? end.found : {});

/** A run goes on: the next step is begun, or its outcome is written. */
function go(turning: Turning, going: Run, given: Given = turning.given): void {
  const { draft } = turning;
  const run = putRun(draft, going.outside ? going : governed(turning, heldBack(draft, going, given.now)));
  if (run.waitUntil !== undefined && run.waitUntil > given.now) return;
  if (run.outside && run.step !== 'settle') return;
  if (run.step === 'settle') {
    turning.effects.push({ kind: 'release', run });
    rememberOutcome(turning, run);
    return write(turning, run);
  }
  // While stopping, an agent's phase is not begun any more; ours are short and go on.
  if (draft.world.mode === 'draining' && isPhase(run.step)) return;
  turning.effects.push({ kind: 'perform', run });
}

/** A phase waits for its account, and does not begin with nothing left to use (5.3-R5, R7). */
function governed({ draft, given }: Turning, run: Run): Run {
  if (!isPhase(run.step) || run.waitUntil !== undefined) return run;
  const parked = parkedOf(draft, given.config, run.agent, given.now, given.common?.parked);
  if (parked) return { ...run, waitUntil: parked.until, evidence: run.evidence ?? parked.message };
  const over = overBudget(draft, given.config, run, given.now);
  return over === undefined ? run : settle(run, { state: 'failed', reason: 'budget', message: `stopped before ${run.step}: ${over}` });
}

/** What a run came to is known before its line is written: the list may be away for now. */
function rememberOutcome(turning: Turning, run: Run): void {
  const known = knownIn(turning.draft, run.id);
  if (!known || !run.outcome) return;
  noteEnd(turning.draft, run, turning.given.now);
  const { found, outcome } = run;
  const state = outcome.state === 'keep' ? known.state : outcome.state;
  putKnown(
    turning.draft,
    {
      ...known,
      state,
      held: undefined,
      ticket: run.ticket,
      attempts: known.attempts + run.attempt,
      reason: outcome.reason,
      message: outcome.message,
      hash: outcome.state === 'done' ? (found.hash ?? '-') : known.hash,
      commit: found.commit ?? known.commit,
      kept: outcome.state === 'done' ? undefined : (found.kept ?? known.kept),
      summary: found.summary ?? known.summary,
      plan: found.plan ?? known.plan,
      session: found.session ?? known.session,
      sessionUsage: found.sessionUsage ?? known.sessionUsage,
      evidence: run.evidence,
      updatedAt: turning.given.now,
    },
    outcome.reason === 'cancelled' && !run.outside ? 'person' : outcome.reason === 'lost' ? 'todone' : `${run.agent}${run.model ? `/${run.model}` : ''}`,
    run.outside?.via ?? 'engine',
  );
}

function write(turning: Turning, run: Run): void {
  const { draft } = turning;
  if (draft.world.list.kind !== 'fine') return;
  const item = run.step === 'claim' ? claimEdit(run) : settleEdits(run, knownIn(draft, run.id), turning.given.config);
  if (item) turning.effects.push({ kind: 'edit', item: { ...item, urgent: item.urgent || isAlone(draft, run) } });
  else close(turning, run, { kind: 'already' });
}

/** Nothing else goes on that would soon have something to write with it. */
function isAlone(draft: Draft, run: Run): boolean {
  for (const other of runsIn(draft)) if (other.id !== run.id && isPerformed(other)) return false;
  return true;
}

/** The outcome stands on the list, or the person's word does. */
function close(turning: Turning, run: Run, result: Edited): void {
  const { draft, given } = turning;
  dropRun(draft, run.id);
  const known = knownIn(draft, run.id);
  if (!known || result.kind !== 'changed') return lookAgain(turning, run.id);
  const theirs = result.marker.state;
  const held = known.state === 'done' && (theirs === 'open' || theirs === 'blocked') ? 'done' : undefined;
  putKnown(draft, { ...known, state: held ? 'done' : theirs, held, updatedAt: given.now }, 'person', 'list');
}

// ── stopping ─────────────────────────────────────────────────────────────────────────────────────

function halt(turning: Turning, run: Run): void {
  if (isPerformed(run)) turning.effects.push({ kind: 'halt', id: run.id, ticket: run.ticket });
  else halted(turning, run);
}

/** A stopped run's work is in a snapshot by now; what follows is what the person asked for. */
function halted(turning: Turning, run: Run): void {
  const { draft, given } = turning;
  const { halt: wish } = run;
  if (!wish) return;
  switch (wish.then) {
    case 'failed':
      return go(turning, { ...settle(run, { state: 'failed', reason: 'cancelled', message: `cancelled: ${wish.message}` }), halt: undefined });
    case 'replan':
      return go(turning, { ...begin(run, 'plan'), halt: undefined });
    case 'keep':
    case 'again': {
      const located = given.board && knownIn(draft, run.id) && locateKnown(given.board, draft, knownIn(draft, run.id) as Known);
      const state = wish.then === 'again' ? 'open' : (located?.task.marker.state ?? 'cancelled');
      turning.effects.push({ kind: 'release', run });
      dropRun(draft, run.id);
      const known = knownIn(draft, run.id);
      if (known)
        putKnown(
          draft,
          { ...known, state, ticket: run.ticket, reason: 'cancelled', message: wish.message, kept: run.found.kept ?? known.kept, updatedAt: given.now },
          'person',
          'list',
        );
    }
  }
}

/** Something outside works on it and will answer. */
const isPerformed = (run: Run): boolean => run.step !== 'claim' && run.step !== 'settle' && run.waitUntil === undefined && run.outside === undefined;

// ── time ─────────────────────────────────────────────────────────────────────────────────────────

function wake(turning: Turning): void {
  const { draft, given } = turning;
  freeDeadClaims(turning);
  const runs = [...runsIn(draft)];
  for (const run of runs) {
    if (run.waitUntil === undefined || run.waitUntil > given.now || run.halt) continue;
    go(turning, { ...run, behind: undefined, waitUntil: undefined });
  }
  for (const [section, wait] of draft.world.waits) if (wait.until <= given.now) draft.world.waits.delete(section);
  keepMissing(turning);
}

/** A list that stays away may not come back. */
function keepMissing({ draft: { world }, effects, given }: Turning): void {
  const { list } = world;
  if (list.kind !== 'missing' || list.kept || !given.board || given.now < list.since + given.config.settle) return;
  effects.push({ kind: 'keep', text: given.board.text });
  world.list = { ...list, kept: true };
}

/** A worker that was not heard of within its lease holds nothing any more (2-R3). */
function freeDeadClaims(turning: Turning): void {
  const runs = [...runsIn(turning.draft)];
  for (const run of runs)
    if (run.outside?.until !== undefined && run.outside.until <= turning.given.now && run.step !== 'settle') go(turning, expired(turning.draft, run));
}

function wakeForWaits(turning: Turning): void {
  const { draft, given } = turning;
  for (const run of runsIn(draft))
    turning.wakeAt = earliest(turning.wakeAt, run.step === 'settle' ? run.waitUntil : earliest(run.waitUntil, run.outside?.until));
  const { list } = draft.world;
  if (list.kind === 'torn') turning.wakeAt = earliest(turning.wakeAt, list.since + given.config.settle);
  else if (list.kind !== 'fine' && list.kind !== 'unread' && list.since + given.config.settle > given.now)
    turning.wakeAt = earliest(turning.wakeAt, list.since + given.config.settle);
  if (list.kind === 'rollback') turning.wakeAt = earliest(turning.wakeAt, Math.max(list.since + ROLLBACK_QUIET_MS, given.now + ROLLBACK_LOOK_MS));
}

// ── starting ─────────────────────────────────────────────────────────────────────────────────────

/**
 * A request of a worker lets nothing of ours start: what it writes is read afterwards, and that is when it is chosen anew. Looking at
 * every task for each heartbeat of a hundred workers would cost more than all their work.
 */
function opensNothing(event: Event): boolean {
  if (event.kind === 'asked') return event.ask.kind === 'request';
  return event.kind === 'edited' && event.items.every(({ item }) => item.reply !== undefined && item.purpose !== 'settle');
}

type Starting = NonNullable<World['chosen']>;

function start(turning: Turning): Starting {
  const scene = sceneOf(turning);
  if (!scene) return { wakeAt: undefined, waitsForTime: false, wishes: [] };
  const chosen = choose(scene);
  for (const choice of chosen.start) claim(turning, choice);
  for (const section of chosen.unsure) survey(turning, section);
  const { wakeAt, wishes } = chosen;
  return { wakeAt, wishes, waitsForTime: wakeAt !== undefined && (turning.given.waits || wakeAt <= turning.given.now + SOON_MS) };
}

/** Asks once for each tip. */
function survey(turning: Turning, section: string): void {
  const { tips } = turning.draft.world;
  if (tips.has(section)) return;
  tips.set(section, undefined);
  turning.effects.push({ kind: 'survey', section });
}

/** A wait of at most this long keeps `--once` from ending; dates and limits do not. */
const SOON_MS = 60_000;

function runErrands(turning: Turning): ErrandsTurned {
  const { draft, given } = turning;
  const errands = turnErrands({ draft, scene: sceneOf(turning), config: given.config, now: given.now, asked: turning.asked });
  for (const order of errands.orders) turning.effects.push({ kind: 'errand', order });
  return errands;
}

/** What the list does by itself, as soon as it can be believed. */
function tend(turning: Turning): void {
  const scene = turning.draft.world.list.kind === 'fine' ? sceneOf(turning) : undefined;
  if (!scene) return;
  for (const item of upkeep(scene, turning.given.random)) {
    for (const edit of item.edits) turning.draft.world.authors.set(keyOf(edit), { by: 'todone', via: 'engine', person: true });
    turning.effects.push({ kind: 'edit', item });
  }
}

function sceneOf(turning: Turning): Scene | undefined {
  const { board, problems, config, now, instance, common } = turning.given;
  return board && { board, draft: turning.draft, config, now, problems, instance, common };
}

function claim(turning: Turning, choice: Choice): void {
  const { draft, given } = turning;
  const { task } = choice;
  const id = choice.id ?? newId(given.random, (taken) => isTaken(draft, taken));
  const known = knownIn(draft, id) ?? freshKnown(task, id, given.now);
  const redo = tagValue(task, 'redo') !== undefined;
  const clean = tagValue(task, 'fresh') !== undefined || redo;
  const run: Run = {
    ...claimOf(task, known, given.now),
    agent: choice.agent,
    model: choice.model,
    steps: choice.looks ? LOOKING : stepsOf(choice.steps),
    ...(choice.looks && { looks: choice.looks }),
    workspaceSlot: freeSlot(draft, task.section, given.now),
    found: clean ? {} : { kept: known.kept, session: known.session, sessionUsage: known.sessionUsage },
    evidence: clean ? undefined : known.evidence,
  };
  putKnown(
    draft,
    {
      ...known,
      state: 'in_progress',
      held: undefined,
      resume: undefined,
      gone: undefined,
      ticket: run.ticket,
      section: task.section,
      text: task.text,
      occurrence: task.occurrence,
      updatedAt: given.now,
    },
    `${choice.agent}${choice.model ? `/${choice.model}` : ''}`,
    'engine',
  );
  putRun(draft, run);
  turning.effects.push({ kind: 'edit', item: claimEdit(run) });
}

/** Nothing is implemented and nothing lands. */
const LOOKING: readonly Step[] = ['claim', 'prepare', 'plan', 'settle'];

// ── requests ─────────────────────────────────────────────────────────────────────────────────────

function asked(turning: Turning, event: Extract<Event, { kind: 'asked' }>): void {
  freeDeadClaims(turning);
  const { number, ask, by, via } = event;
  const { now, random } = turning.given;
  const scene = sceneOf(turning);
  if (ask.kind === 'branch') {
    const { errand, ...answer } = askErrand(turning.draft, scene, ask.what, ask.section, by);
    turning.asked = errand;
    return void turning.effects.push({ kind: 'answer', number, answer });
  }
  const result = answerAsk({ ask, by, via, draft: turning.draft, scene, now, number, random });
  for (const run of result.halts) halt(turning, run);
  const author = ask.kind === 'request' ? { by: wordsFor(ask.caller), via, person: ask.caller.kind === 'person' } : { by, via, person: true };
  for (const item of result.edits) {
    // A task that is taken again in the same breath need not be let go of on its line.
    if (item.purpose === 'claim') withdraw(turning, item.id);
    for (const edit of item.edits) turning.draft.world.authors.set(keyOf(edit), author);
    turning.effects.push({ kind: 'edit', item });
  }
  for (const run of result.goes) go(turning, run);
  if (result.reply) replyAfter(turning, result.reply, result.goes);
  if (result.answer) turning.effects.push({ kind: 'answer', number, answer: result.answer });
}

/** The answer waits for the line that says it; where none can be written now, the row is enough: it survives, and is written later. */
function replyAfter(turning: Turning, reply: Reply, goes: readonly Run[]): void {
  const at = turning.effects.findLastIndex(
    (effect) => effect.kind === 'edit' && effect.item.purpose === 'settle' && goes.some(({ id }) => id === effect.item.id),
  );
  const effect = turning.effects[at];
  if (effect?.kind !== 'edit') return void turning.replies.push({ reply, stands: true });
  turning.effects[at] = { kind: 'edit', item: { ...effect.item, reply, urgent: true } };
}

/** What the history looks for when the list shows the change. */
function keyOf(edit: Edit): string {
  if ('target' in edit) return edit.target.id ?? authorKey(edit.target);
  return edit.kind === 'insert' ? newKey(edit.task.title) : edit.kind;
}

function withdraw(turning: Turning, id: string): void {
  const at = turning.effects.findIndex((effect) => effect.kind === 'edit' && effect.item.purpose === 'settle' && effect.item.id === id);
  if (at >= 0) turning.effects.splice(at, 1);
}

function giveReplies(turning: Turning): void {
  const scene = turning.replies.length > 0 ? sceneOf(turning) : undefined;
  for (const { reply, stands } of turning.replies)
    turning.effects.push({ kind: 'answer', number: reply.number, answer: scene && stands ? replyTo(reply, scene) : overtaken });
}

function policyOf(turning: Turning, run: Run): Parameters<typeof advance>[2] {
  const { config, now, random } = turning.given;
  const agent = turning.draft.world.agents.find((candidate) => candidate.name === run.agent);
  return { attempts: config.attempts, backoff: config.backoff, learns: agent?.learns ?? true, now, random };
}

function isIdle(turning: Turning, chosen: Starting): boolean {
  if (chosen.waitsForTime) return false;
  const { list, mode } = turning.draft.world;
  if (list.kind === 'torn' || list.kind === 'rollback' || list.kind === 'unread') return false;
  // It may be away for a moment only.
  if (list.kind !== 'fine' && turning.given.now < list.since + turning.given.config.settle) return false;
  for (const run of runsIn(turning.draft)) {
    if ((run.step === 'settle' || run.step === 'claim') && list.kind !== 'fine') continue;
    if (run.outside && run.step === 'implement' && !turning.given.waits) continue;
    if (mode === 'draining' && isPhase(run.step)) continue;
    if (!turning.given.waits && run.waitUntil !== undefined && run.waitUntil > turning.given.now + SOON_MS) continue;
    return false;
  }
  return true;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
