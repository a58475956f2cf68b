/**
 * The columns of the matrix: what is asked of every client. A case scripts the model, runs the product, and throws what is not as it should be.
 */
import assert from 'node:assert/strict';
import { mcp, say, shell } from '../model/talk.ts';
import { type Case, first, hitsOf, keysIn, landed, once, READS_FIRST, REPORT, steps, TITLE, usageOnce, WORK } from './case-kit.ts';
import { LIVES } from './cases-lives.ts';
import { markerIn, until } from './ground.ts';

export const CASES: readonly Case[] = [
  ...LIVES,
  {
    name: 'phases',
    list: `## Git Worktree work\n[] ${TITLE}\n`,
    phases: ['plan', 'implement', 'update'],
    script: () => (talk, phase) => {
      if (phase === 'plan') return steps(say('files: work.txt\naction: write it\nverify: true\ndone: it is there'))(talk, phase, 0);
      return phase === 'implement' ? steps(WORK, say('Written.'))(talk, phase, 0) : steps(REPORT, say('Described.'))(talk, phase, 0);
    },
    async check(ground, client) {
      await landed(ground);
      const [plan, implement, update] = ['plan', 'implement', 'update'].map((phase) => ground.model.asked(phase));
      assert.ok(plan?.[0] && implement?.[0] && update?.[0], 'three phases asked the model');
      const limit = client.limits['phases'];
      assert.ok(limit !== undefined || implement[0].talk.raw.includes('You plan one task'), 'implement goes on in the session of plan');
      assert.ok(implement[0].talk.prompt.includes('action: write it'), 'implement has the plan whole');
      assert.ok(limit !== undefined || update[0].talk.raw.includes('You implement one task'), 'update goes on in the session of implement');
      assert.match(ground.git('log', '-1', '--format=%s', 'todone/work'), /^Say what it does/);
      if (client.limits['usage'] === undefined) usageOnce(ground);
      return limit ?? client.limits['usage'];
    },
  },
  {
    name: 'commit',
    script: () => steps(shell('echo work > work.txt && git add work.txt && git commit -qm "By the agent" && git log --oneline | head -1'), say('Committed.')),
    async check(ground) {
      await landed(ground);
      const answer = ground.model.asked().at(-1)?.talk.results.at(-1) ?? '';
      assert.match(answer, /By the agent/, `the agent's own commit was made: ${answer}`);
      return undefined;
    },
  },
  {
    name: 'report',
    script: () => steps(WORK, REPORT, say('Reported.')),
    async check(ground) {
      await landed(ground);
      assert.equal(ground.git('log', '-1', '--format=%s', 'todone/work').trim(), 'Say what it does');
      assert.equal(ground.ends().at(-1)?.found.inferred, false);
      return undefined;
    },
  },
  {
    name: 'limit',
    bounded: true,
    // Where no time is named, it waits this long.
    config: { backoff: { first: '10m', max: '10m' } },
    script: () => () => ({ kind: 'fault', fault: 'quota', status: 429, resetInSeconds: 3600, message: 'Rate limit reached. Please try again in 3600s.' }),
    async check(ground, client) {
      const begun = Date.now();
      await once(ground);
      const end = ground.ends().at(-1)?.end;
      assert.match(ground.marker(TITLE), /^\[🟡/u, `it waits:\n${ground.list()}`);
      assert.equal(end?.kind === 'transient' && end.reason, 'limit', JSON.stringify(end));
      const retryAt = end?.kind === 'transient' ? end.retryAt : undefined;
      if (client.limits['limit'] !== undefined) return client.limits['limit'];
      assert.ok(retryAt !== undefined && Math.abs(retryAt - begun - 3_600_000) < 120_000, `the reset time: ${JSON.stringify(end)}`);
      return undefined;
    },
  },
  {
    name: 'goes-on',
    script: (client) => first(client.failures, { kind: 'fault', fault: 'limit', status: 429 }, steps(WORK, say('Done.'))),
    async check(ground) {
      await landed(ground);
      return undefined;
    },
  },
  {
    name: '500s',
    script: (client) => first(client.failures, { kind: 'fault', fault: 'server', status: 500 }, steps(WORK, say('Done.'))),
    async check(ground) {
      await landed(ground);
      return undefined;
    },
  },
  {
    name: 'hang-before',
    config: { limits: { stallAfter: '5s' } },
    script: () => first(1, { kind: 'hang', where: 'before' }, steps(WORK, say('Done.'))),
    async check(ground) {
      await landed(ground);
      assert.ok(
        ground.ends().some(({ end }) => end.kind === 'final' && end.reason === 'stalled'),
        JSON.stringify(ground.ends().map(({ end }) => end)),
      );
      return undefined;
    },
  },
  {
    name: 'hang-middle',
    config: { limits: { stallAfter: '5s' } },
    script: () => first(1, { kind: 'hang', where: 'middle' }, steps(WORK, say('Done.'))),
    async check(ground) {
      await landed(ground);
      assert.ok(
        ground.ends().some(({ end }) => end.kind === 'final' && end.reason === 'stalled'),
        JSON.stringify(ground.ends().map(({ end }) => end)),
      );
      return undefined;
    },
  },
  {
    name: 'cut',
    script: () => first(1, { kind: 'cut' }, steps(WORK, say('Done.'))),
    async check(ground) {
      await landed(ground);
      return undefined;
    },
  },
  {
    name: 'denied',
    list: `## Git Worktree work\n[] ${TITLE} {workflow:careful}\n`,
    config: { workflows: { careful: ['plan', 'implement'] } },
    phases: ['plan', 'implement'],
    script: () => (talk, phase) =>
      phase === 'plan'
        ? steps({ kind: 'write', path: 'stray.txt', text: 'not in a plan' }, shell('echo stray > stray.txt'), say('files: work.txt\naction: write it'))(
            talk,
            phase,
            0,
          )
        : steps(WORK, say('Done.'))(talk, phase, 0),
    async check(ground) {
      await landed(ground);
      assert.ok(!ground.git('ls-tree', '-r', '--name-only', 'todone/work').includes('stray'), 'a plan changes nothing');
      assert.match(ground.ends().find(({ step }) => step === 'plan')?.found.plan ?? '', /action: write it/, 'the plan was told all the same');
      return undefined;
    },
  },
  {
    name: 'auth',
    list: `## Git Worktree work\n[] ${TITLE} {quick}\n[⏰] Do more {quick}\n\n## Git Worktree later\n[] Do the rest {quick} {after:first}\n[] Go first {quick} {id:first}\n`,
    config: { maxAgents: 1 },
    script: () => () => ({ kind: 'fault', fault: 'auth', status: 401, message: 'invalid api key' }),
    async check(ground) {
      const ran = await once(ground);
      assert.match(ground.marker(TITLE), /^\[❌/u, `${ground.list()}\n${ran.said}`);
      assert.match(ground.list(), /log in|login|key/i, 'the person is told what to do');
      assert.equal(ground.ends().length, 1, `one phase found out, no other task was spent on it:\n${ground.list()}`);
      assert.match(markerIn(ground.list(), 'Go first'), /^\[\]$/u, ground.list());
      return undefined;
    },
  },
  {
    name: 'question',
    script: () => (talk) => {
      if (talk.prompt.includes('Blue')) return steps(shell('echo blue > work.txt'), say('Painted.'))(talk, 'implement', 0);
      return steps(READS_FIRST, mcp('report', { outcome: 'needs_decision', question: 'Which colour?' }), say('Asked of you.'))(talk, 'implement', 0);
    },
    async check(ground, client) {
      await once(ground);
      assert.match(ground.list(), /\{decision\}/, ground.list());
      assert.match(ground.list(), /> question: Which colour\?/, ground.list());
      ground.writeList(
        ground
          .list()
          .replace(' {decision}', '')
          .replace(/( {2}> question: Which colour\?\n)/, '$1  Blue, please.\n'),
      );
      await landed(ground);
      const last = ground.model.asked().at(-1)?.talk;
      const limit = client.limits['question'];
      assert.ok(limit !== undefined || last?.raw.includes('Asked of you.'), 'it goes on in the same session');
      return limit;
    },
  },
  {
    name: 'prerequisite',
    script: () => steps(READS_FIRST, mcp('report', { outcome: 'needs_prerequisite', tasks: [{ title: 'Lay the base' }] }), say('Not yet.')),
    async check(ground, client) {
      await once(ground);
      assert.match(ground.list(), new RegExp(`^\\[\\] Lay the base .*\\{by:${client.name}\\}`, 'mu'), ground.list());
      assert.match(ground.list(), /Do the work .*\{after:[^}]+\}/, ground.list());
      return undefined;
    },
  },
  {
    name: 'stop',
    over: 'stop',
    script: () => steps(shell('touch begun.txt; sleep 300'), say('Done.')),
    async check(ground) {
      const daemon = ground.run();
      await until('the tool runs', () => ground.sleeps(300));
      ground.writeList(ground.list().replace(/\[🟡[^\]]*\]/u, '[❌]'));
      await daemon.ended;
      assert.match(ground.marker(TITLE), /^\[❌/u);
      assert.match(ground.git('for-each-ref', '--format=%(refname)', 'refs/todone/'), /implement/, 'its work is kept');
      return undefined;
    },
  },
  {
    name: 'kill',
    bounded: true,
    script: () => (talk, phase, nth) => (nth === 0 ? shell('touch begun.txt; sleep 301') : steps(WORK, say('Done.'))(talk, phase, nth)),
    async check(ground) {
      const daemon = ground.run();
      await until('the tool runs', () => ground.sleeps(301));
      const client = ground.processes().find(({ command, marked }) => marked && /claude|codex|gemini|opencode/.test(command.split(' ').slice(0, 2).join(' ')));
      assert.ok(client, 'the client runs');
      process.kill(client.pid, 'SIGKILL');
      await daemon.ended;
      assert.match(ground.marker(TITLE), /^\[✅/u, ground.list());
      return undefined;
    },
  },
  {
    name: 'background',
    script: () => steps(shell('nohup sleep 302 > /dev/null 2>&1 & setsid sleep 303 > /dev/null 2>&1 & echo work > work.txt'), say('Done.')),
    async check(ground) {
      await landed(ground);
      return undefined;
    },
  },
  {
    name: 'secret',
    env: { CANARY_SECRET_TOKEN: 'canary-4f1d9c7e2b8a6053' },
    script: () =>
      steps(
        shell('echo work > work.txt; env | grep CANARY; env | grep key-of-nobody | cut -d= -f1; echo that was the environment'),
        say('It was canary-4f1d9c7e2b8a6053, was it not?'),
      ),
    async check(ground) {
      await landed(ground);
      const answer = ground.model.asked().at(-1)?.talk.results.at(-1) ?? '';
      assert.match(answer, /that was the environment/);
      assert.ok(!answer.includes('CANARY'), 'no variable reaches an agent that was not named');
      assert.deepEqual(hitsOf(ground, 'canary-4f1d9c7e2b8a6053'), [], 'no secret in commits, logs, journal, notes');
      return keysIn(answer);
    },
  },
];
