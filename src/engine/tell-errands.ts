/** The lines of the log about sections as a whole: that one is done, what is done for it, and what became of that. */
import { errandIn } from '../runs/errand.ts';
import { SECTION_DONE } from '../runs/errands.ts';
import type { Event, Turned } from '../runs/turn.ts';
import type { Log } from './ports.ts';

export function tellErrands(log: Log, event: Event, turned: Turned): void {
  if (event.kind === 'errand-ended') {
    const { end, section, errand } = event;
    const waitUntil = errandIn(turned.draft, errand, section)?.waitUntil;
    const level = end.kind === 'done' ? 'info' : end.kind === 'later' ? 'warn' : 'error';
    log.write(level, `${errand}: ${end.message}`, {
      section,
      remedy: end.kind === 'done' ? undefined : end.remedy,
      again: waitUntil === undefined ? undefined : new Date(waitUntil).toISOString(),
    });
  }
  for (const row of turned.draft.history) if (row.field === SECTION_DONE) log.write('info', 'section done', { section: row.id.replace(/^section:/, '') });
  for (const effect of turned.effects) if (effect.kind === 'errand') log.write('info', effect.order.kind, { section: effect.order.section });
}
