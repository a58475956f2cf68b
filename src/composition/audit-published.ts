/**
 * `todone audit --published`: the audit of what another machine published, where neither its journal nor its list is at hand (6.4-R4).
 */
import { decodeKnown, decodeRun } from '../adapters/journal-rows.ts';
import { openSections } from '../adapters/sections.ts';
import { fetchFiles, STATE_REF } from '../adapters/state-ref.ts';
import { keepIssue } from '../adapters/github-issue.ts';
import { auditIssue, type AuditFinding } from '../runs/audit.ts';
import { auditPublished, PUBLISHED_VERSION, publishedSchema } from '../runs/published.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { Audited } from '../surfaces/cli/upkeep.ts';
import type { Place } from './place.ts';
import { withGit } from './with-git.ts';
import { redactionOf } from './redaction.ts';

export type AuditPublishedOptions = { readonly place: Place; readonly remote: string | undefined; readonly issue: boolean; readonly now: number };

export async function auditRemote({ place, remote, issue, now }: AuditPublishedOptions, signal: AbortSignal): Promise<Audited | CliFailure> {
  const { config } = place;
  const name = remote ?? config.remote;
  return withGit(place, async (git) => {
    const redaction = redactionOf(place);
    const use = { git, config: () => config, epoch: `audit${process.pid}`, term: 0, env: process.env, redaction };
    const files = await fetchFiles(use, name, signal);
    if (files && 'kind' in files) return failure(1, files.message, files.remedy);
    if (!files) return failure(1, `${name} has no ${STATE_REF}`, 'set publish: true in the config where todone start runs, and let it push there');
    const read = readState(files.state);
    if ('kind' in read) return read;
    const findings: AuditFinding[] = auditPublished(read.published, files.list, read, config, now);
    if (!issue) return { findings, issue: null };
    const sections = openSections({ git, branchPrefix: config.branchPrefix, base: config.base });
    const body = findings.length === 0 ? undefined : redaction.redact(auditIssue(findings, read.published.list));
    const kept = await keepIssue({ ...use, sections }, body, signal);
    return 'kind' in kept ? failure(1, `the issue was not kept: ${kept.message}`, kept.remedy) : { findings, issue: kept };
  });
}

type Read = {
  readonly published: ReturnType<typeof publishedSchema.parse>;
  readonly known: Parameters<typeof auditPublished>[2]['known'];
  readonly runs: Parameters<typeof auditPublished>[2]['runs'];
};

function readState(text: string): Read | CliFailure {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return failure(1, `${STATE_REF} holds no state that can be read`, 'see what wrote it; a daemon with publish: true writes it anew');
  }
  const version = typeof said === 'object' && said !== null && 'version' in said ? Number(said.version) : 0;
  if (version > PUBLISHED_VERSION) return failure(2, `the published state is of a newer ToDone (version ${version})`, 'update ToDone where the audit runs');
  const parsed = publishedSchema.safeParse(said);
  if (!parsed.success) return failure(1, `${STATE_REF} holds no state that can be read`, 'see what wrote it; a daemon with publish: true writes it anew');
  const { known, runs } = parsed.data;
  return {
    published: parsed.data,
    known: known.flatMap((row) => rowOf(decodeKnown(JSON.stringify(row)))),
    runs: runs.flatMap((row) => rowOf(decodeRun(JSON.stringify(row)))),
  };
}

const rowOf = <T>(decoded: { readonly row: T } | { readonly problem: string }): T[] => ('row' in decoded ? [decoded.row] : []);

const failure = (code: 1 | 2, message: string, remedy: string): CliFailure => ({ kind: 'failure', code, message, remedy });
