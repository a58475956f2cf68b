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

/** A tool was called whose server was not there yet. */
const UNHEARD = /unsupported call: mcp__|\bno_\w+_in_/;
const TRIES_MAX = 10;

/** These steps one after the other, by what the conversation holds already; the last one again and again. What was not heard is said again later. */
export const steps =
  (...all: readonly Step[]): Script =>
  (talk) => {
    const unheard = talk.results.filter((result) => UNHEARD.test(result)).length;
    if (unheard > 0 && unheard <= TRIES_MAX && UNHEARD.test(talk.results.at(-1) ?? '')) return READS_FIRST;
    return all[Math.min(talk.calls - 2 * unheard, all.length - 1)] ?? say('Done.');
  };

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

/** Variables with its own key that a client's tools were given, in words; some answer as JSON. */
export function keysIn(answer: string): string | undefined {
  const keys = [...new Set(answer.replaceAll(String.raw`\n`, '\n').match(/\b\w+_KEY\b|\bOPENCODE_CONFIG_CONTENT\b/g))];
  return keys.length === 0 ? undefined : `hands its own key to its tools (${keys.join(', ')})`;
}

/** Requests that the model heard in the agents' own phases, and how many beside them: whoever asks what, there are none of those. */
export function heardIn(ground: Ground, phases: readonly string[]): { readonly own: number; readonly beside: readonly string[] } {
  const talks = ground.model.log.filter(({ talk }) => talk !== undefined);
  const beside = talks.filter(({ phase }) => phase === undefined || !phases.includes(phase));
  return {
    own: talks.length - beside.length,
    beside: beside.map(({ url, phase, talk }) => `${url} in phase ${phase ?? 'none'}: ${talk?.raw.slice(0, 1500) ?? ''}`),
  };
}

/** The processes of this cell that there are two seconds after the end, by their commands. */
export async function leftIn(ground: Ground): Promise<readonly string[]> {
  await sleep(LEFT_MS);
  return ground.processes().map(({ command }) => command);
}

const LEFT_MS = 2000;

export const listOf = (each: Case): string => each.list ?? QUICK;
