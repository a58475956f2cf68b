/** Holds the lock of a list until it is ended: `node lock-holder.ts <list> <state folder>`. Prints a line when it has it. */
import { openListLock } from '../../../src/adapters/list-lock.ts';

const [list = '', stateDir = ''] = process.argv.slice(2);
await openListLock({ stateDir, log: { write: () => undefined }, random: Math.random }).hold(list, async () => {
  process.stdout.write('held\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
