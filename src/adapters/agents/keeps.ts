/**
 * Where clients keep sessions and accounts: what a sandbox has to let them write (5.3-R8). A table by kind of client.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `variable` names the place where it is set, else `path` does, from home; a file is only given where it is there. */
type Kept = { readonly variable?: string; readonly path: string; readonly isFile?: boolean };

const KEPT: Readonly<Record<string, readonly Kept[]>> = {
  claude: [
    { variable: 'CLAUDE_CONFIG_DIR', path: '.claude' },
    { path: '.claude.json', isFile: true },
  ],
  codex: [{ variable: 'CODEX_HOME', path: '.codex' }],
  gemini: [{ path: '.gemini' }],
  opencode: [{ path: '.config/opencode' }, { path: '.local/share/opencode' }, { path: '.local/state/opencode' }, { path: '.cache/opencode' }],
};

/** Absolute; of one kind of client, which may begin with it. */
export function keptBy(kind: string, env: NodeJS.ProcessEnv): string[] {
  return (KEPT[kind] ?? []).flatMap(({ variable, path, isFile }) => {
    const place = (variable === undefined ? undefined : env[variable]) ?? join(env['HOME'] ?? homedir(), path);
    return isFile && !existsSync(place) ? [] : [place];
  });
}

/** Of every kind, as far as it is there: for a program that may be any of them. */
export const keptByAny = (env: NodeJS.ProcessEnv): string[] =>
  Object.keys(KEPT)
    .flatMap((kind) => keptBy(kind, env))
    .filter((path) => existsSync(path));
