/**
 * A model on 127.0.0.1 that follows a script: one server per cell of the matrix. Logs every request. A script is asked for each request of an
 * agent's own; requests without tools are side requests of a client (a title, say) and get a short text.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { DIALECTS, type Dialect } from './dialects.ts';
import { phaseOf, type Step, type Talk } from './talk.ts';

/** `nth` counts the requests of this phase, from 0, answered or not. */
export type Script = (talk: Talk, phase: string, nth: number) => Step;

export type Logged = {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly talk?: Talk;
  readonly phase?: string;
  readonly step?: Step;
};

export type Model = {
  readonly url: string;
  readonly log: readonly Logged[];
  /** Requests of the agents' phases, without the clients' own side requests. */
  asked(phase?: string): readonly (Logged & { readonly talk: Talk })[];
  close(): Promise<void>;
};

export async function startModel(script: Script): Promise<Model> {
  const log: Logged[] = [];
  const nth = new Map<string, number>();
  let number = 0;
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const dialect = DIALECTS.find((each) => each.path.test(url.pathname));
    const said = { at: Date.now(), method: request.method ?? '', url: request.url ?? '' };
    if (request.method !== 'POST' || !dialect) {
      log.push(said);
      response.statusCode = request.method === 'HEAD' && url.pathname === '/' ? 200 : 404;
      return void response.end();
    }
    const talk = dialect.read(JSON.parse(await textOf(request)), url.pathname);
    if (talk.tools.length === 0) {
      log.push({ ...said, talk });
      return send(response, dialect.write({ kind: 'say', text: 'A title' }, talk, ++number));
    }
    const phase = phaseOf(talk.prompt);
    const count = nth.get(phase) ?? 0;
    nth.set(phase, count + 1);
    const step = script(talk, phase, count);
    log.push({ ...said, talk, phase, step });
    return perform(response, dialect, step, talk, ++number);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    asked: (phase) =>
      log.filter(
        (each): each is Logged & { talk: Talk } => each.talk !== undefined && each.phase !== undefined && (phase === undefined || each.phase === phase),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function perform(response: ServerResponse, dialect: Dialect, step: Step, talk: Talk, number: number): void {
  switch (step.kind) {
    case 'fault': {
      const resetAt = step.resetInSeconds === undefined ? undefined : Date.now() + step.resetInSeconds * 1000;
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (step.resetInSeconds !== undefined) headers['retry-after'] = String(step.resetInSeconds);
      // What a subscription's limit comes with.
      if (dialect.name === 'anthropic' && step.fault === 'quota' && resetAt !== undefined) Object.assign(headers, unifiedLimit(resetAt));
      response.writeHead(step.status, headers);
      response.end(JSON.stringify(dialect.error(step.fault, step.status, step.message ?? `scripted ${step.fault}`, resetAt)));
      return;
    }
    case 'hang':
      if (step.where === 'before') return;
      begin(response);
      response.write(dialect.write({ kind: 'say', text: 'half a sentence' }, talk, number)[0]);
      return;
    case 'cut':
      begin(response);
      response.write(dialect.write({ kind: 'say', text: 'half a sentence' }, talk, number)[0], () => setTimeout(() => response.destroy(), 50));
      return;
    case 'say':
    case 'shell':
    case 'write':
    case 'mcp':
      send(response, dialect.write(step, talk, number));
  }
}

const unifiedLimit = (resetAt: number): Record<string, string> => ({
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-reset': String(Math.round(resetAt / 1000)),
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
});

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
}

function send(response: ServerResponse, parts: readonly string[]): void {
  begin(response);
  response.end(parts.join(''));
}
