/**
 * Claude Code, headless: `claude -p --output-format stream-json`. Measured with 2.1.329. Exit 0 is no success and `subtype:"success"` neither;
 * cost and `modelUsage` count the whole session, resumed parts included.
 */
import type { AgentEvent } from '../../engine/ports.ts';
import type { Usage } from '../../runs/run.ts';
import type { ClientKind } from './client.ts';
import { PLAN, RESULT } from '../run-folder.ts';
import { failure } from './faults.ts';
import { asLine, asNumber, asObject, asObjects, asText, type Json, objectOf } from './json-line.ts';
import type { Reader } from './row.ts';

export const CLAUDE: ClientKind = {
  kind: 'claude',
  program: 'claude',
  install: 'npm install --global @anthropic-ai/claude-code',
  login: 'start `claude` and type /login, or name its key under agents.claude.passEnv in the config',
  keys: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'ANTHROPIC_CUSTOM_HEADERS',
    'ANTHROPIC_MODEL',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CONFIG_DIR',
  ],
  sessionGone: /No conversation found with session ID/,
  stopSignal: 'SIGINT',
  command({ order, mcp, folder }, model): ReturnType<ClientKind['command']> {
    const allowed = [
      'Read',
      'Glob',
      'Grep',
      'WebFetch',
      'WebSearch',
      'TodoWrite',
      // What it was told to write; nothing else may be written in a phase that only reads.
      ...[PLAN, RESULT].map((name) => `Edit(/${folder}/${name})`),
      ...(mcp ? [`mcp__${mcp.name}`] : []),
    ];
    return {
      args: [
        '-p',
        '--output-format',
        'stream-json',
        '--verbose',
        ...(order.readOnly
          ? ['--permission-mode', 'dontAsk', '--allowedTools', allowed.join(','), '--add-dir', folder, '--disallowedTools', 'NotebookEdit']
          : ['--dangerously-skip-permissions']),
        ...(model === undefined ? [] : ['--model', model]),
        ...(mcp ? ['--mcp-config', `${folder}/mcp.json`] : []),
        ...(order.session === undefined ? [] : ['--resume', order.session]),
      ],
      env: {
        DISABLE_AUTOUPDATER: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        // It refuses to work without asking as root, but where it is told that this is no person's machine.
        ...(process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {}),
      },
      // Offered from the first request on: it keeps other servers' tools back until it looks for them.
      files: mcp
        ? {
            'mcp.json': JSON.stringify({ mcpServers: { [mcp.name]: { type: 'stdio', command: mcp.command, args: mcp.args, env: mcp.env, alwaysLoad: true } } }),
          }
        : {},
    };
  },
  reader: claudeReader,
};

function claudeReader(now: () => number): Reader {
  const tools = new Map<string, string>();
  const counted = new Set<string>();
  let resetAt: number | undefined;
  const one = (said: Json): AgentEvent[] => {
    switch (said['type']) {
      case 'system':
        return system(said);
      case 'rate_limit_event': {
        const info = asObject(said['rate_limit_info']);
        if (info?.['status'] !== 'rejected') return [];
        resetAt = asNumber(info['resetsAt']) * 1000 || undefined;
        return [{ kind: 'limit', message: `${asText(info['rateLimitType']) ?? 'usage'} limit reached`, resetAt }];
      }
      case 'assistant':
        return said['is_api_error_message'] === true ? [] : assistant(asObject(said['message']) ?? {}, tools, counted);
      case 'user':
        return asObjects(asObject(said['message'])?.['content']).flatMap((part) => toolResult(part, tools));
      case 'result':
        return result(said, now(), resetAt);
      default:
        return [];
    }
  };
  return (line, from) => {
    const said = from === 'stdout' ? objectOf(line) : undefined;
    return said ? one(said) : [{ kind: 'text', text: line, aside: true }];
  };
}

function system(said: Json): AgentEvent[] {
  const session = asText(said['session_id']);
  if (said['subtype'] === 'init') return session === undefined ? [] : [{ kind: 'session', id: session }];
  if (said['subtype'] !== 'api_retry') return [];
  const words = `${asText(said['error']) ?? 'error'} ${asLine(said['error_status'] ?? '')}: try ${asLine(said['attempt'])} of ${asLine(said['max_retries'])}`;
  return said['error_status'] === 429 ? [{ kind: 'limit', message: words }] : [{ kind: 'text', text: words, aside: true }];
}

function assistant(message: Json, tools: Map<string, string>, counted: Set<string>): AgentEvent[] {
  const events = asObjects(message['content']).flatMap((part): AgentEvent[] => {
    const text = asText(part['text']);
    if (part['type'] === 'text' && text !== undefined) return [{ kind: 'text', text }];
    if (part['type'] !== 'tool_use') return [];
    const name = asText(part['name']) ?? 'tool';
    tools.set(asText(part['id']) ?? '', name);
    const path = asText(asObject(part['input'])?.['file_path']);
    const call: AgentEvent = { kind: 'tool', name, input: asLine(part['input']) };
    return path !== undefined && /^(?:Edit|Write|MultiEdit|NotebookEdit)$/.test(name) ? [call, { kind: 'file', path, change: 'changed' }] : [call];
  });
  // One event per block of a message: its tokens count once.
  const id = asText(message['id']) ?? '';
  const usage = asObject(message['usage']);
  if (!usage || counted.has(id)) return events;
  counted.add(id);
  return [...events, { kind: 'usage', usage: { ...tokens(usage), costUsd: 0 }, cumulative: false }];
}

const tokens = (usage: Json): Pick<Usage, 'inputTokens' | 'outputTokens'> => ({
  inputTokens: asNumber(usage['input_tokens']) + asNumber(usage['cache_read_input_tokens']) + asNumber(usage['cache_creation_input_tokens']),
  outputTokens: asNumber(usage['output_tokens']),
});

function toolResult(part: Json, tools: ReadonlyMap<string, string>): AgentEvent[] {
  if (part['type'] !== 'tool_result') return [];
  const name = tools.get(asText(part['tool_use_id']) ?? '') ?? 'tool';
  return [{ kind: 'tool', name, output: asLine(part['content'] ?? ''), failed: part['is_error'] === true }];
}

function result(said: Json, now: number, resetAt: number | undefined): AgentEvent[] {
  const models = asObjects(Object.values(asObject(said['modelUsage']) ?? {}));
  const sum = (key: string): number => models.reduce((total, model) => total + asNumber(model[key]), 0);
  const usage: AgentEvent = {
    kind: 'usage',
    usage: {
      inputTokens: sum('inputTokens') + sum('cacheReadInputTokens') + sum('cacheCreationInputTokens'),
      outputTokens: sum('outputTokens'),
      costUsd: asNumber(said['total_cost_usd']),
    },
    cumulative: true,
  };
  const counted = models.length === 0 ? [] : [usage];
  if (said['is_error'] !== true) return counted;
  const subtype = asText(said['subtype']);
  const errors = Array.isArray(said['errors']) ? (said['errors'] as unknown[]).map((each) => asLine(each)).join('; ') : '';
  const message = asText(said['result']) ?? (errors === '' ? (subtype ?? 'it failed') : errors);
  if (said['terminal_reason'] !== 'api_error') return [...counted, { kind: 'error', message, class: 'real' }];
  const status = said['api_error_status'];
  return [...counted, failure(message, now, { status: typeof status === 'number' ? status : undefined, resetAt })];
}
