/**
 * Commands by design (5.3-R9): `verify` and the hooks, through the same door, mark and limits as agents. A check in words is told
 * from a command by its first word; it is never run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Clock, Verified, Verify, WorkOrder } from '../engine/ports.ts';
import { plainText } from '../runs/plain-text.ts';
import { environmentOf, type RunVariables } from './environment.ts';
import { writeEvidence } from './evidence.ts';
import { findProgram } from './find-program.ts';
import { launch } from './process.ts';
import type { Redaction } from './redact.ts';
import type { Identity } from './repo.ts';
import { runFolder } from './run-folder.ts';
import { openVerified } from './verified.ts';
import { openRunLog } from './run-log.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export type ShellOptions = {
  readonly config: () => Config;
  readonly stateDir: string;
  readonly epoch: string;
  readonly term: number;
  readonly clock: Clock;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  readonly identity: Identity;
  readonly sandbox: Sandbox;
};

/** Words that sh knows by itself. */
const WORDS_OF_SH: ReadonlySet<string> = new Set(
  (
    '. : [ alias bg break case cd command continue echo eval exec exit export false fg for getopts hash if jobs kill printf pwd read readonly return set shift test times ' +
    'trap true type ulimit umask unset until wait while'
  ).split(' '),
);

export function openVerify(options: ShellOptions): Verify {
  const results = openVerified(options.stateDir);
  return {
    ...results,
    async run(order, command, workspace, signal) {
      if (!isCommand(command, workspace, options.env)) return undefined;
      const variables = { ID: order.id, SECTION: order.section, WORKTREE: workspace, PHASE: 'verify', ATTEMPT: String(order.attempt) };
      const ran = await runShell(options, {
        order,
        command,
        cwd: workspace,
        name: 'verify',
        markedAs: String(order.ticket),
        limitMs: options.config().limits.verify,
        signal,
        added: {},
        variables,
      });
      const verified = { ...ran, command, ok: ran.code === 0 && !ran.timedOut } satisfies Verified;
      writeEvidence(options.stateDir, order, {
        command: options.redaction.redact(command),
        ok: verified.ok,
        code: ran.code ?? null,
        timed_out: ran.timedOut,
        at: options.clock.now(),
        where: workspace,
        output: ran.output,
      });
      return verified;
    },
  };
}

export type HookResult = { readonly code: number | undefined; readonly output: string; readonly timedOut: boolean };

let hooks = 0;

/** Runs a hook for the task that its environment names. */
export const openHooks =
  (options: ShellOptions) =>
  (command: string, cwd: string, env: Readonly<Record<string, string>>, limitMs: number, signal: AbortSignal): Promise<HookResult> => {
    const order = { id: env['TODONE_ID'] ?? 'hooks', ticket: 0 };
    return runShell(options, {
      order,
      command,
      cwd,
      name: 'hook',
      markedAs: `hook${++hooks}`,
      limitMs,
      signal,
      added: env,
      variables: { WORKTREE: env['TODONE_WORKTREE'] ?? cwd },
    });
  };

export type Shell = {
  readonly order: Pick<WorkOrder, 'id' | 'ticket'>;
  readonly command: string;
  readonly cwd: string;
  readonly name: string;
  /** The last part of the mark: two at once must not sweep each other. */
  readonly markedAs: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly added: Readonly<Record<string, string>>;
  readonly variables: Partial<RunVariables>;
  /** What it needs to see and to write outside of `cwd`. */
  readonly readable?: readonly string[];
  readonly writable?: readonly string[];
};

export async function runShell(options: ShellOptions, shell: Shell): Promise<HookResult> {
  const { order } = shell;
  const folder = runFolder(options.stateDir, order.id, order.ticket);
  const config = options.config();
  const log = openRunLog({
    path: folder.log(shell.name),
    step: shell.name,
    maxBytes: config.limits.outputBytes,
    now: () => options.clock.now(),
    redaction: options.redaction,
    trouble: () => undefined,
  });
  try {
    const env = environmentOf({ from: options.env, passed: config.env, added: shell.added, identity: options.identity, variables: shell.variables });
    const inside = options.sandbox.confine(
      { program: 'sh', args: ['-c', shell.command] },
      { workspace: shell.cwd, env, readable: shell.readable, writable: shell.writable },
    );
    const exit = await launch({
      program: inside.program,
      args: inside.args,
      confined: inside.confined,
      cwd: shell.cwd,
      env,
      mark: `${options.epoch}.${options.term}-${order.id}-${shell.markedAs}`,
      limitMs: shell.limitMs,
      graceMs: config.limits.stopGrace,
      onLine: (text) => log.write({ kind: 'text', text }),
      signal: shell.signal,
    }).finally(() => inside.leave());
    return { code: exit.code, output: plainText(log.tail()), timedOut: exit.ended === 'limit' };
  } finally {
    log.close();
  }
}

/** Whether the first word can be run: a word of the shell, a program on the PATH, or a path. */
export function isCommand(command: string, workspace: string, env: NodeJS.ProcessEnv): boolean {
  const text = command.trim();
  const word = firstWord(text);
  if (word === undefined) return text !== '';
  if (/^[({!<>$`~]/.test(word) || WORDS_OF_SH.has(word)) return true;
  if (word.startsWith('./') || word.startsWith('../') || word.startsWith('/')) return true;
  return word.includes('/') ? existsSync(join(workspace, word)) : findProgram(word, env) !== undefined;
}

/** The first word that is no assignment, without its quotes; a command may consist of assignments only. */
function firstWord(text: string): string | undefined {
  const rest = text.replace(/^(?:[A-Za-z_]\w{0,100}=(?:"[^"]*"|'[^']*'|[^\s"']*)(?:\s+|$))+/, '');
  const match = /^(?:"([^"]*)"|'([^']*)'|([^\s;&|]+))/.exec(rest);
  return match ? (match[1] ?? match[2] ?? match[3]) : undefined;
}
