/**
 * ToDone's ids: 8 characters, the first `g`–`z` so that none reads as a commit's hash (2-R1). Never from a clock.
 */
const FIRST = 'ghijklmnopqrstuvwxyz';
const REST = '0123456789abcdefghijklmnopqrstuvwxyz';

/** An id that is not taken. `random`: 0 ≤ x < 1. */
export function newId(random: () => number, taken: (id: string) => boolean): string {
  for (;;) {
    let id = FIRST.charAt(Math.floor(random() * FIRST.length));
    while (id.length < 8) id += REST.charAt(Math.floor(random() * REST.length));
    if (!taken(id)) return id;
  }
}
