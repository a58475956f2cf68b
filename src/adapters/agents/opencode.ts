/**
 * OpenCode, headless: `opencode run --format json`. Measured with 1.18.33. There is no last word: tokens are told step by step; what its
 * provider refuses is only on stderr until it gives up, and a `retry-after` it waits out in silence.
 */
import type { AgentConfig } from '../../config.ts';
import type { AgentEvent } from '../../engine/ports.ts';
import type { ClientKind } from './client.ts';
import { classOf, failure } from './faults.ts';
import { asLine, asNumber, asObject, asText, type Json, objectOf } from './json-line.ts';
import type { Call, Reader } from './row.ts';

/** What its provider refuses is told nowhere else while it waits. */
const LOGS = ['--print-logs', '--log-level', 'ERROR'];

export const OPENCODE: ClientKind = {
  kind: 'opencode',
  program: 'opencode',
  install: 'npm install --global opencode-ai',
  login: '`opencode auth login`, or name its key under agents.opencode.passEnv in the config',
  keys: [
    'OPENCODE_API_KEY',
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_DIR',
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GEMINI_API_KEY',
    'GOOGLE_GENERATIVE_AI_API_KEY',
    'OPENROUTER_API_KEY',
  ],
  sessionGone: /Session not found/i,
  stopSignal: 'SIGTERM',
  command: (call, model, config) => ({
    args: [
      'run',
      '--format',
      'json',
      ...LOGS,
      '--auto',
      // With a title of ours it asks no model for one.
      ...(call.order.session === undefined ? ['--title', `ToDone ${call.order.id}`.trim()] : ['--session', call.order.session]),
      ...(call.order.readOnly ? ['--agent', 'plan'] : []),
      ...(model === undefined ? [] : ['--model', model]),
    ],
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_CONFIG_CONTENT: settings(call, given(call, config)),
    },
  }),
  reader: opencodeReader,
};

/** Ours on top of what a person gave it in the same way; its files are read as ever. */
function settings({ mcp }: Pick<Call, 'mcp'>, theirs: string | undefined): string {
  const before = theirs === undefined ? {} : (objectOf(theirs) ?? {});
  const servers = mcp ? { [mcp.name]: { type: 'local', command: [mcp.command, ...mcp.args], environment: mcp.env, enabled: true } } : {};
  return JSON.stringify({ ...before, autoupdate: false, share: 'disabled', mcp: { ...asObject(before['mcp']), ...servers } });
}

function opencodeReader(now: () => number): Reader {
  let session = '';
  return (line, from) => {
    const said = from === 'stdout' ? objectOf(line) : undefined;
    if (!said) return complaint(line, now());
    const id = asText(said['sessionID']);
    const begun: AgentEvent[] = id === undefined || id === session ? [] : [{ kind: 'session', id }];
    session = id ?? session;
    return [...begun, ...one(said, now())];
  };
}

/** `… message="stream error" … error.error="AI_APICallError: Rate limit reached"`. */
function complaint(line: string, now: number): AgentEvent[] {
  const words = /message="stream error".*error\.error="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  const limit = words !== undefined && classOf(words) === 'limit' ? [failure(words.replaceAll(String.raw`\"`, '"'), now)] : [];
  return [...limit, { kind: 'text', text: line, aside: true }];
}

/** Over ACP no title can be given: none is asked for. Its MCP servers come with the session. */
function settingsForAcp(call: Call, config: AgentConfig): string {
  const before = objectOf(settings({ ...call, mcp: undefined }, given(call, config))) ?? {};
  const agents = asObject(before['agent']);
  return JSON.stringify({ ...before, agent: { ...agents, title: { ...asObject(agents?.['title']), disable: true } } });
}

const given = (call: Call, config: AgentConfig): string | undefined => config.env['OPENCODE_CONFIG_CONTENT'] ?? call.around.env['OPENCODE_CONFIG_CONTENT'];

/** What it adds to `opencode acp`, and how the lines read that are no protocol. */
export const OPENCODE_ACP = { args: LOGS, complaint, env: (call: Call, config: AgentConfig) => ({ OPENCODE_CONFIG_CONTENT: settingsForAcp(call, config) }) };

function one(said: Json, now: number): AgentEvent[] {
  const part = asObject(said['part']) ?? {};
  switch (said['type']) {
    case 'text': {
      const text = asText(part['text']);
      return text === undefined ? [] : [{ kind: 'text', text }];
    }
    case 'tool_use':
      return toolUse(part);
    case 'step_finish': {
      const tokens = asObject(part['tokens']) ?? {};
      const cache = asObject(tokens['cache']) ?? {};
      const inputTokens = asNumber(tokens['input']) + asNumber(cache['read']) + asNumber(cache['write']);
      const outputTokens = asNumber(tokens['output']) + asNumber(tokens['reasoning']);
      return [{ kind: 'usage', usage: { inputTokens, outputTokens, costUsd: asNumber(part['cost']) }, cumulative: false }];
    }
    case 'error':
      return [failed(asObject(said['error']) ?? {}, now)];
    default:
      return [];
  }
}

function toolUse(part: Json): AgentEvent[] {
  const name = asText(part['tool']) ?? 'tool';
  const state = asObject(part['state']) ?? {};
  const input = asObject(state['input']);
  const wrong = state['status'] === 'error' || asNumber(asObject(state['metadata'])?.['exit']) !== 0;
  const path = asText(input?.['filePath']);
  const call: AgentEvent = { kind: 'tool', name, input: asLine(input) };
  const answer: AgentEvent = { kind: 'tool', name, output: asText(state['output']) ?? asLine(state['error'] ?? ''), failed: wrong };
  return path !== undefined && !wrong && (name === 'write' || name === 'edit') ? [call, { kind: 'file', path, change: 'changed' }, answer] : [call, answer];
}

function failed(error: Json, now: number): AgentEvent {
  const data = asObject(error['data']) ?? {};
  const words = asText(data['message']) ?? asText(error['message']) ?? asText(error['name']) ?? 'it failed';
  const status = data['statusCode'];
  const body = `${words} ${asText(data['responseBody']) ?? ''} ${asLine(data['responseHeaders'] ?? '')}`;
  const event = failure(body, now, { status: typeof status === 'number' ? status : undefined });
  const message = typeof status === 'number' ? `API error ${status}: ${words}` : words;
  return event.kind === 'limit' || event.kind === 'error' ? { ...event, message } : event;
}
