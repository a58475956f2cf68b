import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, begin, ENDS, type Policy, REWORKS_MAX, stepsOf } from '../../src/runs/lifecycle.ts';
import { type End, type Reason, type Run, type Step, STEPS } from '../../src/runs/run.ts';

const policy: Policy = { attempts: 3, backoff: { first: 100, max: 1000 }, learns: true, now: 1000, random: () => 0.5 };

const run = (changes: Partial<Run> = {}): Run => ({
  id: 'q8f0t6zd',
  ticket: 1,
  attempt: 1,
  step: 'prepare',
  section: 'auth',
  text: 'Add logout',
  occurrence: 0,
  task: { id: 'q8f0t6zd', section: 'auth', title: 'Add logout', text: 'Add logout', details: '', notes: [], fields: [], tags: [] },
  fingerprint: 'f',
  changed: false,
  from: 'open',
  agent: 'fake',
  steps: stepsOf(['plan', 'implement', 'update']),
  workspaceSlot: 1,
  found: {},
  tries: 0,
  reworks: 0,
  startedAt: 0,
  ...changes,
});

const reasons = Object.keys(ENDS) as Reason[];
const anyEnd: fc.Arbitrary<End> = fc.oneof(
  fc.constant<End>({ kind: 'done', found: { summary: 's' } }),
  fc.constant<End>({ kind: 'refused', message: 'm' }),
  fc.record({ kind: fc.constant('transient' as const), reason: fc.constantFrom(...reasons), message: fc.constant('m') }),
  fc.record({ kind: fc.constant('rework' as const), reason: fc.constantFrom(...reasons), message: fc.constant('m'), evidence: fc.constant('e') }),
  fc.record({ kind: fc.constant('final' as const), reason: fc.constantFrom(...reasons), message: fc.constant('m') }),
);

describe('the life of a run', () => {
  it('2 goes through the steps of its workflow in order and settles as done', () => {
    const seen: Step[] = [];
    let now = run({ step: 'claim' });
    while (now.step !== 'settle') {
      seen.push(now.step);
      now = advance(now, { kind: 'done' }, policy);
    }
    expect([...seen, now.step]).toEqual(STEPS);
    expect(now.outcome).toEqual({ state: 'done', reason: 'landed', message: '' });
  });

  it('5.1-R1 a quick workflow has no plan and no update', () => {
    expect(stepsOf(['implement'])).toEqual(['claim', 'prepare', 'implement', 'land', 'settle']);
  });

  it('2 answers every step and every end, keeps the ticket growing and comes to an end', () => {
    fc.assert(
      fc.property(fc.array(anyEnd, { minLength: 60, maxLength: 60 }), fc.constantFrom(...STEPS), fc.boolean(), (ends, step, learns) => {
        let now = run({ step });
        for (const end of ends) {
          if (now.step === 'settle') break;
          const next = advance(now, end, { ...policy, learns });
          expect(next.ticket).toBeGreaterThanOrEqual(now.ticket);
          expect(next.attempt).toBeLessThanOrEqual(policy.attempts);
          // Whatever is begun again is begun with a new ticket, so that nothing late can answer for it.
          if (STEPS.indexOf(next.step) <= STEPS.indexOf(now.step)) expect(next.ticket).toBeGreaterThan(now.ticket);
          if (next.step === 'settle') expect(next.outcome).toBeDefined();
          now = next;
        }
        expect(now.step).toBe('settle');
      }),
      { numRuns: 500 },
    );
  });

  it('5.3-R6 a real failure goes to the next attempt with its evidence, and fails for good after the last', () => {
    let now = run({ step: 'implement' });
    const failure: End = { kind: 'final', reason: 'agent_failed', message: '`npm test` exit 1', evidence: '3 tests failed' };
    now = advance(now, failure, policy);
    expect(now).toMatchObject({ step: 'implement', attempt: 2, evidence: '3 tests failed', ticket: 2 });
    now = advance(advance(now, failure, policy), failure, policy);
    expect(now.outcome).toEqual({ state: 'failed', reason: 'agent_failed', message: 'failed in implement: `npm test` exit 1 (attempt 3 of 3)' });
  });

  it('5.3-R6 an agent that cannot learn from evidence is not asked again', () => {
    const now = advance(run({ step: 'implement' }), { kind: 'final', reason: 'agent_failed', message: 'exit 1' }, { ...policy, learns: false });
    expect(now).toMatchObject({ step: 'settle', attempt: 1 });
  });

  it('5.3-R6 transient faults wait with a doubled, jittered backoff and keep the step', () => {
    const fault: End = { kind: 'transient', reason: 'setup_failed', message: 'no file handles' };
    const once = advance(run(), fault, policy);
    expect(once).toMatchObject({ step: 'prepare', tries: 1, waitUntil: 1075, ticket: 2 });
    expect(advance(once, fault, policy)).toMatchObject({ tries: 2, waitUntil: 1150 });
    expect(advance(advance(once, fault, policy), fault, policy).outcome?.state).toBe('failed');
  });

  it('4-R6 what waits for a person waits as long as it takes', () => {
    let now = run({ step: 'land' });
    for (let turn = 0; turn < 50; turn++)
      now = advance(now, { kind: 'transient', reason: 'setup_failed', message: 'branch in use', retryAt: 5000, patient: true }, policy);
    expect(now).toMatchObject({ step: 'land', waitUntil: 5000 });
  });

  it('4-R7 a conflict goes back to the agent at most twice', () => {
    let now = run({ step: 'land' });
    const conflict: End = { kind: 'rework', reason: 'conflict', message: 'conflict in a.ts', evidence: 'both sides', found: { start: 'tip' } };
    for (let turn = 0; turn < REWORKS_MAX; turn++) {
      now = advance(now, conflict, policy);
      expect(now).toMatchObject({ step: 'implement', evidence: 'both sides', sentBack: 'conflict', found: { start: 'tip' } });
      now = { ...now, step: 'land' };
    }
    expect(advance(now, conflict, policy).outcome).toMatchObject({ state: 'failed', reason: 'conflict' });
  });

  it('4-R7 an agent that cannot settle a conflict does its work again on the tip, at most twice', () => {
    const conflict: End = { kind: 'rework', reason: 'conflict', message: 'conflict in a.ts', evidence: 'both sides', found: { start: 'tip', kept: 'refs/x' } };
    let now = run({ step: 'land', found: { workspace: '/w', start: 'old' } });
    for (let turn = 0; turn < REWORKS_MAX; turn++) {
      now = advance(now, conflict, { ...policy, learns: false });
      expect(now).toMatchObject({ step: 'prepare', sentBack: 'conflict', attempt: 1, found: { start: undefined, kept: undefined } });
      now = { ...now, step: 'land' };
    }
    const last = advance(now, conflict, { ...policy, learns: false });
    expect(last).toMatchObject({
      outcome: { state: 'failed', reason: 'conflict', message: expect.stringContaining('conflict in a.ts') },
      found: { kept: 'refs/x' },
    });
    expect(advance({ ...now, reworks: 0 }, { ...conflict, reason: 'verify_failed' }, { ...policy, learns: false })).toMatchObject({ step: 'settle' });
  });

  it('2-R6 every reason has its row', () => {
    expect(Object.keys(ENDS)).toHaveLength(15);
  });

  it('2-R2 a step that is begun again has a higher ticket', () => {
    expect(begin(run({ ticket: 7 }), 'plan')).toMatchObject({ ticket: 8, step: 'plan', tries: 0 });
  });
});
