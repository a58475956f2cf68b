/**
 * Four dialects of model servers: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions, Gemini. Each reads a request into a
 * `Talk` and writes a step as the stream that its clients expect. Verified against the real clients.
 */
import { isOurs, type Fault, type Step, type Talk } from './talk.ts';

/** What every answer is said to have cost. */
export const INPUT_TOKENS = 100;
export const OUTPUT_TOKENS = 10;

export type Dialect = {
  readonly name: Talk['dialect'];
  readonly path: RegExp;
  read(body: unknown, url: string): Talk;
  /** The stream's parts, in order; a cut or a hang in the middle comes after the first ones. */
  write(step: Step & { readonly kind: 'say' | 'shell' | 'write' | 'mcp' }, talk: Talk, number: number): string[];
  error(fault: Fault, status: number, message: string, resetAt: number | undefined): unknown;
};

type Json = Record<string, unknown>;
type Turn = { readonly role: 'user' | 'model' | 'tool'; readonly text: string };

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));

function talkOf(dialect: Talk['dialect'], model: string, tools: readonly string[], turns: readonly Turn[], raw: string): Talk {
  const last = turns.findLastIndex((turn) => turn.role === 'user' && isOurs(turn.text));
  const after = turns.slice(last + 1);
  return {
    dialect,
    model,
    tools,
    prompts: turns.filter((turn) => turn.role === 'user').map((turn) => turn.text),
    prompt: turns[last]?.text ?? '',
    calls: after.filter((turn) => turn.role === 'model').length,
    results: after.filter((turn) => turn.role === 'tool').map((turn) => turn.text),
    raw,
  };
}

/** The client's own name and arguments for what the step asks for. */
function callOf(step: Step, tools: readonly string[]): { readonly name: string; readonly namespace?: string; readonly args: Json } | undefined {
  if (step.kind === 'shell') {
    const name = tools.find((tool) => SHELLS.has(tool)) ?? 'no_shell_is_offered';
    return { name, args: SHELLS.get(name)?.(step.command) ?? { command: step.command } };
  }
  if (step.kind === 'write') {
    const name = tools.find((tool) => WRITERS.has(tool)) ?? 'no_writer_is_offered';
    return { name, args: WRITERS.get(name)?.(step.path, step.text) ?? {} };
  }
  if (step.kind === 'mcp') {
    // Codex keeps them back until it searches for them, and takes a call all the same.
    const kept = tools.includes('tool_search') ? `mcp__todone/${step.tool}` : `no_${step.tool}_in_${tools.join('+')}`;
    const name = tools.find((tool) => /todone/i.test(tool) && tool.endsWith(step.tool)) ?? kept;
    const [namespace, bare] = name.includes('/') ? name.split('/') : [undefined, name];
    return { name: bare ?? name, ...(namespace === undefined ? {} : { namespace }), args: { ...step.args } };
  }
  return undefined;
}

const SHELLS: ReadonlyMap<string, (command: string) => Json> = new Map([
  ['Bash', (command: string): Json => ({ command, description: 'As the script says' })],
  ['exec_command', (command: string): Json => ({ cmd: command })],
  ['run_shell_command', (command: string): Json => ({ command })],
  ['bash', (command: string): Json => ({ command, description: 'As the script says' })],
]);

const WRITERS: ReadonlyMap<string, (path: string, content: string) => Json> = new Map([
  ['Write', (path: string, content: string): Json => ({ file_path: path, content })],
  ['write_file', (path: string, content: string): Json => ({ file_path: path, content })],
  ['write', (path: string, content: string): Json => ({ filePath: path, content })],
]);

const event = (type: string, data: Json): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

const ANTHROPIC: Dialect = {
  name: 'anthropic',
  path: /^\/v1\/messages$/,
  read(body) {
    const { model, tools, messages } = body as Json;
    const turns = list(messages).flatMap(({ role, content }): Turn[] => {
      if (typeof content === 'string')
        return [{ role: role === 'assistant' ? 'model' : 'user', text: content }].filter((turn) => turn.role === 'user') as Turn[];
      return list(content).flatMap((part): Turn[] => {
        if (part['type'] === 'tool_use') return [{ role: 'model', text: text(part['name']) }];
        if (part['type'] === 'tool_result') return [{ role: 'tool', text: text(part['content']) }];
        return role === 'user' && part['type'] === 'text' ? [{ role: 'user', text: text(part['text']) }] : [];
      });
    });
    return talkOf(
      'anthropic',
      text(model),
      list(tools).map((tool) => text(tool['name'])),
      turns,
      JSON.stringify(body),
    );
  },
  write(step, talk, number) {
    const call = callOf(step, talk.tools);
    const usage = { input_tokens: INPUT_TOKENS, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
    const message = { id: `msg_${number}`, type: 'message', role: 'assistant', model: talk.model, content: [], stop_reason: null, stop_sequence: null, usage };
    const block = call ? { type: 'tool_use', id: `toolu_${number}`, name: call.name, input: {} } : { type: 'text', text: '' };
    const delta = call
      ? { type: 'input_json_delta', partial_json: JSON.stringify(call.args) }
      : { type: 'text_delta', text: step.kind === 'say' ? step.text : '' };
    return [
      event('message_start', { message }),
      event('content_block_start', { index: 0, content_block: block }),
      event('content_block_delta', { index: 0, delta }),
      event('content_block_stop', { index: 0 }),
      event('message_delta', { delta: { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: OUTPUT_TOKENS } }),
      event('message_stop', {}),
    ];
  },
  error: (fault, status, message) => ({ type: 'error', error: { type: status === 529 ? 'overloaded_error' : ANTHROPIC_ERRORS[fault], message } }),
};

const ANTHROPIC_ERRORS: Readonly<Record<Fault, string>> = {
  limit: 'rate_limit_error',
  quota: 'rate_limit_error',
  server: 'api_error',
  auth: 'authentication_error',
  refusal: 'invalid_request_error',
  'bad-request': 'invalid_request_error',
};

const RESPONSES: Dialect = {
  name: 'responses',
  path: /^\/v1\/responses$/,
  read(body) {
    const { model, tools, input } = body as Json;
    const turns = list(input).flatMap((item): Turn[] => {
      const type = text(item['type']);
      if (type === 'function_call' || type === 'custom_tool_call') return [{ role: 'model', text: text(item['name']) }];
      if (type === 'function_call_output' || type === 'custom_tool_call_output') return [{ role: 'tool', text: text(item['output']) }];
      return item['role'] === 'user' ? [{ role: 'user', text: partsText(item['content']) }] : [];
    });
    const names = list(tools).flatMap((tool) =>
      tool['type'] === 'namespace' ? list(tool['tools']).map((inner) => `${text(tool['name'])}/${text(inner['name'])}`) : [text(tool['name'] ?? tool['type'])],
    );
    return talkOf('responses', text(model), names, turns, JSON.stringify(body));
  },
  write(step, talk, number) {
    const call = callOf(step, talk.tools);
    const id = `resp_${number}`;
    const item = call
      ? {
          type: 'function_call',
          id: `fc_${number}`,
          call_id: `call_${number}`,
          ...(call.namespace === undefined ? {} : { namespace: call.namespace }),
          name: call.name,
          arguments: JSON.stringify(call.args),
        }
      : { type: 'message', id: `msg_${number}`, role: 'assistant', content: [{ type: 'output_text', text: step.kind === 'say' ? step.text : '' }] };
    const usage = {
      input_tokens: INPUT_TOKENS,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: OUTPUT_TOKENS,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
    };
    return [
      event('response.created', { response: { id } }),
      event('response.output_item.done', { item }),
      event('response.completed', { response: { id, usage } }),
    ];
  },
  error: (fault, _status, message, resetAt) =>
    fault === 'quota'
      ? { error: { type: 'usage_limit_reached', message, plan_type: 'plus', ...(resetAt === undefined ? {} : { resets_at: Math.round(resetAt / 1000) }) } }
      : openAiError(fault, message),
};

const CHAT: Dialect = {
  name: 'chat',
  path: /^\/v1\/chat\/completions$/,
  read(body) {
    const { model, tools, messages } = body as Json;
    const turns = list(messages).flatMap(({ role, content, tool_calls: calls }): Turn[] => {
      if (role === 'assistant') return list(calls).map(() => ({ role: 'model', text: '' }));
      if (role === 'tool') return [{ role: 'tool', text: partsText(content) }];
      return role === 'user' ? [{ role: 'user', text: partsText(content) }] : [];
    });
    return talkOf(
      'chat',
      text(model),
      list(tools).map((tool) => text((tool['function'] as Json | undefined)?.['name'])),
      turns,
      JSON.stringify(body),
    );
  },
  write(step, talk, number) {
    const call = callOf(step, talk.tools);
    const base = { id: `chatcmpl-${number}`, object: 'chat.completion.chunk', created: 1, model: talk.model };
    const delta = call
      ? {
          role: 'assistant',
          tool_calls: [{ index: 0, id: `call_${number}`, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.args) } }],
        }
      : { role: 'assistant', content: step.kind === 'say' ? step.text : '' };
    return [
      data({ ...base, choices: [{ index: 0, delta, finish_reason: null }] }),
      data({ ...base, choices: [{ index: 0, delta: {}, finish_reason: call ? 'tool_calls' : 'stop' }] }),
      data({ ...base, choices: [], usage: { prompt_tokens: INPUT_TOKENS, completion_tokens: OUTPUT_TOKENS, total_tokens: INPUT_TOKENS + OUTPUT_TOKENS } }),
      'data: [DONE]\n\n',
    ];
  },
  error: (fault, _status, message) => openAiError(fault, message),
};

const OPENAI_ERRORS: Readonly<Record<Fault, string>> = {
  limit: 'rate_limit_exceeded',
  quota: 'insufficient_quota',
  server: 'server_error',
  auth: 'invalid_request_error',
  refusal: 'invalid_request_error',
  'bad-request': 'invalid_request_error',
};

const openAiError = (fault: Fault, message: string): unknown => ({
  error: { message, type: OPENAI_ERRORS[fault], code: fault === 'auth' ? 'invalid_api_key' : OPENAI_ERRORS[fault], param: null },
});

const GEMINI: Dialect = {
  name: 'gemini',
  path: /^\/v1beta\/models\/[^/]+:(?:streamGenerateContent|generateContent)$/,
  read(body, url) {
    const { tools, contents } = body as Json;
    const turns = list(contents).flatMap(({ role, parts }): Turn[] =>
      list(parts).flatMap((part): Turn[] => {
        if (part['functionCall'] !== undefined) return [{ role: 'model', text: '' }];
        if (part['functionResponse'] !== undefined) return [{ role: 'tool', text: text(part['functionResponse']) }];
        return role === 'user' && part['text'] !== undefined ? [{ role: 'user', text: text(part['text']) }] : [];
      }),
    );
    const names = list(tools).flatMap((tool) => list(tool['functionDeclarations']).map((inner) => text(inner['name'])));
    return talkOf('gemini', /models\/([^/:]+)/.exec(url)?.[1] ?? '', names, turns, JSON.stringify(body));
  },
  write(step, talk) {
    const call = callOf(step, talk.tools);
    const part = call ? { functionCall: { name: call.name, args: call.args } } : { text: step.kind === 'say' ? step.text : '' };
    return [
      data({
        candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { promptTokenCount: INPUT_TOKENS, candidatesTokenCount: OUTPUT_TOKENS, totalTokenCount: INPUT_TOKENS + OUTPUT_TOKENS },
        modelVersion: talk.model,
      }),
    ];
  },
  error: (fault, status, message, resetAt) => ({
    error: {
      code: status,
      message: fault === 'quota' && resetAt !== undefined ? `${message} Please retry in ${Math.round((resetAt - Date.now()) / 1000)}s.` : message,
      status: GEMINI_ERRORS[fault],
      details: fault === 'quota' ? geminiQuota(resetAt) : [],
    },
  }),
};

const GEMINI_ERRORS: Readonly<Record<Fault, string>> = {
  limit: 'RESOURCE_EXHAUSTED',
  quota: 'RESOURCE_EXHAUSTED',
  server: 'INTERNAL',
  auth: 'UNAUTHENTICATED',
  refusal: 'INVALID_ARGUMENT',
  'bad-request': 'INVALID_ARGUMENT',
};

const geminiQuota = (resetAt: number | undefined): unknown[] => [
  {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests', quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }],
  },
  ...(resetAt === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${Math.round((resetAt - Date.now()) / 1000)}s` }]),
];

function partsText(content: unknown): string {
  return typeof content === 'string'
    ? content
    : list(content)
        .map((part) => text(part['text']))
        .join('\n');
}

export const DIALECTS: readonly Dialect[] = [ANTHROPIC, RESPONSES, CHAT, GEMINI];
