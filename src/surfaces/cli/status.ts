/**
 * What `status` and its relatives show, gathered from the one picture into plain values: sections with what runs, failed, comes
 * next and waits. Sorts and counts; every reason is the core's.
 */
import type { Config } from '../../config.ts';
import type { Activity } from '../../engine/engine.ts';
import { globalWhy, type Scene, type Why, type WhyCode } from '../../runs/choose.ts';
import { allStuck, type Stuck } from '../../runs/stuck.ts';
import { allParked, type Parked, spentToday } from '../../runs/govern.ts';
import { countStates, errandViews, type ErrandView, type RunView, runViews, type TaskView, taskViews } from '../../runs/view.ts';
import type { MarkerState, Problem } from '../../tasks/task.ts';
import type { CommitFact, Owner, Publishing } from './app.ts';

/** A task on a line of its own. */
export type TaskLine = Pick<TaskView, 'id' | 'handle' | 'section' | 'title' | 'status' | 'priority' | 'hash' | 'line' | 'reason'>;

export type RunLine = RunView & {
  readonly last: string | null;
  readonly tokens: number | null;
  readonly cost_usd: number | null;
};

export type SectionStatus = {
  readonly name: string;
  readonly branch: string;
  readonly tree: string;
  readonly counts: Readonly<Record<MarkerState, number>>;
  readonly running: readonly RunLine[];
  readonly failed: readonly TaskLine[];
  /** Waits until a person does something. */
  readonly needs_you: readonly TaskLine[];
  /** Would start now. */
  readonly next: readonly TaskLine[];
  /** Waits for something that comes by itself. */
  readonly waiting: readonly TaskLine[];
  readonly done: readonly TaskLine[];
  /** Only where one section was asked for. */
  readonly commits: readonly CommitFact[];
  readonly errands: readonly ErrandView[];
};

export type ProblemLine = Pick<Problem, 'rule' | 'severity' | 'message' | 'remedy'> & { readonly line: number; readonly column: number };

export type Status = {
  readonly list: string;
  readonly owner: Owner | null;
  /** How publishing went last; null where it is off. */
  readonly published: Publishing | null;
  /** What holds the whole list: paused, torn, conflict, … */
  readonly held: Why | null;
  readonly max_agents: number;
  /** Accounts that wait for a limit to pass. */
  readonly limits: readonly Parked[];
  /** Agents that wait for a person. */
  readonly stuck: readonly Stuck[];
  /** What agents used since midnight, UTC. */
  readonly spent_today: { readonly tokens: number; readonly cost_usd: number; readonly ms: number };
  readonly counts: Readonly<Record<MarkerState, number>>;
  readonly sections: readonly SectionStatus[];
  readonly problems: readonly ProblemLine[];
};

export type StatusFacts = {
  readonly list: string;
  readonly owner: Owner | undefined;
  readonly published?: Publishing | undefined;
  readonly activity: ReadonlyMap<string, Activity>;
  readonly commits?: readonly CommitFact[];
};

function spentWords(scene: Scene): Status['spent_today'] {
  const { tokens, costUsd, ms } = spentToday(scene.draft, scene.now);
  return { tokens, cost_usd: costUsd, ms };
}

/** What waits for a person, whatever else happens. */
const PERSON_CODES: ReadonlySet<WhyCode> = new Set<WhyCode>(['problem', 'held', 'lane', 'approval', 'hold', 'person', 'agent']);

/** The whole list, or one section of it. */
export function statusOf(scene: Scene, facts: StatusFacts, section?: string): Status {
  const views = taskViews(scene).filter((view) => view.section !== '' && (section === undefined || view.section === section));
  const runs = runLines(scene, facts.activity);
  const bySection = Map.groupBy(views, (view) => view.section);
  const names = sectionNames(scene).filter((name) => section === undefined || name === section);
  return {
    list: facts.list,
    owner: facts.owner ?? null,
    published: facts.published ?? null,
    held: globalWhy(scene) ?? null,
    max_agents: scene.config.maxAgents,
    limits: allParked(scene.draft, scene.now),
    stuck: allStuck(scene.draft, scene.config, scene.now),
    spent_today: spentWords(scene),
    counts: countStates(views),
    sections: names.map((name) => ({
      ...sectionStatus(scene.config, name, bySection.get(name) ?? [], runs, facts.commits ?? []),
      errands: errandViews(scene, name),
    })),
    problems: problemLines(scene, section),
  };
}

function sectionStatus(
  config: Config,
  name: string,
  views: readonly TaskView[],
  runs: readonly RunLine[],
  commits: readonly CommitFact[],
): Omit<SectionStatus, 'errands'> {
  const lines = views.map(taskLine);
  const running = runs.filter((run) => run.section === name);
  const runIds = new Set(running.map((run) => run.id));
  const waits = lines.filter(
    (line) =>
      line.reason !== null &&
      (line.status === 'open' || line.status === 'blocked' || (line.status === 'in_progress' && (line.id === null || !runIds.has(line.id)))),
  );
  return {
    name,
    ...placeOfSection(config, name),
    counts: countStates(views),
    running,
    failed: lines.filter((line) => line.status === 'failed'),
    needs_you: waits.filter(needsPerson),
    next: lines.filter((line) => line.reason === null),
    waiting: waits.filter((line) => !needsPerson(line)),
    done: lines.filter((line) => line.status === 'done'),
    commits,
  };
}

/** Where a section's work is (4-R1). */
export function placeOfSection(config: Config, name: string): { readonly branch: string; readonly tree: string } {
  return { branch: `${config.branchPrefix}${name}`, tree: `${config.trees.replace(/\/+$/, '')}/${name}` };
}

export function runLines(scene: Scene, activity: ReadonlyMap<string, Activity>): RunLine[] {
  return runViews(scene).map((run) => {
    const heard = activity.get(run.id);
    return { ...run, last: heard?.last || null, tokens: heard ? heard.inputTokens + heard.outputTokens : null, cost_usd: heard?.costUsd ?? null };
  });
}

export function taskLine(view: TaskView): TaskLine {
  const { id, handle, section, title, status, priority, hash, line, reason } = view;
  return { id, handle, section, title, status, priority, hash, line, reason };
}

/** The name to show and to type: its id, else its handle (7-R6). */
export const nameOf = (task: { readonly id: string | null; readonly handle: string }): string => task.id ?? task.handle;

export function problemLines(scene: Scene, section?: string): ProblemLine[] {
  const within = section === undefined ? undefined : rangeOf(scene, section);
  return scene.problems
    .filter(({ place }) => !within || within.some(([from, to]) => place.line >= from && place.line < to))
    .map(({ place, rule, severity, message, remedy }) => ({ line: place.line, column: place.column, rule, severity, message, remedy }));
}

/** Names in the order of the list, each once. */
export const sectionNames = (scene: Pick<Scene, 'board'>): string[] => [...new Set(scene.board.sections.flatMap((section) => section.name ?? []))];

function rangeOf(scene: Scene, name: string): (readonly [number, number])[] {
  return scene.board.sections.flatMap((section, at) => {
    const start = (scene.board.lines[at] ?? 0) + 1;
    return section.name === name ? [[start, start + section.lines] as const] : [];
  });
}

const needsPerson = (line: TaskLine): boolean => line.reason !== null && PERSON_CODES.has(line.reason.code);
