/**
 * `npm run test:agents`: every client in every case, the real ones, against a scripted model on 127.0.0.1. Prints the matrix; fails where a cell
 * fails or a client cannot be installed. `--bounded` takes the cases that matter most, for every client; `--only claude,gemini` or `--only
 * claude/limit` takes a part; `TODONE_AGENTS_WITHOUT=claude,…` leaves clients out, and says so; `--keep` keeps the grounds of failed cells.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { type Case, heardIn, leftIn, listOf, OVERS } from './case-kit.ts';
import { CASES } from './cases.ts';
import { checkSideBySide, SIDE_BY_SIDE, sideBySide, sideBySideList } from './side-by-side.ts';
import { type Client, CLIENTS } from './clients.ts';
import { type Ground, makeGround } from './ground.ts';
import { install, type Installed, PACKAGES } from './install.ts';

type Cell = { readonly client: Client; readonly what: Case };
/** What a cell left over, in processes, and what the model heard in the agents' phases and beside them, in requests. */
type Counts = { left?: number; own?: number; beside?: number };
type Outcome = { readonly cell: Cell; readonly result: 'pass' | 'limit' | 'FAIL'; readonly words: string; readonly ms: number; readonly counts: Counts };

const AT_ONCE = 2;
/** A cell takes seconds; where the machine has much else to do, minutes. */
const CELL_MS = 600_000;

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, keep: { type: 'boolean', default: false }, bounded: { type: 'boolean', default: false }, jobs: { type: 'string' } },
});
const without = new Set((process.env['TODONE_AGENTS_WITHOUT'] ?? '').split(',').filter((name) => name !== ''));

const open = new Set<Ground>();
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopping = true;
    void Promise.all([...open].map((ground) => ground.close(false))).finally(() => process.exit(130));
  });

async function main(): Promise<number> {
  const begun = Date.now();
  const clients = CLIENTS.filter(({ name }) => !without.has(name) && wanted(name));
  for (const name of without) console.log(`${name}: left out by TODONE_AGENTS_WITHOUT`);
  const installed = new Map<string, Installed>();
  for (const name of new Set(clients.flatMap(({ needs }) => needs))) {
    const found = await install(name);
    installed.set(name, found);
    console.log('problem' in found ? `${name}: ${found.problem}` : `${name} ${found.version}`);
  }
  const binsOf = (client: Client): string[] | undefined => {
    const found = client.needs.map((name) => installed.get(name));
    return found.every((each) => each !== undefined && 'bin' in each) ? found.flatMap((each) => (each && 'bin' in each ? [each.bin] : [])) : undefined;
  };
  const missing = clients.filter((client) => !binsOf(client));
  const cells = clients.flatMap((client) =>
    binsOf(client) ? CASES.filter(({ name, bounded }) => wanted(client.name, name) && (bounded ?? !options.bounded)).map((what) => ({ client, what })) : [],
  );
  const outcomes = await all(cells, async (cell) => {
    const outcome = await runCell(cell, binsOf(cell.client) ?? []);
    console.log(
      `${outcome.result.padEnd(5)} ${cell.client.name} ${cell.what.name} ${(outcome.ms / 1000).toFixed(1)} s${outcome.words === '' ? '' : `: ${outcome.words}`}`,
    );
    return outcome;
  });
  print(clients, outcomes, missing);
  const together = options.only === undefined || options.only.includes(SIDE_BY_SIDE) ? await runSideBySide() : undefined;
  const results = [...outcomes.map(({ result }) => result), ...(together ? [together] : [])];
  const failed = results.filter((result) => result === 'FAIL').length + missing.length;
  console.log(`\n${results.length - failed + missing.length} passed, ${failed} failed in ${Math.round((Date.now() - begun) / 1000)} s`);
  return failed === 0 && results.length > 0 ? 0 : 1;
}

/** `--only client`, `client/case` or `/case`, several by commas. */
function wanted(client: string, name?: string): boolean {
  if (options.only === undefined) return true;
  return options.only.split(',').some((each) => {
    const [one = '', two] = each.split('/');
    return (one === '' || one === client) && (name === undefined || two === undefined || two === name);
  });
}

async function runCell(cell: Cell, bins: readonly string[]): Promise<Outcome> {
  const { client, what } = cell;
  const begun = Date.now();
  const ground = await makeGround({
    name: `${client.name}-${what.name}`,
    clients: [client],
    bins,
    list: listOf(what),
    config: what.config ?? {},
    env: { ...what.env, ...client.caseEnv?.[what.name] },
    script: what.script(client),
  });
  open.add(ground);
  let failed = true;
  const counts: Counts = {};
  try {
    const limit = await within(CELL_MS, what.check(ground, client));
    await nothingLeft(ground, counts);
    await within(CELL_MS, what.after?.(ground) ?? Promise.resolve());
    controlCostsNothing(ground, what.phases ?? ['implement'], counts);
    failed = false;
    return { cell, result: limit === undefined ? 'pass' : 'limit', words: limit ?? '', ms: Date.now() - begun, counts };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const asked = ground.model.log.map(
      ({ url, phase, step, talk }) => `${url} ${phase ?? '-'} → ${step?.kind ?? '-'}, last result: ${talk?.results.at(-1)?.slice(0, 200) ?? '-'}`,
    );
    return { cell, result: 'FAIL', words: `${words}\n  the model heard:\n    ${asked.join('\n    ') || 'nothing'}`, ms: Date.now() - begun, counts };
  } finally {
    await ground.close(failed && options.keep);
    open.delete(ground);
  }
}

async function nothingLeft(ground: Ground, counts: Counts): Promise<void> {
  const left = await leftIn(ground);
  counts.left = left.length;
  assert.deepEqual(left, [], 'processes are left over');
}

/** The model's log holds only the agents' own phases. */
function controlCostsNothing(ground: Ground, phases: readonly string[], counts: Counts): void {
  const { own, beside } = heardIn(ground, phases);
  Object.assign(counts, { own, beside: beside.length });
  assert.deepEqual(beside, [], "the model heard of more than the agents' own phases");
}

/** One list with a task for each headless client, landing on two branches. */
async function runSideBySide(): Promise<'pass' | 'FAIL'> {
  const four = CLIENTS.filter(({ name, agent }) => agent.client !== 'acp' && !without.has(name));
  const bins = (await Promise.all(four.flatMap(({ needs }) => needs).map(install))).flatMap((found) => ('bin' in found ? [found.bin] : []));
  const ground = await makeGround({ name: SIDE_BY_SIDE, clients: four, bins, list: sideBySideList(four), config: { maxAgents: 4 }, script: sideBySide });
  open.add(ground);
  const begun = Date.now();
  try {
    await within(CELL_MS, checkSideBySide(ground, four));
    const counts: Counts = {};
    await nothingLeft(ground, counts);
    controlCostsNothing(ground, ['implement'], counts);
    console.log(`\npass  ${SIDE_BY_SIDE}: ${four.map(({ name }) => name).join(', ')} on two branches, ${Math.round((Date.now() - begun) / 1000)} s`);
    return 'pass';
  } catch (error) {
    console.log(`\nFAIL  ${SIDE_BY_SIDE}: ${error instanceof Error ? error.message : String(error)}`);
    return 'FAIL';
  } finally {
    await ground.close(false);
    open.delete(ground);
  }
}

/** A cell that hangs is one that fails. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !stopping) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs ?? AT_ONCE) }, worker));
  return results;
}

function print(clients: readonly Client[], outcomes: readonly Outcome[], missing: readonly Client[]): void {
  const names = CASES.map(({ name }) => name).filter((name) => outcomes.some(({ cell }) => cell.what.name === name));
  const width = Math.max(...clients.map(({ name }) => name.length), 6);
  const columns = names.map((name) => Math.max(name.length, 5));
  console.log(`\n${''.padEnd(width)}  ${names.map((name, at) => name.padEnd(columns[at] ?? 5)).join('  ')}`);
  for (const client of clients) {
    const row = names.map((name, at) => {
      const found = outcomes.find(({ cell }) => cell.client === client && cell.what.name === name);
      return (found?.result ?? (missing.includes(client) ? 'gone' : '-')).padEnd(columns[at] ?? 5);
    });
    console.log(`${client.name.padEnd(width)}  ${row.join('  ')}`);
  }
  printCounts(clients, outcomes);
  const limits = outcomes.filter(({ result }) => result === 'limit');
  if (limits.length > 0) console.log('\nlimits of the clients themselves:');
  for (const { cell, words } of limits) console.log(`  ${cell.client.name} ${versionsOf(cell.client)}, ${cell.what.name}: ${words}`);
}

/** A row for each client: processes two seconds after its runs were over, by the way in which they were, and what its model heard. */
function printCounts(clients: readonly Client[], outcomes: readonly Outcome[]): void {
  const rows = clients.map((client) => {
    const own = outcomes.filter(({ cell }) => cell.client === client);
    const left = OVERS.map((over) => {
      const counted = own.filter(({ cell, counts }) => (cell.what.over ?? 'end') === over && counts.left !== undefined);
      return `${sumOf(counted.map(({ counts }) => counts.left))} of ${counted.length} runs`;
    });
    return [client.name, ...left, String(sumOf(own.map(({ counts }) => counts.own))), String(sumOf(own.map(({ counts }) => counts.beside)))];
  });
  const table = [['', ...OVERS, 'asked in phases', 'asked beside'], ...rows];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0))) ?? [];
  console.log('\nprocesses left 2 s after a run was over, by how it was; requests to the model in the phases of agents and beside them:');
  for (const row of table) console.log(row.map((text, at) => text.padEnd(widths[at] ?? 0)).join('  '));
}

const sumOf = (numbers: readonly (number | undefined)[]): number => numbers.reduce<number>((sum, number) => sum + (number ?? 0), 0);

const versionsOf = ({ needs }: Client): string => needs.map((name) => PACKAGES[name]?.version ?? '?').join(', ');

process.exitCode = await main();
