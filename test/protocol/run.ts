/**
 * Lives lists and prints a table, what to run to see a fault again, and as the last line JSON:
 * `node test/protocol/run.ts [--lives <of each case>] [--first 1] [--case <name>] [--trace]`; the lives of all cases and the first
 * seed also as TODONE_SCHEDULES and TODONE_SEED. With `--source <folder with src>` the rooms come from a copy, for planted faults; with
 * `--stop` it ends at the first fault; `--trace` prints every step; `--quiet` no table.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { live } from './life.ts';
import type { Lived, Rooms } from './life.ts';

const { values } = parseArgs({
  options: {
    lives: { type: 'string', default: String(Math.ceil(Number(process.env['TODONE_SCHEDULES'] ?? 3000) / CASES.length)) },
    first: { type: 'string', default: process.env['TODONE_SEED'] ?? '1' },
    case: { type: 'string' },
    source: { type: 'string' },
    stop: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const source = values.source ?? path.join(import.meta.dirname, '..', '..');
const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(path.join(source, 'src', file)).href)) as Record<string, unknown>;
const rooms = { ...(await load('adapters/task-file.ts')), ...(await load('tasks/edit.ts')), ...(await load('tasks/parse.ts')) } as unknown as Rooms;

const first = Number(values.first);
const cases = CASES.filter(({ name }) => values.case === undefined || name === values.case);
const lived = new Map<string, Lived[]>(cases.map(({ name }) => [name, []]));
const broken: (Lived & { readonly case: string })[] = [];
const since = performance.now();
seeds: for (let seed = first; seed < first + Number(values.lives); seed++) {
  for (const of of cases) {
    const life = await live(seed, of, rooms, values.trace ? (line) => console.log(line) : undefined);
    lived.get(of.name)?.push(life);
    if (life.faults.length > 0) broken.push({ ...life, case: of.name });
    if (values.stop && broken.length > 0) break seeds;
  }
}
const rows = [...lived].map(([name, lives]) => rowOf(name, lives));
const lives = rows.reduce((total, row) => total + row.lives, 0);
if (!values.quiet) {
  console.table(rows);
  console.log(`${lives} lives from seed ${first}, ${Math.round((lives * 1000) / (performance.now() - since))} each second`);
}
for (const life of broken.slice(0, 10))
  console.log(`again: --case "${life.case}" --first ${life.seed} --lives 1 --trace: ${life.faults.slice(0, 4).join(' | ')}`);
process.stdout.write(`${JSON.stringify({ lives, rows, broken: broken.slice(0, 20), brokenCount: broken.length })}\n`);
process.exit(broken.length > 0 ? 1 : 0);

function rowOf(name: string, all: readonly Lived[]) {
  const sum = (part: (life: Lived) => number): number => all.reduce((total, life) => total + part(life), 0);
  const LOST = /^I1.* (?:nowhere|only in a version)$/;
  const DOUBLED = /^I1.* times$/;
  const LITTER = /^I9/;
  const wrong = (pattern: RegExp): number => all.filter(({ faults }) => faults.some((fault) => pattern.test(fault))).length;
  const other = all.filter(({ faults }) => faults.some((fault) => !LOST.test(fault) && !DOUBLED.test(fault) && !LITTER.test(fault))).length;
  return {
    case: name,
    lives: all.length,
    saves: sum((life) => life.saves),
    writes: sum((life) => life.writes),
    raced: sum((life) => life.raced),
    deaths: sum((life) => life.deaths),
    lost: wrong(LOST),
    doubled: wrong(DOUBLED),
    litter: wrong(LITTER),
    other,
  };
}
