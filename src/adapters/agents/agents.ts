/**
 * One phase of an agent, to its end: prompt and environment laid out, started through the one door, streamed to its log, its
 * report read, its end written before it is told. Judges nothing: exit status and report are handed on as they are.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { AgentEvent, AgentInfo, Agents, Clock, Log, PhaseEnd, PhaseOrder } from '../../engine/ports.ts';
import { plainText } from '../../runs/plain-text.ts';
import { readResult } from '../../runs/result.ts';
import type { End, Found } from '../../runs/run.ts';
import { environmentOf } from '../environment.ts';
import { type Exit, launch } from '../process.ts';
import type { Redaction } from '../redact.ts';
import type { Identity } from '../repo.ts';
import { type RunFolder, runFolder } from '../run-folder.ts';
import { openRunLog } from '../run-log.ts';
import { sweepMarked } from '../sweep.ts';
import { type AgentRow, agentTable } from './table.ts';

export type AgentsOptions = {
  readonly config: () => Config;
  readonly stateDir: string;
  /** Of the journal; with the owner's term it opens the mark of every process, so that what sweeps after one owner spares the next. */
  readonly epoch: string;
  readonly term: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  readonly identity: Identity;
};

export function openAgents(options: AgentsOptions): Agents {
  const rowOf = (name: string): AgentRow | undefined => agentTable(options.config()).find((row) => row.name === name);
  return {
    list: () => agentTable(options.config()).map((row) => infoOf(row, options.env)),
    preview: (agent, model) => rowOf(agent)?.preview(model) ?? agent,
    async run(order, activity, signal) {
      const folder = runFolder(options.stateDir, order.id, order.ticket);
      const written = folder.readEnd(order.step);
      if (written) return written;
      const row = rowOf(order.agent);
      if (!row) return { end: { kind: 'final', reason: 'setup_failed', message: `agent ${order.agent} is not configured any more` }, tail: '', found: {} };
      const end = await runPhase(options, row, order, folder, activity, signal);
      if (!signal.aborted) folder.writeEnd(order.step, end);
      return end;
    },
    sweep: (id) => sweepMarked(`TODONE_RUN=${options.epoch}.${id === undefined ? '' : `${options.term}-${id}-`}`),
  };
}

function infoOf(row: AgentRow, env: NodeJS.ProcessEnv): AgentInfo {
  const problem = row.problem(env);
  return { name: row.name, installed: problem === undefined, problem: problem?.message, takes: row.takes, steps: row.steps, learns: row.learns };
}

async function runPhase(options: AgentsOptions, row: AgentRow, order: PhaseOrder, folder: RunFolder, activity: (event: AgentEvent) => void, signal: AbortSignal): Promise<PhaseEnd> {
  const { limits, env: passed } = options.config();
  const promptFile = folder.write(`prompt-${order.step}.md`, order.prompt);
  if (order.plan !== undefined) folder.write('plan.md', order.plan);
  const call = row.invoke(order, promptFile);
  const log = openRunLog({ path: folder.log(order.step), step: order.step, maxBytes: limits.outputBytes, now: () => options.clock.now(), redact: (text) => options.redaction.redact(text) });
  try {
    const exit = await launch({
      program: call.program,
      args: call.args,
      cwd: order.workspace,
      env: environmentOf({ from: options.env, passed: [...passed, ...call.passed], added: call.env, identity: options.identity, variables: variablesOf(order, folder) }),
      mark: `${options.epoch}.${options.term}-${order.id}-${order.ticket}`,
      input: call.input,
      limitMs: order.limitMs,
      stallMs: limits.stallAfter,
      changed: async () => newestChange(order.workspace),
      graceMs: limits.stopGrace,
      onLine: (line, from) => {
        for (const event of row.read(line, from)) {
          log.write(event);
          activity(event);
        }
      },
      signal,
    });
    const found = foundIn(folder);
    const tail = plainText(log.tail());
    return { end: endOf(exit, call.program, options), tail, found };
  } finally {
    log.close();
  }
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

/** Without a report the outcome is left to exit status and git, and noted as such (5.2-R2). */
function foundIn(folder: RunFolder): Found {
  const text = folder.readResult();
  if (text === undefined) return { inferred: true };
  const read = readResult(text);
  return 'found' in read ? { ...read.found, inferred: false } : { inferred: true, notes: [read.note] };
}

function endOf(exit: Exit, program: string, options: AgentsOptions): End {
  const { limits } = options.config();
  switch (exit.ended) {
    case 'itself':
      return exit.code === 0 ? { kind: 'done' } : { kind: 'final', reason: 'agent_failed', message: exit.code === undefined ? `ended by ${exit.killedBy ?? 'a signal'}` : `exit ${exit.code}` };
    case 'limit':
      return { kind: 'final', reason: 'timeout', message: `it took longer than ${seconds(limits.phase)}` };
    case 'stall':
      return { kind: 'final', reason: 'stalled', message: `no output, no work and no changed file for ${seconds(limits.stallAfter)}` };
    case 'stop':
      return { kind: 'final', reason: 'cancelled', message: 'stopped' };
    case 'unstarted':
      return exit.trouble === 'ENOENT' || exit.trouble === 'EACCES'
        ? { kind: 'final', reason: 'setup_failed', message: `${program} cannot be started (${exit.trouble})` }
        : { kind: 'transient', reason: 'setup_failed', message: `${program} cannot be started (${exit.trouble ?? 'unknown'})` };
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

const LOOKED_AT_MAX = 2000;
const NOT_LOOKED_INTO: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'build', 'target', '.venv']);

/** The newest time of a file in the workspace, as far as a short look goes. */
function newestChange(workspace: string): string {
  let newest = 0;
  let looked = 0;
  const folders = [workspace];
  for (let folder = folders.pop(); folder !== undefined && looked < LOOKED_AT_MAX; folder = folders.pop()) {
    for (const entry of entriesOf(folder)) {
      if (looked++ >= LOOKED_AT_MAX || NOT_LOOKED_INTO.has(entry.name)) continue;
      const path = join(folder, entry.name);
      newest = Math.max(newest, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return String(newest);
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
