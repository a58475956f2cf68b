/**
 * Starts short tools (git, ps) and waits for them: fixed arguments, no shell, a time limit that holds even where a
 * grandchild keeps the pipe open. Never for agents or hooks, which live longer than one answer.
 */
import { execa } from 'execa';

export type ExecOptions = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Most bytes of stdout (and of stderr): beyond it the program is stopped and the result is `truncated`. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
};

export type ExecResult = {
  /** Undefined where it was ended by a signal or could not be started. */
  readonly code: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly truncated: boolean;
  /** Why it could not be started, or what ended it. */
  readonly trouble?: string;
};

const TIMEOUT_MS = 120_000;
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_SAID_CHARS = 8_000;
const KILL_GRACE_MS = 1_000;
/** After the kill: how long an answer may still be on its way before we stop waiting for it. */
const ABANDON_MS = 1_000;

export async function exec(program: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const running = execa(program, args, {
    cwd: options.cwd,
    env: definedOnly(options.env),
    extendEnv: false,
    reject: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    timeout: timeoutMs,
    forceKillAfterDelay: KILL_GRACE_MS,
    maxBuffer: options.maxBytes ?? MAX_BYTES,
    killDescendants: true,
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  const result = await withDeadline(running, timeoutMs + KILL_GRACE_MS + ABANDON_MS);
  if (!result) return { code: undefined, stdout: Buffer.alloc(0), stderr: '', timedOut: true, truncated: false, trouble: 'it did not end in time' };
  return {
    code: result.exitCode,
    stdout: bytes(result.stdout),
    stderr: bytes(result.stderr).toString('utf8'),
    timedOut: result.timedOut,
    truncated: result.isMaxBuffer,
    ...(result.exitCode === undefined ? { trouble: result.shortMessage ?? 'it was stopped' } : {}),
  };
}

/** A small program that answers request by request for as long as we live; it ends when its stdin does. */
export type Conversation = {
  readonly stdin: NodeJS.WritableStream;
  readonly stdout: NodeJS.ReadableStream;
  /** Settles when the program has ended, however that was, with what it said on stderr; never rejects. */
  readonly ended: Promise<string>;
  end(): void;
};

export function converse(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>): Conversation {
  const running = execa(program, args, {
    cwd: options.cwd,
    env: definedOnly(options.env),
    extendEnv: false,
    reject: false,
    buffer: false,
    stdin: 'pipe',
  });
  let said = '';
  running.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-MAX_SAID_CHARS);
  });
  running.stdin.on('error', () => undefined);
  const ended = running.then(
    () => said,
    () => said,
  );
  return { stdin: running.stdin, stdout: running.stdout, ended, end: () => void running.stdin.end() };
}

/** A program outside our group and session, whose input ends when we do, however we end; it does not keep us alive. */
export function companion(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>): { readonly ended: Promise<void> } {
  const running = execa(program, args, {
    cwd: options.cwd,
    env: definedOnly(options.env),
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  running.stdin.on('error', () => undefined);
  running.nodeChildProcess.unref();
  if ('unref' in running.stdin && typeof running.stdin.unref === 'function') running.stdin.unref();
  return { ended: running.then(() => undefined) };
}

function definedOnly(env: ExecOptions['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function bytes(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0);
}

async function withDeadline<T>(running: PromiseLike<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
