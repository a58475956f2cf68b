/**
 * Failures as text (7-R2): what, where, why, what to do; and no stack unless it was asked for.
 */
import type { CliFailure } from './failure.ts';
import { type Look, paint, wrap } from './layout.ts';

export function renderFailure(failure: CliFailure, look: Look, verbose = false): string {
  return `${[
    ...wrap(failure.message, look, `${paint(look, 'bad', 'error:')} `, '  '),
    ...(failure.where === undefined ? [] : [`  where: ${failure.where}`]),
    ...(failure.why === undefined ? [] : wrap(failure.why, look, '  why: ', '    ')),
    ...wrap(failure.remedy, look, '  do: ', '    '),
    ...(verbose && failure.stack !== undefined ? ['', failure.stack] : []),
  ].join('\n')}\n`;
}
