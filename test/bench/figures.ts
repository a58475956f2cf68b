/**
 * What a benchmark found, as numbers and as one table. Never fails a run because of a time: machines differ.
 */

export type Figure = {
  readonly name: string;
  readonly figure: string;
  readonly aim: string;
  /** Undefined where there is no aim. */
  readonly met: boolean | undefined;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** A figure that must not be above its aim. */
export const atMost = (name: string, value: number, limit: number, unit: '×' | 'ms', more = ''): Figure => ({
  name,
  figure: `${shown(value, unit)}${more}`,
  aim: `≤ ${limit}${unit === 'ms' ? ' ms' : '×'}`,
  met: value <= limit,
});

export const plain = (name: string, figure: string): Figure => ({ name, figure, aim: '', met: undefined });

export const shown = (value: number, unit: '×' | 'ms'): string => (unit === 'ms' ? `${value.toFixed(1)} ms` : `${value.toFixed(2)}×`);

export function table(figures: readonly Figure[]): string {
  const rows = [
    ['', 'figure', 'aim', ''],
    ...figures.map(({ name, figure, aim, met }) => [name, figure, aim, met === undefined ? '' : met ? 'met' : 'NOT met']),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
