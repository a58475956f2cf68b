/**
 * A worker outside of ToDone that speaks HTTP: claims, does nothing, closes, until the stop file is there. Tells what it does on
 * stdout, a JSON line each. `drain-worker.ts <json>`; the fields are those of `Orders`.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

type Orders = {
  readonly kind: 'mcp-http' | 'trpc';
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly hash: string;
  readonly stop: string;
  /** The claim, counted from 1, that it takes and never ends; 0 = none. */
  readonly holdAt: number;
  readonly leases: { readonly living: number; readonly held: number };
  readonly pauseMs: number;
};
type Answer = { readonly ok: true; readonly output: Record<string, unknown> } | { readonly ok: false; readonly message: string };
type Ask = (request: 'claim' | 'close', input: object) => Promise<Answer>;

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const headers = { authorization: `Bearer ${orders.token}`, 'todone-as': orders.name };

const tell = (what: string, more: object): void => void process.stdout.write(`${JSON.stringify({ what, at: Date.now(), ...more })}\n`);

const byTrpc: Ask = async (request, input) => {
  const answered = await fetch(`${orders.url}/trpc/task.${request}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  const body = (await answered.json()) as { result?: { data: Record<string, unknown> }; error?: { message: string } };
  return body.result ? { ok: true, output: body.result.data } : { ok: false, message: body.error?.message ?? '' };
};

async function byMcp(): Promise<Ask> {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client({ name: orders.name, version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${orders.url}/mcp`), { requestInit: { headers } }));
  return async (request, input) => {
    const answered = await client.callTool({ name: `task_${request}`, arguments: { ...input } });
    if (answered.isError !== true) return { ok: true, output: answered.structuredContent as Record<string, unknown> };
    return { ok: false, message: JSON.stringify(answered.content) };
  };
}

const ask = orders.kind === 'trpc' ? byTrpc : await byMcp();
for (let claims = 0; !existsSync(orders.stop);) {
  const holds = claims + 1 === orders.holdAt;
  const claimed = await ask('claim', { lease: holds ? orders.leases.held : orders.leases.living });
  if (!claimed.ok) {
    tell('refused', { message: claimed.message });
    await sleep(orders.pauseMs);
    continue;
  }
  claims += 1;
  const { task, ticket } = claimed.output as { task: { id: string; title: string }; ticket: string };
  tell('claimed', { title: task.title });
  if (holds) {
    tell('holds', { title: task.title });
    await sleep(600_000);
  }
  tell('closing', { title: task.title });
  let closed = await ask('close', { task: task.id, hash: orders.hash, ticket });
  // On a busy machine nobody may have said hello in time: whoever is not answered asks again.
  while (!closed.ok && /waited|went away|does not answer/.test(closed.message)) closed = await ask('close', { task: task.id, hash: orders.hash, ticket });
  if (!closed.ok && closed.message.includes('it is done already')) closed = { ok: true, output: {} };
  tell(closed.ok ? 'closed' : 'lost', { title: task.title, ...(closed.ok ? {} : { message: closed.message }) });
}
process.exit(0);
