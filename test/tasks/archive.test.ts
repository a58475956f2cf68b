/** Archiving as a pure thing: what goes is found byte for byte in the archive, what stays is the list without it, and back is as before. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planArchive } from '../../src/runs/archive.ts';
import { archivedIds, archiveHead, backEdits, readArchive, withEntries, withoutEntries } from '../../src/tasks/archive.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { allTasks } from '../../src/tasks/find.ts';
import { defaultParseOptions, parse } from '../../src/tasks/parse.ts';
import { sceneOf } from '../runs/scene.ts';
import { tidyList, uglyLines } from './ugly-text.ts';

const options = defaultParseOptions;
const HEAD = archiveHead('tasks.md');

function archived(list: string, archive = HEAD, run = 'r1', only?: (title: string) => boolean) {
  const scene = sceneOf(list);
  const chosen = [...allTasks(scene.board)].filter(({ task }) => only?.(task.title));
  const plan = planArchive(scene, { olderThan: 0, doneAt: () => -1, run, ...(only && { only: chosen }) });
  const edits = plan.leaving.map(({ edit }) => edit);
  const after = applyEdits(list, edits, options);
  return {
    plan,
    edits,
    list: after.text,
    results: after.results,
    archive: withEntries(
      archive,
      plan.leaving.map(({ entry }) => entry),
    ),
  };
}

function undone(list: string, archive: string): { readonly list: string; readonly archive: string } {
  const entries = readArchive(archive);
  const last = entries.filter(({ run }) => run === entries.at(-1)?.run);
  return { list: applyEdits(list, backEdits(last), options).text, archive: withoutEntries(archive, last) };
}

const LIST = `# Shop

## Git Worktree auth {p1}
[✅ a1b2c3d, k3v9x2m1] Add login form
  files: src/**
  > note

[] Rotate tokens {after:rotate}
[✅ -, q8f0t6zd] Old one {id:rotate}
- [x] By hand
  - [x] nested
  - [-] dropped
text of a person

### Phase 2
[✅ b1b2c3d, m2c7r4ya] In phase
[❌ m3c7r4ya] Failed

## Git Worktree pay
[x] last, without a line end`;

const lists = fc.oneof(uglyLines(), tidyList, fc.constant(LIST), fc.constant(LIST.replaceAll('\n', '\r\n')));

describe('archive', () => {
  it('6.5-R1 what goes stands in the archive as it stood on the list, with all that is nested in it', () => {
    const { list, archive, plan } = archived(LIST);
    expect(plan.leaving.map(({ located }) => located.task.title)).toEqual(['Add login form', 'Old one', 'By hand', 'In phase', 'last, without a line end']);
    expect(list).toBe(`# Shop

## Git Worktree auth {p1}

[] Rotate tokens {after:rotate}
text of a person

### Phase 2
[❌ m3c7r4ya] Failed

## Git Worktree pay
`);
    for (const { entry } of plan.leaving) expect(archive).toContain(entry.text);
    expect([...archivedIds(archive, options)]).toEqual([
      ['k3v9x2m1', 'done'],
      ['q8f0t6zd', 'done'],
      ['rotate', 'done'],
      ['m2c7r4ya', 'done'],
    ]);
    expect(undone(list, archive)).toEqual({ list: LIST, archive: HEAD });
  });

  it('6.5-R1 archive and undo is nothing, whatever the list: byte for byte, over several runs', () => {
    fc.assert(
      fc.property(lists, fc.nat(5), fc.nat(5), (list, first, second) => {
        const one = archived(list, HEAD, 'r1', (title) => title.length % 6 !== first);
        const two = archived(one.list, one.archive, 'r2', (title) => title.length % 5 !== second);
        for (const { entry } of [...one.plan.leaving, ...two.plan.leaving]) expect(two.archive).toContain(entry.text);
        let back = { list: two.list, archive: two.archive };
        if (two.plan.leaving.length > 0) back = undone(back.list, back.archive);
        expect(back.list).toBe(one.list);
        if (one.plan.leaving.length > 0) back = undone(back.list, back.archive);
        expect(back).toEqual({ list, archive: HEAD });
      }),
      { numRuns: 150 },
    );
  });

  it('6.5-R1 no byte is lost or made: list and archived lines together are the list as it was', () => {
    fc.assert(
      fc.property(lists, (list) => {
        const { plan, list: left, results } = archived(list);
        expect(results.every(({ kind }) => kind === 'applied')).toBe(true);
        const gone = plan.leaving.reduce((sum, { entry }) => sum + entry.text.length, 0);
        expect(left.length + gone).toBe(list.length);
        let at = 0;
        for (const { entry } of plan.leaving) expect((at = list.indexOf(entry.text, at))).toBeGreaterThanOrEqual(0);
        // What stays says what it said.
        const wish = (text: string) => [...allTasks(parse(text, options))].map(({ task }) => `${task.section} ${task.marker.state} ${task.fingerprint}`);
        const stays = wish(list).filter((words) => !words.includes(' done ') && !words.includes(' cancelled '));
        expect(wish(left).filter((words) => !words.includes(' done ') && !words.includes(' cancelled '))).toEqual(stays);
      }),
      { numRuns: 150 },
    );
  });

  it('6.5-R1 lines that were typed meanwhile stay, and a task that was changed meanwhile is not taken off', () => {
    fc.assert(
      fc.property(lists, fc.nat(), fc.constantFrom('[] typed\n', 'words\n', '  more of it\n', '\n'), (list, where, typed) => {
        const { plan, edits } = archived(list);
        const lines = list.split(/(?<=\n)/);
        const at = where % (lines.length + 1);
        const saved = [...lines.slice(0, at), typed, ...lines.slice(at)].join('');
        const now = applyEdits(saved, edits, options);
        const gone = plan.leaving.reduce((sum, { entry }, index) => sum + (now.results[index]?.kind === 'applied' ? entry.text.length : 0), 0);
        expect(now.text.length + gone).toBe(saved.length);
        expect(now.text.split(typed).length).toBeGreaterThanOrEqual(saved.split(typed).length - list.split(typed).length + 1);
      }),
      { numRuns: 150 },
    );
  });

  it('6.5-R1 into a list that was edited since, tasks come back beside those that they stood beside', () => {
    const { list, archive } = archived(LIST);
    const edited = list
      .replace('[] Rotate tokens {after:rotate}', '[] New\n[✅ c1b2c3d, g2c7r4ya] Rotate tokens {after:rotate}')
      .replace('### Phase 2\n', '### Phase 2\nwords\n');
    const back = undone(edited, archive).list;
    expect(back).toBe(`# Shop

## Git Worktree auth {p1}

[] New
[✅ a1b2c3d, k3v9x2m1] Add login form
  files: src/**
  > note
[✅ c1b2c3d, g2c7r4ya] Rotate tokens {after:rotate}
[✅ -, q8f0t6zd] Old one {id:rotate}
- [x] By hand
  - [x] nested
  - [-] dropped
text of a person

### Phase 2
words
[✅ b1b2c3d, m2c7r4ya] In phase
[❌ m3c7r4ya] Failed

## Git Worktree pay
[x] last, without a line end`);
    const without = archived('## Git Worktree a {p1}\n[x] one\n\n## Git Worktree b\n[] two\n');
    expect(undone('## Git Worktree b\n[] two\n', without.archive).list).toBe('## Git Worktree b\n[] two\n\n## Git Worktree a {p1}\n[x] one\n');
  });

  it('6.5-R1 what is on the list already does not come back a second time, and what a person wrote into the archive stays', () => {
    const { list, archive } = archived('## Git Worktree a\n[✅ a1b2c3d, k3v9x2m1] one\n[x] two {id:second}\n[] three\n');
    const byHand = list.replace('[] three', '[✅ a1b2c3d, k3v9x2m1] one\n[] three');
    expect(undone(byHand, archive).list.match(/ one\n/g)).toHaveLength(1);
    const noted = `${archive}\nA person's words\n`;
    expect(undone(list, noted).archive).toContain("A person's words");
    const changed = archive.replace('[x] two {id:second}', '[x] two, as it was {id:second}\n  with more');
    expect(readArchive(changed).map(({ edited }) => edited)).toEqual([false, true]);
    expect(undone(list, changed).list).toContain('[x] two, as it was {id:second}\n  with more\n');
  });

  it('6.5-R1 only what is done goes, and says why it does not', () => {
    const { plan } = archived(
      '## Git Worktree a\n[x] old\n- [x] parent\n  - [] child\n[] open\n\n## Git Worktree b\n[x] twice\n## Git Worktree b\n[x] twice\n## Git Worktree c\n[x] fence\n  ```\n  open\n',
    );
    expect(plan.leaving.map(({ located }) => located.task.title)).toEqual(['old']);
    expect(plan.staying.map(({ located, why }) => `${located.task.title}: ${why}`)).toEqual([
      'parent: "child", nested under it, is not done',
      'twice: its section is on the list twice',
      'twice: its section is on the list twice',
      'fence: a fence or comment in it is not closed',
    ]);
    const young = planArchive(sceneOf('## Git Worktree a\n[x] one\n[x] two\n', { now: 10 }), {
      olderThan: 9,
      doneAt: ({ title }) => (title === 'one' ? 2 : undefined),
      run: 'r',
    });
    expect(young.staying.map(({ why }) => why)).toEqual(['it was done less than a day ago', 'nobody knows when it was done: name it, to have it archived']);
  });
});
