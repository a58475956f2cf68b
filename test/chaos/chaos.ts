/**
 * `npm run test:chaos [-- --only <campaign>] [--case <pattern>] [--seed n] [--minutes n] [--from n] [--stop] [--json]`: faults of every
 * kind, and one table that has to be zero. Bounded to a few minutes and always the same sample; `--minutes` (or TODONE_MINUTES) gives
 * it as many, with every call instead of a sample and another seed each time; `--from` goes on with a sweep that did not come to its
 * end, `--stop` ends at the first fault. Says what could not run here, which is a failure unless it is excused.
 */
import { parseArgs } from 'node:util';
import { type Campaign, type Chaos, generator, messageOf } from './campaign.ts';
import { errors, kills } from './campaign-calls.ts';
import { clock } from './campaign-clock.ts';
import { hand } from './campaign-hand.ts';
import { owner } from './campaign-owner.ts';
import { planted } from './campaign-planted.ts';
import { random } from './campaign-random.ts';
import { missingTools } from '../editors/install.ts';
import { straceTrouble } from './strace.ts';
import { faultsSoFar, isClean, newRow, note, type Row, tableOf } from './table.ts';

/** The bounded form begins nothing new after this; a case that has begun is brought to its end. */
const BOUNDED_MS = 200_000;
/** Each campaign has at least this. */
const LEAST_MS = 15_000;

const CAMPAIGNS: readonly Campaign[] = [kills, errors, random, hand, clock, owner, planted];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seed: { type: 'string' },
    share: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string', default: '0' },
    case: { type: 'string', default: '' },
    stop: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const wanted = values.minutes ?? process.env['TODONE_MINUTES'];
const minutes = wanted === undefined ? undefined : Number(wanted);
const seed = values.seed === undefined ? (minutes === undefined ? 1 : Math.floor(Math.random() * 1e9)) : Number(values.seed);
const chosen = CAMPAIGNS.filter(({ name }) => values.only === undefined || values.only.includes(name));
const figures: [string, string][] = [];
const rows: Row[] = [];
if (straceTrouble() !== undefined) await missingTools([{ program: 'strace', debian: 'strace' }]);
const noStrace = straceTrouble();
/** Said for a machine that cannot have it. */
const mayMiss = process.env['TODONE_NO_STRACE'] !== undefined;

if (chosen.length === 0) throw new Error(`no such campaign; there are ${CAMPAIGNS.map(({ name }) => name).join(', ')}`);
const begun = performance.now();
const wholeMs = minutes === undefined ? BOUNDED_MS * Math.max(1, Number(values.share ?? '1')) : minutes * 60_000;
for (const [at, campaign] of chosen.entries()) {
  const since = performance.now();
  if (campaign.needsStrace && noStrace !== undefined) {
    console.error(`${campaign.name}: not here: ${noStrace}${mayMiss ? '' : ' (apt-get install strace; or say so with TODONE_NO_STRACE=1)'}`);
    const row = newRow(campaign.name, 'not here');
    if (!mayMiss) note(row, 'strace', [{ kind: 'untrue', what: noStrace }]);
    rows.push(row);
    continue;
  }
  const chaos: Chaos = {
    seed,
    random: generator(seed),
    share: minutes === undefined ? Number(values.share ?? '1') : undefined,
    // What one campaign leaves of its time is the next one's. On a slow machine less is done, and what was not is said.
    until: () => (values.stop && faultsSoFar() > 0 ? 0 : Math.max(begun + (wholeMs * (at + 1)) / chosen.length, since + LEAST_MS)),
    noStrace,
    from: Number(values.from),
    only: new RegExp(values.case),
    say: (line) => console.error(`${campaign.name}: ${line}`),
    figure: (name, value) => void figures.push([name, value]),
  };
  try {
    rows.push(...(await campaign.run(chaos)));
  } catch (error) {
    const row = newRow(campaign.name, 'the campaign itself');
    note(row, `seed ${seed}`, [{ kind: 'untrue', what: messageOf(error) }]);
    rows.push(row);
  }
  console.error(`${campaign.name}: ${Math.round((performance.now() - since) / 100) / 10} s`);
}

const notReached = rows.filter((row) => row.runs === 0 && rows.some((other) => other.campaign === row.campaign && other.runs > 0));
const reached = rows.filter((row) => !notReached.includes(row));
const faults = rows.flatMap((row) => row.faults);
if (values.json) console.log(JSON.stringify({ seed, rows, figures }));
else {
  console.log(tableOf(reached));
  for (const { campaign, name } of notReached) console.log(`not reached in the time: ${campaign}: ${name}`);
  for (const [name, value] of figures) console.log(`${name}: ${value}`);
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(`seed ${seed}: npm run test:chaos -- --seed ${seed}${values.only ? values.only.map((name) => ` --only ${name}`).join('') : ''}`);
}
process.exit(reached.length > 0 && reached.every((row) => isClean(row) || (row.name === 'not here' && mayMiss)) ? 0 : 1);
