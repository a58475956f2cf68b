/**
 * The agents as a table: what each is, how it is started, how its output is read. Adding one is adding a row. Never branches on
 * an agent's name elsewhere.
 */
import { type AgentConfig, type Config, defaultAgent } from '../../config.ts';
import type { AgentInfo } from '../../engine/ports.ts';
import { acpRow } from './acp.ts';
import { CLAUDE } from './claude.ts';
import { type ClientKind, clientRow } from './client.ts';
import { CODEX } from './codex.ts';
import { commandRow } from './command.ts';
import { GEMINI } from './gemini.ts';
import { OPENCODE } from './opencode.ts';
import type { AgentRow, Surroundings } from './row.ts';
import { SCRIPT } from './script.ts';

/** In the order in which one is taken where nothing names one. */
const CLIENTS: readonly ClientKind[] = [CLAUDE, CODEX, GEMINI, OPENCODE];

/** What a person described first, then what may be installed, and last what needs no model. */
export function agentTable(config: Config): readonly AgentRow[] {
  const configured = Object.entries(config.agents).map(([name, agent]) => rowOf(name, agent));
  const known = [...CLIENTS.map((client) => clientRow(client.kind, client, defaultAgent)), SCRIPT];
  const named = new Set(configured.map(({ name }) => name));
  return [...configured, ...known.filter(({ name }) => !named.has(name))];
}

function rowOf(name: string, agent: AgentConfig): AgentRow {
  const kind = agent.client ?? (agent.command === undefined ? name : 'command');
  const client = CLIENTS.find((each) => each.kind === kind);
  if (client) return clientRow(name, client, agent);
  return kind === 'acp' ? acpRow(name, agent) : commandRow(name, agent);
}

/** What each is, and whether it can be had here. */
export function listAgents(rows: readonly AgentRow[], around: Surroundings): readonly AgentInfo[] {
  return rows.map((row) => {
    const problem = row.problem(around);
    return { name: row.name, installed: problem === undefined, problem, takes: row.takes, steps: row.steps, learns: row.learns };
  });
}
