/**
 * One phase over the Agent Client Protocol: initialise, go on with the session or begin one, choose mode and model, prompt, hear updates,
 * answer what it wants to be allowed. `session/cancel` is the one clean way to stop such an agent in the middle of a tool.
 */
import type * as Acp from '@agentclientprotocol/sdk';
import type { AgentEvent, PhaseOrder } from '../../engine/ports.ts';
import { classOf, failure } from './faults.ts';
import { asLine, asNumber, asObject, asText, type Json } from './json-line.ts';
import type { McpServer, Talk } from './row.ts';

export type AcpOrder = {
  readonly order: PhaseOrder;
  readonly mcp: McpServer | undefined;
  readonly model: string | undefined;
  readonly failsInWords: boolean;
  /** What a new session is called: those with a name ask no model for one. */
  readonly title: string;
  /** What one client takes with a session, beside the protocol. */
  readonly meta: Readonly<Record<string, unknown>> | undefined;
};

export const acpTalk =
  (about: AcpOrder): Talk =>
  async ({ input, output, tell, stop }) => {
    // Only who uses it waits for it.
    const acp = await import('@agentclientprotocol/sdk');
    const updates = hearing(tell, about.order.sessionUsage?.costUsd ?? 0);
    let session: string | undefined;
    return acp
      .client({ name: 'todone' })
      .onRequest(acp.methods.client.session.requestPermission, ({ params }) => permission(params, about))
      .onNotification(acp.methods.client.session.update, ({ params }) => {
        // What a session that is taken up again repeats of itself is not news.
        if (params.sessionId === session) updates.hear(params.update);
      })
      .connectWith(acp.ndJsonStream(input, output), async (agent) => {
        try {
          const opened = await openSession(agent, acp.methods, about, tell);
          session = opened.sessionId;
          tell({ kind: 'session', id: opened.sessionId });
          await choose(agent, acp.methods, about, opened);
          const cancel = (): void => void agent.notify(acp.methods.agent.session.cancel, { sessionId: opened.sessionId }).catch(() => undefined);
          stop.addEventListener('abort', cancel, { once: true });
          if (stop.aborted) return 'failed';
          const answer = await agent.request(acp.methods.agent.session.prompt, {
            sessionId: opened.sessionId,
            prompt: [{ type: 'text', text: about.order.prompt }],
          });
          const said = updates.end();
          for (const event of usageOf(answer)) tell(event);
          return ended(answer, said, about, tell);
        } catch (error) {
          updates.end();
          // Without a code it is no answer: the agent has gone away.
          const event = errorOf(error);
          if (!event) throw error;
          tell(event);
          return 'failed';
        }
      });
  };

type Agent = Acp.ClientContext;
type Methods = typeof Acp.methods;
type Opened = Pick<Acp.NewSessionResponse, 'sessionId' | 'modes' | 'configOptions'>;

async function openSession(agent: Agent, methods: Methods, { order, mcp, title, meta }: AcpOrder, tell: (event: AgentEvent) => void): Promise<Opened> {
  const { agentCapabilities: can } = await agent.request(methods.agent.initialize, {
    protocolVersion: 1,
    clientInfo: { name: 'todone', version: '1' },
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  });
  const place: Acp.NewSessionRequest = { cwd: order.workspace, mcpServers: mcp ? [serverOf(mcp)] : [], ...(meta ? { _meta: meta } : {}) };
  if (order.session !== undefined) {
    const known = { ...place, sessionId: order.session };
    try {
      if (can?.sessionCapabilities?.resume) return { ...(await agent.request(methods.agent.session.resume, known)), sessionId: order.session };
      if (can?.loadSession === true) return { ...(await agent.request(methods.agent.session.load, known)), sessionId: order.session };
    } catch (error) {
      const said = errorOf(error);
      if (said?.kind !== 'error') throw error;
      // Not known any more: a new one is begun, with everything in the prompt.
      tell({ kind: 'text', text: `the session is not known any more, a new one is begun: ${said.message}`, aside: true });
    }
  }
  const opened = await agent.request(methods.agent.session.new, place);
  // Where that fails it has another name, no more.
  if (asObject(can?.sessionCapabilities)?.['title']) await agent.request(SET_TITLE, { sessionId: opened.sessionId, title }).catch(() => undefined);
  return opened;
}

/** Not in the stable protocol yet. */
const SET_TITLE = 'session/set_title';

const serverOf = ({ name, command, args, env }: McpServer): Acp.McpServer => ({
  name,
  command,
  args: [...args],
  env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
});

const READS = /^(?:plan|read-?only|ask)$/i;
const WORKS = /^(?:bypass_?permissions|yolo|(?:agent-)?full-access|build|auto|auto_?edit|accept_?edits)$/i;

/** A mode that asks nothing, or in a plan one that only reads; the model that the task names. */
async function choose(agent: Agent, methods: Methods, { order, model }: AcpOrder, { sessionId, modes, configOptions }: Opened): Promise<void> {
  const fits = order.readOnly ? READS : WORKS;
  const mode = bestOf(modes?.availableModes.map(({ id }) => id) ?? [], fits);
  if (mode !== undefined && mode !== modes?.currentModeId) await agent.request(methods.agent.session.setMode, { sessionId, modeId: mode });
  for (const option of configOptions ?? []) {
    if (option.type !== 'select') continue;
    const values = option.options.flatMap((each) => ('options' in each ? each.options : [each])).map(({ value }) => value);
    const wanted = option.category === 'model' ? model : option.category === 'mode' && mode === undefined ? bestOf(values, fits) : undefined;
    if (wanted !== undefined && wanted !== option.currentValue)
      await agent.request(methods.agent.session.setConfigOption, { sessionId, configId: option.id, value: wanted });
  }
}

/** In the pattern's own order: what asks least comes first. */
function bestOf(ids: readonly string[], fits: RegExp): string | undefined {
  const order = fits.source.split('|').map((part) => part.replaceAll(/\W|\?:|_\?/g, '').toLowerCase());
  const rank = (id: string): number => order.findIndex((part) => part.includes(id.replaceAll(/\W|_/g, '').toLowerCase()));
  return ids.filter((id) => fits.test(id)).sort((a, b) => rank(a) - rank(b))[0];
}

const READING: ReadonlySet<string> = new Set(['read', 'search', 'fetch', 'think', 'switch_mode']);

/** Once and never for ever: what is allowed for ever is written into the workspace by some. */
function permission({ options, toolCall }: Acp.RequestPermissionRequest, { order, mcp }: AcpOrder): Acp.RequestPermissionResponse {
  const ours = mcp !== undefined && (toolCall.title ?? '').includes(mcp.name);
  const may = !order.readOnly || ours || READING.has(toolCall.kind ?? 'other');
  const option =
    options.find(({ kind }) => kind === (may ? 'allow_once' : 'reject_once')) ?? options.find(({ kind }) => kind.startsWith(may ? 'allow' : 'reject'));
  return { outcome: option ? { outcome: 'selected', optionId: option.optionId } : { outcome: 'cancelled' } };
}

/** `amount` is of the whole session, which may begin to count anew. */
const costOf = (amount: number, counted: number): AgentEvent => ({
  kind: 'usage',
  usage: { inputTokens: 0, outputTokens: 0, costUsd: amount < counted ? amount : amount - counted },
  cumulative: false,
});

/** Updates as events. Text comes in pieces; it is told whole. `end` gives all that was said since the last tool call. */
function hearing(tell: (event: AgentEvent) => void, costBefore: number): { hear(update: Acp.SessionUpdate): void; end(): string } {
  let pieces = '';
  let last = '';
  let counted = costBefore;
  const titles = new Map<string, string>();
  const flush = (): void => {
    const text = pieces.trim();
    pieces = '';
    if (text === '') return;
    last = text;
    tell({ kind: 'text', text });
  };
  const result = (call: Acp.ToolCallUpdate): void => {
    const name = titles.get(call.toolCallId) ?? 'tool';
    for (const part of call.content ?? [])
      if (part.type === 'diff') tell({ kind: 'file', path: part.path, change: (part.oldText ?? undefined) === undefined ? 'added' : 'changed' });
    tell({ kind: 'tool', name, output: outputOf(call), failed: call.status === 'failed' });
  };
  return {
    hear(update) {
      const { sessionUpdate: kind } = update;
      // One of them says a change of its mode as if the agent had spoken.
      if (kind === 'agent_message_chunk' && update.content.type === 'text' && !update.content.text.startsWith('[MODE_UPDATE]')) pieces += update.content.text;
      if (kind === 'usage_update' && update.cost) {
        tell(costOf(update.cost.amount, counted));
        counted = update.cost.amount;
      }
      if (kind !== 'tool_call' && kind !== 'tool_call_update') return;
      titles.set(update.toolCallId, update.title ?? titles.get(update.toolCallId) ?? 'tool');
      if (kind === 'tool_call') {
        flush();
        tell({ kind: 'tool', name: update.title, input: asLine(update.rawInput ?? update.toolCallId) });
      }
      if (update.status === 'completed' || update.status === 'failed') result(update);
    },
    end() {
      flush();
      return last;
    },
  };
}

function outputOf(call: Acp.ToolCallUpdate): string {
  const texts = (call.content ?? []).flatMap((part) => (part.type === 'content' && part.content.type === 'text' ? [part.content.text] : []));
  return texts.length > 0 ? texts.join('\n') : asLine(call.rawOutput ?? '');
}

/** Not in the stable protocol yet, and told by most. */
const countOf = (answer: Acp.PromptResponse): Json | undefined => asObject(asObject(answer)?.['usage']);

function usageOf(answer: Acp.PromptResponse): AgentEvent[] {
  const usage = countOf(answer);
  if (usage) {
    const inputTokens = asNumber(usage['inputTokens']) + asNumber(usage['cachedReadTokens']) + asNumber(usage['cachedWriteTokens']);
    return [{ kind: 'usage', usage: { inputTokens, outputTokens: asNumber(usage['outputTokens']), costUsd: 0 }, cumulative: false }];
  }
  const count = asObject(asObject(asObject(asObject(answer)?.['_meta'])?.['quota'])?.['token_count']);
  if (!count) return [];
  return [
    { kind: 'usage', usage: { inputTokens: asNumber(count['input_tokens']), outputTokens: asNumber(count['output_tokens']), costUsd: 0 }, cumulative: false },
  ];
}

function ended(answer: Acp.PromptResponse, said: string, { failsInWords }: AcpOrder, tell: (event: AgentEvent) => void): 'done' | 'failed' {
  if (answer.stopReason === 'refusal') {
    tell({ kind: 'error', message: 'it refuses to do this', class: 'refusal' });
    return 'failed';
  }
  if (answer.stopReason !== 'end_turn') return answer.stopReason === 'cancelled' ? 'failed' : 'done';
  if (!failsInWords || countOf(answer) || classOf(said) === 'real') return 'done';
  tell(failure(said, Date.now()));
  return 'failed';
}

/** An answer of the agent that says no; undefined where there was no answer. */
function errorOf(error: unknown): AgentEvent | undefined {
  const said = asObject(error);
  const code = said?.['code'];
  if (!(error instanceof Error) || typeof code !== 'number') return undefined;
  const data = asObject(said?.['data']);
  const words = [error.message, asText(data?.['details']) ?? asText(data?.['message']) ?? '', asText(data?.['errorKind']) ?? '']
    .filter((part) => part !== '')
    .join(': ');
  if (code === -32000) return { kind: 'error', message: words, class: 'auth' };
  const status = code >= 400 && code < 600 ? code : undefined;
  return failure(words, Date.now(), { status });
}
