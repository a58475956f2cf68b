/**
 * `verify` where the config says (`verifyIn`): in the workspace as it is, or in a clean checkout of the commit that the
 * workspace was put on for it. What has passed in the one place is not taken as passed in the other.
 */
import type { Config } from '../config.ts';
import type { Verify } from '../engine/ports.ts';
import type { CleanCheckout } from './clean-checkout.ts';
import type { Git } from './git.ts';
import { isCommand } from './verify.ts';
import { headOf } from './workspace.ts';
import { workspaceAt } from './workspaces.ts';

export function verifyWhereConfigured(
  verify: Verify,
  options: { readonly clean: CleanCheckout; readonly git: Git; readonly config: () => Config; readonly env: NodeJS.ProcessEnv },
): Verify {
  const named = (command: string): string => (options.config().verifyIn === 'clean' ? `clean: ${command}` : command);
  return {
    hasPassed: (tree, command) => verify.hasPassed(tree, named(command)),
    passed: (tree, command) => verify.passed(tree, named(command)),
    async run(order, command, workspace, signal) {
      // A check in words needs no place.
      if (options.config().verifyIn === 'workspace' || !isCommand(command, workspace, options.env)) return verify.run(order, command, workspace, signal);
      const commit = headOf(workspaceAt(options.git.home, workspace));
      if (commit === undefined) throw new Error(`${workspace} stands on no commit that could be checked`);
      return options.clean.use(order, commit, signal, (path) => verify.run(order, command, path, signal));
    },
  };
}
