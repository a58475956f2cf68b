/** What must not be shown of a project: the secrets of this environment and of its `.env` files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRedaction, type Redaction } from '../adapters/redact.ts';
import type { Place } from './place.ts';

/** Secrets of the environment and of the `.env*` files at the top. */
export function redactionOf(place: Place): Redaction {
  const files = readdirSync(place.repo.top).filter((name) => name.startsWith('.env'));
  return openRedaction(
    process.env,
    files.flatMap((name) => readText(join(place.repo.top, name))),
  );
}

function readText(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}
