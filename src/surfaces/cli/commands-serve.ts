/**
 * Doors for programs: the servers that other tools start or call. What they offer is not decided here.
 */
import { z } from 'zod';
import { command, type CommandRow, show } from './command.ts';
import { EXIT } from './failure.ts';
import { documentOf } from './json.ts';

const PORT = 7407;

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
  command({
    name: 'serve',
    group: 'Serve',
    summary: 'serve the backlog to programs: tRPC and MCP over HTTP',
    details:
      'On this machine only, unless --host says otherwise. Each request brings the token from the file that it names, as Authorization: Bearer …, and may name ' +
      'its worker as todone-as: …. What asks through it is a worker: it cannot approve.',
    arguments: [],
    options: [
      { flags: '--port <n>', says: 'where to listen; 0 = any that is free', default: PORT },
      { flags: '--host <address>', says: 'the address to listen on', default: '127.0.0.1' },
    ],
    examples: [
      { line: 'todone serve', says: 'until Ctrl-C' },
      { line: 'todone serve --port 0 --json', says: 'on a free port, for a script' },
    ],
    json: 'serving',
    quiet: 'prints the URL',
    input: z.object({
      port: z.coerce.number('write a number').int('write a whole number').min(0, 'from 0 to 65535').max(65_535, 'from 0 to 65535'),
      host: z.string().trim().min(1, 'it is empty'),
    }),
    run: async ({ host, globals, print }, options) =>
      (await host.serve(globals, options, (at) =>
        print(
          show({
            view: at,
            text: ({ url, token_file }) => `serving on ${url}: tRPC under /trpc, MCP under /mcp\ntoken: ${token_file}\n`,
            json: (view) => documentOf(view),
            quiet: ({ url }) => [url],
          }),
        ),
      )) ?? EXIT.fine,
  }),
];
