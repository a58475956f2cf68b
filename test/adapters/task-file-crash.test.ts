/** A writer that dies at any step, in its own process and for real; and what the next start makes of it. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realDisk } from '../../src/adapters/disk.ts';
import type { Disk, DiskFile } from '../../src/adapters/disk.ts';
import { claimsBegun } from '../../src/adapters/list-intents.ts';
import { tempName } from '../../src/adapters/list-swap.ts';
import { claimX, diskWith, ID, LIST, mark, scene } from './list-scene.ts';
import type { Scene } from './list-scene.ts';

const CLAIMED = LIST.replace('[] x', '[🟡 q8f0t6zd] x');
const SAVED = LIST.replace('END', 'a word\nEND');

class Died extends Error {}

type Mortal = { readonly disk: Disk; readonly steps: () => number };

/** A disk whose process dies before step `dieAt`: from then on nothing reaches it. Counts the steps that can change something or fail. */
function mortalDisk(dieAt: number, exchanges: boolean, beforeSwap: () => void): Mortal {
  let steps = 0;
  let swapped = false;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (++steps > dieAt) throw new Died();
    return work();
  };
  const swap = (): void => {
    if (!swapped) beforeSwap();
    swapped = true;
  };
  const mortal = (file: DiskFile): DiskFile => ({
    ...file,
    read: async () => step(() => file.read()),
    write: async (bytes) =>
      step(async () => {
        // Dying in the midst of it leaves half of it.
        await file.write(steps === dieAt ? bytes.subarray(0, bytes.length / 2) : bytes);
      }),
    sync: async () => step(() => file.sync()),
  });
  const disk: Disk = {
    realpath: (path) => realDisk.realpath(path),
    facts: (path) => realDisk.facts(path),
    names: (folder) => realDisk.names(folder),
    makeFolder: (folder) => realDisk.makeFolder(folder),
    open: async (path) => mortal(await realDisk.open(path)),
    create: async (path) => step(async () => mortal(await realDisk.create(path))),
    exchange: async (a, b) =>
      step(async () => {
        if (!exchanges) return { unsupported: 'the test says so' };
        swap();
        return realDisk.exchange(a, b);
      }),
    link: async (from, to) => step(() => realDisk.link(from, to)),
    rename: async (from, to) =>
      step(async () => {
        if (!exchanges && !to.includes('versions')) swap();
        return realDisk.rename(from, to);
      }),
    unlink: async (path) => step(() => realDisk.unlink(path)),
    syncFolder: async (folder) => step(() => realDisk.syncFolder(folder)),
  };
  return { disk, steps: () => steps };
}

async function dieIn(at: Scene, mortal: Mortal, work: 'edit' | 'recover'): Promise<boolean> {
  const file = at.open({ disk: mortal.disk });
  try {
    await (work === 'edit' ? file.edit([claimX]) : file.recover());
    return false;
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    return true;
  } finally {
    await file.close();
  }
}

const STEPS_MAX = 60;

describe('a writer that dies', () => {
  for (const exchanges of [true, false]) {
    const way = exchanges ? 'exchange' : 'link and rename';

    it(`12-R1 at any step of a write by ${way}: the list is the old or the new one, and nothing lies beside it`, async () => {
      let deaths = 0;
      for (let dieAt = 0; dieAt < STEPS_MAX; dieAt++) {
        const at = scene();
        const mortal = mortalDisk(dieAt, exchanges, () => undefined);
        const died = await dieIn(at, mortal, 'edit');
        expect([LIST, CLAIMED]).toContain(at.text());
        await at.open().recover();
        expect([LIST, CLAIMED], `died at step ${dieAt}`).toContain(at.text());
        expect(at.litter(), `died at step ${dieAt}`).toEqual([]);
        await at.end();
        if (mortal.steps() <= dieAt) break;
        deaths += died ? 1 : 0;
      }
      expect(deaths).toBeGreaterThan(4);
    });

    it(`12-R1 at any step of a write by ${way} that a save crosses, and again while that is put right: the save is in the list`, async () => {
      for (let dieAt = 0; dieAt < STEPS_MAX; dieAt++) {
        const at = scene();
        let saved = false;
        const first = mortalDisk(dieAt, exchanges, () => {
          saved = true;
          at.save(SAVED);
        });
        await dieIn(at, first, 'edit');
        // The recovery dies too, each time a step later.
        for (let recoverAt = 0; recoverAt < STEPS_MAX; recoverAt++) {
          const second = mortalDisk(recoverAt, exchanges, () => undefined);
          await dieIn(at, second, 'recover');
          if (second.steps() <= recoverAt) break;
        }
        await at.open().recover();
        const good = [LIST, CLAIMED, SAVED, CLAIMED.replace('END', 'a word\nEND')];
        expect(good, `died at step ${dieAt}`).toContain(at.text());
        if (saved) expect(at.text(), `died at step ${dieAt}`).toContain('a word\n');
        expect(at.litter(), `died at step ${dieAt}`).toEqual([]);
        await at.end();
        if (first.steps() <= dieAt) break;
      }
    });
  }

  it('12-R1 killed for real at random moments: old or new, nothing beside it, and the next writer starts at once', async () => {
    for (let round = 0; round < 15; round++) {
      const at = scene();
      const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'list-writer.ts'), at.list, at.state], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.kill('SIGKILL');
      await ended;
      const file = at.open();
      await file.recover();
      expect(at.text()).toMatch(/^## Git Worktree a\n\[(🟡|❌) q8f0t6zd\] x\n\[\] y\nEND\n$/u);
      expect(at.litter()).toEqual([]);
      expect(await file.edit([mark('y', 'in_progress')])).toMatchObject({ wrote: true });
      await at.end();
    }
  });

  it('2-R4 12-R1 a claim whose writer died is known from the write that was not settled', async () => {
    const at = scene();
    expect(claimsBegun(at.state)).toEqual([]);
    await at.open().edit([claimX]);
    expect(claimsBegun(at.state)).toEqual([ID]);
    await at.end();
  });

  it('12-R1 what was merged before the death is not merged again over what a person has done since', async () => {
    const at = scene();
    let exchanges = 0;
    const file = at.open({
      disk: diskWith({
        async exchange(a, b) {
          if (++exchanges === 1) at.save(SAVED);
          const failed = await realDisk.exchange(a, b);
          if (exchanges === 2) throw new Died();
          return failed;
        },
        // The dead undo nothing.
        unlink: async () => Promise.reject(new Died()),
        rename: async () => Promise.reject(new Died()),
      }),
    });
    await file.edit([claimX]);
    await file.close();
    expect(at.text()).toBe(CLAIMED.replace('END', 'a word\nEND'));
    at.save(CLAIMED);
    await at.open().recover();
    expect(at.text()).toBe(CLAIMED);
    expect(at.archived('saved')).toEqual([SAVED]);
    expect(at.litter()).toEqual([]);
    await at.end();
  });

  it('12-R1 a file beside the list that nobody knows is kept as a version', async () => {
    const at = scene();
    const file = at.open();
    await file.edit([claimX]);
    await file.close();
    // What it would be after the state folder was lost in the midst of a write.
    writeFileSync(join(at.folder, tempName(at.list, Math.random)), SAVED);
    await at.open().recover();
    expect(at.litter()).toEqual([]);
    expect(at.archived('left')).toEqual([SAVED]);
    expect(readFileSync(at.list, 'utf8')).toBe(CLAIMED);
    await at.end();
  });
});
