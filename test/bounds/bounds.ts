/**
 * `npm run test:bounds`: memory, open files, logs, versions and queues against tasks, bytes and writes, on the real thing; printed as
 * curves, and held to their bounds. Bounded to about a minute; `TODONE_BOUNDS=long` goes to gigabytes and hours' worth of runs.
 */
import { join } from 'node:path';
import { agentOutput } from './agent-output.ts';
import { daemonLog, listVersions } from './files.ts';
import { manyRuns, manyTasks } from './daemon.ts';
import { show, type Measured } from './curve.ts';

const LONG = process.env['TODONE_BOUNDS'] === 'long';
const ROOT = join(import.meta.dirname, '..', '..');

const MEASURES: readonly (() => Promise<Measured>)[] = [
  () => manyTasks(ROOT, LONG ? [1_000, 10_000, 30_000, 100_000, 200_000] : [1_000, 20_000, 100_000]),
  () => agentOutput(ROOT, LONG ? 8_000 : 400),
  () => manyRuns(ROOT, LONG ? 1_000 : 24),
  () => daemonLog(LONG ? 1_000_000 : 60_000),
  () => listVersions(LONG ? 5_000 : 400),
];

let failed = 0;
for (const measure of MEASURES) {
  const began = performance.now();
  const measured = await measure();
  console.log(show(measured, performance.now() - began));
  failed += measured.broken.length;
}
console.log(failed === 0 ? 'every curve keeps to its bound' : `${failed} bounds are broken`);
process.exitCode = failed === 0 ? 0 : 1;
