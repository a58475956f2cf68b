/**
 * `npm run bench`: ratios in one run (11-R1). `-- --quick` is a short version, `-- --only save|batch|lanes|commands|ready|repos` one part. Exits 1 if an
 * outcome is wrong, never because something was slow.
 */
import { parseArgs } from 'node:util';
import { batch } from './batch.ts';
import { lanes } from './lanes.ts';
import { commands } from './commands.ts';
import { type Figure, table } from './figures.ts';
import { ready } from './ready.ts';
import { saveToClaim } from './save-to-claim.ts';
import { repos } from './repos.ts';
import { cleanUp } from './scene.ts';

const PARTS: Readonly<Record<string, (quick: boolean) => Figure[] | Promise<Figure[]>>> = { save: saveToClaim, batch, lanes, commands, ready, repos };

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } });
const figures: Figure[] = [];
try {
  for (const [name, measure] of Object.entries(PARTS)) {
    if (values.only !== undefined && values.only !== name) continue;
    process.stderr.write(`${name} …\n`);
    figures.push(...(await measure(values.quick)));
  }
} catch (error) {
  process.stderr.write(`wrong: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  cleanUp();
}
process.stdout.write(`${table(figures)}\n`);
