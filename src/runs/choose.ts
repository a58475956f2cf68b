/**
 * Choosing (SPEC 3): which tasks to start now, in which order, and for every other one the reason. Pure: the board, the
 * world and the config decide, nothing else; the same call serves the daemon, the dry run and `why`.
 */
import type { Config } from '../config.ts';
import { type Common, type Wish, wishesOf } from './sharing.ts';
import type { Board, Located, MarkerState, Problem, Section, Task } from '../tasks/task.ts';
import { afterOf, findById, idOf as idOnLine, laneOf, priorityOf, tagsOf, tagValue } from '../tasks/find.ts';
import { dateMs } from './dates.ts';
import { isUngated } from './gates.ts';
import { looksOf, pickAgent, type Picked } from './pick-agent.ts';
import { filesField, filesOfRun, meeting } from './files.ts';
import { overBudget, type Parked, parkedOf } from './govern.ts';
import { noCommonRoom, noRoom, occupies, roomOf, takeRoom } from './room.ts';
import type { Known } from './run.ts';
import type { Draft, ListState } from './world.ts';
import { knownByText, knownIn, metaIn, runIn, runsIn, stateElsewhere } from './world.ts';

/** Why a task does not start: the rule, what holds it, and what would free it (3-R6). */
export type Why = {
  readonly rule: string;
  readonly code: WhyCode;
  readonly message: string;
  readonly remedy: string;
  /** When it is looked at again by itself, if that is known. */
  readonly until?: number;
};

export type WhyCode =
  | 'list'
  | 'outside'
  | 'problem'
  | 'done'
  | 'cancelled'
  | 'failed'
  | 'running'
  /** A claim from outside is over: another worker may take the task, our own wait for its line. */
  | 'ending'
  | 'person'
  | 'held'
  | 'lane'
  | 'approval'
  | 'hold'
  | 'epic'
  | 'barrier'
  | 'after'
  | 'time'
  | 'subtasks'
  | 'owner'
  | 'agent'
  | 'limit'
  | 'budget'
  | 'fresh'
  | 'section'
  | 'cap'
  | 'files'
  | 'draining'
  | 'paused';

export type Choice = Picked & { readonly located: Located; readonly task: Task; readonly id: string | undefined };

export type Chosen = {
  readonly start: readonly Choice[];
  /** The nearest moment at which waiting alone frees something. */
  readonly wakeAt: number | undefined;
  /** Sections in which the files of the tip would tell whether more may start. */
  readonly unsure: readonly string[];
  /** Places that other projects take, of those that would let more start. */
  readonly wishes: readonly Wish[];
};

/** What a choice is made from. `assumed` = tasks taken as done, for the waves of a dry run. */
export type Scene = {
  readonly board: Board;
  readonly draft: Draft;
  readonly config: Config;
  readonly now: number;
  readonly problems: readonly Problem[];
  readonly instance: string;
  /** Where this is one of several projects in a process. */
  readonly common?: Common | undefined;
  /** No ToDone is running: what was begun stands still. */
  readonly unattended?: boolean;
  readonly assumed?: ReadonlySet<Task>;
};

/** Which tasks may start now, best first, within all caps. */
export function choose(scene: Scene): Chosen {
  const { start, wakeAt, unsure, wishes } = chosen(scene);
  return { start, wakeAt, unsure, wishes };
}

type Choosing = Chosen & { /** Those that could start, if there were room, with what is in their way. */ readonly full: ReadonlyMap<Task, Why> };

function chosen(scene: Scene): Choosing {
  const stop = globalWhy(scene);
  if (stop || roomOf(scene).total >= scene.config.maxAgents) return { start: [], wakeAt: stop?.until, unsure: [], wishes: [], full: new Map() };
  const held = heldTasks(scene.problems);
  const candidates: Choice[] = [];
  let wakeAt: number | undefined;
  const worked = new Set<string>();
  for (const run of runsIn(scene.draft)) worked.add(run.section);
  scene.board.sections.forEach((section, sectionIndex) => {
    if (section.name === undefined || (!mayStart(section) && !worked.has(section.name))) return;
    const busy = sectionWhy(scene, section.name);
    if (busy) return void (wakeAt = earliest(wakeAt, busy.until));
    for (const [taskIndex, verdict] of verdictsOf(scene, section, held)) {
      if (verdict.kind === 'ready')
        candidates.push({ ...verdict.picked, located: { task: verdict.task, sectionIndex, taskIndex }, task: verdict.task, id: idOf(scene, verdict.task) });
      else wakeAt = earliest(wakeAt, verdict.why.until);
    }
  });
  candidates.sort((a, b) => priorityOf(a.task) - priorityOf(b.task));
  return { ...admit(candidates, scene), wakeAt };
}

/** Why one task does not start now; undefined = it would, if there is room. */
export function whyNot(scene: Scene, located: Located): Why | undefined {
  const section = scene.board.sections[located.sectionIndex];
  const task = section?.tasks[located.taskIndex];
  if (!section || !task) return why('1.1-R1', 'outside', 'the task is not on the list', 'look at the list again');
  if (section.name === undefined) return OUTSIDE;
  const own = ownVerdict(scene, section, located.taskIndex);
  if (own?.kind === 'waits' && ENDED.has(own.why.code)) return own.why;
  const stop = globalWhy(scene);
  if (stop) return stop;
  if (own?.kind === 'waits') return own.why;
  const busy = sectionWhy(scene, section.name);
  if (busy) return busy;
  const { start, full } = chosen(scene);
  return start.some((choice) => choice.task === task) ? undefined : (full.get(task) ?? allTaken(scene));
}

/** What holds only this machine's daemon back, or a person who is still typing: no reason against a worker that asks for a task. */
const OURS: ReadonlySet<WhyCode> = new Set<WhyCode>(['agent', 'fresh', 'ending']);

/**
 * Every task that any worker may take now (6.1-R1), whatever agents and places there are here; in file order. Only those that are `wanted`
 * are judged, which is asked of each when it is its turn.
 */
export function* claimable(scene: Scene, wanted: (task: Task) => boolean = () => true): Generator<Located> {
  if (standstill(scene)) return;
  const held = heldTasks(scene.problems);
  for (const [sectionIndex, section] of scene.board.sections.entries()) {
    if (section.name === undefined || !mayStart(section) || isPaused(scene, section.name)) continue;
    for (const [taskIndex, verdict] of verdictsOf(scene, section, held, wanted))
      if ((verdict.kind === 'ready' || verdict.why.code === 'agent' || verdict.why.code === 'ending') && !looksOf(verdict.task))
        yield { task: verdict.task, sectionIndex, taskIndex };
  }
}

/** Why no worker may take a task now; undefined = the one that asks may. */
export function notClaimable(scene: Scene, located: Located): Why | undefined {
  const section = scene.board.sections[located.sectionIndex];
  if (section?.name === undefined) return OUTSIDE;
  const own = ownVerdict(scene, section, located.taskIndex);
  const stop = own?.kind === 'waits' && ENDED.has(own.why.code) ? own.why : standstill(scene);
  if (stop) return stop;
  if (own?.kind === 'waits' && !OURS.has(own.why.code)) return own.why;
  if (looksOf(located.task)) return why('6.2-R1', 'lane', 'an agent of ToDone looks at it first', 'wait for what it finds, or leave it to a person');
  return isPaused(scene, section.name) ? pausedWhy(section.name) : undefined;
}

/** Every task with its reason, for lists and the dry run; in file order. */
export function* reasons(scene: Scene): Generator<{ readonly located: Located; readonly why: Why | undefined }> {
  const held = heldTasks(scene.problems);
  const stop = globalWhy(scene);
  const { start, full } = chosen(scene);
  const starting = new Set(start.map((choice) => choice.task));
  for (const [sectionIndex, section] of scene.board.sections.entries()) {
    const busy = section.name === undefined ? undefined : sectionWhy(scene, section.name);
    const verdicts = section.name === undefined ? undefined : new Map(verdictsOf(scene, section, held));
    for (const [taskIndex, task] of section.tasks.entries()) {
      const verdict = verdicts?.get(taskIndex);
      const own = verdict === undefined ? OUTSIDE : verdict.kind === 'waits' ? verdict.why : undefined;
      const first = own && ENDED.has(own.code) ? own : (stop ?? own ?? busy);
      yield { located: { task, sectionIndex, taskIndex }, why: first ?? (starting.has(task) ? undefined : (full.get(task) ?? allTaken(scene))) };
    }
  }
}

/** The state that counts: what the journal knows of a run that just ended, else the marker. */
export function stateOf(scene: Pick<Scene, 'draft' | 'assumed'>, task: Task): MarkerState {
  if (scene.assumed?.has(task)) return 'done';
  const id = idOnLine(task);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  if (run?.step === 'settle' && run.outcome && run.outcome.state !== 'keep') return run.outcome.state;
  if (run && run.step !== 'settle') return 'in_progress';
  return task.marker.state;
}

/** ToDone's id of a task: in its bracket, as a tag, or by the text that the journal knows; never a name that a person gave. */
export function idOf(scene: Pick<Scene, 'draft'>, task: Task): string | undefined {
  return idOnLine(task) ?? knownByText(scene.draft, task)?.id;
}

type Verdict = { readonly kind: 'ready'; readonly task: Task; readonly picked: Picked } | { readonly kind: 'waits'; readonly task: Task; readonly why: Why };

const ENDED: ReadonlySet<WhyCode> = new Set<WhyCode>(['done', 'cancelled', 'failed', 'running', 'person', 'problem', 'held']);

const OUTSIDE: Why = {
  rule: '1.1-R1',
  code: 'outside',
  message: 'the task stands outside any section',
  remedy: 'move it under a heading "## Git Worktree <name>"',
};

type Wanted = (task: Task, index: number) => boolean;

/** Top to bottom through one section, with the barrier that `[⏰]` waits for; those that are not `wanted` are passed over. */
function* verdictsOf(scene: Scene, section: Section, held: ReadonlyMap<Task, Problem>, wanted: Wanted = () => true): Generator<[number, Verdict]> {
  let barrier: Task | undefined;
  for (const [index, task] of section.tasks.entries()) {
    const state = stateOf(scene, task);
    if (wanted(task, index)) yield [index, verdictOf(scene, section, held, index, task, state, state === 'blocked' ? barrier : undefined)];
    if (!barrier && isBarrier(state, task)) barrier = task;
  }
}

function verdictOf(
  scene: Scene,
  section: Section,
  held: ReadonlyMap<Task, Problem>,
  index: number,
  task: Task,
  state: MarkerState,
  barrier: Task | undefined,
): Verdict {
  const problem = held.get(task);
  const reason = problem
    ? problemWhy(problem)
    : (ENDED_WHY[state]?.(scene, task) ?? waitingWhy(scene, section, task, index, barrier) ?? leavingWhy(scene, task));
  return reason ? { kind: 'waits', task, why: reason } : agentVerdict(scene, task);
}

function ownVerdict(scene: Scene, section: Section, taskIndex: number): Verdict | undefined {
  for (const [, verdict] of verdictsOf(scene, section, heldTasks(scene.problems), (_task, index) => index === taskIndex)) return verdict;
  return undefined;
}

/** Whether there is an agent for it, and whether what agents have used up holds it (5.3-R1, R5, R7). */
function agentVerdict(scene: Scene, task: Task): Verdict {
  const picked = pickAgent(scene, task, idOf(scene, task));
  if (picked.kind !== 'picked') return { kind: 'waits', task, why: { ...why('5.3-R1', 'agent', picked.message, picked.remedy), until: picked.until } };
  const parked = parkedOf(scene.draft, scene.config, picked.agent, scene.now, scene.common?.parked);
  if (parked) return { kind: 'waits', task, why: parkedWhy(parked) };
  const over = overBudget(scene.draft, scene.config, { id: idOf(scene, task), section: task.section }, scene.now);
  if (over === undefined) return { kind: 'ready', task, picked };
  return { kind: 'waits', task, why: why('5.3-R7', 'budget', over, 'raise it under budgets in the config; the budget of a day ends with the day') };
}

const parkedWhy = ({ account, message, until }: Parked): Why => ({
  ...why('5.3-R5', 'limit', `${account} has reached a limit: ${message}`, 'nothing to do: it goes on by itself when the limit is over'),
  until,
});

/** The copy that a recurring task leaves for its next date: it has both. */
const isRearmed = (task: Task): boolean => task.tags.some(({ key }) => key === 'every') && task.tags.some(({ key }) => key === 'not-before');

/** Whether a task keeps every `[⏰]` below it waiting (3-R2). */
function isBarrier(state: MarkerState, task: Task): boolean {
  if (state === 'done' || state === 'cancelled') return false;
  const filedByAgent = laneOf(task) === 'triage' && tagValue(task, 'by') !== undefined;
  return !filedByAgent && !isRearmed(task);
}

const ENDED_WHY: Readonly<Partial<Record<MarkerState, (scene: Scene, task: Task) => Why | undefined>>> = {
  done: () => why('2-R1', 'done', 'it is done', 'add {redo} and set [] to run it again'),
  cancelled: () => why('2-R4', 'cancelled', 'it was cancelled', 'set [] to have it done'),
  failed: (scene, task) => why('2-R6', 'failed', knownFor(scene, task)?.message ?? 'it failed', 'set [] for another attempt, with {fresh} for a clean start'),
  in_progress: (scene, task) => {
    const id = idOf(scene, task);
    const run = id === undefined ? undefined : runIn(scene.draft, id);
    if (run?.outside) return why('2-R3', 'running', `${run.outside.worker} has claimed it`, 'wait, or set [] to take it back');
    const remedy = scene.unattended ? 'todone start goes on with it' : 'nothing to do: it goes on by itself';
    if (run?.behind !== undefined) return why('3-R5', 'running', `it waits before implement: its plan names files that ${run.behind} is at work on`, remedy);
    if (run?.waitUntil !== undefined)
      return {
        ...why('5.3-R6', 'running', `it waits to go on with ${run.step}: ${run.evidence ?? ''}`, remedy),
        until: run.waitUntil,
      };
    if (run && scene.unattended) return why('2-R7', 'running', `${run.agent} was at it (${run.step}), and no ToDone is running`, remedy);
    if (!run && knownFor(scene, task)?.resume) return undefined;
    if (run) return why('2-R2', 'running', `it is being worked on (${run.step})`, 'wait, or set [❌] to stop it');
    return why('2-R4', 'person', 'it is marked as being worked on by somebody else', 'set [] to have ToDone do it');
  },
};

/** A person has set it back, and the run that was at it has not ended yet; or a claim from outside is over, and its line not yet written. */
function leavingWhy(scene: Scene, task: Task): Why | undefined {
  const id = idOf(scene, task);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  const code = run?.outside && run.step === 'settle' ? 'ending' : 'running';
  return run && why('2-R4', code, 'its run is being stopped', 'wait: it starts again by itself');
}

type WaitRule = (scene: Scene, section: Section, task: Task, index: number, barrier: Task | undefined) => Why | undefined;

/** In the order in which a person would want to hear them. */
const WAITS: readonly WaitRule[] = [
  (scene, _section, task) => heldWhy(scene, task),
  (_scene, _section, task) => laneWhy(task),
  (scene, _section, task) => (isUngated(scene.draft, task) ? UNGATED : undefined),
  (_scene, _section, _task, _index, barrier) => barrier && barrierWhy(barrier),
  (scene, _section, task) => afterWhy(scene, task),
  (scene, _section, task) => timeWhy(scene, task),
  (scene, section, task, index) => subtaskWhy(scene, section, task, index),
  (scene, _section, task) => ownerWhy(scene, task),
  (scene, _section, task) => freshWhy(scene, task),
];

function waitingWhy(scene: Scene, section: Section, task: Task, index: number, barrier: Task | undefined): Why | undefined {
  for (const rule of WAITS) {
    const reason = rule(scene, section, task, index, barrier);
    if (reason) return reason;
  }
  return undefined;
}

function heldWhy(scene: Scene, task: Task): Why | undefined {
  const known = knownFor(scene, task);
  if (known?.state !== 'done' || tagValue(task, 'redo') !== undefined) return undefined;
  return why('1.4-R8', 'held', `done in ${known.hash ?? 'an earlier run'}; add {redo} to run it again`, 'add {redo} to the line, or set it back to [✅]');
}

const UNGATED: Why = {
  rule: '1.4-R7',
  code: 'approval',
  message: 'it waited for a person, and git, not a person, took the tag away: that is no approval',
  remedy: 'write the tag ({approval}, {triage}, {decision}…) again, save, and delete it',
};

const LANES = {
  triage: ['it waits for triage', 'accept it by deleting {triage}, or delete the task'],
  decision: ['it waits for a decision', 'answer under the task and delete {decision}'],
} as const;

function laneWhy(task: Task): Why | undefined {
  const hold = tagValue(task, 'hold');
  if (hold !== undefined) return why('1.2', 'hold', hold === true ? 'it is held by a person' : `it is held: ${hold}`, 'delete {hold} from the line');
  if (tagValue(task, 'epic') !== undefined && looksOf(task) !== 'breakdown')
    return why('6.3-R1', 'epic', 'an epic closes when its subtasks are done', 'finish its subtasks');
  const lane = laneOf(task);
  // An agent of ours may look, and writes down what it found.
  if (lane === 'triage' || lane === 'decision') return why('6.2-R1', 'lane', LANES[lane][0], LANES[lane][1]);
  return tagsOf(task).some((tag) => tag.key === 'approval')
    ? why('6.2-R3', 'approval', 'its group waits for approval', 'delete {approval} from the heading')
    : undefined;
}

function barrierWhy(barrier: Task): Why {
  const state = { failed: 'failed', in_progress: 'is being worked on', blocked: 'is blocked', open: 'is not done', done: '', cancelled: '' }[
    barrier.marker.state
  ];
  return why(
    '3-R2',
    'barrier',
    `every task above it has to be done: "${barrier.title}" ${state}`,
    barrier.marker.state === 'failed' ? 'set the failed task to [] for another attempt, or to [-]' : 'wait for the tasks above',
  );
}

function afterWhy(scene: Scene, task: Task): Why | undefined {
  for (const name of afterOf(task)) {
    const found = findById(scene.board, name);
    const state = found ? stateOf(scene, found.task) : stateElsewhere(scene.draft, name);
    if (state === 'done') continue;
    if (state === 'cancelled') return why('6.3-R4', 'after', `${name} was cancelled`, `remove it from {after}`);
    return why('3-R2', 'after', `it comes after ${name}, which is ${state === undefined ? 'not known' : state.replace('_', ' ')}`, `finish ${name} first`);
  }
  return undefined;
}

function timeWhy(scene: Scene, task: Task): Why | undefined {
  const value = tagValue(task, 'not-before');
  if (typeof value !== 'string') return undefined;
  const at = dateMs(value);
  if (at === undefined || at <= scene.now) return undefined;
  return { ...why('1.2', 'time', `not before ${value}`, 'wait, or change {not-before}'), until: at };
}

function subtaskWhy(scene: Scene, section: Section, task: Task, index: number): Why | undefined {
  for (let at = index + 1; at < section.tasks.length; at++) {
    const below = section.tasks[at];
    if (!below || below.parent === undefined || below.parent < index) return undefined;
    if (below.parent !== index) continue;
    const state = stateOf(scene, below);
    if (state !== 'done' && state !== 'cancelled') return why('3-R2', 'subtasks', `its subtask "${below.title}" is not done`, 'wait for its subtasks');
  }
  return undefined;
}

function ownerWhy(scene: Scene, task: Task): Why | undefined {
  const owner = tagValue(task, 'owner');
  if (owner === undefined || owner === scene.instance) return undefined;
  return why('3-R2', 'owner', `it is reserved for ${owner === true ? 'somebody' : owner}`, 'delete {owner:…} to let anyone take it');
}

function freshWhy(scene: Scene, task: Task): Why | undefined {
  const at = scene.draft.world.recent.get(task.fingerprint);
  if (at === undefined || at + scene.config.claimAfter <= scene.now) return undefined;
  return {
    ...why('1.4-R10', 'fresh', 'its text was changed a moment ago', 'wait: it is claimed when the text stays the same'),
    until: at + scene.config.claimAfter,
  };
}

function problemWhy(problem: Problem): Why {
  return why(problem.rule, 'problem', problem.message, problem.remedy);
}

/** What holds every task. */
export function globalWhy(scene: Scene): Why | undefined {
  const { world } = scene.draft;
  if (world.mode === 'draining') return why('7-R5', 'draining', 'ToDone is stopping', 'start it again');
  const closed = scene.common?.closed;
  if (closed) return why('6.5-R2', 'draining', closed.message, closed.remedy);
  return standstill(scene);
}

/** What holds every task for every worker. */
export function standstill(scene: Scene): Why | undefined {
  const { world } = scene.draft;
  if (metaIn(scene.draft, 'paused')) return why('7', 'paused', 'ToDone is paused', 'todone resume');
  return listWhy(world.list, scene.config.settle);
}

/** Why the list is not believed now (1.4-R6, R7, R11); undefined where it is. */
export function listWhy(list: ListState, settleMs: number): Why | undefined {
  switch (list.kind) {
    case 'fine':
      return undefined;
    case 'unread':
      return why('1.4-R6', 'list', 'the list has not been read yet', 'wait');
    case 'missing':
      return why('1.4-R11', 'list', 'the list is not there', 'bring it back (is another branch checked out?)');
    case 'refused':
      return why('1.4-R4', 'list', list.message, 'see todone doctor');
    case 'torn':
      return {
        ...why('1.4-R6', 'list', 'the list looks cut off; it is left alone until it stays the same', 'wait, or save it again'),
        until: list.since + settleMs,
      };
    case 'conflict':
      return why('1.4-R7', 'list', 'the list holds conflict markers of git', 'resolve the conflict and save the list');
    case 'rollback':
      return why(
        '1.4-R7',
        'list',
        'git, or the save of an old buffer, took markers of the list back; they are put right when it is over',
        'finish what git is doing (merge, rebase, stash), or wait',
      );
  }
}

const isPaused = (scene: Scene, name: string): boolean => Boolean(metaIn(scene.draft, `paused:${name}`));

const pausedWhy = (name: string): Why => why('7', 'paused', `section ${name} is paused`, `todone resume ${name}`);

function sectionWhy(scene: Scene, name: string): Why | undefined {
  const wait = scene.draft.world.waits.get(name);
  if (wait && wait.until > scene.now) return { ...why('4-R3', 'section', wait.message, 'it is tried again by itself'), until: wait.until };
  if (isPaused(scene, name)) return pausedWhy(name);
  return undefined;
}

/** Best first, as many as there is room for, and none that may meet another in a file. */
function admit(candidates: readonly Choice[], scene: Scene): Pick<Choosing, 'start' | 'full' | 'unsure' | 'wishes'> {
  const start: Choice[] = [];
  const wishes: Wish[] = [];
  const full = new Map<Task, Why>();
  const unsure = new Set<string>();
  const room = roomOf(scene);
  const claims = filesAtWork(scene);
  for (const choice of candidates) {
    const { task } = choice;
    if (room.total >= scene.config.maxAgents) break;
    if (scene.assumed?.has(task)) continue;
    const files = filesField(task.fields);
    const reason = noRoom(scene, room, choice) ?? filesWhy(scene, task, files, claims, unsure);
    const common = reason === undefined ? noCommonRoom(scene, room, choice) : undefined;
    if (common) wishes.push({ key: common.key, priority: priorityOf(task) });
    const first = reason ?? common?.why;
    if (first) {
      full.set(task, first);
      continue;
    }
    takeRoom(scene, room, choice);
    if (files) claims.push({ section: task.section, title: task.title, files });
    start.push(choice);
  }
  return { start, full, unsure: [...unsure], wishes: wishesOf(wishes) };
}

type FilesAtWork = { readonly section: string; readonly title: string; readonly files: readonly string[] };

function filesAtWork(scene: Scene): FilesAtWork[] {
  if (scene.assumed) return [];
  return [...runsIn(scene.draft)].flatMap((run) => {
    const files = occupies(run) ? filesOfRun(run) : undefined;
    return files ? [{ section: run.section, title: run.task.title, files }] : [];
  });
}

/** Two of one branch that may touch the same file do not run side by side (3-R5). */
function filesWhy(scene: Scene, task: Task, files: readonly string[] | undefined, claims: readonly FilesAtWork[], unsure: Set<string>): Why | undefined {
  if (!files) return undefined;
  const tip = scene.draft.world.tips.get(task.section);
  for (const other of claims) {
    if (other.section !== task.section) continue;
    const met = meeting(files, other.files, tip);
    if (met === 'apart') continue;
    if (met === 'unsure') unsure.add(task.section);
    return why(
      '3-R5',
      'files',
      `its files may be touched by "${other.title}" too, which goes first (${files.join(', ')} and ${other.files.join(', ')})`,
      'wait for it, or name files more exactly',
    );
  }
  return undefined;
}

const allTaken = ({ config }: Scene): Why =>
  why('3-R3', 'cap', `all ${config.maxAgents} places for agents are taken`, 'wait for one of them, or raise maxAgents in the config');

/** One that is being worked on may be one whose claim was lost. */
const STARTABLE: ReadonlySet<MarkerState> = new Set<MarkerState>(['open', 'blocked', 'in_progress']);

const startable = new WeakMap<Section, boolean>();

/** Whether the list alone would let any of its tasks start: a section that is over, or waits for people, costs nothing at a turn. */
function mayStart(section: Section): boolean {
  const known = startable.get(section);
  if (known !== undefined) return known;
  const may = section.tasks.some((task) => STARTABLE.has(task.marker.state) && laneWhy(task) === undefined);
  startable.set(section, may);
  return may;
}

const holding = new WeakMap<readonly Problem[], ReadonlyMap<Task, Problem>>();

function heldTasks(problems: readonly Problem[]): ReadonlyMap<Task, Problem> {
  const known = holding.get(problems);
  if (known) return known;
  const held = new Map<Task, Problem>();
  holding.set(problems, held);
  for (const problem of problems) {
    if (problem.severity === 'error') for (const located of problem.holds ?? []) if (!held.has(located.task)) held.set(located.task, problem);
  }
  return held;
}

function knownFor(scene: Scene, task: Task): Known | undefined {
  const id = idOf(scene, task);
  return id === undefined ? undefined : knownIn(scene.draft, id);
}

const why = (rule: string, code: WhyCode, message: string, remedy: string): Why => ({ rule, code, message, remedy });

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
