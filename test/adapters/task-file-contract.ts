/** What every list has to do, in memory or on disk. */
import { expect, it } from 'vitest';
import type { TaskFile } from '../../src/engine/ports.ts';
import { claimX, LIST, mark } from './list-scene.ts';

export type Bench = {
  readonly file: TaskFile;
  readonly text: () => string | undefined;
  readonly save: (text: string | undefined) => void;
  readonly beforeWrite: (then: () => void) => void;
};

const CLAIMED = LIST.replace('[] x', '[🟡 q8f0t6zd] x');

export function taskFileContract(bench: (text: string | undefined) => Bench): void {
  it('1.4-R3 reads the text, with a version that changes with every byte and comes back with the bytes', async () => {
    const { file, save } = bench(LIST);
    const first = await file.read();
    expect(first).toMatchObject({ kind: 'read', text: LIST });
    save(`${LIST} `);
    const second = await file.read();
    save(LIST);
    const third = await file.read();
    const versions = [first, second, third].map((reading) => (reading.kind === 'read' ? reading.version : ''));
    expect(versions[0]).not.toBe(versions[1]);
    expect(versions[0]).toBe(versions[2]);
  });

  it('1.4-R2 an edit changes the marker alone and gives back what the list holds afterwards', async () => {
    const { file, text } = bench(LIST);
    const written = await file.edit([claimX]);
    expect(written).toMatchObject({ results: [{ kind: 'applied' }], wrote: true, reading: { kind: 'read', text: CLAIMED } });
    expect(text()).toBe(CLAIMED);
    expect(await file.read()).toEqual(written.reading);
  });

  it('1.4-R5 what the list says already is not written', async () => {
    const { file } = bench(CLAIMED);
    expect(await file.edit([claimX])).toMatchObject({ results: [{ kind: 'already' }], wrote: false, reading: { text: CLAIMED } });
    expect(await file.edit([mark('z', 'done')])).toMatchObject({ results: [{ kind: 'gone' }], wrote: false });
  });

  it('1.4-R3 a save between the reading and the write stays, with ours made again on it', async () => {
    const { file, text, save, beforeWrite } = bench(LIST);
    beforeWrite(() => save(LIST.replace('END', 'a new line\nEND')));
    const written = await file.edit([claimX]);
    expect(written).toMatchObject({ results: [{ kind: 'applied' }], wrote: true });
    expect(text()).toBe(CLAIMED.replace('END', 'a new line\nEND'));
    expect(written.reading).toMatchObject({ kind: 'read', text: text() });
  });

  it('1.4-R3 ours is given up where such a save took its line away or decided otherwise', async () => {
    const { file, text, save, beforeWrite } = bench(LIST);
    beforeWrite(() => save('## Git Worktree a\n[-] y\n'));
    const written = await file.edit([claimX, mark('y', 'in_progress')]);
    expect(written.results).toEqual([{ kind: 'gone' }, { kind: 'changed', marker: { state: 'cancelled' } }]);
    expect(text()).toBe('## Git Worktree a\n[-] y\n');
    expect(written.reading).toMatchObject({ text: text() });
  });

  it('1.4-R6 a missing list is told as missing, refused for writing, and never created', async () => {
    const { file, text, save } = bench(undefined);
    expect(await file.read()).toMatchObject({ kind: 'missing' });
    await expect(file.edit([claimX])).rejects.toMatchObject({ name: 'ListRefused', code: 'ENOENT' });
    expect(text()).toBeUndefined();
    save(LIST);
    expect(await file.read()).toMatchObject({ kind: 'read' });
  });

  it('1.1-R6 a BOM is not part of the text, and stays in the file', async () => {
    const { file, text } = bench(`\uFEFF${LIST}`);
    expect(await file.read()).toMatchObject({ text: LIST });
    expect(await file.edit([claimX])).toMatchObject({ reading: { text: CLAIMED } });
    expect(text()).toBe(`\uFEFF${CLAIMED}`);
  });

  it('1.4-R3 tidying up a list that needs none leaves it alone', async () => {
    const { file, text } = bench(LIST);
    await file.recover();
    await file.recover();
    expect(text()).toBe(LIST);
  });

  it('1.4-R3 a watched list gives a hint when it is saved, and none after the end', async () => {
    const { file, save } = bench(LIST);
    let hints = 0;
    const end = await file.watch(() => hints++);
    save(`${LIST}more\n`);
    await expect.poll(() => hints, { timeout: 10_000 }).toBeGreaterThan(0);
    await end();
    const before = hints;
    save(LIST);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(hints).toBe(before);
  });
}
