/**
 * One phase of an agent, to its end: prompt and environment laid out, started through the one door, streamed to its log, its
 * report read, its end written before it is told. Judges nothing: exit status and report are handed on as they are.
 */
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { AgentEvent, AgentInfo, Agents, Clock, Log, PhaseEnd, PhaseOrder } from '../../engine/ports.ts';
import { plainText } from '../../runs/plain-text.ts';
import { filesNamed, readResult } from '../../runs/result.ts';
import type { End, Found, Usage } from '../../runs/run.ts';
import { environmentOf, type RunVariables } from '../environment.ts';
import { cleanGiven } from '../given-files.ts';
import { launch, sweep } from '../process.ts';
import type { Redaction } from '../redact.ts';
import type { Identity } from '../repo.ts';
import { PLAN, RESULT, type RunFolder, runFolder } from '../run-folder.ts';
import { openRunLog, type RunLog } from '../run-log.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { changedSince } from '../stall.ts';
import type { Desk } from './desk.ts';
import { endOf } from './ends.ts';
import { patienceWithLimits } from './patience.ts';
import type { AgentRow, Invocation, Reader, Surroundings } from './row.ts';
import { type Seen, seeing } from './seen.ts';
import { ownSession, sessionCount, sessionIn } from './sessions.ts';
import { agentTable, listAgents } from './table.ts';

export type AgentsOptions = {
  readonly config: () => Config;
  readonly stateDir: string;
  /** The main worktree's top: what relative programs of the config count from. */
  readonly top: string;
  /** Of the journal; with the owner's term it opens the mark of every process, so that what sweeps after one owner spares the next. */
  readonly epoch: string;
  readonly term: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  readonly identity: Identity;
  /** Where agents are heard, the socket that leads there, and the command that an agent's client starts as its MCP server. */
  readonly voice?: { readonly desk: Desk; readonly socket: string; readonly command: readonly [string, ...string[]] };
  readonly sandbox: Sandbox;
  /** Other rows than the built-in and the configured ones. */
  readonly table?: (config: Config) => readonly AgentRow[];
};

export function openAgents(options: AgentsOptions): Agents {
  const around: Surroundings = { env: options.env, top: options.top, confined: options.sandbox.kind !== 'none' };
  const rows = (): readonly AgentRow[] => (options.table ?? agentTable)(options.config());
  const rowOf = (name: string): AgentRow | undefined => rows().find((row) => row.name === name);
  return {
    list: () => listAgents(rows(), around).map((agent) => withoutSandbox(agent, options.sandbox)),
    preview: (agent, model) => rowOf(agent)?.preview(model) ?? agent,
    async run(order, activity, signal) {
      const folder = runFolder(options.stateDir, order.id, order.ticket);
      const written = folder.readEnd(order.step);
      if (written) return written;
      const row = rowOf(order.agent);
      if (!row)
        return notRun({
          kind: 'final',
          reason: 'setup_failed',
          message: `there is no agent ${order.agent}: add it under agents in the config, or take another`,
        });
      const end = await runPhase({ options, row, around, order: ownSession(row, order), folder, activity, signal });
      if (!signal.aborted) record(options, folder, order, end);
      return end;
    },
    sweep: (id) => sweep(id === undefined ? `${options.epoch}.` : `${options.epoch}.${options.term}-${id}-`),
  };
}

/** Never silently outside of the sandbox that was asked for. */
const withoutSandbox = (agent: AgentInfo, { problem }: Sandbox): AgentInfo => (problem === undefined ? agent : { ...agent, installed: false, problem });

const notRun = (end: End): PhaseEnd => ({ end, tail: '', found: {} });

/** An end that cannot be written is told all the same: the work is in the workspace, and only a crash would repeat it. */
function record(options: AgentsOptions, folder: RunFolder, order: PhaseOrder, end: PhaseEnd): void {
  try {
    folder.writeEnd(order.step, end);
  } catch (error) {
    options.log.write('warn', `the end of ${order.step} could not be written to ${folder.path}: ${String(error)}`, { task: order.id, step: order.step });
  }
}

/** One phase that is to be run, with all that it needs. */
type Phase = {
  readonly options: AgentsOptions;
  readonly row: AgentRow;
  readonly around: Surroundings;
  readonly order: PhaseOrder;
  readonly folder: RunFolder;
  readonly activity: (event: AgentEvent) => void;
  readonly signal: AbortSignal;
};

async function runPhase(phase: Phase): Promise<PhaseEnd> {
  const { options, row, order, folder } = phase;
  const promptFile = layOut(order, folder);
  const log = openRunLog({
    path: folder.log(order.step),
    step: order.step,
    maxBytes: options.config().limits.outputBytes,
    now: () => options.clock.now(),
    redaction: options.redaction,
    trouble: (message) => options.log.write('warn', message, { task: order.id, step: order.step }),
  });
  const voice = takeSeat(phase, log);
  try {
    const call = row.invoke({ order, promptFile, folder: folder.path, mcp: voice?.mcp, around: phase.around });
    if (!call)
      return notRun({ kind: 'final', reason: 'setup_failed', message: `${row.name} finds nothing to run in this task: add a run: field or a sh block` });
    for (const [name, text] of Object.entries(call.files ?? {})) folder.write(name, text);
    const ended = await follow(phase, call, log, voice?.variables ?? {});
    if (ended !== 'session gone') return ended;
  } finally {
    voice?.leave();
    log.close();
    cleanGiven(folder, options.redaction);
  }
  options.log.write('warn', `${row.name} does not know session ${order.session} any more: a new one is begun`, { task: order.id, step: order.step });
  return runPhase({ ...phase, order: { ...order, session: undefined, sessionUsage: undefined } });
}

/** What the agent says through its MCP server while the phase goes on: a report as if it were in its file, progress as its text. */
function takeSeat({ options, order, folder, activity }: Phase, log: RunLog) {
  if (!options.voice) return undefined;
  const { desk, socket, command } = options.voice;
  const { token, leave } = desk.sit({
    id: order.id,
    ticket: order.ticket,
    attempt: order.attempt,
    section: order.section,
    step: order.step,
    agent: order.model === undefined ? order.agent : `${order.agent}/${order.model}`,
    report: (result) => void folder.write(RESULT, JSON.stringify(result)),
    progress(message) {
      const event = { kind: 'text', text: message } as const;
      log.write(event);
      activity(event);
    },
  });
  const [program, ...args] = command;
  const variables = { SOCKET: socket, TOKEN: token };
  return { leave, variables, mcp: { name: MCP_NAME, command: program, args, env: { TODONE_SOCKET: socket, TODONE_TOKEN: token } } };
}

/** What clients call the server, and so the first part of its tools' names. */
const MCP_NAME = 'todone';

/** What it finds when it starts; nothing of an earlier program is mistaken for its report. */
function layOut(order: PhaseOrder, folder: RunFolder): string {
  folder.clear(RESULT);
  folder.clear(PLAN);
  if (order.plan !== undefined && order.step !== 'plan') folder.write(PLAN, order.plan);
  return folder.writePrompt(order.step, order.prompt);
}

async function follow(phase: Phase, call: Invocation, log: RunLog, voice: Partial<RunVariables>): Promise<PhaseEnd | 'session gone'> {
  const { options, row, order, folder, activity, signal } = phase;
  const { limits, env: passed } = options.config();
  const [circles, waits, over] = [new AbortController(), new AbortController(), new AbortController()];
  const watch = seeing(limits.sameCalls, () => circles.abort());
  const { allowance = {} } = order;
  const begun = options.clock.ticks();
  const patience = patienceWithLimits(options.clock, limits.limitWait, () => waits.abort());
  const spent = sessionCount(order.sessionUsage);
  const tell = atMostOncePerSecond(options.clock, activity);
  const read = readingSafely(row, order, options);
  const take = (said: AgentEvent): void => {
    const event = spent.own(said);
    log.write(event);
    watch.see(event);
    patience.see(event);
    if (event.kind === 'usage' && isOver(allowance, watch.seen().usage)) over.abort();
    tell(event);
  };
  let talked: 'done' | 'failed' | undefined;
  const { talk } = call;
  const env = environmentOf({
    from: options.env,
    passed: [...passed, ...call.passed],
    added: call.env,
    identity: options.identity,
    variables: { ...variablesOf(order, folder), ...voice },
  });
  const inside = options.sandbox.confine(call, {
    workspace: order.workspace,
    readable: [folder.prompt(order.step), ...Object.keys(call.files ?? {}).map((name) => join(folder.path, name))],
    writable: [folder.given, ...(call.keeps ?? [])],
    env,
  });
  const exit = await launch({
    program: inside.program,
    args: inside.args,
    confined: inside.confined,
    cwd: order.workspace,
    env,
    mark: `${options.epoch}.${options.term}-${order.id}-${order.ticket}`,
    inputFile: call.inputFile,
    limitMs: Math.min(order.limitMs, Math.max(1, allowance.ms ?? order.limitMs)),
    stallMs: limits.stallAfter,
    changed: (since) => changedSince(order.workspace, since),
    stopSignal: call.stopSignal,
    graceMs: limits.stopGrace,
    maxBytes: limits.outputBytes,
    onLine: (line, from) => {
      for (const event of read(line, from)) take(event);
    },
    ...(talk
      ? {
          talk: async (input, output, stop) => {
            talked = await talk({ input, output, tell: take, stop });
          },
        }
      : {}),
    signal: AbortSignal.any([signal, circles.signal, waits.signal, over.signal]),
  }).finally(() => inside.leave());
  patience.end();
  if (order.session !== undefined && exit.ended === 'itself' && exit.code !== 0 && row.sessionGone?.test(exit.tail)) return 'session gone';
  const seen = watch.seen();
  const end = endOf({
    // What a conversation came to counts; how the client then went away does not.
    exit: talked !== undefined && exit.ended === 'itself' ? { ...exit, code: talked === 'done' ? 0 : 1, killedBy: undefined } : exit,
    seen,
    agent: row.name,
    called: call.called,
    workspace: order.workspace,
    limitMs: order.limitMs,
    stallMs: limits.stallAfter,
    noProgress: circles.signal.aborted && !signal.aborted,
    overBudget: (over.signal.aborted || (exit.ended === 'limit' && (allowance.ms ?? Number.POSITIVE_INFINITY) < order.limitMs)) && !signal.aborted,
    waitedTooLong: waits.signal.aborted && !signal.aborted,
    login: row.login,
    codes: row.codes,
  });
  const found = {
    ...foundIn(order, folder, seen, options.redaction),
    ...sessionIn(row, seen, spent.total(seen.usage)),
    tookMs: Math.round(options.clock.ticks() - begun),
  };
  return { end: cleanEnd(end, options.redaction), tail: plainText(log.tail()), found };
}

/** Whether a phase has used up what its budgets left to it. */
function isOver(allowance: NonNullable<PhaseOrder['allowance']>, used: Usage | undefined): boolean {
  if (!used) return false;
  return (
    used.inputTokens + used.outputTokens > (allowance.tokens ?? Number.POSITIVE_INFINITY) || used.costUsd > (allowance.costUsd ?? Number.POSITIVE_INFINITY)
  );
}

/** Whatever a client prints, it ends no daemon: a line that its reader stumbles over is text. */
function readingSafely(row: AgentRow, order: PhaseOrder, { clock, log }: AgentsOptions): Reader {
  const read = row.reader(() => clock.now());
  let told = false;
  return (line, from) => {
    try {
      return read(line, from);
    } catch (error) {
      if (!told) log.write('warn', `a line of ${row.name} cannot be read and is taken as text: ${String(error)}`, { task: order.id, step: order.step });
      told = true;
      return [{ kind: 'text', text: line }];
    }
  };
}

const variablesOf = (order: PhaseOrder, folder: RunFolder) => ({
  ID: order.id,
  SECTION: order.section,
  WORKTREE: order.workspace,
  PHASE: order.step,
  ATTEMPT: String(order.attempt),
  PLAN: folder.plan,
  RESULT: folder.result,
  PORT: String(order.port),
});

/** What says that it goes on is told once a second; what counts is told at once. */
function atMostOncePerSecond(clock: Clock, activity: (event: AgentEvent) => void): (event: AgentEvent) => void {
  let told = -ACTIVITY_MS;
  return (event) => {
    const only = event.kind === 'text' || event.kind === 'tool' || event.kind === 'file';
    if (only && clock.ticks() - told < ACTIVITY_MS) return;
    if (only) told = clock.ticks();
    activity(event);
  };
}

const ACTIVITY_MS = 1000;

const cleanEnd = (end: End, redaction: Redaction): End => (end.kind === 'done' ? end : { ...end, message: plainText(redaction.redact(end.message)) });

function foundIn(order: PhaseOrder, folder: RunFolder, seen: Seen, redaction: Redaction): Found {
  const reported = reportIn(folder, redaction);
  const plan = order.step === 'plan' ? planIn(folder, reported, seen, redaction) : undefined;
  return {
    ...reported,
    ...(plan === undefined ? {} : { plan, files: reported.files ?? filesNamed(plan) }),
    ...(seen.usage === undefined ? {} : { usage: seen.usage }),
  };
}

/** Without a report the outcome is left to exit status and git, and noted as such (5.2-R2). */
function reportIn(folder: RunFolder, redaction: Redaction): Found {
  const given = folder.readGiven(RESULT);
  if (given === undefined || given.text.trim() === '') return { inferred: true };
  const read = given.tooLong ? { note: 'the report is too long: the outcome is inferred' } : readResult(given.text);
  return 'found' in read ? { ...cleanFound(read.found, redaction), inferred: false } : { inferred: true, notes: [read.note] };
}

/** Every text in it, as it may be shown. */
const cleanFound = (found: Found, redaction: Redaction): Found =>
  JSON.parse(JSON.stringify(found), (_key, value: unknown) => (typeof value === 'string' ? plainText(redaction.redact(value)) : value)) as Found;

/** As reported, else as written where `TODONE_PLAN` points, else as printed. */
function planIn(folder: RunFolder, reported: Found, seen: Seen, redaction: Redaction): string | undefined {
  const written = folder.readGiven(PLAN)?.text.trim();
  const plan = reported.plan ?? (written || seen.said.trim());
  return plan === '' ? undefined : plainText(redaction.redact(plan));
}
