import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { git, landed, listOf, makeRepo, markerOf, processesWith, removeRepos, sleep, start, todone } from './kit.ts';

afterEach(removeRepos);

const LONG = process.env['TODONE_LONG'] !== undefined;
const QUICK = { 'todone.config.json': '{"limits":{"phase":"5s","stopGrace":"500ms"},"sandbox":"none","maxAgents":6,"backoff":{"first":"50ms"}}' };

/** What the agent does, how its task ends, and how many commits there are. */
const BEHAVIOURS: readonly (readonly [title: string, run: string, marker: RegExp, note: string, commits: number])[] = [
  ['exits 0 and changes nothing', 'exit 0', /^\[❌/u, 'without changing a file', 0],
  ['commits three times', 'for i in 1 2 3; do echo $i > c$i; git add c$i; git commit -qm "c $i"; done', /^\[✅/u, '', 1],
  ['commits on another branch', 'git checkout -q -b elsewhere && echo x > o.txt && git add o.txt && git commit -qm o', /^\[✅/u, '', 1],
  ['leaves a dirty tree', 'echo x > d1.txt; git add d1.txt; echo y > d2.txt', /^\[✅/u, '', 1],
  ['deletes the worktree', 'echo x > g.txt; rm -rf "$TODONE_WORKTREE"', /^\[❌/u, 'is gone', 0],
  ['ignores SIGTERM', "trap '' TERM; echo x > t.txt; while :; do sleep 0.2; done", /^\[❌/u, 'took', 0],
  ['leaves a background process in its own session', 'echo x > b.txt; setsid sleep 7717 & nohup sleep 7718 > /dev/null 2>&1 &', /^\[✅/u, '', 1],
  ['writes no newline', 'echo x > l.txt; head -c 3000000 /dev/zero | tr "\\0" a', /^\[✅/u, '', 1],
  ['edits the list in its tree', 'echo x > e.txt; echo "[] injected" >> tasks.md; echo "[] injected" > "$TODONE_WORKTREE/tasks.md"', /^\[✅/u, '', 1],
  ['never ends', 'sleep 7719', /^\[❌/u, 'took', 0],
  [
    'leaves locks and an orphan HEAD',
    'echo x > k.txt; g=$(git rev-parse --git-dir); git checkout -q --orphan nowhere; touch "$g/index.lock" "$g/HEAD.lock"',
    /^\[✅/u,
    '',
    1,
  ],
  ['removes its .git file', 'echo x > m.txt; rm -f .git', /^\[✅/u, '', 1],
];

describe('agents that misbehave', () => {
  it('2-R6 4-R6 5.3-R3 each ends in the right state with the right reason, one commit or none, no process left', async () => {
    const list = `# Bad {script}\n${BEHAVIOURS.map(([title, run], index) => `\n## Git Worktree b${index}\n[] ${title}\n  run: ${run}\n`).join('')}`;
    const top = makeRepo(list, QUICK);
    const before = git(top, 'rev-parse', 'main');
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 1 });
    for (const [index, [title, , marker, note, commits]] of BEHAVIOURS.entries()) {
      const branch = `todone/b${index}`;
      expect([title, markerOf(top, title)]).toEqual([title, expect.stringMatching(marker)]);
      expect([title, Number(git(top, 'rev-list', '--count', `main..${branch}`))]).toEqual([title, commits]);
      expect(listOf(top)).toContain(note);
    }
    expect(listOf(top)).not.toMatch(/^\[\] injected/mu);
    expect(git(top, 'show', 'todone/b8:tasks.md')).toBe(list);
    expect(git(top, 'rev-parse', 'main')).toBe(before);
    expect(['sleep 7717', 'sleep 7718', 'sleep 7719'].flatMap(processesWith)).toEqual([]);
    // Work that did not land is kept.
    expect(git(top, 'for-each-ref', '--format=%(refname)', 'refs/todone/')).toMatch(/refs\/todone\/\w+\/1\/implement/);
    expect([...landed(top).values()].filter((count) => count !== 1)).toEqual([]);
  });

  it(`hazards C3: ${LONG ? '1 GB' : '50 MB'} of output neither fills memory nor the log`, async () => {
    const bytes = LONG ? 1_000_000_000 : 50_000_000;
    const top = makeRepo(`## Git Worktree a {script}\n[] prints much\n  run: echo x > l.txt; yes hello world | head -c ${bytes}\n`, {
      'todone.config.json': '{"limits":{"outputBytes":1000000}}',
    });
    const daemon = start(top, ['start', '--once']);
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, memoryOf(daemon.pid ?? 0))), 100);
    expect(await daemon.ended).toMatchObject({ code: 0 });
    clearInterval(watch);
    expect(peak).toBeLessThan(400 * 1024);
    const runs = join(top, '.git', 'todone', 'runs');
    const logs = readdirSync(runs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ndjson'));
    expect(logs.reduce((sum, name) => sum + readFileSync(join(runs, name)).length, 0)).toBeLessThan(4_000_000);
  });

  it('2-R7 nothing survives SIGKILL of the daemon', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] works\n  run: touch begun; setsid sleep 7720 & sleep 7721\n');
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'begun')), { timeout: 10_000 }).toBe(true);
    daemon.kill('SIGKILL');
    await daemon.ended;
    await expect.poll(() => ['sleep 7720', 'sleep 7721'].flatMap(processesWith), { timeout: 4000 }).toEqual([]);
    expect((await todone(top, 'why', 'tasks.md:2')).out).toContain('script was at it (implement), and no ToDone is running');
    const next = start(top, ['start']);
    let said = '';
    next.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await expect.poll(() => said, { timeout: 10_000 }).toContain('implement, again: it was interrupted');
    next.kill('SIGKILL');
    await next.ended;
  });
});

describe('agents from the config', () => {
  const AGENT = `cat > /dev/null; case "$TODONE_PHASE" in
plan) echo 'touch nothing' > stray.txt; printf '{"outcome":"done","plan":"write %s.txt","files":["%s.txt"]}' "$TODONE_ID" "$TODONE_ID" > "$TODONE_RESULT";;
implement) if [ "$TODONE_ATTEMPT" = 1 ] && grep -q 'fails first' <<EOF
$TODONE_TITLE
EOF
then echo 'three tests failed'; exit 1; fi; cat "$TODONE_PLAN" > plan-was.txt; echo work > "$TODONE_ID.txt";;
update) printf '{"outcome":"done","commitMessage":"Write a file\\\\n\\\\nBecause it was asked for.","summary":"One file more."}' > "$TODONE_RESULT";;
esac`;

  it('5.1-R1 5.1-R2 5.2-R2 plan, implement and update: the plan changes nothing, the commit says what the agent reported', async () => {
    const top = makeRepo('## Git Worktree a\n[] do it\n', { 'todone.config.json': JSON.stringify({ agents: { mine: { command: ['sh', '-c', AGENT] } } }) });
    const ran = await todone(top, 'start', '--once');
    expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
    const id = /\[✅ \w+, (\w+)\]/u.exec(listOf(top))?.[1] ?? '';
    expect(git(top, 'log', '-1', '--format=%s|%b|%an', 'todone/a')).toMatch(
      /^Write a file\|Because it was asked for\.\n\nToDone-Task: \w+\nToDone-Agent: mine\nToDone-Attempt: 1\n*\|Engineer/,
    );
    expect(git(top, 'ls-tree', '--name-only', 'todone/a').trim().split('\n')).toEqual(
      ['README.md', `${id}.txt`, 'plan-was.txt', 'tasks.md', 'todone.config.json'].toSorted(),
    );
    expect(git(top, 'show', 'todone/a:plan-was.txt')).toContain(`write ${id}.txt`);
    expect((await todone(top, 'task', 'show', id)).out).toContain(`write ${id}.txt`);
  });

  it('5.3-R6 a failed attempt leaves its evidence in the prompt of the next one', async () => {
    const agent = 'if [ "$TODONE_ATTEMPT" = 1 ]; then echo "the frobnicator is broken"; exit 1; fi; grep -q "frobnicator is broken" - && echo ok > ok.txt';
    const top = makeRepo('## Git Worktree a\n[] try twice {quick}\n', {
      'todone.config.json': JSON.stringify({ agents: { mine: { command: ['sh', '-c', agent] } } }),
    });
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect(git(top, 'log', '-1', '--format=%(trailers:key=ToDone-Attempt,valueonly)', 'todone/a').trim()).toBe('2');
  });

  it('5.3-R5 7-R3 a limit lets its task wait, and --once ends meanwhile', async () => {
    const agent = {
      command: ['sh', '-c', `cat > /dev/null; echo '{"limit":"usage limit reached, try again in 3600s"}'`],
      output: 'jsonl',
      fields: { limit: 'limit' },
    };
    const top = makeRepo('## Git Worktree a\n[] costly {quick}\n', { 'todone.config.json': JSON.stringify({ agents: { mine: agent } }) });
    await todone(top, 'start', '--once');
    expect(markerOf(top, 'costly')).toMatch(/^\[🟡 /u);
    expect((await todone(top, 'why', 'tasks.md:2')).out).toContain('usage limit reached');
  });

  it('4-R9 what does not pass verify does not land', async () => {
    const top = makeRepo(
      '## Git Worktree a {script}\n[] wrong\n  run: echo wrong > w.txt\n  verify: grep -q right w.txt\n[] right\n  run: echo right > w.txt\n  verify: grep -q right w.txt\n',
    );
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 1 });
    expect([markerOf(top, 'wrong').slice(0, 2), markerOf(top, 'right').slice(0, 2)]).toEqual(['[❌', '[✅']);
    expect(git(top, 'rev-list', '--count', 'main..todone/a').trim()).toBe('1');
  });

  it('5.2-R3 5.2-R4 a prerequisite goes above its task, a question under it', async () => {
    const agent = `case "$TODONE_ID" in *) ;; esac; if grep -q 'needs a base' - ; then printf '{"outcome":"needs_prerequisite","tasks":[{"title":"Lay the base"}]}' > "$TODONE_RESULT"; else printf '{"outcome":"needs_decision","question":"Which colour?"}' > "$TODONE_RESULT"; fi`;
    const top = makeRepo('## Git Worktree a\n[] needs a base {quick}\n\n## Git Worktree b\n[] paint it {quick}\n', {
      'todone.config.json': JSON.stringify({ agents: { mine: { command: ['sh', '-c', agent] } } }),
    });
    await todone(top, 'start', '--once');
    expect(listOf(top)).toMatch(
      /^\[\] Lay the base \{id:([g-z]\w{7})\} \{triage\} \{by:mine\}\n\[\] needs a base \{quick\} \{id:[g-z]\w{7}\} \{after:\1\}\n/mu,
    );
    expect(listOf(top)).toMatch(/^\[\] paint it \{quick\} \{id:[g-z]\w{7}\} \{decision\}\n {2}> question: Which colour\?\n/mu);
  });

  it('1.4-R7 5.2-R3 a task that was handed back goes on after a save of the buffer that still shows it as running', async () => {
    const agent = `asked=$(git rev-parse --git-common-dir)/asked; [ -e "$asked" ] && { echo x > "$TODONE_ID.txt"; exit 0; }; touch "$asked"; sleep 1; printf '{"outcome":"needs_prerequisite","tasks":[{"title":"Lay the base"}]}' > "$TODONE_RESULT"`;
    const top = makeRepo('## Git Worktree a {quick}\n[] build it\n', {
      'todone.config.json': JSON.stringify({ sandbox: 'none', handoff: 'auto', claimAfter: 0, agents: { mine: { command: ['sh', '-c', agent] } } }),
    });
    const daemon = start(top, ['start']);
    try {
      await expect.poll(() => listOf(top), { timeout: 20_000 }).toMatch(/^\[🟡 \w+\] build it$/mu);
      const stale = listOf(top);
      await expect.poll(() => listOf(top), { timeout: 20_000 }).toMatch(/build it \{id:\w+\} \{after:\w+\}/u);
      writeFileSync(join(top, 'tasks.md'), `${stale}A remark\n`);
      await expect.poll(() => markerOf(top, 'build it'), { timeout: 30_000 }).toMatch(/^\[✅/u);
      expect([listOf(top).includes('A remark'), [...landed(top).values()].every((count) => count === 1)]).toEqual([true, true]);
    } finally {
      daemon.kill('SIGKILL');
      await daemon.ended;
    }
  });

  it('7-R5 a second signal stops at once; the run goes on at the next start', async () => {
    const top = makeRepo('## Git Worktree a {script}\n[] slow\n  run: echo begun >> begun.txt; sleep 3; echo x > x.txt\n');
    const daemon = start(top, ['start']);
    await expect.poll(() => existsSync(join(top, 'trees', 'a', 'begun.txt')), { timeout: 10_000 }).toBe(true);
    daemon.kill('SIGINT');
    await sleep(200);
    daemon.kill('SIGINT');
    expect(await daemon.ended).toMatchObject({ code: 130 });
    expect(markerOf(top, 'slow')).toMatch(/^\[🟡 /u);
    expect(await todone(top, 'start', '--once')).toMatchObject({ code: 0 });
    expect([...landed(top).values()]).toEqual([1]);
  });
});

function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
