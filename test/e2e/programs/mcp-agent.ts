/**
 * An agent that speaks through its MCP server, as a client's model would: what it says is in the task's text, a line each,
 * `phase tool {json}`. What it is answered goes to the file `answers.ndjson` that its environment names.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [main = '', answers = '', promptFile = ''] = process.argv.slice(2);
const { TODONE_SOCKET = '', TODONE_TOKEN = '', TODONE_PHASE = '', TODONE_ID = '' } = process.env;
const tokenFile = `${answers}.token`;

const client = new Client({ name: 'test-agent', version: '1' });
const connect = (token: string): Promise<void> =>
  client.connect(
    new StdioClientTransport({ command: process.execPath, args: [main, 'mcp'], env: { TODONE_SOCKET, TODONE_TOKEN: token, PATH: process.env['PATH'] ?? '' } }),
  );

const lines = readFileSync(promptFile, 'utf8').split('\n');
const wanted = lines.flatMap((line) => /^\s*say: (\w+) (\w+) (\{.*\})$/.exec(line)?.slice(1, 4) ?? []);
const stale = lines.some((line) => line.trim() === `say: ${TODONE_PHASE} stale`);

await connect(stale ? readFileSync(tokenFile, 'utf8') : TODONE_TOKEN);
appendFileSync(answers, `${JSON.stringify({ phase: TODONE_PHASE, id: TODONE_ID, tools: (await client.listTools()).tools.map(({ name }) => name) })}\n`);
for (let at = 0; at < wanted.length; at += 3) {
  const [phase = '', name = '', input = '{}'] = wanted.slice(at, at + 3);
  if (phase !== TODONE_PHASE) continue;
  const answer = await client.callTool({ name, arguments: JSON.parse(input) as Record<string, unknown> });
  appendFileSync(answers, `${JSON.stringify({ phase: TODONE_PHASE, name, answer })}\n`);
}
if (TODONE_PHASE === 'implement' && !stale) writeFileSync(join(process.cwd(), `${TODONE_ID}.txt`), 'work\n');
writeFileSync(tokenFile, TODONE_TOKEN);
await client.close();
