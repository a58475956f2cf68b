/** What every campaign is given. */
import type { Row } from './table.ts';

export type Chaos = {
  readonly seed: number;
  /** 0 ≤ x < 1, from the seed. */
  readonly random: () => number;
  /** How much of everything: 1 = the bounded form; undefined = all of it. */
  readonly share: number | undefined;
  /** Ticks (ms) at which no further run of this campaign is begun. */
  readonly until: () => number;
  /** Undefined, or why strace cannot be used here. */
  readonly noStrace: string | undefined;
  /** In the order of a sweep, how many to leave out: they were done before. */
  readonly from: number;
  /** Only cases whose name has this in it. */
  readonly only: RegExp;
  say(line: string): void;
  /** A figure for the end of the output. */
  figure(name: string, value: string): void;
};

export type Campaign = { readonly name: string; readonly needsStrace?: boolean; run(chaos: Chaos): Promise<readonly Row[]> };

export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of them, each in its place of the order; all where `count` is undefined. */
export function sample<T>(from: readonly T[], count: number | undefined, random: () => number): readonly T[] {
  if (count === undefined || count >= from.length) return from;
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(random() * from.length));
  return [...picked].toSorted((a, b) => a - b).map((at) => from[at] as T);
}

/** So many of them, each in its place of the order, and again from the first where there are fewer; all where `count` is undefined. */
export function rounds<T>(from: readonly T[], count: number | undefined, random: () => number): readonly T[] {
  const some = sample(from, count, random);
  return count === undefined || some.length === 0 ? some : Array.from({ length: count }, (_, at) => some[at % some.length] as T);
}

export const pick = <T>(from: readonly T[], random: () => number): T => from[Math.floor(random() * from.length)] as T;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
