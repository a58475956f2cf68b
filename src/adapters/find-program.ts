/**
 * Where a program is, as a person's shell would find it. A relative name counts from the folder that is given, and a relative
 * folder of the PATH counts nowhere: what lies in a workspace is never started for its name. Never starts anything.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Its whole path, or undefined. */
export function findProgram(program: string, env: NodeJS.ProcessEnv, folder?: string): string | undefined {
  if (program === '') return undefined;
  if (!program.includes('/')) {
    const folders = (env['PATH'] ?? '').split(delimiter).filter((each) => isAbsolute(each));
    return folders.map((each) => join(each, program)).find(isProgram);
  }
  if (!isAbsolute(program) && folder === undefined) return undefined;
  const path = resolve(folder ?? '/', program);
  return isProgram(path) ? path : undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
