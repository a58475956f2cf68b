/**
 * The one oracle of all campaigns: from what is to be seen outside (the list's text, the archive of displaced versions, git, the
 * table of processes) it says which of the promises I1–I9 did not hold. Knows nothing of how a list is written and reads no
 * journal and no log; what was seen comes as values, from a simulation or from `collect.ts`.
 *
 * I1 nothing that was saved is lost or doubled · I2 nothing outside markers and notes is changed · I3 a task lands once, and what
 * is reported done has landed · I4 never two agents at once for a task · I5 no process is left · I6 nothing of the engineer's git
 * is moved · I7 markers are true · I8 no secret gets out · I9 nothing is left lying about.
 */
import { humanLines, tasksIn, wordsIn } from './words.ts';
import type { ListState, ListTask } from './words.ts';

export type Rule = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';

export type Violation = { readonly rule: Rule; readonly subject: string; readonly message: string };

/** A version that a write displaced. */
export type Version = { readonly name: string; readonly text: string };

/** A commit that carries a task's trailer. */
export type Landed = { readonly commit: string; readonly task: string };

export type GitFacts = {
  /** On the section branches, each commit once. */
  readonly landed: readonly Landed[];
  /** What no run may change, by name: HEAD, refs outside ToDone's own, config, hooks, the main checkout's state. */
  readonly guarded?: ReadonlyMap<string, string>;
  /** ToDone's section branches. */
  readonly branches?: readonly string[];
  /** Locks, half-made worktrees and the like. */
  readonly litter?: readonly string[];
};

/** A living process with ToDone's mark; `run` = one attempt's step, so that two of them for one task are two agents. */
export type Living = { readonly pid: number; readonly task: string; readonly run: string };

/** When an agent was at work on a task, by its own account (any one clock, ms). */
export type Span = { readonly task: string; readonly from: number; readonly to: number };

/**
 * What has to have become of a word: `once` = exactly once in the list; `kept` = in the list at most once, or in a version;
 * `gone` = its own editor took it away; `maybe` = its save was not completed (at most once).
 */
export type Fate = 'once' | 'kept' | 'gone' | 'maybe';

export type Expected = {
  readonly words?: ReadonlyMap<string, Fate>;
  /** The list as it would be had only people written to it; compared without regard to order. */
  readonly human?: string;
  /** The states that the task with this word in it may have. */
  readonly states?: ReadonlyMap<string, readonly ListState[]>;
  /** `git.guarded` as it was before. */
  readonly guarded?: ReadonlyMap<string, string>;
  readonly branches?: readonly string[];
  /** Texts that must be nowhere. */
  readonly secrets?: readonly string[];
  /** Something still runs: then 🟡 and living processes are right. */
  readonly busy?: boolean;
};

export type Evidence = {
  /** Undefined: there is no list. */
  readonly list: string | undefined;
  readonly archive: readonly Version[];
  readonly git?: GitFacts;
  /** The table of processes now, and at earlier looks. */
  readonly processes?: readonly Living[];
  readonly earlier?: readonly (readonly Living[])[];
  readonly spans?: readonly Span[];
  /** What lies beside the list that is ToDone's. */
  readonly litter?: readonly string[];
  /** Other places to look for secrets, by name. */
  readonly texts?: ReadonlyMap<string, string>;
  readonly expected: Expected;
};

/** Everything that does not hold, by rule. */
export function violations(evidence: Evidence): Violation[] {
  return [lost, changed, landedOnce, oneAgent, leftRunning, moved, untrue, leaked, littered].flatMap((check) => check(evidence));
}

/** One line per violation, for a person; '' where there are none. */
export function tableOf(found: readonly Violation[]): string {
  return found.map(({ rule, subject, message }) => `${rule}  ${subject}  ${message}`).join('\n');
}

// ── the list ─────────────────────────────────────────────────────────────────────────────────────

function lost({ list, archive, expected }: Evidence): Violation[] {
  if (!expected.words) return [];
  const inList = wordsIn(list ?? '');
  const inArchive = new Set(archive.flatMap(({ text }) => [...wordsIn(text).keys()]));
  const found: Violation[] = [];
  const say = (word: string, message: string): void => void found.push({ rule: 'I1', subject: word, message });
  for (const [word, fate] of expected.words) {
    const count = inList.get(word) ?? 0;
    if (count > 1) say(word, `is in the list ${count} times`);
    if (fate === 'gone' && count > 0) say(word, 'is in the list though its editor took it away');
    if (count > 0) continue;
    const where = inArchive.has(word) ? 'only in a version' : 'nowhere';
    if (fate === 'once' || (fate === 'kept' && where === 'nowhere')) say(word, `was saved and is ${where}`);
  }
  for (const word of inList.keys()) if (!expected.words.has(word)) say(word, 'is in the list though nobody wrote it');
  return found;
}

function changed({ list, expected }: Evidence): Violation[] {
  if (expected.human === undefined) return [];
  const left = humanLines(list ?? '');
  const found: Violation[] = [];
  for (const line of humanLines(expected.human)) {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    else found.push({ rule: 'I2', subject: JSON.stringify(line), message: 'is not in the list as the person wrote it' });
  }
  return [...found, ...left.map((line): Violation => ({ rule: 'I2', subject: JSON.stringify(line), message: 'is in the list though no person wrote it' }))];
}

// ── git and the list ─────────────────────────────────────────────────────────────────────────────

function landedOnce({ list, git }: Evidence): Violation[] {
  if (!git) return [];
  const found: Violation[] = [];
  const say = (subject: string, message: string): void => void found.push({ rule: 'I3', subject, message });
  const commits = commitsByTask(git);
  for (const [task, ids] of commits) if (ids.length > 1) say(task, `landed ${ids.length} times: ${ids.join(' ')}`);
  for (const task of tasksIn(list ?? '')) {
    if (task.state !== 'done' || task.id === undefined) continue;
    const ids = commits.get(task.id) ?? [];
    const { hash } = task;
    if (hash === '-' ? ids.length > 0 : hash === undefined || !ids.some((id) => id.startsWith(hash)))
      say(task.id, `is reported done as ${hash ?? 'nothing'} in line ${task.line}, and git has ${ids.join(' ') || 'no commit'}`);
  }
  return found;
}

function commitsByTask({ landed }: GitFacts): Map<string, string[]> {
  const commits = new Map<string, string[]>();
  for (const { commit, task } of landed) {
    const ids = commits.get(task) ?? [];
    if (!ids.includes(commit)) commits.set(task, [...ids, commit]);
  }
  return commits;
}

function moved({ git, expected }: Evidence): Violation[] {
  const before = expected.guarded;
  const after = git?.guarded;
  if (!before || !after) return [];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name): Violation[] => {
    const [was, is] = [before.get(name), after.get(name)];
    return was === is ? [] : [{ rule: 'I6', subject: name, message: `was ${was ?? 'not there'} and is ${is ?? 'gone'}` }];
  });
}

function untrue({ list, git, processes, expected }: Evidence): Violation[] {
  const found: Violation[] = [];
  const tasks = tasksIn(list ?? '');
  const say = (task: ListTask, message: string): void => void found.push({ rule: 'I7', subject: task.text, message });
  const commits = git && commitsByTask(git);
  for (const task of tasks) {
    if (task.state === 'in_progress' && !expected.busy && processes?.every((each) => each.task !== task.id)) say(task, 'is 🟡 though nothing runs');
    if (task.state === 'failed' && commits?.has(task.id ?? '')) say(task, 'is ❌ though it has landed');
  }
  for (const id of new Set(tasks.flatMap((task) => task.id ?? [])))
    if (tasks.filter((task) => task.id === id).length > 1) found.push({ rule: 'I7', subject: id, message: 'stands at two tasks' });
  for (const [word, states] of expected.states ?? []) {
    const task = tasks.find(({ text }) => wordsIn(text).has(word));
    if (!task) found.push({ rule: 'I7', subject: word, message: 'has no task in the list' });
    else if (!states.includes(task.state)) say(task, `is ${task.state}, not ${states.join(' or ')}`);
  }
  return found;
}

// ── processes ────────────────────────────────────────────────────────────────────────────────────

function oneAgent({ processes = [], earlier = [], spans = [] }: Evidence): Violation[] {
  const twice = new Set<string>();
  for (const look of [...earlier, processes]) {
    const runs = new Map<string, string>();
    for (const { task, run } of look) {
      if ((runs.get(task) ?? run) !== run) twice.add(task);
      runs.set(task, run);
    }
  }
  const sorted = spans.toSorted((a, b) => a.from - b.from);
  const until = new Map<string, number>();
  for (const { task, from, to } of sorted) {
    const last = until.get(task) ?? Number.NEGATIVE_INFINITY;
    if (from < last) twice.add(task);
    until.set(task, Math.max(last, to));
  }
  return [...twice].map((task) => ({ rule: 'I4', subject: task, message: 'had two agents at once' }));
}

function leftRunning({ processes = [], expected }: Evidence): Violation[] {
  if (expected.busy) return [];
  return processes.map(({ pid, task, run }) => ({ rule: 'I5', subject: task, message: `process ${pid} of run ${run} still lives` }));
}

// ── what must not be anywhere ────────────────────────────────────────────────────────────────────

function leaked({ list, archive, texts, expected }: Evidence): Violation[] {
  const places = [['list', list ?? ''] as const, ...archive.map(({ name, text }) => [`version ${name}`, text] as const), ...(texts ?? [])];
  return (expected.secrets ?? []).flatMap((secret) =>
    places.filter(([, text]) => text.includes(secret)).map(([place]): Violation => ({ rule: 'I8', subject: place, message: 'holds a secret' })),
  );
}

function littered({ litter = [], git, expected }: Evidence): Violation[] {
  const branches = expected.branches ? (git?.branches ?? []).filter((branch) => !expected.branches?.includes(branch)) : [];
  return [
    ...[...litter, ...(git?.litter ?? [])].map((name): Violation => ({ rule: 'I9', subject: name, message: 'is left' })),
    ...branches.map((branch): Violation => ({ rule: 'I9', subject: branch, message: 'is a branch of no section' })),
  ];
}
