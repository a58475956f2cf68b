/**
 * An MCP server: a table of tools in, one function that answers them; and, for whoever serves a whole list, its resources and its
 * prompt. Decides nothing, and knows no transport.
 */
import { McpServer, ResourceTemplate, type StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { ToolAnswer, ToolRow } from '../../runs/run-tools.ts';

export type Served = {
  readonly version: string;
  /** For the model: what this server is for. */
  readonly instructions: string;
  readonly tools: Readonly<Record<string, ToolRow>>;
  readonly call: (tool: string, input: unknown) => Promise<ToolAnswer>;
  readonly list?: ServedList;
};

/** Throws what is wrong, for the client. */
export type ServedList = {
  readonly tasks: () => Promise<object>;
  readonly task: (name: string) => Promise<object>;
  /** For the model: the task that is next, and how it is worked on. */
  readonly next: () => Promise<string>;
};

export function serverOf({ version, instructions, tools, call, list }: Served): McpServer {
  const server = new McpServer({ name: 'todone', title: 'ToDone', version }, { instructions });
  for (const [name, { title, description, input, output, readOnly, idempotent, destructive = false }] of Object.entries(tools)) {
    const annotations = { readOnlyHint: readOnly, destructiveHint: destructive, idempotentHint: idempotent, openWorldHint: false };
    const config = { title, description, inputSchema: wordedOnce(input), annotations, ...(output ? { outputSchema: wordedOnce(output) } : {}) };
    server.registerTool(name, config, async (typed: unknown) => resultOf(await call(name, typed)));
  }
  if (list) offer(server, list);
  return server;
}

const worded = new WeakMap<z.ZodObject, StandardSchemaWithJSON>();

/** The schema, made into a JSON schema no more than once: over HTTP there is a new server for each request. */
function wordedOnce(schema: z.ZodObject): StandardSchemaWithJSON {
  const known = worded.get(schema);
  if (known) return known;
  const standard = schema['~standard'];
  type Words = (typeof standard.jsonSchema)['input'];
  const once = (side: 'input' | 'output'): Words => {
    let said: ReturnType<Words> | undefined;
    return (options) => (said ??= standard.jsonSchema[side](options));
  };
  const made: StandardSchemaWithJSON = { '~standard': { ...standard, jsonSchema: { input: once('input'), output: once('output') } } };
  worded.set(schema, made);
  return made;
}

function offer(server: McpServer, list: ServedList): void {
  const mimeType = 'application/json';
  const contents = (uri: URL, value: object) => ({ contents: [{ uri: uri.href, mimeType, text: JSON.stringify(value) }] });
  server.registerResource('tasks', 'todone://tasks', { title: 'Tasks', description: 'Every task with its state and why it waits', mimeType }, async (uri) =>
    contents(uri, await list.tasks()),
  );
  server.registerResource(
    'task',
    new ResourceTemplate('todone://task/{id}', { list: undefined }),
    { title: 'Task', description: 'All that is known of one task', mimeType },
    async (uri, { id }) => contents(uri, await list.task(decodeURIComponent(String(id)))),
  );
  server.registerPrompt('next_task', { title: 'Next task', description: 'Take the next task of the list and do it' }, async () => ({
    messages: [{ role: 'user', content: { type: 'text', text: await list.next() } }],
  }));
}

function resultOf(answer: ToolAnswer) {
  const text = answer.ok ? answer.message : `${answer.message}\nWhat to do: ${answer.remedy}`;
  return {
    content: [{ type: 'text' as const, text }],
    ...(answer.ok && answer.data ? { structuredContent: { ...answer.data } } : {}),
    isError: !answer.ok,
  };
}
