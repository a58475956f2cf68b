/**
 * What a run's processes find in their environment (5.2-R1): an allow-list, the run's own variables, and the person's git
 * identity. Never a variable of git itself, and no key that was not named.
 */
import type { Identity } from './repo.ts';

const ALLOWED: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TERM',
  'TMPDIR',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'COLORTERM',
];
const ALLOWED_PREFIXES: readonly string[] = ['LC_', 'XDG_'];

export type RunVariables = Readonly<Record<'ID' | 'SECTION' | 'WORKTREE' | 'PHASE' | 'ATTEMPT' | 'PLAN' | 'RESULT' | 'PORT' | 'SOCKET' | 'TOKEN', string>>;

export function environmentOf(options: {
  readonly from: NodeJS.ProcessEnv;
  readonly passed: readonly string[];
  readonly added: Readonly<Record<string, string>>;
  readonly identity: Identity;
  readonly variables: Partial<RunVariables>;
}): Record<string, string> {
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  for (const [name, value] of Object.entries(options.from)) if (value !== undefined && isAllowed(name, options.passed)) env[name] = value;
  const { name, email } = options.identity;
  // Debian's bash takes a socket as stdin and no SHLVL for a remote login, and reads ~/.bashrc.
  Object.assign(
    env,
    {
      SHLVL: '1',
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_TERMINAL_PROMPT: '0',
      GIT_EDITOR: 'true',
    },
    options.added,
  );
  for (const [key, value] of Object.entries(options.variables)) env[`TODONE_${key}`] = value;
  return env;
}

/** A variable of git would make an agent's git answer for another repository, whoever asks for it. */
const isAllowed = (name: string, passed: readonly string[]): boolean =>
  ALLOWED.includes(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix)) || (passed.includes(name) && !name.startsWith('GIT_'));
