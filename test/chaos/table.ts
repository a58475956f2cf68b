/** What a campaign found, and how it is shown. */

/** One case of a campaign. Everything but `runs` has to be zero. */
export type Row = {
  readonly campaign: string;
  readonly name: string;
  runs: number;
  /** Bytes that a person wrote and that are nowhere any more. */
  lost: number;
  /** Tasks that ran or landed twice. */
  doubles: number;
  /** What list, journal or a command said and was not so; a recovery that did not come to its end. */
  untrue: number;
  /** Processes, worktrees, branches, refs, locks and files that nobody looks after. */
  orphans: number;
  /** Phases that were repeated although their end was written. */
  redone: number;
  /** What was wrong, with what it takes to see it again. */
  readonly faults: string[];
};

export type Kind = 'lost' | 'doubles' | 'untrue' | 'orphans' | 'redone';

export const newRow = (campaign: string, name: string): Row => ({
  campaign,
  name,
  runs: 0,
  lost: 0,
  doubles: 0,
  untrue: 0,
  orphans: 0,
  redone: 0,
  faults: [],
});

export type Fault = { readonly kind: Kind; readonly what: string; readonly times?: number };

let noted = 0;
/** How many faults there have been in all. */
export const faultsSoFar = (): number => noted;

export function note(row: Row, where: string, faults: readonly Fault[]): void {
  row.runs++;
  noted += faults.length;
  for (const { kind, what, times = 1 } of faults) {
    row[kind] += times;
    row.faults.push(`${row.campaign}: ${row.name}: ${where}: ${what}`);
  }
}

const KINDS: readonly Kind[] = ['lost', 'doubles', 'untrue', 'orphans', 'redone'];
const HEADS = ['campaign', 'case', 'runs', 'lost bytes', 'double runs', 'false states', 'orphans', 'redone phases'];

export const isClean = (row: Row): boolean => row.runs > 0 && KINDS.every((kind) => row[kind] === 0);

export function tableOf(rows: readonly Row[]): string {
  const cells = [HEADS, ...rows.map((row) => [row.campaign, row.name, row.runs, ...KINDS.map((kind) => row[kind])].map(String))];
  const widths = HEADS.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells.map((line) => line.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')).join('\n');
}
