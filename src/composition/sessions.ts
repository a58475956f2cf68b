/**
 * A door that writes down which session of an agent has looked at its queue, or taken something from it (6.4-R2).
 */
import { noteSession } from '../adapters/session-log.ts';
import type { Door } from '../engine/ports.ts';
import type { RequestName } from '../runs/requests.ts';
import type { Place } from './place.ts';

const LOOKS: ReadonlySet<RequestName> = new Set<RequestName>(['task.ready', 'task.mine', 'task.list', 'task.claim']);

export function notedDoor(place: Pick<Place, 'stateDir'>, env: Readonly<Record<string, string | undefined>>, door: Door): Door {
  const session = env['TODONE_SESSION'] ?? null;
  let noted = false;
  return {
    call(request, input, caller) {
      const looks = LOOKS.has(request) && caller.kind !== 'run' && (session !== null || caller.kind === 'worker');
      if (looks && !noted) noteSession(place.stateDir, { at: Date.now(), what: 'read', session, agent: caller.name });
      noted ||= looks;
      return door.call(request, input, caller);
    },
  };
}
