/**
 * Publishing (6.4-R4): list and state go to the remote after each change, and every hour. Beside the wheel: never two at a time, never
 * waited for, each with a time limit; what goes wrong is said, shown by `todone status` and tried again, ever more slowly.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Redaction } from '../adapters/redact.ts';
import { publishFiles } from '../adapters/state-ref.ts';
import type { Config } from '../config.ts';
import type { Clock, Log } from '../engine/ports.ts';
import type { AuditFinding } from '../runs/audit.ts';
import type { Scene } from '../runs/choose.ts';
import { publishedOf, publishKey } from '../runs/published.ts';
import { draftOf } from '../runs/world.ts';
import type { Publishing } from '../surfaces/cli/app.ts';
import { isFailure } from '../surfaces/cli/failure.ts';
import { auditPlace } from './audit.ts';
import type { Place } from './place.ts';
import { redactionOf } from './redaction.ts';
import type { Work } from './work.ts';

type PublishOptions = {
  readonly place: Place;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly config: () => Config;
  readonly opened: Work;
};

/** Changes that come together go together. */
const GATHER_MS = 2000;
const EVERY_MS = 3_600_000;
const RETRY_MS = 15_000;
let pushes = 0;

/** The returned function ends it; with `last`, what has changed since is published first. */
export function publishChanges(options: PublishOptions): (last: boolean) => Promise<void> {
  const { clock, config, opened, place } = options;
  const abort = new AbortController();
  let cancel: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let key = '';
  let failures = 0;
  /** Something happened since the last look. */
  let stirred = false;
  let firesAt = 0;
  let due = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let found: readonly AuditFinding[] = [];

  const arm = (ms: number): void => {
    if (cancel || running || abort.signal.aborted) return;
    firesAt = clock.ticks() + ms;
    cancel = clock.after(ms, () => {
      cancel = undefined;
      stirred = false;
      running = publish().finally(() => {
        running = undefined;
        arm(stirred && failures === 0 ? GATHER_MS : Math.max(GATHER_MS, due - clock.ticks()));
      });
    });
  };

  const publish = async (): Promise<void> => {
    if (!config().publish) return void (due = clock.ticks() + EVERY_MS);
    const scene = sceneNow(options);
    if (!scene) return void (due = clock.ticks() + GATHER_MS);
    const now = publishKey(scene);
    if (now === key && clock.ticks() < due) return;
    if (clock.ticks() - lookedAt >= EVERY_MS) {
      lookedAt = clock.ticks();
      found = await findings(options, abort.signal);
    }
    const end = await publishNow(options, scene, found, abort.signal);
    if (abort.signal.aborted && end !== undefined) return;
    failures = end === undefined ? 0 : failures + 1;
    key = end === undefined ? now : '';
    due = clock.ticks() + (end === undefined ? EVERY_MS : Math.min(EVERY_MS, RETRY_MS * 2 ** (failures - 1)));
    remember(place, clock.now(), end);
    if (failures === 1) options.log.write('warn', `the state could not be published: ${end?.message ?? ''}`, { remedy: end?.remedy });
  };

  let seen: { readonly board: unknown; readonly runs: readonly unknown[] } = { board: undefined, runs: [] };
  /** Turns and looks that change nothing cost nothing. */
  const isNews = (): boolean => {
    const { board, world } = opened.engine.now();
    const runs = [...world.runs.values()];
    const same = board === seen.board && runs.length === seen.runs.length && runs.every((run, at) => run === seen.runs[at]);
    seen = { board, runs };
    return !same;
  };

  /** While it fails, a change is no reason to try sooner. */
  const unlisten = opened.engine.onTurn(() => {
    if (failures > 0 || !config().publish || !isNews()) return;
    stirred = true;
    // Never put off: turns may follow each other for ever.
    if (firesAt > clock.ticks() + GATHER_MS) {
      cancel?.();
      cancel = undefined;
    }
    arm(GATHER_MS);
  });
  arm(GATHER_MS);
  return async (last) => {
    unlisten();
    cancel?.();
    if (last) {
      await running;
      cancel?.();
      await publish();
    }
    abort.abort();
    await running;
  };
}

/** What became of it; undefined = it was published. */
async function publishNow(
  { opened, config, place }: PublishOptions,
  scene: Scene,
  found: readonly AuditFinding[],
  signal: AbortSignal,
): Promise<{ readonly message: string; readonly remedy: string } | undefined> {
  try {
    const redaction = redactionOf(place);
    const state = publishedOf({ scene, list: place.listName, history: opened.history, found });
    const files = { state: `${JSON.stringify(redacted(state, redaction))}\n`, list: redaction.redact(scene.board.text) };
    const remote = { git: opened.git, config, epoch: 'publish', term: process.pid * 1000 + ++pushes, env: process.env, redaction };
    const end = await publishFiles(remote, files, signal);
    return end.kind === 'done' ? undefined : { message: end.message, remedy: end.remedy };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), remedy: 'nothing to do: it is tried again by itself' };
  }
}

async function findings({ place, clock, log, config }: PublishOptions, signal: AbortSignal): Promise<readonly AuditFinding[]> {
  const looked = await auditPlace({ place: { ...place, config: config() }, clock, log }, false, signal).catch(() => undefined);
  return looked === undefined || isFailure(looked) ? [] : looked.findings;
}

function sceneNow({ opened, clock, config, instance }: PublishOptions): Scene | undefined {
  const { board, problems, world } = opened.engine.now();
  return board && world.list.kind === 'fine' ? { board, draft: draftOf(world), config: config(), now: clock.now(), problems, instance } : undefined;
}

/** Every text within it, so that what is taken out breaks no JSON. */
function redacted(value: unknown, redaction: Redaction): unknown {
  if (typeof value === 'string') return redaction.redact(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, redaction));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redacted(item, redaction)]));
}

// ── what status shows ────────────────────────────────────────────────────────────────────────────

const rememberedSchema = z.object({
  version: z.literal(1),
  at: z.number().nullable(),
  problem: z.object({ message: z.string(), remedy: z.string() }).nullable(),
});
const fileOf = (place: Pick<Place, 'stateDir'>): string => join(place.stateDir, 'publish.json');

function remember(place: Place, now: number, problem: Publishing['problem'] | undefined): void {
  const before = publishingOf(place);
  const text = JSON.stringify({ version: 1, at: problem === undefined ? now : (before?.at ?? null), problem: problem ?? null });
  try {
    mkdirSync(place.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(`${fileOf(place)}.new`, text, { mode: 0o600 });
    renameSync(`${fileOf(place)}.new`, fileOf(place));
  } catch {
    // A full disk: the next try says it again.
  }
}

/** How publishing went last; undefined where nothing was ever published. */
export function publishingOf(place: Pick<Place, 'stateDir'>): Publishing | undefined {
  try {
    const { at, problem } = rememberedSchema.parse(JSON.parse(readFileSync(fileOf(place), 'utf8')));
    return { at, problem };
  } catch {
    return undefined;
  }
}
