/**
 * `npm run test:agents:backlog`: an agent that ToDone did not start, a real client with `todone mcp` (or `todone serve`) among its tool
 * servers, takes a task of the backlog, commits, and closes it; a scripted model on 127.0.0.1 says what it does. Fails where the client
 * cannot be installed; `TODONE_AGENTS_WITHOUT=claude` leaves it out, and says so.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mcp, say, shell, type Step } from '../model/talk.ts';
import type { Script } from '../model/server.ts';
import { CLIENTS } from './clients.ts';
import { type Ground, makeGround } from './ground.ts';
import { install } from './install.ts';

const CLIENT_MS = 180_000;
const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
const LIST = '## Git Worktree work {claude}\n[] Do the work {id:first}\n[] Filed by a machine {id:filed} {triage} {by:bot}\n';
const PROMPT = 'todone-test: take the next task of the backlog with your todone tools, do it, commit, and close it.';

/** What the answers so far say under this name. */
const said = (results: readonly string[], field: string): string =>
  new RegExp(`"${field}":\\s*"([^"]+)"`).exec(results.join('\n').replaceAll('\\"', '"'))?.[1] ?? `no_${field}`;

const script: Script = (talk) => {
  const { results } = talk;
  const hash = results.map((text) => /\b[0-9a-f]{40}\b/.exec(text)?.[0]).findLast((found) => found !== undefined) ?? 'no_hash';
  const steps: readonly Step[] = [
    mcp('task_ready', {}),
    mcp('task_claim', { task: 'filed' }),
    mcp('task_claim', {}),
    shell('echo work > work.txt && git add work.txt && git commit -qm "Do the work" && git rev-parse HEAD'),
    mcp('task_close', { task: 'first' }),
    mcp('task_close', { task: 'first', ticket: said(results, 'ticket'), hash }),
    say('Done.'),
  ];
  return steps[Math.min(talk.calls, steps.length - 1)] ?? say('Done.');
};

type Server = Readonly<Record<string, unknown>>;
type Way = { readonly name: string; serve(ground: Ground): Promise<{ readonly server: Server; end(): Promise<void> }> };

const WAYS: readonly Way[] = [
  {
    name: 'stdio',
    serve: async () => ({
      server: { type: 'stdio', command: process.execPath, args: [MAIN, 'mcp', '--as', 'editor'], alwaysLoad: true },
      end: async () => undefined,
    }),
  },
  {
    name: 'http',
    async serve({ top, home }) {
      const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--json'], {
        cwd: top,
        env: { PATH: process.env['PATH'], HOME: home },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      let out = '';
      const line = await new Promise<string>((resolve, reject) => {
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString('utf8');
          if (out.trimEnd().endsWith('}')) resolve(out);
        });
        void ended.then(() => reject(new Error(`todone serve ended: ${out}`)));
      });
      const { url, token_file: tokenFile } = JSON.parse(line) as { url: string; token_file: string };
      const headers = { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`, 'todone-as': 'editor' };
      return { server: { type: 'http', url: `${url}/mcp`, headers, alwaysLoad: true }, end: async () => (child.kill('SIGTERM'), ended) };
    },
  },
];

async function tryWay(way: Way, bin: string): Promise<void> {
  const client = CLIENTS.find(({ name }) => name === 'claude');
  assert.ok(client);
  const ground = await makeGround({ name: `backlog-${way.name}`, clients: [client], bins: [bin], list: LIST, config: {}, script });
  const { server, end } = await way.serve(ground);
  try {
    const config = join(ground.home, 'mcp.json');
    writeFileSync(config, JSON.stringify({ mcpServers: { todone: server } }));
    const args = ['-p', PROMPT, '--mcp-config', config, '--strict-mcp-config', '--allowedTools', 'mcp__todone', 'Bash', '--output-format', 'json'];
    const env = {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: ground.home,
      LANG: 'C.UTF-8',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ...client.env(ground.model.url),
    };
    const ran = await new Promise<string>((resolve) => {
      const child = execFile(join(bin, 'claude'), args, { cwd: ground.top, env, timeout: CLIENT_MS, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) =>
        resolve(`${stdout}\n${stderr}`),
      );
      child.stdin?.end();
    });
    const asked = ground.model.asked();
    const answers = asked.at(-1)?.talk.results ?? [];
    const all = `${ran}\n${answers.join('\n')}\n${ground.list()}`;
    const tools = asked[0]?.talk.tools.filter((tool) => tool.includes('todone')) ?? [];
    assert.ok(
      tools.includes('mcp__todone__task_claim') && !tools.some((tool) => tool.endsWith('task_approve')),
      `the client offers the tools: ${tools.join(', ')}\n${all}`,
    );
    const commit = ground.git('rev-parse', '--short', 'HEAD').trim();
    assert.equal(ground.git('log', '-1', '--format=%s').trim(), 'Do the work', all);
    assert.match(ground.marker('Do the work'), new RegExp(`^\\[✅ ${commit}, `, 'u'), all);
    assert.equal(ground.marker('Filed by a machine'), '[]');
    const { said: told } = await ground.run('task', 'history', 'first', '--json').ended;
    const { history } = JSON.parse(told) as { history: readonly { field: string; new: string | null; by: string; via: string }[] };
    const via = way.name === 'http' ? 'api' : 'mcp';
    assert.ok(
      history.some((row) => row.field === 'claim' && row.new?.startsWith('editor') === true && row.via === via),
      told,
    );
    assert.ok(
      history.some((row) => row.field === 'refused' && row.new?.includes('a worker closes a task with the commit') === true),
      told,
    );
    const filed = await ground.run('task', 'history', 'filed', '--json').ended;
    assert.match(filed.said, /task\.claim: it cannot be claimed/, filed.said);
  } finally {
    await end();
    await ground.close(false);
  }
}

async function main(): Promise<number> {
  if ((process.env['TODONE_AGENTS_WITHOUT'] ?? '').split(',').includes('claude')) {
    console.log('claude: left out by TODONE_AGENTS_WITHOUT');
    return 0;
  }
  const installed = await install('claude');
  if ('problem' in installed) {
    console.log(`claude: ${installed.problem}`);
    return 1;
  }
  console.log(`claude ${installed.version}`);
  let failed = 0;
  for (const way of WAYS) {
    const begun = Date.now();
    const problem = await tryWay(way, installed.bin).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (problem !== undefined) failed += 1;
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    console.log(
      `${problem === undefined ? 'pass' : 'FAIL'}  a task of the backlog by claude, todone as a tool server over ${way.name}, ${seconds} s${problem === undefined ? '' : `: ${problem}`}`,
    );
  }
  console.log(`${WAYS.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
