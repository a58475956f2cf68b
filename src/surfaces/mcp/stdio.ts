/**
 * An MCP server over stdio: a table of tools in, one function that answers them. Speaks every protocol version that the SDK
 * does; decides nothing.
 */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { ToolAnswer, ToolRow } from '../../runs/run-tools.ts';

export type Served = {
  readonly version: string;
  /** For the model: what this server is for. */
  readonly instructions: string;
  readonly tools: Readonly<Record<string, ToolRow>>;
  readonly call: (tool: string, input: unknown) => Promise<ToolAnswer>;
};

/** Settles when the client has hung up. */
export function serveTools(served: Served): Promise<void> {
  return new Promise((resolve) => {
    const handle = serveStdio(() => serverOf(served), { onerror: () => undefined });
    process.stdin.once('close', () => void handle.close().finally(resolve));
    process.stdin.once('end', () => void handle.close().finally(resolve));
  });
}

function serverOf({ version, instructions, tools, call }: Served): McpServer {
  const server = new McpServer({ name: 'todone', title: 'ToDone', version }, { instructions });
  for (const [name, { title, description, input, readOnly, idempotent }] of Object.entries(tools)) {
    const annotations = { readOnlyHint: readOnly, destructiveHint: false, idempotentHint: idempotent, openWorldHint: false };
    server.registerTool(name, { title, description, inputSchema: input, annotations }, async (typed: unknown) => resultOf(await call(name, typed)));
  }
  return server;
}

function resultOf(answer: ToolAnswer) {
  const text = answer.ok ? answer.message : `${answer.message}\nWhat to do: ${answer.remedy}`;
  return {
    content: [{ type: 'text' as const, text }],
    ...(answer.ok && answer.data ? { structuredContent: { ...answer.data } } : {}),
    isError: !answer.ok,
  };
}
