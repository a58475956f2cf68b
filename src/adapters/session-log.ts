/**
 * What hooks tell of the sessions of agents that a person started (6.4-R2): one line for a beginning, a prompt, a look at the queue. Only
 * ever added to, so that nobody waits; what is older than a week goes when a session begins. Never fails a command.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { SessionFact } from '../runs/audit.ts';

const KEEP_MS = 7 * 86_400_000;
const TIDY_BYTES = 256 * 1024;
const NAME = /^[\w.-]{1,100}$/;

const rowSchema = z.object({ v: z.literal(1), at: z.number(), what: z.enum(['start', 'prompt', 'read']), session: z.string().nullable(), agent: z.string() });
type Row = z.output<typeof rowSchema>;

const fileOf = (stateDir: string): string => join(stateDir, 'sessions.ndjson');

/** `session` null = nobody knows which. Without a state folder there is no list that could be read. */
export function noteSession(stateDir: string, row: Omit<Row, 'v'>): void {
  if (!existsSync(stateDir) || (row.session !== null && !NAME.test(row.session))) return;
  try {
    if (row.what === 'start') tidy(stateDir, row.at);
    appendFileSync(fileOf(stateDir), `${JSON.stringify({ v: 1, ...row })}\n`, { mode: 0o600 });
  } catch {
    // A full disk, or a folder that cannot be written from here: the session is one that nobody knows of.
  }
}

/** What `todone` reads its own session from, for the commands that the agent runs. */
export function tellSession(envFile: string | undefined, session: string): void {
  if (envFile === undefined || envFile === '' || !NAME.test(session)) return;
  try {
    appendFileSync(envFile, `export TODONE_SESSION=${session}\n`);
  } catch {
    // Then its looks at the queue count for every session of that time.
  }
}

/** Those of the last week. */
export function readSessions(stateDir: string, now: number): readonly SessionFact[] {
  const sessions = new Map<string, { agent: string; startedAt: number; lastAt: number; prompts: number; read: boolean }>();
  const nameless: number[] = [];
  for (const { at, what, session, agent } of rowsOf(stateDir)) {
    if (now - at > KEEP_MS) continue;
    if (session === null) {
      nameless.push(at);
      continue;
    }
    const known = sessions.get(session) ?? { agent, startedAt: at, lastAt: at, prompts: 0, read: false };
    sessions.set(session, { ...known, lastAt: at, prompts: known.prompts + (what === 'prompt' ? 1 : 0), read: known.read || what === 'read' });
  }
  return [...sessions].map(([session, fact]) => ({
    session,
    ...fact,
    // Through MCP nobody says which session it is.
    read: fact.read || nameless.some((at) => at >= fact.startedAt && at <= fact.lastAt + GRACE_MS),
  }));
}

const GRACE_MS = 600_000;

function rowsOf(stateDir: string): Row[] {
  let text: string;
  try {
    text = readFileSync(fileOf(stateDir), 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return rowSchema.parse(JSON.parse(line));
    } catch {
      return [];
    }
  });
}

function tidy(stateDir: string, now: number): void {
  const file = fileOf(stateDir);
  if (!existsSync(file) || statSync(file).size < TIDY_BYTES) return;
  const rows = rowsOf(stateDir).filter(({ at }) => now - at <= KEEP_MS);
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { mode: 0o600 });
  renameSync(beside, file);
}
