/**
 * The port Branches on git and gh (4-R10): merging, checking in a clean place, the remote. Serial per branch with landings.
 */
import { createHash } from 'node:crypto';
import type { Branches, MergeWay } from '../engine/branches.ts';
import type { Verify } from '../engine/ports.ts';
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import { advanceBranch, mergeBranches, type MergeOptions, movedByOthers } from './branch-merge.ts';
import type { CleanCheckout } from './clean-checkout.ts';
import { pullRequest, type PullOptions } from './github.ts';
import { push } from './remote.ts';

export type BranchesOptions = MergeOptions & PullOptions & { readonly clean: CleanCheckout; /** Where it runs is decided here. */ readonly check: Verify };

export function openBranches(options: BranchesOptions): Branches {
  const { git } = options;
  // Landing holds a section's name while it moves the branch; the base is nobody's.
  const inTurn = <T>(section: string, way: MergeWay, work: () => Promise<T>): Promise<T> => git.inTurn(way === 'sync' ? section : '(base)', work);
  return {
    merge: (section, way) => inTurn(section, way, () => mergeBranches(options, section, way)),
    advance: (section, way, merged) => inTurn(section, way, () => advanceBranch(options, section, way, merged)),
    verify(order, commit, command, signal) {
      const work = { id: evidenceId(order), ticket: order.ticket, attempt: 1, section: order.section, slot: 1 };
      return options.clean.use(work, commit, signal, (path) => options.check.run(work, command, path, signal));
    },
    push: async (order, signal) => (await unsettled(options, order)) ?? push(options, order.section, signal),
    pullRequest: (order, signal) => pullRequest(options, order, signal),
  };
}

/** A branch that an agent may just have moved is not for others. */
async function unsettled(options: BranchesOptions, { section }: ErrandOrder): Promise<ErrandEnd | undefined> {
  const tip = await options.sections.tip(section);
  const moved = tip === undefined ? undefined : await movedByOthers(options, section, tip);
  return moved && { kind: 'later', why: 'busy', message: moved.message, remedy: moved.remedy };
}

/** The folder of an errand's checks, beside those of runs: no id of a task. */
export const evidenceId = ({ kind, section }: Pick<ErrandOrder, 'kind' | 'section'>): string =>
  `${kind}-${section.replaceAll(/[^A-Za-z0-9_-]/g, '-')}-${createHash('sha256').update(section).digest('hex').slice(0, 6)}`;
