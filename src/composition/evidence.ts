/**
 * Gathers what is left of tasks outside the journal, where that does not know what the list names: after it was lost, or for a
 * list from elsewhere. Reads only.
 */
import { readFileSync } from 'node:fs';
import type { Git } from '../adapters/git.ts';
import { readGitFacts } from '../adapters/git-facts.ts';
import { allTickets } from '../adapters/run-folder.ts';
import { claimsBegun } from '../adapters/list-intents.ts';
import { holdersIn } from '../adapters/workspaces.ts';
import type { Sections } from '../adapters/sections.ts';
import type { ListFile } from '../adapters/task-file.ts';
import type { Stored } from '../engine/ports.ts';
import { type Evidence, evidenceOf, type LineFact } from '../runs/evidence.ts';
import { idOf } from '../tasks/find.ts';
import { type ParseOptions, parse } from '../tasks/parse.ts';

/** Versions of the list that are looked through for how a line was written, newest first. */
const VERSIONS_MAX = 20;
const VERSION_BYTES_MAX = 32 * 1024 * 1024;
const CLAIMED = /\[🟡,?\s*([g-z][0-9a-z]{7})\s*\]/gu;

export type EvidenceOptions = {
  readonly git: Git;
  readonly sections: Sections;
  readonly list: ListFile;
  readonly stateDir: string;
  readonly parse: ParseOptions;
};

/** Undefined where the journal knows all that the list says is being worked on. */
export async function evidenceFor(stored: Pick<Stored, 'known'>, options: EvidenceOptions): Promise<Evidence | undefined> {
  const known = new Set(stored.known.map((row) => row.id));
  if (known.size > 0 && claimedOn(options.list.path).every((id) => known.has(id))) return undefined;
  return evidenceOf(await readGitFacts(options.git, options.sections), ticketsKnown(options), await oldLines(options.list, options.parse));
}

/** Of every task that was begun, as far as anything tells: a folder of its run, a workspace that it holds, a claim that was being written. */
function ticketsKnown({ git, stateDir }: EvidenceOptions): ReadonlyMap<string, number> {
  const tickets = new Map(claimsBegun(stateDir).map((id) => [id, 0]));
  for (const [id, ticket] of [...holdersIn(git.home), ...allTickets(stateDir)]) tickets.set(id, Math.max(ticket, tickets.get(id) ?? 0));
  return tickets;
}

function claimedOn(path: string): string[] {
  try {
    return [...readFileSync(path, 'utf8').matchAll(CLAIMED)].map((match) => match[1] ?? '');
  } catch {
    return [];
  }
}

/** How the displaced versions of the list wrote each line that had an id, the newest first. */
export async function oldLines(list: ListFile, options: ParseOptions): Promise<ReadonlyMap<string, LineFact>> {
  const lines = new Map<string, LineFact>();
  let bytes = 0;
  for (const version of (await list.versions()).slice(0, VERSIONS_MAX)) {
    if ((bytes += version.bytes) > VERSION_BYTES_MAX) break;
    for (const section of parse((await list.version(version.name)).toString('utf8'), options).sections) {
      if (section.name === undefined) continue;
      for (const task of section.tasks) {
        const id = idOf(task);
        if (id !== undefined && !lines.has(id)) lines.set(id, { section: task.section, text: task.text, occurrence: task.occurrence });
      }
    }
  }
  return lines;
}
