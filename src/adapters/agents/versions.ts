/** Asks the agents that are installed for their versions. */
import { exec } from '../exec.ts';
import type { AgentRow, Surroundings } from './row.ts';

const VERSION_MS = 10_000;

/** What those that can be had here say of their version. Starts them. */
export async function versionsOf(rows: readonly AgentRow[], around: Surroundings): Promise<ReadonlyMap<string, string>> {
  const asked = rows.map(async (row): Promise<readonly [string, string][]> => {
    if (!row.version || row.problem(around) !== undefined) return [];
    const [program, ...args] = row.version(around);
    const { PATH, HOME } = around.env;
    const said = await exec(program, args, { cwd: '/', env: { PATH, HOME }, timeoutMs: VERSION_MS });
    const version = /\d+\.\d+(?:\.\d+)?(?:[-+][\w.]+)?/.exec(said.stdout.toString('utf8'))?.[0];
    return version === undefined ? [] : [[row.name, version]];
  });
  return new Map((await Promise.all(asked)).flat());
}
