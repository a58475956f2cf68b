/**
 * The line before a section's branch (4-R6): runs land one after another, first come, first served; one that was first and
 * has to wait for something keeps its place. Up to `landBatch` of them with the same check go together. Other sections do not
 * wait. Across processes the compare-and-swap of the branch decides.
 */
import type { End, Run } from '../runs/run.ts';
import { type Doing, verifyOf } from './doing.ts';
import { type Landing, landingOrder, landTogether } from './land.ts';

/** How often the branch may move under a landing before it waits. */
const MOVES_MAX = 5;

export type LandingQueue = {
  /** Lands, when its turn has come. A run that is stopped does not wait: it only looks whether it has landed. */
  land(run: Run, doing: Doing): Promise<End>;
  /** What else has to do with the branch comes next, between two landings. */
  between<T>(section: string, work: () => Promise<T>): Promise<T>;
};

type Waiting = {
  readonly landing: Landing;
  readonly place: number;
  moves: number;
  readonly resolve: (end: End) => void;
  readonly reject: (error: unknown) => void;
};

export function landingQueue(): LandingQueue {
  const lines = new Map<string, Waiting[]>();
  const others = new Map<string, (() => Promise<void>)[]>();
  const busy = new Set<string>();
  /** Where a run stood when it first came; kept while it may come again. */
  const places = new Map<string, number>();
  let arrivals = 0;

  const stand = (waiting: Waiting): void => {
    const { section } = waiting.landing.order;
    const line = lines.get(section) ?? [];
    line.push(waiting);
    lines.set(
      section,
      line.toSorted((a, b) => a.place - b.place),
    );
  };

  /** Out of the line, if it still stands there. */
  const leave = (waiting: Waiting): boolean => {
    const { section } = waiting.landing.order;
    const line = lines.get(section) ?? [];
    lines.set(
      section,
      line.filter((each) => each !== waiting),
    );
    return line.includes(waiting);
  };

  const takeTurn = async (batch: readonly Waiting[]): Promise<void> => {
    const ends = await landTogether(batch.map(({ landing }) => landing));
    for (const waiting of batch) {
      const { landing } = waiting;
      const end = ends.get(landing);
      if (typeof end === 'object') waiting.resolve(end);
      else if (landing.doing.signal.aborted) await alone(landing).then(waiting.resolve, waiting.reject);
      else if (end === 'moved' && ++waiting.moves >= MOVES_MAX)
        waiting.resolve({ kind: 'transient', reason: 'conflict', message: `the branch moved ${MOVES_MAX} times while this task was landing` });
      else stand(waiting);
    }
  };

  const serve = async (section: string): Promise<void> => {
    if (busy.has(section)) return;
    busy.add(section);
    for (;;) {
      const other = others.get(section)?.shift();
      if (other) await other();
      const line = lines.get(section) ?? [];
      if (line.length === 0 && !others.get(section)?.length) break;
      const batch = next(line);
      if (batch.length === 0) continue;
      for (const waiting of batch) leave(waiting);
      try {
        await takeTurn(batch);
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    lines.delete(section);
    others.delete(section);
    busy.delete(section);
  };

  return {
    async land(run, doing) {
      const order = landingOrder(run);
      if (!order) return { kind: 'final', reason: 'lost', message: 'the run has no workspace' };
      const landing = { run, order, doing };
      if (doing.signal.aborted) return alone(landing);
      const place = places.get(run.id) ?? ++arrivals;
      places.set(run.id, place);
      const end = await new Promise<End>((resolve, reject) => {
        const waiting: Waiting = { landing, place, moves: 0, resolve, reject };
        doing.signal.addEventListener('abort', () => leave(waiting) && void alone(landing).then(resolve, reject), { once: true });
        stand(waiting);
        void serve(order.section);
      });
      if (end.kind !== 'transient') places.delete(run.id);
      return end;
    },
    between: (section, work) =>
      new Promise((resolve, reject) => {
        others.set(section, [...(others.get(section) ?? []), () => work().then(resolve, reject)]);
        void serve(section);
      }),
  };
}

/** A stopped run only looks whether it has landed. */
async function alone(landing: Landing): Promise<End> {
  const end = (await landTogether([landing])).get(landing);
  return typeof end === 'object' ? end : { kind: 'final', reason: 'cancelled', message: 'stopped' };
}

/** The first in line, and those behind it that can be proven together with it. */
function next(line: readonly Waiting[]): Waiting[] {
  const [first] = line;
  if (!first) return [];
  const { run, doing } = first.landing;
  const command = verifyOf(run, doing.config);
  return [first, ...line.slice(1).filter(({ landing }) => verifyOf(landing.run, landing.doing.config) === command)].slice(0, doing.config.landBatch);
}
