/**
 * The server of `todone serve`: tRPC under /trpc, MCP (streamable HTTP) under /mcp, figures for a monitor under /metrics, each request
 * through the guard first. Sends no CORS header and nothing that a browser could show.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http';
import type { Door } from '../../engine/ports.ts';
import type { Caller } from '../../runs/caller.ts';
import { backlogServed } from '../mcp/backlog.ts';
import { serverOf } from '../mcp/server.ts';
import { type Guard, hostsOf, turnedAway } from './guard.ts';
import { METRICS_TYPE, metricsText } from './metrics.ts';
import { type Context, router } from './router.ts';

const BODY_BYTES_MAX = 4 * 1024 * 1024;
const BATCH_MAX = 50;
const MCP_SUBSCRIPTIONS_MAX = 32;
/** Whoever does not get its headers across in this time is cut off; looked after every `CHECK_MS`. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const CHECK_MS = 5000;

const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

export type ServeOptions = {
  readonly host: string;
  /** 0 = any that is free. */
  readonly port: number;
  readonly version: string;
  readonly token: string;
  readonly door: Door;
  /** For the name that a client gives itself (`todone-as`); throws what is wrong with it. */
  readonly callerNamed: (name: string | undefined) => Caller;
  readonly changes: Context['changes'];
  /** Whether a daemon minds the list. */
  readonly isOwned: () => boolean;
  /** At once; what is over is turned away. */
  readonly connectionsMax: number;
  readonly requestsMax: number;
  readonly onBug: (error: unknown) => void;
};

export type Listening = { readonly port: number; readonly url: string; readonly close: () => Promise<void> };

/** Rejects with the system's error where it cannot listen. */
export async function serveHttp(options: ServeOptions): Promise<Listening> {
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS });
  server.maxConnections = options.connectionsMax;
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  const guard: Guard = { token: options.token, hosts: hostsOf(options.host, port), bodyMax: BODY_BYTES_MAX };
  const answer = answering(options);
  let open = 0;
  server.on('request', (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const turned = turnedAway(guard, request);
    if (turned) return refuse(response, turned.status, turned.message);
    if (open >= options.requestsMax) return refuse(response, 503, 'too many requests are open: end some, and ask again');
    open += 1;
    response.once('close', () => (open -= 1));
    answer(request, response).catch((error: unknown) => {
      options.onBug(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'this is a bug in ToDone');
    });
  });
  // Nothing is served over WebSocket; the guard speaks first all the same, so that a stranger does not learn even that.
  server.on('upgrade', (request, socket) => {
    const turned = turnedAway(guard, request) ?? { status: 400, message: 'nothing here is served over an upgraded connection' };
    hangUp(socket, turned.status, turned.message);
  });
  const name = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { port, url: `http://${name}:${port}`, close: () => closed(server) };
}

function answering(options: ServeOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { door, version, changes, callerNamed, isOwned, onBug } = options;
  const mcp = toNodeHandler(
    createMcpHandler(({ authInfo }) => serverOf(backlogServed(door, callerNamed(authInfo?.clientId || undefined), version)), {
      onerror: () => undefined,
      maxSubscriptions: MCP_SUBSCRIPTIONS_MAX,
      maxRequestBodySize: BODY_BYTES_MAX,
    }),
    { onerror: onBug, maxRequestBodySize: BODY_BYTES_MAX },
  );
  return async (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const named = request.headers['todone-as'];
    let caller: Caller;
    try {
      caller = callerNamed(typeof named === 'string' ? named : undefined);
    } catch (error) {
      return refuse(response, 400, error instanceof Error ? error.message : 'this cannot be a name');
    }
    if (path === '/mcp') {
      // The guard has seen the token; what is handed on is only the name.
      const auth = { token: '', clientId: typeof named === 'string' ? named : '', scopes: [] };
      return mcp(Object.assign(request, { auth }), response);
    }
    if (path === '/metrics') {
      if (request.method !== 'GET') return refuse(response, 405, 'figures are asked for by GET');
      const figures = await metricsText(door, caller, isOwned());
      if (figures === undefined) return refuse(response, 503, 'the list cannot be read now');
      response.writeHead(200, { 'content-type': METRICS_TYPE });
      response.end(figures);
      return;
    }
    if (!path.startsWith('/trpc/')) return refuse(response, 404, 'there is /trpc/<request>, /mcp and /metrics');
    return nodeHTTPRequestHandler({
      router,
      req: request,
      res: response,
      path: path.slice('/trpc/'.length),
      maxBodySize: BODY_BYTES_MAX,
      maxBatchSize: BATCH_MAX,
      createContext: (): Context => ({ door, caller, changes }),
      onError: ({ error }) => {
        if (error.code === 'INTERNAL_SERVER_ERROR') onBug(error.cause ?? error);
      },
    });
  };
}

/** The connection ends with it: nothing more is read from whoever was turned away. */
function refuse(response: ServerResponse, status: number, message: string): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ error: message }));
}

function hangUp(socket: Duplex, status: number, message: string): void {
  const body = JSON.stringify({ error: message });
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

const listening = (server: Server, { host, port }: ServeOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
