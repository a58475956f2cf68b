import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { choose, whyNot } from '../../src/runs/choose.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/runs/evidence.ts';
import { type Effect, turn } from '../../src/runs/turn.ts';
import { apply, draftOf, type World, worldOf } from '../../src/runs/world.ts';
import { allTasks } from '../../src/tasks/find.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { AGENTS } from './scene.ts';

const COMMIT = 'a1b2c3d'.padEnd(40, '0');
const landed = (subject: string, section?: string) => ({ commit: COMMIT, hash: 'a1b2c3d', subject, section });
const config = { ...defaultConfig, claimAfter: 0 };

/** The first look at a list with an empty journal. */
function firstLook(
  text: string,
  evidence: Partial<Evidence>,
): { readonly world: World; readonly effects: readonly Effect[]; readonly why: readonly (string | undefined)[] } {
  const world = worldOf({ known: [], runs: [], meta: new Map() }, { ...NO_EVIDENCE, ...evidence });
  world.agents = AGENTS;
  const board = parse(text, defaultParseOptions);
  const facts = { gitPosition: 'p', gitOperation: undefined, listIsCommitted: false, version: 'v', modifiedAt: 0 };
  const given = { board: undefined, problems: [], config, instance: 'me', waits: false, now: 1000, random: () => 0.5 };
  const turned = turn(world, { kind: 'read', board, facts, torn: false, conflict: false, own: false }, given);
  apply(turned.draft);
  const scene = { board, draft: draftOf(world), config, now: 1000, problems: [], instance: 'me' };
  return { world, effects: turned.effects, why: [...allTasks(board)].map((located) => whyNot(scene, located)?.code) };
}

const marksOf = (effects: readonly Effect[]): unknown[] =>
  effects.flatMap((effect) => (effect.kind === 'edit' ? effect.item.edits.map((edit) => (edit.kind === 'mark' ? edit.marker : edit.kind)) : []));

describe('a journal that is missing', () => {
  it('4-R9 a claimed line whose commit landed is settled, without an agent and without a run', () => {
    const { world, effects } = firstLook('## Git Worktree a\n[🟡 k3v9x2m1] one {claude}\n', { landed: new Map([['k3v9x2m1', landed('one', 'a')]]) });
    expect(marksOf(effects)).toEqual([{ state: 'done', hash: 'a1b2c3d', id: 'k3v9x2m1' }]);
    expect(effects.some((effect) => effect.kind === 'perform')).toBe(false);
    expect(world.known.get('k3v9x2m1')).toMatchObject({ state: 'done', commit: COMMIT });
  });

  it('4-R9 1.4-R8 a line that lost its marker and its id is held: by how the archive wrote it, by its name, or by the commit that has its title', () => {
    const cases: readonly (readonly [string, Partial<Evidence>])[] = [
      ['[] one {p1}', { landed: new Map([['k3v9x2m1', landed('Add it')]]), lines: new Map([['k3v9x2m1', { section: 'a', text: 'one {p1}', occurrence: 0 }]]) }],
      ['[] one {id:k3v9x2m1}', { landed: new Map([['k3v9x2m1', landed('Add it')]]) }],
      ['[] one {p1}', { landed: new Map([['k3v9x2m1', landed('one', 'a')]]) }],
      ['[⏰] one', { landed: new Map([['k3v9x2m1', landed('one')]]) }],
    ];
    for (const [line, evidence] of cases) {
      const { why, effects, world } = firstLook(`## Git Worktree a\n${line}\n`, evidence);
      expect([line, why, effects, world.runs.size]).toEqual([line, ['held'], [], 0]);
    }
  });

  it('1.4-R7 several of them are put right, but none of those that are only alike', () => {
    const evidence = {
      landed: new Map([
        ['k3v9x2m1', landed('x')],
        ['k3v9x2m2', landed('y')],
        ['k3v9x2m3', landed('three', 'a')],
      ]),
      lines: new Map([
        ['k3v9x2m1', { section: 'a', text: 'one', occurrence: 0 }],
        ['k3v9x2m2', { section: 'a', text: 'two', occurrence: 0 }],
      ]),
    };
    const { world } = firstLook('## Git Worktree a\n[] one\n[] two\n[] three\n', evidence);
    expect(world.list.kind).toBe('rollback');
    expect(world.known.get('k3v9x2m3')).toMatchObject({ held: 'alike' });
    expect([world.known.get('k3v9x2m1')?.held, world.runs.size]).toEqual([undefined, 0]);
  });

  it('4-R9 with {redo} it runs again, and a task that is only called alike in another section starts', () => {
    const { world } = firstLook('## Git Worktree a\n[] one {redo} {id:k3v9x2m1} {fake}\n\n## Git Worktree b\n[] two {fake}\n', {
      landed: new Map([
        ['k3v9x2m1', landed('one', 'a')],
        ['k3v9x2m2', landed('two', 'a')],
      ]),
    });
    expect([...world.runs.values()].map((run) => run.section)).toEqual(['a', 'b']);
  });

  it('2-R4 a claimed line with snapshots or a run folder of ours goes on from there, with a higher ticket; any other is a person’s', () => {
    const list =
      '## Git Worktree a\n[🟡 k3v9x2m1] kept {fake}\n\n## Git Worktree b\n[🟡 k3v9x2m2] begun {fake}\n\n## Git Worktree c\n[🟡 k3v9x2m3] theirs {fake}\n';
    const { world, why } = firstLook(list, { kept: new Map([['k3v9x2m1', 'refs/todone/k3v9x2m1/1/plan']]), tickets: new Map([['k3v9x2m2', 7]]) });
    expect(world.runs.get('k3v9x2m1')).toMatchObject({ from: 'in_progress', found: { kept: 'refs/todone/k3v9x2m1/1/plan' } });
    expect(world.runs.get('k3v9x2m2')).toMatchObject({ ticket: 8 });
    expect(why).toEqual(['running', 'running', 'person']);
  });

  it('3-R3 work that goes on keeps to the caps: one at a time in this section, and the second waits', () => {
    const list = '## Git Worktree a {parallel:1}\n[🟡 k3v9x2m1] one {fake}\n[🟡 k3v9x2m2] two {fake}\n';
    const { world, why } = firstLook(list, {
      tickets: new Map([
        ['k3v9x2m1', 1],
        ['k3v9x2m2', 1],
      ]),
    });
    expect([world.runs.size, why]).toEqual([1, ['running', 'cap']]);
    expect(world.known.get('k3v9x2m2')).toMatchObject({ resume: true });
    const scene = { board: parse(list, defaultParseOptions), draft: draftOf(world), config, now: 1000, problems: [], instance: 'me' };
    world.runs.clear();
    expect(choose(scene).start.map((choice) => choice.id)).toEqual(['k3v9x2m2']);
  });

  it('6.3-R4 what landed and has no line any more is known, so that {after} is satisfied', () => {
    const { world } = firstLook('## Git Worktree a\n[] next {after:k3v9x2m1} {fake}\n', { landed: new Map([['k3v9x2m1', landed('gone', 'a')]]) });
    expect([...world.runs.values()].map((run) => run.text)).toEqual(['next {after:k3v9x2m1} {fake}']);
    expect(world.known.get('k3v9x2m1')).toMatchObject({ state: 'done', gone: true });
  });
});
