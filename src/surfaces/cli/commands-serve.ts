/**
 * Doors for programs: the servers that other tools start or call. What they offer is not decided here.
 */
import { z } from 'zod';
import { command, type CommandRow } from './command.ts';
import { EXIT } from './failure.ts';

export const SERVE_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'mcp',
    group: 'Serve',
    summary: 'serve MCP over stdio to an agent of a run',
    details: 'Clients start it themselves: ToDone tells them how when it starts an agent. It speaks for that run alone.',
    arguments: [],
    options: [],
    examples: [
      { line: 'todone mcp', says: 'as a client starts it' },
      { line: 'todone mcp < /dev/null', says: 'end at once: the client hung up' },
    ],
    json: undefined,
    quiet: undefined,
    input: z.object({}),
    run: async ({ host, globals }) => (await host.mcp(globals)) ?? EXIT.fine,
  }),
];
