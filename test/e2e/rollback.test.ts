/**
 * git moves the list between two steps of a run (1.4-R7): whatever it does, each task is done once, by one run, the markers come
 * right, and nothing that waits for approval starts. `TODONE_ROLLBACKS=all` tries every operation at every step.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, markerOf, removeRepos, sleep, start } from './kit.ts';

const folders: string[] = [];
afterEach(() => {
  removeRepos();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Where the run stands when git comes: which gate it waits at. */
const STEPS = ['plan', 'implement', 'update', 'verify', 'settled'] as const;
type Step = (typeof STEPS)[number];

const OLD = '## Git Worktree a\n[] one\n\n## Git Worktree later\n[] secret\n';
const LIST = '## Git Worktree a\n[] one\n[] two\n\n## Git Worktree later {approval}\n[] secret\n';

type Scene = { readonly top: string; readonly gates: string };

/** git as a person uses it; the daemon writes at the same time, so that it may have to be said twice. */
function tryGit(top: string, ...args: string[]): boolean {
  for (let left = 5; left > 0; left--) {
    try {
      git(top, ...args);
      return true;
    } catch (error) {
      if (!/index\.lock|would be overwritten|local changes|unstaged changes/i.test(String(error))) return false;
    }
  }
  return false;
}

const commitList = (top: string): boolean => tryGit(top, 'commit', '-qam', 'The list as it is');

const OPERATIONS: Readonly<Record<string, (top: string) => Promise<void>>> = {
  'checkout --': async (top) => void tryGit(top, 'checkout', '--', 'tasks.md'),
  'checkout older and back': async (top) => {
    tryGit(top, 'checkout', '-q', 'HEAD~1', '--', 'tasks.md');
    await sleep(700);
    tryGit(top, 'checkout', '-q', 'HEAD', '--', 'tasks.md');
  },
  'stash and pop': async (top) => {
    tryGit(top, 'stash', '-q');
    await sleep(700);
    if (!tryGit(top, 'stash', 'pop', '-q')) tryGit(top, 'checkout', '-q', 'stash@{0}', '--', 'tasks.md');
  },
  stash: async (top) => void tryGit(top, 'stash', '-q'),
  'checkout <branch> and back': async (top) => {
    tryGit(top, 'checkout', '-qf', 'other');
    await sleep(700);
    tryGit(top, 'checkout', '-qf', 'main');
  },
  'reset --hard': async (top) => void tryGit(top, 'reset', '-q', '--hard'),
  merge: async (top) => {
    commitList(top);
    tryGit(top, 'merge', '-q', '--no-edit', 'other');
  },
  'merge with a conflict': async (top) => {
    commitList(top);
    tryGit(top, 'merge', '-q', '--no-edit', 'clash');
    await sleep(700);
    tryGit(top, 'merge', '--abort');
  },
  pull: async (top) => {
    commitList(top);
    tryGit(top, 'pull', '-q', '--no-rebase', '--no-edit', '.', 'other');
  },
  rebase: async (top) => {
    commitList(top);
    tryGit(top, 'rebase', '-q', 'other');
  },
  'checkout older, and stay': async (top) => void tryGit(top, 'checkout', '-q', 'HEAD~1', '--', 'tasks.md'),
};

function makeScene(): Scene {
  const gates = mkdtempSync(join(tmpdir(), 'gates-'));
  folders.push(gates);
  const wait = `while [ ! -e ${gates}/$1 ] && [ ! -e ${gates}/all ]; do sleep 0.05; done`;
  writeFileSync(join(gates, 'gate.sh'), `#!/bin/sh\necho "$TODONE_ID $1" >> ${gates}/log\n${wait}\n`);
  writeFileSync(join(gates, 'agent.sh'), `#!/bin/sh\n${gates}/gate.sh "$TODONE_PHASE"\n[ "$TODONE_PHASE" = implement ] && echo x > "$TODONE_ID.txt"\nexit 0\n`);
  for (const name of ['gate.sh', 'agent.sh']) chmodSync(join(gates, name), 0o755);
  const config = {
    agent: 'gated',
    agents: { gated: { command: [join(gates, 'agent.sh')] } },
    claimAfter: '0s',
    interval: '300ms',
    // The gates are outside of what a run may see.
    sandbox: 'none',
    verify: `${gates}/gate.sh verify`,
  };
  const top = makeRepo(OLD, { 'todone.config.json': JSON.stringify(config) });
  writeFileSync(join(top, 'tasks.md'), LIST);
  git(top, 'commit', '-qam', 'The list');
  git(top, 'checkout', '-q', '-b', 'other');
  writeFileSync(join(top, 'tasks.md'), `${LIST}\nA line of somebody else.\n`);
  git(top, 'commit', '-qam', 'Other');
  git(top, 'checkout', '-q', '-b', 'clash', 'main');
  writeFileSync(join(top, 'tasks.md'), LIST.replace('[] one', '[] one and more'));
  git(top, 'commit', '-qam', 'Clash');
  git(top, 'checkout', '-q', 'main');
  return { top, gates };
}

const logOf = ({ gates }: Scene): string[] => (existsSync(join(gates, 'log')) ? readFileSync(join(gates, 'log'), 'utf8').trim().split('\n') : []);

/** Lets the first task come to the gate of a step, and no further. */
async function bringTo(scene: Scene, step: Step): Promise<void> {
  for (const gate of STEPS) {
    if (gate === step && gate !== 'settled') break;
    if (gate !== 'settled') writeFileSync(join(scene.gates, gate), '');
  }
  if (step === 'settled') await expect.poll(() => markerOf(scene.top, 'one'), { timeout: 30_000 }).toMatch(/^\[✅/u);
  else await expect.poll(() => logOf(scene).some((line) => line.endsWith(` ${step}`)), { timeout: 30_000 }).toBe(true);
}

async function tryOne(name: string, step: Step): Promise<void> {
  const scene = makeScene();
  const { top } = scene;
  const daemon = start(top, ['start']);
  let said = '';
  daemon.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await bringTo(scene, step);
    await OPERATIONS[name]?.(top);
    const stays = name === 'checkout older, and stay';
    // Where git takes the list back to a time before the second task, there is nothing to do for that one.
    await sleep(500);
    writeFileSync(join(scene.gates, 'all'), '');
    const done = (text: string): boolean => /^\[✅,? [0-9a-f]{7,}, [g-z]\w{7}\]$/u.test(markerOf(top, text));
    await expect.poll(() => done('one') && (stays || done('two')), { timeout: 40_000, message: `${name} at ${step}: ${listOf(top)}\n${said}` }).toBe(true);
    await sleep(1500);
    const where = `${name} at ${step}\n${logOf(scene).join('\n')}\n${said}\n${listOf(top)}`;
    const counts = landed(top);
    const began = logOf(scene).filter((line) => line.endsWith(' implement'));
    const right = { where, twice: [], beganTwice: 0, done: stays ? counts.size : 2, secret: '[]', later: false };
    const twice = [...counts].filter(([, count]) => count !== 1);
    const later = existsSync(join(top, 'trees', 'later'));
    expect({ where, twice, beganTwice: began.length - new Set(began).size, done: counts.size, secret: markerOf(top, 'secret'), later }).toEqual(right);
  } finally {
    daemon.kill('SIGKILL');
    await daemon.ended;
  }
}

/** Every operation once, at steps that follow each other; `all`: at every step. In `npm test`, two of them. */
function cases(): (readonly [string, Step])[] {
  const names = Object.keys(OPERATIONS);
  const wanted = process.env['TODONE_ROLLBACKS'];
  if (wanted === 'all') return names.flatMap((name) => STEPS.map((step) => [name, step] as const));
  const each = names.map((name, index) => [name, STEPS[(index * 3) % STEPS.length] ?? 'plan'] as const);
  return wanted === undefined
    ? [
        ['checkout --', 'settled'],
        ['checkout older, and stay', 'plan'],
      ]
    : each;
}

describe('git moves the list in the midst of a run', () => {
  it.each(cases())('1.4-R7 %s, while the run is at %s', tryOne, 120_000);
});
