/**
 * People at their editors, step by step, in the styles in which editors save: in place (VS Code, `vim` with backupcopy=yes,
 * scripts), vim, rename over (sed -i, many tools), JetBrains, emacs; and one that opened the file long before it writes. The
 * ledger knows what became of each word by the deeds of its own editors, so that whatever else befalls it is ToDone's.
 */
import type { Fate } from '../oracle/oracle.ts';
import { wordOf, wordsIn } from '../oracle/words.ts';
import { fail } from './simulated-disk.ts';
import type { Inode, SimulatedDisk } from './simulated-disk.ts';

export const STYLES = ['truncate', 'vim', 'rename', 'jetbrains', 'emacs', 'late'] as const;
export type Style = (typeof STYLES)[number];

/** Where a line may be typed: behind each of these, which nobody changes. */
export const ANCHOR = /^anchor /;
const SENTINEL = /^END .*\n$/m;
const LOADS_MAX = 40;

export type Ledger = {
  readonly fates: Map<string, Fate>;
  /** Each line as typed, by its word. */
  readonly lines: Map<string, string>;
  /** Words that a save with a stale text took away, by whatever editor. */
  readonly overwritten: Set<string>;
  saves: number;
};

export type Desk = {
  readonly disk: SimulatedDisk;
  readonly path: string;
  readonly ledger: Ledger;
  readonly pick: (below: number) => number;
  /** It is in a displaced save that is not merged yet: then nobody can know that a later save took it away again. */
  readonly isPending: (word: string) => boolean;
  /** Ms; without end when everybody is to come to an end. */
  readonly now: () => number;
  /** Amid a save: what the list is then is the editor's doing. */
  saving: boolean;
  /** What the person has on the screen from the last time. */
  buffer?: string;
  number: number;
};

export type Session = Generator<void, void>;

/** One edit, from loading to the end of saving. */
export function* session(desk: Desk, style: Style): Session {
  const { disk, pick } = desk;
  let held: Inode | undefined;
  let text = '';
  for (let loads = 0; ; loads++) {
    const inode = disk.find(desk.path);
    text = inode?.bytes.toString('utf8') ?? '';
    if (inode && SENTINEL.test(text)) {
      if (style === 'late') {
        held = inode;
        disk.opened(inode, true);
      }
      break;
    }
    if (loads > LOADS_MAX) return;
    yield;
  }
  if (desk.buffer !== undefined && pick(3) === 0) text = desk.buffer;
  for (let thinking = pick(4); thinking > 0; thinking--) yield;
  try {
    if (held && pick(4) === 0) yield* waitLong(desk);
    yield* save(desk, style, held, text);
    if (!held || pick(4) > 0) return;
    yield* waitLong(desk);
    yield* save(desk, style, held, held.bytes.toString('utf8'));
  } catch (error) {
    // Somebody else had the file away at that moment: an editor says so, and its person tries again.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  } finally {
    desk.saving = false;
    if (held) disk.closed(held, true);
  }
}

/** Longer than a save that stands still is waited for. */
const LONG_MS = 12_000;

function* waitLong(desk: Desk): Session {
  for (const until = desk.now() + LONG_MS; desk.now() < until;) yield;
}

function* save(desk: Desk, style: Style, held: Inode | undefined, text: string): Session {
  const { ledger } = desk;
  const typed = type(desk, text);
  desk.saving = true;
  // From a text that still has it the editor writes it again.
  for (const word of wordsIn(typed.text).keys()) if (ledger.fates.get(word) === 'gone') ledger.fates.set(word, 'maybe');
  yield* held ? writeInPlace(desk, held, typed) : SAVES[style](desk, typed);
  for (const word of typed.added) if (!ledger.overwritten.has(word) && !isGone(typed.into)) ledger.fates.set(word, 'once');
  for (const word of typed.removed) if (typed.seen.has(word)) ledger.fates.set(word, 'gone');
  desk.buffer = typed.text;
  desk.saving = false;
  ledger.saves++;
}

type Typed = {
  readonly text: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Words that the save really took from the disk. */
  readonly seen: Set<string>;
  /** The file that it went into. */
  into?: Inode;
};

/** Another editor has thrown the file away that this one was writing. */
const isGone = (inode: Inode | undefined): boolean => inode?.links === 0 && inode.droppedBy === 'editor';

function type(desk: Desk, text: string): Typed {
  const { ledger, pick } = desk;
  const lines = text.split('\n');
  const removed: string[] = [];
  if (pick(3) === 0) {
    const own = lines.flatMap((line, index) =>
      [...wordsIn(line).keys()].filter((word) => word.startsWith('Wp') && ledger.fates.get(word) === 'once').map((word) => ({ word, index })),
    );
    const chosen = own[pick(own.length)];
    if (chosen) {
      lines.splice(chosen.index, 1);
      removed.push(chosen.word);
      ledger.fates.set(chosen.word, 'maybe');
    }
  }
  const word = wordOf('p', desk.number++);
  const anchors = lines.flatMap((line, index) => (ANCHOR.test(line) ? [index] : []));
  const line = `${pick(2) === 0 ? '[] ' : ''}typed ${word}${'.'.repeat(pick(5))}`;
  lines.splice((anchors[pick(anchors.length)] ?? 0) + 1, 0, line);
  ledger.fates.set(word, 'maybe');
  ledger.lines.set(word, line);
  return { text: lines.join('\n'), added: [word], removed, seen: new Set() };
}

/** What was there and is not in the new text was overwritten by the editor itself, from a stale buffer. */
function overwrites(desk: Desk, old: Buffer, typed: Typed): void {
  const kept = wordsIn(typed.text);
  for (const word of wordsIn(old.toString('utf8')).keys()) {
    if (typed.removed.includes(word)) {
      if (!desk.isPending(word)) typed.seen.add(word);
    } else if (!kept.has(word)) {
      desk.ledger.overwritten.add(word);
      if (desk.ledger.fates.get(word) === 'once') desk.ledger.fates.set(word, 'maybe');
    }
  }
}

function* fill(desk: Desk, inode: Inode, typed: Typed): Session {
  const bytes = Buffer.from(typed.text, 'utf8');
  const half = desk.pick(bytes.length);
  typed.into = inode;
  overwrites(desk, inode.bytes, typed);
  desk.disk.write(inode, bytes.subarray(0, half), 'editor');
  yield;
  overwrites(desk, inode.bytes, typed);
  desk.disk.write(inode, bytes, 'editor');
  yield;
  if (desk.pick(4) > 0) desk.disk.sync(inode);
}

function* writeInPlace(desk: Desk, inode: Inode, typed: Typed): Session {
  overwrites(desk, inode.bytes, typed);
  desk.disk.write(inode, Buffer.alloc(0), 'editor');
  yield;
  yield* fill(desk, inode, typed);
}

function* writeNew(desk: Desk, path: string, typed: Typed): Session {
  const { disk } = desk;
  const there = disk.find(path);
  const inode = there ?? disk.create(path, 'editor');
  disk.opened(inode, true);
  try {
    if (there) yield* writeInPlace(desk, there, typed);
    else {
      yield;
      yield* fill(desk, inode, typed);
    }
  } finally {
    disk.closed(inode, true);
  }
}

function* discard(desk: Desk, path: string, typed: Typed): Session {
  const inode = desk.disk.find(path);
  if (inode) {
    overwrites(desk, inode.bytes, typed);
    desk.disk.unlink(path, 'editor');
  }
  yield;
}

const SAVES: Readonly<Record<Style, (desk: Desk, typed: Typed) => Session>> = {
  *truncate(desk, typed) {
    const inode = desk.disk.at(desk.path);
    desk.disk.opened(inode, true);
    try {
      if (desk.pick(2) === 0) yield;
      yield* writeInPlace(desk, inode, typed);
    } finally {
      desk.disk.closed(inode, true);
    }
  },
  *vim(desk, typed) {
    const { disk, path } = desk;
    overwrites(desk, disk.at(path).bytes, typed);
    disk.rename(path, `${path}~`, 'editor', true);
    yield;
    yield* writeNew(desk, path, typed);
    yield* discard(desk, `${path}~`, typed);
  },
  *rename(desk, typed) {
    const { disk, path } = desk;
    const beside = `${path}.sed${desk.number}`;
    yield* writeNew(desk, beside, typed);
    yield;
    overwrites(desk, disk.find(path)?.bytes ?? Buffer.alloc(0), typed);
    disk.rename(beside, path, 'editor');
  },
  *jetbrains(desk, typed) {
    const { disk, path } = desk;
    yield* writeNew(desk, `${path}___jb_tmp___`, typed);
    overwrites(desk, disk.find(path)?.bytes ?? fail('ENOENT', path), typed);
    disk.rename(path, `${path}___jb_old___`, 'editor', true);
    yield;
    overwrites(desk, disk.find(path)?.bytes ?? Buffer.alloc(0), typed);
    disk.rename(`${path}___jb_tmp___`, path, 'editor', true);
    yield;
    yield* discard(desk, `${path}___jb_old___`, typed);
  },
  *emacs(desk, typed) {
    const { disk, path } = desk;
    overwrites(desk, disk.at(path).bytes, typed);
    disk.rename(path, `${path}~`, 'editor', true);
    yield;
    yield* writeNew(desk, path, typed);
  },
  *late(desk, typed) {
    yield* SAVES.truncate(desk, typed);
  },
};
