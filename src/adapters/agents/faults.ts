/**
 * What went wrong, by a client's own words or the status of its provider: six classes, each with another answer (5.3-R6). The words are
 * those that the clients were seen to say; what is not known is a real failure, which another attempt may learn from.
 */
import type { AgentEvent, ErrorClass } from '../../engine/ports.ts';
import { resetTime } from './reset-time.ts';

const WORDS: readonly (readonly [class_: ErrorClass, words: RegExp])[] = [
  ['auth', /not logged in|please run \/login|failed to authenticate|unauthori[sz]ed|unauthenticated|authentication|invalid (?:x-)?api.?key|incorrect api key/i],
  [
    'auth',
    /missing environment variable|must specify the \w+|no api key|api key (?:is )?(?:missing|not found|expired)|token (?:has |is )?(?:expired|revoked)/i,
  ],
  ['auth', /credit balance is too low|payment required|forbidden|\b40[123]\b/i],
  ['limit', /usage limit|rate.?limit|too many requests|quota|resource.?exhausted|hit your .{0,20}limit|limit reached|\b429\b/i],
  ['config', /issue with the selected model|model.{0,60}(?:not found|does not exist|not supported|not available)|modelnotfound|unknown model/i],
  ['config', /unknown (?:option|argument|flag)|unexpected argument|unrecognized (?:option|argument)|invalid (?:config|settings|option)|not a trusted|\b404\b/i],
  ['refusal', /usage polic|content polic|violates? .{0,30}polic|content.?filter|blocked by safety|prohibited.?content|finish.?reason.{0,5}safety/i],
  [
    'transient',
    /\b5\d\d\b|overloaded|high demand|server error|internal error|time(?:d )?.?out|econn|enotfound|eai_again|epipe|socket|network|stream (?:disconnected|ended|closed)|connection|fetch failed|temporar|unavailable|terminated/i,
  ],
];

export function classOf(words: string): ErrorClass {
  return WORDS.find(([, pattern]) => pattern.test(words))?.[0] ?? 'real';
}

/** By the provider's status where the client tells it; words decide where a status says too little. */
export function classOfStatus(status: number | undefined, words: string): ErrorClass {
  if (status === undefined) return classOf(words);
  if (status === 401 || status === 402 || status === 403) return 'auth';
  if (status === 429) return 'limit';
  if (status === 404) return 'config';
  if (status === 408 || status === 409 || status >= 500) return 'transient';
  const said = classOf(words.replaceAll(/\b[45]\d\d\b/g, ''));
  return said === 'transient' ? 'real' : said;
}

/** A failure as the event that it is: a limit with the time when it is over, or an error with its class. */
export function failure(message: string, now: number, known: { readonly status?: number; readonly resetAt?: number } = {}): AgentEvent {
  const errorClass = classOfStatus(known.status, message);
  if (errorClass !== 'limit') return { kind: 'error', message, class: errorClass };
  return { kind: 'limit', message, resetAt: known.resetAt ?? resetTime(message, now) };
}
