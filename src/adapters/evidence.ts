/**
 * How `verify` went, kept beside the log of its output in the run's folder, out of an agent's workspace (4-R9); and the last of
 * it for a task.
 */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { runFolder, ticketsOf } from './run-folder.ts';

const VERSION = 1;
const SHOWN_LINES = 20;

const evidenceSchema = z.object({
  version: z.literal(VERSION),
  command: z.string(),
  ok: z.boolean(),
  code: z.number().nullable(),
  timed_out: z.boolean(),
  at: z.number(),
  where: z.string(),
  lines: z.array(z.string()),
});
export type Evidence = Omit<z.output<typeof evidenceSchema>, 'version'> & { readonly path: string };

export function writeEvidence(
  stateDir: string,
  order: { readonly id: string; readonly ticket: number },
  told: Omit<Evidence, 'path' | 'lines'> & { readonly output: string },
): void {
  const { output, ...facts } = told;
  const lines = output.trimEnd().split('\n').slice(-SHOWN_LINES);
  runFolder(stateDir, order.id, order.ticket).write(FILE, JSON.stringify({ version: VERSION, ...facts, lines }));
}

/** Of the newest run that came to its check. */
export function readEvidence(stateDir: string, id: string): Evidence | undefined {
  for (const ticket of ticketsOf(stateDir, id).reverse()) {
    const folder = join(stateDir, 'runs', id, String(ticket));
    try {
      const { version: _version, ...told } = evidenceSchema.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')));
      return { ...told, path: join(folder, 'verify.ndjson') };
    } catch {
      // None in this one, or one that nobody can read.
    }
  }
  return undefined;
}

const FILE = 'verify.json';
