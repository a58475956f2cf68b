/**
 * Times, amounts and states as people say them. Never looks at a clock: the time is handed in.
 */
import type { Usage } from '../../runs/run.ts';
import type { MarkerState } from '../../tasks/task.ts';
import type { Tone } from './layout.ts';

export const STATE_WORDS: Readonly<Record<MarkerState, string>> = {
  open: 'open',
  blocked: 'blocked',
  in_progress: 'running',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

export const STATE_TONES: Readonly<Record<MarkerState, Tone>> = {
  open: 'plain',
  blocked: 'faint',
  in_progress: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'faint',
};

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `4s`, `3m 12s`, `2h 05m`, `3d 4h`. */
export function elapsed(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE_MS) return `${Math.floor(whole / SECOND_MS)}s`;
  if (whole < HOUR_MS) return `${Math.floor(whole / MINUTE_MS)}m ${two(((whole % HOUR_MS) % MINUTE_MS) / SECOND_MS)}s`;
  if (whole < DAY_MS) return `${Math.floor(whole / HOUR_MS)}h ${two((whole % HOUR_MS) / MINUTE_MS)}m`;
  return `${Math.floor(whole / DAY_MS)}d ${Math.floor((whole % DAY_MS) / HOUR_MS)}h`;
}

/** `12:04:07`, local time. */
export function timeOfDay(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

/** `2026-11-21 12:04`, local time. */
export function dateAndTime(at: number): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** `12.3k tokens, $0.04`; empty where nothing was used. */
export function usageWords(usage: Usage): string {
  const tokens = usage.inputTokens + usage.outputTokens;
  return [tokens === 0 ? '' : `${shortNumber(tokens)} tokens`, usage.costUsd === 0 ? '' : `$${usage.costUsd.toFixed(2)}`]
    .filter((part) => part !== '')
    .join(', ');
}

/** `1 task`, `2 tasks`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** `3 done, 1 failed`, without those that are none. */
export function countWords(counts: Readonly<Partial<Record<MarkerState, number>>>): string {
  const order: readonly MarkerState[] = ['done', 'in_progress', 'failed', 'open', 'blocked', 'cancelled'];
  const parts = order.filter((state) => (counts[state] ?? 0) > 0).map((state) => `${counts[state]} ${STATE_WORDS[state]}`);
  return parts.length === 0 ? 'no tasks' : parts.join(', ');
}

/** A tag as it may be typed: its text stands without braces or brackets in a view. */
export function tagWords(tag: string): string {
  if (tag.includes('::')) return `[${tag}]`;
  return /^\p{L}/u.test(tag) ? `{${tag}}` : tag;
}

function shortNumber(n: number): string {
  if (n < 1000) return String(n);
  return n < 1_000_000 ? `${(n / 1000).toFixed(1)}k` : `${(n / 1_000_000).toFixed(1)}M`;
}

const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
