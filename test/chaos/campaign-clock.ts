/** A clock that is moved while daemons work, both ways and by much: everything ends as if it had not been, and in the time that it takes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, type Chaos, rounds } from './campaign.ts';
import { kill, makeLife, untilAwake } from './life.ts';
import { newRow, note, type Row } from './table.ts';

const PRELOAD = join(import.meta.dirname, 'programs', 'wrong-clock.mjs');
const DAY_MS = 86_400_000;

const JUMPS: readonly (readonly [name: string, offs: readonly number[]])[] = [
  ['an hour ahead', [0, 3_600_000]],
  ['a day back', [0, -DAY_MS]],
  ['two days ahead and back again', [0, 2 * DAY_MS, 0]],
  ['back and forth', [DAY_MS, -DAY_MS, DAY_MS, -DAY_MS]],
  ['ahead before the first start, right at the next one', [30 * DAY_MS, 0]],
];

export const clock: Campaign = {
  name: 'clock',
  async run(chaos) {
    const matching = JUMPS.filter(([name]) => chaos.only.test(name));
    const jumps = rounds(matching, chaos.share === undefined ? undefined : Math.ceil(2 * chaos.share), chaos.random);
    const rows = new Map(jumps.map((jump) => [jump, newRow('clock', jump[0])]));
    do {
      for (const jump of jumps) if (performance.now() < chaos.until()) await liveOnce(chaos, jump[1], rows.get(jump) as Row);
    } while (chaos.share === undefined && performance.now() < chaos.until());
    return [...rows.values()];
  },
};

/** One task fails to be set up at first, so that something waits while the clock is moved. */
async function liveOnce(chaos: Chaos, offs: readonly number[], row: Row): Promise<void> {
  const life = makeLife({ tasks: 2, workMs: 300 });
  const file = join(life.top, '..', 'clock');
  const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CHAOS_CLOCK: file };
  try {
    const blocker = life.busyBranch();
    for (const [at, off] of offs.entries()) {
      writeFileSync(file, String(off));
      const daemon = life.start([], env);
      await untilAwake(daemon);
      await sleep(700 + chaos.random() * 600);
      life.edit('in place', chaos.random);
      writeFileSync(file, String(offs[at + 1] ?? off));
      await sleep(300 + chaos.random() * 600);
      if (at === offs.length - 1) blocker.free();
      kill(daemon.pid, 'SIGKILL');
      await daemon.ended;
    }
    note(row, `seed ${chaos.seed}`, await life.rest({ env }));
  } finally {
    life.end();
  }
}
