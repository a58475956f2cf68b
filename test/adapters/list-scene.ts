/** A folder with a list in it, and the adapter on it: for the tests of the list on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { realDisk } from '../../src/adapters/disk.ts';
import type { Disk } from '../../src/adapters/disk.ts';
import { openTaskFile } from '../../src/adapters/task-file.ts';
import type { ListFile, TaskFileOptions } from '../../src/adapters/task-file.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions } from '../../src/tasks/parse.ts';
import type { Edit, MarkerState } from '../../src/tasks/task.ts';

export const LIST = '## Git Worktree a\n[] x\n[] y\nEND\n';
export const ID = 'q8f0t6zd';

export type Said = { readonly level: string; readonly message: string };

export type Scene = {
  readonly folder: string;
  readonly list: string;
  readonly state: string;
  readonly said: Said[];
  open(more?: Partial<TaskFileOptions>): ListFile;
  text(): string;
  save(text: string): void;
  /** What lies in the folder beside the list and the state folder. */
  litter(): string[];
  /** All archived versions, by their kind. */
  archived(kind?: string): string[];
  end(): Promise<void>;
};

export function scene(text: string | Buffer | undefined = LIST): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'list-'));
  const [list, state] = [join(folder, 'tasks.md'), join(folder, 'state')];
  const said: Said[] = [];
  const opened: ListFile[] = [];
  if (text !== undefined) writeFileSync(list, text);
  return {
    folder,
    list,
    state,
    said,
    open(more = {}) {
      const file = openListAt(folder, { log: { write: (level, message) => void said.push({ level, message }) }, ...more });
      opened.push(file);
      return file;
    },
    text: () => readFileSync(list, 'utf8'),
    save: (saved) => writeFileSync(list, saved),
    litter: () => readdirSync(folder).filter((name) => !['tasks.md', 'state'].includes(name)),
    archived: (kind = '') =>
      archivedIn(state)
        .filter(([name]) => name.endsWith(`${kind}.md`))
        .map(([, bytes]) => bytes),
    async end() {
      for (const file of opened) await file.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The adapter on the list of a scene's folder, for this or another process. */
export function openListAt(folder: string, more: Partial<TaskFileOptions> = {}): ListFile {
  return openTaskFile({
    path: join(folder, 'tasks.md'),
    stateDir: join(folder, 'state'),
    maxListBytes: 16 * 1024 * 1024,
    apply,
    gitState: async () => ({ position: '', listIsCommitted: false }),
    clock: systemClock(),
    log: { write: () => undefined },
    random: Math.random,
    ...more,
  });
}

export function apply(text: string, edits: readonly Edit[]): ReturnType<typeof applyEdits> {
  return applyEdits(text, edits, defaultParseOptions);
}

export function mark(text: string, state: MarkerState, ...expect: MarkerState[]): Edit {
  return { kind: 'mark', target: { section: 'a', text, occurrence: 0 }, expect: expect.length > 0 ? expect : ['open'], marker: { state, id: ID } };
}

export const claimX = mark('x', 'in_progress');

/** The real disk with some of its calls replaced. */
export function diskWith(changes: Partial<Disk>): Disk {
  return { ...realDisk, ...changes };
}

/** Runs `then` once, right before the exchange: where an editor's save hurts most. */
export function beforeExchange(then: () => void): Disk {
  let pending = true;
  return diskWith({
    async exchange(a, b) {
      if (pending) then();
      pending = false;
      return realDisk.exchange(a, b);
    },
  });
}

function archivedIn(state: string): [string, string][] {
  try {
    return readdirSync(join(state, 'versions')).map((name) => [name, readFileSync(join(state, 'versions', name), 'utf8')]);
  } catch {
    return [];
  }
}
