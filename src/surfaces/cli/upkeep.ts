/**
 * What the upkeep commands need of the rest, as plain functions; a part of `App`. Never imports an adapter, never decides.
 */
import type { AuditFinding } from '../../runs/audit.ts';
import type { KeptFact } from '../../runs/evidence.ts';
import type { Finding } from '../../runs/reconcile.ts';
import type { Report } from '../../runs/report.ts';
import type { Restored } from './app.ts';
import type { CliFailure } from './failure.ts';

/** `fixed` = what was put right just now; `findings` = what is left. */
export type Reconciled = { readonly findings: readonly Finding[]; readonly fixed: readonly Finding[] };

/** A version of the list that a write displaced. Bytes; ms since 1970; lines against the next newer version, or the list itself. */
export type VersionFact = {
  readonly name: string;
  readonly at: number;
  /** By whom it was displaced, and whether it is in a later one whole. */
  readonly kind: 'before' | 'saved' | 'kept' | 'left' | 'replaced';
  readonly bytes: number;
  readonly added: number;
  readonly removed: number;
};

export type CleanedPath = {
  readonly section: string;
  readonly path: string;
  /** `would` in a dry run. */
  readonly outcome: 'removed' | 'would' | 'kept';
  /** Why it is kept. */
  readonly why: string | null;
  /** The snapshot that was made of what was in it, and what git ignores and goes with it. */
  readonly snapshot: string | null;
  readonly ignored: readonly string[];
};

export type RestoreOptions = { readonly into?: string; readonly attempt?: number; readonly dryRun: boolean };

/** Agents whose place for rules is known; `other` = whoever reads AGENTS.md. */
export const RULES_AGENTS = ['claude', 'codex', 'gemini', 'opencode', 'other'] as const;
export type RulesAgent = (typeof RULES_AGENTS)[number];
/** `file` = from the top of the repository; `skipped` = it was like that already. */
export type RulesDone = { readonly agent: RulesAgent; readonly file: string; readonly what: 'install' | 'uninstall'; readonly done: 'done' | 'skipped' };
export type RulesPlace = { readonly agent: RulesAgent; readonly file: string; readonly installed: boolean };

export type Audited = {
  readonly findings: readonly AuditFinding[];
  /** What became of the one issue; null where it was not asked for. */
  readonly issue: { readonly done: 'created' | 'updated' | 'current' | 'closed' | 'none'; readonly url: string | null } | null;
};

/** What to archive, or to bring back: these tasks, or all that fit. `olderThan` in ms. */
export type ArchiveInput = { readonly tasks: readonly string[]; readonly section?: string | undefined; readonly olderThan: number; readonly summary: boolean };
export type ArchivedTask = { readonly id: string | null; readonly section: string; readonly title: string; readonly line: number | null };
/** `done` false in a dry run. */
export type ArchiveDone = {
  readonly what: 'archived' | 'unarchived';
  readonly done: boolean;
  readonly tasks: readonly ArchivedTask[];
  /** What was asked for and stays where it is, with the reason. */
  readonly staying: readonly (ArchivedTask & { readonly why: string })[];
};

export type Upkeep = {
  readonly reconcile: (fix: boolean) => Promise<Reconciled | CliFailure>;
  /** The newest first. */
  readonly versions: () => Promise<readonly VersionFact[]>;
  /** The text of one, by its name or the beginning of it. */
  readonly version: (name: string) => Promise<{ readonly text: string } | CliFailure>;
  /** Without a section, all that are over. */
  readonly clean: (section: string | undefined, dryRun: boolean) => Promise<readonly CleanedPath[] | CliFailure>;
  /** Snapshots of a task, the newest first. */
  readonly kept: (id: string) => Promise<readonly KeptFact[]>;
  readonly archive: (input: ArchiveInput, how: 'archive' | 'undo' | 'dry') => Promise<ArchiveDone | CliFailure>;
  /** Where archived tasks are, from the top of the repository. */
  readonly archiveName: string;
  readonly audit: (issue: boolean, signal: AbortSignal) => Promise<Audited | CliFailure>;
  /** Of the time from then (ms since 1970) to now. */
  readonly report: (from: number) => Promise<Report>;
  readonly rulesPlaces: () => readonly RulesPlace[];
  /** What a hook says of the session that it belongs to: the JSON that it was given. */
  readonly noteSession: (what: 'start' | 'prompt', said: string) => void;
  readonly changeRules: (what: RulesDone['what'], agent: RulesAgent) => Promise<RulesDone | CliFailure>;
  readonly restore: (id: string, options: RestoreOptions) => Promise<Restored | CliFailure>;
};
