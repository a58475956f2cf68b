/**
 * The one guard before every route and every upgrade (9-R5): who may be heard at all. A loopback peer proves nothing, for a web page
 * and every user of the machine come from there too: it takes the token, and a browser that speaks for another page is refused even
 * with it. Never tells which part of a token was wrong, nor how long the comparison took.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type Guard = {
  readonly token: string;
  /** What a Host header may say: names with the port, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Largest body, in bytes. */
  readonly bodyMax: number;
};

/** A request before anything of it is believed. `headers` = as sent, without those that came twice merged away. */
export type Incoming = {
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value … */
  readonly rawHeaders: readonly string[];
};

export type Turned = { readonly status: 400 | 401 | 403 | 413 | 421; readonly message: string };

/** Headers of which a second one could say something else to whoever stands behind the guard. */
const ONCE = ['host', 'origin', 'authorization', 'content-length'];

/** Why it is not heard, or undefined. */
export function turnedAway(guard: Guard, { url, headers, rawHeaders }: Incoming): Turned | undefined {
  const names = rawHeaders.filter((_each, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const twice = ONCE.find((name) => names.filter((each) => each === name).length > 1);
  if (twice !== undefined) return { status: 400, message: `the header ${twice} stands twice` };
  if (url === undefined || !url.startsWith('/')) return { status: 400, message: 'ask for a path of this server' };
  if (!guard.hosts.has((headers.host ?? '').toLowerCase())) return { status: 421, message: 'this server does not go by that name' };
  const { origin } = headers;
  if (origin !== undefined && !ours(guard, origin)) return { status: 403, message: 'a page of another origin may not ask here' };
  if (headers['sec-fetch-site'] === 'cross-site') return { status: 403, message: 'a page of another site may not ask here' };
  if (holdsToken(guard, url)) return { status: 400, message: 'a token does not belong into a URL: it is logged there' };
  if (!knows(guard, headers.authorization)) return { status: 401, message: 'send the token of this server: Authorization: Bearer <token>' };
  if (Number(headers['content-length'] ?? 0) > guard.bodyMax) return { status: 413, message: `a body has at most ${guard.bodyMax} bytes` };
  return undefined;
}

const ours = (guard: Guard, origin: string): boolean => origin.startsWith('http://') && guard.hosts.has(origin.slice('http://'.length).toLowerCase());

function knows(guard: Guard, authorization: string | undefined): boolean {
  const said = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1] ?? '';
  // Of one length, whatever was said.
  return timingSafeEqual(digest(said), digest(guard.token)) && said !== '';
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** By its value under any name, and by the names that clients give it. */
function holdsToken(guard: Guard, url: string): boolean {
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  if (/(?:^|&)(?:access_token|token|bearer|authorization|connectionParams)=/i.test(query)) return true;
  return url.includes(guard.token) || unescaped(url).includes(guard.token);
}

function unescaped(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** The names of a server that is bound to `host`. `port` 80 is not said by clients. */
export function hostsOf(host: string, port: number): ReadonlySet<string> {
  const bound = host.includes(':') ? `[${host}]` : host;
  const names = ['localhost', '127.0.0.1', '[::1]', ...(isAny(host) ? [] : [bound.toLowerCase()])];
  return new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]));
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';
