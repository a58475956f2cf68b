/**
 * Reports and plans that agents left in the folders of their runs, made as clean of secrets as what was read of them (13-R2): when a phase is
 * over, and later for phases whose daemon was killed before.
 */
import type { Redaction } from './redact.ts';
import { PLAN, RESULT, type RunFolder, runFolder, ticketsOf } from './run-folder.ts';

/** Gives how many had a secret in them. What is too long to be read is cut. */
export function cleanGiven(folder: RunFolder, redaction: Redaction): number {
  let cleaned = 0;
  for (const name of [RESULT, PLAN]) {
    const given = folder.readGiven(name);
    if (given === undefined) continue;
    // The cut may go through a character.
    const clean = redaction.redact(given.tooLong ? given.text.replace(/\uFFFD$/, '') : given.text);
    if (clean === given.text && !given.tooLong) continue;
    folder.write(name, clean);
    cleaned++;
  }
  return cleaned;
}

/** The same for all folders of these tasks. */
export function cleanGivenOf(stateDir: string, ids: Iterable<string>, redaction: Redaction): number {
  let cleaned = 0;
  for (const id of ids) for (const ticket of ticketsOf(stateDir, id)) cleaned += cleanGiven(runFolder(stateDir, id, ticket), redaction);
  return cleaned;
}
