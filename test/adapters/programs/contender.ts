/**
 * Wants to own a list: `node contender.ts <state folder> <log>`. Takes over when it can, notes its beginning and its end in
 * the log (one short write each), and lets go after a moment; until its turns are over, or as long as it lives.
 */
import { appendFileSync } from 'node:fs';
import { awaitOwnership } from '../../../src/adapters/owner.ts';

const [stateDir = '', log = '', turns = '1', holdMs = '0'] = process.argv.slice(2);
for (let turn = 0; turn < Number(turns); turn++) {
  const owner = await awaitOwnership(stateDir, AbortSignal.timeout(60_000));
  appendFileSync(log, `begin ${process.pid} ${owner.term}\n`);
  await new Promise((resolve) => setTimeout(resolve, Number(holdMs)));
  appendFileSync(log, `end ${process.pid} ${owner.term}\n`);
  owner.release();
}
