import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/surfaces/cli/layout.ts';
import { usage } from '../../../src/surfaces/cli/failure.ts';
import { sceneOf } from '../../runs/scene.ts';
import type { World } from '../../../src/runs/world.ts';
import { busyScene, busyWorld, type Given, known, LIST, NOW, run, todone } from './host.ts';

const OWNED: Given = {
  owner: { pid: 4711, host: 'box', since: NOW - 600_000 },
  activity: new Map([['q8f0t6zd', { at: NOW, last: 'edit src/logout.ts', inputTokens: 12_000, outputTokens: 300, costUsd: 0.04 }]]),
};

const out = async (argv: string, given: Given = {}): Promise<string> => (await todone(argv, given)).out;

describe('help', () => {
  it('7 the top help fits a screen and has markers, a list, three commands and every group', async () => {
    const text = await out('--help', { width: 80 });
    expect(text.split('\n').length).toBeLessThanOrEqual(80);
    expect(text).toMatchInlineSnapshot(`
      "todone turns a Markdown task list into finished commits.

      Write tasks.md, in any editor, at any time:
        ## Git Worktree hello           a section: one branch, one group of tasks
        [] Greet the reader             a task: one line, details indented below it
          verify: test -s HELLO.md      a command that has to pass before it lands
        [⏰] Count the words            waits for every task above it
      The markers, and what they say:
        []       may start now         [⏰]           waits for all above
        [🟡 id]  being worked on       [✅ hash, id]  done: that commit
        [❌ id]  failed, reason below  [-]            cancelled

      Three commands to begin with:
        todone init    make a list in this repository
        todone start   work on it until you press Ctrl-C
        todone status  see what goes on, and what waits for you

      Commands
        Work    start         work on the list: claim, run agents, land commits
        Look    status        what runs, failed, comes next, and waits for you
                why           why a task does not start, and what would free it
                logs          what the agent of a task says and does
                triage        go through what waits for you; without a terminal, list…
        Steer   stop          stop a task that is being worked on; its work is kept
                retry         give a failed task another attempt
                restore       bring back work of a task that did not land
                pause         start nothing new; running tasks go on
                resume        go on after pause
        Branch  diff          what a section's branch has changed
                sync          merge the base into a section's branch
                land          merge a section's branch into the base
                pr            push the branch; make or update its pull request
        Tasks   task list     every task with its state, and why it waits
                task ready    the next tasks that a worker may take
                task show     all that is known of one task, its plan too
                task history  what became of a task: what changed, when, by whom
                task create   file a task, or many from a file, all or none
                task close    say that a task is done, or not to be done
                task approve  let tasks start that wait for a person
                task claim    take a task: nobody else gets it while your claim lives
                task …        update, assign, unassign, mine, heartbeat, release, rep…
        Upkeep  reconcile     compare the list with git and the journal, both ways
                history       old versions of the list, and their text
                clean         remove the worktrees of sections that are over
                archive       move old done tasks to a file beside the list, and back
                audit         find what is stale, undecided or untrue
                report        what was done, how fast, by whom, at what cost
                rules         rules for agents that you start, with their next tasks
        Serve   mcp           serve the backlog to an agent: MCP over stdio
                serve         serve the backlog to programs: tRPC and MCP over HTTP
        Set up  init          make a list, and tell git to ignore what ToDone adds
                doctor        check git, agents, config, list; say what to do
                completion    let your shell complete commands and tasks

      Everywhere: -C, --repo <dir>, --tasks <file>, --config <file>, --as <name>,
      --json, --quiet, --verbose, --no-color
      todone <command> --help shows its options and examples. Exit codes: 0 fine,
      1 something failed, 2 usage or config, 3 refused, 130 interrupted.
      "
    `);
    expect(await out('', { width: 80 })).toBe(text);
    expect(await out('help', { width: 80 })).toBe(text);
  });

  it.each([80, 120])('7 the top help keeps to %i columns', async (width) => {
    for (const line of (await out('--help', { width })).split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('7 the page of a command', async () => {
    expect(await out('retry --help', { width: 80 })).toMatchInlineSnapshot(`
      "Usage: todone retry [options] <task>

      Give a failed task another attempt.

      It goes on from the work that was kept. Setting [] on its line does the same;
      with {fresh} it starts clean.

      Arguments:
        task        its id, its {id:…}, <file>:<line>, or the handle that task list
                    shows

      Options:
        --fresh     from a clean start, without the kept work
        -h, --help  show help

      Examples:
        todone retry m2c7r4ya
            go on from where it failed
        todone retry m2c7r4ya --fresh
            begin again

      Everywhere
        -C, --repo <dir>  the repository (default: the one that you are in)
        --tasks <file>    the list (default: tasks.md)
        --config <file>   the config (default: todone.config.json or .yaml)
        --as <name>       who you are (default: TODONE_INSTANCE, or <user>@<host>)
        --json            one JSON document on stdout
        --quiet           only ids or handles, one a line
        --verbose         more words; stack traces of errors
        --no-color        no colours (as NO_COLOR, and without a terminal)

      --json prints one document with schemaVersion; --quiet prints the id of the
      task.
      "
    `);
  });
});

const paused = (key: string) => sceneOf(LIST, { now: NOW, world: (world) => void world.meta.set(key, 'me') });

describe('status', () => {
  it('9-R1 a busy list', async () => {
    expect(await out('status', { ...OWNED, width: 100 })).toMatchInlineSnapshot(`
      "tasks.md
      1 done, 1 running, 1 failed, 3 open, 2 blocked
      ToDone works on it (process 4711, for 10m 00s); 1 of 4 agents

      auth  todone/auth in trees/auth  1 done, 1 running, 1 failed, 1 open, 1 blocked
        running  q8f0t6zd  Add logout               implement, 3m 12s, fake/opus, 12.3k tokens, $0.04, ed…
        failed   m2c7r4ya  Remember me for 30 days  failed in implement: \`npm test\` exit 1, 3 tests (atte…
        next     rotate    Rotate refresh tokens
        waits    wjis6ns   Document the flow        every task above it has to be done: "Add logout" is b…

      billing  todone/billing in trees/billing  2 open, 1 blocked
        needs you  wtteiee  Refunds        it waits for triage
        next       lcxv8o4  Send invoices
        waits      9svqdrd  Dunning        every task above it has to be done: "Send invoices" is not done
      "
    `);
  });

  it('7 one section, whole, with its last commits', async () => {
    expect(await out('status auth', { width: 100 })).toMatchInlineSnapshot(`
      "tasks.md
      1 done, 1 running, 1 failed, 1 open, 1 blocked
      nobody works on it: todone start

      auth  todone/auth in trees/auth  1 done, 1 running, 1 failed, 1 open, 1 blocked
        running  q8f0t6zd  Add logout               implement, 3m 12s, fake/opus
        failed   m2c7r4ya  Remember me for 30 days  failed in implement: \`npm test\` exit 1, 3 tests (atte…
        next     rotate    Rotate refresh tokens
        waits    wjis6ns   Document the flow        every task above it has to be done: "Add logout" is b…
        done     k3v9x2m1  Add login form           a1b2c3d

      Last commits
        a1b2c3d  2026-11-21 11:00  Add login form
      "
    `);
  });

  it('7 as Markdown, with titles that Markdown shows as they are', async () => {
    expect(await out('status billing --md', { list: LIST.replace('Refunds', 'Refunds *for* [all] <b>') })).toMatchInlineSnapshot(`
      "# tasks.md

      2 open, 1 blocked.

      ## billing

      Branch \`todone/billing\`: 2 open, 1 blocked.

      ### Needs you

      - Refunds \\*for\\* \\[all\\] \\<b\\> (\`vozk0uh\`): it waits for triage

      ### Next

      - Send invoices (\`lcxv8o4\`)

      ### Held

      - Dunning (\`9svqdrd\`): every task above it has to be done: "Send invoices" is not done

      ### Last commits

      - \`a1b2c3d\` Add login form
      "
    `);
  });

  it('1.4-R7 says what holds the whole list', async () => {
    const scene = sceneOf(LIST, { now: NOW, world: (world) => void (world.list = { kind: 'conflict', since: NOW }) });
    expect((await out('status', { scene })).split('\n').slice(0, 6)).toMatchInlineSnapshot(`
      [
        "tasks.md",
        "1 done, 1 running, 1 failed, 3 open, 2 blocked",
        "nobody works on it: todone start",
        "nothing new starts: the list holds conflict markers of git",
        "  resolve the conflict and save the list",
        "",
      ]
    `);
  });

  it('7 says that everything is paused, and that one section is', async () => {
    expect(await out('status', { scene: paused('paused') })).toContain('nothing new starts: ToDone is paused\n  todone resume\n');
    const one = await out('status', { scene: paused('paused:billing') });
    expect(one).not.toContain('nothing new starts');
    expect(one).toMatch(/waits +lcxv8o4 +Send invoices +section billing is paused/);
  });

  it('1.4-R9 shows the problems of the list with place, rule and remedy', async () => {
    const scene = sceneOf('## Git Worktree a\n[] One\n', {
      now: NOW,
      problems: [
        { place: { line: 2, column: 1 }, rule: '1.3-R1', severity: 'warning', message: 'the task has no verify', remedy: 'add a line "verify: <command>"' },
      ],
    });
    expect((await out('status', { scene })).split('\n').slice(-4)).toEqual([
      '1 problem in the list',
      '  tasks.md:2:1 warning 1.3-R1 the task has no verify',
      '    add a line "verify: <command>"',
      '',
    ]);
  });

  it('7 shows five of a kind and says how many more there are; a named section is shown whole', async () => {
    const list = `## Git Worktree a\n${Array.from({ length: 12 }, (_, at) => `[] Task ${at} {triage}`).join('\n')}\n`;
    expect(await out('status', { list })).toContain('… and 7 more');
    const whole = await out('status a', { list });
    expect(whole).toContain('Task 11');
    expect(whole).not.toContain('more');
  });

  it('7 an empty list says how to begin', async () => {
    expect(await out('status', { list: '' })).toMatchInlineSnapshot(`
      "tasks.md
      no tasks
      nobody works on it: todone start

      There is no section yet: begin one with a line "## Git Worktree <name>".
      "
    `);
  });
});

describe('why', () => {
  it('3-R6 a task that waits: what holds it, the rule, what would free it', async () => {
    expect(await out('why tasks.md:15', { width: 80 })).toMatchInlineSnapshot(`
      "Dunning
      9svqdrd  tasks.md:15  section billing

      because     every task above it has to be done: "Send invoices" is not done
      rule        3-R2
      to free it  wait for the tasks above
      "
    `);
  });

  it('3-R6 a running task: step, agent, elapsed', async () => {
    expect(await out('why q8f0t6zd', { ...OWNED, width: 80 })).toMatchInlineSnapshot(`
      "Add logout
      q8f0t6zd  tasks.md:5  section auth

      because     it is being worked on (implement)
      step        implement
      agent       fake/opus
      elapsed     3m 12s
      attempt     1 of 3
      last        edit src/logout.ts
      used        12.3k tokens, $0.04
      workspace   /repo/trees/auth
      to stop it  todone stop q8f0t6zd, or set [❌] on its line
      "
    `);
  });

  it('3-R6 a running task that waits to go on', async () => {
    const scene = sceneOf(LIST, {
      now: NOW,
      world: (world: World) => (
        busyWorld(world),
        void world.runs.set(
          'q8f0t6zd',
          run('q8f0t6zd', { waitUntil: NOW + 90_000, tries: 1, evidence: 'connection reset', attempt: 2, changed: true, model: undefined }),
        )
      ),
    });
    expect(await out('why q8f0t6zd', { ...OWNED, scene, width: 80 })).toMatchInlineSnapshot(`
      "Add logout
      q8f0t6zd  tasks.md:5  section auth

      because     it waits to go on with implement: connection reset
      step        implement, again in 1m 30s
      agent       fake
      elapsed     3m 12s
      attempt     2 of 3
      last        edit src/logout.ts
      used        12.3k tokens, $0.04
      note        its text was changed after it started: the next phase gets the new
                  one
      workspace   /repo/trees/auth
      to stop it  todone stop q8f0t6zd, or set [❌] on its line
      "
    `);
  });

  it('3-R6 a run that no ToDone is at, and a claim from outside', async () => {
    const scene = { ...sceneOf(LIST, { now: NOW, world: busyWorld }), unattended: true };
    expect(await out('why q8f0t6zd', { scene, width: 80 })).toMatchInlineSnapshot(`
      "Add logout
      q8f0t6zd  tasks.md:5  section auth

      because     fake was at it (implement), and no ToDone is running
      step        implement
      agent       fake/opus
      elapsed     3m 12s
      attempt     1 of 3
      workspace   /repo/trees/auth
      to free it  todone start goes on with it
      to stop it  todone stop q8f0t6zd, or set [❌] on its line
      "
    `);
    const claimed = sceneOf(LIST, {
      now: NOW,
      world: (world: World) =>
        void world.runs.set('q8f0t6zd', run('q8f0t6zd', { agent: 'ci-1', outside: { worker: 'ci-1', via: 'cli', until: NOW + 60_000 } })),
    });
    expect(await out('why q8f0t6zd', { scene: { ...claimed, unattended: true } })).toContain('because     ci-1 has claimed it\n');
  });

  it('4-R9 a done task: the proof, or that there is none', async () => {
    expect(await out('why k3v9x2m1', { proof: { commit: 'a1b2c3d'.padEnd(40, '0'), hash: 'a1b2c3d' } })).toMatchInlineSnapshot(`
      "Add login form
      k3v9x2m1  tasks.md:4  section auth

      because     it is done
      proof       commit a1b2c3d000000000000000000000000000000000
      to redo it  add {redo} and set [] on its line
      "
    `);
    expect(await out('why k3v9x2m1', { proof: { commit: 'f'.repeat(40), hash: 'fffffff' } })).toContain(
      'proof       commit ffffffffffffffffffffffffffffffffffffffff, which took the place of a1b2c3d',
    );
    expect(await out('why k3v9x2m1')).toContain('proof       none: git does not show a1b2c3d on todone/auth or on the base');
    expect(await out('why tasks.md:2', { list: '## Git Worktree a\n[x] By hand\n' })).toContain('proof       none: it was marked as done by hand');
  });

  it('3-R6 a failed task, and one that may start', async () => {
    expect(await out('why m2c7r4ya', { width: 80 })).toMatchInlineSnapshot(`
      "Remember me for 30 days
      m2c7r4ya  tasks.md:6  section auth

      because     failed in implement: \`npm test\` exit 1, 3 tests (attempt 3 of 3)
      rule        2-R6
      to free it  set [] for another attempt, with {fresh} for a clean start
      "
    `);
    expect(await out('why lcxv8o4')).toContain('It may start now: todone start takes it.');
    expect(await out('why lcxv8o4', OWNED)).toContain('It may start now: ToDone takes it at its next look.');
  });

  it('1.2 a task that waits for a time says when', async () => {
    const list = `## Git Worktree a\n[] Later {fake} {not-before:2026-11-21T14:30}\n`;
    expect(await out('why tasks.md:2', { list })).toContain('by itself   in 2h 30m, at 14:30:00');
  });

  it('1.1-R1 a task outside any section', async () => {
    expect(await out('why tasks.md:1', { list: '[] Alone\n' })).toMatchInlineSnapshot(`
      "Alone
      t58wdzh  tasks.md:1  section (none)

      because     the task stands outside any section
      rule        1.1-R1
      to free it  move it under a heading "## Git Worktree <name>"
      "
    `);
  });
});

describe('the dry run', () => {
  it('3-R7 what starts, where, by whom with which command; the rest with reasons; the waves after it', async () => {
    const list = `# Checkout
## Git Worktree auth {p1}
[] Add login form {fake} {opus}
[⏰] Document the flow {fake}
## Git Worktree billing
[] Send invoices {script}
[] Refunds {fake} {triage}
[] Ledger {fake} {p0} {after:refunds}
[✅ a1b2c3d, k3v9x2m1] Old one
## Git Worktree shop
[] Basket {fake} {id:basket}
[] Price list {fake} {after:basket}
`;
    expect(await out('start --dry-run', { scene: sceneOf(list, { now: NOW }), width: 90 })).toMatchInlineSnapshot(`
      "2 tasks would start now:

      auth  in trees/auth on branch todone/auth
        8x2fck6  Add login form {fake} {opus} {p1}
          fake/opus: fake --run --model opus

      shop  in trees/shop on branch todone/shop
        basket  Basket {fake} {id:basket}
          fake: fake --run

      5 tasks would not:
        nhhi1wu  Document the flow (tasks.md:4)
          every task above it has to be done: "Add login form" is not done (3-R2)
          to free it: wait for the tasks above
        ixtkgq3  Send invoices (tasks.md:6)
          agent script has nothing to run for this task (5.3-R1)
          to free it: add a field "run: <command>" or a sh block under the task, or name another
            agent
        0nxnwmi  Refunds (tasks.md:7)
          it waits for triage (6.2-R1)
          to free it: accept it by deleting {triage}, or delete the task
        we1pjic  Ledger (tasks.md:8)
          it comes after refunds, which is not known (3-R2)
          to free it: finish refunds first
        f9zoe2q  Price list (tasks.md:12)
          it comes after basket, which is open (3-R2)
          to free it: finish basket first

      If all goes well, then:
        1. auth: Document the flow; shop: Price list

      Dry run: nothing was changed.
      "
    `);
  });

  it('3-R7 while runs go on', async () => {
    expect(await out('start --dry-run', { width: 90 })).toMatchInlineSnapshot(`
      "2 tasks would start now:

      auth  in trees/auth on branch todone/auth
        rotate  Rotate refresh tokens {id:rotate} {p0} {fake}
          fake: fake --run

      billing  in trees/billing on branch todone/billing
        lcxv8o4  Send invoices {fake}
          fake: fake --run

      1 task being worked on:
        q8f0t6zd  Add logout: implement, 3m 12s, fake/opus

      4 tasks would not:
        m2c7r4ya  Remember me for 30 days (tasks.md:6)
          failed in implement: \`npm test\` exit 1, 3 tests (attempt 3 of 3) (2-R6)
          to free it: set [] for another attempt, with {fresh} for a clean start
        wjis6ns  Document the flow (tasks.md:10)
          every task above it has to be done: "Add logout" is being worked on (3-R2)
          to free it: wait for the tasks above
        wtteiee  Refunds (tasks.md:14)
          it waits for triage (6.2-R1)
          to free it: accept it by deleting {triage}, or delete the task
        9svqdrd  Dunning (tasks.md:15)
          every task above it has to be done: "Send invoices" is not done (3-R2)
          to free it: wait for the tasks above

      Dry run: nothing was changed.
      "
    `);
  });

  it('3-R7 shows five waves, and says that it goes on', async () => {
    const list = `## Git Worktree a\n${Array.from({ length: 9 }, (_, at) => `[⏰] Task ${at}`).join('\n')}\n`;
    const text = await out('start --dry-run', { scene: sceneOf(list) });
    expect(text.slice(text.indexOf('If all'))).toBe(`If all goes well, then:
  1. a: Task 1
  2. a: Task 2
  3. a: Task 3
  4. a: Task 4
  5. a: Task 5
  … and so on

Dry run: nothing was changed.
`);
    const short = `## Git Worktree a\n${Array.from({ length: 6 }, (_, at) => `[⏰] Task ${at}`).join('\n')}\n`;
    expect(await out('start --dry-run', { scene: sceneOf(short) })).toContain('  5. a: Task 5\n\nDry run');
  });

  it('1.3-R1 3-R7 says what may be worth a word more, and holds nothing back', async () => {
    const list = '## Git Worktree a\n[] Improve things {fake}\n';
    const problem = { place: { line: 2, column: 1 }, rule: '1.3-R1', severity: 'warning', message: 'It is vague.', remedy: 'Say what.' } as const;
    const text = await out('start --dry-run', { scene: sceneOf(list, { problems: [problem] }) });
    expect(text).toContain('1 task would start now');
    expect(text).toContain('1 warning in the list\n  tasks.md:2:1 warning 1.3-R1 It is vague.\n    Say what.\n');
  });

  it('3-R7 nothing to start', async () => {
    expect(await out('start --dry-run', { scene: sceneOf('') })).toBe('Nothing would start now.\n\nDry run: nothing was changed.\n');
  });

  it('3-R7 --watch repeats it', async () => {
    const stop = new AbortController();
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => {
      if (waits.push(ms) === 3) stop.abort();
    };
    const said = await todone('start --dry-run --watch --interval 7s --quiet', { signal: stop.signal, wait });
    expect(said.out).toBe('rotate\nlcxv8o4\n'.repeat(3));
    expect(waits).toEqual([7000, 7000, 7000]);
    expect(said.code).toBe(130);
  });
});

describe('tasks', () => {
  it('7-R6 the list shows ids, and handles where there is none', async () => {
    expect(await out('task list', { width: 120 })).toMatchInlineSnapshot(`
      "TASK      STATE    PRIO  SECTION  OWNER  TITLE                    WHY
      k3v9x2m1  done     p1    auth            Add login form           a1b2c3d
      q8f0t6zd  running  p1    auth     fake   Add logout               it is being worked on (implement)
      m2c7r4ya  failed   p1    auth            Remember me for 30 days  failed in implement: \`npm test\` exit 1, 3 tests (atte…
      rotate    open     p0    auth            Rotate refresh tokens
      wjis6ns   blocked  p1    auth            Document the flow        every task above it has to be done: "Add logout" is b…
      lcxv8o4   open     p2    billing         Send invoices
      wtteiee   open     p2    billing         Refunds                  it waits for triage
      9svqdrd   blocked  p2    billing         Dunning                  every task above it has to be done: "Send invoices" i…
      "
    `);
  });

  it.each([50, 70, 90])('7 the list keeps to %i columns', async (width) => {
    for (const line of (await out('task list', { width })).split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('7 nothing is cut where there is no terminal', async () => {
    expect(await out('task list')).toContain('every task above it has to be done: "Send invoices" is not done');
  });

  it.each([
    ['--status open', 'rotate lcxv8o4 wtteiee'],
    ['--status pending', 'rotate lcxv8o4 wtteiee'],
    ['--status blocked', 'wjis6ns 9svqdrd'],
    ['--status in_progress', 'q8f0t6zd'],
    ['--status done', 'k3v9x2m1'],
    ['--status closed', 'k3v9x2m1'],
    ['--status failed', 'm2c7r4ya'],
    ['--status cancelled', ''],
    ['--section billing', 'lcxv8o4 wtteiee 9svqdrd'],
    ['--owner fake', 'q8f0t6zd'],
    ['--label p0', 'rotate'],
    ['--label {P1}', 'k3v9x2m1 q8f0t6zd m2c7r4ya wjis6ns'],
    ['--label after', '9svqdrd'],
    ['--label after:rotate', '9svqdrd'],
    ['--lane triage', 'wtteiee'],
    ['--lane safe --section billing', 'lcxv8o4 9svqdrd'],
    ['--text FLOW', 'wjis6ns'],
    ['--text verify', 'rotate'],
  ])('7-R7 list %s gives %j', async (filter, names) => {
    expect(
      (await out(`task list --quiet ${filter}`))
        .split('\n')
        .filter((line) => line !== '')
        .join(' '),
    ).toBe(names);
  });

  it('7 says so where no task fits', async () => {
    expect(await out('task list --status cancelled')).toBe('no task fits\n');
    expect(await out('task list', { list: '' })).toBe('there is no task in tasks.md yet\n');
  });

  it('6.1-R1 ready gives its own and the unassigned, by priority, then file order', async () => {
    const list = `## Git Worktree a
[] Low {p3}
[] Ours {owner:ci}
[] Theirs {owner:bob} {p0}
[] Two
[] Held {hold:no}
[⏰] Blocked
[] High {p0}
[🟡] Taken
[x] Done
`;
    const titles = async (argv: string): Promise<string[]> =>
      (JSON.parse(await out(`task ready --json ${argv}`, { scene: sceneOf(list, { now: NOW }) })) as { tasks: { title: string }[] }).tasks.map(
        ({ title }) => title,
      );
    expect(await titles('--owner ci')).toEqual(['High', 'Ours', 'Two', 'Low']);
    expect(await titles('--owner bob --limit 2')).toEqual(['Theirs', 'High']);
    expect(await titles('')).toEqual(['High', 'Two', 'Low']);
  });

  it('6.1-R1 ready gives five at most, if not told otherwise', async () => {
    const list = `## Git Worktree a\n${Array.from({ length: 8 }, (_, at) => `[] T${at}`).join('\n')}\n`;
    expect((await out('task ready --quiet', { list })).trim().split('\n')).toHaveLength(5);
    expect((await out('task ready --quiet --limit 7', { list })).trim().split('\n')).toHaveLength(7);
  });

  it('5.1-R2 show has the plan and what was kept', async () => {
    const scene = sceneOf(LIST, {
      now: NOW,
      world: (world) => (
        busyWorld(world),
        void world.known.set(
          'm2c7r4ya',
          known('m2c7r4ya', {
            text: 'Remember me for 30 days',
            state: 'failed',
            plan: '1. cookie\n2. test',
            evidence: '3 tests failed',
            kept: 'refs/todone/m2c7r4ya/3/implement',
            attempts: 3,
          }),
        )
      ),
    });
    expect(await out('task show m2c7r4ya', { scene, width: 80 })).toMatchInlineSnapshot(`
      "Remember me for 30 days

      task         m2c7r4ya
      state        failed
      why          it failed (2-R6)
      to free it   set [] for another attempt, with {fresh} for a clean start
      where        tasks.md:6
      section      auth
      initiative   Checkout
      priority     p1
      tags         {p1}
      attempts     3
      kept work    refs/todone/m2c7r4ya/3/implement (todone restore m2c7r4ya)
      first seen   2026-11-21 11:00
      last change  2026-11-21 11:59, 1m 00s ago

      Plan
        1. cookie
        2. test

      What the last attempt left
        3 tests failed
      "
    `);
    expect(await out('task show q8f0t6zd', { ...OWNED, width: 80 })).toContain('Plan\n  1. add a button\n');
  });

  it('6.3-R2 history', async () => {
    const history = [
      { at: NOW - 60_000, id: 'q8f0t6zd', field: 'text', old: null, new: 'Add logout', by: 'ToDone', via: 'engine' },
      { at: NOW, id: 'q8f0t6zd', field: 'state', old: 'open', new: 'in_progress', by: 'person', via: 'list' },
    ];
    expect(await out('task history q8f0t6zd', { history })).toMatchInlineSnapshot(`
      "WHEN              WHAT   FROM  TO           BY      VIA
      2026-11-21 11:59  text         Add logout   ToDone  engine
      2026-11-21 12:00  state  open  in_progress  person  list
      "
    `);
    expect(await out('task history lcxv8o4')).toBe('nothing is known of it yet: its history begins with its first change\n');
  });
});

describe('logs', () => {
  it('5.3-R2 every kind of event has its line', async () => {
    const output = Array.from({ length: 15 }, (_, at) => `line ${at}`).join('\n');
    const entries = [
      { at: NOW, step: 'plan', kind: 'session', id: 's1' },
      { at: NOW, step: 'plan', kind: 'text', text: 'I look first.\nThen I write.' },
      { at: NOW + 61_000, step: 'implement', kind: 'tool', name: 'Bash', input: 'npm\n  test', output },
      { at: NOW, step: 'implement', kind: 'tool', name: 'Read', failed: true },
      { at: NOW, step: 'implement', kind: 'file', path: 'src/a.ts', change: 'added' },
      { at: NOW, step: 'implement', kind: 'file', path: 'src/b.ts', change: 'changed' },
      { at: NOW, step: 'implement', kind: 'file', path: 'src/c.ts', change: 'removed' },
      { at: NOW, step: 'implement', kind: 'usage', usage: { inputTokens: 1_200_000, outputTokens: 1, costUsd: 1.5 }, cumulative: true },
      { at: NOW, step: 'implement', kind: 'usage', usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 }, cumulative: false },
      { at: NOW, step: 'implement', kind: 'limit', message: 'usage limit', resetAt: NOW + 3_600_000 },
      { at: NOW, step: 'implement', kind: 'error', message: 'connection reset', class: 'transient' },
    ] as const;
    expect(await out('logs q8f0t6zd', { entries })).toMatchInlineSnapshot(`
      "── plan  12:00:00
      session s1
      I look first.
      Then I write.

      ── implement  12:01:01
      → Bash npm test
        line 0
        line 1
        line 2
        line 3
        line 4
        line 5
        line 6
        line 7
        line 8
        line 9
        line 10
        line 11
        … 3 more lines
      ✗ Read
      + src/a.ts
      ~ src/b.ts
      - src/c.ts
      used so far: 1.2M tokens, $1.50
      limit: usage limit (goes on at 13:00:00)
      error (transient): connection reset
      "
    `);
  });

  it('7 nothing said yet is no fault', async () => {
    expect(await todone('logs lcxv8o4')).toMatchObject({ code: 0, out: '', err: 'nothing has been said yet: todone why lcxv8o4\n' });
  });
});

describe('the summary of start', () => {
  it('7-R3 what became done and failed since it began, and what waits', async () => {
    const before = LIST.replace('[✅ a1b2c3d, k3v9x2m1]', '[]').replace('[❌ m2c7r4ya]', '[]');
    const scene = sceneOf(before, { now: NOW });
    const after = sceneOf(LIST.replace('[🟡 q8f0t6zd]', '[]').replace('{opus}', '{triage}'), {
      now: NOW,
      world: (world) => {
        busyWorld(world);
        world.runs.clear();
      },
    });
    expect(await out('start --once', { scene, after, start: { failed: ['m2c7r4ya'], interrupted: false }, width: 90 })).toMatchInlineSnapshot(`
      "1 done, 1 failed, 6 waiting
        done    k3v9x2m1  Add login form           a1b2c3d
        failed  m2c7r4ya  Remember me for 30 days  failed in implement: \`npm test\` exit 1, 3 te…
        waits   utn4va2   Add logout               it waits for triage
        waits   rotate    Rotate refresh tokens
        waits   wjis6ns   Document the flow        every task above it has to be done: "Add log…
        waits   lcxv8o4   Send invoices
        waits   wtteiee   Refunds                  it waits for triage
        waits   9svqdrd   Dunning                  every task above it has to be done: "Send in…
      "
    `);
  });

  it('7-R3 what was done and failed before is not counted; what failed again is', async () => {
    const text = await out('start --once', { start: { failed: [], interrupted: false } });
    expect(text).toMatch(/^1 running, 5 waiting\n/);
    expect(await out('start --once', { start: { failed: ['m2c7r4ya'], interrupted: false } })).toMatch(/^1 failed, 1 running, 5 waiting\n/);
    expect(await out('start --once', { list: '## Git Worktree a\n[x] Old\n' })).toBe('nothing to do\n');
  });

  it('1.1-R1 says of tasks outside any section that they will not start', async () => {
    const one = 'the task of line 1 stands outside any section and will not start: a section is a line "## Git Worktree <name>"\n';
    expect(await out('start --once', { list: '[] A\n[x] B\n' })).toBe(`nothing to do\n${one}`);
    expect(await out('start --once', { list: '## Notes\n[] A\n[] B\n' })).toContain(
      '2 tasks stand outside any section and will not start, the first in line 2:',
    );
  });
});

describe('the rest', () => {
  it('7 doctor says what is wrong and what to do, and the config with its sources', async () => {
    const doctor = {
      checks: [
        { name: 'git', ok: true, found: '2.45.1' },
        { name: 'sandbox', ok: 'warn', found: 'none', remedy: 'apt install bubblewrap' },
        { name: 'agents', ok: false, found: 'only script', remedy: 'install an agent' },
        { name: 'list', ok: true, found: 'tasks.md', fixed: true },
      ],
      config: [
        { key: 'maxAgents', value: 4, source: 'default' },
        { key: 'verify', value: 'npm test', source: 'todone.config.yaml:3' },
      ],
    } as const;
    expect(await out('doctor', { doctor, width: 80 })).toMatchInlineSnapshot(`
      "ok  git      2.45.1
      !   sandbox  none
                   do: apt install bubblewrap
      no  agents   only script
                   do: install an agent
      ok  list     tasks.md (put right just now)

      1 thing to put right.

      The config in force
        maxAgents  default               4
        verify     todone.config.yaml:3  "npm test"
      "
    `);
  });

  it('7 init says what it did and what comes next', async () => {
    expect(await out('init')).toMatchInlineSnapshot(`
      "done       the list           tasks.md
      as it was  .git/info/exclude

      Write a task into tasks.md, then: todone start
      "
    `);
  });

  it('7-R2 a failure on stderr, in four parts', async () => {
    const open = usage('the config cannot be used', 'write a number', {
      where: '/repo/todone.config.yaml:3',
      why: 'maxAgents: expected a number, but "four" is text that goes on for longer than a line has room',
    });
    expect((await todone('status', { open, width: 72 })).err).toMatchInlineSnapshot(`
      "error: the config cannot be used
        where: /repo/todone.config.yaml:3
        why: maxAgents: expected a number, but "four" is text that goes on for
          longer than a line has room
        do: write a number
      "
    `);
  });

  it('7 answers of the owner are passed on as they are', async () => {
    const said = await todone('retry m2c7r4ya --fresh', { answer: { kind: 'ok', message: 'it will be tried again' } });
    expect(said).toMatchObject({ out: 'it will be tried again\n', asks: [{ kind: 'retry', task: 'm2c7r4ya', fresh: true }] });
    expect((await todone('pause auth')).asks).toEqual([{ kind: 'pause', section: 'auth' }]);
    expect((await todone('resume')).asks).toEqual([{ kind: 'resume', section: undefined }]);
    expect((await todone('stop tasks.md:5')).asks).toEqual([{ kind: 'stop', task: 'tasks.md:5' }]);
    expect(busyScene().board.sections.length).toBeGreaterThan(0);
  });
});
