/**
 * Requests that only the process that owns the list may carry out, with all that it has open: a daemon over its socket, else this process as
 * its owner for one turn. The facts that they rest on are gathered there, so that nobody can hand in a proof.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { takeOwnership } from '../adapters/owner.ts';
import { callSocket, NobodyListens } from '../adapters/socket-call.ts';
import { socketPath } from '../adapters/socket-path.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { SectionState } from '../runs/over.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import { archiveTasks, unarchiveTasks } from './archive.ts';
import { clean } from './clean.ts';
import { findingsOf } from './findings.ts';
import { makeStateDir, type Place } from './place.ts';
import { openWork, type Work } from './work.ts';

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reconcile'), by: z.string().max(200) }),
  z.strictObject({ kind: z.literal('clean'), section: z.string().optional() }),
  z.strictObject({
    kind: z.literal('archive'),
    by: z.string().max(200),
    undo: z.boolean(),
    input: z.strictObject({ tasks: z.array(z.string().max(1000)).max(10_000), section: z.string().optional(), olderThan: z.number(), summary: z.boolean() }),
  }),
]);
export type OwnerRequest = z.output<typeof requestSchema>;

type Asking = { readonly place: Place; readonly clock: Clock; readonly log: Log; readonly by: string };

const TRY_MS = 50;
const TRIES_MAX = 100;

/** Undefined where it is none of these. */
export function ownerRequest(written: unknown): OwnerRequest | undefined {
  const parsed = requestSchema.safeParse(written);
  return parsed.success ? parsed.data : undefined;
}

export async function carryOut(
  opened: Pick<Work, 'engine' | 'git' | 'runHook'>,
  { place, clock, log }: Omit<Asking, 'by'>,
  request: OwnerRequest,
): Promise<unknown> {
  const { engine, git, runHook } = opened;
  switch (request.kind) {
    case 'reconcile': {
      const fixes = (await findingsOf({ place, clock, log }, git)).flatMap((finding) => finding.fix ?? []);
      return fixes.length === 0 ? undefined : engine.ask({ kind: 'mark', fixes }, request.by, 'cli');
    }
    case 'archive':
      return (request.undo ? unarchiveTasks : archiveTasks)({ place, clock }, { engine, git }, request.input, request.by);
    case 'clean': {
      await engine.look();
      const state = (): SectionState | undefined => {
        const { board, world } = engine.now();
        return board && { board, runs: world.runs.values() };
      };
      return clean(git, { place, log, section: request.section, dryRun: false, state, runHook });
    }
  }
}

export async function asOwner(asking: Asking, request: OwnerRequest): Promise<unknown> {
  const { place, clock, log, by } = asking;
  makeStateDir(place);
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const ownership = takeOwnership(place.stateDir);
    if (ownership) {
      try {
        return await once(
          await openWork({
            place,
            term: ownership.term,
            owns: () => ownership.holds(),
            clock,
            log,
            config: () => place.config,
            instance: by,
            works: false,
            waits: false,
            patienceMs: 0,
          }),
          asking,
          request,
        );
      } finally {
        ownership.release();
      }
    }
    try {
      return await callSocket(socketPath(place.stateDir), request);
    } catch (error) {
      // Between two owners: look again.
      if (!(error instanceof NobodyListens)) throw error;
    }
    await sleep(TRY_MS);
  }
  return {
    kind: 'failure',
    code: 3,
    message: 'the ToDone that owns this list does not answer',
    remedy: 'todone doctor shows its process',
  } satisfies CliFailure;
}

async function once(opened: Work, asking: Asking, request: OwnerRequest): Promise<unknown> {
  try {
    await opened.engine.start();
    const answer = await carryOut(opened, asking, request);
    await opened.engine.drain();
    return answer;
  } finally {
    await opened.close();
  }
}
