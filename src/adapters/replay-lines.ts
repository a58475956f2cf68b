/**
 * A person's change of one text, made again on another: the lines between the first and the last difference are looked up in
 * the newer text. Never guesses: what is not found exactly once is not made.
 */

/** `current` with the change from `base` to `theirs`, or undefined where its place is not found exactly once. */
export function replayLines(base: string, theirs: string, current: string): string | undefined {
  if (base === theirs) return current;
  if (base === current) return theirs;
  const from = base.split('\n');
  const to = theirs.split('\n');
  const now = current.split('\n');
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < from.length - head && tail < to.length - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  const added = to.slice(head, to.length - tail);
  for (let context = 0; context <= CONTEXT_MAX; context++) {
    const before = Math.min(context, head);
    const after = Math.min(context, tail);
    const block = from.slice(head - before, from.length - tail + after);
    if (block.length === 0) continue;
    const places = placesOf(block, now);
    if (places.length === 0) return undefined;
    const [at] = places;
    if (places.length > 1 || at === undefined) continue;
    return [...now.slice(0, at + before), ...added, ...now.slice(at + block.length - after)].join('\n');
  }
  return undefined;
}

const CONTEXT_MAX = 20;

function placesOf(block: readonly string[], lines: readonly string[]): number[] {
  const places: number[] = [];
  for (let at = 0; at + block.length <= lines.length; at++) if (block.every((line, index) => lines[at + index] === line)) places.push(at);
  return places;
}
