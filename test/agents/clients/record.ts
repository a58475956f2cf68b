/**
 * Records what the real clients print, for the tests of their readers: `node test/agents/clients/record.ts`. Each is started as the product
 * starts it, against the scripted model; places of this machine and long lists are taken out.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentTable } from '../../../src/adapters/agents/table.ts';
import { readConfig } from '../../../src/config.ts';
import { type Script, startModel } from '../model/server.ts';
import { say, shell } from '../model/talk.ts';
import { CLIENTS } from './clients.ts';
import { CACHE, install } from './install.ts';

const STREAMS = join(import.meta.dirname, '..', '..', 'adapters', 'streams');
const RECORD_MS = 120_000;
/** Says much of the machine and nothing of the stream. */
const LONG: ReadonlySet<string> = new Set([
  'tools',
  'slash_commands',
  'terminal_slash_commands',
  'agents',
  'skills',
  'plugins',
  'capabilities',
  'subagent_stats',
  'memory_paths',
]);

const SCENES: Readonly<Record<string, Script>> = {
  work: (talk) =>
    [shell('echo work > work.txt; ls'), { kind: 'write', path: `${CACHE}/record/work/more.txt`, text: 'more' } as const, say('Done.')][talk.calls] ??
    say('Done.'),
  limit: () => ({ kind: 'fault', fault: 'quota', status: 429, resetInSeconds: 3600, message: 'Rate limit reached. Please try again in 3600s.' }),
  auth: () => ({ kind: 'fault', fault: 'auth', status: 401, message: 'invalid api key' }),
  server: (_talk, _phase, nth) => (nth < 4 ? { kind: 'fault', fault: 'server', status: 500 } : say('Done.')),
};

for (const client of CLIENTS.filter(({ agent }) => agent.client !== 'acp')) {
  const found = await install(client.name);
  if ('problem' in found) throw new Error(found.problem);
  for (const [scene, script] of Object.entries(SCENES)) {
    const lines = await record(client, scene, script, found.bin);
    const path = join(STREAMS, `${client.name}-${scene}.jsonl`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    console.log(`${path}: ${lines.length} lines`);
  }
}

async function record(client: (typeof CLIENTS)[number], scene: string, script: Script, bin: string): Promise<{ from: string; line: string }[]> {
  const base = join(CACHE, 'record');
  const [home, work, folder] = ['home', 'work', 'run'].map((name) => join(base, name)) as [string, string, string];
  rmSync(base, { recursive: true, force: true });
  for (const each of [home, work, folder]) mkdirSync(each, { recursive: true });
  const model = await startModel(script);
  for (const [name, text] of Object.entries(client.files(model.url))) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const read = readConfig({ agents: { [client.name]: client.agent } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const row = agentTable(read.config).find(({ name }) => name === client.name);
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: home, SHLVL: '1', LANG: 'C.UTF-8', ...client.env(model.url), ...client.caseEnv?.[scene] };
  const promptFile = join(folder, 'prompt.md');
  writeFileSync(promptFile, 'You implement one task: todone-test\n');
  const task = { id: 'g0000000', section: 's', title: 't', text: 't', details: '', fields: [], notes: [], tags: [] };
  const order = {
    id: 'g0000000',
    ticket: 1,
    attempt: 1,
    section: 's',
    slot: 1,
    step: 'implement',
    workspace: work,
    start: '',
    port: 0,
    agent: client.name,
  } as const;
  const call = row?.invoke({
    order: { ...order, prompt: '', task, readOnly: false, limitMs: 0 },
    promptFile,
    folder,
    mcp: undefined,
    around: { env, top: work },
  });
  if (!call) throw new Error(`${client.name} has no call`);
  for (const [name, text] of Object.entries(call.files ?? {})) writeFileSync(join(folder, name), text);
  const child = spawn(call.program, call.args, { cwd: work, env: { ...env, ...call.env }, stdio: [openSync(promptFile, 'r'), 'pipe', 'pipe'] });
  const lines: { from: string; line: string }[] = [];
  for (const [from, stream] of [
    ['stdout', child.stdout],
    ['stderr', child.stderr],
  ] as const) {
    let rest = '';
    stream?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((line) => ({ from, line: scrubbed(line, base) })));
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), RECORD_MS);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  await model.close();
  return lines;
}

function scrubbed(line: string, base: string): string {
  const bare = line
    .replaceAll(base, '/base')
    .replaceAll(CACHE, '/clients')
    .replaceAll(/\/tmp\/[\w./-]+/g, '/tmp/x')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1');
  try {
    return JSON.stringify(JSON.parse(bare), (key, value: unknown) => (LONG.has(key) ? [] : value));
  } catch {
    return bare.slice(0, 500);
  }
}
