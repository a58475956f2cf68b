/** What whoever sits in front of this process is called (7-R9), without loading what checks a name. */
import { hostname, userInfo } from 'node:os';

type Env = Readonly<Record<string, string | undefined>>;

/** Variables that coding agents set for the commands that they run. */
const AGENT_MARKS: Readonly<Record<string, string>> = {
  CLAUDECODE: 'claude',
  GEMINI_CLI: 'gemini',
  CODEX_SANDBOX: 'codex',
  CODEX_SANDBOX_NETWORK_DISABLED: 'codex',
  OPENCODE: 'opencode',
  CURSOR_AGENT: 'cursor',
};

let self: string | undefined;

/** `<user>@<host>`, in letters that can stand in the list. Asked of the system once: a server asks for each request. */
export const selfName = (): string => (self ??= `${userInfo().username}@${hostname()}`.replaceAll(/[^\p{L}\p{N}@._-]/gu, '-'));

/** The agent whose tool this is called from, by what the tool sets. */
export function agentAround(env: Env): string | undefined {
  const mark = Object.keys(AGENT_MARKS).find((key) => (env[key] ?? '') !== '');
  return mark === undefined ? undefined : AGENT_MARKS[mark];
}

/** `named` = what `--as` says. */
export const nameSaid = (named: string | undefined, env: Env): string | undefined => named ?? (env['TODONE_INSTANCE'] || undefined);

/** Outside of a run. */
export function nameOutside(named: string | undefined, env: Env): string {
  const agent = agentAround(env);
  return nameSaid(named, env) ?? (agent === undefined ? selfName() : `${agent}-${selfName()}`);
}
