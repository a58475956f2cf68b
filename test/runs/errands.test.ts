import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { errandIn, type ErrandEnd, type ErrandKind, type ErrandOrder, putErrand } from '../../src/runs/errand.ts';
import { turnErrands } from '../../src/runs/errands.ts';
import { NO_EVIDENCE } from '../../src/runs/evidence.ts';
import { pullRequestBlock, withBlock } from '../../src/runs/pull-request.ts';
import type { End, Step } from '../../src/runs/run.ts';
import { type Effect, type Event, turn } from '../../src/runs/turn.ts';
import { apply, draftOf, emptyWorld, worldOf } from '../../src/runs/world.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import type { Board } from '../../src/tasks/task.ts';
import { AGENTS, sceneOf } from './scene.ts';

type Written = Partial<typeof defaultConfig>;

/** A list, and what the wheel decides about its sections' branches; errands end when the test says so. */
function table(text: string, written: Written = {}) {
  let world = emptyWorld();
  world.agents = AGENTS;
  let board: Board | undefined;
  let now = 1_000_000;
  let list = text;
  let idle = false;
  let seed = 0;
  const random = (): number => (seed += 0.137) % 1;
  let wakeAt: number | undefined;
  const orders: ErrandOrder[] = [];
  const done: string[] = [];
  const config = { ...defaultConfig, claimAfter: 0, ...written };

  const take = (event: Event): Effect[] => {
    const turned = turn(world, event, { board, problems: [], config, instance: 'me', waits: false, now, random });
    apply(turned.draft);
    // What is stored is all that a start has.
    expect(worldOf({ known: [...world.known.values()], runs: [...world.runs.values()], meta: world.meta }, NO_EVIDENCE).meta).toEqual(world.meta);
    done.push(...turned.draft.history.filter((row) => row.field === 'section done').map((row) => row.id));
    board = turned.board;
    idle = turned.idle;
    wakeAt = turned.wakeAt;
    for (const effect of turned.effects) {
      if (effect.kind === 'errand') orders.push(effect.order);
      if (effect.kind !== 'edit') continue;
      const edited = applyEdits(list, effect.item.edits, defaultParseOptions);
      list = edited.text;
      read();
      take({ kind: 'edited', items: [{ item: effect.item, result: edited.results[0] ?? { kind: 'gone' } }] });
    }
    return [...turned.effects];
  };
  const read = (): void => {
    const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: list, modifiedAt: now };
    take({ kind: 'read', board: parse(list, defaultParseOptions, board), facts, torn: false, conflict: false, own: false });
  };
  const end = (step: Step, answer: End = { kind: 'done' }): void => {
    const run = [...world.runs.values()].find((each) => each.step === step);
    if (!run) throw new Error(`no run at ${step}`);
    take({ kind: 'ended', id: run.id, ticket: run.ticket, step, end: answer });
  };
  read();
  return {
    orders,
    done,
    read,
    take,
    end,
    kinds: (): ErrandKind[] => orders.map((order) => order.kind),
    row: (kind: ErrandKind, section = 'a') => errandIn(draftOf(world), kind, section),
    idle: () => idle,
    wakeAt: () => wakeAt,
    save(change: (text: string) => string): void {
      list = change(list);
      read();
    },
    wait(ms: number): void {
      now += ms;
      take({ kind: 'woke' });
    },
    finish(answer: ErrandEnd): void {
      const order = orders.at(-1)!;
      take({ kind: 'errand-ended', section: order.section, errand: order.kind, ticket: order.ticket, end: answer });
    },
    land(): void {
      for (const step of ['prepare', 'plan', 'implement', 'update'] as const) end(step);
      end('land', { kind: 'done', found: { commit: 'a1b2c3d4e5', hash: 'a1b2c3d', summary: 'Did it.' } });
    },
    ask: (what: 'sync' | 'land' | 'pr', section = 'a') => take({ kind: 'asked', number: 1, ask: { kind: 'branch', what, section }, by: 'me', via: 'cli' }),
    /** A crash: only what was stored is left. */
    restart(): void {
      const stored = { known: [...world.known.values()], runs: [...world.runs.values()], meta: new Map(world.meta) };
      world = worldOf(stored, NO_EVIDENCE);
      world.agents = AGENTS;
      board = undefined;
      read();
    },
  };
}

const later = (why: 'busy' | 'network' | 'person'): ErrandEnd => ({ kind: 'later', why, message: 'not now', remedy: 'do something' });

describe('a section that is done', () => {
  it('4-R10 is told once, and again when new tasks were added and finished', () => {
    const wheel = table('# I\n\n## Git Worktree a {verify:npm test}\n[] one {fake}\n', { onSectionDone: 'pr' });
    expect(wheel.done).toEqual([]);
    wheel.land();
    expect(wheel.done).toEqual(['section:a']);
    expect(wheel.orders).toMatchObject([
      { section: 'a', kind: 'pr', verify: 'npm test', title: 'I: a', tasks: [{ title: 'one', hash: 'a1b2c3d', summary: 'Did it.' }] },
    ]);
    expect(wheel.idle()).toBe(false);
    wheel.finish({ kind: 'done', message: 'made', url: 'https://x/1' });
    expect(wheel.idle()).toBe(true);
    wheel.read();
    wheel.restart();
    expect(wheel.done).toHaveLength(1);
    wheel.save((text) => `${text}[] two {fake}\n`);
    expect(wheel.done).toHaveLength(1);
    wheel.land();
    expect(wheel.done).toHaveLength(2);
    expect(wheel.orders.at(-1)).toMatchObject({ kind: 'pr', tasks: [{ title: 'one' }, { title: 'two' }] });
    expect(wheel.row('pr')).toMatchObject({ state: 'due', url: 'https://x/1' });
  });

  it.each([
    ['an open task', '[] b {triage}'],
    ['a failed one', '[❌ m2c7r4ya] b'],
    ['a held one', '[] b {hold:later}'],
    ["a person's own", '[🟡] b'],
  ])('4-R10 is not done with %s', (_what, line) => {
    const wheel = table(`## Git Worktree a\n[] one {fake}\n${line}\n`, { onSectionDone: 'push' });
    wheel.land();
    expect(wheel.done).toEqual([]);
    wheel.save((text) => text.replace(line, '[-] b'));
    expect(wheel.done).toEqual(['section:a']);
    expect(wheel.kinds()).toEqual(['push']);
  });

  it('4-R10 one that was done before ToDone came is no news', () => {
    const wheel = table('## Git Worktree a\n[x] one\n\n## Git Worktree b\n', { onSectionDone: 'push' });
    expect(wheel.done).toEqual([]);
    expect(wheel.orders).toEqual([]);
  });

  it('4-R10 merge lands it, none does nothing', () => {
    for (const [onSectionDone, kinds] of [
      ['merge', ['land']],
      ['none', []],
    ] as const) {
      const wheel = table('## Git Worktree a\n[] one {fake}\n', { onSectionDone });
      wheel.land();
      expect(wheel.kinds()).toEqual(kinds);
      expect(wheel.done).toHaveLength(1);
    }
  });
});

describe('syncBase', () => {
  it('4-R10 onLand: after each landing, beside the next task', () => {
    const wheel = table('## Git Worktree a\n[] one {fake}\n[] two {fake}\n', { syncBase: 'onLand' });
    wheel.land();
    expect(wheel.kinds()).toEqual(['sync']);
    wheel.finish({ kind: 'done', message: 'merged' });
    wheel.land();
    expect(wheel.kinds()).toEqual(['sync', 'sync']);
  });

  it('4-R10 daily: once a day while the section is worked on', () => {
    const wheel = table('## Git Worktree a\n[] one {fake}\n', { syncBase: 'daily' });
    wheel.wait(3_600_000);
    expect(wheel.kinds()).toEqual([]);
    expect(wheel.wakeAt()).toBe(1_000_000 + 86_400_000);
    wheel.wait(86_400_000);
    expect(wheel.kinds()).toEqual(['sync']);
    wheel.finish({ kind: 'stopped', message: 'conflict', remedy: 'merge' });
    wheel.wait(3_600_000);
    expect(wheel.kinds()).toEqual(['sync']);
    wheel.wait(86_400_000);
    expect(wheel.kinds()).toEqual(['sync', 'sync']);
  });

  it('4-R10 never is the default', () => {
    const wheel = table('## Git Worktree a\n[] one {fake}\n[] two {fake}\n');
    wheel.land();
    wheel.wait(1e9);
    expect(wheel.kinds()).toEqual([]);
  });
});

describe('an errand', () => {
  const open = '## Git Worktree a\n[-] x\n\n## Git Worktree b\n[-] y\n';

  it('4-R10 is begun when it is asked for, and answered for once', () => {
    const wheel = table(open);
    expect(wheel.ask('sync')).toMatchObject([{ kind: 'answer', answer: { kind: 'ok' } }, { kind: 'errand' }]);
    wheel.ask('sync');
    expect(wheel.kinds()).toEqual(['sync']);
    wheel.finish({ kind: 'done', message: 'merged' });
    expect(wheel.row('sync')).toMatchObject({ state: 'done', message: 'merged', by: 'me' });
    wheel.take({ kind: 'errand-ended', section: 'a', errand: 'sync', ticket: 1, end: { kind: 'stopped', message: 'late', remedy: '' } });
    expect(wheel.row('sync')).toMatchObject({ state: 'done' });
    expect(wheel.ask('sync', 'nowhere')).toMatchObject([{ answer: { kind: 'unknown' } }]);
  });

  it('4-R10 waits for another one on its branch, and for another merge into the base', () => {
    const wheel = table(open);
    wheel.ask('sync');
    wheel.ask('pr');
    wheel.ask('land', 'b');
    expect(wheel.orders.map(({ kind, section }) => `${kind} ${section}`)).toEqual(['sync a', 'land b']);
    wheel.take({ kind: 'errand-ended', section: 'a', errand: 'sync', ticket: 1, end: { kind: 'done', message: '' } });
    expect(wheel.orders.map(({ kind, section }) => `${kind} ${section}`)).toEqual(['sync a', 'land b', 'pr a']);
  });

  it('4-R10 is never tried in a hot loop: each wait is longer, up to the longest', () => {
    for (const why of ['busy', 'network'] as const) {
      const wheel = table(open);
      wheel.ask('pr');
      let before = 0;
      for (let tries = 1; tries <= 12; tries++) {
        wheel.finish(later(why));
        const { waitUntil, at } = wheel.row('pr')!;
        const waits = waitUntil! - at;
        expect(waits).toBeGreaterThanOrEqual(Math.min(before / 2, 140_000));
        expect(waits).toBeGreaterThanOrEqual(1000);
        before = waits;
        wheel.wait(waits - 1);
        expect(wheel.orders).toHaveLength(tries);
        wheel.wait(1);
        expect(wheel.orders).toHaveLength(tries + 1);
      }
      expect(before).toBeLessThanOrEqual(300_000);
    }
  });

  it('7-R3 one that waits long does not keep --once, one that was stopped is not tried again', () => {
    const wheel = table(open);
    wheel.ask('pr');
    wheel.finish(later('person'));
    expect(wheel.idle()).toBe(true);
    expect(wheel.row('pr')).toMatchObject({ state: 'due', message: 'not now', remedy: 'do something' });
    wheel.ask('pr');
    wheel.finish({ kind: 'stopped', message: 'no', remedy: 'yes' });
    wheel.wait(1e9);
    expect(wheel.orders).toHaveLength(2);
    wheel.ask('pr');
    expect(wheel.orders).toHaveLength(3);
  });

  it('12-R1 goes on after a crash, and what waited is tried at once', () => {
    const wheel = table(open);
    wheel.ask('pr');
    wheel.restart();
    expect(wheel.kinds()).toEqual(['pr', 'pr']);
    wheel.finish(later('person'));
    wheel.restart();
    expect(wheel.kinds()).toEqual(['pr', 'pr', 'pr']);
    wheel.finish({ kind: 'done', message: 'made' });
    wheel.restart();
    expect(wheel.orders).toHaveLength(3);
  });

  it('7-R5 while ToDone is stopping only what is asked for is begun', () => {
    const wheel = table(open);
    wheel.take({ kind: 'drain' });
    wheel.ask('sync');
    expect(wheel.kinds()).toEqual(['sync']);
    wheel.ask('sync', 'b');
    wheel.finish(later('network'));
    wheel.wait(1e6);
    expect(wheel.kinds()).toEqual(['sync', 'sync']);
  });

  it('12-R1 a row that nobody can read is no errand', () => {
    const { draft, ...scene } = sceneOf(open);
    putErrand(draft, { section: 'a', kind: 'sync', ticket: 1, by: 'me', state: 'due', tries: 0, at: 0 });
    draft.meta.set('errand:land:a', '{"kind":');
    draft.meta.set('errand:pr:a', '{"kind":"later","section":"a","ticket":1}');
    expect(turnErrands({ draft, scene: { ...scene, draft }, config: scene.config, now: 0 }).orders.map(({ kind }) => kind)).toEqual(['sync']);
  });
});

describe('the words of a pull request', () => {
  it('4-R10 stay within what a forge takes', () => {
    const tasks = Array.from({ length: 5000 }, (_, at) => ({ id: `g${at}`, title: `Task ${at}`, hash: 'a1b2c3d', summary: 's'.repeat(5000) }));
    const block = pullRequestBlock(tasks);
    expect(block.length).toBeLessThan(65_000);
    expect(block).toMatch(/- … and \d+ more\n<!-- todone:end -->$/);
  });

  it('4-R10 a body whose markers somebody broke gets a new part at its end', () => {
    const block = pullRequestBlock([{ id: 'g1', title: 'One', hash: '-' }]);
    const mended = withBlock('Hello\n<!-- todone:begin -->\nbroken', block);
    expect(mended).toBe(`Hello\n<!-- todone:begin -->\nbroken\n\n${block}`);
    expect(withBlock(mended, block)).toBe(mended);
    expect(withBlock('', block)).toBe(block);
    expect(withBlock(`a ${block} z`, block)).toBe(`a ${block} z`);
  });
});
