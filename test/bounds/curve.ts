/** Samples as a table with a sparkline for each column, and what is said of them. */

export type Sample = { readonly at: number; readonly values: Readonly<Record<string, number>> };
/** `unit` of `at`: tasks, MB…; `broken` = the sentences of bounds that did not hold. */
export type Measured = { readonly name: string; readonly unit: string; readonly samples: readonly Sample[]; readonly broken: readonly string[] };

const BARS = '▁▂▃▄▅▆▇█';
const ROWS_MAX = 12;
const COLUMNS_MAX = 60;

export function show({ name, unit, samples, broken }: Measured, ms: number): string {
  const columns = Object.keys(samples[0]?.values ?? {});
  const every = Math.max(1, Math.ceil(samples.length / ROWS_MAX));
  const shown = samples.filter((_, index) => index % every === 0 || index === samples.length - 1);
  const rows = [[unit, ...columns], ...shown.map(({ at, values }) => [String(at), ...columns.map((column) => String(values[column] ?? ''))])];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')}`);
  const curves = columns.map((column) => `  ${column.padEnd(16)} ${sparkline(samples.map(({ values }) => values[column] ?? 0))}`);
  const verdict = broken.length === 0 ? ['  holds'] : broken.map((sentence) => `  BROKEN: ${sentence}`);
  return [`── ${name} (${(ms / 1000).toFixed(1)} s)`, ...lines, '', ...curves, ...verdict, ''].join('\n');
}

function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  const every = Math.max(1, Math.ceil(values.length / COLUMNS_MAX));
  const peaks = values.flatMap((_, index) => (index % every === 0 ? [Math.max(...values.slice(index, index + every))] : []));
  return peaks.map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / most) * (BARS.length - 1)))]).join('');
}

/** How much a value grew over the later part of a curve. */
export function lateGrowth(samples: readonly Sample[], column: string, from = 0.4): number {
  const late = samples.slice(Math.floor(samples.length * from)).map(({ values }) => values[column] ?? 0);
  // A peak that goes away again is no growth: the lower halves are compared.
  const half = Math.max(1, Math.floor(late.length / 2));
  return Math.min(...late.slice(-half)) - Math.min(...late.slice(0, half));
}
