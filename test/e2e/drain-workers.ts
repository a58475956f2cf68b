/** Workers of every kind as processes that can be killed, and what they tell. None of them knows the inside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { QUIET_ENV } from './doors-kit.ts';
import { ROOT, sleep } from './kit.ts';

export const KINDS = ['cli', 'mcp', 'mcp-http', 'trpc'] as const;
export type Kind = (typeof KINDS)[number];

/** `at` = ms since 1970, on the worker's side. `refused` has no title. */
export type Told = {
  readonly what: 'refused' | 'claimed' | 'holds' | 'closing' | 'closed' | 'lost';
  readonly at: number;
  readonly title?: string;
  readonly message?: string;
};

export type Field = {
  readonly top: string;
  readonly url: string;
  readonly token: string;
  readonly hash: string;
  /** Workers end when this file is there. */
  readonly stop: string;
  /** Seconds. */
  readonly leases: { readonly living: number; readonly held: number };
};

type Asked = { readonly kind: Kind; readonly name: string; readonly holdAt: number; readonly pauseMs: number; readonly tell: (told: Told) => void };

/** One worker; settles when its process is gone. A worker that holds its task is killed with it in its hands. */
export function work(field: Field, asked: Asked): Promise<void> {
  return asked.kind === 'mcp' ? byStdio(field, asked) : byProcess(field, asked);
}

function byProcess({ top, url, token, hash, stop, leases }: Field, { kind, name, holdAt, pauseMs, tell }: Asked): Promise<void> {
  const folder = join(ROOT, 'test', 'e2e', 'programs');
  const main = `${process.execPath} ${join(ROOT, 'src', 'main.ts')}`;
  const variables = { TODONE: main, NAME: name, HASH: hash, STOP: stop, HOLD_AT: String(holdAt), LIVING: String(leases.living), HELD: String(leases.held) };
  const child: ChildProcess =
    kind === 'cli'
      ? spawn('sh', [join(folder, 'drain-worker.sh')], {
          cwd: top,
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { ...process.env, ...QUIET_ENV, ...variables, PAUSE: String(pauseMs / 1000) },
        })
      : spawn(process.execPath, [join(folder, 'drain-worker.ts'), JSON.stringify({ kind, name, url, token, hash, stop, holdAt, leases, pauseMs })], {
          cwd: top,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Told;
      tell(told);
      if (told.what === 'holds') child.kill('SIGKILL');
    });
  return new Promise((resolve) => child.once('close', () => resolve()));
}

type Answer = { readonly isError?: boolean; readonly content: readonly { readonly text: string }[]; readonly structuredContent?: Record<string, unknown> };

const wordsOf = (answer: Answer): string => (answer.isError === true ? (answer.content[0]?.text ?? 'refused') : '');

/** Its process is its MCP server, which only this worker speaks to. */
async function byStdio({ top, hash, stop, leases }: Field, { name, holdAt, pauseMs, tell }: Asked): Promise<void> {
  const client = new Client({ name, version: '1' });
  const env = { ...QUIET_ENV, PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const transport = new StdioClientTransport({ command: process.execPath, args: [join(ROOT, 'src/main.ts'), 'mcp', '--as', name], cwd: top, env });
  await client.connect(transport);
  const call = async (tool: string, input: Record<string, unknown>): Promise<Answer> => (await client.callTool({ name: tool, arguments: input })) as Answer;
  const say = (what: Told['what'], more: Partial<Told>): void => tell({ what, at: Date.now(), ...more });
  try {
    for (let claims = 0; !existsSync(stop);) {
      const holds = claims + 1 === holdAt;
      const claimed = await call('task_claim', { lease: holds ? leases.held : leases.living });
      if (claimed.isError === true) {
        say('refused', { message: claimed.content[0]?.text ?? '' });
        await sleep(pauseMs);
        continue;
      }
      claims += 1;
      const { task, ticket } = claimed.structuredContent as { task: { id: string; title: string }; ticket: string };
      const { title } = task;
      say('claimed', { title });
      if (holds) {
        say('holds', { title });
        if (transport.pid !== null) process.kill(transport.pid, 'SIGKILL');
        return;
      }
      say('closing', { title });
      let closed = await call('task_close', { task: task.id, hash, ticket });
      // On a busy machine nobody may have said hello in time: whoever is not answered asks again.
      while (/waited|went away|does not answer/.test(wordsOf(closed))) closed = await call('task_close', { task: task.id, hash, ticket });
      const words = wordsOf(closed);
      if (words === '' || words.includes('it is done already')) say('closed', { title });
      else say('lost', { title, message: words });
    }
  } finally {
    await client.close().catch(() => undefined);
  }
}
