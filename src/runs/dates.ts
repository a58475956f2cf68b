/**
 * Dates and estimates as numbers (1.2). The time zone is that of the machine, as for the person who typed them.
 */
const HOUR = 3_600_000;
/** A working day and a working week, as people estimate. */
const UNITS: Readonly<Record<string, number>> = { m: 60_000, min: 60_000, h: HOUR, d: 8 * HOUR, w: 40 * HOUR };

/** `2h`, `1d 4h`: ms of work; a day is 8 hours, a week 5 days. Undefined where it is no estimate. */
export function estimateMs(text: string): number | undefined {
  let sum = 0;
  for (const part of text.trim().split(/ +/)) {
    const match = /^(\d{1,6}(?:\.\d{1,3})?)(min|[mhdw])$/i.exec(part);
    if (!match) return undefined;
    sum += Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 0);
  }
  return sum;
}

/** A date as typed, in ms: a day alone begins at its midnight here, not in Greenwich. */
export function dateMs(text: string): number | undefined {
  const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(at) ? undefined : at;
}
