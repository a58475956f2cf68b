/**
 * The name that was probably meant. Never suggests what is far from what was typed.
 */

/** At most this share of a word may differ. */
const FAR = 0.4;

export function nearest(typed: string, names: readonly string[]): string | undefined {
  const scored = names
    .map((name) => ({ name, distance: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance: far }) => far <= Math.max(1, Math.floor(Math.max(name.length, typed.length) * FAR)));
  return scored.sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** Words longer than this are no names. */
const CHARS_MAX = 64;

/** Edits between two words; a swap of neighbours is one (optimal string alignment). */
function distance(a: string, b: string): number {
  if (a.length > CHARS_MAX || b.length > CHARS_MAX) return Number.POSITIVE_INFINITY;
  let older: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (before[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (older[j - 2] ?? 0) + 1);
      row.push(best);
    }
    older = before;
    before = row;
  }
  return before[b.length] ?? 0;
}
