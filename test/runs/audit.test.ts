/** Planted cases of every rule of the audit, and those beside them that are none (6.4-R2). */
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { audit, type AuditFacts, auditIssue, CLAIM_LET_GO, CLAIM_RAN_OUT } from '../../src/runs/audit.ts';
import type { Finding } from '../../src/runs/reconcile.ts';
import type { Known, Run } from '../../src/runs/run.ts';
import { known, run } from '../surfaces/cli/host.ts';
import { sceneOf } from './scene.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ID = 'k3v9x2m1';

const FACTS: AuditFacts = { history: [], reconciled: [], strays: [], sessions: [], archivedHashes: [], owned: true };
type Planted = { readonly facts?: Partial<AuditFacts>; readonly known?: Partial<Known>; readonly run?: Partial<Run> };

function told(line: string, planted: Planted = {}): string[] {
  const scene = sceneOf(`## Git Worktree auth\n${line}\n`, {
    now: NOW,
    world: (world) => {
      if (planted.known) world.known.set(ID, known(ID, { text: 'one', createdAt: NOW - 90 * DAY, updatedAt: NOW - 90 * DAY, ...planted.known }));
      if (planted.run) world.runs.set(ID, run(ID, { text: 'one', startedAt: NOW - 90 * DAY, ...planted.run }));
    },
  });
  return audit(scene, defaultConfig.audit, { ...FACTS, ...planted.facts }).map(({ code, line: at }) => `${code}${at === null ? '' : ` ${at}`}`);
}

const row = (at: number, field: string, old: string | null, now: string | null) => ({ at, id: ID, field, old, new: now, by: 'w1', via: 'cli' });
const outside = (until?: number) => ({ worker: 'w1', via: 'cli', ...(until === undefined ? {} : { leaseMs: 60_000, until }) });
const stray = { commit: 'd'.repeat(40), hash: 'ddddddd', at: NOW - DAY, subject: 'Fix it', agent: 'claude' };
const session = { session: 's1', agent: 'claude', startedAt: NOW - HOUR, lastAt: NOW, prompts: 2, read: false };
const unproven: Finding = {
  code: 'unproven',
  rule: '4-R9',
  severity: 'finding',
  line: 2,
  id: ID,
  section: 'auth',
  title: 'one',
  message: 'm',
  remedy: 'r',
  fix: null,
};
const BUSY = `[🟡 ${ID}] one`;
const OPEN = `[] one {id:${ID}}`;

const PLANTED: readonly (readonly [string, string, string, Planted?])[] = [
  // in progress without an event
  [
    'in progress for 25 hours',
    'stale 2',
    BUSY,
    { known: { state: 'in_progress', updatedAt: NOW - 25 * HOUR }, facts: { history: [row(NOW - 25 * HOUR, 'state', 'open', 'in_progress')] } },
  ],
  ['in progress for 23 hours', '', BUSY, { known: { state: 'in_progress' }, facts: { history: [row(NOW - 23 * HOUR, 'state', 'open', 'in_progress')] } }],
  [
    'a heartbeat an hour ago',
    '',
    BUSY,
    { known: { state: 'in_progress' }, run: { outside: { worker: 'w1', via: 'cli', leaseMs: 2 * HOUR, until: NOW + HOUR } } },
  ],
  ['a person has it for days', 'stale 2', BUSY, { known: { state: 'in_progress' }, run: { outside: outside() } }],
  ['in progress since nobody knows when', '', BUSY],
  // leases
  ['a lease that ran out', 'lease 2', BUSY, { known: { state: 'in_progress' }, run: { startedAt: NOW - HOUR, outside: outside(NOW - 10 * 60_000) } }],
  ['a lease that ran out just now', '', BUSY, { known: { state: 'in_progress' }, run: { startedAt: NOW - HOUR, outside: outside(NOW - 1000) } }],
  ['a run, and nobody runs it', 'lease 2', BUSY, { known: { state: 'in_progress' }, run: { startedAt: NOW - HOUR }, facts: { owned: false } }],
  ['a run, and a daemon', '', BUSY, { known: { state: 'in_progress' }, run: { startedAt: NOW - HOUR } }],
  ['a run at its end', '', BUSY, { known: { state: 'in_progress' }, run: { startedAt: NOW - HOUR, step: 'settle' }, facts: { owned: false } }],
  // triage
  ['triage for 8 days', 'triage 2', `[] one {triage} {id:${ID}}`, { facts: { history: [row(NOW - 8 * DAY, 'state', null, 'open')] } }],
  ['triage for 6 days', '', `[] one {triage} {id:${ID}}`, { facts: { history: [row(NOW - 6 * DAY, 'state', null, 'open')] } }],
  [
    'in triage again since yesterday',
    '',
    `[] one {triage} {id:${ID}}`,
    { facts: { history: [row(NOW - 80 * DAY, 'state', null, 'open'), row(NOW - DAY, 'lane', 'safe', 'triage')] } },
  ],
  ['triage by its date', 'triage 2', '[] one {triage} {created:2026-11-01}'],
  ['triage that is over', '', `[-] one {triage} {created:2026-11-01}`],
  ['a decision may take its time', '', '[] one {decision} {created:2026-11-01}'],
  ['triage of nobody knows when', '', '[] one {triage}'],
  // done
  ['done without a proof', 'unproven 2', `[✅ a1b2c3d, ${ID}] one`, { facts: { reconciled: [unproven] } }],
  ['done with {no-commit}', '', `[✅ a1b2c3d, ${ID}] one {no-commit}`, { facts: { reconciled: [unproven] } }],
  ['what only reconcile is about', '', `[✅ a1b2c3d, ${ID}] one`, { facts: { reconciled: [{ ...unproven, code: 'lineless' }] } }],
  // commits
  ['a commit of an agent', 'taskless', OPEN, { facts: { strays: [stray] } }],
  ['a commit that a task names', '', `[✅ ddddddd, ${ID}] one`, { facts: { strays: [stray] } }],
  ['a commit that an archived task names', '', OPEN, { facts: { strays: [stray], archivedHashes: ['ddddddd'] } }],
  ['a commit that the journal knows', '', OPEN, { known: { commit: stray.commit }, facts: { strays: [stray] } }],
  ['an old commit', '', OPEN, { facts: { strays: [{ ...stray, at: NOW - 40 * DAY }] } }],
  // sessions
  ['a session that never read its queue', 'session', OPEN, { facts: { sessions: [session] } }],
  ['a session that read it', '', OPEN, { facts: { sessions: [{ ...session, read: true }] } }],
  ['a session that was given nothing', '', OPEN, { facts: { sessions: [{ ...session, prompts: 0 }] } }],
  ['a session that has just begun', '', OPEN, { facts: { sessions: [{ ...session, startedAt: NOW - 60_000 }] } }],
  // claims
  ['a claim that ran out', 'unreported 2', OPEN, { facts: { history: [row(NOW - HOUR, 'claim', null, 'w1'), row(NOW, 'claim', 'w1', CLAIM_RAN_OUT)] } }],
  ['a claim let go', 'unreported 2', OPEN, { facts: { history: [row(NOW, 'claim', 'w1', CLAIM_LET_GO)] } }],
  ['a claim that was reported', '', OPEN, { facts: { history: [row(NOW, 'claim', 'w1', null)] } }],
  ['claimed again since', '', OPEN, { facts: { history: [row(NOW - HOUR, 'claim', 'w1', CLAIM_RAN_OUT), row(NOW, 'claim', null, 'w2')] } }],
  ['done since', '', `[x] one {id:${ID}}`, { facts: { history: [row(NOW - HOUR, 'claim', 'w1', CLAIM_RAN_OUT)] } }],
];

describe('audit', () => {
  it.each(PLANTED.map(([title, expected, line, planted]) => [title, expected, line, planted ?? {}] as const))(
    '6.4-R2 %s: "%s"',
    (_title, expected, line, planted) => {
      expect(told(line, planted).join(', ')).toBe(expected);
    },
  );

  it('6.4-R2 the issue mentions nobody, links nothing and hides nothing', () => {
    const text = auditIssue(
      [{ code: 'stale', line: 3, id: null, section: 'a', title: '<!-- hidden @person [x](http://y) #12', message: 'm', remedy: 'r' }],
      'tasks.md',
    );
    expect(text.split('<!--')).toHaveLength(2);
    expect(text).not.toMatch(/@person|\]\(|#12/);
  });
});
