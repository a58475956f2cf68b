/**
 * Lives lists and prints a table and, as its last line, JSON: `node test/protocol/run.ts [--lives 200] [--first 1] [--case <name>]`.
 * With `--source <folder with src>` the rooms come from a copy, for planted faults; with `--stop` it ends at the first fault,
 * with `--trace` it prints every step.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { live } from './life.ts';
import type { Lived, Rooms } from './life.ts';

const { values } = parseArgs({
  options: {
    lives: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    case: { type: 'string' },
    source: { type: 'string' },
    stop: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
const source = values.source ?? path.join(import.meta.dirname, '..', '..');
const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(path.join(source, 'src', file)).href)) as Record<string, unknown>;
const rooms = { ...(await load('adapters/task-file.ts')), ...(await load('tasks/edit.ts')), ...(await load('tasks/parse.ts')) } as unknown as Rooms;

const first = Number(values.first);
const cases = CASES.filter(({ name }) => values.case === undefined || name === values.case);
const rows: Record<string, unknown>[] = [];
const broken: (Lived & { readonly case: string })[] = [];
for (const of of cases) {
  const lived: Lived[] = [];
  const since = performance.now();
  for (let seed = first; seed < first + Number(values.lives); seed++) {
    const life = await live(seed, of, rooms, values.trace ? (line) => console.log(line) : undefined);
    lived.push(life);
    if (life.faults.length > 0) broken.push({ ...life, case: of.name });
    if (values.stop && broken.length > 0) break;
  }
  const sum = (of_: (life: Lived) => number): number => lived.reduce((total, life) => total + of_(life), 0);
  const wrong = (pattern: RegExp): number => lived.filter((life) => life.faults.some((fault) => pattern.test(fault))).length;
  rows.push({
    case: of.name,
    lives: lived.length,
    saves: sum((life) => life.saves),
    writes: sum((life) => life.writes),
    raced: sum((life) => life.raced),
    deaths: sum((life) => life.deaths),
    lost: wrong(/^I1.* (?:nowhere|only in a version)$/),
    doubled: wrong(/^I1.* times$/),
    litter: wrong(/^I9/),
    other: lived.filter((life) => life.faults.some((fault) => !/^I1.* (?:nowhere|only in a version|times)$|^I9/.test(fault))).length,
    'lives/s': Math.round((lived.length * 1000) / (performance.now() - since)),
  });
  if (values.stop && broken.length > 0) break;
}
console.table(rows);
for (const life of broken.slice(0, 10)) console.log(`--case "${life.case}" --first ${life.seed} --lives 1: ${life.faults.slice(0, 4).join(' | ')}`);
process.stdout.write(`${JSON.stringify({ rows, broken: broken.slice(0, 20), brokenCount: broken.length })}\n`);
process.exit(broken.length > 0 ? 1 : 0);
