/**
 * What a command could not do, in the four parts of 7-R2, and the exit codes of 7-R1. Values, never thrown: what is thrown is a
 * bug, and `main.ts` says so.
 */
import type { Called } from '../../runs/requests.ts';

export const EXIT = { fine: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type CliFailure = {
  readonly kind: 'failure';
  readonly code: Exclude<ExitCode, 0 | 130>;
  /** What: one sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** `file:line`, where there is one. */
  readonly where?: string;
  readonly why?: string;
  /** Only for --verbose. */
  readonly stack?: string;
};

export const usage = (message: string, remedy: string, more: Pick<CliFailure, 'where' | 'why'> = {}): CliFailure => ({
  kind: 'failure',
  code: EXIT.usage,
  message,
  remedy,
  ...more,
});

export const refused = (message: string, remedy: string, more: Pick<CliFailure, 'where' | 'why'> = {}): CliFailure => ({
  kind: 'failure',
  code: EXIT.refused,
  message,
  remedy,
  ...more,
});

export const isFailure = (value: unknown): value is CliFailure => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'failure';

/** A request that was not done. */
export function failureOf(called: Extract<Called, { ok: false }>): CliFailure {
  const { exit, message, remedy } = called.refusal;
  return exit === 2 ? usage(message, remedy) : refused(message, remedy);
}

/** The name of an exit code for programs. */
export const CODE_NAMES: Readonly<Record<CliFailure['code'], string>> = { 1: 'failed', 2: 'usage', 3: 'refused' };
