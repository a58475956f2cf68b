/**
 * The list against git and the journal, both ways (6.3-R3, 4-R9): what is marked done and is not proven, what landed and is not
 * marked, what landed twice, claims that nobody has. Says for each what it is and what to do; a fix is a marker that git proves,
 * never a person's text. Compares values only: facts are gathered elsewhere.
 */
import { findById, idOf, placeOf, tagValue, targetOf } from '../tasks/find.ts';
import type { Board, Located, Marker, Target, Task } from '../tasks/task.ts';
import type { CommitFact, GitFacts, LandedFact, LineFact } from './evidence.ts';
import { isTitled } from './recover.ts';
import { locateKnown } from './steer.ts';
import { type Draft, knownIn, runIn, runsIn } from './world.ts';

export type FindingCode =
  | 'unproven'
  | 'stale_hash'
  | 'other_task'
  | 'unmarked'
  | 'alike'
  | 'lineless'
  | 'deleted'
  | 'twice'
  | 'claim_lost'
  | 'claim_unknown'
  | 'run';

export type Finding = {
  readonly code: FindingCode;
  readonly rule: string;
  /** A note informs: nothing is wrong with what it says. */
  readonly severity: 'finding' | 'note';
  readonly line: number | null;
  readonly id: string | null;
  readonly section: string;
  readonly title: string;
  readonly message: string;
  readonly remedy: string;
  /** What `--fix` writes. */
  readonly fix: Fix | null;
};

/** The true marker of a line; written only while the line still says what it said. */
export type Fix = { readonly target: Target; readonly from: Marker['state']; readonly marker: Marker; readonly commit: string | null };

export type ReconcileFacts = GitFacts & {
  /** Hashes on the list that a branch or the base reaches, though no trailer says so: hash → commit. */
  readonly reachable: ReadonlyMap<string, string>;
  /** The highest ticket that has a run folder, by id. */
  readonly tickets: ReadonlyMap<string, number>;
  /** How the archive of the list last wrote a line, by id. */
  readonly lines: ReadonlyMap<string, LineFact>;
  /** Ids in the file of archived tasks. */
  readonly archived: ReadonlySet<string>;
  /** Ids that were done again on purpose, by the journal's history. */
  readonly redone: ReadonlySet<string>;
};

type Look = { readonly board: Board; readonly draft: Draft; readonly facts: ReconcileFacts; readonly commits: ReadonlyMap<string, readonly CommitFact[]> };

export function reconcile(board: Board, draft: Draft, facts: ReconcileFacts): Finding[] {
  const look: Look = { board, draft, facts, commits: byTask(facts.commits) };
  const found = [...lineFindings(look), ...landedFindings(look), ...twiceFindings(look), ...runFindings(look)];
  return found.toSorted((one, other) => (one.line ?? Number.MAX_SAFE_INTEGER) - (other.line ?? Number.MAX_SAFE_INTEGER));
}

/** Hashes on the list that no trailer and no ref of ours proves: git has to be asked for each. */
export function hashesToAsk(board: Board, facts: GitFacts): { readonly section: string; readonly hash: string }[] {
  const commits = byTask(facts.commits);
  const asked: { section: string; hash: string }[] = [];
  for (const { task } of sectionTasks(board)) {
    const { state, hash } = task.marker;
    if (state !== 'done' || hash === undefined || hash === '-') continue;
    const id = idOf(task);
    if (id === undefined || !landingsOf(commits, facts, id).some((landing) => landing.commit.startsWith(hash))) asked.push({ section: task.section, hash });
  }
  return asked;
}

/** Ids whose landings are to be asked of the history. */
export const landedMoreThanOnce = (facts: GitFacts): string[] =>
  [...byTask(facts.commits)].flatMap(([id, commits]) => (withoutCopies(commits).length > 1 ? [id] : []));

// ── lines ────────────────────────────────────────────────────────────────────────────────────────

function* lineFindings(look: Look): Generator<Finding> {
  for (const located of sectionTasks(look.board)) {
    const { state } = located.task.marker;
    const found = state === 'done' ? doneFinding(look, located) : state === 'in_progress' ? claimFinding(look, located) : undefined;
    if (found) yield found;
  }
}

function doneFinding(look: Look, located: Located): Finding | undefined {
  const { task } = located;
  const { hash } = task.marker;
  // Done by hand, or without a commit on purpose.
  if (hash === undefined || hash === '-') return undefined;
  const id = idOf(task);
  const landings = id === undefined ? [] : landingsOf(look.commits, look.facts, id);
  if (landings.some((landing) => landing.commit.startsWith(hash))) return undefined;
  const [newest] = landings;
  const fix = newest && fixOf(task, newest, id);
  const reachable = look.facts.reachable.get(hash);
  if (reachable !== undefined) {
    const owner = look.facts.commits.find((commit) => commit.commit === reachable)?.id;
    if (owner === undefined || owner === id || id === undefined) return undefined;
    const message = `marked done in ${hash}, but that is the commit of another task (${owner})`;
    return finding(look, 'other_task', '4-R9', located, message, newest ? `its own commit is ${newest.hash}: --fix writes that` : REDO, fix);
  }
  if (newest)
    return finding(
      look,
      'stale_hash',
      '4-R9',
      located,
      `done, but ${hash} is on no branch of it any more; it landed as ${newest.hash}`,
      '--fix writes the hash that is there',
      fix,
    );
  return finding(
    look,
    'unproven',
    '4-R9',
    located,
    `marked done in ${hash}, but neither that commit nor one with its trailer is on its branch or the base`,
    REDO,
  );
}

const REDO = 'if it is done, write [x]; to have it done again, add {redo} and set []';

function claimFinding(look: Look, located: Located): Finding | undefined {
  const id = idOf(located.task);
  if (id === undefined || runIn(look.draft, id) || landingsOf(look.commits, look.facts, id).length > 0) return undefined;
  const kept = look.facts.kept.find((snapshot) => snapshot.id === id);
  if (kept)
    return finding(
      look,
      'claim_lost',
      '2-R4',
      located,
      `marked as being worked on, but no run has it; its work is kept in ${kept.ref}`,
      'set [] to go on from that work, or look at it first: todone restore',
    );
  return finding(
    look,
    'claim_unknown',
    '2-R4',
    located,
    'marked as being worked on, but no run has it and nothing is kept of it',
    'set [] to have ToDone do it; if somebody is at work on it, nothing',
  );
}

// ── landings ─────────────────────────────────────────────────────────────────────────────────────

function* landedFindings(look: Look): Generator<Finding> {
  for (const id of new Set([...look.commits.keys(), ...look.facts.landed.keys()])) {
    const [landing] = landingsOf(look.commits, look.facts, id);
    if (!landing || runIn(look.draft, id)) continue;
    const located = findById(look.board, id) ?? rememberedLine(look, id);
    const found = located ? unmarked(look, located, id, landing) : look.facts.archived.has(id) ? undefined : lineless(look, id, landing);
    if (found) yield found;
  }
}

/** Its line where that carries the id no more: as the journal or the archive knows it. */
function rememberedLine(look: Look, id: string): Located | undefined {
  const known = knownIn(look.draft, id);
  const byJournal = known && known.held !== 'alike' ? locateKnown(look.board, look.draft, known) : undefined;
  const line = look.facts.lines.get(id);
  if (byJournal || !line) return byJournal;
  return [...sectionTasks(look.board)].find(
    ({ task }) => task.section === line.section && task.text === line.text && task.occurrence === line.occurrence && idOf(task) === undefined,
  );
}

function unmarked(look: Look, located: Located, id: string, landing: LandedFact): Finding | undefined {
  const { task } = located;
  const { state } = task.marker;
  if (state === 'done' || tagValue(task, 'redo') !== undefined) return undefined;
  // It was done, and a later attempt failed: both are true.
  if (state === 'failed' && knownIn(look.draft, id)?.state === 'failed') return undefined;
  const message = `landed in ${landing.hash}, but its line says ${WORDS[state]}`;
  if (state === 'cancelled') return finding(look, 'unmarked', '6.3-R3', located, message, 'if it is to be undone: git revert; else set [x]');
  return finding(look, 'unmarked', '6.3-R3', located, message, '--fix marks it done; to have it done again, add {redo}', fixOf(task, landing, id));
}

const WORDS = { open: 'open', blocked: 'blocked', in_progress: 'in progress', done: 'done', failed: 'failed', cancelled: 'cancelled' } as const;

/** A commit of a task whose line is not there: deleted by a person, or never known here. */
function lineless(look: Look, id: string, landing: LandedFact): Finding {
  const alike = [...sectionTasks(look.board)].filter(
    ({ task }) =>
      idOf(task) === undefined && task.marker.state !== 'done' && (landing.section ?? task.section) === task.section && isTitled(task.title, landing.subject),
  );
  const [only] = alike;
  if (only && alike.length === 1)
    return finding(
      look,
      'alike',
      '6.3-R3',
      only,
      `${landing.hash} landed task ${id}, which is called the same; whether it is this one cannot be told`,
      `if it is, write [✅ ${landing.hash}, ${id}]; if not, nothing`,
    );
  const known = knownIn(look.draft, id);
  const deleted = known !== undefined || look.facts.lines.has(id);
  const line = { line: null, id, section: landing.section ?? known?.section ?? '', title: landing.subject || (known?.text ?? ''), fix: null };
  if (deleted)
    return { ...line, code: 'deleted', rule: '6.3-R3', severity: 'note', message: `landed in ${landing.hash}; its line was deleted`, remedy: 'nothing to do' };
  return {
    ...line,
    code: 'lineless',
    rule: '6.3-R3',
    severity: 'finding',
    message: `${landing.hash} carries the trailer of task ${id}, which no line of the list or its archive has`,
    remedy: `write it down: [✅ ${landing.hash}, ${id}] ${landing.subject}`,
  };
}

function* twiceFindings(look: Look): Generator<Finding> {
  for (const [id, all] of look.commits) {
    const commits = withoutCopies(all);
    if (commits.length < 2 || look.facts.redone.has(id)) continue;
    const located = findById(look.board, id);
    if (located && tagValue(located.task, 'redo') !== undefined) continue;
    const hashes = commits.map((commit) => commit.hash).join(', ');
    const message = `task ${id} landed ${commits.length} times: ${hashes}`;
    const remedy = 'look at both; git revert the one that is too much';
    if (located) yield finding(look, 'twice', '12-R1', located, message, remedy);
    else
      yield {
        code: 'twice',
        rule: '12-R1',
        severity: 'finding',
        line: null,
        id,
        section: commits[0]?.section ?? '',
        title: commits[0]?.subject ?? '',
        message,
        remedy,
        fix: null,
      };
  }
}

/** Runs that the list does not show: what a daemon does about them by itself. */
function* runFindings(look: Look): Generator<Finding> {
  for (const run of runsIn(look.draft)) {
    if (run.step === 'claim' || run.step === 'settle' || run.halt) continue;
    const known = knownIn(look.draft, run.id);
    const located = known && locateKnown(look.board, look.draft, known);
    if (located?.task.marker.state === 'in_progress') continue;
    const what = located ? `its line says ${WORDS[located.task.marker.state]}` : 'its line is gone';
    yield {
      code: 'run',
      rule: '2-R4',
      severity: 'note',
      line: located ? placeOf(look.board, located).line : null,
      id: run.id,
      section: run.section,
      title: run.task.title,
      message: `the journal has a run of it (${run.step}), but ${what}`,
      remedy: 'nothing to do: the daemon acts on it, or does so when it is started',
      fix: null,
    };
  }
}

// ── small things ─────────────────────────────────────────────────────────────────────────────────

function* sectionTasks(board: Board): Generator<Located> {
  for (const [sectionIndex, section] of board.sections.entries()) {
    if (section.name === undefined) continue;
    for (const [taskIndex, task] of section.tasks.entries()) yield { task, sectionIndex, taskIndex };
  }
}

function byTask(commits: readonly CommitFact[]): Map<string, CommitFact[]> {
  const tasks = new Map<string, CommitFact[]>();
  for (const commit of commits) {
    const same = tasks.get(commit.id);
    if (same) same.push(commit);
    else tasks.set(commit.id, [commit]);
  }
  return tasks;
}

/** A rebased or picked commit is the same change: it was made at the same moment under the same title. */
function withoutCopies(commits: readonly CommitFact[]): readonly CommitFact[] {
  const seen = new Set<string>();
  return commits.filter(({ at, subject }) => {
    const key = `${at} ${subject}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** The newest first; where no branch has a commit of it any more, what our ref holds. */
function landingsOf(commits: ReadonlyMap<string, readonly CommitFact[]>, facts: GitFacts, id: string): readonly LandedFact[] {
  const named = facts.landed.get(id);
  return [...(commits.get(id) ?? []), ...(named ? [{ ...named, subject: '' }] : [])];
}

function fixOf(task: Task, landing: LandedFact, id: string | undefined): Fix {
  return {
    target: { ...targetOf(task), ...(id === undefined ? {} : { id }) },
    from: task.marker.state,
    marker: { state: 'done', hash: landing.hash, ...(id === undefined ? {} : { id }) },
    commit: landing.commit,
  };
}

function finding(look: Look, code: FindingCode, rule: string, located: Located, message: string, remedy: string, fix: Fix | null = null): Finding {
  const { task } = located;
  return {
    code,
    rule,
    severity: 'finding',
    line: placeOf(look.board, located).line,
    id: idOf(task) ?? fix?.marker.id ?? null,
    section: task.section,
    title: task.title,
    message,
    remedy,
    fix,
  };
}
