/**
 * Gathers list edits into few writes (1.4-R5): what somebody waits for goes at once, with everything that is ready; the rest
 * waits until the last write is a while ago. One write at a time. Never decides what is written.
 */
import type { EditItem } from '../runs/list-edits.ts';
import type { Edit } from '../tasks/task.ts';
import type { Clock, Written } from './ports.ts';

export const COALESCE_MS = 500;

export type ListWriter = {
  add(item: EditItem): void;
  /** Nothing waits and nothing is being written. */
  idle(): boolean;
};

export type WriterEvents = {
  written(items: readonly EditItem[], written: Written): void;
  failed(items: readonly EditItem[], error: unknown): void;
};

export function listWriter(edit: (edits: readonly Edit[]) => Promise<Written>, clock: Clock, events: WriterEvents): ListWriter {
  const waiting = new Map<string, EditItem>();
  let inFlight = new Set<string>();
  let writing = false;
  let cancel: (() => void) | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;

  const arm = (): void => {
    if (writing || waiting.size === 0) return;
    cancel?.();
    const urgent = [...waiting.values()].some((item) => item.urgent);
    const delayMs = urgent ? 0 : Math.max(0, lastAt + COALESCE_MS - clock.ticks());
    cancel = clock.after(delayMs, () => void flush());
  };

  const flush = async (): Promise<void> => {
    const items = [...waiting.values()];
    inFlight = new Set(waiting.keys());
    waiting.clear();
    writing = true;
    const outcome = await edit(items.flatMap((item) => item.edits)).then(
      (written) => ({ written }),
      (error: unknown) => ({ error }),
    );
    lastAt = clock.ticks();
    inFlight.clear();
    writing = false;
    if ('written' in outcome) events.written(items, outcome.written);
    else events.failed(items, outcome.error);
    arm();
  };

  return {
    add(item) {
      const key = `${item.purpose} ${item.id} ${item.ticket}${item.reply ? ` ${item.reply.number}` : ''}`;
      if (inFlight.has(key)) return;
      waiting.set(key, item);
      arm();
    },
    idle: () => !writing && waiting.size === 0,
  };
}
