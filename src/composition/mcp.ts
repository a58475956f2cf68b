/**
 * `todone mcp`: the server that an agent's client starts, and the command for it. Inside a run it speaks for that run alone, over
 * the socket and with the token that the run was given; outside of one for a worker, over the same door as the command line.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callSocket, NobodyListens } from '../adapters/socket-call.ts';
import { RemoteError } from '../adapters/socket-wire.ts';
import { RUN_TOOLS, type ToolAnswer } from '../runs/run-tools.ts';
import type { App, Globals, Host } from '../surfaces/cli/app.ts';
import { callerOf, workerOf } from './caller.ts';
import { versionOf } from './place.ts';

/** How this ToDone is started for `todone mcp`, whoever starts it and wherever. */
export function mcpCommand(): readonly [string, ...string[]] {
  const entry = ['../main.ts', './todone.js', '../todone.js'].map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  return [process.execPath, entry ? fileURLToPath(entry) : (process.argv[1] ?? ''), 'mcp'];
}

/** What that command reads: the program, its packages, and its Node. */
export function ownFolders(): string[] {
  const [node, entry = ''] = mcpCommand();
  const top = dirname(dirname(entry));
  return [dirname(entry), join(top, 'node_modules'), join(top, 'package.json'), dirname(realpathSync(node))].filter((path) => existsSync(path));
}

/** Serves the agent of one run until its client hangs up. */
export async function serveRun(voice: { readonly socket: string; readonly token: string }): Promise<void> {
  const { serveTools } = await import('../surfaces/mcp/stdio.ts');
  await serveTools({
    version: versionOf(),
    instructions: INSTRUCTIONS,
    tools: RUN_TOOLS,
    call: (tool, input) => ask(voice, tool, input),
  });
}

/** Serves a worker until its client hangs up. */
export async function serveBacklog(app: Pick<App, 'config' | 'door'>, globals: Globals, host: Host): Promise<undefined> {
  const caller = workerOf(callerOf({ named: globals.as, env: host.env, config: app.config, via: 'mcp' }));
  const [{ serveTools }, { backlogServed }] = await Promise.all([import('../surfaces/mcp/stdio.ts'), import('../surfaces/mcp/backlog.ts')]);
  await serveTools(backlogServed(app.door, caller, host.version));
}

const INSTRUCTIONS =
  'You work on one task of a list that ToDone keeps. Tell it how your phase ended with `report`, or ask the person with `ask`, and end your turn then. ' +
  'The task list itself is not yours to edit.';

async function ask(voice: { readonly socket: string; readonly token: string }, tool: string, input: unknown): Promise<ToolAnswer> {
  try {
    return (await callSocket(voice.socket, { token: voice.token, tool, input })) as ToolAnswer;
  } catch (error) {
    if (!(error instanceof NobodyListens || error instanceof RemoteError)) throw error;
    const remedy = 'write the same as JSON to the file that TODONE_RESULT names, and end your turn';
    return { ok: false, message: `ToDone does not answer: ${error.message}`, remedy };
  }
}
