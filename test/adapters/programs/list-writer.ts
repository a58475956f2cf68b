/** Writes a list flat out until it is killed: `node list-writer.ts <list> <state folder>`. Prints a line per write. */
import { systemClock } from '../../../src/adapters/clock.ts';
import { openTaskFile } from '../../../src/adapters/task-file.ts';
import { apply, mark } from '../list-scene.ts';

const [path = '', stateDir = ''] = process.argv.slice(2);
const file = openTaskFile({
  path,
  stateDir,
  maxListBytes: 1_000_000,
  apply,
  gitState: async () => ({ position: '', listIsCommitted: false }),
  clock: systemClock(),
  log: { write: () => undefined },
  random: Math.random,
});
for (let write = 0; ; write++) {
  await file.edit([write % 2 === 0 ? mark('x', 'in_progress', 'open', 'failed', 'in_progress') : mark('x', 'failed', 'in_progress')]);
  process.stdout.write('written\n');
}
