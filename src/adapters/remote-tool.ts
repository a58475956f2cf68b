/**
 * Programs that talk to another machine: `git push`, `git fetch`, `gh`. Through the door of long processes, so that one that
 * hangs is stopped with its children after a time limit, and one that outlives a killed daemon is swept. Never asks a person.
 */
import type { Config } from '../config.ts';
import type { Redaction } from './redact.ts';
import { plainText } from '../runs/plain-text.ts';
import type { Git } from './git.ts';
import { launch } from './process.ts';

export type RemoteOptions = {
  readonly git: Git;
  readonly config: () => Config;
  readonly epoch: string;
  readonly term: number;
  readonly env: NodeJS.ProcessEnv;
  readonly redaction: Redaction;
};

export type Told = {
  readonly code: number | undefined;
  readonly out: string;
  /** Safe to show: no control characters, no secrets. */
  readonly err: string;
  readonly timedOut: boolean;
  readonly stopped: boolean;
  /** The program is not there. */
  readonly missing: boolean;
};

const LINES_MAX = 20_000;
let calls = 0;

type Call = { readonly program: string; readonly args: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> };

export async function callRemote(options: RemoteOptions, call: Call, signal: AbortSignal): Promise<Told> {
  const { limits } = options.config();
  const said: Record<'stdout' | 'stderr', string[]> = { stdout: [], stderr: [] };
  const exit = await launch({
    ...call,
    mark: `${options.epoch}.${options.term}-remote-${++calls}`,
    limitMs: limits.remote,
    graceMs: limits.stopGrace,
    onLine: (line, from) => void (said[from].length < LINES_MAX && said[from].push(line)),
    signal,
  });
  return {
    code: exit.code,
    out: said.stdout.join('\n'),
    err: plainText(options.redaction.redact(said.stderr.join('\n'))),
    timedOut: exit.ended === 'limit',
    stopped: exit.ended === 'stop',
    missing: exit.trouble === 'ENOENT',
  };
}

/** git with the trusted config: the person's credentials and ssh, but no hook, and nothing that asks on a terminal. */
export function callGit(options: RemoteOptions, args: readonly string[], signal: AbortSignal): Promise<Told> {
  const { git, env } = options;
  const command = git.command([...QUIET, ...args]);
  const ssh = env['GIT_SSH_COMMAND'] ?? (git.config.get('core.sshcommand') === undefined ? 'ssh -o BatchMode=yes' : undefined);
  return callRemote(options, { ...command, env: { ...command.env, ...(ssh === undefined ? {} : { GIT_SSH_COMMAND: ssh }) } }, signal);
}

/** On top of what is in force for every git of ours. */
const QUIET = [
  'push.followTags=false',
  'push.recurseSubmodules=no',
  'fetch.recurseSubmodules=no',
  'fetch.writeCommitGraph=false',
  'credential.interactive=false',
].flatMap((setting) => ['-c', setting]);
