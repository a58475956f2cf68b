/**
 * The forms of dates, estimates and recurrences that tags may have (1.2): whether they can be understood at all.
 * Never says when something is due: that needs a clock.
 */

const DAY = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** `2026-12-01`, `2026-12-01T09:00`, with seconds and zone if wanted, and a day that exists. */
export function isDate(value: string): boolean {
  const match = DAY.exec(value);
  if (!match) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour <= 23 && minute <= 59 && second <= 59;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** `2h`, `30m`, `1.5d`, `1d 4h`, `1w`. */
export function isEstimate(value: string): boolean {
  const parts = value.trim().split(/ +/);
  return parts.length <= 4 && parts.every((part) => /^\d{1,6}(?:\.\d{1,3})?(?:m|min|h|d|w)$/i.test(part));
}

const RECURRENCE_WORDS = new Set([
  'hourly',
  'daily',
  'nightly',
  'weekly',
  'biweekly',
  'monthly',
  'quarterly',
  'yearly',
  'annually',
  'weekdays',
  'weekends',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]);
const CRON_NAMES = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)$/i;
/** Least and greatest number of each of cron's five fields. */
const CRON_FIELDS: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];

/** A word, `2 weeks`, or cron with five fields (six with seconds). */
export function isRecurrence(value: string): boolean {
  const words = value
    .trim()
    .toLowerCase()
    .replace(/^every +/, '')
    .split(/ +/);
  if (words.length === 1) return RECURRENCE_WORDS.has(words[0]!) || isEstimate(words[0]!) || /^(?:day|week|month|year|hour|weekday)$/.test(words[0]!);
  if (words.length === 2 && /^\d{1,4}$/.test(words[0]!)) return Number(words[0]) > 0 && /^(?:minute|hour|day|week|month|year)s?$/.test(words[1]!);
  if (words.length !== 5 && words.length !== 6) return false;
  const fields = words.length === 6 ? ([[0, 59], ...CRON_FIELDS] as const) : CRON_FIELDS;
  return words.every((word, index) => word.length <= 100 && word.split(',').every((part) => isCronPart(part, fields[index]!)));
}

function isCronPart(part: string, [least, greatest]: readonly [number, number]): boolean {
  const [range, step, more] = part.split('/');
  if (more !== undefined || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
  if (range === '*' || range === '?' || range === 'l') return true;
  const ends = (range ?? '').split('-');
  return ends.length <= 2 && ends.every((end) => CRON_NAMES.test(end) || (/^\d{1,2}$/.test(end) && Number(end) >= least && Number(end) <= greatest));
}
