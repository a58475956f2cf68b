/**
 * Gemini CLI, headless: `gemini -o stream-json`. Measured with 0.61.0. Text comes in pieces; a failed command is called a success; the exit
 * status of a failure is the provider's status modulo 256; when a quota is over is only said on stderr.
 */
import type { AgentEvent } from '../../engine/ports.ts';
import type { ClientKind } from './client.ts';
import { failure } from './faults.ts';
import { asLine, asNumber, asObject, asText, type Json, objectOf } from './json-line.ts';
import { resetTime } from './reset-time.ts';
import type { CodeMeaning, Reader } from './row.ts';

export const GEMINI: ClientKind = {
  kind: 'gemini',
  program: 'gemini',
  install: 'npm install --global @google/gemini-cli',
  login: 'start `gemini` and log in, or name its key under agents.gemini.passEnv in the config',
  keys: [
    'GEMINI_API_KEY',
    'GOOGLE_API_KEY',
    'GOOGLE_GEMINI_BASE_URL',
    'GOOGLE_GENAI_USE_VERTEXAI',
    'GOOGLE_GENAI_USE_GCA',
    'GOOGLE_CLOUD_PROJECT',
    'GOOGLE_CLOUD_LOCATION',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'GEMINI_CLI_HOME',
  ],
  sessionGone: /Error resuming session/,
  stopSignal: 'SIGTERM',
  command: ({ order, mcp, folder }, model) => ({
    args: [
      '-o',
      'stream-json',
      '--approval-mode',
      order.readOnly ? 'plan' : 'yolo',
      ...(model === undefined ? [] : ['-m', model]),
      ...(order.session === undefined ? [] : ['--resume', order.session]),
    ],
    env: {
      // A second process of itself would hear no signal of ours.
      GEMINI_CLI_NO_RELAUNCH: 'true',
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
      GEMINI_CLI_SYSTEM_DEFAULTS_PATH: `${folder}/gemini.json`,
    },
    files: {
      'gemini.json': JSON.stringify({
        general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        ...(mcp ? { mcpServers: { [mcp.name]: { command: mcp.command, args: mcp.args, env: mcp.env, trust: true } } } : {}),
      }),
    },
  }),
  reader: geminiReader,
  codes: meaningOf,
};

function geminiReader(now: () => number): Reader {
  const tools = new Map<string, string>();
  let pieces = '';
  let resetAt: number | undefined;
  const flush = (): AgentEvent[] => {
    const text = pieces.trim();
    pieces = '';
    return text === '' ? [] : [{ kind: 'text', text }];
  };
  const one = (said: Json): AgentEvent[] => {
    switch (said['type']) {
      case 'init': {
        const id = asText(said['session_id']);
        return id === undefined ? [] : [{ kind: 'session', id }];
      }
      case 'message':
        if (said['role'] === 'assistant') pieces += asText(said['content']) ?? '';
        return [];
      case 'tool_use':
        tools.set(asLine(said['tool_id']), asLine(said['tool_name']));
        return [...flush(), ...toolUse(said)];
      case 'tool_result': {
        const name = tools.get(asLine(said['tool_id'])) ?? 'tool';
        return [{ kind: 'tool', name, output: asText(said['output']) ?? asLine(said['error'] ?? ''), failed: said['status'] === 'error' }];
      }
      case 'error':
        return [{ kind: 'text', text: asText(said['message']) ?? asLine(said), aside: true }];
      case 'result':
        return [...flush(), ...result(said, now(), resetAt)];
      default:
        return [];
    }
  };
  return (line, from) => {
    if (from === 'stderr') resetAt = resetTime(line, now()) ?? resetAt;
    const said = from === 'stdout' ? objectOf(line) : undefined;
    return said ? one(said) : [{ kind: 'text', text: line, aside: true }];
  };
}

function toolUse(said: Json): AgentEvent[] {
  const name = asText(said['tool_name']) ?? 'tool';
  const path = asText(asObject(said['parameters'])?.['file_path']);
  const call: AgentEvent = { kind: 'tool', name, input: asLine(said['parameters']) };
  return path !== undefined && (name === 'write_file' || name === 'replace') ? [call, { kind: 'file', path, change: 'changed' }] : [call];
}

function result(said: Json, now: number, resetAt: number | undefined): AgentEvent[] {
  const { input_tokens: input, output_tokens: output } = asObject(said['stats']) ?? {};
  const usage: AgentEvent = { kind: 'usage', usage: { inputTokens: asNumber(input), outputTokens: asNumber(output), costUsd: 0 }, cumulative: false };
  if (said['status'] !== 'error') return [usage];
  const words = asText(asObject(said['error'])?.['message']) ?? 'it failed';
  const status = /"code":\s*(\d{3})/.exec(words);
  const message = asText(providerMessage(words)) ?? words;
  return [usage, failure(message, now, { status: status ? Number(status[1]) : undefined, resetAt })];
}

/** `[API Error: {"error":{"code":401,"message":"…"}}]`: the words in it, with the status before them. */
function providerMessage(words: string): string | undefined {
  const json = /\{.*\}/s.exec(words)?.[0];
  const error = json === undefined ? undefined : asObject(objectOf(json)?.['error']);
  return error && asText(error['message']) !== undefined ? `API error ${asLine(error['code'])}: ${asLine(error['message'])}` : undefined;
}

const CODES: ReadonlyMap<number, CodeMeaning> = new Map([
  [41, { class: 'auth', message: 'it has no login and no key' }],
  [42, { class: 'config', message: 'it does not take its arguments' }],
  [44, { class: 'config', message: 'its sandbox cannot be started' }],
  [52, { class: 'config', message: 'its settings are wrong' }],
  [53, { class: 'real', message: 'it reached its own limit of turns' }],
  [55, { class: 'config', message: 'it does not trust the folder' }],
]);

function meaningOf(code: number): CodeMeaning | undefined {
  const known = CODES.get(code);
  if (known) return known;
  const status = code + 256;
  if (status === 401 || status === 403) return { class: 'auth', message: `API error ${status}` };
  if (status === 429) return { class: 'limit', message: `API error ${status}` };
  return status >= 500 && status < 512 ? { class: 'transient', message: `API error ${status}` } : undefined;
}
