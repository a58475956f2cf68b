/**
 * Runs lives and prints one JSON line: `node test/simulation/run.ts [--lives 200] [--first 1] [--source <folder with src>]`.
 * With `--source` the rooms come from a copy, for planted faults; with `--stop` it ends at the first life with a fault;
 * with `--errands` sections' branches are synced and pushed; `--kind` is that of the lives.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Config } from '../../src/config.ts';
import { type Life, type LifeKind, live, type Rooms } from './life.ts';

const { values } = parseArgs({
  options: {
    lives: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    source: { type: 'string' },
    kind: { type: 'string', default: 'wide' },
    stop: { type: 'boolean', default: false },
    errands: { type: 'boolean', default: false },
  },
});
const source = values.source ?? path.join(import.meta.dirname, '..', '..');
const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(path.join(source, 'src', file)).href)) as Record<string, unknown>;
const config = (await load('config.ts')) as { readonly defaultConfig: Config };
const rooms = {
  ...(await load('engine/engine.ts')),
  ...(await load('tasks/edit.ts')),
  ...(await load('tasks/parse.ts')),
  config: {
    ...config.defaultConfig,
    claimAfter: 200,
    settle: 500,
    backoff: { first: 100, max: 1000 },
    handoff: 'auto',
    ...(values.errands ? { syncBase: 'onLand', onSectionDone: 'pr' } : {}),
  },
} as unknown as Rooms;

const first = Number(values.first);
const broken: Life[] = [];
let crashes = 0;
let commits = 0;
let steps = 0;
let lives = 0;
for (let seed = first; seed < first + Number(values.lives); seed++) {
  const life = await live(seed, rooms, values.kind as LifeKind);
  lives++;
  crashes += life.crashes;
  commits += life.commits;
  steps += life.steps;
  if (life.faults.length > 0) broken.push(life);
  if (values.stop && broken.length > 0) break;
}
process.stdout.write(`${JSON.stringify({ lives, crashes, commits, steps, broken: broken.slice(0, 20), brokenCount: broken.length })}\n`);
process.exit(broken.length > 0 ? 1 : 0);
