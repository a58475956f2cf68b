/**
 * `todone audit`, gathered: list, journal, git and the archive, at this moment. Reads only, but for the one issue.
 */
import { readFileSync } from 'node:fs';
import { keepIssue } from '../adapters/github-issue.ts';
import type { Git } from '../adapters/git.ts';
import { readStrays } from '../adapters/git-strays.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { isOwned } from '../adapters/owner.ts';
import { openSections } from '../adapters/sections.ts';
import { readSessions } from '../adapters/session-log.ts';
import type { Clock, Log } from '../engine/ports.ts';
import { audit, auditIssue } from '../runs/audit.ts';
import { type CliFailure } from '../surfaces/cli/failure.ts';
import type { Audited } from '../surfaces/cli/upkeep.ts';
import { allTasks } from '../tasks/find.ts';
import { parse } from '../tasks/parse.ts';
import { findingsOf } from './findings.ts';
import { archivePathOf, type Place } from './place.ts';
import { sceneOf } from './scene.ts';
import { withGit } from './with-git.ts';
import { redactionOf } from './redaction.ts';

export type AuditOptions = { readonly place: Place; readonly clock: Clock; readonly log: Log };

/** With `issue`, the one issue of this repository says the same then. */
export async function auditPlace(options: AuditOptions, issue: boolean, signal: AbortSignal): Promise<Audited | CliFailure> {
  const { place, clock } = options;
  return withGit(place, async (git) => {
    const { config } = place;
    const now = clock.now();
    const scene = sceneOf(place, [], '', now);
    const sections = openSections({ git, branchPrefix: config.branchPrefix, base: config.base });
    const findings = audit(scene, config.audit, {
      history: historyOf(place),
      reconciled: await findingsOf(options, git),
      strays: await readStrays(git, sections, now - config.audit.commits),
      sessions: readSessions(place.stateDir, now),
      archivedHashes: archivedHashes(place),
      owned: isOwned(place.stateDir),
    });
    if (!issue) return { findings, issue: null };
    const body = findings.length === 0 ? undefined : redactionOf(place).redact(auditIssue(findings, place.listName));
    const kept = await keepIssue(remoteOf(place, git, sections), body, signal);
    return 'kind' in kept ? { kind: 'failure', code: 1, message: `the issue was not kept: ${kept.message}`, remedy: kept.remedy } : { findings, issue: kept };
  });
}

const remoteOf = (place: Place, git: Git, sections: ReturnType<typeof openSections>): Parameters<typeof keepIssue>[0] => ({
  git,
  sections,
  config: () => place.config,
  epoch: `audit${process.pid}`,
  term: 0,
  env: process.env,
  redaction: redactionOf(place),
});

function historyOf(place: Place): ReturnType<ReturnType<typeof openJournalReadOnly>['historySince']> {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    return journal.historySince(0);
  } finally {
    journal.close();
  }
}

function archivedHashes(place: Place): string[] {
  try {
    return [...allTasks(parse(readFileSync(archivePathOf(place), 'utf8'), place.config))].flatMap(({ task }) => task.marker.hash ?? []);
  } catch {
    return [];
  }
}
