/** The campaign's answers, as tables for people. */
import type { Raced } from './race.ts';

export type Row = {
  readonly name: string;
  readonly runs: number;
  readonly edits: number;
  /** Words that were saved and are gone. */
  readonly lost: number;
  /** Words that are there twice, or that nobody wrote. */
  readonly doubled: number;
  /** Tasks whose line says something else than git. */
  readonly untrue: number;
  readonly doubleRuns: number;
  /** Processes and files left behind. */
  readonly orphans: number;
  /** The case could not be played to its end. */
  readonly broken?: boolean;
  /** Those that went wrong. */
  readonly seeds: readonly number[];
  readonly said: string[];
};

export type Missing = { readonly program: string; readonly excused: boolean };

const HEAD = ['case', 'runs', 'edits', 'lost words', 'doubled words', 'false states', 'double runs', 'orphans', 'seeds that failed'] as const;

const RACE_HEAD = ['raw race', 'saves', 'marker writes', 'collisions', 'overwritten by its editor', 'lost', 'doubled', 'away p50 ms', 'away max ms'] as const;

export function raceTable(raced: readonly Raced[]): string {
  const cells = raced.map((each) => [
    each.style,
    ...[each.saves, each.writes, each.collisions, each.overwritten, each.lost, each.doubled, Math.round(each.awayP50), Math.round(each.awayMax)].map(String),
  ]);
  return aligned([RACE_HEAD, ...cells]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '))
    .join('\n');
}

export function table(rows: readonly Row[], missing: readonly Missing[]): string {
  const cells = rows.map((row) => [
    row.name,
    ...[row.runs, row.edits, row.lost, row.doubled, row.untrue, row.doubleRuns, row.orphans].map(String),
    `${row.seeds.join(' ')}${row.broken === true ? ' (did not come to its end)' : ''}`,
  ]);
  const gone = missing.map(
    ({ program, excused }) => `${program}: NOT HERE${excused ? ' (excused by TODONE_EDITORS_WITHOUT)' : ', so its cases were not played'}`,
  );
  return [aligned([HEAD, ...cells]), ...gone].join('\n');
}
