/**
 * What `verify` has passed on (4-R9): the tree and the command, so that the same is not proven twice, also after a restart.
 * Only what passed is kept: what failed may have been the machine's fault. Losing the file costs a run of `verify`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verify } from '../engine/ports.ts';
import { writeWhole } from './git-config.ts';

const KEPT = 500;

export function openVerified(stateDir: string): Pick<Verify, 'hasPassed' | 'passed'> {
  const file = join(stateDir, 'verified.json');
  let known: string[] | undefined;
  const load = (): string[] => (known ??= read(file));
  return {
    hasPassed: (tree, command) => load().includes(keyOf(tree, command)),
    passed(tree, command) {
      const key = keyOf(tree, command);
      known = [...load().filter((each) => each !== key), key].slice(-KEPT);
      writeWhole(file, JSON.stringify(known));
    },
  };
}

const keyOf = (tree: string, command: string): string => createHash('sha256').update(`${tree}\n${command}`).digest('hex').slice(0, 32);

function read(file: string): string[] {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(found) ? found.filter((each): each is string => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
