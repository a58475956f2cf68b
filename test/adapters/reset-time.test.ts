import { expect, it } from 'vitest';
import { classOf, classOfStatus } from '../../src/adapters/agents/faults.ts';
import { resetTime } from '../../src/adapters/agents/reset-time.ts';

const NOW = Date.parse('2026-11-21T11:51:34Z');
const at = (iso: string): number => Date.parse(iso);

it.each([
  ['retry-after: 3600', at('2026-11-21T12:51:34Z')],
  ['"retry-after":"60"', at('2026-11-21T11:52:34Z')],
  ['retry-after-ms: 1500', at('2026-11-21T11:51:35.500Z')],
  ['{"type":"usage_limit_reached","resets_at":1795265494}', 1_795_265_494_000],
  ['Claude AI usage limit reached|1795265494', 1_795_265_494_000],
  ['Rate limit reached for gpt-5 in organization x. Please try again in 20s. Visit https://x', at('2026-11-21T11:51:54Z')],
  ['Please try again in 1h2m3.5s', at('2026-11-21T12:53:37.500Z')],
  ['try again in 2 hours 5 minutes.', at('2026-11-21T13:56:34Z')],
  ['try again in 3 days', at('2026-11-24T11:51:34Z')],
  ['Your quota will reset after 11h48m32s.', at('2026-11-21T23:40:06Z')],
  ['Please retry in 3600s.', at('2026-11-21T12:51:34Z')],
  ['"retryDelay": "59.5s"', at('2026-11-21T11:52:33.500Z')],
  ["You've hit your 5-hour limit · resets 12:51pm (UTC)", at('2026-11-21T12:51:00Z')],
  ['limit reached ∙ resets 3am (UTC)', at('2026-11-22T03:00:00Z')],
  ['resets Nov 28 at 4am (UTC)', at('2026-11-28T04:00:00Z')],
  ['resets 12:30pm (Europe/Berlin)', at('2026-11-22T11:30:00Z')],
  ['resets 1:30pm (Europe/Berlin)', at('2026-11-21T12:30:00Z')],
  ['try again at 2026-11-22T04:00:00Z', at('2026-11-22T04:00:00Z')],
])('5.3-R5 reads when a limit is over: %s', (words, expected) => {
  expect(resetTime(words, NOW)).toBe(expected);
});

it('5.3-R5 takes a clock time without a zone as the machine reads its own clock', () => {
  const found = new Date(resetTime('or try again at 4:54 AM.', NOW) ?? 0);
  expect([found.getHours(), found.getMinutes(), found.getTime() > NOW, found.getTime() - NOW < 86_400_000]).toEqual([4, 54, true, true]);
  const later = new Date(resetTime('try again at Nov 28th, 2026 4:54 AM', NOW) ?? 0);
  expect([later.getDate(), later.getHours(), later.getMinutes()]).toEqual([28, 4, 54]);
});

it.each([
  'usage limit reached',
  'try again later',
  'try again at 5',
  'retry-after: 99999999',
  'resets_at: 17',
  'resets 12:51pm (Mars/Olympus)',
  'try again in a while',
  'resets 99:99',
])('5.3-R5 believes no time that is none: %s', (words) => {
  expect(resetTime(words, NOW)).toBeUndefined();
});

it.each([
  ['Not logged in · Please run /login', 'auth'],
  ['Failed to authenticate. API Error: 401 scripted auth', 'auth'],
  ['Missing environment variable: `FAKE_API_KEY`.', 'auth'],
  ['When using Gemini API, you must specify the GEMINI_API_KEY environment variable.', 'auth'],
  ['unexpected status 401 Unauthorized: scripted auth, url: http://127.0.0.1:1/v1/responses', 'auth'],
  ["You've hit your 5-hour limit · resets 12:51pm (UTC)", 'limit'],
  ['You’ve hit your usage limit. Upgrade to Pro (https://x), or try again at 12:48 PM.', 'limit'],
  ['[API Error: You have exhausted your daily quota on this model.]', 'limit'],
  ['exceeded retry limit, last status: 429 Too Many Requests', 'limit'],
  ["There's an issue with the selected model (opus-9). It may not exist", 'config'],
  ['error: unknown option --frobnicate', 'config'],
  ['This request appears to violate our Usage Policy', 'refusal'],
  ['We’re currently experiencing high demand, which may cause temporary errors.', 'transient'],
  ['API Error: 500 scripted server. This is a server-side issue', 'transient'],
  ['fetch failed: ECONNREFUSED', 'transient'],
  ['the tests of the parser fail', 'real'],
] as const)('5.3-R6 classes what clients say: %s', (words, expected) => {
  expect(classOf(words)).toBe(expected);
});

it('5.3-R6 goes by the status where there is one', () => {
  expect([401, 403, 429, 404, 500, 529, 408].map((status) => classOfStatus(status, 'x'))).toEqual([
    'auth',
    'auth',
    'limit',
    'config',
    'transient',
    'transient',
    'transient',
  ]);
  expect(classOfStatus(400, 'prompt is too long: 500 tokens')).toBe('real');
  expect(classOfStatus(400, 'Your credit balance is too low')).toBe('auth');
});
