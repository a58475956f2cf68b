/**
 * Agents on real processes in a temporary place: a workspace, a state folder, and a config as a test wants it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAgents } from '../../src/adapters/agents/agents.ts';
import type { AgentRow } from '../../src/adapters/agents/row.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { openRedaction } from '../../src/adapters/redact.ts';
import { type Config, readConfig, type WrittenConfig } from '../../src/config.ts';
import type { AgentEvent, Agents, PhaseEnd, PhaseOrder } from '../../src/engine/ports.ts';
import type { LogEntry } from '../../src/adapters/run-log.ts';
import { tempFolder } from './process-kit.ts';
import { openTo } from '../../src/adapters/sandbox/sandbox.ts';

export type Ground = {
  readonly agents: Agents;
  readonly workspace: string;
  readonly stateDir: string;
  readonly epoch: string;
  readonly said: string[];
  order(more?: Partial<PhaseOrder>): PhaseOrder;
  run(more?: Partial<PhaseOrder>, signal?: AbortSignal): Promise<PhaseEnd & { readonly events: readonly AgentEvent[] }>;
  path(order: PhaseOrder, name: string): string;
  text(order: PhaseOrder, name: string): string;
  entries(order: PhaseOrder): LogEntry[];
};

export const IDENTITY = { name: 'Ada', email: 'ada@example.org', fallback: false };

export function configOf(written: WrittenConfig): Config {
  const read = readConfig(written);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

export function ground(
  written: WrittenConfig = {},
  given: {
    readonly env?: NodeJS.ProcessEnv;
    readonly table?: (config: Config) => readonly AgentRow[];
    readonly top?: string;
    readonly files?: readonly string[];
  } = {},
): Ground {
  const base = tempFolder();
  const [workspace, stateDir] = [join(base, 'work space'), join(base, 'state')];
  mkdirSync(workspace);
  const epoch = `t${randomBytes(6).toString('hex')}`;
  const env = given.env ?? process.env;
  const said: string[] = [];
  const config = configOf({ ...written, limits: { stopGrace: '200ms', ...written.limits } });
  const agents = openAgents({
    config: () => config,
    stateDir,
    top: given.top ?? base,
    epoch,
    term: 1,
    clock: systemClock(),
    log: { write: (level, message) => void said.push(`${level} ${message}`) },
    redaction: openRedaction(env, given.files ?? []),
    env,
    identity: IDENTITY,
    sandbox: openTo('a test'),
    table: given.table,
  });
  let ticket = 0;
  const order = (more: Partial<PhaseOrder> = {}): PhaseOrder => ({
    id: 'g1234567',
    ticket: ++ticket,
    attempt: 2,
    section: 'feature',
    slot: 1,
    step: 'implement',
    workspace,
    start: '0'.repeat(40),
    port: 43_010,
    agent: 'script',
    prompt: 'the prompt',
    task: taskOf('true'),
    readOnly: false,
    limitMs: 20_000,
    ...more,
  });
  const path = (each: PhaseOrder, name: string): string => join(stateDir, 'runs', each.id, String(each.ticket), name);
  const text = (each: PhaseOrder, name: string): string => readFileSync(path(each, name), 'utf8');
  return {
    agents,
    workspace,
    stateDir,
    epoch,
    said,
    order,
    path,
    text,
    entries: (each) =>
      text(each, `${each.step}.ndjson`)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogEntry),
    async run(more, signal = new AbortController().signal) {
      const events: AgentEvent[] = [];
      const ended = await agents.run(order(more), (event) => void events.push(event), signal);
      return { ...ended, events };
    },
  };
}

/** A task whose `run:` field says this. */
export const taskOf = (run: string | undefined): PhaseOrder['task'] => ({
  id: 'g1234567',
  section: 'feature',
  title: 'A task',
  text: 'A task {script}',
  details: run === undefined ? 'just words' : `run: ${run}`,
  notes: [],
  fields: run === undefined ? [] : [{ key: 'run', value: run, line: 1 }],
  tags: ['script'],
});

export const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
