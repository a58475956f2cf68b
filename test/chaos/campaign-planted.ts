/** The test of the tests: with a fault planted in a copy of the source, the campaign that is there for it has to find something. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Campaign, type Chaos, sample } from './campaign.ts';
import { PLANTED, type Planted, type Simulated } from './planted.ts';
import { newRow, note, type Row } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** With another seed each time. */
const TRIES = 6;
/** Of the simulation. */
const LIVES = 1500;

export const planted: Campaign = {
  name: 'planted',
  needsStrace: true,
  async run(chaos) {
    const rows: Row[] = [];
    const whole = chaos.share === undefined;
    const matching = PLANTED.filter(({ name }) => chaos.only.test(name));
    // `npm run test:simulation` plants its own each time.
    const faults = whole || chaos.only.source !== '(?:)' ? matching : matching.filter(({ seenBy }) => Array.isArray(seenBy));
    for (const fault of sample(faults, whole ? undefined : Math.ceil(2 * (chaos.share ?? 1)), chaos.random)) {
      if (performance.now() > chaos.until() && rows.length > 0) break;
      rows.push(await find(chaos, fault));
    }
    if (whole) rows.push(...(await unplanted(chaos)));
    for (const about of new Set(PLANTED.map((fault) => fault.about))) {
      const of = PLANTED.filter((fault) => fault.about === about);
      const simulated = of.filter(({ seenBy }) => 'first' in seenBy).length;
      chaos.figure(`planted faults in ${about}`, `${of.length} (${of.length - simulated} for the chaos campaigns, ${simulated} for the simulation)`);
    }
    return rows;
  },
};

const finder = ({ seenBy }: Planted): string => ('first' in seenBy ? 'simulation' : (seenBy[1] ?? ''));

/** What finds the planted faults finds nothing where none is planted. */
async function unplanted(chaos: Chaos): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const searches = new Map(PLANTED.flatMap(({ seenBy }) => ('first' in seenBy || !chaos.only.test('unplanted') ? [] : [[seenBy.join(' '), seenBy] as const])));
  for (const [words, args] of searches) {
    if (performance.now() > chaos.until()) break;
    const row = newRow('planted', `nothing planted: ${words}`);
    const seen = await campaignIn(ROOT, [...args, '--seed', String(chaos.seed + 1)]);
    note(row, `seed ${chaos.seed + 1}`, seen === undefined ? [] : [{ kind: 'untrue', what: seen }]);
    rows.push(row);
  }
  return rows;
}

async function find(chaos: Chaos, fault: Planted): Promise<Row> {
  const row = newRow('planted', `found by ${finder(fault)}: ${fault.name}`);
  const copy = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    for (const name of ['src', 'test', 'prompts', 'package.json']) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const file = join(copy, fault.file);
    const parts = readFileSync(file, 'utf8').split(fault.from);
    if (parts.length !== 2) throw new Error(`${fault.file} has what is to be replaced ${parts.length - 1} times`);
    writeFileSync(file, parts.join(fault.to));
    for (let tries = 1; tries <= TRIES; tries++) {
      const { seenBy } = fault;
      const seen = 'first' in seenBy ? await simulationIn(copy, seenBy) : await campaignIn(copy, [...seenBy, '--seed', String(chaos.seed + tries)]);
      if (seen === undefined) continue;
      note(row, '', []);
      chaos.say(`"${fault.name}" is seen: ${seen}`);
      return row;
    }
    note(row, `seeds ${chaos.seed + 1} to ${chaos.seed + TRIES}`, [{ kind: 'untrue', what: `${finder(fault)} does not see it` }]);
    return row;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The first thing that it finds; undefined where it finds nothing. */
async function campaignIn(root: string, args: readonly string[]): Promise<string | undefined> {
  const { out, err, code } = await runIn(join(root, 'test', 'chaos', 'chaos.ts'), ['--json', '--stop', ...args]);
  if (code === 0) return undefined;
  if (code !== 1) throw new Error(`the campaign ended with ${String(code)}: ${err.slice(-500)}`);
  const { rows } = JSON.parse(out) as { readonly rows: readonly Row[] };
  const [first] = rows.flatMap((row) => row.faults);
  if (first === undefined) throw new Error(`the campaign reached nothing: ${err.slice(-500)}`);
  return first.slice(0, 200);
}

async function simulationIn(root: string, { first, kind }: Simulated): Promise<string | undefined> {
  const { out, err, code } = await runIn(join(root, 'test', 'simulation', 'run.ts'), [
    '--lives',
    String(LIVES),
    '--first',
    String(first),
    '--kind',
    kind,
    '--stop',
  ]);
  if (code !== 0 && code !== 1) throw new Error(`the simulation ended with ${String(code)}: ${err.slice(-500)}`);
  const { broken } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { readonly broken: readonly unknown[] };
  return broken.length === 0 ? undefined : JSON.stringify(broken[0]).slice(0, 200);
}

async function runIn(program: string, args: readonly string[]): Promise<{ readonly out: string; readonly err: string; readonly code: unknown }> {
  const { TODONE_MINUTES: _, ...env } = process.env;
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { out, err, code };
}
