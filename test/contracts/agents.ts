/** One contract for Agents, run on the twin in memory and on real processes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agents, PhaseEnd, PhaseOrder } from '../../src/engine/ports.ts';

/** What the task's program does: ends well, ends badly after saying `bad luck`, or never ends. */
export type Kind = 'fine' | 'fails' | 'hangs';

export type AgentsBed = {
  readonly agents: Agents;
  order(kind: Kind, more?: Partial<PhaseOrder>): PhaseOrder;
  /** How often a program of a task was started so far. */
  begun(): number;
  /** What runs now. */
  running(): Promise<number>;
  /** The daemon's next life, on the same disk. */
  again(): AgentsBed;
  close(): Promise<void>;
};

const never = new AbortController().signal;

export function agentsContract(name: string, makeBed: () => AgentsBed): void {
  describe(`Agents: ${name}`, () => {
    let bed: AgentsBed;
    beforeEach(() => {
      bed = makeBed();
    });
    afterEach(() => bed.close());

    const run = (order: PhaseOrder, signal = never): Promise<PhaseEnd> => bed.agents.run(order, () => undefined, signal);
    const untilRunning = async (): Promise<void> => {
      while ((await bed.running()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    };

    it('5.3-R1 lists the embedded agent, which takes only what can be run and only implements', () => {
      expect(bed.agents.list().find((agent) => agent.name === 'script')).toMatchObject({
        installed: true,
        takes: 'runnable',
        steps: ['implement'],
        learns: false,
      });
    });

    it('5.2-R2 ends done, the outcome inferred where nothing was reported', async () => {
      expect(await run(bed.order('fine'))).toMatchObject({ end: { kind: 'done' }, found: { inferred: true } });
    });

    it('5.3-R6 ends as agent_failed with the last lines as evidence', async () => {
      const { end, tail } = await run(bed.order('fails'));
      expect(end).toMatchObject({ kind: 'final', reason: 'agent_failed' });
      expect(tail).toContain('bad luck');
    });

    it('5.3-R4 ends as timeout at the limit of the order', async () => {
      expect((await run(bed.order('hangs', { limitMs: 300 }))).end).toMatchObject({ kind: 'final', reason: 'timeout' });
      expect(await bed.running()).toBe(0);
    });

    it('2-R7 does not repeat a phase whose end was written, in this life or the next', async () => {
      for (const kind of ['fine', 'fails'] as const) {
        const order = bed.order(kind);
        const first = await run(order);
        const begun = bed.begun();
        expect(await run(order)).toEqual(first);
        bed = bed.again();
        expect(await run(order)).toEqual(first);
        expect(bed.begun()).toBe(begun);
      }
    });

    it('2-R2 runs the same phase again under a new ticket', async () => {
      const order = bed.order('fine');
      await run(order);
      const begun = bed.begun();
      await run({ ...order, ticket: order.ticket + 1 });
      expect(bed.begun()).toBe(begun + 1);
    });

    it('2-R4 stops when told to, and does not take that for the end of the phase', async () => {
      const order = bed.order('hangs');
      const stop = new AbortController();
      const ended = run(order, stop.signal);
      await untilRunning();
      stop.abort();
      expect((await ended).end.kind).not.toBe('done');
      expect(await bed.running()).toBe(0);
      const begun = bed.begun();
      const next = new AbortController();
      const again = run(order, next.signal);
      await untilRunning();
      // It is seen to run before it has said so.
      await expect.poll(() => bed.begun(), { timeout: 20_000 }).toBe(begun + 1);
      next.abort();
      await again;
    });

    it('5.3-R3 sweeps one task and leaves the others alone', async () => {
      const stop = new AbortController();
      const [mine, other] = [bed.order('hangs', { id: 'k0000001' }), bed.order('hangs', { id: 'k0000002' })];
      const both = [run(mine, stop.signal), run(other, stop.signal)];
      while ((await bed.running()) < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(await bed.agents.sweep('k0000001')).toBeGreaterThan(0);
      expect((await both[0])?.end.kind).not.toBe('done');
      expect(await bed.running()).toBe(1);
      stop.abort();
      await Promise.all(both);
    });
  });
}
