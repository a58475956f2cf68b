/**
 * What the cases of the matrix are made of: scripts of the model, and what every one of them looks at in the end.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INPUT_TOKENS, OUTPUT_TOKENS } from '../model/dialects.ts';
import { mcp, say, shell, type Step } from '../model/talk.ts';
import type { Script } from '../model/server.ts';
import type { Client } from './clients.ts';
import { type Ground, sleep } from './ground.ts';

/** The four ways in which a run is over. */
export const OVERS = ['end', 'stop', 'time-out', 'daemon killed'] as const;
export type Over = (typeof OVERS)[number];

export type Case = {
  readonly name: string;
  readonly list?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly phases?: readonly string[];
  script(client: Client): Script;
  /** How its last phase is brought to its end, for the count of what is left over; default `end`. */
  readonly over?: Over;
  /** Also in the bounded form. */
  readonly bounded?: true;
  /** Gives the client's own limit, if that is all that kept it from passing. */
  check(ground: Ground, client: Client): Promise<string | undefined>;
  /** After the count of what was left over. */
  readonly after?: (ground: Ground) => Promise<void>;
};

export const TITLE = 'Do the work';
export const QUICK = `## Git Worktree work\n[] ${TITLE} {quick}\n`;
export const WORK = shell('echo work > work.txt');
/** Some begin before their tool servers are there; nobody reports first of all. */
export const READS_FIRST = shell('sleep 3; ls');
export const REPORT = mcp('report', { outcome: 'done', summary: 'It works.', commitMessage: 'Say what it does\n\nBecause it was asked for.' });

/** These steps one after the other, by what the conversation holds already; the last one again and again. */
export const steps =
  (...all: readonly Step[]): Script =>
  (talk) =>
    all[Math.min(talk.calls, all.length - 1)] ?? say('Done.');

/** For the first requests something else. */
export const first =
  (count: number, step: Step, then: Script): Script =>
  (talk, phase, nth) =>
    nth < count ? step : then(talk, phase, nth);

export async function once(ground: Ground): Promise<{ readonly code: number | null; readonly said: string }> {
  const ended = await ground.run().ended;
  return ended;
}

export async function landed(ground: Ground, files: readonly string[] = ['work.txt']): Promise<void> {
  const ran = await once(ground);
  assert.match(ground.marker(TITLE), /^\[✅/u, `the task did not land:\n${ground.list()}\n${ran.said}`);
  for (const file of files) assert.ok(ground.git('ls-tree', '-r', '--name-only', 'todone/work').split('\n').includes(file), `${file} did not land`);
  assert.equal(ground.git('rev-list', '--count', 'main..todone/work').trim(), '1');
}

/** What clients count over a whole session is counted once. */
export function usageOnce(ground: Ground): void {
  const requests = ground.model.asked().length;
  const used = ground.ends().reduce((sum, end) => sum + (end.found.usage?.inputTokens ?? 0), 0);
  assert.equal(used, requests * INPUT_TOKENS, `tokens read: ${requests} requests of ${INPUT_TOKENS}`);
  const written = ground.ends().reduce((sum, end) => sum + (end.found.usage?.outputTokens ?? 0), 0);
  assert.equal(written, requests * OUTPUT_TOKENS, `tokens written: ${requests} requests of ${OUTPUT_TOKENS}`);
}

/** Where these words are to be found: any file of the repository, its git folder with journal and logs included, or any object of git. */
export function hitsOf(ground: Ground, words: string): string[] {
  const files = readdirSync(ground.top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => readFileSync(path).includes(words));
  const objects = ground.git('cat-file', '--batch-all-objects', '--batch', '--unordered');
  return [...files, ...(objects.includes(words) ? ['an object of git'] : [])];
}

/** Whoever asks, the model heard of nothing but the agents' own phases. */
export function controlCostsNothing(ground: Ground, phases: readonly string[], client: Client): void {
  for (const { phase, talk, url } of ground.model.log)
    if (talk && (talk.tools.length > 0 || client.limits['asks'] === undefined))
      assert.ok(
        phase !== undefined && phases.includes(phase),
        `${url}, in phase ${phase ?? 'none'}: the model heard of more than the agents' own phases: ${talk.raw.slice(0, 1500)}`,
      );
}

/** How many processes of this cell there are two seconds after the end; fails where they have not gone by themselves long after. */
export async function countLeft(ground: Ground): Promise<number> {
  await sleep(LEFT_MS);
  const count = ground.processes().length;
  for (let waited = 0; waited < GONE_MS_MAX && ground.processes().length > 0; waited += 200) await sleep(200);
  assert.deepEqual(
    ground.processes().map(({ command }) => command),
    [],
    'processes are left over',
  );
  return count;
}

const LEFT_MS = 2000;
const GONE_MS_MAX = 20_000;

export const listOf = (each: Case): string => each.list ?? QUICK;
