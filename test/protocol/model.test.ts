/** The write protocol as a model: every order of steps for small bounds, single ones at random beyond; and what loses. */
import { describe, expect, it } from 'vitest';
import { generator } from '../simulation/life.ts';
import { MODEL_EDITORS } from './model/editors.ts';
import { exploreAll, exploreOne } from './model/explore.ts';
import type { Bounds } from './model/explore.ts';
import { STRATEGIES } from './model/writers.ts';

const SMALL: readonly Bounds[] = [
  { saves: 1, writes: 1, deaths: 2 },
  { saves: 2, writes: 1, deaths: 2 },
  { saves: 1, writes: 2, deaths: 1 },
];
const BEYOND: Bounds = { saves: 4, writes: 3, deaths: 3 };
const AT_RANDOM = Number(process.env['TODONE_SCHEDULES'] ?? 60_000);
const SEED = Number(process.env['TODONE_SEED'] ?? 1);
const SCHEDULES_MIN = 1_000_000;

describe('the write protocol', () => {
  it('12-R1 1.4-R3 loses nothing in any order of steps, killed at each and again in the recovery', () => {
    const rows = SMALL.flatMap((bounds) =>
      Object.entries(MODEL_EDITORS).map(([editor, steps]) => ({ editor, ...bounds, ...exploreAll('exchange', steps, bounds) })),
    );
    console.table(rows);
    expect(rows.filter(({ bad, cut }) => bad > 0 || cut > 0)).toEqual([]);
    expect(rows.reduce((sum, { schedules }) => sum + schedules, 0)).toBeGreaterThan(SCHEDULES_MIN);
  });

  it('12-R1 1.4-R3 loses nothing at random beyond those bounds', () => {
    const random = generator(SEED);
    const editors = Object.entries(MODEL_EDITORS);
    const since = performance.now();
    for (let count = 0; count < AT_RANDOM; count++) {
      const [editor, steps] = editors[count % editors.length] ?? ['', []];
      const wrong = exploreOne('exchange', steps, BEYOND, random);
      if (wrong) expect.fail([`${editor}, schedule ${count} of seed ${SEED}`, ...wrong].join('\n'));
    }
    console.log(`${AT_RANDOM} schedules at random, seed ${SEED}: ${Math.round((AT_RANDOM * 1000) / (performance.now() - since))} each second, 0 bad`);
  });

  for (const strategy of STRATEGIES.filter((each) => each !== 'exchange')) {
    it(`12-R1 (test of the test) sees "${strategy}" losing saves`, () => {
      const all = Object.entries(MODEL_EDITORS).map(([editor, steps]) => ({ editor, ...exploreAll(strategy, steps, { saves: 1, writes: 1, deaths: 0 }) }));
      const lost = all.filter(({ bad }) => bad > 0).toSorted((a, b) => (a.example?.length ?? 0) - (b.example?.length ?? 0));
      const [first] = lost;
      console.log([`${strategy}: ${lost.length} of ${all.length} editors lose; ${first?.editor}:`, ...(first?.example ?? [])].join('\n  '));
      expect(first?.example?.at(-1)).toMatch(/lost|cut off|gone/);
    });
  }

  it('12-R1 (test of the test) schedules that share states are counted as often as there are', () => {
    for (const steps of Object.values(MODEL_EDITORS).slice(0, 6)) {
      const bounds = { saves: 1, writes: 1, deaths: 0 };
      expect(exploreAll('exchange', steps, bounds).schedules).toBe(exploreAll('exchange', steps, bounds, false).schedules);
    }
  });
});
