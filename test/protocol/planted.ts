/**
 * Faults to plant in a copy of the source of writing the list: each is a step of 1.4-R3 left out or done wrongly, and the lives
 * have to see it. `from` has to be there exactly once, so that this list cannot rot.
 */
import type { Planted } from '../simulation/planted.ts';

/** `within` = the case that shows it soonest, `first` = a seed shortly before it does, where that takes hundreds of lives. */
export const PLANTED: readonly (Planted & { readonly within: string; readonly first?: number })[] = [
  {
    name: 'the new text is renamed over the list',
    within: 'rename',
    file: 'src/adapters/list-swap.ts',
    from: 'const failed = await disk.exchange(intent.temp, intent.list);',
    to: 'const failed = (await disk.rename(intent.temp, intent.list)) as never;',
  },
  {
    name: 'what came out of the exchange is not compared with what was read',
    within: 'truncate',
    file: 'src/adapters/list-settle.ts',
    from: 'if (look.changed && look.quiet) return merge(mine, look);',
    to: 'look.changed = false;',
  },
  {
    name: 'the displaced file is not watched until nobody writes to it',
    within: 'late',
    file: 'src/adapters/displaced.ts',
    from: 'const quiet = written === false ? bytes.length === facts.size : stillMs >= (written ? settleMs : STILL_MS);',
    to: 'const quiet = true;',
  },
  {
    name: 'the new text is not synced before the exchange',
    within: 'nobody, power cut',
    file: 'src/adapters/list-swap.ts',
    from: 'const synced = file.sync();',
    to: 'const synced = Promise.resolve();',
  },
  {
    name: 'the intents of a dead process are forgotten',
    within: 'vim, killed',
    file: 'src/adapters/task-file.ts',
    from: 'await settle.settleAll(true);',
    to: '',
  },
  {
    name: "a dead process's displaced file is taken for its own text",
    within: 'vim, killed',
    file: 'src/adapters/displaced.ts',
    from: 'if ((await file.facts()).inode === intent.tempInode) return true;',
    to: 'return true;',
  },
  {
    name: 'a merge that the list has overtaken is given up',
    within: 'rename',
    file: 'src/adapters/list-settle.ts',
    from: "if (done.kind === 'stale') continue;",
    to: "if (done.kind === 'stale') return saved(mine);",
  },
  {
    name: 'a merge forgets what the list has had since',
    within: 'truncate',
    file: 'src/adapters/list-merge.ts',
    from: 'const untouched = list.hash === wrote.plannedHash;',
    to: 'const untouched = true;',
  },
  {
    name: 'a save that was merged before the death is merged again',
    within: 'truncate, killed',
    first: 250,
    file: 'src/adapters/list-settle.ts',
    from: 'if (merger !== undefined && isMergedIn(intents.get(merger), intents.get(mine.intent.id)?.base, save.text)) return saved(mine);',
    to: '',
  },
  {
    name: 'a note is written again after a merge',
    within: 'emacs',
    file: 'src/adapters/task-file.ts',
    from: 'wanted = wanted.filter(({ edit }) => !ONCE.has(edit.kind));',
    to: '',
  },
  {
    name: 'what both sides added is doubled beside a line that one took away',
    within: 'rename',
    file: 'src/adapters/merge-lines.ts',
    from: 'const own = left.map((hunk) => withoutShared(hunk, right));',
    to: 'const own = left;',
  },
  {
    name: 'our own text stays beside the list when the list has changed',
    within: 'truncate',
    file: 'src/adapters/list-swap.ts',
    from: '    await remove(disk, intent.temp);\n    intents.end([intent.id]);',
    to: '    intents.end([intent.id]);',
  },
  {
    name: 'a half-written list is taken for the whole',
    within: 'two writers',
    file: 'src/adapters/list-look.ts',
    from: 'const patient = waitedMs < UNSETTLED_MS_MAX && (facts.size === 0 || stillMs(facts) < STILL_MS);',
    to: 'const patient = false;',
  },
  {
    name: 'the folder is not synced before the displaced version is let go',
    within: 'two writers, power cut',
    first: 390,
    file: 'src/adapters/list-settle.ts',
    from: 'const standing = (mine: Displaced): Promise<void> => disk.syncFolder(dirname(mine.intent.list));',
    to: 'const standing = async (_: Displaced): Promise<void> => undefined;',
  },
  {
    name: 'a file that somebody holds open is watched no longer than another',
    within: 'late',
    file: 'src/adapters/list-settle.ts',
    from: '(ageMs >= LAST_LOOK_MS && !held)',
    to: 'ageMs >= LAST_LOOK_MS',
  },
  {
    name: 'a list that is away for a moment is given up by a late save',
    within: 'two writers',
    first: 55,
    file: 'src/adapters/list-settle.ts',
    from: 'mine.listAwaySince ??= clock.ticks();',
    to: 'mine.listAwaySince ??= mine.since;',
  },
];
