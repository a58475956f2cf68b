/**
 * When a recurring task comes again (1.2): calendar words and cron by croner, distances by the calendar. The time zone is that of the
 * machine. Never starts a timer.
 */
import { Cron } from 'croner';

const HOUR = 3_600_000;

/** Words as cron; those that are no calendar date but a distance are in `DISTANCES`. */
const CRONS: Readonly<Record<string, string>> = {
  hourly: '0 * * * *',
  hour: '0 * * * *',
  daily: '0 0 * * *',
  day: '0 0 * * *',
  nightly: '0 0 * * *',
  weekly: '0 0 * * 1',
  week: '0 0 * * 1',
  monthly: '0 0 1 * *',
  month: '0 0 1 * *',
  quarterly: '0 0 1 1,4,7,10 *',
  yearly: '0 0 1 1 *',
  annually: '0 0 1 1 *',
  year: '0 0 1 1 *',
  weekdays: '0 0 * * 1-5',
  weekday: '0 0 * * 1-5',
  weekends: '0 0 * * 6,0',
  monday: '0 0 * * 1',
  tuesday: '0 0 * * 2',
  wednesday: '0 0 * * 3',
  thursday: '0 0 * * 4',
  friday: '0 0 * * 5',
  saturday: '0 0 * * 6',
  sunday: '0 0 * * 0',
};

type Unit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
const SHORT: Readonly<Record<string, Unit>> = { m: 'minute', min: 'minute', h: 'hour', d: 'day', w: 'week' };
const STEPS_MAX = 100_000;

/**
 * When a task comes again: the first date of its rule after now, counted from the date that it had. Dates that were missed are left
 * out: one copy, and its date lies ahead. Undefined where the rule cannot be read.
 */
export function nextDate(rule: string, from: number | undefined, now: number): number | undefined {
  const words = rule
    .trim()
    .toLowerCase()
    .replace(/^every +/, '');
  const distance = distanceOf(words);
  if (distance) return after(distance, from ?? startOfDay(now), now);
  const pattern = CRONS[words] ?? words;
  try {
    return new Cron(pattern, { legacyMode: true }).nextRun(new Date(Math.max(from ?? now, now)))?.getTime();
  } catch {
    return undefined;
  }
}

function distanceOf(words: string): { readonly count: number; readonly unit: Unit } | undefined {
  if (words === 'biweekly') return { count: 2, unit: 'week' };
  const long = /^(\d{1,4}) +(minute|hour|day|week|month|year)s?$/.exec(words);
  if (long) return { count: Number(long[1]), unit: long[2] as Unit };
  const short = /^(\d{1,4})(min|[mhdw])$/.exec(words);
  return short ? { count: Number(short[1]), unit: SHORT[short[2] ?? ''] ?? 'day' } : undefined;
}

function after({ count, unit }: { readonly count: number; readonly unit: Unit }, from: number, now: number): number | undefined {
  if (count === 0) return undefined;
  for (let step = 1; step <= STEPS_MAX; step++) {
    const at = plus(from, step * count, unit);
    if (at > now) return at;
  }
  return plus(now, count, unit);
}

/** By the calendar, so that nine o'clock stays nine o'clock. */
function plus(from: number, count: number, unit: Unit): number {
  const date = new Date(from);
  if (unit === 'minute') return from + count * 60_000;
  if (unit === 'hour') return from + count * HOUR;
  if (unit === 'day' || unit === 'week') date.setDate(date.getDate() + count * (unit === 'week' ? 7 : 1));
  else {
    const day = date.getDate();
    date.setDate(1);
    date.setMonth(date.getMonth() + count * (unit === 'year' ? 12 : 1));
    // The 31st of a month that has none is its last day.
    date.setDate(Math.min(day, new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate()));
  }
  return date.getTime();
}

function startOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

const two = (value: number): string => String(value).padStart(2, '0');

/** As `{not-before:…}` has it: the day, and the time where it is not midnight. */
export function dateText(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return date.getHours() === 0 && date.getMinutes() === 0 ? day : `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
