/**
 * `todone audit` (6.4-R2): what is stale or untrue by now, by the thresholds of the config. Compares values only; where nothing says
 * how old something is, it is no finding.
 */
import type { Config } from '../config.ts';
import { handleOf, idOf as idOnLine, laneOf, placeOf, tagValue } from '../tasks/find.ts';
import type { Board, Located, Task } from '../tasks/task.ts';
import { idOf, type Scene, stateOf } from './choose.ts';
import { dateMs } from './dates.ts';
import type { Finding } from './reconcile.ts';
import type { Run } from './run.ts';
import { knownIn, type History, runIn, runsIn } from './world.ts';

export const AUDIT_CODES = ['stale', 'lease', 'triage', 'unproven', 'taskless', 'unreported', 'session', 'unpublished'] as const;
export type AuditCode = (typeof AUDIT_CODES)[number];

/** `id`: null where the task has none, or the finding is no task's. */
export type AuditFinding = Pick<Finding, 'line' | 'id' | 'section' | 'title' | 'message' | 'remedy'> & { readonly code: AuditCode };

/** A commit of an agent by what it says of itself, without a trailer of ours. `at`: ms since 1970. */
export type StrayCommit = { readonly commit: string; readonly hash: string; readonly at: number; readonly subject: string; readonly agent: string };

/** A session of an agent that a person started, as the hooks of `rules install` tell it. Times in ms since 1970. */
export type SessionFact = {
  readonly session: string;
  readonly agent: string;
  readonly startedAt: number;
  readonly lastAt: number;
  readonly prompts: number;
  /** It has looked at its queue, or taken something from it. */
  readonly read: boolean;
};

export type AuditFacts = {
  /** Oldest first. */
  readonly history: readonly (History & { readonly at: number })[];
  /** What list and git say of each other. */
  readonly reconciled: readonly Finding[];
  readonly strays: readonly StrayCommit[];
  readonly sessions: readonly SessionFact[];
  /** Hashes that a line of the archive names. */
  readonly archivedHashes: readonly string[];
  /** Whether a daemon owns the list at this moment. */
  readonly owned: boolean;
};

/** What the history says of a claim that ended so. */
export const CLAIM_RAN_OUT = 'ran out: no heartbeat';
export const CLAIM_LET_GO = 'released without a report';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A daemon that has much to do frees a lease a little late. */
const LEASE_GRACE_MS = 60_000;

export function audit(scene: Scene, config: Config['audit'], facts: AuditFacts): AuditFinding[] {
  const rows = byId(facts.history);
  const found: AuditFinding[] = [];
  for (const located of sectionTasks(scene.board)) {
    const { task } = located;
    const state = stateOf(scene, task);
    const id = idOf(scene, task);
    const mine = [...(rows.get(handleOf(task)) ?? []), ...(id === undefined ? [] : (rows.get(id) ?? []))].toSorted((one, other) => one.at - other.at);
    const add = (code: AuditCode, message: string, remedy: string): void => void found.push(findingOf(scene.board, located, id, code, message, remedy));
    if (state === 'in_progress') stale(scene, config, id, mine, add);
    if (state === 'open' || state === 'blocked') {
      triage(scene, config, task, id, mine, add);
      unreported(mine, add);
    }
  }
  return [...found, ...leases(scene, facts.owned), ...unproven(scene, facts), ...taskless(scene, config, facts), ...unread(scene, facts)].toSorted(
    (one, other) => (one.line ?? Number.MAX_SAFE_INTEGER) - (other.line ?? Number.MAX_SAFE_INTEGER),
  );
}

type Add = (code: AuditCode, message: string, remedy: string) => void;
type Rows = AuditFacts['history'];

function stale(scene: Scene, config: Config['audit'], id: string | undefined, rows: Rows, add: Add): void {
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  const known = id === undefined ? undefined : knownIn(scene.draft, id);
  const times = [rows.at(-1)?.at, run?.startedAt, run && heartbeatOf(run), known?.updatedAt].filter((at) => at !== undefined);
  if (times.length === 0) return;
  const quiet = scene.now - Math.max(...times);
  if (quiet <= config.stale) return;
  const who = run ? (run.outside?.worker ?? run.agent) : 'nobody that is known';
  add('stale', `in progress with ${who}, and nothing was heard of it for ${age(quiet)}`, 'ask who has it; todone stop or todone task release sets it free');
}

const heartbeatOf = ({ outside }: Run): number | undefined =>
  outside?.until === undefined || outside.leaseMs === undefined ? undefined : outside.until - outside.leaseMs;

function triage(scene: Scene, config: Config['audit'], task: Task, id: string | undefined, rows: Rows, add: Add): void {
  if (laneOf(task) !== 'triage') return;
  const created = tagValue(task, 'created');
  const since = rows.findLast((row) => row.field === 'lane' && row.new === 'triage')?.at;
  const known = id === undefined ? undefined : knownIn(scene.draft, id);
  const at = since ?? rows[0]?.at ?? known?.createdAt ?? (typeof created === 'string' ? dateMs(created) : undefined);
  if (at === undefined || scene.now - at <= config.triage) return;
  add('triage', `waits for triage for ${age(scene.now - at)}`, 'decide: take {triage} away (todone task approve), or cancel it');
}

/** Its last claim ended without a word, and nobody has taken it since. */
function unreported(rows: Rows, add: Add): void {
  const last = rows.findLast((row) => row.field === 'claim');
  if (last?.new !== CLAIM_RAN_OUT && last?.new !== CLAIM_LET_GO) return;
  const how = last.new === CLAIM_RAN_OUT ? 'lost its claim: no heartbeat came' : 'let go of it';
  add('unreported', `${last.old ?? 'a worker'} ${how}, and no report was made`, 'look whether it left work behind; then have it claimed again, or cancel it');
}

function* leases(scene: Scene, owned: boolean): Generator<AuditFinding> {
  for (const run of runsIn(scene.draft)) {
    if (run.step === 'settle' || run.step === 'claim') continue;
    const { outside } = run;
    const late = outside?.until !== undefined && scene.now - outside.until > LEASE_GRACE_MS;
    if (outside ? !late : owned) continue;
    const located = [...sectionTasks(scene.board)].find(({ task }) => idOf(scene, task) === run.id);
    const message = outside
      ? `${outside.worker} has claimed it, and its lease ran out ${age(scene.now - (outside.until ?? 0))} ago`
      : `${run.agent} has it at the step ${run.step}, and no ToDone is running`;
    const remedy = outside ? 'a daemon frees it: todone start; or todone task release' : 'todone start goes on with it';
    yield located
      ? findingOf(scene.board, located, run.id, 'lease', message, remedy)
      : { code: 'lease', line: null, id: run.id, section: run.section, title: run.task.title, message, remedy };
  }
}

const UNPROVEN: ReadonlySet<string> = new Set(['unproven', 'stale_hash', 'other_task']);

function* unproven({ board }: Scene, facts: AuditFacts): Generator<AuditFinding> {
  const free = new Set<number>();
  for (const located of sectionTasks(board)) if (tagValue(located.task, 'no-commit') !== undefined) free.add(placeOf(board, located).line);
  for (const { code, line, id, section, title, message, remedy } of facts.reconciled)
    if (UNPROVEN.has(code) && (line === null || !free.has(line))) yield { code: 'unproven', line, id, section, title, message, remedy };
}

/** Outside workers commit by themselves, and name the commit when they close: that one has its task. */
function* taskless(scene: Scene, config: Config['audit'], facts: AuditFacts): Generator<AuditFinding> {
  const hashes = [...sectionTasks(scene.board)].flatMap(({ task }) => task.marker.hash ?? []);
  const closed = [...hashes, ...facts.archivedHashes].filter((hash) => hash !== '-');
  const known = new Set([...scene.draft.world.known.values(), ...scene.draft.known.values()].flatMap(({ commit }) => commit ?? []));
  for (const stray of facts.strays) {
    if (scene.now - stray.at > config.commits || known.has(stray.commit) || closed.some((hash) => stray.commit.startsWith(hash))) continue;
    yield {
      code: 'taskless',
      line: null,
      id: null,
      section: '',
      title: stray.subject,
      message: `${stray.hash} is a commit of ${stray.agent} that no task asked for`,
      remedy: `look at it (git show ${stray.hash}); then write a task for it, marked [✅ ${stray.hash}], or revert it`,
    };
  }
}

/** How long a session may work before it has looked. */
const SESSION_GRACE_MS = 600_000;

/** It was given prompts, and never asked what there is to do (6.4-R1). */
function* unread({ now }: Scene, { sessions }: AuditFacts): Generator<AuditFinding> {
  for (const { session, agent, startedAt, prompts, read } of sessions) {
    if (read || prompts === 0 || now - startedAt <= SESSION_GRACE_MS) continue;
    yield {
      code: 'session',
      line: null,
      id: null,
      section: '',
      title: `session ${session.slice(0, SESSION_CHARS)} of ${agent}`,
      message: `it began ${age(now - startedAt)} ago, was given ${prompts} ${prompts === 1 ? 'prompt' : 'prompts'} and never read its queue`,
      remedy: 'look what it did; see that it has its rules (todone rules install) and may run todone',
    };
  }
}

const SESSION_CHARS = 8;

function findingOf(board: Board, located: Located, id: string | undefined, code: AuditCode, message: string, remedy: string): AuditFinding {
  const { task } = located;
  return { code, line: placeOf(board, located).line, id: id ?? idOnLine(task) ?? null, section: task.section, title: task.title, message, remedy };
}

function* sectionTasks(board: Board): Generator<Located> {
  for (const [sectionIndex, section] of board.sections.entries()) {
    if (section.name === undefined) continue;
    for (const [taskIndex, task] of section.tasks.entries()) yield { task, sectionIndex, taskIndex };
  }
}

function byId(history: Rows): Map<string, Rows[number][]> {
  const rows = new Map<string, Rows[number][]>();
  for (const row of history) {
    const same = rows.get(row.id);
    if (same) same.push(row);
    else rows.set(row.id, [row]);
  }
  return rows;
}

const age = (ms: number): string =>
  ms >= 2 * DAY_MS ? `${Math.floor(ms / DAY_MS)} days` : ms >= 2 * HOUR_MS ? `${Math.floor(ms / HOUR_MS)} hours` : `${Math.floor(ms / 60_000)} minutes`;

// ── the issue ────────────────────────────────────────────────────────────────────────────────────

/** By which the one issue is found again. */
export const AUDIT_MARKER = '<!-- todone:audit -->';
export const AUDIT_TITLE = 'ToDone audit';
const ISSUE_LINES_MAX = 200;
const TITLE_CHARS = 120;

/** The same findings give the same text. */
export function auditIssue(findings: readonly AuditFinding[], listName: string): string {
  const lines = findings.slice(0, ISSUE_LINES_MAX).map(({ line, id, title, message, remedy, code }) => {
    const where = line === null ? '' : `\`${listName}:${line}\` `;
    return `- **${code}** ${where}${id === null ? '' : `\`${id}\` `}${safe(title).slice(0, TITLE_CHARS)}: ${safe(message)}\n  - do: ${safe(remedy)}`;
  });
  const more = findings.length > ISSUE_LINES_MAX ? [`- … and ${findings.length - ISSUE_LINES_MAX} more`] : [];
  return [AUDIT_MARKER, 'What `todone audit` found in the task list. This text is rewritten, and the issue is closed, by itself.', '', ...lines, ...more].join(
    '\n',
  );
}

/** Words of a list, an agent or a commit: no comment, no mention of anybody, no link, one line. */
const safe = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[<>[\]`]/g, ' ')
    .replaceAll('@', '@\u200B')
    .replaceAll('#', '#\u200B')
    .trim();
