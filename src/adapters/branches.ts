/**
 * The port Branches on git and gh (4-R10): merging, checking in a clean place, the remote. Serial per branch with landings.
 */
import { createHash } from 'node:crypto';
import type { Branches, MergeWay, Verify } from '../engine/ports.ts';
import type { ErrandEnd, ErrandOrder } from '../runs/errand.ts';
import { plainText } from '../runs/plain-text.ts';
import { advanceBranch, mergeBranches, type MergeOptions, movedByOthers } from './branch-merge.ts';
import type { CleanCheckout } from './clean-checkout.ts';
import { pullRequest, type PullOptions } from './github.ts';
import { push } from './remote.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export type BranchesOptions = MergeOptions &
  PullOptions & {
    readonly clean: CleanCheckout;
    /** In the folder that it is given. */
    readonly check: Verify;
    /** Knows what has passed before. */
    readonly proven: Pick<Verify, 'hasPassed' | 'passed'>;
    readonly sandbox: Pick<Sandbox, 'problem'>;
  };

export function openBranches(options: BranchesOptions): Branches {
  const { git } = options;
  // Landing holds a section's name while it moves the branch; the base is nobody's.
  const inTurn = <T>(section: string, way: MergeWay, work: () => Promise<T>): Promise<T> => git.inTurn(way === 'sync' ? section : '(base)', work);
  return {
    merge: (section, way) => inTurn(section, way, () => mergeBranches(options, section, way)),
    advance: (section, way, merged) => inTurn(section, way, () => advanceBranch(options, section, way, merged)),
    async verify(order, commit, command, signal) {
      const tree = (await git.objects.commit(commit))?.tree ?? '';
      if (options.proven.hasPassed(tree, command)) return undefined;
      if (options.sandbox.problem !== undefined) throw new Error(options.sandbox.problem);
      const work = { id: evidenceId(order), ticket: order.ticket, attempt: 1, section: order.section, slot: 1 };
      const verified = await options.clean.use(work, commit, signal, (path) => options.check.run(work, command, path, signal));
      if (verified?.ok && !signal.aborted) options.proven.passed(tree, command);
      return verified;
    },
    push: async (order, signal) => safe(options, (await unsettled(options, order)) ?? (await push(options, order.section, signal))),
    pullRequest: async (order, signal) => safe(options, await pullRequest(options, order, signal)),
  };
}

/** URLs may hold passwords, and what others say may hold anything (13-R2). */
function safe({ redaction }: BranchesOptions, end: ErrandEnd): ErrandEnd {
  const clean = (text: string): string => plainText(redaction.redact(text));
  return { ...end, message: clean(end.message), ...('remedy' in end ? { remedy: clean(end.remedy) } : {}) };
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
