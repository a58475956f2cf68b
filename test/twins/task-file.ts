/** The list in memory: the same promises as the one on disk, with a place for an editor's save in the midst of a write. */
import { createHash } from 'node:crypto';
import { ListRefused } from '../../src/engine/ports.ts';
import type { GitState, Reading, TaskFile } from '../../src/engine/ports.ts';
import type { Edit, Edited } from '../../src/tasks/task.ts';

export type MemoryList = {
  readonly file: TaskFile;
  /** What an editor sees; undefined = missing. */
  readonly text: () => string | undefined;
  /** An editor's save; undefined takes the file away. */
  readonly save: (text: string | undefined) => void;
  /** Runs once between the next reading and the write that follows from it. */
  readonly beforeWrite: (then: () => void) => void;
  git: GitState;
  /** Texts that writes replaced, the oldest first. */
  readonly versions: string[];
};

const ROUNDS_MAX = 50;

export function memoryList(
  first: string | undefined,
  apply: (text: string, edits: readonly Edit[]) => { readonly text: string; readonly results: readonly Edited[] },
  now: () => number = () => 0,
): MemoryList {
  let text = first;
  let modifiedAt = now();
  let pending: (() => void) | undefined;
  const hints = new Set<() => void>();

  const put = (next: string | undefined): void => {
    text = next;
    modifiedAt = now();
    for (const hint of hints) hint();
  };

  const read = (): Reading => {
    if (text === undefined) return { kind: 'missing', git: list.git };
    const version = createHash('sha1').update(text).digest('hex');
    return { kind: 'read', text: text.replace(/^\uFEFF/, ''), version, modifiedAt, git: list.git };
  };

  const list: MemoryList = {
    file: {
      path: '/memory/tasks.md',
      read: async () => read(),
      async edit(edits) {
        for (let round = 0; round < ROUNDS_MAX; round++) {
          if (text === undefined) throw new ListRefused('ENOENT', 'tasks.md is missing.', 'Bring it back.');
          const base = text;
          const bom = base.startsWith('\uFEFF') ? '\uFEFF' : '';
          const applied = apply(base.slice(bom.length), edits);
          pending?.();
          pending = undefined;
          if (text !== base) continue;
          const wrote = bom + applied.text !== base;
          if (wrote) {
            list.versions.push(base);
            put(bom + applied.text);
          }
          return { results: applied.results, reading: read(), wrote };
        }
        throw new ListRefused('EBUSY', 'tasks.md is saved all the time.', 'Wait.');
      },
      async watch(hint) {
        hints.add(hint);
        return async () => void hints.delete(hint);
      },
      recover: async () => undefined,
      async keep(kept) {
        list.versions.push(kept);
        return `version ${list.versions.length}`;
      },
    },
    text: () => text,
    save: put,
    beforeWrite: (then) => (pending = then),
    git: { position: '', listIsCommitted: false },
    versions: [],
  };
  return list;
}
