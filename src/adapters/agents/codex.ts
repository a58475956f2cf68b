/**
 * Codex, headless: `codex exec --json`. Measured with 0.169.0. Its tokens count the whole session; a `Reconnecting…` is no end; after a limit
 * with `retry-after` it waits that long by itself and says nothing.
 */
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentConfig } from '../../config.ts';
import type { AgentEvent } from '../../engine/ports.ts';
import type { ClientKind } from './client.ts';
import { classOf, failure } from './faults.ts';
import { asLine, asNumber, asObject, asObjects, asText, type Json, objectOf } from './json-line.ts';
import type { Call, McpServer, Reader } from './row.ts';

const KEYS = ['CODEX_API_KEY', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_ORGANIZATION', 'OPENAI_PROJECT'];

export const CODEX: ClientKind = {
  kind: 'codex',
  program: 'codex',
  install: 'npm install --global @openai/codex',
  login: '`codex login`, or name its key under agents.codex.passEnv in the config',
  keys: [...KEYS, 'CODEX_HOME'],
  sessionGone: /thread\/resume failed|no rollout found/i,
  stopSignal: 'SIGINT',
  command(call, model, config) {
    const { order, mcp } = call;
    return {
      args: [
        'exec',
        ...(order.session === undefined ? [] : ['resume']),
        '--json',
        ...access(call, config.env),
        // A login shell resets the PATH; the keys are for it and not for what it runs.
        ...settings({
          allow_login_shell: false,
          check_for_update_on_startup: false,
          'analytics.enabled': false,
          'shell_environment_policy.exclude': kept(config),
        }),
        ...(mcp ? mcpSettings(mcp) : []),
        ...(model === undefined ? [] : ['--model', model]),
        ...(order.session === undefined ? [] : [order.session]),
        '-',
      ],
      // Named in its settings and taken from here, so that no process list shows it.
      env: { ...mcp?.env },
    };
  },
  reader: codexReader,
};

/** Variables that are for it and not for what it runs. */
const kept = (config: AgentConfig): string[] => [...KEYS.filter((name) => name.endsWith('KEY')), ...config.passEnv];

/** The same over ACP, where settings come in a variable. */
export const codexSettings = (config: AgentConfig): string => JSON.stringify({ shell_environment_policy: { exclude: kept(config) } });

/** Reading is all that it may do in a plan; its sandbox refuses to work where its own folder is a temporary one. */
function access({ order, around }: Call, env: Readonly<Record<string, string>>): string[] {
  const home = env['CODEX_HOME'] ?? around.env['CODEX_HOME'] ?? join(env['HOME'] ?? around.env['HOME'] ?? homedir(), '.codex');
  const temporary = `${home}/`.startsWith('/tmp/') || `${home}/`.startsWith(`${tmpdir()}/`);
  return order.readOnly && !temporary && !around.confined ? settings({ sandbox_mode: 'read-only' }) : ['--dangerously-bypass-approvals-and-sandbox'];
}

const mcpSettings = ({ name, command, args, env }: McpServer): string[] =>
  settings({
    [`mcp_servers.${name}.command`]: command,
    [`mcp_servers.${name}.args`]: args,
    [`mcp_servers.${name}.env_vars`]: Object.keys(env),
    [`mcp_servers.${name}.default_tools_approval_mode`]: 'approve',
    // It is waited for: else the first turn begins without it.
    [`mcp_servers.${name}.required`]: true,
    [`mcp_servers.${name}.startup_timeout_sec`]: 60,
  });

/** JSON of these values is TOML too. */
const settings = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`]);

function codexReader(now: () => number): Reader {
  return (line, from) => {
    const said = from === 'stdout' ? objectOf(line) : undefined;
    return said ? one(said, now()) : [{ kind: 'text', text: line, aside: true }];
  };
}

function one(said: Json, now: number): AgentEvent[] {
  switch (said['type']) {
    case 'thread.started': {
      const id = asText(said['thread_id']);
      return id === undefined ? [] : [{ kind: 'session', id }];
    }
    case 'item.started':
    case 'item.completed':
      return item(asObject(said['item']) ?? {}, said['type'] === 'item.completed');
    case 'error': {
      // It goes on trying; what it ends with is told by turn.failed.
      const message = asText(said['message']) ?? 'error';
      return [classOf(message) === 'limit' ? failure(message, now) : { kind: 'text', text: message, aside: true }];
    }
    case 'turn.completed': {
      const usage = asObject(said['usage']) ?? {};
      const { input_tokens: input, output_tokens: output } = usage;
      return [{ kind: 'usage', usage: { inputTokens: asNumber(input), outputTokens: asNumber(output), costUsd: 0 }, cumulative: true }];
    }
    case 'turn.failed':
      return [failed(asText(asObject(said['error'])?.['message']) ?? 'the turn failed', now)];
    default:
      return [];
  }
}

const STATUS = /unexpected status (\d{3})|last status: (\d{3})/;

function failed(message: string, now: number): AgentEvent {
  const status = STATUS.exec(message);
  return failure(message, now, { status: status ? Number(status[1] ?? status[2]) : undefined });
}

function item(part: Json, over: boolean): AgentEvent[] {
  const text = asText(part['text']);
  switch (part['type']) {
    case 'agent_message':
      return over && text !== undefined ? [{ kind: 'text', text }] : [];
    case 'command_execution':
      return over
        ? [
            {
              kind: 'tool',
              name: 'shell',
              output: asLine(part['aggregated_output'] ?? ''),
              failed: part['status'] === 'failed' || asNumber(part['exit_code']) !== 0,
            },
          ]
        : [{ kind: 'tool', name: 'shell', input: asLine(part['command']) }];
    case 'mcp_tool_call': {
      const name = `${asText(part['server']) ?? 'mcp'}.${asText(part['tool']) ?? 'tool'}`;
      return over
        ? [{ kind: 'tool', name, output: asLine(part['result'] ?? part['error'] ?? ''), failed: part['status'] === 'failed' }]
        : [{ kind: 'tool', name, input: asLine(part['arguments']) }];
    }
    case 'file_change':
      return over
        ? asObjects(part['changes']).map((change) => ({
            kind: 'file',
            path: asText(change['path']) ?? '',
            change: CHANGES[asLine(change['kind'])] ?? 'changed',
          }))
        : [];
    // A warning, such as of a model that it has no facts about.
    case 'error':
      return over ? [{ kind: 'text', text: asText(part['message']) ?? 'warning', aside: true }] : [];
    default:
      return [];
  }
}

const CHANGES: Readonly<Record<string, 'added' | 'changed' | 'removed'>> = { add: 'added', update: 'changed', delete: 'removed' };
