/**
 * A wall clock that was set back: what waits for a time that was counted from a moment that is yet to come would wait for as long as
 * the clock went back. It is counted from now instead. One that goes ahead only ends waits early, which costs one try.
 */
import type { Draft } from './world.ts';
import { putRun, runsIn } from './world.ts';

export function countFromNow(draft: Draft, now: number): void {
  // All at first: what is put while they are gone through would come again.
  for (const run of Array.from(runsIn(draft))) {
    const { waitUntil, waitFrom } = run;
    if (waitUntil !== undefined && waitFrom !== undefined && waitFrom > now) putRun(draft, { ...run, waitUntil: now + (waitUntil - waitFrom), waitFrom: now });
  }
  const { world } = draft;
  const { list, recent } = world;
  if ('since' in list && list.since > now) world.list = { ...list, since: now };
  for (const [fingerprint, at] of recent) if (at > now) recent.set(fingerprint, now);
}
