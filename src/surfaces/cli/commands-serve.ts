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
    summary: 'serve the backlog to an agent: MCP over stdio',
    details:
      'Clients start it themselves. What asks through it is a worker, named by --as or TODONE_INSTANCE: it claims, reports and files, and cannot approve. ' +
      'Inside a run it speaks for that run alone.',
    arguments: [],
    options: [],
    examples: [
      { line: 'todone mcp --as ci-1', says: 'as the client of the worker ci-1 starts it' },
      { line: 'todone mcp < /dev/null', says: 'end at once: the client hung up' },
    ],
    json: undefined,
    quiet: undefined,
    input: z.object({}),
    run: async ({ host, globals }) => (await host.mcp(globals)) ?? EXIT.fine,
  }),
];
