/** The test of the tests: with a fault planted in a copy of the source, the campaign that is there for it has to find something. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Campaign, type Chaos, sample } from './campaign.ts';
import { PLANTED, type Planted } from './planted.ts';
import { newRow, note, type Row } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** With another seed each time. */
const TRIES = 3;

export const planted: Campaign = {
  name: 'planted',
  needsStrace: true,
  async run(chaos) {
    const rows: Row[] = [];
    const faults = PLANTED.filter(({ name }) => chaos.only.test(name));
    for (const fault of sample(faults, chaos.share === undefined ? undefined : Math.ceil(2 * chaos.share), chaos.random)) {
      if (performance.now() > chaos.until() && rows.length > 0) break;
      rows.push(await find(chaos, fault));
    }
    return rows;
  },
};

async function find(chaos: Chaos, fault: Planted): Promise<Row> {
  const row = newRow('planted', `found: ${fault.name}`);
  const copy = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    for (const name of ['src', 'test', 'prompts', 'package.json']) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const file = join(copy, fault.file);
    const parts = readFileSync(file, 'utf8').split(fault.from);
    if (parts.length !== 2) throw new Error(`${fault.file} has what is to be replaced ${parts.length - 1} times`);
    writeFileSync(file, parts.join(fault.to));
    for (let tries = 1; tries <= TRIES; tries++) {
      const seen = await campaignIn(copy, [...fault.seenBy, '--seed', String(chaos.seed + tries)]);
      if (!seen) continue;
      note(row, '', []);
      chaos.say(`"${fault.name}" is seen: ${seen}`);
      return row;
    }
    note(row, `seeds ${chaos.seed + 1} to ${chaos.seed + TRIES}`, [{ kind: 'untrue', what: `${fault.seenBy.join(' ')} does not see it` }]);
    return row;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The first thing that it finds; undefined where it finds nothing. */
async function campaignIn(copy: string, args: readonly string[]): Promise<string | undefined> {
  const { TODONE_MINUTES: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(copy, 'test', 'chaos', 'chaos.ts'), '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code === 0) return undefined;
  if (code !== 1) throw new Error(`the campaign ended with ${String(code)}: ${err.slice(-500)}`);
  const { rows } = JSON.parse(out) as { readonly rows: readonly Row[] };
  return rows.flatMap((row) => row.faults)[0]?.slice(0, 200) ?? 'a table that is not zero';
}
