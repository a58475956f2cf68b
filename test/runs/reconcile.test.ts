import { describe, expect, it } from 'vitest';
import type { CommitFact } from '../../src/runs/evidence.ts';
import { type Finding, hashesToAsk, reconcile, type ReconcileFacts } from '../../src/runs/reconcile.ts';
import type { Known, Run } from '../../src/runs/run.ts';
import { draftOf, worldOf } from '../../src/runs/world.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';

const ID = 'k3v9x2m1';
const commit = (id: string, hash: string, more: Partial<CommitFact> = {}): CommitFact => ({
  id,
  commit: hash.padEnd(40, '0'),
  hash,
  at: Number.parseInt(hash, 16),
  subject: 'one',
  section: 'a',
  ...more,
});
const NOTHING: ReconcileFacts = {
  commits: [],
  landed: new Map(),
  kept: [],
  reachable: new Map(),
  tickets: new Map(),
  lines: new Map(),
  archived: new Set(),
  redone: new Set(),
};

function findings(line: string, facts: Partial<ReconcileFacts>, known: readonly Known[] = [], runs: readonly Run[] = []): readonly Finding[] {
  const draft = draftOf(worldOf({ known, runs, meta: new Map() }));
  return reconcile(parse(`## Git Worktree a\n${line}\n`, defaultParseOptions), draft, { ...NOTHING, ...facts });
}

const told = (line: string, facts: Partial<ReconcileFacts>, known: readonly Known[] = []): string[] =>
  findings(line, facts, known).map(({ code, severity, fix }) => `${severity} ${code}${fix ? ` → ${fix.marker.state} ${fix.marker.hash}` : ''}`);

const row = (more: Partial<Known>): Known => ({
  id: ID,
  section: 'a',
  text: 'one',
  occurrence: 0,
  state: 'done',
  ticket: 1,
  attempts: 1,
  createdAt: 0,
  updatedAt: 0,
  ...more,
});

describe('reconcile', () => {
  const mine = commit(ID, 'a1b2c3d');

  it('4-R9 a mark of done is proven by any of three, never taken away, and put right where git knows better', () => {
    const done = `[✅ a1b2c3d, ${ID}] one`;
    expect(told(done, { commits: [mine] })).toEqual([]);
    expect(told(done, { landed: new Map([[ID, mine]]) })).toEqual([]);
    expect(told(done, { reachable: new Map([['a1b2c3d', mine.commit]]) })).toEqual([]);
    expect(told(done, {})).toEqual(['finding unproven']);
    expect(told(done, { commits: [commit(ID, 'b2c3d4e')] })).toEqual(['finding stale_hash → done b2c3d4e']);
    const theirs = {
      reachable: new Map([['a1b2c3d', mine.commit]]),
      commits: [commit('m2c7r4ya', 'a1b2c3d'), commit(ID, 'b2c3d4e')],
      archived: new Set(['m2c7r4ya']),
    };
    expect(told(done, theirs)).toEqual(['finding other_task → done b2c3d4e']);
    for (const byHand of ['[x] one', '[✅] one', `[✅ -, ${ID}] one`]) expect([byHand, told(byHand, {})]).toEqual([byHand, []]);
  });

  it('4-R9 git is asked only for hashes that no trailer proves', () => {
    const board = parse(`## Git Worktree a\n[✅ a1b2c3d, ${ID}] one\n[✅ b2c3d4e] two\n[✅ -, m2c7r4ya] three\n`, defaultParseOptions);
    expect(hashesToAsk(board, { ...NOTHING, commits: [mine] })).toEqual([{ section: 'a', hash: 'b2c3d4e' }]);
  });

  it('6.3-R3 what landed and is not marked is marked, whatever the line says, unless a person wished otherwise', () => {
    const facts = { commits: [mine] };
    for (const marker of [`[🟡 ${ID}] one`, `[] one {id:${ID}}`, `[⏰] one {id:${ID}}`, `[❌ ${ID}] one`])
      expect([marker, told(marker, facts)]).toEqual([marker, ['finding unmarked → done a1b2c3d']]);
    expect(told(`[-] one {id:${ID}}`, facts)).toEqual(['finding unmarked']);
    expect(told(`[] one {redo} {id:${ID}}`, facts)).toEqual([]);
    expect(told(`[❌ ${ID}] one`, facts, [row({ state: 'failed' })])).toEqual([]);
  });

  it('6.3-R3 a line that lost its id is known by the journal or the archive; one that is only called alike is left to a person', () => {
    const facts = { commits: [mine] };
    expect(told('[] one', facts, [row({ held: 'done' })])).toEqual(['finding unmarked → done a1b2c3d']);
    expect(told('[] one', { ...facts, lines: new Map([[ID, { section: 'a', text: 'one', occurrence: 0 }]]) })).toEqual(['finding unmarked → done a1b2c3d']);
    expect(told('[] one', facts)).toEqual(['finding alike']);
    expect(told('[] one', facts, [row({ held: 'alike' })])).toEqual(['finding alike']);
  });

  it('6.3-R3 a commit without a line is found, unless a person deleted the line or it was archived', () => {
    const facts = { commits: [commit(ID, 'a1b2c3d', { subject: 'gone' })] };
    expect(told('[] other', facts)).toEqual(['finding lineless']);
    expect(told('[] other', facts, [row({ text: 'gone', gone: true })])).toEqual(['note deleted']);
    expect(told('[] other', { ...facts, archived: new Set([ID]) })).toEqual([]);
  });

  it('12-R1 a task that landed twice is found: not a rebased copy, not one that was done again on purpose', () => {
    const line = `[✅ a1b2c3d, ${ID}] one`;
    const again = commit(ID, 'b2c3d4e');
    expect(told(line, { commits: [again, mine] })).toEqual(['finding twice']);
    expect(told(line, { commits: [{ ...again, at: mine.at }, mine] })).toEqual([]);
    expect(told(line, { commits: [again, mine], redone: new Set([ID]) })).toEqual([]);
    expect(told(`${line} {redo}`, { commits: [again, mine] })).toEqual([]);
  });

  it('2-R4 a claim that nobody has is found: with what is kept of it, or as a person’s', () => {
    const line = `[🟡 ${ID}] one`;
    expect(told(line, {})).toEqual(['finding claim_unknown']);
    expect(told(line, { kept: [{ id: ID, ref: 'r', commit: 'c', attempt: 1, label: 'plan', at: 0 }] })).toEqual(['finding claim_lost']);
    expect(told('[🟡] mine', {})).toEqual([]);
    expect(told(line, {}, [row({ state: 'in_progress' })])).toEqual(['finding claim_unknown']);
  });
});
