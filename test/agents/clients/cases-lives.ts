/**
 * Whole lives: one task through everything that matters, and the ends that nobody waits for. What is left over is counted for each client.
 */
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import { say, shell } from '../model/talk.ts';
import { type Case, hitsOf, keysIn, once, REPORT, steps, TITLE, usageOnce, WORK } from './case-kit.ts';
import { type Ground, until } from './ground.ts';

const CANARY = 'canary-91c0e7d25ab84f36';
const PLAN = 'files: work.txt\naction: write it\nverify: true\ndone: it is there';
/** A commit of its own, what it is given of the environment, and two jobs that it leaves behind. */
const ALL_AT_ONCE = `echo work > work.txt && git add work.txt && git commit -qm "By the agent" && git log --oneline | head -1
env | grep CANARY; env | grep key-of-nobody | cut -d= -f1
nohup sleep 306 > /dev/null 2>&1 & setsid sleep 307 > /dev/null 2>&1 &
echo that was the environment`;

/** Long enough for the slowest to begin with its tool, also where the machine has much else to do. */
const PHASE_S = Math.round(Math.min(120, Math.max(25, (15 * (loadavg()[0] ?? 0)) / availableParallelism())));

/** What a person looks at, before and after. None of it may ask a model. */
const BEFORE: readonly (readonly string[])[] = [['start', '--dry-run'], ['doctor']];
const AFTER: readonly (readonly string[])[] = [['status'], ['report'], ['audit']];

async function lookAround(ground: Ground, looks: readonly (readonly string[])[]): Promise<void> {
  const heard = ground.model.log.length;
  for (const look of looks) {
    const { code, said } = await ground.run(...look).ended;
    assert.ok(code === 0 || code === 1, `todone ${look.join(' ')}: exit ${code}\n${said}`);
    assert.equal(ground.model.log.length, heard, `todone ${look.join(' ')} asked a model`);
  }
}

export const LIVES: readonly Case[] = [
  {
    name: 'life',
    bounded: true,
    list: `## Git Worktree work\n[] ${TITLE}\n`,
    env: { CANARY_TOKEN: CANARY },
    phases: ['plan', 'implement', 'update'],
    script: () => (talk, phase, nth) => {
      if (phase === 'plan') return say(PLAN);
      return steps(...(phase === 'implement' ? [shell(ALL_AT_ONCE), say(`It was ${CANARY}.`)] : [shell('sleep 3; ls'), REPORT, say('Described.')]))(
        talk,
        phase,
        nth,
      );
    },
    async check(ground, client) {
      await lookAround(ground, BEFORE);
      const { said } = await once(ground);
      assert.match(ground.marker(TITLE), /^\[✅/u, `the task did not land:\n${ground.list()}\n${said}`);
      assert.equal(ground.git('rev-list', '--count', 'main..todone/work').trim(), '1');
      assert.match(ground.git('log', '-1', '--format=%s', 'todone/work'), /^Say what it does/, 'it reported by its tool');
      const [plan, implement, update] = ['plan', 'implement', 'update'].map((phase) => ground.model.asked(phase));
      assert.ok(plan?.[0] && implement?.[0] && update?.[0], 'three phases asked the model');
      for (const [each] of [plan, implement, update])
        for (const words of ['for this one task', 'AGENTS.md', 'TODONE_RESULT', `<task>\n${TITLE}\n`])
          assert.ok(each?.talk.prompt.includes(words), `a prompt has: ${words}`);
      const limit = client.limits['phases'];
      assert.ok(limit !== undefined || update[0].talk.raw.includes('You plan one task'), 'one session is carried over all phases');
      assert.ok(implement[0].talk.prompt.includes(PLAN), 'implement has the plan whole');
      const answer = implement.at(-1)?.talk.results.at(-1) ?? '';
      assert.match(answer, /By the agent[^]*that was the environment/, "the agent's own commit was made");
      assert.ok(!answer.includes('CANARY'), 'no variable reaches an agent that was not named');
      assert.deepEqual(hitsOf(ground, CANARY), [], 'no secret in commits, logs, journal, notes');
      assert.ok(!said.includes(CANARY), 'no secret is printed');
      if (client.limits['usage'] === undefined) usageOnce(ground);
      await lookAround(ground, AFTER);
      const own = keysIn(answer);
      return [limit, client.limits['usage'], own].filter((each) => each !== undefined).join('; ') || undefined;
    },
  },
  {
    name: 'time-out',
    over: 'time-out',
    config: { limits: { phase: `${PHASE_S}s`, stallAfter: '10m', sameCalls: 0 }, attempts: 1 },
    // Some put a tool that takes long into the background, and ask what to do next.
    script: () => () => shell('touch begun.txt; sleep 304'),
    async check(ground) {
      const daemon = ground.run();
      await until('the tool runs', () => ground.sleeps(304));
      await daemon.ended;
      assert.match(ground.marker(TITLE), /^\[❌/u, ground.list());
      assert.ok(
        ground.ends().some(({ end }) => end.kind === 'final' && end.reason === 'timeout'),
        JSON.stringify(ground.ends().map(({ end }) => end)),
      );
      return undefined;
    },
  },
  {
    name: 'orphan',
    over: 'daemon killed',
    script: () => (talk, phase, nth) => steps(nth === 0 ? shell('touch begun.txt; sleep 305') : WORK, say('Done.'))(talk, phase, nth),
    async check(ground) {
      const daemon = ground.run();
      await until('the tool runs', () => ground.sleeps(305));
      daemon.stop();
      await daemon.ended;
      return undefined;
    },
    async after(ground) {
      const { said } = await once(ground);
      assert.match(ground.marker(TITLE), /^\[✅/u, `it does not go on after the next start:\n${ground.list()}\n${said}`);
    },
  },
];
