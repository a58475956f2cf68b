/**
 * The in-memory twin of the port `Agents`: phases that end as a table says, at once or when the caller's clock says so.
 * Never starts a process, never looks at the real time.
 *
 * `TwinDisk` is what a crash leaves: ends that were written. A second twin on the same disk is the daemon's next life.
 */
import type { AgentEvent, AgentInfo, Agents, Clock, PhaseEnd, PhaseOrder } from '../../src/engine/ports.ts';
import type { End, Found } from '../../src/runs/run.ts';

/** What one phase does. Without `end` it is done; `hangs` = only a stop or the phase's own limit ends it. */
export type Act = {
  readonly end?: End;
  readonly found?: Found;
  readonly tail?: string;
  readonly events?: readonly AgentEvent[];
  readonly afterMs?: number;
  readonly hangs?: boolean;
  /** What it does to the workspace, right before its end. */
  readonly work?: (order: PhaseOrder) => void | Promise<void>;
};

/** By the task's text; the function sees step, attempt and ticket. */
export type Behaviour = (order: PhaseOrder) => Act;

export type TwinDisk = { readonly ends: Map<string, PhaseEnd>; readonly begun: string[] };

export function twinDisk(): TwinDisk {
  return { ends: new Map(), begun: [] };
}

export type TwinAgents = Agents & {
  /** What runs now, as `id/ticket/attempt/step`. */
  readonly running: ReadonlyMap<string, PhaseOrder>;
  /** Says how a task with this text behaves from now on. */
  behave(text: string, behaviour: Behaviour | Act): void;
  /** The daemon dies: nothing that runs is heard of again; what was written on the disk stays. */
  crash(): void;
};

export type TwinOptions = {
  readonly clock: Clock;
  readonly disk?: TwinDisk;
  readonly infos?: readonly AgentInfo[];
  readonly behaviours?: Readonly<Record<string, Behaviour | Act>>;
  /** For every text that the table does not name. */
  readonly otherwise?: Behaviour | Act;
};

const INFOS: readonly AgentInfo[] = [
  { name: 'script', installed: true, takes: 'runnable', steps: ['implement'], learns: false },
  { name: 'twin', installed: true, takes: 'anything', steps: ['plan', 'implement', 'update'], learns: true },
];

export function twinAgents(options: TwinOptions): TwinAgents {
  const disk = options.disk ?? twinDisk();
  const table = new Map<string, Behaviour | Act>(Object.entries(options.behaviours ?? {}));
  const running = new Map<string, PhaseOrder>();
  const stops = new Map<string, () => void>();
  let alive = true;

  const actOf = (order: PhaseOrder): Act => {
    const behaviour = table.get(order.task.text) ?? options.otherwise ?? {};
    return typeof behaviour === 'function' ? behaviour(order) : behaviour;
  };

  const finish = async (key: string, order: PhaseOrder, act: Act): Promise<PhaseEnd> => {
    await act.work?.(order);
    const end = phaseEnd(act);
    if (alive) disk.ends.set(key, end);
    return end;
  };

  /** Waits for the act's time, a stop, the limit or the daemon's death (which never answers). */
  const wait = (key: string, order: PhaseOrder, act: Act, signal: AbortSignal): Promise<'ran' | 'stopped' | 'timeout'> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve('stopped');
      const takeBack: (() => void)[] = [];
      const settle = (how: 'ran' | 'stopped' | 'timeout') => {
        for (const undo of takeBack) undo();
        signal.removeEventListener('abort', stopped);
        if (alive) resolve(how);
      };
      const stopped = () => settle('stopped');
      signal.addEventListener('abort', stopped, { once: true });
      stops.set(key, stopped);
      if (act.hangs) takeBack.push(options.clock.after(order.limitMs, () => settle('timeout')));
      else if ((act.afterMs ?? 0) >= order.limitMs) takeBack.push(options.clock.after(order.limitMs, () => settle('timeout')));
      else if (act.afterMs) takeBack.push(options.clock.after(act.afterMs, () => settle('ran')));
      else settle('ran');
    });

  return {
    running,
    behave: (text, behaviour) => void table.set(text, behaviour),
    crash: () => {
      alive = false;
      running.clear();
    },
    list: () => options.infos ?? INFOS,
    preview: (agent, model) => (model ? `${agent} --model ${model}` : agent),
    run: async (order, activity, signal) => {
      const key = phaseKey(order);
      const written = disk.ends.get(key);
      if (written) return written;
      if (running.has(key)) throw new Error(`two agents for one phase: ${key}`);
      running.set(key, order);
      disk.begun.push(key);
      try {
        const act = actOf(order);
        for (const event of act.events ?? []) activity(event);
        const how = await wait(key, order, act, signal);
        if (how === 'stopped') return { end: { kind: 'refused', message: 'stopped' }, tail: act.tail ?? '', found: {} };
        if (how === 'timeout')
          return await finish(key, order, {
            ...act,
            end: { kind: 'final', reason: 'timeout', message: `${order.step} took too long`, evidence: act.tail ?? '' },
          });
        return await finish(key, order, act);
      } finally {
        stops.delete(key);
        if (alive) running.delete(key);
      }
    },
    sweep: async (id) => {
      const keys = [...stops.keys()].filter((key) => id === undefined || key.startsWith(`${id}/`));
      for (const key of keys) stops.get(key)?.();
      return keys.length;
    },
  };
}

export function phaseKey(order: Pick<PhaseOrder, 'id' | 'ticket' | 'attempt' | 'step'>): string {
  return `${order.id}/${order.ticket}/${order.attempt}/${order.step}`;
}

function phaseEnd(act: Act): PhaseEnd {
  const found: Found = { outcome: 'done', inferred: true, ...act.found };
  const end: End = act.end ?? { kind: 'done', found };
  return { end, tail: act.tail ?? '', found };
}
