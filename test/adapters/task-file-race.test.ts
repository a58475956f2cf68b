/** A real editor's process against writes flat out; and the usual way of writing, to see that this would catch it. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mark, scene } from './list-scene.ts';
import type { Scene } from './list-scene.ts';

const STYLES = ['truncate', 'vim', 'rename', 'jetbrains'] as const;
const SAVES = 200;
const FIRST = '## Git Worktree a\n[] x\nEND\n';

type Raced = { readonly words: readonly string[]; readonly writes: number };

/** Saves of one editor, each with a word more, while `write` runs over and over. */
async function race(at: Scene, style: string, write: () => Promise<boolean>): Promise<Raced> {
  const log = join(at.folder, 'saved.log');
  const editor = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'editor.mjs'), at.list, style, String(SAVES), log], { stdio: 'inherit' });
  let running = true;
  editor.once('exit', () => (running = false));
  let writes = 0;
  while (running) if (await write()) writes++;
  return { words: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [], writes };
}

function lost(at: Scene, words: readonly string[], places: string): string[] {
  const lines = new Set(places.split('\n'));
  return words.filter((word) => !lines.has(word) && !at.text().split('\n').includes(word));
}

/** The next state of the one task, as the list has it now. */
const flip = (text: string) => (text.includes('🟡') ? mark('x', 'failed', 'in_progress') : mark('x', 'in_progress', 'open', 'failed'));

describe('against an editor', () => {
  it.for(STYLES)('1.4-R3 loses no save by %s while the list is written flat out', async (style) => {
    const at = scene(FIRST);
    try {
      const file = at.open();
      const { words, writes } = await race(at, style, async () => {
        const reading = await file.read();
        if (reading.kind !== 'read') return false;
        const written = await file.edit([flip(reading.text)]);
        // What came of it is what the list then said.
        if (written.results[0]?.kind === 'applied' && written.reading.kind === 'read') expect(written.reading.text).toMatch(/\[(🟡|❌) q8f0t6zd\] x/u);
        return written.wrote;
      });
      expect(words.length).toBeGreaterThan(SAVES / 4);
      expect(writes).toBeGreaterThan(0);
      await expect.poll(() => lost(at, words, [...at.archived('saved'), ...at.archived('kept')].join('\n')), { timeout: 10_000 }).toEqual([]);
      // With the editor gone ours gets its way, and nothing of ours is left lying about.
      const [wanted] = [flip(at.text())];
      expect(await file.edit([wanted])).toMatchObject({ results: [{ kind: 'applied' }] });
      expect(at.litter().filter((name) => name.startsWith('.todone'))).toEqual([]);
      expect(new Set(at.text().split('\n').filter(Boolean)).size).toBe(at.text().split('\n').filter(Boolean).length);
    } finally {
      await at.end();
    }
  });

  it('1.4-R3 (test of the test) the usual temporary file and rename is seen losing saves', async () => {
    let count = 0;
    for (let round = 0; round < 5 && count === 0; round++) {
      const at = scene(FIRST);
      try {
        const { words } = await race(at, 'rename', async () => {
          const text = readFileSync(at.list, 'utf8');
          await new Promise((resolve) => setImmediate(resolve));
          writeFileSync(join(at.folder, 'temp'), text.includes('🟡') ? text.replace('[🟡 q8f0t6zd]', '[]') : text.replace('[]', '[🟡 q8f0t6zd]'));
          renameSync(join(at.folder, 'temp'), at.list);
          return true;
        });
        count += lost(at, words, '').length;
      } finally {
        await at.end();
      }
    }
    expect(count).toBeGreaterThan(0);
  });
});
