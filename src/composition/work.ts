/**
 * The ports of an owner, wired: everything that the engine needs to work on one list, and how to let go of it again.
 * The only place that knows which adapter implements which port.
 */
import type { Config } from '../config.ts';
import { createEngine, type Engine } from '../engine/engine.ts';
import type { Clock, Log, TaskFile } from '../engine/ports.ts';
import { plainText } from '../runs/plain-text.ts';
import { applyEdits } from '../tasks/edit.ts';
import { openAgents } from '../adapters/agents/agents.ts';
import { openGit } from '../adapters/git.ts';
import { openGitState } from '../adapters/git-state.ts';
import { openLanding } from '../adapters/landing.ts';
import { openPrompts } from '../adapters/prompts.ts';
import { openRedaction } from '../adapters/redact.ts';
import { openJournal } from '../adapters/sqlite.ts';
import { openTaskFile } from '../adapters/task-file.ts';
import { openVerify } from '../adapters/verify.ts';
import { openWorkspaces } from '../adapters/workspaces.ts';
import type { Place } from './place.ts';

export type Work = {
  readonly engine: Engine;
  readonly list: TaskFile;
  close(): Promise<void>;
};

export type WorkOptions = {
  readonly place: Place;
  readonly term: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: () => Config;
  readonly instance: string;
  /** False for one request without a daemon: no run is begun or recovered. */
  readonly works: boolean;
};

export async function openWork(options: WorkOptions): Promise<Work> {
  throw new Error(`not wired ${String(openAgents)} ${String(options)} ${[createEngine, plainText, applyEdits, openGit, openGitState, openLanding, openPrompts, openRedaction, openJournal, openTaskFile, openVerify, openWorkspaces].length}`);
}
