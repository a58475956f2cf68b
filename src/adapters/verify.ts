/**
 * Commands by design (5.3-R9): `verify` and the hooks, through the same door, mark and limits as agents. A check in words is told
 * from a command by its first word; it is never run.
 */
import type { Config } from '../config.ts';
import type { Clock, Verified, Verify, WorkOrder } from '../engine/ports.ts';
import { plainText } from '../runs/plain-text.ts';
import { onPath } from './agents/table.ts';
import { environmentOf } from './environment.ts';
import { launch } from './process.ts';
import type { Redaction } from './redact.ts';
import type { Identity } from './repo.ts';
import { runFolder } from './run-folder.ts';
import { openRunLog } from './run-log.ts';

export type ShellOptions = {
  readonly config: () => Config;
  readonly stateDir: string;
  readonly epoch: string;
  readonly term: number;
  readonly clock: Clock;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  readonly identity: Identity;
};

/** Words of sh that no folder of the PATH holds. */
const BUILTINS: ReadonlySet<string> = new Set(['!', '.', ':', '[', '{', '(', 'case', 'cd', 'command', 'echo', 'eval', 'exec', 'exit', 'export', 'false', 'for', 'if', 'printf', 'pwd', 'read', 'set', 'sh', 'shift', 'test', 'trap', 'true', 'type', 'ulimit', 'umask', 'unset', 'until', 'wait', 'while']);

export function openVerify(options: ShellOptions): Verify {
  return {
    async run(order, command, workspace, signal) {
      if (!isCommand(command, workspace, options.env)) return undefined;
      const ran = await runShell(options, { order, command, cwd: workspace, name: 'verify', limitMs: options.config().limits.verify, signal });
      return { ...ran, command, ok: ran.code === 0 && !ran.timedOut } satisfies Verified;
    },
  };
}

export type HookResult = { readonly code: number | undefined; readonly output: string; readonly timedOut: boolean };

/** Runs a hook for the task that its environment names. */
export const openHooks =
  (options: ShellOptions) =>
  (command: string, cwd: string, env: Readonly<Record<string, string>>, limitMs: number, signal: AbortSignal): Promise<HookResult> => {
    const order = { id: env['TODONE_ID'] ?? 'hooks', ticket: 0, attempt: 1, section: env['TODONE_SECTION'] ?? '', slot: 1 };
    return runShell(options, { order, command, cwd, name: 'hook', limitMs, signal, added: env });
  };

type Shell = { readonly order: WorkOrder; readonly command: string; readonly cwd: string; readonly name: string; readonly limitMs: number; readonly signal: AbortSignal; readonly added?: Readonly<Record<string, string>> };

async function runShell(options: ShellOptions, shell: Shell): Promise<HookResult> {
  const { order } = shell;
  const folder = runFolder(options.stateDir, order.id, order.ticket);
  const config = options.config();
  const log = openRunLog({ path: folder.log(shell.name), step: shell.name, maxBytes: config.limits.outputBytes, now: () => options.clock.now(), redact: (text) => options.redaction.redact(text) });
  try {
    const exit = await launch({
      program: 'sh',
      args: ['-c', shell.command],
      cwd: shell.cwd,
      env: environmentOf({
        from: options.env,
        passed: config.env,
        added: shell.added ?? {},
        identity: options.identity,
        variables: { ID: order.id, SECTION: order.section, WORKTREE: shell.cwd, PHASE: shell.name, ATTEMPT: String(order.attempt) },
      }),
      mark: `${options.epoch}.${options.term}-${order.id}-${order.ticket}`,
      limitMs: shell.limitMs,
      graceMs: config.limits.stopGrace,
      onLine: (text) => log.write({ kind: 'text', text }),
      signal: shell.signal,
    });
    return { code: exit.code, output: plainText(log.tail()), timedOut: exit.ended === 'limit' };
  } finally {
    log.close();
  }
}

/** Whether the first word can be run: a builtin, a program on the PATH, or a path in the workspace. */
export function isCommand(command: string, workspace: string, env: NodeJS.ProcessEnv): boolean {
  const words = command.trim().split(/\s+/);
  const first = words.find((word) => !/^[A-Za-z_]\w*=/.test(word))?.replace(/^\(+/, '');
  if (first === undefined || first === '') return words.length > 0 && /^[A-Za-z_]\w*=/.test(words[0] ?? '');
  if (BUILTINS.has(first)) return true;
  return onPath(first.startsWith('./') ? `${workspace}/${first}` : first, env);
}
