/**
 * `todone clean`: which sections are over, and their workspaces removed by the process that owns the list, so that nothing is begun in one
 * meanwhile.
 */
import { resolve, join } from 'node:path';
import { removeCleanCheckout } from '../adapters/clean-checkout.ts';
import { cleanWorkspace, slotsOf } from '../adapters/clean.ts';
import type { Git } from '../adapters/git.ts';
import { openRepoLock } from '../adapters/repo-lock.ts';
import { isSafeSection } from '../adapters/sections.ts';
import { heldWorkspaces } from '../adapters/workspaces.ts';
import type { Log } from '../engine/ports.ts';
import { notOver, type SectionState } from '../runs/over.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { CleanedPath } from '../surfaces/cli/upkeep.ts';
import type { Place } from './place.ts';
import type { openHooks } from '../adapters/verify.ts';

export type CleanOptions = {
  readonly place: Place;
  readonly log: Log;
  readonly section: string | undefined;
  readonly dryRun: boolean;
  /** The list and the runs as they are at this moment. */
  readonly state: () => SectionState | undefined;
  readonly runHook?: ReturnType<typeof openHooks>;
};

export async function clean(git: Git, options: CleanOptions): Promise<readonly CleanedPath[] | CliFailure> {
  const { place, section, log, dryRun, runHook } = options;
  const trees = resolve(place.repo.top, place.config.trees);
  if (section !== undefined && !isSafeSection(section))
    return { kind: 'failure', code: 2, message: `no section is called ${section}`, remedy: 'todone status shows them' };
  const whyNot = (name: string): string | undefined => {
    const state = options.state();
    return state ? notOver(state, name) : 'the list has not been read';
  };
  const names = section === undefined ? heldWorkspaces(git.home, trees) : [section];
  const hook = place.config.hooks.beforeRemove;
  const lock = openRepoLock(join(place.stateDir, 'worktrees.db'));
  const cleaned: CleanedPath[] = [];
  try {
    for (const name of names) {
      const why = whyNot(name);
      if (why !== undefined && section === undefined) continue;
      if (why !== undefined)
        return { kind: 'failure', code: 3, message: `section ${name} is not over: ${why}`, remedy: 'wait for it, or set what is left to [-]' };
      const checkout = await removeCleanCheckout(git, lock, trees, name, dryRun);
      if (checkout !== undefined)
        cleaned.push({ section: name, path: checkout, outcome: dryRun ? 'would' : 'removed', why: null, snapshot: null, ignored: [] });
      for (const slot of slotsOf(trees, name)) {
        const beforeRemove =
          hook === undefined || runHook === undefined
            ? undefined
            : async (path: string): Promise<string | undefined> => {
                const env = { TODONE_SECTION: name, TODONE_WORKTREE: path, TODONE_HOOK: 'beforeRemove' };
                const ended = await runHook(hook, path, env, place.config.limits.hook, new AbortController().signal);
                return ended.code === 0 && !ended.timedOut ? undefined : `the hook beforeRemove (${hook}) failed: ${ended.output.trim().slice(-300)}`;
              };
        cleaned.push({
          section: name,
          ...(await cleanWorkspace({ git, lock, log, trees, dryRun, stillOver: () => whyNot(name), ...(beforeRemove && { beforeRemove }) }, name, slot)),
        });
      }
    }
  } finally {
    lock.close();
  }
  return cleaned;
}
