/** One list with a task for each of several clients, on two branches, all at once. */
import assert from 'node:assert/strict';
import type { Script } from '../model/server.ts';
import { say, shell } from '../model/talk.ts';
import type { Client } from './clients.ts';
import { type Ground, markerIn } from './ground.ts';

export const SIDE_BY_SIDE = 'side-by-side';

const titleOf = (client: Client): string => `Write the file of ${client.name}`;

function halvesOf(clients: readonly Client[]): readonly (readonly Client[])[] {
  const half = Math.ceil(clients.length / 2);
  return [clients.slice(0, half), clients.slice(half)];
}

export function sideBySideList(clients: readonly Client[]): string {
  const lineOf = (client: Client): string => `[] ${titleOf(client)} {${client.name}} {quick}\n  files: ${client.name}.txt\n`;
  return halvesOf(clients)
    .map((part, at) => `## Git Worktree branch-${at + 1}\n${part.map(lineOf).join('')}\n`)
    .join('');
}

export const sideBySide: Script = (talk) => {
  const name = /Write the file of ([a-z]+)/.exec(talk.prompt)?.[1] ?? 'nobody';
  return talk.calls === 0 ? shell(`echo ${name} > ${name}.txt`) : say('Written.');
};

export async function checkSideBySide(ground: Ground, clients: readonly Client[]): Promise<void> {
  const { said } = await ground.run().ended;
  for (const client of clients) assert.match(markerIn(ground.list(), titleOf(client)), /^\[✅/u, `${ground.list()}\n${said}`);
  for (const [at, part] of halvesOf(clients).entries()) {
    const files = ground
      .git('ls-tree', '--name-only', `todone/branch-${at + 1}`)
      .trim()
      .split('\n');
    assert.deepEqual(
      files.filter((name) => name.endsWith('.txt')),
      part.map(({ name }) => `${name}.txt`).toSorted(),
      `what landed on branch-${at + 1}`,
    );
  }
  const agents = ground
    .git('log', '--branches=todone/*', '--format=%(trailers:key=ToDone-Agent,valueonly)')
    .split('\n')
    .map((line) => line.split('/')[0]);
  for (const { name } of clients) assert.ok(agents.includes(name), `no commit names ${name}`);
}
