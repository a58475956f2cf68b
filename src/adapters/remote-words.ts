/**
 * What git and gh say when something there does not work, as what it means and what to do. A table over their words in the C
 * locale; what nobody has foreseen is shown as it is. Pure.
 */
import type { ErrandTrouble } from '../runs/errand.ts';

type Meaning = { readonly says: RegExp; readonly why: 'network' | 'person'; readonly remedy: string };

const SHOWN_LINES = 3;
const SHOWN_CHARS = 600;

const GIT_SAYS: readonly Meaning[] = [
  {
    says: /terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Permission denied|Host key verification failed|HTTP 40[13]|error: 40[13]/i,
    why: 'person',
    remedy: 'let git log in without asking (a credential helper, an ssh agent): try it with {command}',
  },
  {
    says: /Could not resolve host|Connection (?:refused|timed out|reset|closed)|Operation timed out|Network is unreachable|unable to access|early EOF|hung up|error: 5\d\d|HTTP 5\d\d|cannot lock ref|failed to update ref/i,
    why: 'network',
    remedy: 'nothing to do, if the network comes back: it is tried again by itself',
  },
  {
    says: /does not appear to be a git repository|Repository not found|repository '.*' (?:not found|does not exist)|No such (?:remote|file)|could not read from remote repository/i,
    why: 'person',
    remedy: 'see that the repository is there, and that remote in the config names it: {command}',
  },
];

const GH_SAYS: readonly Meaning[] = [
  { says: /rate limit|HTTP 429|abuse detection/i, why: 'network', remedy: 'GitHub wants a pause: it is tried again by itself' },
  { says: /gh auth login|not logged in|authentication|HTTP 401|bad credentials/i, why: 'person', remedy: 'log in: gh auth login' },
  {
    says: /HTTP 403|Resource not accessible|must have (?:push|write)|does not have the correct permissions/i,
    why: 'person',
    remedy: 'give the account of gh (gh auth status) the right to open pull requests there',
  },
  {
    says: /Could not resolve|dial tcp|i\/o timeout|connection (?:refused|reset)|error connecting|HTTP 5\d\d|TLS handshake|EOF$/im,
    why: 'network',
    remedy: 'nothing to do, if the network comes back: it is tried again by itself',
  },
];

type Said = { readonly code: number | undefined; readonly err: string; readonly timedOut: boolean; readonly stopped: boolean; readonly missing: boolean };

/** `limit`: in words; `command`: what a person can try. */
export function gitTrouble(said: Said, what: string, limit: string, command: string): ErrandTrouble {
  return trouble(said, what, limit, GIT_SAYS, `see what it says by hand: ${command}`, command);
}

/** gh ends with 4 where it is not logged in. */
export function ghTrouble(said: Said, what: string, limit: string): ErrandTrouble {
  if (said.missing)
    return {
      kind: 'later',
      why: 'person',
      message: `gh is not installed: ${what} cannot be done`,
      remedy: 'install it (https://cli.github.com) and log in: gh auth login',
    };
  if (said.code === GH_NO_AUTH)
    return { kind: 'later', why: 'person', message: `gh is not logged in: ${firstLines(said.err)}`, remedy: 'log in: gh auth login' };
  return trouble(said, what, limit, GH_SAYS, 'see what gh says by hand: gh pr status', 'gh pr status');
}

const GH_NO_AUTH = 4;

function trouble(said: Said, what: string, limit: string, meanings: readonly Meaning[], otherwise: string, command: string): ErrandTrouble {
  if (said.stopped) return { kind: 'later', why: 'busy', message: `${what} was stopped`, remedy: 'it goes on at the next start' };
  if (said.timedOut)
    return {
      kind: 'later',
      why: 'network',
      message: `${what} did not end within ${limit} (limits.remote) and was stopped`,
      remedy: `it is tried again by itself; see by hand why it hangs: ${command}`,
    };
  const message = `${what} failed: ${firstLines(said.err)}`;
  const meaning = meanings.find(({ says }) => says.test(said.err));
  return { kind: 'later', why: meaning?.why ?? 'person', message, remedy: (meaning?.remedy ?? otherwise).replace('{command}', command) };
}

/** What matters comes first; hints and empty lines do not. */
export function firstLines(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'));
  return lines.slice(0, SHOWN_LINES).join('; ').slice(0, SHOWN_CHARS) || 'it said nothing';
}
