/** Requests of the backlog on a list in memory: turns, edits and answers without the wheel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import type { Answer } from '../../src/runs/ask.ts';
import type { Caller } from '../../src/runs/caller.ts';
import { estimateMs } from '../../src/runs/dates.ts';
import { nextDate } from '../../src/runs/recur.ts';
import { depTrees, readyTasks } from '../../src/runs/read-request.ts';
import { admitted, REQUESTS, type RequestName } from '../../src/runs/requests.ts';
import { type Effect, type Event, turn } from '../../src/runs/turn.ts';
import { apply, draftOf, type History, worldOf } from '../../src/runs/world.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Board } from '../../src/tasks/task.ts';
import { problemsOf } from '../../src/runs/problems.ts';
import { AGENTS } from './scene.ts';

const config = { ...defaultConfig, claimAfter: 0, agent: 'claude' };
const PERSON: Caller = { kind: 'person', name: 'anna', via: 'cli' };
const worker = (name: string): Caller => ({ kind: 'worker', name, via: 'mcp' });

/** A list and its owner. Nothing of ours starts: its agent is not installed. */
function desk(text: string) {
  let world = fresh(worldOf({ epoch: 'abcdef0123', known: [], runs: [], meta: new Map() }));
  let list = text;
  let board: Board | undefined;
  let now = new Date(2026, 10, 21, 12).getTime();
  let seed = 0.1;
  let number = 0;
  const history: History[] = [];
  const answers = new Map<number, Answer>();

  const take = (event: Event): void => {
    const problems = event.kind === 'read' ? problemsOf(event.board, world, config) : board ? problemsOf(board, world, config) : [];
    const random = (): number => (seed = (seed * 9301 + 0.49297) % 1);
    const turned = turn(world, event, { board, problems, config, instance: 'me', waits: false, now, random });
    apply(turned.draft);
    history.push(...turned.draft.history);
    board = turned.board;
    for (const effect of turned.effects) perform(effect);
  };
  const perform = (effect: Effect): void => {
    if (effect.kind === 'answer') answers.set(effect.number, effect.answer);
    if (effect.kind !== 'edit') return;
    const edited = applyEdits(list, effect.item.edits, defaultParseOptions);
    list = edited.text;
    read();
    const bad = edited.results.find(({ kind }) => kind === 'gone' || kind === 'changed');
    take({ kind: 'edited', items: [{ item: effect.item, result: bad ?? edited.results[0] ?? { kind: 'gone' } }] });
  };
  const read = (): void => {
    const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: list, modifiedAt: 0 };
    take({ kind: 'read', board: parse(list, defaultParseOptions, board), facts, torn: false, conflict: false, own: false });
  };
  read();
  return {
    list: () => list,
    history,
    scene: () => ({ board: board as Board, draft: draftOf(world), config, now, problems: problemsOf(board as Board, world, config), instance: 'me' }),
    type(next: string) {
      list = next;
      read();
    },
    pass(ms: number) {
      now += ms;
      take({ kind: 'woke' });
    },
    /** As after a crash: only what is stored is left. */
    restart() {
      world = fresh(worldOf({ epoch: world.epoch, known: [...world.known.values()], runs: [...world.runs.values()], meta: world.meta }));
      board = undefined;
      read();
    },
    /** A request that changes something. `commit` = what git says of the hash that it names. */
    ask(request: RequestName, input: object, caller: Caller = PERSON, commit?: string): Answer {
      const given = admitted(request, input, caller);
      if ('refusal' in given) throw new Error(given.refusal.message);
      number++;
      const facts = commit === undefined ? {} : { commit, hash: commit.slice(0, 7) };
      take({ kind: 'asked', number, ask: { kind: 'request', request: request as never, input: given.input, caller, facts }, by: caller.name, via: caller.via });
      const answer = answers.get(number);
      if (!answer) throw new Error(`${request} was not answered`);
      return answer;
    },
  };
}

function fresh<W extends ReturnType<typeof worldOf>>(world: W): W {
  world.agents = AGENTS;
  return world;
}

const ticketOf = (answer: Answer): string => (answer.kind === 'ok' ? String(answer.output?.['ticket']) : '');
const COMMIT = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';

it('1.4-R7 2-R3 a claim is ended by its id while an old buffer has taken that off its line', () => {
  const at = desk('## Git Worktree a\n[] One\n[] Two\n');
  const before = at.list();
  const claimed = at.ask('task.claim', { task: 'tasks.md:2' }, worker('w1'));
  at.ask('task.claim', { task: 'tasks.md:3' }, worker('w2'));
  const id = /\[🟡 (\w{8})\] One/u.exec(at.list())?.[1] ?? '';
  expect(id).not.toBe('');
  at.type(before);
  expect(at.list()).not.toContain(id);
  expect(at.ask('task.heartbeat', { task: id, ticket: ticketOf(claimed) }, worker('w1'))).toMatchObject({ kind: 'ok' });
  expect(at.ask('task.close', { task: id, ticket: ticketOf(claimed), hash: COMMIT }, worker('w1'), COMMIT)).toMatchObject({ kind: 'ok' });
  at.pass(2500);
  at.type(at.list());
  expect(at.list()).toMatch(/^\[✅ a1b2c3d, \w{8}\] One$/mu);
});

it('1.4-R7 2-R4 one marker that goes back before anybody can have read it is an old buffer, and a wish later on', () => {
  const at = desk('## Git Worktree a\n[] One\n[] Two\n');
  const before = at.list();
  const claimed = at.ask('task.claim', { task: 'tasks.md:2' }, worker('w1'));
  at.type(`${before}[] Three\n`);
  at.pass(2500);
  at.type(at.list());
  expect(at.list()).toMatch(/^\[🟡 \w{8}\] One\n\[\] Two\n\[\] Three$/mu);
  const id = /\[🟡 (\w{8})\]/u.exec(at.list())?.[1] ?? '';
  expect(at.ask('task.heartbeat', { task: id, ticket: ticketOf(claimed) }, worker('w1'))).toMatchObject({ kind: 'ok' });
  at.type(at.list().replace(/🟡 \w{8}/u, ''));
  expect(at.ask('task.heartbeat', { task: id, ticket: ticketOf(claimed) }, worker('w1'))).toMatchObject({ kind: 'refused' });
});

it('1.4-R7 2-R3 a rollback is over in the end, though a claim ran out while its marker was away', () => {
  const at = desk('## Git Worktree a\n[] One\n[] Two\n[] Three\n');
  const before = at.list();
  expect(at.ask('task.claim', { task: 'tasks.md:2', lease: 1 }, worker('w1'))).toMatchObject({ kind: 'ok' });
  expect(at.ask('task.claim', { task: 'tasks.md:3', lease: 600 }, worker('w2'))).toMatchObject({ kind: 'ok' });
  // An editor saves the buffer that it had before.
  at.type(before);
  expect(at.ask('task.claim', { task: 'tasks.md:4' }, worker('w3'))).toMatchObject({ kind: 'refused', code: 'unavailable' });
  at.pass(1500);
  at.pass(1500);
  at.type(at.list());
  expect(at.list()).toMatch(/^\[\] One( \{id:\w+\})?\n\[🟡 \w{8}\] Two\n\[\] Three$/mu);
  expect(at.ask('task.claim', { task: 'tasks.md:4' }, worker('w3'))).toMatchObject({ kind: 'ok' });
  expect(at.ask('task.claim', { task: 'tasks.md:2' }, worker('w3'))).toMatchObject({ kind: 'ok' });
});

describe('filing', () => {
  it('7-R8 puts a task at the end of its section, beside another, and with all that was said of it', () => {
    const at = desk('## Git Worktree a\n[] One\n\n## Git Worktree b\n- [ ] Two\n');
    expect(at.ask('task.create', { tasks: [{ title: 'Three {quick}', priority: 0, section: 'b', description: 'verify: true' }] })).toMatchObject({
      kind: 'ok',
    });
    expect(at.ask('task.create', { tasks: [{ title: 'Four' }, { title: 'Five' }], below: 'tasks.md:2' })).toMatchObject({
      kind: 'ok',
      message: 'filed 2 tasks',
    });
    expect(at.ask('task.create', { tasks: [{ title: 'Zero', after: ['tasks.md:2'] }], above: 'tasks.md:2' })).toMatchObject({ kind: 'ok' });
    expect(at.list()).toMatch(
      /^## Git Worktree a\n\[\] Zero \{after:(\w{8})\}\n\[\] One \{id:\1\}\n\[\] Four\n\[\] Five\n\n## Git Worktree b\n- \[ \] Two\n- \[\] Three \{quick\} \{p0\}\n {2}verify: true\n$/,
    );
  });

  it('7-R8 files all of a Markdown or JSON text, or nothing of it', () => {
    const at = desk('## Git Worktree a\n[] One\n');
    const before = at.list();
    const bad: readonly object[] = [
      { from: { format: 'json', text: '[{"title":"Two"},{"title":"Three","after":["nobody"]}]' } },
      { from: { format: 'json', text: '{"title":"Two"}' } },
      { from: { format: 'json', text: 'nonsense' } },
      { from: { format: 'markdown', text: '[] Two\n[✅ a1b2c3d] Three\n' } },
      { from: { format: 'markdown', text: '## Git Worktree a\n[] Two\n## Git Worktree other\n[] Three\n' } },
      { from: { format: 'markdown', text: 'no task at all\n' } },
      { tasks: [{ title: 'Two {id:x}' }, { title: 'Three {id:x}' }] },
    ];
    for (const input of bad) {
      expect(at.ask('task.create', input).kind).not.toBe('ok');
      expect(at.list()).toBe(before);
    }
    const text = '[] Two {id:two}\n  - [ ] a part of it\n  done: it works\n[⏰] Three {after:two}\n';
    expect(at.ask('task.create', { from: { format: 'markdown', text } })).toMatchObject({ kind: 'ok', message: 'filed 2 tasks' });
    expect(parse(at.list(), defaultParseOptions).sections[0]?.tasks.map(({ title, parent }) => [title, parent])).toEqual([
      ['One', undefined],
      ['Two', undefined],
      ['a part of it', 1],
      ['Three', undefined],
    ]);
  });

  it('6.2-R2 what a worker files gets an id, waits for triage, and cannot let itself start', () => {
    const at = desk('## Git Worktree a\n[] One\n');
    expect(at.ask('task.create', { tasks: [{ title: 'Sneaky {safe} {no-commit}', tags: ['approval', 'by:anna'] }] }, worker('w1'))).toMatchObject({
      kind: 'ok',
    });
    expect(at.list()).toMatch(/^\[\] Sneaky \{id:\w{8}\} \{triage\} \{by:w1\}$/m);
    expect(at.ask('task.create', { tasks: [{ title: 'sneaky' }] }, worker('w2'))).toMatchObject({ kind: 'refused', code: 'conflict' });
    expect(readyTasks(at.scene(), 'w1', 5).map(({ title }) => title)).toEqual(['One']);
    expect(at.history).toContainEqual(expect.objectContaining({ field: 'state', old: null, new: 'open', by: 'w1', via: 'mcp' }));
  });

  it('7-R8 7-R9 updates touch the line only, and say who made them', () => {
    const at = desk('## Git Worktree a\n- [ ] One {p2} {owner:x} `code {p0}`\n');
    at.ask('task.update', { task: 'tasks.md:2', title: 'Uno', priority: 1, owner: null });
    expect(at.list()).toBe('## Git Worktree a\n- [ ] Uno {p1}\n');
    at.ask('task.assign', { task: 'tasks.md:2', owner: 'ci' });
    at.ask('task.update', { task: 'tasks.md:2', status: 'blocked', reason: 'no key yet' });
    expect(at.list()).toBe('## Git Worktree a\n- [ ] Uno {p1} {owner:ci} {hold:no key yet}\n');
    at.ask('task.update', { task: 'tasks.md:2', status: 'open' });
    at.ask('task.unassign', { task: 'tasks.md:2' });
    expect(at.list()).toBe('## Git Worktree a\n- [ ] Uno {p1}\n');
    const fields = at.history.filter(({ by, via }) => by === 'anna' && via === 'cli').map(({ field, old, new: now }) => `${field} ${old} ${now}`);
    expect(fields).toEqual(expect.arrayContaining(['priority p2 p1', 'owner x null', 'owner null ci', 'owner ci null']));
  });
});

describe('links', () => {
  it('6.3-R1 a cycle is refused with its path, whichever request would close it', () => {
    const at = desk('## Git Worktree a\n[] A {id:a}\n[] B {id:b} {after:a}\n[] C {id:c} {after:b}\n[] Parent {id:p}\n  [] Child {id:ch}\n');
    const before = at.list();
    for (const [request, input] of [
      ['task.depAdd', { task: 'a', after: ['c'] }],
      ['task.update', { task: 'a', after: ['c'] }],
      ['task.depAdd', { task: 'ch', after: ['p'] }],
      ['task.depAdd', { task: 'a', after: ['a'] }],
    ] as const) {
      const answer = at.ask(request, input);
      expect(answer).toMatchObject({ kind: 'refused', code: 'cycle', message: expect.stringMatching(/start: .+ → .+\./) });
    }
    expect(at.list()).toBe(before);
    expect(at.ask('task.depRemove', { task: 'c', after: ['b'] })).toMatchObject({ kind: 'ok' });
    expect(at.ask('task.depAdd', { task: 'a', after: ['c'] })).toMatchObject({ kind: 'ok' });
    expect(depTrees(at.scene(), 'b')).toMatchObject({ trees: [{ name: 'b', waits_for: [{ name: 'a', waits_for: [{ name: 'c', waits_for: [] }] }] }] });
  });

  it('6.3-R4 7-R8 cancelling says whom it holds back', () => {
    const at = desk('## Git Worktree a\n[] A {id:a}\n[] B {after:a}\n');
    expect(at.ask('task.close', { task: 'a', cancel: true, reason: 'not needed' })).toMatchObject({ kind: 'ok', output: { holds: [expect.any(String)] } });
    expect(at.list()).toMatch(/^\[-\] A \{id:a\}/m);
    expect(readyTasks(at.scene(), 'w', 5)).toEqual([]);
  });
});

describe('approval', () => {
  it('6.2-R3 takes the lane off, a heading’s approval off, and writes {safe} where a lane is handed down', () => {
    const at = desk('## Git Worktree a {triage}\n[] One\n[] Two {decision}\n\n### Phase {approval}\n[] Three {safe}\n');
    expect(at.ask('task.approve', { tasks: ['tasks.md:6'] })).toMatchObject({ kind: 'refused', remedy: expect.stringContaining('--group "Phase"') });
    at.ask('task.approve', { tasks: ['tasks.md:2'] });
    at.ask('task.approve', { tasks: ['tasks.md:3'], answer: 'yes' });
    at.ask('task.approve', { group: 'Phase' });
    expect(at.list()).toBe('## Git Worktree a {triage}\n[] One {safe}\n[] Two\n  > answer: yes\n\n### Phase\n[] Three {safe}\n');
    expect(at.ask('task.approve', { section: 'nothing-there' })).toMatchObject({ kind: 'refused' });
    expect(at.history.filter(({ field }) => field === 'approved').map(({ by }) => by)).toContain('anna');
  });
});

describe('what the list does by itself', () => {
  it('6.3-R1 an epic closes when the last of its subtasks is done, however that came; an initiative is complete once', () => {
    const at = desk('# Big\n\n## Git Worktree a\n[] Whole {epic}\n  [] Part\n  [-] Left out\n');
    at.type(at.list().replace('  [] Part', '  [x] Part'));
    expect(at.list()).toMatch(/^\[✅ -, \w{8}\] Whole \{epic\}$/m);
    const complete = at.history.filter(({ id, new: now }) => id === 'initiative:Big' && now === 'complete');
    expect(complete).toHaveLength(1);
    at.restart();
    expect(at.history.filter(({ id, new: now }) => id === 'initiative:Big' && now === 'complete')).toHaveLength(1);
  });

  it('1.2 a recurring task that is done leaves one copy for the next date ahead, and none for dates that were missed', () => {
    const at = desk('## Git Worktree a\n[] Water {every:weekly} {p1}\n  action: slowly\n[⏰] After it\n');
    at.ask('task.close', { task: 'tasks.md:2', reason: 'done' });
    expect(at.list()).toMatch(
      /^\[✅ -, \w{8}\] Water \{every:weekly\} \{p1\}\n {2}action: slowly\n\[\] Water \{every:weekly\} \{p1\} \{not-before:2026-11-23\}\n {2}action: slowly\n/m,
    );
    expect(readyTasks(at.scene(), 'w', 5).map(({ title }) => title)).toEqual(['After it']);
    at.restart();
    expect(at.list().match(/Water/g)).toHaveLength(2);
    at.pass(90 * 24 * 3_600_000);
    at.ask('task.close', { task: 'tasks.md:4', reason: 'late' });
    expect(at.list().match(/\{not-before:[^}]*\}/g)).toEqual(['{not-before:2026-11-23}', '{not-before:2027-02-22}']);
    // Who deletes the copy has had enough of it.
    at.type(at.list().replace(/\[\] Water .*\n.*\n/, ''));
    expect(at.list()).not.toMatch(/^\[\] Water/m);
  });

  it.each([
    ['daily', '2026-11-21T12:00', '2026-11-22T00:00'],
    ['every week', '2026-11-21T12:00', '2026-11-23T00:00'],
    ['0 9 * * 1', '2026-11-21T12:00', '2026-11-23T09:00'],
    ['weekdays', '2026-11-20T12:00', '2026-11-23T00:00'],
    ['2 weeks', '2026-11-01T09:00', '2026-11-29T09:00'],
    ['1 month', '2026-10-31T09:00', '2026-11-30T09:00'],
    ['3d', '2026-11-21T08:00', '2026-11-24T08:00'],
  ])('1.2 {every:%s} from %s comes again at %s', (rule, from, next) => {
    const now = Math.max(Date.parse(from), Date.parse('2026-11-21T12:00'));
    const wanted = rule === 'weekdays' ? nextDate(rule, Date.parse(from), Date.parse(from)) : nextDate(rule, Date.parse(from), now);
    expect(wanted && new Date(wanted).toString()).toBe(new Date(next).toString());
  });

  it('1.2 an estimate is working time', () => {
    expect(['30m', '2h', '1d 4h', '1w', 'soon'].map(estimateMs)).toEqual([1_800_000, 7_200_000, 43_200_000, 144_000_000, undefined]);
  });
});

describe('claims', () => {
  it('2-R2 6.1-R1 survive a restart, are kept alive, run out, and their tickets never come back', () => {
    const at = desk('## Git Worktree a\n[] One\n');
    const first = at.ask('task.claim', {}, worker('w1'));
    expect(first).toMatchObject({ kind: 'ok', output: { worker: 'w1', ticket: 'abcdef01.1' } });
    at.restart();
    expect(at.ask('task.claim', { task: 'tasks.md:2' }, worker('w2'))).toMatchObject({ kind: 'refused', code: 'claimed' });
    at.pass(50_000);
    expect(at.ask('task.heartbeat', { task: 'tasks.md:2', ticket: ticketOf(first) }, worker('w1'))).toMatchObject({ kind: 'ok' });
    at.pass(50_000);
    expect(at.list()).toContain('🟡');
    at.pass(11_000);
    expect(at.list()).toMatch(/^\[\] One \{id:\w{8}\}$/m);
    expect(at.ask('task.heartbeat', { task: 'tasks.md:2', ticket: ticketOf(first) }, worker('w1'))).toMatchObject({ code: 'stale_ticket' });
    const second = at.ask('task.claim', {}, worker('w1'));
    expect(ticketOf(second)).toBe('abcdef01.2');
    expect(at.ask('task.close', { task: 'tasks.md:2', ticket: ticketOf(first) }, worker('w1'), COMMIT)).toMatchObject({ code: 'stale_ticket' });
    expect(at.ask('task.close', { task: 'tasks.md:2', ticket: ticketOf(second), hash: COMMIT }, worker('w1'), COMMIT)).toMatchObject({ kind: 'ok' });
    expect(at.list()).toMatch(/^\[✅ a1b2c3d, \w{8}\] One \{id:\w{8}\}$/m);
  });

  it('2-R4 a person overtakes a worker on the line: its ticket is stale from then on', () => {
    for (const [marker, words] of [
      ['[❌]', /^\[❌ \w{8}\] One$/m],
      ['[x]', /^\[x\] One$/m],
      ['[-]', /^\[-\] One$/m],
      ['[]', /^\[\] One$/m],
    ] as const) {
      const at = desk('## Git Worktree a\n[] One\n[] Two\n');
      const claim = at.ask('task.claim', { task: 'tasks.md:2' }, worker('w1'));
      at.pass(2000);
      at.type(at.list().replace(/\[🟡 \w+\]/, marker));
      expect(at.list()).toMatch(words);
      expect(at.ask('task.report', { task: 'tasks.md:2', ticket: ticketOf(claim), outcome: 'done', hash: COMMIT }, worker('w1'), COMMIT).kind).not.toBe('ok');
    }
  });

  it('2-R2 any requests of any workers in any order: one claim at a time, done once, no stale ticket counts', () => {
    const step = fc.record({
      what: fc.constantFrom('claim', 'heartbeat', 'release', 'close', 'report', 'pass', 'restart', 'undo'),
      who: fc.nat(2),
      task: fc.nat(2),
      old: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const at = desk('## Git Worktree a\n[] T0 {id:t0}\n[] T1 {id:t1}\n[] T2 {id:t2} {after:t0}\n');
        const tickets = new Map<string, string[]>();
        const holder = new Map<string, { who: string; ticket: string }>();
        const finished = new Set<string>();
        for (const { what, who, task, old } of steps) {
          const name = `t${task}`;
          const caller = worker(`w${who}`);
          const known = tickets.get(name) ?? [];
          const ticket = (old ? known[0] : known.at(-1)) ?? 'abcdef01.9';
          const holds = holder.get(name)?.ticket === ticket && holder.get(name)?.who === caller.name;
          if (what === 'pass') {
            at.pass(61_000);
            holder.clear();
          } else if (what === 'restart') at.restart();
          else if (what === 'undo') at.type(`${at.list()} `);
          else if (what === 'claim') {
            const answer = at.ask('task.claim', { task: name }, caller);
            const free = !holder.has(name) && !finished.has(name) && (task !== 2 || finished.has('t0'));
            expect(answer.kind).toBe(free ? 'ok' : 'refused');
            if (answer.kind !== 'ok') continue;
            expect(known).not.toContain(ticketOf(answer));
            tickets.set(name, [...known, ticketOf(answer)]);
            holder.set(name, { who: caller.name, ticket: ticketOf(answer) });
          } else {
            const more = what === 'close' ? { hash: COMMIT } : what === 'report' ? { outcome: 'done', hash: COMMIT } : {};
            const answer = at.ask(`task.${what}`, { task: name, ticket, ...more }, caller, what === 'close' || what === 'report' ? COMMIT : undefined);
            expect(answer.kind).toBe(holds ? 'ok' : 'refused');
            if (answer.kind !== 'ok' || what === 'heartbeat') continue;
            holder.delete(name);
            if (what !== 'release') finished.add(name);
          }
        }
        const done = at.history.filter(({ field, new: now }) => field === 'state' && now === 'done').map(({ id }) => id);
        expect(new Set(done).size).toBe(done.length);
        expect(done).toHaveLength(finished.size);
      }),
      { numRuns: 150 },
    );
  });
});

it('9-R4 every request says what it is, who may ask, and has schemas that can be shown', () => {
  for (const [name, row] of Object.entries(REQUESTS)) {
    expect([name, row.says.length > 10, row.who.length > 0]).toEqual([name, true, true]);
    expect(row.input.shape).toBeDefined();
  }
});
