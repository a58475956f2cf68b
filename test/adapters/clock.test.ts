import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';

const DAY_MS = 86_400_000;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('12-R1 calls back once, also after a wait that is longer than a timer may be', () => {
  const called = vi.fn();
  systemClock().after(40 * DAY_MS, called);
  vi.advanceTimersByTime(40 * DAY_MS - 1);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY_MS);
  expect(called).toHaveBeenCalledTimes(1);
});

it('12-R1 takes a callback back, in any part of its wait', () => {
  const called = vi.fn();
  const takeBack = systemClock().after(40 * DAY_MS, called);
  vi.advanceTimersByTime(30 * DAY_MS);
  takeBack();
  vi.advanceTimersByTime(30 * DAY_MS);
  expect(called).not.toHaveBeenCalled();
});

it('12-R1 has a clock for waits that a moved wall clock leaves alone', () => {
  const clock = systemClock();
  const before = clock.ticks();
  vi.setSystemTime(0);
  expect(clock.now()).toBe(0);
  expect(clock.ticks()).toBe(before);
});
