/**
 * `todone reconcile`: has list, git and journal compared, and the proven markers written by the owner of the list, which gathers for itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Log } from '../engine/ports.ts';
import type { Finding } from '../runs/reconcile.ts';
import { type CliFailure, isFailure } from '../surfaces/cli/failure.ts';
import type { Reconciled } from '../surfaces/cli/upkeep.ts';
import { findingsOf } from './findings.ts';
import { asOwner } from './owner-requests.ts';
import type { Place } from './place.ts';
import { withGit } from './with-git.ts';

export type ReconcileOptions = { readonly place: Place; readonly clock: Clock; readonly log: Log; readonly by: string };

/** How long the owner has for writing what was found, and how often it is looked at. */
const WRITE_MS = 5000;
const LOOK_MS = 100;

/** What list and git say of each other; with `fix`, proven markers are written, and the rest is what is left. */
export async function reconcilePlace(options: ReconcileOptions, fix: boolean): Promise<Reconciled | CliFailure> {
  const look = (): Promise<Finding[]> => withGit(options.place, (git) => findingsOf(options, git));
  const before = await look();
  const fixes = before.filter((finding) => finding.fix !== null);
  if (!fix || fixes.length === 0) return { findings: before, fixed: [] };
  const answer = await asOwner(options, { kind: 'reconcile', by: options.by });
  if (isFailure(answer)) return answer;
  const until = options.clock.ticks() + WRITE_MS;
  for (;;) {
    const after = await look();
    const left = new Set(after.filter((finding) => finding.fix !== null).map(keyOf));
    const fixed = fixes.filter((finding) => !left.has(keyOf(finding)));
    if (left.size === 0 || options.clock.ticks() > until) return { findings: after, fixed };
    await sleep(LOOK_MS);
  }
}

const keyOf = (finding: Finding): string => `${finding.code} ${finding.id} ${finding.section} ${finding.title}`;
