/**
 * `npm run test:agents`: every client in every case, the real ones, against a scripted model on 127.0.0.1. Prints the matrix; fails where a cell
 * fails or a client cannot be installed. `--bounded` takes the cases that matter most, for every client; `--only claude,gemini` or `--only
 * claude/limit` takes a part; `TODONE_AGENTS_WITHOUT=claude,…` leaves clients out, and says so; `--keep` keeps the grounds of failed cells.
 */
import { parseArgs } from 'node:util';
import { type Case, controlCostsNothing, countLeft, listOf, OVERS } from './case-kit.ts';
import { CASES } from './cases.ts';
import { checkSideBySide, SIDE_BY_SIDE, sideBySide, sideBySideList } from './side-by-side.ts';
import { type Client, CLIENTS } from './clients.ts';
import { type Ground, makeGround } from './ground.ts';
import { install, type Installed, PACKAGES } from './install.ts';

type Cell = { readonly client: Client; readonly what: Case };
type Outcome = { readonly cell: Cell; readonly result: 'pass' | 'limit' | 'FAIL'; readonly words: string; readonly ms: number; readonly left?: number };

const AT_ONCE = 2;
const CELL_MS = 300_000;

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
  try {
    const limit = await within(CELL_MS, what.check(ground, client));
    const left = await countLeft(ground);
    await within(CELL_MS, what.after?.(ground) ?? Promise.resolve());
    controlCostsNothing(ground, what.phases ?? ['implement'], client);
    failed = false;
    return { cell, result: limit === undefined ? 'pass' : 'limit', words: limit ?? '', ms: Date.now() - begun, left };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const asked = ground.model.log.map(
      ({ url, phase, step, talk }) => `${url} ${phase ?? '-'} → ${step?.kind ?? '-'}, last result: ${talk?.results.at(-1)?.slice(0, 200) ?? '-'}`,
    );
    return { cell, result: 'FAIL', words: `${words}\n  the model heard:\n    ${asked.join('\n    ') || 'nothing'}`, ms: Date.now() - begun };
  } finally {
    await ground.close(failed && options.keep);
    open.delete(ground);
  }
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
    await countLeft(ground);
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
  printLeft(clients, outcomes);
  const limits = outcomes.filter(({ result }) => result === 'limit');
  if (limits.length > 0) console.log('\nlimits of the clients themselves:');
  for (const { cell, words } of limits) console.log(`  ${cell.client.name} ${versionsOf(cell.client)}, ${cell.what.name}: ${words}`);
}

/** Processes of each client two seconds after its runs were over, by the way in which they were. */
function printLeft(clients: readonly Client[], outcomes: readonly Outcome[]): void {
  console.log('\nprocesses left 2 s after a run was over (runs):');
  for (const client of clients) {
    const counts = OVERS.map((over) => {
      const counted = outcomes.filter(({ cell, left }) => cell.client === client && (cell.what.over ?? 'end') === over && left !== undefined);
      return `${over} ${counted.reduce((sum, { left }) => sum + (left ?? 0), 0)} (${counted.length})`;
    });
    console.log(`  ${client.name}: ${counts.join(', ')}`);
  }
}

const versionsOf = ({ needs }: Client): string => needs.map((name) => PACKAGES[name]?.version ?? '?').join(', ');

process.exitCode = await main();
