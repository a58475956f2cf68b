/**
 * When a limit is over, as clients and providers say it: `retry-after: 3600`, `resets_at: 1795265494`, `try again in 2h 5m`,
 * `resets 12:51pm (UTC)`, `try again at Nov 28th, 2026 4:54 AM`. A clock time is the next one of its zone, the machine's where none is named.
 */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** A limit that ends later than this is no limit that anybody means. */
const LONGEST_MS = 32 * 86_400_000;
/** A reset that was a moment ago is now. */
const PAST_MS = 120_000;

/** Wall time in ms, or undefined where nothing is said that could be believed. */
export function resetTime(words: string, now: number): number | undefined {
  for (const read of [epoch, retryAfter, span, date, clock]) {
    const at = read(words, now);
    if (at !== undefined && at > now - PAST_MS && at < now + LONGEST_MS) return Math.round(at);
  }
  return undefined;
}

/** Seconds or milliseconds since 1970. */
function epoch(words: string): number | undefined {
  const digits = /(?:resets?_?at|reset)["']?\s*[:=]\s*["']?(\d{10}|\d{13})\b|\|(\d{10}|\d{13})\b/i.exec(words);
  const number = digits?.[1] ?? digits?.[2];
  return number === undefined ? undefined : Number(number) * (number.length === 10 ? 1000 : 1);
}

function retryAfter(words: string, now: number): number | undefined {
  const match = /retry.?after(-ms)?["']?\s*[:=]?\s*["']?(\d{1,9}(?:\.\d{1,3})?)(?![\d:])\s*(ms)?/i.exec(words);
  return match ? now + Number(match[2]) * (match[1] !== undefined || match[3] !== undefined ? 1 : 1000) : undefined;
}

const PART = /^[\s,]*(?:and\s+)?(\d{1,9}(?:\.\d{1,6})?)\s*(ms|milliseconds?|weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])/i;

/** `in 2h 5m`, `after 11h48m32s`, `retryDelay: "3600s"`. */
function span(words: string, now: number): number | undefined {
  const begin = /(?:\b(?:again|retry|resets?|available|reset)\s+(?:in|after)|retry_?delay["']?\s*[:=])\s*["']?/i.exec(words);
  if (!begin) return undefined;
  let rest = words.slice(begin.index + begin[0].length);
  let ms = 0;
  for (let part = PART.exec(rest); part; part = PART.exec(rest)) {
    ms += Number(part[1]) * (UNIT_MS[unitOf(part[2] ?? '')] ?? 0);
    rest = rest.slice(part[0].length);
    // `11h48m32s`: a unit may be right before the next number.
  }
  return ms > 0 ? now + ms : undefined;
}

function unitOf(word: string): string {
  const lower = word.toLowerCase();
  return lower.startsWith('ms') || lower.startsWith('milli') ? 'ms' : lower.slice(0, 1);
}

function date(words: string): number | undefined {
  const match = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)/.exec(words);
  const at = match ? Date.parse(match[0].replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

const MONTHS: readonly string[] = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const CLOCK =
  /\b(?:again|resets?|until|available|retry)\s+(?:at\s+|on\s+)?(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?(?:\s+(\d{4}),?)?(?:\s+at|,)?\s+)?(\d{1,2})(?::(\d{2}))?\s*([ap])?\.?(?:m\b)?\.?(?:\s*\(?(utc|gmt|[a-z]+\/[a-z_/]+)\)?)?/i;

function clock(words: string, now: number): number | undefined {
  const match = CLOCK.exec(words);
  if (!match) return undefined;
  const [, month, day, year, hourText, minuteText, half, zone] = match;
  // A bare number is no time of day.
  if (minuteText === undefined && half === undefined) return undefined;
  const hour = (Number(hourText) % (half === undefined ? 24 : 12)) + (half?.toLowerCase() === 'p' ? 12 : 0);
  const minute = Number(minuteText ?? 0);
  const today = wallOf(now, zone);
  if (!today || minute > 59) return undefined;
  const wanted = {
    year: year === undefined ? today.year : Number(year),
    month: month === undefined ? today.month : MONTHS.indexOf(month.toLowerCase()),
    day: day === undefined ? today.day : Number(day),
  };
  const at = Date.UTC(wanted.year, wanted.month, wanted.day, hour, minute) - today.offsetMs;
  if (at > now - PAST_MS) return at;
  if (month === undefined) return at + 86_400_000;
  return year === undefined ? Date.UTC(wanted.year + 1, wanted.month, wanted.day, hour, minute) - today.offsetMs : at;
}

/** The calendar of a zone at this moment; undefined where there is no such zone. */
function wallOf(now: number, zone: string | undefined): { year: number; month: number; day: number; offsetMs: number } | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone?.replace(/^gmt$/i, 'UTC'),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const parts = new Map(format.formatToParts(now).map((part) => [part.type, Number(part.value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const [year, month, day] = [part('year'), part('month') - 1, part('day')];
    const wall = Date.UTC(year, month, day, part('hour'), part('minute'), part('second'));
    return { year, month, day, offsetMs: wall - Math.floor(now / 1000) * 1000 };
  } catch {
    return undefined;
  }
}
