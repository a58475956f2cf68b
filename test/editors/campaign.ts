/**
 * `npm run test:editors`: real editors against a real list and a real daemon. `-- --seed N --only <words of a case>` repeats one,
 * `--keep` leaves its folder. TODONE_MINUTES=n goes on with new seeds for so long. Exits 1 unless every column of losses is zero.
 */
import { parseArgs } from 'node:util';
import { type EditorCase, type Manner, sleep } from './editing.ts';
import { missingTools } from './install.ts';
import { makeScene, type Scene, SECTIONS } from './scene.ts';
import { SCRIPTED_EDITORS } from './scripted-editors.ts';
import { type Row, table } from './table.ts';
import { TERMINAL_EDITORS } from './terminal-editors.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string' }, keep: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
});
const SIDE_BY_SIDE = 4;
const EDITS = 3;
const CASE_MS = 150_000;

type Case = { readonly name: string; readonly editor: EditorCase; readonly manner: Manner };

const CASES: readonly Case[] = [...TERMINAL_EDITORS, ...SCRIPTED_EDITORS].flatMap((editor) =>
  editor.manners.map((manner): Case => ({ name: `${editor.name}${editor.manners.length > 1 ? `, ${manner}` : ''}`, editor, manner })),
);

/** A person types and saves; in between a colleague may do so with another tool. */
async function edit(scene: Scene, { editor, manner }: Case): Promise<number> {
  const editing = await editor.open(scene, manner);
  try {
    for (let at = 0; at < EDITS; at++) {
      await sleep(scene.random() * 1200);
      const section = SECTIONS[scene.pick(SECTIONS.length)] ?? 's0';
      await editing.add(section, scene.task(scene.word('mine')));
    }
    return EDITS;
  } finally {
    await editing.end();
  }
}

async function run(each: Case, seed: number): Promise<Row> {
  const scene = makeScene(each.name, seed);
  let edits = 0;
  try {
    scene.startDaemon();
    await sleep(600 + scene.random() * 1500);
    edits = await edit(scene, each);
    await scene.quiet();
    await scene.stopDaemon();
    const { found, doubleRuns, orphans } = await scene.judge();
    const count = (test: (one: { readonly rule: string; readonly message: string }) => boolean): number => found.filter(test).length;
    const row: Row = {
      name: each.name,
      runs: 1,
      edits,
      lost: count(({ rule, message }) => rule === 'I1' && /nowhere|only in a version/.test(message)),
      doubled: count(({ rule, message }) => rule === 'I1' && !/nowhere|only in a version/.test(message)),
      untrue: count(({ rule }) => rule === 'I3' || rule === 'I7'),
      doubleRuns: doubleRuns + count(({ rule }) => rule === 'I4'),
      orphans: orphans.length + count(({ rule }) => rule === 'I5' || rule === 'I9'),
      seeds: [],
      said: [...found.map(({ rule, subject, message }) => `${rule} ${subject} ${message}`), ...orphans],
    };
    if (values.verbose || row.said.length > 0) row.said.push(scene.text(), scene.said());
    return row;
  } catch (error) {
    await scene.stopDaemon();
    return {
      name: each.name,
      runs: 1,
      edits,
      lost: 0,
      doubled: 0,
      untrue: 0,
      doubleRuns: 0,
      orphans: 0,
      broken: true,
      seeds: [],
      said: [String(error), scene.text()],
    };
  } finally {
    if (values.keep) process.stderr.write(`kept: ${scene.top}\n`);
    else scene.remove();
  }
}

const isBad = (row: Row): boolean => row.broken === true || row.lost + row.doubled + row.untrue + row.doubleRuns + row.orphans > 0;

async function main(): Promise<void> {
  const first = Number(values.seed ?? Date.now() % 1_000_000);
  const chosen = CASES.filter(({ name }) => values.only === undefined || name.includes(values.only));
  const missing = await missingTools(chosen.flatMap(({ editor }) => editor.needs));
  const rows = new Map<string, Row>();
  const minutes = Number(process.env['TODONE_MINUTES'] ?? 0);
  const until = performance.now() + minutes * 60_000;
  for (let round = 0; round === 0 || performance.now() < until; round++) {
    const queue = chosen.filter(({ editor }) => !editor.needs.some(({ program }) => missing.has(program)));
    const worker = async (): Promise<void> => {
      for (let each = queue.shift(); each; each = queue.shift()) {
        const seed = first + round;
        const row = await inTime(each, run(each, seed));
        if (isBad(row)) process.stderr.write(`\n${row.name} (--seed ${seed} --only '${row.name}'):\n${row.said.join('\n')}\n`);
        merge(rows, row, isBad(row) ? [seed] : []);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    if (round > 0 && performance.now() >= until) break;
  }
  process.stdout.write(`${table([...rows.values()], [...missing.values()])}\nseed ${first}\n`);
  if ([...rows.values()].some(isBad) || [...missing.values()].some(({ excused }) => !excused)) process.exitCode = 1;
}

/** A case that hangs is a row like any other; its processes end with the campaign. */
async function inTime(each: Case, running: Promise<Row>): Promise<Row> {
  const late = Promise.withResolvers<Row>();
  const timer = setTimeout(() => late.resolve(overdue(each)), CASE_MS);
  return Promise.race([running, late.promise]).finally(() => clearTimeout(timer));
}

const overdue = (each: Case): Row => ({
  name: each.name,
  runs: 1,
  edits: 0,
  lost: 0,
  doubled: 0,
  untrue: 0,
  doubleRuns: 0,
  orphans: 0,
  broken: true,
  seeds: [],
  said: ['it did not come to its end'],
});

function merge(rows: Map<string, Row>, row: Row, seeds: readonly number[]): void {
  const before = rows.get(row.name);
  rows.set(row.name, {
    ...row,
    runs: row.runs + (before?.runs ?? 0),
    edits: row.edits + (before?.edits ?? 0),
    lost: row.lost + (before?.lost ?? 0),
    doubled: row.doubled + (before?.doubled ?? 0),
    untrue: row.untrue + (before?.untrue ?? 0),
    doubleRuns: row.doubleRuns + (before?.doubleRuns ?? 0),
    orphans: row.orphans + (before?.orphans ?? 0),
    broken: row.broken === true || before?.broken === true,
    seeds: [...(before?.seeds ?? []), ...seeds],
  });
}

await main();
