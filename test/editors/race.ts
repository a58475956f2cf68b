/**
 * The raw race of two processes: an editor that saves over and over, one word more each time, against a writer of markers that goes
 * flat out. In figures: saves, writes, collisions, how long a raced save was away, and what was lost (has to be nothing).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk } from '../../src/adapters/disk.ts';
import { diskWith, mark, scene } from '../adapters/list-scene.ts';
import type { Scene } from '../adapters/list-scene.ts';
import { sleep } from './editing.ts';
import { type Loser, LOSERS } from './losers.ts';

const STYLES = ['truncate', 'chunks', 'overwrite', 'vim', 'rename', 'jetbrains'] as const;
const EDITOR = join(import.meta.dirname, '..', 'adapters', 'programs', 'editor.mjs');
/** Enough for a write to begin, so that the next save falls into it. */
const REST_MS = 14;
const GO = mark('x', 'in_progress', 'open', 'failed');
const STOP = mark('x', 'failed', 'in_progress');
/** Every other time a few ms pass between the last comparison and the exchange, where a save hurts most. */
const SLOW_AT_THE_WORST = diskWith({
  async exchange(a, b) {
    if (Math.random() < 0.5) await sleep(Math.random() * 5);
    return realDisk.exchange(a, b);
  },
});
const FIRST = '## Git Worktree a\n[] x\nEND\n';
const MERGED_MS = 15_000;
const ROUNDS_MAX = 30;
const STUCK_MS = 3000;

export type Raced = {
  readonly style: string;
  readonly saves: number;
  readonly writes: number;
  readonly collisions: number;
  /** The editor wrote a text over it that it had read before the merge: it is in a version. */
  readonly overwritten: number;
  readonly lost: number;
  readonly doubled: number;
  /** How long a save was away from the list before it was merged, in ms. */
  readonly awayP50: number;
  readonly awayMax: number;
};

/** Production's way of writing, against each style of saving. */
export async function race(saves: number): Promise<Raced[]> {
  const raced: Raced[] = [];
  for (const style of STYLES) {
    const at = scene(FIRST);
    const file = at.open({ disk: SLOW_AT_THE_WORST });
    let next = GO;
    try {
      raced.push(
        await against(at, style, saves, async () => {
          const [written] = (await file.edit([next])).results;
          next = next === STOP ? GO : STOP;
          return written?.kind === 'applied';
        }),
      );
    } finally {
      await at.end();
    }
  }
  return raced;
}

/** The strategies of which the race found no loss, in so many rounds of every style; none is as it has to be. */
export async function undetected(saves: number): Promise<{ readonly missed: readonly string[]; readonly said: readonly string[] }> {
  const missed: string[] = [];
  const said: string[] = [];
  for (const loser of LOSERS) {
    const { lost, total } = await losses(loser, saves);
    said.push(`${loser.name}: ${lost} of ${total} saves lost${lost > 0 ? ', found' : ', NOT FOUND'}`);
    if (lost === 0) missed.push(loser.name);
  }
  return { missed, said };
}

async function losses(loser: Loser, saves: number): Promise<{ readonly lost: number; readonly total: number }> {
  let total = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const at = scene(FIRST);
    try {
      const raced = await against(at, STYLES[round % STYLES.length] ?? 'rename', saves, () => loser.write(at.list), 0);
      total += raced.saves;
      if (raced.lost > 0) return { lost: raced.lost, total };
    } finally {
      await at.end();
    }
  }
  return { lost: 0, total };
}

async function against(at: Scene, style: string, saves: number, write: () => Promise<boolean>, patienceMs = MERGED_MS): Promise<Raced> {
  const log = join(at.folder, 'saved.log');
  const editor = spawn(process.execPath, [EDITOR, at.list, style, String(saves), log, String(REST_MS)], { stdio: 'ignore' });
  const gone = ended(editor);
  const watch = watchWords(at, log);
  let writes = 0;
  let [saved, savedAt] = [0, performance.now()];
  while (!gone()) {
    if (await write()) writes++;
    else await sleep(1);
    const now = wordsOf(log).length;
    if (now > saved) [saved, savedAt] = [now, performance.now()];
    // Of a list that was destroyed the editor cannot make another.
    if (performance.now() - savedAt > STUCK_MS) editor.kill('SIGKILL');
  }
  // What is late has to be merged soon, without another write.
  const until = performance.now() + patienceMs;
  while (absent(at, log).length > 0 && performance.now() < until && settles(at)) await sleep(20);
  const away = watch.end().toSorted((a, b) => a - b);
  const words = wordsOf(log);
  const kept = new Set([...at.archived('saved'), ...at.archived('kept')].join('\n').split('\n'));
  const lost = absent(at, log).filter((word) => !kept.has(word)).length;
  const count = (word: string): number =>
    at
      .text()
      .split('\n')
      .filter((line) => line === word).length;
  return {
    style,
    saves: words.length,
    writes,
    collisions: at.said.filter(({ message }) => message.includes('in the very moment')).length,
    overwritten: absent(at, log).length - lost,
    lost,
    doubled: words.filter((word) => count(word) > 1).length,
    awayP50: away[Math.floor(away.length / 2)] ?? 0,
    awayMax: away.at(-1) ?? 0,
  };
}

function ended(child: ChildProcess): () => boolean {
  let over = false;
  child.once('exit', () => (over = true));
  return () => over;
}

/** Looks again and again which saved words are not in the list, and since when. */
function watchWords(at: Scene, log: string): { end(): number[] } {
  const since = new Map<string, number>();
  const away: number[] = [];
  const look = (): void => {
    const lines = new Set(textOf(at).split('\n'));
    if (!lines.has('END')) return;
    for (const word of wordsOf(log)) {
      const from = since.get(word);
      if (!lines.has(word)) since.set(word, from ?? performance.now());
      else if (from !== undefined) {
        away.push(performance.now() - from);
        since.delete(word);
      }
    }
  };
  const timer = setInterval(look, 5);
  return {
    end() {
      clearInterval(timer);
      look();
      return away;
    },
  };
}

function textOf(at: Scene): string {
  try {
    return at.text();
  } catch {
    return '';
  }
}

const wordsOf = (log: string): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean) : []);

/** Words that were saved and are not in the list. */
function absent(at: Scene, log: string): string[] {
  const lines = new Set(textOf(at).split('\n'));
  return wordsOf(log).filter((word) => !lines.has(word));
}

/** Something that a write displaced still lies beside the list. */
const settles = (at: Scene): boolean => at.litter().some((name) => name.startsWith('.todone'));
