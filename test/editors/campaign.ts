/**
 * `npm run test:editors`: real editors against a real list and a real daemon. `-- --seed N --only <words of a case>` repeats one,
 * `--keep` leaves its folder. TODONE_MINUTES=n goes on with new seeds for so long. Exits 1 unless every column of losses is zero.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type EditorCase, type Manner, sleep, withLines } from './editing.ts';
import { GIT_EDITORS } from './git-editors.ts';
import { missingTools } from './install.ts';
import { generator, makeScene, type Scene, SECTIONS } from './scene.ts';
import { SCRIPTED_EDITORS } from './scripted-editors.ts';
import { race, undetected } from './race.ts';
import { raceTable, type Row, table } from './table.ts';
import { TERMINAL_EDITORS } from './terminal-editors.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string' }, keep: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
});
const SIDE_BY_SIDE = 4;
const EDITS = 3;
const CASE_MS = 240_000;
/** Without TODONE_MINUTES no case is begun later than this, so that all takes three minutes. */
const BEGIN_MS = 110_000;
const RACE_SAVES = 150;
const PLANTED_SAVES = 100;

type Case = { readonly name: string; readonly editor: EditorCase; readonly manner: Manner };

const CASES: readonly Case[] = [...TERMINAL_EDITORS, ...SCRIPTED_EDITORS, ...GIT_EDITORS].flatMap((editor) =>
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
    if (manner === 'anyway' && editor.buffers === true) {
      // A colleague saves; ToDone sees it; then the old buffer goes over it.
      const word = scene.word('theirs', 'kept');
      writeFileSync(`${scene.list}.theirs`, withLines(scene.text(), 's2', scene.task(word)));
      renameSync(`${scene.list}.theirs`, scene.list);
      await scene.seen();
      await editing.add('s0', scene.task(scene.word('mine')));
    }
    if (editing.repair) {
      await sleep(1500);
      if (scene.said().includes('a formatter joined or moved')) await editing.repair();
    }
    return EDITS;
  } finally {
    await editing.end();
  }
}

async function run(each: Case, seed: number): Promise<Row> {
  const scene = makeScene(each.name, seed, each.editor.bullet);
  let edits = 0;
  try {
    await scene.startDaemon();
    await sleep(scene.random() * 1500);
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

/** The race first finds what is planted, or its zeros say nothing. */
async function raceAll(longer: boolean): Promise<boolean> {
  const planted = await undetected(PLANTED_SAVES);
  process.stdout.write(`Planted ways of writing that lose saves:\n  ${planted.said.join('\n  ')}\n\n`);
  const raced = await race(longer ? RACE_SAVES * 10 : RACE_SAVES);
  process.stdout.write(`${raceTable(raced)}\n\n`);
  return planted.missed.length > 0 || raced.some(({ lost, doubled }) => lost + doubled > 0);
}

/** Another order with each seed: a slow machine comes to all of them in time. */
function shuffled(cases: readonly Case[], seed: number): Case[] {
  const random = generator(seed);
  return cases
    .map((each) => ({ each, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

const isBad = (row: Row): boolean => row.broken === true || row.lost + row.doubled + row.untrue + row.doubleRuns + row.orphans > 0;

async function main(): Promise<void> {
  const first = Number(values.seed ?? Date.now() % 1_000_000);
  const chosen = CASES.filter(({ name }) => values.only === undefined || name.includes(values.only));
  const missing = await missingTools(chosen.flatMap(({ editor }) => editor.needs));
  if ((values.only === undefined || values.only === 'race') && (await raceAll(process.env['TODONE_MINUTES'] !== undefined))) process.exitCode = 1;
  const rows = new Map<string, Row>();
  const minutes = Number(process.env['TODONE_MINUTES'] ?? 0);
  const begun = performance.now();
  const until = begun + (minutes > 0 ? minutes * 60_000 : BEGIN_MS);
  const playable = chosen.filter(({ editor }) => !editor.needs.some(({ program }) => missing.has(program)));
  const late: string[] = [];
  for (let seed = first; seed === first || (minutes > 0 && performance.now() < until); seed++) {
    const queue = shuffled(playable, seed);
    const worker = async (): Promise<void> => {
      for (let each = queue.shift(); each; each = queue.shift()) {
        if (performance.now() > until) {
          late.push(each.name);
          continue;
        }
        const row = await inTime(each, run(each, seed));
        if (isBad(row)) process.stderr.write(`\n${row.name} (--seed ${seed} --only '${row.name}'):\n${row.said.join('\n')}\n`);
        merge(rows, row, isBad(row) ? [seed] : []);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  }
  process.stdout.write(`${table([...rows.values()], [...missing.values()])}\nseed ${first}\n`);
  if (minutes === 0 && late.length > 0) process.stdout.write(`not played for want of time (TODONE_MINUTES=10 plays all): ${late.join('; ')}\n`);
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
